//! What an operator sets.

use std::time::Duration;

use secrecy::SecretString;

use crate::catalog::TemplateCatalog;

/// The Graph API version used unless set otherwise; Meta serves it until 29 July 2028.
pub const DEFAULT_GRAPH_VERSION: &str = "v25.0";

const BASE_URL: &str = "https://graph.facebook.com";
const DEADLINE: Duration = Duration::from_secs(20);

/// Address, credentials and templates of one sending number.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    pub(crate) base_url: String,
    pub(crate) graph_version: String,
    pub(crate) phone_number_id: String,
    pub(crate) access_token: SecretString,
    pub(crate) deadline: Duration,
    pub(crate) templates: TemplateCatalog,
}

impl CloudConfig {
    /// `phone_number_id` is Meta's id of the sending number (not the number itself); `access_token` belongs to a
    /// system user with `whatsapp_business_messaging`.
    #[must_use]
    pub fn new(phone_number_id: impl Into<String>, access_token: SecretString) -> Self {
        Self {
            base_url: BASE_URL.to_owned(),
            graph_version: DEFAULT_GRAPH_VERSION.to_owned(),
            phone_number_id: phone_number_id.into(),
            access_token,
            deadline: DEADLINE,
            templates: TemplateCatalog::standard(),
        }
    }

    /// Another address, without a trailing path: a simulator or a proxy of one's own. Plain `http` is taken only
    /// for a loopback address.
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Another Graph version, such as `v26.0`.
    #[must_use]
    pub fn with_graph_version(mut self, version: impl Into<String>) -> Self {
        self.graph_version = version.into();
        self
    }

    /// The longest one call may take from connecting to the last byte of the answer (20 s). What is not answered
    /// by then has an unknown outcome.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The operator's own templates.
    #[must_use]
    pub fn with_templates(mut self, templates: TemplateCatalog) -> Self {
        self.templates = templates;
        self
    }
}

//! Each router by the adapter that serves its lines: its own API, or FreeRADIUS.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::survey::{RouterFinding, Survey};
use isp_core::place::{Machine, RouterEndpoint};
use isp_core::ports::{AccessControl, ApplyOutcome, Capabilities, Online, PortError};
use isp_mikrotik::MikrotikAccess;
use isp_radius::{Problem, RadiusAccess};

use crate::config::Config;

/// The routers of the settings.
pub(crate) struct Routers {
    mikrotik: MikrotikAccess,
    code_page: isp_mikrotik::text::CodePage,
    /// `None` when no router is served by RADIUS.
    radius: Option<Result<RadiusAccess, PortError>>,
    settings: isp_radius::Settings,
}

impl Routers {
    /// Nothing is called yet.
    pub(crate) fn new(config: &Config) -> Self {
        let settings = config.radius.clone();
        let radius = (!settings.nas.is_empty()).then(|| RadiusAccess::new(settings.clone()));
        let mikrotik = MikrotikAccess::new(config.mikrotik.clone());
        Self { mikrotik, code_page: config.mikrotik.code_page, radius, settings }
    }

    fn of(&self, router: &RouterEndpoint) -> Result<&dyn AccessControl, PortError> {
        match &self.radius {
            Some(radius) if self.settings.serves(router) => match radius {
                Ok(radius) => Ok(radius),
                Err(error) => Err(error.clone()),
            },
            _ => Ok(&self.mikrotik),
        }
    }

    /// What the router itself does to lines in RADIUS. It asks RADIUS only for names that it does not know itself. So an
    /// account that is left on it goes on as it is, whatever RADIUS says: nothing that was read of its line counts. And IPv6
    /// that it gives to customers is isolated by nobody.
    async fn bypassed(&self, router: &RouterEndpoint, targets: &[AccessTarget], survey: &mut Survey) {
        let found = match self.mikrotik.read_accounts(router, self.code_page).await {
            Ok(found) => found,
            Err(error) => {
                survey.findings.push(unread(router, &error));
                return;
            }
        };
        let local: BTreeSet<&str> =
            found.iter().filter(|account| !account.disabled).map(|account| account.name.as_str()).collect();
        for (target, line) in targets.iter().zip(&mut survey.lines) {
            let name = target.account.username.as_str();
            if local.contains(name) {
                line.access = None;
                line.as_wanted = false;
                line.refused = Some(Problem::LocalAccount.code());
                line.answer = Problem::LocalAccount.to_string();
            }
        }
        match self.mikrotik.ipv6_open(router).await {
            Ok(told) => survey.findings.extend(told),
            Err(error) => survey.findings.push(unread(router, &error)),
        }
    }
}

/// That the router itself could not be looked at.
fn unread(router: &RouterEndpoint, error: &PortError) -> RouterFinding {
    let what = format!("{}: {error}", Problem::RouterUnread);
    RouterFinding { name: router.host.clone(), code: Problem::RouterUnread.code(), what }
}

#[async_trait]
impl AccessControl for Routers {
    fn capabilities(&self) -> Capabilities {
        self.mikrotik.capabilities()
    }

    /// A router whose lines are in RADIUS tells nothing of them, so it does not matter which machine it is.
    async fn machine(&self, router: &RouterEndpoint) -> Result<Option<Machine>, PortError> {
        self.of(router)?.machine(router).await
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        self.of(router)?.apply(router, targets).await
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        self.of(router)?.observe(router, targets, now).await
    }

    /// Asked of the router itself, wherever its accounts are kept.
    async fn online(&self, router: &RouterEndpoint) -> Result<Option<Vec<Online>>, PortError> {
        self.mikrotik.online(router).await
    }

    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        let mut survey = self.of(router)?.survey(router, targets, now).await?;
        if self.settings.serves(router) {
            self.bypassed(router, targets, &mut survey).await;
        }
        Ok(survey)
    }

    async fn tend(&self, router: &RouterEndpoint) -> Vec<RouterFinding> {
        match self.of(router) {
            Ok(access) => access.tend(router).await,
            Err(_) => Vec::new(),
        }
    }
}

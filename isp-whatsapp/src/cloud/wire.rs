//! The JSON of the `messages` endpoint.

use serde::{Deserialize, Serialize};

use crate::template::ParameterFormat;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    biz_opaque_callback_data: &'a str,
    template: WireTemplate<'a>,
}

#[derive(Serialize)]
struct WireTemplate<'a> {
    name: &'a str,
    language: WireLanguage<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component<'a>>,
}

#[derive(Serialize)]
struct WireLanguage<'a> {
    policy: &'static str,
    code: &'a str,
}

#[derive(Serialize)]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    parameters: Vec<Parameter<'a>>,
}

#[derive(Serialize)]
struct Parameter<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<WireDocument<'a>>,
}

#[derive(Serialize)]
struct WireDocument<'a> {
    id: &'a str,
    filename: &'a str,
}

/// A file at Meta.
#[derive(Clone, Copy)]
pub(super) struct Media<'a> {
    /// Meta's id.
    pub(super) id: &'a str,
    /// Its name, as the customer sees it.
    pub(super) name: &'a str,
}

impl<'a> Request<'a> {
    pub(super) fn new(
        to: &'a str,
        callback_data: &'a str,
        message: &'a crate::notification::TemplateMessage,
        media: Option<Media<'a>>,
    ) -> Self {
        let header = media.map(|media| {
            let document = Some(WireDocument { id: media.id, filename: media.name });
            let parameters = vec![Parameter { kind: "document", parameter_name: None, text: None, document }];
            Component { kind: "header", parameters }
        });
        let parameters = message
            .parameters
            .iter()
            .map(|(name, text)| Parameter {
                kind: "text",
                parameter_name: (message.format == ParameterFormat::Named).then_some(name.as_str()),
                text: Some(text),
                document: None,
            })
            .collect::<Vec<_>>();
        let body = (!parameters.is_empty()).then_some(Component { kind: "body", parameters });
        Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to,
            kind: "template",
            biz_opaque_callback_data: callback_data,
            template: WireTemplate {
                name: &message.template,
                language: WireLanguage { policy: "deterministic", code: &message.language },
                components: header.into_iter().chain(body).collect(),
            },
        }
    }
}

/// A message of plain text.
pub(super) fn text(to: &str, callback_data: &str, body: &str) -> serde_json::Value {
    serde_json::json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "text",
        "biz_opaque_callback_data": callback_data,
        "text": { "preview_url": false, "body": body },
    })
}

/// What an upload gives back.
#[derive(Deserialize)]
pub(crate) struct Uploaded {
    pub(crate) id: String,
}

#[derive(Deserialize)]
pub(crate) struct Accepted {
    pub(crate) messages: Vec<AcceptedMessage>,
}

#[derive(Deserialize)]
pub(crate) struct AcceptedMessage {
    pub(crate) id: String,
    pub(crate) message_status: Option<String>,
}

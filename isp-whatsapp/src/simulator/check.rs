//! Is this a request that Meta would take? Each refusal has the code that Meta gives.

use std::collections::BTreeMap;

use isp_http::server::Request;
use serde::Deserialize;

use super::{AcceptedMessage, Media};
use crate::catalog::TemplateCatalog;
use crate::graph::GraphCode;
use crate::personal::Personal;
use crate::template::{ParameterFormat, Template};

/// `biz_opaque_callback_data` may have 512 characters.
const CALLBACK_LIMIT: usize = 512;
/// A template body may have 1024 characters after substitution.
const BODY_LIMIT: usize = 1024;

/// Why a request is refused: HTTP status, Graph code, and what is wrong, without any of the values.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: GraphCode,
    pub(super) detail: String,
}

pub(super) fn refuse<T>(status: u16, code: i64, detail: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, code: GraphCode(code), detail: detail.into() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    messaging_product: String,
    #[serde(default = "individual")]
    recipient_type: String,
    to: String,
    #[serde(rename = "type")]
    kind: String,
    biz_opaque_callback_data: Option<String>,
    template: Option<WireTemplate>,
    text: Option<WireText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireText {
    #[serde(default)]
    #[allow(dead_code, reason = "part of the shape")]
    preview_url: bool,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTemplate {
    name: String,
    language: WireLanguage,
    #[serde(default)]
    components: Vec<WireComponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLanguage {
    policy: Option<String>,
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireComponent {
    #[serde(rename = "type")]
    kind: String,
    parameters: Vec<WireParameter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireParameter {
    #[serde(rename = "type")]
    kind: String,
    parameter_name: Option<String>,
    text: Option<String>,
    document: Option<WireDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDocument {
    id: String,
    filename: Option<String>,
}

/// Refuses a request without our token.
pub(super) fn authorized(request: &Request, token: &str) -> Result<(), Refusal> {
    match request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        Some(given) if given == token => Ok(()),
        _ => refuse(401, 190, "invalid access token"),
    }
}

fn individual() -> String {
    "individual".to_owned()
}

/// A look at the sending number, whose id is the answer. `path` is that of its messages.
pub(super) fn look(request: &Request, path: &str, token: &str) -> Result<String, Refusal> {
    let asked = request.path.split('?').next().unwrap_or_default();
    if asked == path {
        return refuse(405, 100, "only POST is understood");
    }
    let number = path.strip_suffix("/messages").unwrap_or(path);
    if asked != number {
        return refuse(404, 100, "unknown path");
    }
    authorized(request, token)?;
    Ok(number.rsplit('/').next().unwrap_or_default().to_owned())
}

pub(super) fn check(
    request: &Request,
    path: &str,
    token: &str,
    templates: &[TemplateCatalog],
    media: &BTreeMap<String, Media>,
) -> Result<AcceptedMessage, Refusal> {
    if request.path != path {
        return refuse(404, 100, "unknown path");
    }
    if request.method != "POST" {
        return refuse(405, 100, "only POST is understood");
    }
    authorized(request, token)?;
    if request.header("content-type").is_none_or(|value| !value.starts_with("application/json")) {
        return refuse(400, 100, "content-type must be application/json");
    }
    let Ok(body) = serde_json::from_slice::<Body>(&request.body) else {
        return refuse(400, 100, "the body does not have the shape of a template message");
    };
    message(body, templates, media)
}

fn message(
    body: Body,
    templates: &[TemplateCatalog],
    media: &BTreeMap<String, Media>,
) -> Result<AcceptedMessage, Refusal> {
    if body.messaging_product != "whatsapp" || body.recipient_type != "individual" {
        return refuse(400, 100, "messaging_product, recipient_type or type is wrong");
    }
    if !(8..=15).contains(&body.to.len()) || !body.to.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(400, 131_009, "to must be 8 to 15 digits");
    }
    if body
        .biz_opaque_callback_data
        .as_ref()
        .is_some_and(|data| data.is_empty() || data.chars().count() > CALLBACK_LIMIT)
    {
        return refuse(400, 131_009, "biz_opaque_callback_data must have 1 to 512 characters");
    }
    let template = match (body.kind.as_str(), body.template, body.text) {
        ("template", Some(template), None) => template,
        ("text", None, Some(text)) => return plain(body.to, body.biz_opaque_callback_data, text.body),
        _ => return refuse(400, 100, "type does not fit what is sent"),
    };
    let name = template.name;
    let (language, components) = (template.language, template.components);
    if language.policy.as_deref().is_some_and(|policy| policy != "deterministic") {
        return refuse(400, 131_009, "language policy must be deterministic");
    }
    let Some(template) = templates.iter().find_map(|known| known.find(&name, &language.code)) else {
        return refuse(404, 132_001, "template name does not exist in the translation");
    };
    let (headers, others) = components.into_iter().partition(|component| component.kind == "header");
    let document = document(headers, template, media)?;
    let parameters = parameters(others, template)?;
    let text = template.render(&parameters.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
    if text.chars().count() > BODY_LIMIT {
        return refuse(400, 132_005, "translated text too long");
    }
    Ok(AcceptedMessage {
        message_id: String::new(),
        to: Personal::new(body.to),
        callback_data: body.biz_opaque_callback_data,
        template: name,
        language: language.code,
        parameters: parameters.into_iter().map(|(name, text)| (name, Personal::new(text))).collect(),
        text: Personal::new(text),
        document,
        held: false,
    })
}

/// The file of the header: there is one exactly where the template has a document, and it was uploaded and is there still.
fn document(
    headers: Vec<WireComponent>,
    template: &Template,
    media: &BTreeMap<String, Media>,
) -> Result<Option<Media>, Refusal> {
    let mut headers = headers.into_iter();
    let header = match (headers.next(), headers.next(), template.has_document()) {
        (None, None, false) => return Ok(None),
        (Some(header), None, true) => header,
        _ => return refuse(400, 132_012, "header: the format does not match that of the template"),
    };
    let [WireParameter { kind, parameter_name: None, text: None, document: Some(document) }] =
        header.parameters.as_slice()
    else {
        return refuse(400, 132_012, "header: one document is expected");
    };
    match media.get(&document.id) {
        Some(file) if kind == "document" && file.kind == "application/pdf" => {
            let name = document.filename.clone().unwrap_or_else(|| "Untitled".to_owned());
            Ok(Some(Media { name, ..file.clone() }))
        }
        Some(_) => refuse(400, 132_012, "header: a PDF document is expected"),
        // Never uploaded, or longer ago than the 30 days that a file is kept.
        None => refuse(400, 131_053, "media upload error: the media id is not known"),
    }
}

/// A text of up to 4,096 characters; a window of 24 hours is taken to be open.
fn plain(to: String, callback_data: Option<String>, text: String) -> Result<AcceptedMessage, Refusal> {
    if text.is_empty() || text.chars().count() > 4_096 {
        return refuse(400, 100, "text.body must have 1 to 4096 characters");
    }
    Ok(AcceptedMessage {
        message_id: String::new(),
        to: Personal::new(to),
        callback_data,
        template: String::new(),
        language: String::new(),
        parameters: Vec::new(),
        text: Personal::new(text),
        document: None,
        held: false,
    })
}

fn parameters(components: Vec<WireComponent>, template: &Template) -> Result<Vec<(Option<String>, String)>, Refusal> {
    let mut given = Vec::new();
    for component in components {
        if component.kind != "body" || !given.is_empty() {
            return refuse(400, 132_012, "one body component is expected and no other");
        }
        given = component.parameters;
    }
    let expected = template.parameters();
    if given.len() != expected.len() {
        return refuse(
            400,
            132_000,
            format!("number of parameters ({}) does not match the expected number ({})", given.len(), expected.len()),
        );
    }
    let mut ordered = Vec::with_capacity(expected.len());
    for (index, name) in expected.iter().enumerate() {
        let parameter = match template.format() {
            ParameterFormat::Named => given.iter().find(|parameter| parameter.parameter_name.as_ref() == Some(name)),
            ParameterFormat::Positional => given.get(index).filter(|parameter| parameter.parameter_name.is_none()),
        };
        let Some(parameter) = parameter.filter(|parameter| parameter.kind == "text") else {
            return refuse(400, 132_012, format!("parameter {name} is missing or has a wrong format"));
        };
        let text = parameter.text.clone().unwrap_or_default();
        if text.is_empty() {
            return refuse(400, 131_008, format!("parameter {name} is empty"));
        }
        if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
            return refuse(400, 132_018, format!("parameter {name} has a newline, a tab or more than 4 spaces"));
        }
        ordered.push((parameter.parameter_name.clone(), text));
    }
    Ok(ordered)
}

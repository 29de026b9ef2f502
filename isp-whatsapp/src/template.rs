//! Message templates as they are registered with Meta.
//!
//! Meta sends a business message outside the 24-hour window only from a template that it approved. The operator
//! registers the texts once ([`Template::registration`] gives the request body); a message then names the template
//! and its parameters.

use serde_json::{Value, json};

use crate::error::WhatsAppError;

/// Longest template name and body that Meta takes.
const NAME_LIMIT: usize = 512;
const BODY_LIMIT: usize = 1024;
/// Undelivered utility messages are retried by Meta for 30 days unless the template says less; 12 hours is the most
/// it may say. A threat to isolate must not arrive after the customer has paid.
const TIME_TO_LIVE_SECONDS: u32 = 43_200;

/// How a template's parameters are addressed. Fixed when the template is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ParameterFormat {
    /// `{{nama}}`, any order.
    #[default]
    Named,
    /// `{{1}}`, `{{2}}`, in order.
    Positional,
}

/// One registered template in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    name: String,
    language: String,
    format: ParameterFormat,
    body: String,
    parameters: Vec<String>,
    document: bool,
}

impl Template {
    /// Describes a template. `body` has named placeholders, `{{nama}}`, whatever the format; each name counts once,
    /// in the order of its first appearance.
    ///
    /// # Errors
    /// [`WhatsAppError::BadTemplate`] when Meta would refuse it: a name that is not lower-case letters, digits and
    /// underscores, a body of more than 1024 characters, a placeholder that is malformed or stands first or last.
    pub fn try_new(
        name: impl Into<String>,
        language: impl Into<String>,
        format: ParameterFormat,
        body: impl Into<String>,
    ) -> Result<Self, WhatsAppError> {
        let (name, body) = (name.into(), body.into());
        if !is_name(&name) || name.len() > NAME_LIMIT {
            return Err(WhatsAppError::BadTemplate("the name must be lower-case letters, digits and underscores"));
        }
        let text = body.trim();
        if text.is_empty() || text.chars().count() > BODY_LIMIT {
            return Err(WhatsAppError::BadTemplate("the body must have 1 to 1024 characters"));
        }
        if text.starts_with("{{") || text.ends_with("}}") {
            return Err(WhatsAppError::BadTemplate("a placeholder must not stand first or last"));
        }
        let parameters = placeholders(text)?;
        Ok(Self { name, language: language.into(), format, body: text.to_owned(), parameters, document: false })
    }

    /// The same template with a document above its text. It is another template to Meta, so its name ends in `_pdf`.
    #[must_use]
    pub fn with_document(self) -> Self {
        let name = if self.document { self.name } else { format!("{}_pdf", self.name) };
        Self { name, document: true, ..self }
    }

    /// True when a document stands above its text.
    #[must_use]
    pub fn has_document(&self) -> bool {
        self.document
    }

    /// The name at Meta.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The language code at Meta.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Named or positional.
    #[must_use]
    pub fn format(&self) -> ParameterFormat {
        self.format
    }

    /// The parameters' names, in order.
    #[must_use]
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The text as the customer reads it. A value that is missing shows as `-`.
    #[must_use]
    pub fn render(&self, values: &[&str]) -> String {
        let mut text = String::with_capacity(self.body.len() + 64);
        let mut rest = self.body.as_str();
        while let Some((before, name, after)) = next_placeholder(rest) {
            let index = self.parameters.iter().position(|parameter| parameter == name);
            text.push_str(before);
            text.push_str(index.and_then(|index| values.get(index)).copied().unwrap_or("-"));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    /// The body of the request that registers this template with Meta
    /// (`POST /{version}/{business account id}/message_templates`). For one with a document, `HANDLE` stands in place of the handle
    /// of an example file, which Meta's upload for templates gives.
    #[must_use]
    pub fn registration(&self) -> Value {
        let (format, body, example) = match self.format {
            ParameterFormat::Named => {
                let examples = self.parameters.iter().map(|name| json!({ "param_name": name, "example": name }));
                ("NAMED", self.body.clone(), json!({ "body_text_named_params": examples.collect::<Vec<_>>() }))
            }
            ParameterFormat::Positional => {
                let mut body = self.body.clone();
                for (index, name) in self.parameters.iter().enumerate() {
                    body = body.replace(&format!("{{{{{name}}}}}"), &format!("{{{{{}}}}}", index + 1));
                }
                ("POSITIONAL", body, json!({ "body_text": [self.parameters] }))
            }
        };
        let text = json!({ "type": "BODY", "text": body, "example": example });
        let components = match self.document {
            true => {
                let example = json!({ "header_handle": ["HANDLE"] });
                json!([{ "type": "HEADER", "format": "DOCUMENT", "example": example }, text])
            }
            false => json!([text]),
        };
        json!({
            "name": self.name,
            "language": self.language,
            "category": "UTILITY",
            "parameter_format": format,
            "message_send_ttl_seconds": TIME_TO_LIVE_SECONDS,
            "components": components,
        })
    }
}

fn placeholders(body: &str) -> Result<Vec<String>, WhatsAppError> {
    let mut names = Vec::<String>::new();
    let mut rest = body;
    while let Some((before, name, after)) = next_placeholder(rest) {
        if !is_name(name) || before.contains(['{', '}']) {
            return Err(WhatsAppError::BadTemplate("a placeholder must be {{lower_case}}"));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        rest = after;
    }
    if rest.contains(['{', '}']) {
        return Err(WhatsAppError::BadTemplate("a placeholder must be {{lower_case}}"));
    }
    Ok(names)
}

fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

//! From what happened to what Meta is asked to send.

use std::fmt;

use isp_core::calendar::Date;
use isp_core::customer::Phone;
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::message::{Demand, Owed, Sender};
use isp_core::money::Money;
use isp_core::text::Language;

use crate::catalog::TemplateCatalog;
pub use crate::kind::TemplateKind;
use crate::outcome::ConfigFault;
use crate::template::ParameterFormat;
use crate::text;

/// A template with its parameters filled in, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct TemplateMessage {
    pub(crate) template: String,
    pub(crate) language: String,
    pub(crate) format: ParameterFormat,
    pub(crate) parameters: Vec<(String, String)>,
    document: bool,
    text: String,
}

impl TemplateMessage {
    /// Fills the catalog's template for this message: amounts as `Rp 165.000`, dates in words, the customer's name
    /// and package without markup, every value fit for Meta.
    ///
    /// # Errors
    /// [`ConfigFault::NoTemplate`] when the catalog lacks one; [`ConfigFault::NoValue`] when the template names a
    /// parameter that this kind of message does not have.
    pub fn compose(catalog: &TemplateCatalog, message: &OutgoingMessage) -> Result<Self, ConfigFault> {
        let kind = TemplateKind::of(&message.content).ok_or(ConfigFault::NoTemplate)?;
        let template = catalog.template(kind, message.language).ok_or(ConfigFault::NoTemplate)?;
        let parameters = template
            .parameters()
            .iter()
            .map(|name| {
                let value = value(message, name).ok_or_else(|| ConfigFault::NoValue { parameter: name.clone() })?;
                let long = matches!(name.as_str(), "rincian" | "cara_bayar");
                Ok((name.clone(), if long { text::long_parameter(&value) } else { text::parameter(&value) }))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let text = template.render(&parameters.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>());
        Ok(Self {
            template: template.name().to_owned(),
            language: template.language().to_owned(),
            format: template.format(),
            parameters,
            document: template.has_document(),
            text,
        })
    }

    /// The template's name.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// True when a document goes above the text.
    #[must_use]
    pub fn has_document(&self) -> bool {
        self.document
    }

    /// The parameters, by name, in the order of the template. Personal.
    #[must_use]
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// The text as the customer will read it. Personal.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for TemplateMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateMessage")
            .field("template", &self.template)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// The text of a message as the customer will read it, be it a template's or an answer in words of our own. Personal.
///
/// # Errors
/// As [`TemplateMessage::compose`].
pub fn text_of(catalog: &TemplateCatalog, message: &OutgoingMessage) -> Result<String, ConfigFault> {
    match &message.content {
        MessageContent::Answer(answer) => Ok(answer.text(message.language, message.sender.as_ref())),
        _ => TemplateMessage::compose(catalog, message).map(|composed| composed.text),
    }
}

/// A link that opens WhatsApp on the phone or computer of a person, with the number and the text filled in. Personal.
///
/// ```
/// use isp_core::customer::Phone;
/// let phone = Phone::parse("0812-3456-789").unwrap();
/// let link = isp_whatsapp::notification::by_hand(&phone, "Halo Budi, Rp 165.000?");
/// assert_eq!(link, "https://wa.me/628123456789?text=Halo%20Budi%2C%20Rp%20165.000%3F");
/// ```
#[must_use]
pub fn by_hand(to: &Phone, text: &str) -> String {
    let mut link = format!("https://wa.me/{}?text=", to.digits());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => link.push(char::from(byte)),
            other => link.push_str(&format!("%{other:02X}")),
        }
    }
    link
}

/// The callback data of a message: `tenant:outbox id`. It comes back in every status webhook.
#[must_use]
pub fn callback_data(message: &OutgoingMessage) -> String {
    format!("{}:{}", message.tenant, message.id)
}

/// The text of one parameter; `None` when this kind of message has no such fact.
fn value(message: &OutgoingMessage, parameter: &str) -> Option<String> {
    let date = |date: Date| text::long_date(date.to_naive(), message.language);
    let language = message.language;
    match (parameter, &message.sender, &message.demand) {
        ("nama", ..) => return Some(text::escape(message.name.as_str())),
        ("penyedia", sender, _) => return sender.as_ref().map(|s| text::escape(s.name.as_str())),
        ("cara_bayar", sender, _) => return sender.as_ref().map(|s| ways_to_pay(s, language)),
        ("kontak", sender, _) => {
            let ask = |s: &Sender| s.contact.clone().unwrap_or_else(|| text::escape(s.name.as_str()));
            return sender.as_ref().map(ask);
        }
        ("rincian", _, demand) => return demand.as_ref().map(|d| owed_list(d, language)),
        ("akibat", _, demand) => return demand.as_ref().map(|d| consequence(d, language)),
        _ => {}
    }
    match (&message.content, parameter) {
        (
            MessageContent::DueSoon { package, .. }
            | MessageContent::Overdue { package, .. }
            | MessageContent::Isolated { package, .. }
            | MessageContent::Reopened { package, .. },
            "paket",
        ) => Some(text::escape(package.as_str())),
        (MessageContent::DueSoon { invoices, .. } | MessageContent::Overdue { invoices, .. }, "nomor_tagihan") => {
            Some(invoice_list(invoices, message.language))
        }
        (
            MessageContent::DueSoon { amount, .. }
            | MessageContent::Overdue { amount, .. }
            | MessageContent::Isolated { amount, .. }
            | MessageContent::PaymentReceived { amount, .. },
            "jumlah",
        ) => Some(text::rupiah(*amount)),
        (MessageContent::DueSoon { due_date, .. } | MessageContent::Overdue { due_date, .. }, "jatuh_tempo") => {
            Some(date(*due_date))
        }
        (MessageContent::Overdue { days_late, .. }, "hari_terlambat") => Some(days_late.to_string()),
        (MessageContent::Overdue { isolation_date, .. }, "tanggal_isolir") => Some(date(*isolation_date)),
        (MessageContent::Isolated { since, .. } | MessageContent::Reopened { since, .. }, "sejak") => {
            Some(date(*since))
        }
        (MessageContent::PaymentReceived { reference, .. }, "referensi") => Some(text::escape(reference)),
        (MessageContent::PaymentReceived { paid_on, .. }, "tanggal_bayar") => Some(date(*paid_on)),
        (MessageContent::PaymentReceived { still_open, .. }, "sisa_tagihan") => {
            Some(text::rupiah(*still_open) + &stays_isolated(message))
        }
        _ => None,
    }
}

/// Each document that is owed with its amount and due date, oldest first: the first three, and what the others come to.
fn owed_list(demand: &Demand, language: Language) -> String {
    const SHOWN: usize = 3;
    let one = |owed: &Owed| {
        let (amount, due) = (text::rupiah(owed.amount), text::long_date(owed.due_date.to_naive(), language));
        match language {
            Language::Id => format!("{} {amount} (jatuh tempo {due})", owed.number),
            Language::En => format!("{} {amount} (due {due})", owed.number),
        }
    };
    let mut shown: Vec<String> = demand.owed.iter().take(SHOWN).map(one).collect();
    let rest = demand.owed.iter().skip(SHOWN);
    let (more, amount): (usize, Money) = (rest.len(), rest.map(|owed| owed.amount).sum());
    if more > 0 {
        let amount = text::rupiah(amount);
        shown.push(match language {
            Language::Id => format!("{more} lainnya {amount}"),
            Language::En => format!("{more} more {amount}"),
        });
    }
    shown.join("; ")
}

/// What happens when nothing is paid.
fn consequence(demand: &Demand, language: Language) -> String {
    let overdue = text::rupiah(demand.overdue);
    let date = |date: Date| text::long_date(date.to_naive(), language);
    match (language, demand.isolated, demand.isolation_date) {
        (Language::Id, true, _) => format!("layanan tetap diisolir sampai tunggakan {overdue} dibayar"),
        (Language::En, true, _) => format!("the service stays suspended until the overdue {overdue} is paid"),
        (Language::Id, false, Some(day)) => format!("layanan diisolir mulai {}", date(day)),
        (Language::En, false, Some(day)) => format!("the service is suspended from {}", date(day)),
        // Too little, an exemption, a line that is paused or has ended: the text holds for each.
        (Language::Id, false, None) => "tagihan ini tetap terbuka dan dapat ditagih lagi".to_owned(),
        (Language::En, false, None) => "it stays owed and may be asked for again".to_owned(),
    }
}

/// For the receipt of a part: until when the line stays isolated.
fn stays_isolated(message: &OutgoingMessage) -> String {
    let isolated = message.demand.as_ref().filter(|d| d.isolated && d.overdue.is_positive());
    isolated.map_or_else(String::new, |d| {
        let overdue = text::rupiah(d.overdue);
        match message.language {
            Language::Id => format!("; layanan tetap diisolir sampai tunggakan {overdue} dibayar"),
            Language::En => format!("; the service stays suspended until the overdue {overdue} is paid"),
        }
    })
}

fn ways_to_pay(sender: &Sender, language: Language) -> String {
    match (sender.pay_to.is_empty(), language) {
        (false, _) => sender.pay_to.join("; "),
        (true, Language::Id) => "hubungi kami".to_owned(),
        (true, Language::En) => "please contact us".to_owned(),
    }
}

/// The first three numbers, and how many more there are: a parameter must not grow with the arrears.
fn invoice_list(invoices: &[String], language: Language) -> String {
    const SHOWN: usize = 3;
    let shown = invoices.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (invoices.len().saturating_sub(SHOWN), language) {
        (0, _) => shown,
        (more, Language::Id) => format!("{shown} dan {more} lainnya"),
        (more, Language::En) => format!("{shown} and {more} more"),
    }
}

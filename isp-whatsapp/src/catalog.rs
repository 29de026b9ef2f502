//! The templates of an operator: one for each kind of message and language.

use isp_core::text::Language;

use crate::error::WhatsAppError;
use crate::notification::TemplateKind;
use crate::template::{ParameterFormat, Template};

const STANDARD: [(TemplateKind, Language, &str, &str); 12] = [
    (
        TemplateKind::DueSoon,
        Language::Id,
        "isp_tagihan_pengingat",
        "Halo {{nama}}, tagihan internet {{nomor_tagihan}} (paket {{paket}}) sebesar {{jumlah}} jatuh tempo pada \
         {{jatuh_tempo}}. Mohon dibayar paling lambat tanggal tersebut. Abaikan pesan ini bila sudah membayar. \
         Terima kasih.",
    ),
    (
        TemplateKind::DueSoon,
        Language::En,
        "isp_tagihan_pengingat",
        "Hello {{nama}}, your internet invoice {{nomor_tagihan}} (package {{paket}}) of {{jumlah}} is due on \
         {{jatuh_tempo}}. Please pay by that date. If you have already paid, please ignore this message. Thank \
         you.",
    ),
    (
        TemplateKind::Overdue,
        Language::Id,
        "isp_tagihan_terlambat",
        "Halo {{nama}}, tagihan internet {{nomor_tagihan}} sebesar {{jumlah}} sudah lewat jatuh tempo \
         {{hari_terlambat}} hari (sejak {{jatuh_tempo}}). Bila belum dibayar, layanan paket {{paket}} diisolir \
         mulai {{tanggal_isolir}} dan dibuka otomatis setelah pembayaran diterima. Abaikan pesan ini bila sudah \
         membayar. Terima kasih.",
    ),
    (
        TemplateKind::Overdue,
        Language::En,
        "isp_tagihan_terlambat",
        "Hello {{nama}}, your internet invoice {{nomor_tagihan}} of {{jumlah}} is {{hari_terlambat}} days past \
         its due date ({{jatuh_tempo}}). Unless it is paid, the service (package {{paket}}) is suspended from \
         {{tanggal_isolir}} and reopened automatically when the payment arrives. If you have already paid, please \
         ignore this message. Thank you.",
    ),
    (
        TemplateKind::Isolated,
        Language::Id,
        "isp_layanan_diisolir",
        "Halo {{nama}}, layanan internet Anda (paket {{paket}}) diisolir sejak {{sejak}} karena tunggakan sebesar \
         {{jumlah}}. Layanan dibuka otomatis setelah pembayaran kami terima. Hubungi kami bila ada kekeliruan.",
    ),
    (
        TemplateKind::Isolated,
        Language::En,
        "isp_layanan_diisolir",
        "Hello {{nama}}, your internet service (package {{paket}}) is suspended since {{sejak}} because \
         {{jumlah}} is overdue. It is reopened automatically as soon as we receive your payment. Please contact \
         us if this is a mistake.",
    ),
    (
        TemplateKind::IsolatedByHand,
        Language::Id,
        "isp_layanan_dihentikan_sementara",
        "Halo {{nama}}, layanan internet Anda (paket {{paket}}) dihentikan sementara sejak {{sejak}}. Silakan \
         hubungi kami untuk keterangan lebih lanjut. Terima kasih.",
    ),
    (
        TemplateKind::IsolatedByHand,
        Language::En,
        "isp_layanan_dihentikan_sementara",
        "Hello {{nama}}, your internet service (package {{paket}}) is suspended since {{sejak}}. Please contact \
         us to learn more. Thank you.",
    ),
    (
        TemplateKind::PaymentReceived,
        Language::Id,
        "isp_pembayaran_diterima",
        "Halo {{nama}}, pembayaran sebesar {{jumlah}} pada {{tanggal_bayar}} (referensi {{referensi}}) telah kami \
         terima. Sisa tagihan Anda {{sisa_tagihan}}. Terima kasih.",
    ),
    (
        TemplateKind::PaymentReceived,
        Language::En,
        "isp_pembayaran_diterima",
        "Hello {{nama}}, we have received your payment of {{jumlah}} on {{tanggal_bayar}} (reference \
         {{referensi}}). Still open: {{sisa_tagihan}}. Thank you.",
    ),
    (
        TemplateKind::Reopened,
        Language::Id,
        "isp_layanan_dibuka",
        "Halo {{nama}}, layanan internet Anda (paket {{paket}}) dibuka kembali sejak {{sejak}}. Bila belum \
         tersambung dalam 10 menit, matikan lalu nyalakan kembali router Anda. Terima kasih.",
    ),
    (
        TemplateKind::Reopened,
        Language::En,
        "isp_layanan_dibuka",
        "Hello {{nama}}, your internet service (package {{paket}}) is open again since {{sejak}}. If you are not \
         online within 10 minutes, please switch your router off and on again. Thank you.",
    ),
];

/// Which template goes with which message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateCatalog {
    entries: Vec<(TemplateKind, Language, Template)>,
}

impl TemplateCatalog {
    /// The texts this crate comes with, in Indonesian and English, with named parameters.
    #[must_use]
    pub fn standard() -> Self {
        let entries = STANDARD
            .iter()
            .filter_map(|&(kind, language, name, body)| {
                // Every text of the table is proved good by a test; a bad one would be a message without template.
                Template::try_new(name, language.code(), ParameterFormat::Named, body)
                    .ok()
                    .map(|template| (kind, language, template))
            })
            .collect();
        Self { entries }
    }

    /// Puts the operator's own template in place of the one for this kind and language.
    ///
    /// # Errors
    /// [`WhatsAppError::BadTemplate`] when it names a parameter that this kind of message does not have, or has the
    /// name and language of another kind's template.
    pub fn with(mut self, kind: TemplateKind, language: Language, template: Template) -> Result<Self, WhatsAppError> {
        if template.parameters().iter().any(|name| !kind.parameters().contains(&name.as_str())) {
            return Err(WhatsAppError::BadTemplate("a parameter does not exist for this kind of message"));
        }
        self.entries.retain(|(k, l, _)| (*k, *l) != (kind, language));
        if self.find(template.name(), template.language()).is_some() {
            return Err(WhatsAppError::BadTemplate("another kind of message has this name and language"));
        }
        self.entries.push((kind, language, template));
        Ok(self)
    }

    /// The template for a kind of message.
    #[must_use]
    pub fn template(&self, kind: TemplateKind, language: Language) -> Option<&Template> {
        self.entries.iter().find(|(k, l, _)| (*k, *l) == (kind, language)).map(|(_, _, template)| template)
    }

    /// The template of this name and language code.
    #[must_use]
    pub fn find(&self, name: &str, language: &str) -> Option<&Template> {
        self.templates().find(|template| template.name() == name && template.language() == language)
    }

    /// Every template: what has to be registered with Meta.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.entries.iter().map(|(_, _, template)| template)
    }
}

impl Default for TemplateCatalog {
    fn default() -> Self {
        Self::standard()
    }
}

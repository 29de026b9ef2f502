//! The templates of an operator: one for each kind of message and language.

use isp_core::text::Language;

use crate::error::WhatsAppError;
use crate::kind::TemplateKind;
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

/// The texts that name the provider and everything that is owed. They have names of their own, so that a template that was
/// registered before is never sent with other parameters.
const WITH_SENDER: [(TemplateKind, Language, &str, &str); 12] = [
    (
        TemplateKind::DueSoon,
        Language::Id,
        "isp_tagihan_pengingat_2",
        "Halo {{nama}}, tagihan internet Anda di {{penyedia}} (paket {{paket}}) sebesar {{jumlah}}: {{rincian}}. Mohon \
         dibayar paling lambat {{jatuh_tempo}}. Cara bayar: {{cara_bayar}}. Bila belum dibayar, {{akibat}}. Abaikan pesan \
         ini bila sudah membayar. Terima kasih.",
    ),
    (
        TemplateKind::DueSoon,
        Language::En,
        "isp_tagihan_pengingat_2",
        "Hello {{nama}}, your internet bill at {{penyedia}} (package {{paket}}) is {{jumlah}}: {{rincian}}. Please pay by \
         {{jatuh_tempo}}. How to pay: {{cara_bayar}}. Unless it is paid, {{akibat}}. If you have already paid, please \
         ignore this message. Thank you.",
    ),
    (
        TemplateKind::Overdue,
        Language::Id,
        "isp_tagihan_terlambat_2",
        "Halo {{nama}}, tagihan internet Anda di {{penyedia}} (paket {{paket}}) sudah lewat jatuh tempo \
         {{hari_terlambat}} hari. Yang belum dibayar {{jumlah}}: {{rincian}}. Cara bayar: {{cara_bayar}}. Bila belum \
         dibayar, {{akibat}} dan dibuka otomatis setelah pembayaran diterima. Abaikan pesan ini bila sudah membayar. \
         Terima kasih.",
    ),
    (
        TemplateKind::Overdue,
        Language::En,
        "isp_tagihan_terlambat_2",
        "Hello {{nama}}, your internet bill at {{penyedia}} (package {{paket}}) is {{hari_terlambat}} days past its due \
         date. Not paid yet is {{jumlah}}: {{rincian}}. How to pay: {{cara_bayar}}. Unless it is paid, {{akibat}} and \
         reopened automatically when the payment arrives. If you have already paid, please ignore this message. Thank you.",
    ),
    (
        TemplateKind::Isolated,
        Language::Id,
        "isp_layanan_diisolir_2",
        "Halo {{nama}}, layanan internet Anda di {{penyedia}} (paket {{paket}}) diisolir sejak {{sejak}} karena tunggakan \
         {{jumlah}}. Yang belum dibayar: {{rincian}}. Cara bayar: {{cara_bayar}}. Layanan dibuka otomatis setelah \
         tunggakan kami terima. Hubungi kami bila ada kekeliruan.",
    ),
    (
        TemplateKind::Isolated,
        Language::En,
        "isp_layanan_diisolir_2",
        "Hello {{nama}}, your internet service at {{penyedia}} (package {{paket}}) is suspended since {{sejak}} because \
         {{jumlah}} is overdue. Not paid yet: {{rincian}}. How to pay: {{cara_bayar}}. It is reopened automatically as \
         soon as we receive what is overdue. Please contact us if this is a mistake.",
    ),
    (
        TemplateKind::IsolatedByHand,
        Language::Id,
        "isp_layanan_dihentikan_sementara_2",
        "Halo {{nama}}, layanan internet Anda di {{penyedia}} (paket {{paket}}) dihentikan sementara sejak {{sejak}}. \
         Silakan hubungi kami ({{kontak}}) untuk keterangan lebih lanjut. Terima kasih.",
    ),
    (
        TemplateKind::IsolatedByHand,
        Language::En,
        "isp_layanan_dihentikan_sementara_2",
        "Hello {{nama}}, your internet service at {{penyedia}} (package {{paket}}) is suspended since {{sejak}}. Please \
         contact us ({{kontak}}) to learn more. Thank you.",
    ),
    (
        TemplateKind::PaymentReceived,
        Language::Id,
        "isp_pembayaran_diterima_2",
        "Halo {{nama}}, pembayaran sebesar {{jumlah}} pada {{tanggal_bayar}} (referensi {{referensi}}) telah diterima \
         {{penyedia}}. Sisa tagihan Anda {{sisa_tagihan}}. Terima kasih.",
    ),
    (
        TemplateKind::PaymentReceived,
        Language::En,
        "isp_pembayaran_diterima_2",
        "Hello {{nama}}, {{penyedia}} has received your payment of {{jumlah}} on {{tanggal_bayar}} (reference \
         {{referensi}}). Still open: {{sisa_tagihan}}. Thank you.",
    ),
    (
        TemplateKind::Reopened,
        Language::Id,
        "isp_layanan_dibuka_2",
        "Halo {{nama}}, layanan internet Anda di {{penyedia}} (paket {{paket}}) dibuka kembali sejak {{sejak}}. Bila belum \
         tersambung dalam 10 menit, matikan lalu nyalakan kembali router Anda. Terima kasih.",
    ),
    (
        TemplateKind::Reopened,
        Language::En,
        "isp_layanan_dibuka_2",
        "Hello {{nama}}, your internet service at {{penyedia}} (package {{paket}}) is open again since {{sejak}}. If you \
         are not online within 10 minutes, please switch your router off and on again. Thank you.",
    ),
];

/// Which template goes with which message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateCatalog {
    entries: Vec<(TemplateKind, Language, Template)>,
}

impl TemplateCatalog {
    /// The texts that this crate came with at first, in Indonesian and English, with named parameters: they need no
    /// [`Sender`](isp_core::message::Sender).
    #[must_use]
    pub fn standard() -> Self {
        Self::of(&STANDARD)
    }

    /// The texts that name the provider, everything that is owed and how to pay (rule N6). Each is a template of its own
    /// name, to be registered before it is used; messages need a [`Sender`](isp_core::message::Sender).
    #[must_use]
    pub fn with_sender() -> Self {
        Self::of(&WITH_SENDER)
    }

    fn of(texts: &[(TemplateKind, Language, &str, &str)]) -> Self {
        let entries = texts
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

    /// The same templates, with a document above the text for these kinds, in every language. Each is a template of its own name at
    /// Meta, `..._pdf`.
    ///
    /// # Errors
    /// [`WhatsAppError::BadTemplate`] for a kind of message about no bill and no payment.
    pub fn with_documents(mut self, kinds: &[TemplateKind]) -> Result<Self, WhatsAppError> {
        if kinds.iter().any(|kind| !TemplateKind::WITH_DOCUMENT.contains(kind)) {
            return Err(WhatsAppError::BadTemplate("this kind of message has no document"));
        }
        let of = |(kind, language, template): (TemplateKind, Language, Template)| {
            let template = if kinds.contains(&kind) { template.with_document() } else { template };
            (kind, language, template)
        };
        self.entries = self.entries.into_iter().map(of).collect();
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

//! Which texts an operator registers with Meta, and the parameters each may name.

use isp_core::message::notification::MessageContent;
use isp_core::money::Money;

/// The texts an operator registers with Meta: one for each kind of message, and a second one for an isolation
/// without arrears, whose text must not speak of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateKind {
    /// Some days before the due date.
    DueSoon,
    /// Some days after it.
    Overdue,
    /// The service was isolated for arrears.
    Isolated,
    /// The service was isolated by hand, for another reason.
    IsolatedByHand,
    /// A payment arrived.
    PaymentReceived,
    /// The service was opened again.
    Reopened,
}

impl TemplateKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::DueSoon, Self::Overdue, Self::Isolated, Self::IsolatedByHand, Self::PaymentReceived, Self::Reopened];

    /// The kinds whose templates may have a document: the bills that are asked for, or the receipt.
    pub const WITH_DOCUMENT: [Self; 4] = [Self::DueSoon, Self::Overdue, Self::Isolated, Self::PaymentReceived];

    /// Its code, as settings name it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DueSoon => "due_soon",
            Self::Overdue => "overdue",
            Self::Isolated => "isolated",
            Self::IsolatedByHand => "isolated_by_hand",
            Self::PaymentReceived => "payment_received",
            Self::Reopened => "reopened",
        }
    }

    /// The kind that says this; `None` for an answer, which goes without a template.
    #[must_use]
    pub fn of(content: &MessageContent) -> Option<Self> {
        Some(match content {
            MessageContent::DueSoon { .. } => Self::DueSoon,
            MessageContent::Overdue { .. } => Self::Overdue,
            MessageContent::Isolated { amount, .. } if *amount == Money::ZERO => Self::IsolatedByHand,
            MessageContent::Isolated { .. } => Self::Isolated,
            MessageContent::PaymentReceived { .. } => Self::PaymentReceived,
            MessageContent::Reopened { .. } => Self::Reopened,
            MessageContent::Answer(_) => return None,
        })
    }

    /// The parameters a template of this kind may name. They are Indonesian, as the people who edit the texts are.
    ///
    /// Those of [`TemplateKind::told`] come from what the message is about. The others say what all that is owed comes to and
    /// who asks: `penyedia`, `cara_bayar`, `kontak` need a [`Sender`](isp_core::message::Sender), `rincian` and `akibat` a
    /// [`Demand`](isp_core::message::Demand); a message without it cannot fill them.
    #[must_use]
    pub fn parameters(self) -> Vec<&'static str> {
        let more: &[&str] = match self {
            Self::DueSoon | Self::Overdue => &["penyedia", "kontak", "cara_bayar", "rincian", "akibat"],
            Self::Isolated => &["penyedia", "kontak", "cara_bayar", "rincian"],
            Self::IsolatedByHand | Self::PaymentReceived | Self::Reopened => &["penyedia", "kontak"],
        };
        [self.told(), more].concat()
    }

    /// The parameters that every message of this kind can fill.
    #[must_use]
    pub fn told(self) -> &'static [&'static str] {
        match self {
            Self::DueSoon => &["nama", "paket", "nomor_tagihan", "jumlah", "jatuh_tempo"],
            Self::Overdue => {
                &["nama", "paket", "nomor_tagihan", "jumlah", "jatuh_tempo", "hari_terlambat", "tanggal_isolir"]
            }
            Self::Isolated => &["nama", "paket", "jumlah", "sejak"],
            Self::IsolatedByHand | Self::Reopened => &["nama", "paket", "sejak"],
            Self::PaymentReceived => &["nama", "jumlah", "referensi", "tanggal_bayar", "sisa_tagihan"],
        }
    }
}

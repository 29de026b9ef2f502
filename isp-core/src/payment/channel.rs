//! The channel that a payment came through, and with it the account that it is kept on.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ledger::Account;
use crate::payment::withheld;
use crate::text::Code;

/// How an invoice is settled.
///
/// Everything that makes an invoice smaller is a payment through some channel, so that allocation, credit, reversal and
/// the arrears of a past day are one mechanism; the channel says which account is debited. The last three bring no money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Notes and coins.
    #[default]
    Cash,
    /// A transfer to the provider's bank account.
    Bank,
    /// A payment gateway: virtual account, QRIS, shop; it hands the money over later.
    Gateway,
    /// PPh 23 that the customer kept back and paid to the state for us, by its slip (*bukti potong*); see [`super::withheld`].
    Pph23,
    /// A credit note (*nota kredit*).
    CreditNote,
    /// A write-off (*penghapusan piutang*).
    WriteOff,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 6] = [Self::Cash, Self::Bank, Self::Gateway, Self::Pph23, Self::CreditNote, Self::WriteOff];

    /// `cash`, `bank`, `gateway`, `pph23`, `credit_note` or `write_off`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Bank => "bank",
            Self::Gateway => "gateway",
            Self::Pph23 => "pph23",
            Self::CreditNote => "credit_note",
            Self::WriteOff => "write_off",
        }
    }

    /// Reads its code; `tunai` and `transfer` are known too.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "tunai" => Ok(Self::Cash),
            "transfer" => Ok(Self::Bank),
            _ => Self::ALL
                .into_iter()
                .find(|c| c.code() == text)
                .ok_or(Error::NotOneOf { field: "channel", expected: "cash, bank, gateway" }),
        }
    }

    /// The channel of a provider's name: `cash` and `tunai` are cash; `bank`, `transfer`, `bca`, `bni`, `bri`, `bsi` and
    /// `mandiri` a bank; `pph23` a slip of tax that was kept back; any other name is a gateway's.
    ///
    /// ```
    /// use isp_core::text::Code;
    /// use isp_core::payment::Channel;
    /// let of = |name| Channel::of_provider(&Code::parse("provider", name).unwrap());
    /// assert_eq!([of("tunai"), of("BCA"), of("midtrans")], [Channel::Cash, Channel::Bank, Channel::Gateway]);
    /// assert_eq!(of("PPh23"), Channel::Pph23);
    /// ```
    #[must_use]
    pub fn of_provider(provider: &Code) -> Self {
        match provider.as_str().to_ascii_lowercase().as_str() {
            "cash" | "tunai" => Self::Cash,
            "bank" | "transfer" | "bca" | "bni" | "bri" | "bsi" | "mandiri" => Self::Bank,
            withheld::PROVIDER => Self::Pph23,
            _ => Self::Gateway,
        }
    }

    /// True when money came in.
    #[must_use]
    pub const fn is_money(self) -> bool {
        matches!(self, Self::Cash | Self::Bank | Self::Gateway)
    }

    /// True when it pays the customer's oldest invoices (rule P2), not one that it was given for.
    #[must_use]
    pub const fn pays_oldest(self) -> bool {
        self.is_money() || matches!(self, Self::Pph23)
    }

    /// The account that a payment through it is debited to.
    ///
    /// That of a credit note is the customer's credit: its own entry has put the amount there, and paying an invoice
    /// with it only moves it.
    #[must_use]
    pub const fn account(self) -> Account {
        match self {
            Self::Cash => Account::Cash,
            Self::Bank => Account::Bank,
            Self::Gateway => Account::Gateway,
            Self::Pph23 => Account::Pph23Prepaid,
            Self::CreditNote => Account::CustomerCredit,
            Self::WriteOff => Account::WriteOff,
        }
    }
}

//! How the invented customers pay: by habit, told from a hash of who and what, or as their story wants it.
//!
//! No rule of the provider is in here; this is the world that the engine meets.

use isp_core::Money;
use isp_core::billing::InvoiceBalance;
use isp_core::calendar::{Date, Zone};
use isp_core::text::Code;

/// When on a day payments come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Six in the morning: webhooks of the night.
    Morning,
    /// Half past seven in the evening.
    Evening,
}

impl Slot {
    /// The moment on a day, in western Indonesia, where the provider's office is.
    pub(super) fn on(self, day: Date) -> chrono::DateTime<chrono::Utc> {
        match self {
            Self::Morning => day.at(6, 0, Zone::Wib),
            Self::Evening => day.at(19, 30, Zone::Wib),
        }
    }
}

/// A payment that a customer makes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intended {
    /// Through whom.
    pub(super) provider: &'static str,
    /// The provider's reference.
    pub(super) reference: String,
    /// How much.
    pub(super) amount: Money,
    /// How often the provider tells us of it.
    pub(super) webhooks: u8,
}

/// How one invoice is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Habit {
    /// Days after the issue on which the customer pays; from the last one on, whatever is still open.
    days: [i32; 2],
    slot: Slot,
    style: Style,
    webhooks: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// What is open.
    Exact,
    /// Half of it on the first day, the rest on the second.
    Halves,
    /// Up to the next multiple of so many rupiah.
    RoundedUp(i64),
    /// This sum.
    Sum(i64),
}

const NEVER: i32 = 1_000;

/// What the customer does about this open invoice now, if anything.
pub(super) fn pays(customer: &Code, invoice: &InvoiceBalance, today: Date, slot: Slot) -> Option<Intended> {
    let dice = hash(&[customer.as_str(), &invoice.period.start.to_string(), invoice.kind.code()]);
    let habit = story(customer.as_str(), invoice.issue_date).unwrap_or_else(|| ordinary(customer, dice));
    let days = today.days_since(invoice.issue_date);
    let [first, last] = habit.days;
    if slot != habit.slot || (days != first && days < last) {
        return None;
    }
    let residual = invoice.residual().as_i64();
    let amount = match habit.style {
        Style::Exact => residual,
        Style::Halves if days < last => residual / 2,
        Style::Halves => residual,
        Style::RoundedUp(step) => (residual + step - 1) / step * step,
        Style::Sum(rupiah) => rupiah,
    };
    let (year, month, day) = today.ymd();
    Some(Intended {
        provider: ["midtrans", "xendit", "transfer", "kasir"][(dice >> 8) as usize % 4],
        reference: format!("{year}{month:02}{day:02}-{:06}", invoice.number),
        amount: Money::rupiah(amount),
        webhooks: habit.webhooks,
    })
}

/// Most pay in time, some late, a few after isolation; a handful stopped paying altogether.
fn ordinary(customer: &Code, dice: u64) -> Habit {
    let day = match dice % 100 {
        0..12 => dice % 2,
        12..70 => 2 + (dice >> 16) % 7,
        70..84 => 9 + (dice >> 16) % 2,
        84..91 => 11 + (dice >> 16) % 4,
        91..98 => 16 + (dice >> 16) % 5,
        _ => 24 + (dice >> 16) % 8,
    } as i32;
    let day = if hash(&["stopped", customer.as_str()]).is_multiple_of(83) { NEVER } else { day };
    let style = match (dice >> 24) % 40 {
        0 => Style::RoundedUp(50_000),
        1 | 2 => Style::Halves,
        _ => Style::Exact,
    };
    let last = if style == Style::Halves { day + 3 } else { day };
    let slot = if (dice >> 32).is_multiple_of(3) { Slot::Morning } else { Slot::Evening };
    Habit { days: [day, last], slot, style, webhooks: if (dice >> 40).is_multiple_of(20) { 2 } else { 1 } }
}

/// The cast of `examples/demo-isp/generate.py`; what their stories do not fix, they pay on the fifth day.
fn story(customer: &str, issued: Date) -> Option<Habit> {
    use Slot::{Evening, Morning};
    let number: u32 = customer.strip_prefix("PLG-").and_then(|n| n.parse().ok()).filter(|n| (1..=14).contains(n))?;
    let (_, month, day) = issued.ymd();
    let habit = |days, slot, style| Habit { days, slot, style, webhooks: 1 };
    Some(match (number, month, day) {
        // Isolated on 20 January, pays the evening after.
        (1, 1, 5) => habit([16, 16], Evening, Style::Exact),
        // The gateway tells us three times.
        (2, 1, 2) => Habit { webhooks: 3, ..habit([7, 7], Evening, Style::Exact) },
        // Half in time, isolated for the rest, then the rest.
        (3, 1, 6) => habit([8, 17], Evening, Style::Halves),
        // Three months at once.
        (4, 1, 8) => habit([7, 7], Evening, Style::Sum(330_000)),
        // Paid, taken back by the bank on the fifteenth day, paid again after isolation.
        (5, 2, 3) => habit([8, 17], Evening, Style::Exact),
        // Promised for 31 March, and kept.
        (6, 3, 12) => habit([18, 18], Evening, Style::Exact),
        // Exempt until the village pays.
        (7, 2, 10) => habit([45, 45], Morning, Style::Exact),
        (7, 3, 10) => habit([17, 17], Morning, Style::Exact),
        // Isolated on 4 February, pays while the router is dead.
        (8, 1, 20) => habit([22, 22], Morning, Style::Exact),
        // Isolated by hand on 24 February; paying does not reopen that.
        (9, 2, 15) => habit([10, 10], Evening, Style::Exact),
        // Isolated on 4 February; pays in the night of the 7th by a QRIS of a gateway, which is a story of its own.
        (14, 1, 20) => habit([NEVER, NEVER], Evening, Style::Exact),
        // Would have been isolated during the outage.
        (12, 2, 27) => habit([19, 19], Evening, Style::Exact),
        _ => habit([5, 5], Evening, Style::Exact),
    })
}

/// FNV-1a over words, then spread: the same on every machine and day.
pub(super) fn hash(words: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in words.iter().flat_map(|w| w.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use isp_core::billing::{Debt, InvoiceKind};
    use isp_core::calendar::Period;
    use isp_core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
    use uuid::Uuid;

    use super::*;

    fn invoice(issued: &str, total: i64) -> InvoiceBalance {
        let issue_date = Date::parse(issued).unwrap();
        InvoiceBalance {
            debt: Debt {
                invoice_id: InvoiceId(Uuid::nil()),
                number: 7,
                issue_date,
                due_date: issue_date.plus_days(10),
                total: Money::rupiah(total),
                paid: Money::ZERO,
            },
            customer_id: CustomerId(Uuid::nil()),
            subscription_id: SubscriptionId(Uuid::nil()),
            site_id: SiteId(Uuid::nil()),
            package_id: PackageId(Uuid::nil()),
            kind: InvoiceKind::Subscription,
            period: Period { start: issue_date, end: issue_date.plus_days(30) },
        }
    }

    #[test]
    fn a_story_is_paid_as_it_is_told() {
        let code = Code::parse("code", "PLG-0005").unwrap();
        let open = invoice("2026-02-03", 305_250);
        let on = |day: i32| pays(&code, &open, open.issue_date.plus_days(day), Slot::Evening).map(|p| p.amount);
        let paid = Some(Money::rupiah(305_250));
        assert_eq!((on(7), on(8), on(9), on(16), on(17)), (None, paid, None, None, paid));
    }

    #[test]
    fn most_customers_pay_in_time_and_some_never() {
        let issued = Date::parse("2026-01-10").unwrap();
        let day = |n: u32| {
            let code = Code::parse("code", &format!("PLG-{n:04}")).unwrap();
            let open = invoice("2026-01-10", 100_000);
            (0..60).find(|d| {
                let today = issued.plus_days(*d);
                [Slot::Morning, Slot::Evening].iter().any(|slot| pays(&code, &open, today, *slot).is_some())
            })
        };
        let days: Vec<Option<i32>> = (15..=330).map(day).collect();
        let in_time = days.iter().flatten().filter(|d| **d <= 10).count();
        assert!((240..300).contains(&in_time), "{in_time}");
        assert!((1..12).contains(&days.iter().filter(|d| d.is_none()).count()));
    }
}

//! What happens besides billing and paying: the events of the cast, each on its day.

use isp_core::calendar::Date;

/// The day of the import and of the first run.
pub(super) const FIRST_DAY: &str = "2026-01-01";
/// The last day of the four months.
pub(super) const LAST_DAY: &str = "2026-04-30";

/// Something that an officer does, or that just happens, at half past eight in the morning or as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// An officer isolates a customer by hand.
    Isolate { customer: &'static str, reason: &'static str },
    /// An officer reopens a customer by hand.
    Reopen { customer: &'static str, reason: &'static str },
    /// The bank takes the last payment of a customer back.
    Reverse { customer: &'static str, reason: &'static str },
    /// A customer promises to pay.
    Promise { customer: &'static str, until: &'static str },
    /// A customer is exempt for a while.
    Exempt { customer: &'static str, until: &'static str, reason: &'static str },
    /// A site has no connection until a moment on a later day.
    Outage { site: &'static str, until: &'static str, note: &'static str },
    /// A customer wants another package.
    ChangePackage { customer: &'static str, package: &'static str },
    /// A technician exchanges a device.
    ReplaceDevice { customer: &'static str, model: &'static str, reason: &'static str, cost: i64 },
    /// A router's API stops answering.
    RouterDies { router: &'static str },
    /// It answers again.
    RouterReturns { router: &'static str },
    /// The process dies in the middle of this day's run.
    Crash,
    /// An isolated customer pays through a payment gateway at two in the morning.
    PaysAtNight { customer: &'static str },
}

/// The events of a day.
pub(super) fn events(day: Date) -> Vec<Event> {
    let (_, month, day) = day.ymd();
    match (month, day) {
        (2, 1) => vec![Event::Exempt {
            customer: "PLG-0007",
            until: "2026-03-31",
            reason: "posyandu, dibayar dana desa akhir Maret",
        }],
        (2, 3) => vec![Event::ChangePackage { customer: "PLG-0010", package: "GAMER-50" }],
        (2, 7) => vec![Event::PaysAtNight { customer: "PLG-0014" }],
        (2, 10) => vec![Event::RouterDies { router: "RTR-MLG" }],
        (2, 12) => vec![Event::RouterReturns { router: "RTR-MLG" }],
        (2, 18) => vec![Event::Reverse { customer: "PLG-0005", reason: "transfer ditolak bank" }],
        (2, 24) => vec![Event::Isolate { customer: "PLG-0009", reason: "menjual ulang koneksi ke tetangga" }],
        (2, 27) => vec![Event::Reopen { customer: "PLG-0009", reason: "sudah menandatangani aturan pemakaian" }],
        (3, 12) => vec![Event::ReplaceDevice {
            customer: "PLG-0011",
            model: "ONT F670L",
            reason: "tersambar petir",
            cost: 725_000,
        }],
        (3, 16) => vec![Event::Outage { site: "GNY", until: "2026-03-18", note: "kabel putus di Blahbatuh" }],
        (3, 25) => vec![Event::Promise { customer: "PLG-0006", until: "2026-03-31" }],
        (4, 8) => vec![Event::Crash],
        _ => Vec::new(),
    }
}

/// True for the customers who have a story of their own; they are named in the timeline.
pub(super) fn is_cast(customer: &str) -> bool {
    customer.strip_prefix("PLG-").and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| (1..=14).contains(&n))
}

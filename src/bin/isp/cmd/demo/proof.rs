//! The proof: three accounts of the same four months, computed apart and compared.
//!
//! What the store says, what the routers answer over their API now, and what the WhatsApp simulator recorded. Nothing
//! that the engine reported on the way is used. [`judge`] is a pure function of the [`Evidence`], so that a test can
//! feed it a lie and see it fail.

use std::collections::{BTreeMap, BTreeSet};

use isp_core::Money;
use isp_core::billing::{Invoice, InvoiceKind};
use isp_core::calendar::Date;
use isp_core::ids::{CustomerId, InvoiceId, OutboxId, PaymentId, SubscriptionId};
use isp_core::isolation::{Access, AccessEvent, Decision, ServiceAccess};
use isp_core::ledger::{Account, JournalEntry};
use isp_core::payment::Allocation;
use isp_core::ports::{Effect, OutboxRow, OutboxState, PaymentRow};
use isp_core::subscription::Subscription;

/// Everything that the proof rests on.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The code of each customer.
    pub(super) customers: BTreeMap<CustomerId, String>,
    /// Subscriptions with the access that is wanted, from the store.
    pub(super) lines: Vec<(Subscription, ServiceAccess)>,
    /// Invoices with what the store says is paid of each.
    pub(super) invoices: Vec<(Invoice, Money)>,
    /// Payments with what the store says is left of each.
    pub(super) payments: Vec<PaymentRow>,
    /// The allocations of each payment.
    pub(super) allocations: BTreeMap<PaymentId, Vec<Allocation>>,
    /// All journal entries.
    pub(super) journal: Vec<JournalEntry>,
    /// All rows of the outbox.
    pub(super) outbox: Vec<OutboxRow>,
    /// What the routers answered just now; `None` for an account that is not there or not ours.
    pub(super) answers: BTreeMap<SubscriptionId, Option<Access>>,
    /// Outbox ids of the messages that the WhatsApp simulator accepted, one for each time.
    pub(super) accepted: Vec<OutboxId>,
    /// Each isolation for arrears with the decision taken again from the facts as they were a moment before.
    pub(super) isolations: Vec<(AccessEvent, Option<Decision>)>,
    /// Decisions about each line from the facts as they are now.
    pub(super) standing: Vec<(SubscriptionId, Decision)>,
    /// What the payment gateway says it holds for us, and what the books say.
    pub(super) at_gateway: (Money, Money),
    /// The moment of the proof, and how many messages may be unknown: those under way at the crash.
    pub(super) unknown_allowed: usize,
}

/// One thing that has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// What, in Indonesian and in English.
    pub(super) text: (String, String),
    /// What disagrees; empty when it holds.
    pub(super) against: Vec<String>,
}

/// Looks at the evidence. The proof holds when nothing is against any claim.
pub(super) fn judge(evidence: &Evidence) -> Vec<Claim> {
    vec![
        ledger_of_each_customer(evidence),
        journal(evidence),
        invoices_once(evidence),
        payments_once(evidence),
        gateway_agrees(evidence),
        routers_agree(evidence),
        isolations_were_right(evidence),
        messages_once(evidence),
        outbox_accounted(evidence),
    ]
}

impl Evidence {
    fn who(&self, customer: CustomerId) -> &str {
        self.customers.get(&customer).map_or("?", String::as_str)
    }

    fn line(&self, line: SubscriptionId) -> &str {
        let found = self.lines.iter().find(|(s, _)| s.id == line);
        found.map_or("?", |(s, _)| self.who(s.customer_id))
    }

    /// What is paid of each invoice, counted from the allocations.
    fn paid(&self) -> BTreeMap<InvoiceId, Money> {
        let mut paid: BTreeMap<InvoiceId, Money> = BTreeMap::new();
        for allocation in self.allocations.values().flatten() {
            *paid.entry(allocation.invoice_id).or_default() += allocation.amount;
        }
        paid
    }
}

/// Charged = paid + owed - credit, for each customer, each term counted on its own.
fn ledger_of_each_customer(evidence: &Evidence) -> Claim {
    let paid = evidence.paid();
    let mut sums: BTreeMap<CustomerId, [Money; 4]> =
        evidence.customers.keys().map(|id| (*id, Default::default())).collect();
    let mut against = Vec::new();
    for (invoice, stored) in &evidence.invoices {
        let counted = paid.get(&invoice.id).copied().unwrap_or_default();
        if !invoice.adds_up() || counted != *stored || counted > invoice.total || counted < Money::ZERO {
            against.push(format!("{}: {stored} / {counted}", invoice.display_number()));
        }
        let [charged, _, owed, _] = sums.entry(invoice.customer_id).or_default();
        *charged += invoice.total;
        *owed += invoice.total - counted;
    }
    for row in &evidence.payments {
        let used: Money = evidence.allocations.get(&row.payment.id).into_iter().flatten().map(|a| a.amount).sum();
        let [_, received, _, credit] = sums.entry(row.payment.customer_id).or_default();
        if row.reversal.is_none() {
            *received += row.payment.amount;
            *credit += row.payment.amount - used;
            if row.left != row.payment.amount - used {
                against.push(format!("{}: left {}", evidence.who(row.payment.customer_id), row.left));
            }
        } else if !used.is_zero() || !row.left.is_zero() {
            against.push(format!("{}: reversed, yet {used} used", evidence.who(row.payment.customer_id)));
        }
    }
    for (customer, [charged, received, owed, credit]) in &sums {
        if *charged != *received + *owed - *credit {
            let who = evidence.who(*customer);
            against.push(format!("{who}: {charged} != {received} + {owed} - {credit}"));
        }
    }
    let n = sums.len();
    Claim {
        text: (
            format!("{n} pelanggan: ditagih = dibayar + terutang - titipan, sampai rupiah terakhir"),
            format!("{n} customers: charged = paid + owed - credit, to the last rupiah"),
        ),
        against,
    }
}

/// Entries balance, and receivable and credit are what invoices and payments say.
fn journal(evidence: &Evidence) -> Claim {
    let mut against: Vec<String> =
        evidence.journal.iter().filter(|e| !e.balances()).map(|e| format!("journal {}", e.id)).collect();
    let balance = |account| -> Money {
        let lines = evidence.journal.iter().flat_map(|e| &e.lines);
        lines.filter(|l| l.account == account).map(|l| l.amount).sum()
    };
    let all: Money = Account::ALL.into_iter().map(balance).sum();
    let paid = evidence.paid();
    let open: Money = evidence
        .invoices
        .iter()
        .map(|(invoice, _)| invoice.total - paid.get(&invoice.id).copied().unwrap_or_default())
        .sum();
    let credit: Money = evidence.payments.iter().map(|p| p.left).sum();
    let ppn: Money = evidence.invoices.iter().map(|(invoice, _)| invoice.ppn).sum();
    for (name, booked, counted) in [
        ("sum", all, Money::ZERO),
        ("receivable", balance(Account::Receivable), open),
        ("customer_credit", balance(Account::CustomerCredit), -credit),
        ("ppn_payable", balance(Account::PpnPayable), -ppn),
    ] {
        if booked != counted {
            against.push(format!("{name}: {booked} != {counted}"));
        }
    }
    let n = evidence.journal.len();
    Claim {
        text: (
            format!("{n} jurnal berjumlah nol; saldo piutang = semua sisa tagihan, {open}"),
            format!("{n} journal entries sum to zero; receivable = all open residuals, {open}"),
        ),
        against,
    }
}

/// The periods of a line follow each other without gap or overlap, and no number is given twice.
fn invoices_once(evidence: &Evidence) -> Claim {
    let mut against = Vec::new();
    let mut numbers = BTreeSet::new();
    let mut periods: BTreeMap<SubscriptionId, Vec<(Date, Date)>> = BTreeMap::new();
    let mut fees: BTreeMap<(SubscriptionId, Date), u32> = BTreeMap::new();
    for (invoice, _) in &evidence.invoices {
        if !numbers.insert(invoice.number) {
            against.push(format!("{}: number given twice", invoice.display_number()));
        }
        match invoice.kind {
            InvoiceKind::Subscription => {
                let period = (invoice.period.start, invoice.period.end);
                periods.entry(invoice.subscription_id).or_default().push(period);
            }
            _ => *fees.entry((invoice.subscription_id, invoice.period.start)).or_default() += 1,
        }
    }
    for (line, spans) in &mut periods {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            if let [(_, end), (start, _)] = pair
                && end != start
            {
                against.push(format!("{}: {end} -> {start}", evidence.line(*line)));
            }
        }
    }
    against.extend(
        fees.iter()
            .filter(|(_, n)| **n > 1)
            .map(|((line, on), n)| format!("{}: {n} fees on {on}", evidence.line(*line))),
    );
    let n = evidence.invoices.len();
    Claim {
        text: (
            format!("{n} tagihan: tak satu pun periode ditagih dua kali atau terlewat"),
            format!("{n} invoices: no period billed twice or left out"),
        ),
        against,
    }
}

/// A provider's reference counts once.
fn payments_once(evidence: &Evidence) -> Claim {
    let mut seen = BTreeSet::new();
    let against = evidence
        .payments
        .iter()
        .filter(|row| !seen.insert((row.payment.provider.as_str(), row.payment.reference.as_str())))
        .map(|row| format!("{}: {}", evidence.who(row.payment.customer_id), row.payment.reference))
        .collect();
    let n = evidence.payments.len();
    Claim {
        text: (
            format!("{n} pembayaran: webhook ganda tercatat sekali"),
            format!("{n} payments: a repeated webhook counts once"),
        ),
        against,
    }
}

/// The books hold as much at the gateway as it says itself.
fn gateway_agrees(evidence: &Evidence) -> Claim {
    let (told, booked) = evidence.at_gateway;
    let against = (told != booked).then(|| format!("{told} != {booked}")).into_iter().collect();
    Claim {
        text: (
            format!("pembukuan sama dengan gateway: {told} belum dicairkan"),
            format!("the books agree with the payment gateway: it holds {told}"),
        ),
        against,
    }
}

/// What we want, what the store believes, and what the router answers now are the same, and there is nothing left to
/// decide.
fn routers_agree(evidence: &Evidence) -> Claim {
    let mut against = Vec::new();
    let mut counts: BTreeMap<Access, u64> = BTreeMap::new();
    for (line, access) in &evidence.lines {
        *counts.entry(access.desired).or_default() += 1;
        let answer = evidence.answers.get(&line.id).copied().flatten();
        if answer != Some(access.desired) || !access.agrees() {
            let believed = access.observed.as_ref().and_then(|o| o.access);
            let who = evidence.who(line.customer_id);
            against.push(format!("{who}: {:?}, {believed:?}, {answer:?}", access.desired));
        }
    }
    for (line, decision) in &evidence.standing {
        if !matches!(decision, Decision::Keep(_)) {
            against.push(format!("{}: {decision:?}", evidence.line(*line)));
        }
    }
    let of = |access| counts.get(&access).copied().unwrap_or(0);
    let (n, open, isolated) = (evidence.lines.len(), of(Access::Open), of(Access::Isolated));
    Claim {
        text: (
            format!(
                "{n} langganan: keinginan, catatan, dan jawaban router lewat API sama ({open} terbuka, {isolated} diisolir)"
            ),
            format!(
                "{n} lines: what is wanted, what is recorded and what the routers answer agree ({open} open, {isolated} isolated)"
            ),
        ),
        against,
    }
}

/// Every isolation for arrears is decided again from the facts a moment before it.
fn isolations_were_right(evidence: &Evidence) -> Claim {
    let wrong = |(event, again): &&(AccessEvent, Option<Decision>)| {
        !matches!(again, Some(Decision::Isolate(_))) || !event.overdue.is_positive()
    };
    let against = evidence
        .isolations
        .iter()
        .filter(wrong)
        .map(|(event, again)| format!("{} {}: {again:?}", evidence.line(event.subscription_id), event.at))
        .collect();
    let n = evidence.isolations.len();
    Claim {
        text: (
            format!("{n} isolir karena tunggakan diperiksa ulang dari fakta saat itu: tak seorang pun keliru"),
            format!("{n} isolations for arrears decided again from the facts of their time: nobody wrongly"),
        ),
        against,
    }
}

/// WhatsApp took each message that we say was sent once, and no other.
fn messages_once(evidence: &Evidence) -> Claim {
    let mut against = Vec::new();
    let mut keys = BTreeSet::new();
    let mut accepted: BTreeMap<OutboxId, u32> = BTreeMap::new();
    for id in &evidence.accepted {
        *accepted.entry(*id).or_default() += 1;
    }
    for row in &evidence.outbox {
        let Effect::Message(message) = &row.effect else { continue };
        let times = accepted.remove(&row.id).unwrap_or(0);
        let fits = match row.state {
            OutboxState::Done => times == 1,
            OutboxState::Unknown => times <= 1,
            _ => times == 0,
        };
        if !fits {
            against.push(format!("{}: {:?} {:?} {times}x", evidence.who(message.customer_id), message.kind, row.state));
        }
        for key in &message.keys {
            if !keys.insert(*key) {
                against.push(format!("{}: {:?} twice", evidence.who(message.customer_id), message.kind));
            }
        }
    }
    against.extend(accepted.keys().map(|id| format!("{id}: not ours")));
    let n = evidence.accepted.len();
    Claim {
        text: (
            format!("{n} pesan diterima WhatsApp: tak satu pun dua kali, tak satu pun tanpa catatan"),
            format!("{n} messages taken by WhatsApp: none twice, none without a record"),
        ),
        against,
    }
}

/// Every row of the outbox has come to an end that is known.
fn outbox_accounted(evidence: &Evidence) -> Claim {
    let mut counts: BTreeMap<OutboxState, usize> = BTreeMap::new();
    let mut against = Vec::new();
    for row in &evidence.outbox {
        *counts.entry(row.state).or_default() += 1;
        let ended = match row.state {
            OutboxState::Done | OutboxState::Dropped => row.finished_at.is_some(),
            OutboxState::Unknown => matches!(row.effect, Effect::Message(_)),
            _ => false,
        };
        if !ended {
            against.push(format!("{} {:?}: {:?} {}", row.id, row.effect.topic(), row.state, row.note));
        }
    }
    let of = |state| counts.get(&state).copied().unwrap_or(0);
    let (n, done, dropped) = (evidence.outbox.len(), of(OutboxState::Done), of(OutboxState::Dropped));
    let unknown = of(OutboxState::Unknown);
    if unknown > evidence.unknown_allowed {
        against.push(format!("unknown: {unknown} > {}", evidence.unknown_allowed));
    }
    Claim {
        text: (
            format!(
                "{n} baris outbox: {done} selesai, {dropped} batal karena tak lagi benar, {unknown} tak diketahui sejak padam"
            ),
            format!(
                "{n} outbox rows: {done} done, {dropped} dropped as no longer true, {unknown} unknown since the crash"
            ),
        ),
        against,
    }
}

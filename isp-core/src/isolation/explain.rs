//! One sentence that says why a line is open or isolated at a moment, with its evidence (rule I7).

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bank::Mutation;
use crate::billing::invoice::display_number;
use crate::billing::{Arrears, Debt, Owing};
use crate::calendar::{Date, Zone};
use crate::ending::{Ending, EndingKind};
use crate::isolation::access::{Access, AccessEvent, AccessEventKind, IsolationCause, ObservedAccess};
use crate::isolation::decide::{Decidable, Decision, Reason, decide_isolation, held_by_proof, longest, oldest_due};
use crate::isolation::policy::IsolationPolicy;
use crate::money::Money;
use crate::payment::withheld;
use crate::protection::{ProofTimes, ProtectedDays};
use crate::text::Language;

/// Why a line was as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The access that was wanted at the moment.
    pub access: Access,
    /// The rule that held: a [`Reason`] code.
    pub reason: &'static str,
    /// One sentence.
    pub sentence: String,
    /// The facts that it rests on, one a line.
    pub evidence: Vec<String>,
}

/// Explains the access of one subscription at `at` from the facts and events of that time, and what its router last said. `dpps` are
/// the prices without PPN of the customer's invoices, oldest first, by which a slip of PPh 23 that is awaited is known (rule P9).
#[must_use]
pub fn explain<F: Decidable>(
    facts: &F,
    observed: Option<&ObservedAccess>,
    events: &[AccessEvent],
    policy: &IsolationPolicy,
    dpps: &[Money],
    at: DateTime<Utc>,
    language: Language,
) -> Explanation {
    let words = Words { language, zone: facts.zone(), today: facts.zone().date_of(at), now: at };
    let last = events.iter().rfind(|e| e.at <= at);
    let decision = decide_isolation(facts, policy, at);
    let arrears = Arrears::of(facts.open(), words.today);
    let (reason, sentence) = sentence(facts, last, decision, &arrears, policy, &words);
    let mut evidence: Vec<String> = facts.open().iter().map(|i| words.invoice(i.debt())).collect();
    evidence.extend(withheld::awaited(facts.open(), dpps).map(|(missing, percent)| words.slip(missing, percent)));
    evidence.extend(facts.promises().iter().map(|p| words.promise(p)));
    evidence.extend(facts.exemptions().iter().map(|e| words.exemption(e)));
    let open = |of: &&ProofTimes| facts.open().iter().any(|i| i.debt().invoice_id == of.invoice_id);
    evidence.extend(facts.proofs().iter().filter(open).map(|p| words.proof(p, facts, policy)));
    evidence.extend(last.map(|e| words.event(e)));
    evidence.extend(observed.map(|o| words.observed(o.access, o.at)));
    Explanation { access: facts.desired(), reason, sentence, evidence }
}

impl Explanation {
    /// Adds money of the bank that came in by the day, may be the customer's, and waits for an officer to say whose it is.
    pub fn add_waiting(&mut self, waiting: &[Mutation], language: Language) {
        self.evidence.extend(waiting.iter().map(|Mutation { amount, on, .. }| match language {
            Language::Id => {
                format!("transfer {amount} tanggal {on} mungkin miliknya dan menunggu petugas: isp bank list")
            }
            Language::En => {
                format!("a transfer of {amount} on {on} may be theirs and waits for an officer: isp bank list")
            }
        }));
    }
}

fn sentence<F: Decidable>(
    facts: &F,
    last: Option<&AccessEvent>,
    decision: Decision,
    arrears: &Arrears,
    policy: &IsolationPolicy,
    words: &Words,
) -> (&'static str, String) {
    let reason = decision.reason();
    match (facts.desired(), facts.cause()) {
        (Access::Isolated, Some(IsolationCause::Manual)) => {
            let (by, why) = last.map_or(("?", "?"), |e| (e.by.as_str(), e.reason.as_str()));
            (Reason::IsolatedByHand.code(), words.isolated_by_hand(last.map(|e| e.at), by, why))
        }
        (Access::Isolated, _) => {
            let overdue = last.map_or(arrears.overdue, |e| e.overdue);
            (
                Reason::OverdueTooLong.code(),
                words.isolated(last.map(|e| e.at), overdue, policy.isolate_after_days, arrears),
            )
        }
        (Access::Closed, _) => {
            let settled = matches!(reason, Reason::Terminated | Reason::Paused | Reason::Pending);
            let code = if last.is_some() || settled { reason } else { Reason::Pending }.code();
            (code, words.closed(reason, last.is_some()))
        }
        (Access::Open, _) => {
            // A line that began, or left a pause or a promise, was not reopened because something was paid.
            let reopened = |e: &AccessEvent| match e.by.as_str() {
                _ if e.kind != AccessEventKind::Reopened => None,
                ENGINE => {
                    [Reason::Paid, Reason::PaidEnough].iter().any(|of| of.code() == e.reason).then_some(Reason::Paid)
                }
                _ => Some(Reason::ReopenedByHand),
            };
            let last = last.filter(|_| reason == Reason::NothingOverdue);
            match last.and_then(|event| Some((event, reopened(event)?))) {
                Some((event, why)) => (why.code(), words.reopened(event)),
                None => (reason.code(), words.open(reason, facts, arrears, policy)),
            }
        }
    }
}

/// The sentences of one language, on one calendar.
struct Words {
    language: Language,
    zone: Zone,
    today: Date,
    now: DateTime<Utc>,
}

impl Words {
    fn pick(&self, id: String, en: String) -> String {
        match self.language {
            Language::Id => id,
            Language::En => en,
        }
    }

    /// Who acted, or that nobody said who.
    fn person(&self, by: &str) -> String {
        match by {
            NOBODY => self.pick("petugas yang tidak menyebut nama".into(), "an officer who gave no name".into()),
            by => by.to_owned(),
        }
    }

    fn moment(&self, at: DateTime<Utc>) -> String {
        format!("{} {} {}", self.zone.date_of(at), self.zone.time_of(at), self.zone.name())
    }

    fn slip(&self, missing: Money, percent: i64) -> String {
        self.pick(
            format!("Yang kurang {missing} sama dengan PPh 23 ({percent} % dari DPP): bukti potong pelanggan ditunggu."),
            format!("The {missing} that is missing equals PPh 23 ({percent} % of the price without PPN): the customer's slip is awaited."),
        )
    }

    fn isolated(&self, at: Option<DateTime<Utc>>, overdue: crate::Money, after: u16, arrears: &Arrears) -> String {
        let since = at.map_or_else(|| "?".to_owned(), |at| self.moment(at));
        let (now, late) = (arrears.overdue, arrears.days_late);
        self.pick(
            format!(
                "Layanan diisolir sejak {since} karena tunggakan {overdue} sudah lewat jatuh tempo paling sedikit {after} hari; kini menunggak {now} selama {late} hari."
            ),
            format!(
                "The line is isolated since {since} because {overdue} was at least {after} days past due; {now} is overdue now, by {late} days."
            ),
        )
    }

    fn isolated_by_hand(&self, at: Option<DateTime<Utc>>, by: &str, why: &str) -> String {
        let since = at.map_or_else(|| "?".to_owned(), |at| self.moment(at));
        let by = &self.person(by);
        self.pick(
            format!("Layanan diisolir manual oleh {by} sejak {since}: {why}; hanya dibuka dengan tangan."),
            format!("The line was isolated by hand by {by} since {since}: {why}; only a hand reopens it."),
        )
    }

    fn closed(&self, reason: Reason, registered: bool) -> String {
        match reason {
            Reason::Terminated => self.pick(
                "Layanan ditutup karena langganan sudah berhenti.".into(),
                "The line is closed: the subscription has ended.".into(),
            ),
            Reason::Paused => self.pick(
                "Layanan ditutup karena pelanggan sedang cuti.".into(),
                "The line is closed: the customer paused it.".into(),
            ),
            Reason::Pending => self.pick(
                "Layanan belum dibuka karena langganan belum mulai.".into(),
                "The line is closed: the subscription has not started.".into(),
            ),
            _ if !registered => self.pick(
                "Layanan belum tercatat pada saat itu.".into(),
                "The line was not registered yet at that moment.".into(),
            ),
            _ => self.pick(
                "Layanan masih tertutup dan akan dibuka pada proses berikutnya.".into(),
                "The line is still closed; the next run opens it.".into(),
            ),
        }
    }

    fn reopened(&self, event: &AccessEvent) -> String {
        let at = self.moment(event.at);
        let by = &event.by;
        if by == ENGINE {
            self.pick(
                format!("Layanan terbuka: isolir dibuka pada {at} karena tunggakan sudah lunas."),
                format!("The line is open: it was reopened on {at} because what was overdue is paid."),
            )
        } else {
            let why = &event.reason;
            let by = self.person(by);
            self.pick(
                format!("Layanan terbuka: isolir dibuka oleh {by} pada {at}: {why}."),
                format!("The line is open: {by} reopened it on {at}: {why}."),
            )
        }
    }

    fn open<F: Decidable>(&self, reason: Reason, facts: &F, arrears: &Arrears, policy: &IsolationPolicy) -> String {
        let (overdue, late, after) = (arrears.overdue, arrears.days_late, policy.isolate_after_days);
        match reason {
            Reason::WithinGrace => self.pick(
                format!("Layanan tidak diisolir karena tunggakan {overdue} baru lewat {late} hari dari {after} hari masa tenggang."),
                format!("The line is not isolated: {overdue} is {late} days past due, less than the grace of {after} days."),
            ),
            Reason::SmallDebt => self.pick(
                format!("Layanan tidak diisolir karena tunggakan {overdue} selama {late} hari kurang dari batas isolir {}.", policy.isolate_from),
                format!("The line is not isolated: {overdue}, {late} days past due, is less than the {} from which lines are isolated.", policy.isolate_from),
            ),
            Reason::Promised => {
                let until = longest(facts.promises(), self.today, self.now).map_or(self.today, |p| p.until);
                self.pick(
                    format!("Layanan tidak diisolir walau menunggak {overdue} karena ada janji bayar sampai {until}."),
                    format!("The line is not isolated although {overdue} is overdue: a promise to pay runs until {until}."),
                )
            }
            Reason::Exempt => {
                let (until, why) = longest(facts.exemptions(), self.today, self.now).map_or((self.today, ""), |e| (e.until, e.reason.as_str()));
                self.pick(
                    format!("Layanan tidak diisolir walau menunggak {overdue} karena ada pengecualian sampai {until}: {why}."),
                    format!("The line is not isolated although {overdue} is overdue: an exemption holds until {until}: {why}."),
                )
            }
            Reason::SiteOutage => self.pick(
                format!("Layanan tidak diisolir walau menunggak {overdue} karena lokasi sedang gangguan."),
                format!("The line is not isolated although {overdue} is overdue: the site has an outage."),
            ),
            Reason::ProofWaiting => {
                let until = held_by_proof(facts.open(), facts.proofs(), policy, self.zone, self.now);
                let until = self.moment(until.unwrap_or(self.now));
                self.pick(
                    format!("Layanan tidak diisolir walau menunggak {overdue} karena bukti transfer sedang menunggu diperiksa, paling lama sampai {until}."),
                    format!("The line is not isolated although {overdue} is overdue: a proof of transfer waits for review, until {until} at most."),
                )
            }
            Reason::DayNotAllowed => self.pick(
                format!("Layanan belum diisolir walau menunggak {overdue} selama {late} hari karena hari ini bukan hari isolir."),
                format!("The line is not isolated although {overdue} is {late} days past due: nobody is isolated on this day."),
            ),
            Reason::BeforeHour => self.pick(
                format!("Layanan belum diisolir walau menunggak {overdue} selama {late} hari karena belum pukul {}.", policy.isolate_at),
                format!("The line is not isolated yet although {overdue} is {late} days past due: it is before {}.", policy.isolate_at),
            ),
            Reason::OverdueTooLong => self.pick(
                format!("Layanan masih terbuka; tunggakan {overdue} sudah {late} hari dan akan diisolir pada proses berikutnya."),
                format!("The line is still open; {overdue} is {late} days past due and the next run will isolate it."),
            ),
            Reason::PaidEnough => self.pick(
                format!("Layanan terbuka karena sebagian besar tunggakan sudah dibayar; sisa {overdue}."),
                format!("The line is open because enough of what was overdue is paid; {overdue} remains."),
            ),
            _ => self.pick(
                "Layanan terbuka karena tidak ada tunggakan.".into(),
                "The line is open because nothing is overdue.".into(),
            ),
        }
    }

    fn invoice(&self, i: &Debt) -> String {
        let number = display_number(i.number, i.issue_date);
        let (residual, total, due) = (i.residual(), i.total, i.due_date);
        self.pick(
            format!("tagihan {number}: sisa {residual} dari {total}, jatuh tempo {due}"),
            format!("invoice {number}: {residual} of {total} open, due {due}"),
        )
    }

    fn promise(&self, ProtectedDays { from, until, ending, .. }: &ProtectedDays) -> String {
        let ending = self.ending(ending.as_ref());
        self.pick(
            format!("janji bayar {from} sampai {until}{ending}"),
            format!("promise to pay of {from} until {until}{ending}"),
        )
    }

    fn exemption(&self, ProtectedDays { from, until, reason, ending }: &ProtectedDays) -> String {
        let ending = self.ending(ending.as_ref());
        self.pick(
            format!("pengecualian {from} sampai {until}: {reason}{ending}"),
            format!("exemption from {from} until {until}: {reason}{ending}"),
        )
    }

    fn proof<F: Decidable>(&self, proof: &ProofTimes, facts: &F, policy: &IsolationPolicy) -> String {
        let of = facts.open().iter().map(Owing::debt).find(|i| i.invoice_id == proof.invoice_id);
        let number = of.map_or_else(String::new, |i| display_number(i.number, i.issue_date));
        let (at, reviewed) = (self.moment(proof.arrived_at), proof.reviewed_at.filter(|at| *at <= self.now));
        let first = ProofTimes::first(facts.proofs(), proof.invoice_id, self.now) == Some(proof);
        let (id, en) = match reviewed.map(|at| self.moment(at)) {
            Some(at) if proof.taken_back => (format!("dicabut {at}"), format!("taken back on {at}")),
            Some(at) => (format!("diperiksa {at}"), format!("reviewed on {at}")),
            None if !first => (
                "bukan yang pertama, jadi tidak menahan isolir".to_owned(),
                "not the first, so it holds nothing back".to_owned(),
            ),
            None => {
                let oldest = oldest_due(facts.open()).or(of.map(|i| i.due_date));
                let until = oldest.map_or(proof.arrived_at, |due| policy.proof_until(proof.arrived_at, due, self.zone));
                let (over, until) = (until <= self.now, self.moment(until));
                match over {
                    true => (format!("menahan isolir sampai {until}"), format!("held until {until}")),
                    false => {
                        (format!("menahan isolir paling lama sampai {until}"), format!("holds until {until} at most"))
                    }
                }
            }
        };
        self.pick(
            format!("bukti transfer {at} untuk tagihan {number}: {id}"),
            format!("proof of transfer of {at} for invoice {number}: {en}"),
        )
    }

    /// What is added to a protection that was over by the moment.
    fn ending(&self, ending: Option<&Ending>) -> String {
        let Some(Ending { kind, at, by, reason }) = ending.filter(|e| e.at <= self.now) else { return String::new() };
        let at = self.moment(*at);
        match kind {
            EndingKind::Ended => {
                self.pick(format!("; diakhiri {at} oleh {by}: {reason}"), format!("; ended on {at} by {by}: {reason}"))
            }
            EndingKind::TakenBack => self
                .pick(format!("; dicabut {at} oleh {by}: {reason}"), format!("; taken back on {at} by {by}: {reason}")),
        }
    }

    fn event(&self, e: &AccessEvent) -> String {
        let (at, overdue) = (self.moment(e.at), e.overdue);
        let (id, en) = kind_words(e.kind);
        let engine = e.by == ENGINE;
        let by = if engine { self.pick("sistem".into(), "the engine".into()) } else { self.person(&e.by) };
        // A person's reason stays as it was written.
        let why = REASON_WORDS.iter().find(|(code, ..)| engine && *code == e.reason);
        let why = why.map_or_else(|| e.reason.clone(), |(_, id, en)| self.pick((*id).into(), (*en).into()));
        self.pick(
            format!("{id} pada {at} oleh {by} ({why}), tunggakan {overdue}"),
            format!("{en} on {at} by {by} ({why}), overdue {overdue}"),
        )
    }

    fn observed(&self, access: Option<Access>, at: DateTime<Utc>) -> String {
        let (id, en) = match access {
            Some(Access::Open) => ("terbuka", "open"),
            Some(Access::Isolated) => ("diisolir", "isolated"),
            Some(Access::Closed) => ("ditutup", "closed"),
            None => ("?", "?"),
        };
        let at = self.moment(at);
        self.pick(format!("jawaban router {at}: {id}"), format!("router's answer on {at}: {en}"))
    }
}

/// The code of the engine's reason for an event; `None` for what a person wrote.
#[must_use]
pub fn engine_reason(event: &AccessEvent) -> Option<&'static str> {
    let known = REASON_WORDS.iter().find(|(code, ..)| event.by == ENGINE && *code == event.reason);
    known.map(|(code, ..)| *code)
}

/// Who decides where no person does, as events name it.
const ENGINE: &str = "engine";

/// Who is named where a person acted at the program and did not say who it was.
const NOBODY: &str = "isp";

/// What happened, in Indonesian and English.
const fn kind_words(kind: AccessEventKind) -> (&'static str, &'static str) {
    match kind {
        AccessEventKind::Registered => ("layanan tercatat", "line registered"),
        AccessEventKind::IsolatedArrears => ("diisolir karena tunggakan", "isolated for arrears"),
        AccessEventKind::IsolatedManual => ("diisolir petugas", "isolated by hand"),
        AccessEventKind::Reopened => ("dibuka", "reopened"),
        AccessEventKind::GroupChanged => ("grup diganti", "group changed"),
        AccessEventKind::Closed => ("ditutup", "closed"),
    }
}

/// The engine's reasons, in Indonesian and English.
const REASON_WORDS: [(&str, &str, &str); 19] = [
    ("nothing_overdue", "tidak ada tunggakan", "nothing is overdue"),
    ("within_grace", "dalam masa tenggang", "within the grace"),
    ("overdue_too_long", "menunggak terlalu lama", "overdue for too long"),
    ("before_hour", "belum jamnya", "before the hour"),
    ("day_not_allowed", "bukan hari isolir", "not on this day"),
    ("promised", "ada janji bayar", "promised"),
    ("exempt", "dikecualikan", "exempt"),
    ("site_outage", "lokasi sedang gangguan", "the site has an outage"),
    ("proof_waiting", "bukti transfer menunggu diperiksa", "a proof of transfer waits for review"),
    ("still_overdue", "masih menunggak", "still overdue"),
    ("isolated_by_hand", "diisolir petugas", "isolated by hand"),
    ("reopened_by_hand", "dibuka petugas", "reopened by hand"),
    ("paid", "lunas", "paid"),
    ("paid_enough", "cukup terbayar", "paid enough"),
    ("pending", "belum mulai", "not started"),
    ("paused", "cuti", "paused"),
    ("terminated", "berhenti", "ended"),
    ("in_service", "layanan berjalan", "in service"),
    ("package_changed", "ganti paket", "package changed"),
];

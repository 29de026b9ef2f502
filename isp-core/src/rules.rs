//! Every rule with numbers that a bookkeeper can follow. Nothing here is code of the program: each example below is run by
//! the tests, so what it says is what the program does.
//!
//! # Calendar
//!
//! **C1, zone.** It is 23:30 in Jakarta on 31 January. In Jayapura it is 1 February already, so a bill that starts on the
//! 1st is issued there and not yet in Jakarta.
//!
//! ```
//! # use isp_core::calendar::*;
//! # let day = |text: &str| Date::parse(text).unwrap();
//! let now = day("2026-01-31").at(23, 30, Zone::Wib);
//! assert_eq!(Zone::Wib.date_of(now), day("2026-01-31"));
//! assert_eq!(Zone::Wit.date_of(now), day("2026-02-01"));
//! ```
//!
//! **C2, anchor.** A customer of the 31st is billed on 31 January, 28 February and 31 March: each period comes from the
//! anchor and never from the one before. **C3, half open.** A period runs up to, not including, its end. **C4, alignment.**
//! Who starts on the 15th and is billed on the 1st has a short first period. Who moves from the 1st to the 20th has a short
//! one in between: paid until 1 February, 1 to 19 February are billed by themselves (see
//! [`BillingTerms::change_day`](crate::subscription::BillingTerms::change_day)).
//!
//! ```
//! # use isp_core::calendar::*;
//! # let day = |text: &str| Date::parse(text).unwrap();
//! let grid = |start, billing_day, cycle| {
//!     let anchor = Anchor::new(day(start), BillingDay::try_new(billing_day).unwrap(), cycle);
//!     (0..4).map(|k| anchor.period(k).start.to_string()).collect::<Vec<_>>()
//! };
//! // Anniversary, monthly:
//! assert_eq!(grid("2026-01-31", 31, Cycle::Monthly), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
//! // Every three months:
//! assert_eq!(grid("2025-11-30", 30, Cycle::Quarterly), ["2025-11-30", "2026-02-28", "2026-05-30", "2026-08-30"]);
//! // Fixed day 1: the grid begins on 1 February, and 15 to 31 January are a short period before it.
//! assert_eq!(grid("2026-01-15", 1, Cycle::Monthly)[0], "2026-02-01");
//! let january = day("2026-01-31").month().period();
//! assert!(january.contains(day("2026-01-31")) && !january.contains(day("2026-02-01")));
//! ```
//!
//! **C5, proration.** Rp150.000 a month, used on 17 of the 31 days of January: 150.000 x 17 / 31 = 82.258,06, which is
//! Rp82.258. The other 14 days are the rest, Rp67.742: both add up to the price.
//!
//! ```
//! # use isp_core::{billing::proration::*, calendar::*, money::Money};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! let january = day("2026-01-01").month().period();
//! let (before, after) = split(Money::rupiah(150_000), january, day("2026-01-18"));
//! assert_eq!((before, after), (Money::rupiah(82_258), Money::rupiah(67_742)));
//! ```
//!
//! # PPN
//!
//! A price before PPN of Rp150.000, step by step as the law of 2025 has it: the base is 11/12 of it, Rp137.500; 12 % of that
//! are Rp16.500. From April 2022 it was 11 % of the price, which comes to the same. Who is no PKP charges none.
//!
//! ```
//! # use isp_core::{calendar::*, money::Money, tax::*};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! let price = Money::rupiah(150_000);
//! assert_eq!(price.ratio(11, 12), Money::rupiah(137_500));
//! for on in ["2024-12-31", "2025-01-01"] {
//!     let taxed = Tax::pkp().apply(price, TaxMode::Exclusive, day(on)).unwrap();
//!     assert_eq!((taxed.dpp, taxed.ppn, taxed.total()), (price, Money::rupiah(16_500), Money::rupiah(166_500)));
//! }
//! assert_eq!(Tax::none().apply(price, TaxMode::Exclusive, day("2026-01-01")).unwrap().total(), price);
//! // Before April 2022 no rule is known, and nothing is guessed.
//! assert!(Tax::pkp().apply(price, TaxMode::Exclusive, day("2022-03-31")).is_err());
//! ```
//!
//! A price of Rp222.000 with PPN holds Rp200.000 and Rp22.000. Rp55.000 cannot be split into whole rupiah: Rp49.549 bear
//! Rp5.450, together Rp54.999, and one rupiah more would bear Rp5.451, together Rp55.001. So Rp1 of rounding is shown.
//!
//! ```
//! # use isp_core::{calendar::*, money::Money, tax::*};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! let split = |price| {
//!     let taxed = Tax::pkp().apply(Money::rupiah(price), TaxMode::Inclusive, day("2026-01-01")).unwrap();
//!     (taxed.dpp.as_i64(), taxed.ppn.as_i64(), taxed.rounding.as_i64())
//! };
//! assert_eq!(split(222_000), (200_000, 22_000, 0));
//! assert_eq!(split(55_000), (49_549, 5_450, 1));
//! ```
//!
//! # Billing
//!
//! **B1, when; B2, due.** Prepaid, a period is billed on the day it starts and due ten days later; postpaid, on the day it
//! ends. An invoice is never due before the day on which it is written. **B3, once; B4, catch-up.** A run on 20 March, after a
//! first one in January, bills February and March, each dated on its own day and due at once; the same run again names the same
//! invoices. **B5, price.** The price rises on 1 March: a period takes the one in force on its start, and a customer who holds an
//! old price until 1 March pays that before.
//!
//! ```
//! # use isp_core::{billing::{*, plan::BillingContext}, calendar::*, ids::*, money::Money, package::*, subscription::*, tax::*};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let id = uuid::Uuid::from_u128(7);
//! let prices = PriceList::try_new(vec![
//!     PriceVersion { from: day("2025-01-01"), price: Money::rupiah(150_000) },
//!     PriceVersion { from: day("2026-03-01"), price: Money::rupiah(165_000) },
//! ]).unwrap();
//! let start = day("2026-01-01");
//! let terms = BillingTerms::new(PackageId(id), start, BillingDay::of(start), Cycle::Monthly);
//! # let catalog: Catalog = [(PackageId(id), prices, TaxMode::Exclusive)].into_iter().collect();
//! let bill = |terms: BillingTerms, today: &str, position: Option<&str>| {
//!     // ... a run at nine in the morning
//! #   let row: Billable = Billable { subscription_id: SubscriptionId(id), customer_id: CustomerId(id), site_id: SiteId(id), zone: Zone::Wib, terms };
//! #   let (policy, tax) = (BillingPolicy::default(), Tax::pkp());
//! #   let position = position.map(day);
//! #   let context = BillingContext { catalog: &catalog, policy: &policy, tax: &tax, position, now: day(today).at(9, 0, Zone::Wib) };
//! #   let invoices = plan_billing(&[row], &context).invoices;
//! #   invoices.into_iter().map(|i| (i.issue_date.to_string(), i.due_date.to_string(), i.total.as_i64())).collect::<Vec<_>>()
//! };
//! let invoice = |issued: &str, due: &str, total: i64| (issued.to_owned(), due.to_owned(), total);
//! assert_eq!(bill(terms, "2026-01-01", None), [invoice("2026-01-01", "2026-01-11", 166_500)]);
//! let billed = BillingTerms { billed_from: None, ..terms };
//! let march = [invoice("2026-02-01", "2026-03-20", 166_500), invoice("2026-03-01", "2026-03-20", 183_150)];
//! assert_eq!(bill(billed, "2026-03-20", Some("2026-01-01")), march);
//! assert_eq!(bill(billed, "2026-03-20", Some("2026-03-20")), []);
//! let postpaid = BillingTerms { timing: Timing::Postpaid, ..terms };
//! assert_eq!(bill(postpaid, "2026-02-01", None), [invoice("2026-02-01", "2026-02-11", 166_500)]);
//! let held_price = Some(HeldPrice { price: Money::rupiah(100_000), until: Some(day("2026-03-01")) });
//! let held = BillingTerms { held_price, ..billed };
//! let totals: Vec<i64> = bill(held, "2026-03-20", Some("2026-01-01")).iter().map(|i| i.2).collect();
//! assert_eq!(totals, [111_000, 183_150]);
//! // A discount of 10 % is a line of its own, before PPN: 150.000 - 15.000 = 135.000, and Rp14.850.
//! let discount = Some(Discount { off: Off::Percent(10), until: None });
//! assert_eq!(bill(BillingTerms { discount, ..terms }, "2026-01-01", None)[0].2, 149_850);
//! ```
//!
//! **B6, change.** From Rp150.000 to Rp200.000, both before PPN, on 11 January, with January paid. Ten days were used: 150.000
//! x 10 / 31 = Rp48.387, so Rp101.613 of 21 days are given back. The new package for these days: Rp200.000 - Rp64.516 =
//! Rp135.484. PPN on the new days is Rp14.903; Rp16.500 - Rp5.323 = Rp11.177 go back. One invoice:
//!
//! | line | rupiah |
//! | --- | ---: |
//! | new package, 21 of 31 days | 135.484 |
//! | credit for the old one, 21 of 31 days | -101.613 |
//! | PPN | 3.726 |
//! | to be paid | 37.597 |
//!
//! ```
//! # use isp_core::{billing::{*, credit::share}, calendar::*, money::Money};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! let january = day("2026-01-01").month().period();
//! let rest = Period { start: day("2026-01-11"), end: january.end };
//! let of = |amount| share(Money::rupiah(amount), january, rest).as_i64();
//! assert_eq!((of(150_000), of(16_500), of(200_000)), (101_613, 11_177, 135_484));
//! assert_eq!(135_484 + 14_903 - 101_613 - 11_177, 37_597);
//! ```
//!
//! From the dearer to the cheaper it comes out below zero, and is a credit note of that amount. The next period is the
//! default: then nothing is given back or charged. **B7, switches.** A pause or an end gives the same shares back, when the
//! policy says so, and periods that begin after it always. **B11, charged, not due.** A change starts from what was charged: a
//! postpaid June that was invoiced on the 24th is paid up to 1 July, whatever changes on the 27th. **B12, said afterwards.** It
//! comes to what it would have come to in time (see [`crate::terms`]); days in isolation are billed, left out or given back (see [`crate::billing::WhileIsolated`]). **B8, one bad
//! row** is reported by its id and code, and the others are billed. **B10, late fee:** see [`crate::billing::late_fee`]; an
//! outage: [`crate::protection::OutagePolicy`].
//!
//! **B9, PSB.** Rp500.000 in three instalments: 166.700, 166.700 and, so that it adds up with PPN too, 166.600.
//!
//! ```
//! # use isp_core::{installation::*, ids::*, money::Money, calendar::Date};
//! # let id = uuid::Uuid::nil();
//! # let order = |instalments| InstallationOrder { id: InstallationOrderId(id), customer_id: CustomerId(id),
//! #   subscription_id: SubscriptionId(id), kind_id: InstallationKindId(id), fee: Money::rupiah(500_000),
//! #   installed_on: Date::parse("2026-01-10").unwrap(), instalments, with_first_invoice: false,
//! #   step: part_step(Money::rupiah(500_000)) };
//! let parts: Vec<i64> = order(3).schedule().iter().map(|p| p.amount.as_i64()).collect();
//! assert_eq!(parts, [166_700, 166_700, 166_600]);
//! assert_eq!(FeeStatus::of(Money::rupiah(500_000), Money::rupiah(166_700)), FeeStatus::PartlyPaid);
//! ```
//!
//! Or it goes with the first periodic invoice: Rp150.000 of service and Rp500.000 of installation are one invoice of
//! Rp721.500 with PPN (see [`crate::billing::first_fee`]).
//!
//! **One document.** A customer with several lines may have one document for all invoices of the same days: Rp166.500 and
//! Rp222.000 are one statement of Rp388.500, with one reminder and one payment; each line keeps its invoice, and is isolated
//! by its own (see [`crate::billing::statement`]).
//!
//! # Payments
//!
//! **P1, once.** Provider and reference name a payment, so the same webhook ten times is one. **P2, allocation; P3,
//! partial.** Rp200.000 come in while Rp100.000 of February and Rp166.500 of March are open: February is paid, March partly,
//! with Rp66.500 left. Rp300.000 instead pay both, and Rp33.500 are credit for April. **P4, reversal:** the books are as if
//! the payment had never come, and what was paid else pays the oldest invoices; **P5, intent:** the payment and the wish to reopen the line are one commit. **P6, identity:** `bca` and `BCA`,
//! `trx 77` and `TRX 77 ` are one; a reversal frees the reference. **P7, back-dated:** paid on the 10th and recorded on the
//! 20th, it counts from the 10th, and a late fee of the 18th is given back, in whatever order payments are recorded (see
//! [`crate::payment::in_time`]); a day in 2062 is asked about.
//! **P9, withheld, fees:** a firm pays Rp1.090.000 of Rp1.110.000 and keeps Rp20.000 of PPh 23 back, 2 % of the Rp1.000.000 without PPN;
//! its slip settles them as tax that was paid ahead, not as money (see [`crate::payment::withheld`]). What a payer pays a gateway on top
//! is no payment to us, and what the gateway keeps is an expense; neither is credit (see [`crate::payment::notice`]).
//!
//! **An amount of one's own.** Who owes Rp183.150 is asked for Rp183.151, the next one for Rp183.152: the amount tells who paid,
//! and the rupiah more is credit (see [`crate::payment::request`]). What a bank tells is matched by it, or by what stands in the
//! text (see [`crate::bank::matching`]).
//!
//! ```
//! # use isp_core::billing::*;
//! # use isp_core::calendar::*;
//! # use isp_core::text::{Code, Reference};
//! # use isp_core::ids::*;
//! # use isp_core::money::Money;
//! # use isp_core::payment::*;
//! # let id = |n: u128| uuid::Uuid::from_u128(n);
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let invoice = |n: u128, due: &str, paid| Debt { invoice_id: InvoiceId(id(n)), number: n as u64,
//! #   issue_date: day(due), due_date: day(due), total: Money::rupiah(166_500), paid: Money::rupiah(paid) };
//! let open = [invoice(3, "2026-03-11", 0), invoice(2, "2026-02-11", 66_500)];
//! let now = chrono::DateTime::UNIX_EPOCH;
//! let pay = |amount| {
//!     let source = CreditSource { payment_id: PaymentId(id(9)), since: now, left: Money::rupiah(amount) };
//!     let made = allocate(&open, &[source], now);
//!     made.iter().map(|a| a.amount.as_i64()).collect::<Vec<_>>()
//! };
//! assert_eq!(pay(200_000), [100_000, 100_000]);
//! assert_eq!(pay(300_000), [100_000, 166_500]);
//! let of = |provider, text| {
//!     let provider = Code::parse("provider", provider).unwrap();
//!     Payment::id_of(TenantId::DEFAULT, CustomerId(id(1)), &provider, &Reference::parse("reference", text).unwrap(), 0)
//! };
//! assert!(of("bca", "TRX 77") == of("BCA", "trx 77 ") && of("bca", "order-1") != of("bca", "order-2"));
//! ```
//!
//! Every event is an entry that adds up to zero. A payment of Rp200.000 by bank that pays Rp166.500: bank +200.000,
//! receivable -166.500, customer credit -33.500. A credit note of Rp111.000 with PPN: revenue +100.000, PPN payable
//! +11.000, customer credit -111.000. Reports are sums over such entries (see [`crate::ledger`]).
//!
//! # Arrears and reminders
//!
//! **A1, facts.** An invoice due on the 11th is overdue from the 12th on, by what is unpaid. **A2, small debts:** Rp150 that
//! are missing of Rp166.500 isolate nobody. **N6, all of it:** a reminder of February asks for January too (see
//! [`crate::message::demand`]), and names the day on which the line is isolated if nothing is paid: that of
//! [`crate::isolation::first_isolation`], or none. **N1, kinds.** Reminders go out
//! three days before the due date and three days after; **N4, hours:** between eight and eight. **N2, once** and **N5, one
//! message:** two invoices of one day make one message, and each is reminded once a level.
//!
//! ```
//! # use isp_core::billing::*;
//! # use isp_core::calendar::*;
//! # use isp_core::message::*;
//! # use isp_core::message::reminder::*;
//! # use isp_core::ids::*;
//! # use isp_core::money::Money;
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let id = |n: u128| uuid::Uuid::from_u128(n);
//! # let invoice = |n: u128| Debt { invoice_id: InvoiceId(id(n)), number: n as u64, issue_date: day("2026-01-01"),
//! #   due_date: day("2026-01-11"), total: Money::rupiah(166_500), paid: Money::rupiah(66_500) };
//! let policy = DunningPolicy::default();
//! assert_eq!(Arrears::of(&[invoice(1)], day("2026-01-11")).overdue, Money::ZERO);
//! assert_eq!(Arrears::of(&[invoice(1)], day("2026-01-12")).overdue, Money::rupiah(100_000));
//! let level = |on| level_reached(&invoice(1), &policy, day(on));
//! assert_eq!(level("2026-01-07"), None);
//! assert_eq!(level("2026-01-08"), Some((NotificationKind::DueSoon, 3)));
//! assert_eq!(level("2026-01-13"), None);
//! assert_eq!(level("2026-01-14"), Some((NotificationKind::Overdue, 3)));
//! let facts = |notified| DunningFacts { customer_id: CustomerId(id(1)), zone: Zone::Wib, reachable: true,
//!     open: vec![invoice(1), invoice(2)], notified, statements: vec![] };
//! let night = day("2026-01-08").at(21, 30, Zone::Wib);
//! let messages = due_reminders(TenantId::DEFAULT, &[facts(vec![])], &policy, night);
//! assert_eq!((messages.len(), messages[0].invoices.len()), (1, 2));
//! assert_eq!(messages[0].not_before, day("2026-01-09").at(8, 0, Zone::Wib));
//! let known = [1, 2].map(|n| (InvoiceId(id(n)), NotificationKind::DueSoon, 3)).to_vec();
//! assert!(due_reminders(TenantId::DEFAULT, &[facts(known)], &policy, night).is_empty());
//! ```
//!
//! **N3, fresh.** A reminder that waited for the morning is dropped when the invoice was paid in the night (see
//! [`crate::message::freshness`]).
//!
//! # Isolation
//!
//! **I1, isolate.** Due on Sunday 11 January, five days of grace: Friday the 16th, from ten o'clock on, on no weekend or
//! holiday. **I2, exempt:** not while a promise runs. **P8, proof:** not while the
//! first proof of transfer of an invoice waits for review, two working days at most from then or from the first day of isolation. **I3, cause:** what a hand isolated, no payment opens. **I4, reopen:** as
//! soon as nothing is overdue, at any hour. **I6, breaker:** of 500 lines on a router a run may isolate 50 without asking,
//! of 50 lines 20.
//!
//! ```
//! # use isp_core::{billing::*, calendar::*, ids::*, isolation::*, money::Money, protection::{ProofTimes, ProtectedDays}, subscription::ServiceDates};
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let id = uuid::Uuid::from_u128(1);
//! # let january = day("2026-01-01").month().period();
//! # let invoice = Debt { invoice_id: InvoiceId(id), number: 1, issue_date: january.start, due_date: day("2026-01-11"),
//! #   total: Money::rupiah(166_500), paid: Money::ZERO };
//! # let service = ServiceDates { start: january.start, end: None, paused_from: None };
//! # let facts = IsolationFacts { zone: Zone::Wib, service, desired: Access::Open, cause: None, isolated: None,
//! #   open: vec![invoice], promises: vec![], exemptions: vec![], outages: vec![], proofs: vec![] };
//! let policy = IsolationPolicy::default();
//! let decide = |facts: &IsolationFacts, on: &str, hour| decide_isolation(facts, &policy, day(on).at(hour, 0, Zone::Wib));
//! assert_eq!(decide(&facts, "2026-01-15", 12), Decision::Keep(Reason::WithinGrace));
//! assert_eq!(decide(&facts, "2026-01-17", 12), Decision::Keep(Reason::DayNotAllowed));
//! assert_eq!(decide(&facts, "2026-01-19", 9), Decision::Keep(Reason::BeforeHour));
//! assert_eq!(decide(&facts, "2026-01-19", 10), Decision::Isolate(Reason::OverdueTooLong));
//! let small = IsolationFacts { open: vec![Debt { paid: Money::rupiah(166_350), ..invoice }], ..facts.clone() };
//! assert_eq!(decide(&small, "2026-01-19", 10), Decision::Keep(Reason::SmallDebt));
//! let promise = ProtectedDays { from: day("2026-01-15"), until: day("2026-01-20"), reason: String::new(), ending: None };
//! let promised = IsolationFacts { promises: vec![promise], ..facts.clone() };
//! assert_eq!(decide(&promised, "2026-01-20", 10), Decision::Keep(Reason::Promised));
//! assert_eq!(decide(&promised, "2026-01-21", 10), Decision::Isolate(Reason::OverdueTooLong));
//! // P8: a proof of transfer of Monday the 19th at nine holds until Wednesday at nine, unless somebody reviews it.
//! let proof = ProofTimes { invoice_id: InvoiceId(id), arrived_at: day("2026-01-19").at(9, 0, Zone::Wib), reviewed_at: None, taken_back: false };
//! let proved = IsolationFacts { proofs: vec![proof], ..facts.clone() };
//! assert_eq!(decide(&proved, "2026-01-20", 12), Decision::Keep(Reason::ProofWaiting));
//! assert_eq!(decide(&proved, "2026-01-21", 10), Decision::Isolate(Reason::OverdueTooLong));
//! let isolated = |cause| IsolationFacts { open: vec![], desired: Access::Isolated, cause: Some(cause), ..facts.clone() };
//! assert_eq!(decide(&isolated(IsolationCause::Arrears), "2026-01-19", 3), Decision::Reopen(Reason::Paid));
//! assert_eq!(decide(&isolated(IsolationCause::Manual), "2026-01-19", 3), Decision::Keep(Reason::IsolatedByHand));
//! assert_eq!((policy.breaker_limit(500), policy.breaker_limit(50)), (50, 20));
//! ```
//!
//! **I5, desired and observed.** The line is isolated when the router said so, not when we wished it.
//!
//! ```
//! # use isp_core::{ids::SubscriptionId, isolation::{*, access::ObservedAccess}};
//! # let id = SubscriptionId(uuid::Uuid::nil());
//! # let said = |revision, access| Some(ObservedAccess { access: Some(access), revision, at: chrono::DateTime::UNIX_EPOCH, answer: String::new() });
//! let wanted = ServiceAccess { desired: Access::Isolated, revision: 2, ..ServiceAccess::new(id, Access::Open) };
//! assert!(!wanted.agrees());
//! assert!(!ServiceAccess { observed: said(1, Access::Open), ..wanted.clone() }.agrees());
//! assert!(ServiceAccess { observed: said(2, Access::Isolated), ..wanted }.agrees());
//! ```
//!
//! **I7, why.** `isp explain` answers in one sentence, for any past moment (see [`crate::isolation::explain`]).

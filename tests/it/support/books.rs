//! The books of a snapshot: what must tie whenever one looks.

use std::collections::BTreeMap;

use isp_core::Money;
use isp_core::ids::InvoiceId;
use isp_core::ledger::Account;
use isp_core::payment::Channel;
use isp_core::testing::Snapshot;

/// What customers were charged, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    pub charged: Money,
    pub given_back: Money,
    pub received: Money,
    pub written_off: Money,
    pub owed: Money,
    pub credit: Money,
}

/// Adds everything up twice, from the documents and from the ledger, and compares.
pub fn check(snapshot: &Snapshot) -> Books {
    let mut balances: BTreeMap<Account, Money> = BTreeMap::new();
    for entry in &snapshot.journal {
        assert!(entry.balances(), "{entry:?}");
        for line in &entry.lines {
            *balances.entry(line.account).or_default() += line.amount;
        }
    }
    assert_eq!(snapshot.journal_sum(), Money::ZERO);
    let balance = |account| balances.get(&account).copied().unwrap_or_default();
    let kept = |wanted: &dyn Fn(Channel) -> bool| -> Money {
        let good = snapshot.payments.iter().filter(|p| p.reversal.is_none() && wanted(p.payment.channel));
        good.map(|p| p.payment.amount).sum()
    };
    // A note counts while its payment stands.
    let stands = |id| snapshot.payments.iter().any(|p| p.payment.id == id && p.reversal.is_none());
    let notes: Vec<_> = snapshot.credit_notes.iter().filter(|n| stands(n.payment_id())).collect();
    let books = Books {
        charged: snapshot.invoices.iter().map(|(i, _)| i.total).sum(),
        given_back: notes.iter().map(|n| n.total).sum(),
        received: kept(&Channel::is_money),
        written_off: kept(&|c| c == Channel::WriteOff),
        owed: snapshot.invoices.iter().map(|(i, paid)| i.balance(*paid).residual()).sum(),
        credit: snapshot.payments.iter().map(|p| p.left).sum(),
    };
    // Charged = paid + owed + written off - credit.
    assert_eq!(books.charged - books.given_back, books.received + books.owed + books.written_off - books.credit);
    assert_eq!(kept(&|c| c == Channel::CreditNote), books.given_back);
    assert_eq!(
        snapshot.invoices.iter().map(|(_, p)| *p).sum::<Money>(),
        snapshot.allocations.iter().map(|a| a.amount).sum()
    );

    assert_eq!(balance(Account::Receivable), books.owed);
    assert_eq!(-balance(Account::CustomerCredit), books.credit);
    assert_eq!(balance(Account::WriteOff), books.written_off);
    let ppn: Money = snapshot.invoices.iter().map(|(i, _)| i.ppn).sum();
    assert_eq!(-balance(Account::PpnPayable), ppn - notes.iter().map(|n| n.ppn).sum());
    let money = [Account::Cash, Account::Bank, Account::Gateway, Account::Collector].map(balance);
    // Nothing is spent here but what gateways keep.
    assert_eq!(money.iter().sum::<Money>() + balance(Account::ExpenseFees), books.received);
    let held = snapshot.payments.iter().filter(|p| p.reversal.is_none() && p.payment.collector.is_some());
    let deposited: Money =
        snapshot.deposits.iter().filter(|row| row.ending.is_none()).map(|row| row.deposit.amount).sum();
    assert_eq!(balance(Account::Collector), held.map(|p| p.payment.amount).sum::<Money>() - deposited);

    assert!(snapshot.invoices.iter().all(|(i, _)| i.adds_up()));
    assert!(snapshot.invoices.iter().all(|(i, paid)| *paid >= Money::ZERO && *paid <= i.total));
    assert!(snapshot.credit_notes.iter().all(isp_core::billing::CreditNote::adds_up));
    let totals: BTreeMap<InvoiceId, Money> = snapshot.invoices.iter().map(|(i, _)| (i.id, i.total)).collect();
    let mut back: BTreeMap<InvoiceId, Money> = BTreeMap::new();
    for note in &notes {
        *back.entry(note.invoice_id).or_default() += note.total;
    }
    assert!(back.iter().all(|(id, given)| *given <= totals[id]), "more was given back than charged");
    books
}

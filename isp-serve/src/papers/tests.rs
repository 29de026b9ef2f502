use isp_core::billing::{Bill, Invoice, InvoiceKind, InvoiceLine, LineKind};
use isp_core::calendar::{Date, Period};
use isp_core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
use isp_core::message::Sender;
use isp_core::money::Money;
use isp_core::text::Name;
use uuid::Uuid;

use super::*;

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn invoice(lines: &[InvoiceLine], dpp: i64, ppn: i64) -> Invoice {
    Invoice {
        id: InvoiceId(Uuid::nil()),
        number: 42,
        customer_id: CustomerId(Uuid::nil()),
        subscription_id: SubscriptionId(Uuid::nil()),
        site_id: SiteId(Uuid::nil()),
        package_id: PackageId(Uuid::nil()),
        kind: InvoiceKind::Subscription,
        period: Period::try_new(day("2026-01-05"), day("2026-02-05")).unwrap(),
        issue_date: day("2026-01-05"),
        due_date: day("2026-01-15"),
        lines: lines.iter().copied().collect(),
        dpp: Money::rupiah(dpp),
        ppn: Money::rupiah(ppn),
        total: Money::rupiah(dpp + ppn),
    }
}

fn sender() -> Sender {
    Sender {
        name: Name::parse("name", "Warga <Net> RT 05").unwrap(),
        pay_to: vec!["BCA 123 a.n. Sari & Co".to_owned()],
        contact: Some("0812-0000-0001".to_owned()),
    }
}

#[test]
fn a_logo_is_a_picture_and_stands_in_the_page() {
    let png = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 1, 2, 3];
    let logo = Logo::of(&png).unwrap();
    assert!(logo.0.starts_with("data:image/png;base64,iVBORw0KGgo"), "{}", logo.0);
    assert_eq!(Logo::of(b"%PDF-1.7"), None);
    assert_eq!(Logo::of(b"<svg onload=x>"), None);
    assert_eq!(Logo::of(&[&png[..], &vec![0; Logo::LARGEST]].concat()), None);
}

#[test]
fn a_document_has_the_size_of_its_sheet_and_nothing_from_elsewhere() {
    let letterhead = Letterhead { size: Sheet::A5, ..Letterhead::default() };
    let html = document("A & <B>", &["<article>1</article>".to_owned()], &letterhead, Language::Id);
    assert!(html.contains("@page{size:A5;") && html.contains("<title>A &amp; &lt;B&gt;</title>"), "{html}");
    assert!(!html.contains("http") && !html.contains("src=") && !html.contains("url("), "{html}");
    assert_eq!((Sheet::parse(" a5 "), Sheet::parse("Letter")), (Some(Sheet::A5), None));
}

#[test]
fn the_head_and_the_ways_to_pay_are_no_markup() {
    let (sender, letterhead) = (
        sender(),
        Letterhead {
            address: vec!["Jl. \"Melati\" 1".to_owned(), "Bandung".to_owned()],
            npwp: Some("01.234.567.8-901.000".to_owned()),
            ..Letterhead::default()
        },
    );
    let of = Stationery { sender: Some(&sender), letterhead: &letterhead, qris: None };
    let head = head(&of);
    assert!(head.contains("Warga &lt;Net&gt; RT 05") && head.contains("Jl. &quot;Melati&quot; 1"), "{head}");
    assert!(head.contains("NPWP 01.234.567.8-901.000") && head.contains("0812-0000-0001"), "{head}");
    let ways = ways_to_pay(&of, "INV-202601-000042", Money::rupiah(66_500), Words(Language::Id));
    assert!(ways.contains("BCA 123 a.n. Sari &amp; Co") && ways.contains("INV-202601-000042"), "{ways}");
}

/// What `engine` gives out is tried on real books in `tests/pages.rs`; here is what the figures look like.
#[test]
fn sums_stand_as_they_were_charged() {
    let lines = [
        InvoiceLine::new(LineKind::Subscription, Money::rupiah(150_000)),
        InvoiceLine { prorated: Some((10, 31)), ..InvoiceLine::new(LineKind::Discount, Money::rupiah(-10_000)) },
        InvoiceLine::new(LineKind::Ppn, Money::rupiah(15_400)),
    ];
    let bill = Bill::of_invoice(invoice(&lines, 140_000, 15_400), Money::rupiah(55_400));
    assert_eq!((bill.total, bill.left(), bill.has_ppn()), (Money::rupiah(155_400), Money::rupiah(100_000), true));
    let plain = Bill::of_invoice(invoice(&lines[..1], 150_000, 0), Money::ZERO);
    assert!(!plain.has_ppn());
    assert_eq!(sum("DPP", bill.dpp, false), "<tr><td>DPP</td><td>Rp 140.000</td></tr>");
    assert_eq!(rupiah(-bill.paid), "-Rp 55.400");
}

use isp_core::billing::{Bill, Invoice, InvoiceKind, InvoiceLine, LineKind};
use isp_core::calendar::{Date, Period};
use isp_core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
use isp_core::message::Sender;
use isp_core::money::Money;
use isp_core::text::Name;
use uuid::Uuid;

use super::content::rupiah;
use super::page::article;
use super::*;

/// A picture of two red pixels.
pub(super) const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x02\x00\x00\x00\x01\x08\x02\x00\x00\x00{@\xe8\xdd\x00\x00\x00\x0dIDATx\xdac8!'\x07D\x00\x08w\x02\x09N.\x09,\x00\x00\x00\x00IEND\xaeB`\x82";

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

/// A bill with these rows.
pub(super) fn paper(rows: usize) -> Paper {
    let row = |n: usize| Row {
        what: format!("Internet, paket Rumah {n}"),
        more: vec!["5 Januari 2026 – 4 Februari 2026".to_owned()],
        amount: Money::rupiah(150_000),
    };
    Paper {
        language: Language::Id,
        provider: "Warga <Net> RT 05".to_owned(),
        letterhead: vec!["Jl. \"Melati\" 1".to_owned(), "NPWP 01.234.567.8-901.000".to_owned()],
        title: "TAGIHAN",
        number: "INV-202601-000042".to_owned(),
        whose: Whose { label: "Kepada", name: "Budi".to_owned(), code: "ID pelanggan P001".to_owned() },
        facts: vec![Fact { label: "Jatuh tempo", value: "15 Januari 2026".to_owned(), strong: true }],
        mark: Some("BELUM DIBAYAR"),
        columns: ["Uraian", "Jumlah"],
        rows: (1..=rows).map(row).collect(),
        sums: vec![Sum { label: "Total", amount: Money::rupiah(166_500), total: true }],
        ways: Some(Ways {
            title: "Cara bayar",
            ways: vec!["BCA 123 a.n. Sari & Co".to_owned()],
            name: "Sebutkan nomor INV-202601-000042".to_owned(),
            qris: Some("00020101021126".to_owned()),
        }),
        sign: None,
    }
}

#[test]
fn a_logo_is_a_picture_that_can_be_read_to_its_end() {
    let logo = Logo::of(PNG).unwrap();
    let html = article(&paper(1), Some(&logo));
    assert!(html.contains("<img src=\"data:image/png;base64,iVBORw0KGgo"), "{html}");
    assert_eq!(format!("{logo:?}"), format!("Logo {{ kind: Png, bytes: {} }}", PNG.len()));
    for other in [&b"%PDF-1.7"[..], b"<svg onload=x>", &PNG[..PNG.len() - 24], &PNG[..11]] {
        assert_eq!(Logo::of(other), None, "{} bytes", other.len());
    }
    assert_eq!(Logo::of(&[PNG, &vec![0; Logo::LARGEST]].concat()), None);
    // 65535 x 65535 pixels, by the head of the file.
    let mut huge = PNG.to_vec();
    huge[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    assert_eq!(Logo::of(&huge), None);
}

#[test]
fn a_document_has_the_size_of_its_sheet_and_nothing_from_elsewhere() {
    let letterhead = Letterhead { size: Sheet::A5, ..Letterhead::default() };
    let html = document("A & <B>", &[Paper { ways: None, ..paper(1) }], &letterhead, Language::Id);
    assert!(html.contains("@page{size:A5;") && html.contains("<title>A &amp; &lt;B&gt;</title>"), "{html}");
    assert!(!html.contains("http") && !html.contains("src=") && !html.contains("url("), "{html}");
    assert_eq!((Sheet::parse(" a5 "), Sheet::parse("Letter")), (Some(Sheet::A5), None));
}

#[test]
fn what_people_typed_is_no_markup() {
    let html = article(&paper(1), None);
    assert!(html.contains("Warga &lt;Net&gt; RT 05") && html.contains("Jl. &quot;Melati&quot; 1"), "{html}");
    assert!(html.contains("BCA 123 a.n. Sari &amp; Co") && html.contains("Sebutkan nomor INV-202601-000042"), "{html}");
    assert_eq!(file_name("kuitansi TRX 77/A \"é\""), "kuitansi-TRX-77-A----");
}

#[test]
fn the_letterhead_and_the_ways_to_pay_come_from_the_settings() {
    let (sender, letterhead) = (
        sender(),
        Letterhead {
            address: vec!["Jl. Melati 1".to_owned(), "Bandung".to_owned()],
            npwp: Some("01.234.567.8-901.000".to_owned()),
            ..Letterhead::default()
        },
    );
    let of = Stationery { sender: Some(&sender), letterhead: &letterhead, qris: None };
    let lines = content::letterhead(&of);
    assert_eq!(lines, ["Jl. Melati 1", "Bandung", "NPWP 01.234.567.8-901.000", "0812-0000-0001"]);
    let ways = content::ways_to_pay(&of, "INV-202601-000042", Money::rupiah(66_500), Words(Language::Id)).unwrap();
    assert_eq!((ways.ways.as_slice(), ways.qris), (sender.pay_to.as_slice(), None));
    let nothing = Stationery { sender: None, letterhead: &letterhead, qris: None };
    assert!(content::ways_to_pay(&nothing, "INV", Money::rupiah(1), Words(Language::Id)).is_none());
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
    assert_eq!((rupiah(bill.dpp), rupiah(-bill.paid)), ("Rp 140.000".to_owned(), "-Rp 55.400".to_owned()));
}

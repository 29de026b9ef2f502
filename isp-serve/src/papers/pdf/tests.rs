use isp_core::money::Money;
use isp_core::text::Language;
use lopdf::Document;

use super::*;
use crate::papers::tests::{PNG, paper};
use crate::papers::{Sheet, Whose};

fn made(papers: &[Paper], letterhead: &Letterhead) -> Vec<u8> {
    pdf("TAGIHAN", papers, letterhead, Language::Id).unwrap()
}

/// The text of each sheet, with one blank where lines end.
fn texts(file: &[u8]) -> Vec<String> {
    let read = Document::load_mem(file).unwrap();
    let text = |(number, _): (u32, _)| read.extract_text(&[number]).unwrap();
    let pages: Vec<String> = read.get_pages().into_iter().map(text).collect();
    pages.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_words_and_figures_of_a_paper_can_be_read_from_its_file() {
    let all = texts(&made(&[paper(2)], &Letterhead::default()));
    let [text] = all.as_slice() else { panic!("{} sheets", all.len()) };
    for said in [
        "Warga <Net> RT 05",
        "Jl. \"Melati\" 1",
        "NPWP 01.234.567.8-901.000",
        "TAGIHAN",
        "Kepada",
        "Budi",
        "ID pelanggan P001",
        "15 Januari 2026",
        "BELUM DIBAYAR",
        "Internet, paket Rumah 2",
        "5 Januari 2026 – 4 Februari 2026",
        "Rp 150.000",
        "Rp 166.500",
        "Cara bayar",
        "BCA 123 a.n. Sari & Co",
        "Sebutkan nomor INV-202601-000042",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("Halaman"), "one sheet has no number: {text}");
}

#[test]
fn the_same_paper_makes_the_same_bytes() {
    let letterhead = Letterhead { logo: Logo::of(PNG), ..Letterhead::default() };
    let file = made(&[paper(40)], &letterhead);
    assert!(file.starts_with(b"%PDF-"));
    assert_eq!(file, made(&[paper(40)], &letterhead));
    assert_ne!(file, made(&[paper(41)], &letterhead));
    // Only the letters that are used are in it: both files of letters have 600 KB.
    assert!(file.len() < 60_000, "{} bytes", file.len());
}

#[test]
fn a_long_table_goes_on_below_the_heads_of_its_columns_and_loses_no_row() {
    for size in [Sheet::A4, Sheet::A5] {
        let all = texts(&made(&[paper(90)], &Letterhead { size, ..Letterhead::default() }));
        assert!(all.len() > 2, "{size:?}: {} sheets", all.len());
        let whole = all.join(" ");
        assert_eq!(whole.matches("Internet, paket Rumah").count(), 90, "{size:?}");
        for (text, number) in all.iter().zip(1..) {
            assert!(text.contains(&format!("Halaman {number} dari {}", all.len())), "{size:?}: {text}");
            let rows = text.contains("Internet, paket Rumah");
            assert_eq!(rows, text.contains("Uraian"), "{size:?}: a sheet with rows has the heads: {text}");
            assert!(text.contains("INV-202601-000042") || number == 1, "{size:?}: {text}");
        }
        assert!(all.last().unwrap().contains("Cara bayar"), "{size:?}");
    }
}

#[test]
fn several_papers_stand_in_one_file_each_on_sheets_of_its_own() {
    let papers = [paper(2), paper(90), paper(3)];
    let alone: usize =
        papers.iter().map(|one| texts(&made(std::slice::from_ref(one), &Letterhead::default())).len()).sum();
    let file = made(&papers, &Letterhead::default());
    assert_eq!(texts(&file).len(), alone);
    let read = Document::load_mem(&file).unwrap();
    assert!(read.catalog().unwrap().has(b"Outlines"), "a mark for each paper");
}

#[test]
fn nothing_is_drawn_outside_of_its_sheet() {
    let faces = Faces::load().unwrap();
    let long = "Universitas Pembangunan Nasional ".repeat(3);
    let wide = "M".repeat(100);
    for size in [Sheet::A4, Sheet::A5] {
        let scale = mark::Scale::of(size);
        for name in [long.as_str(), &wide] {
            let mut one = paper(3);
            one.provider = name.to_owned();
            one.letterhead.push(name.to_owned());
            one.whose.name = name.to_owned();
            one.rows[0].what = name.to_owned();
            one.rows[0].amount = Money::rupiah(9_999_999_999);
            one.sums[0].amount = Money::rupiah(9_999_999_999);
            for mark in flow::pages(&one, &faces, size, Some((4000, 10))).into_iter().flatten() {
                let (x, y, width, height) = match mark {
                    mark::Mark::Text { x, y, size, bold, text, .. } => {
                        (x, y - size, faces.face(bold).width(&text, size), size)
                    }
                    mark::Mark::Bar { x, y, width, height, .. } | mark::Mark::Logo { x, y, width, height } => {
                        (x, y, width, height)
                    }
                    mark::Mark::Code { x, y, side, .. } => (x, y, side, side),
                };
                assert!(x >= scale.margin && x + width <= scale.width - scale.margin + 1, "{size:?}: {x} + {width}");
                assert!(y >= scale.margin / 2 && y + height <= scale.height - scale.margin / 4, "{size:?}: {y}");
            }
        }
    }
}

/// Letters of real names are shown; a sign that Roboto has not becomes an empty box, and nothing fails.
#[test]
fn a_name_may_hold_any_letter() {
    let faces = Faces::load().unwrap();
    let face = faces.face(true);
    for name in ["Sjarif Hidajat-Muñoz", "Łukasz Żółć", "Nguyễn Thị Ánh", "Søren Ærø", "I Gdé Ȩ̀", "Юрий", "Ελένη"]
    {
        let drawn = name.chars().all(|sign| face.glyph(sign).0 != 0);
        assert!(drawn, "{name}");
        let one = Paper { whose: Whose { name: name.to_owned(), ..paper(1).whose }, ..paper(1) };
        let text = texts(&made(&[one], &Letterhead::default())).concat();
        assert!(text.contains(name), "{name}: {text}");
    }
    for name in ["陳美玲", "محمد", "வேலு", "Budi 🌐", "a\u{0}b\tc", "\u{202e}x", ""] {
        let one = Paper { whose: Whose { name: name.to_owned(), ..paper(1).whose }, ..paper(1) };
        assert_eq!(texts(&made(&[one], &Letterhead::default())).len(), 1, "{name}");
    }
}

//! Where everything of a paper stands, and on which sheet.

use isp_core::text::Language;

use super::face::Faces;
use super::mark::{Ink, Mark, Page, Scale, mm};
use crate::papers::content::{Paper, Row, Sign, Sum, Ways, rupiah};
use crate::papers::{Sheet, Words};

/// The largest logo, the side of a QR code and the width of a signature.
const LOGO: (i64, i64) = (mm(380), mm(220));
const CODE: i64 = mm(360);
const SIGN: i64 = mm(600);
/// A pixel of a logo that is small enough as it is: 1/96 inch.
const PIXEL: i64 = 750;

/// The sheets of a paper. `logo` is the size of the picture in pixels.
pub(super) fn pages(paper: &Paper, faces: &Faces, sheet: Sheet, logo: Option<(u32, u32)>) -> Vec<Page> {
    let scale = Scale::of(sheet);
    let mut flow = Flow { paper, faces, scale, done: Vec::new(), page: Vec::new(), y: scale.margin, columns: false };
    flow.head(logo);
    flow.parties();
    flow.table();
    flow.sums();
    if let Some(ways) = &paper.ways {
        flow.ways(ways);
    }
    if let Some(sign) = &paper.sign {
        flow.sign(sign);
    }
    flow.finished()
}

/// The sheets so far, and how far down the last one is written.
struct Flow<'a> {
    paper: &'a Paper,
    faces: &'a Faces,
    scale: Scale,
    done: Vec<Page>,
    page: Page,
    y: i64,
    /// True inside of the table, whose heads stand on each of its sheets.
    columns: bool,
}

/// How letters look.
#[derive(Clone, Copy)]
struct Look {
    size: i64,
    bold: bool,
    ink: Ink,
}

impl Look {
    /// From one line to the next.
    const fn line(self) -> i64 {
        self.size * 14 / 10
    }
}

impl Flow<'_> {
    const fn left(&self) -> i64 {
        self.scale.margin
    }

    const fn right(&self) -> i64 {
        self.scale.width - self.scale.margin
    }

    const fn inside(&self) -> i64 {
        self.scale.width - 2 * self.scale.margin
    }

    const fn base(&self) -> Look {
        Look { size: self.scale.base, bold: false, ink: Ink::Black }
    }

    const fn strong(&self) -> Look {
        Look { bold: true, ..self.base() }
    }

    const fn small(&self) -> Look {
        Look { size: self.scale.small, bold: false, ink: Ink::Grey }
    }

    fn width(&self, text: &str, look: Look) -> i64 {
        self.faces.face(look.bold).width(text, look.size)
    }

    fn lines(&self, text: &str, look: Look, width: i64) -> Vec<String> {
        self.faces.face(look.bold).lines(text, look.size, width)
    }

    /// Puts text in a line whose upper edge is `top`.
    fn put(&mut self, text: &str, look: Look, x: i64, top: i64) {
        // Letters stand a little below the middle of their line.
        let y = top + look.line() / 2 + look.size * 36 / 100;
        let text: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
        if !text.trim().is_empty() {
            self.page.push(Mark::Text { x, y, size: look.size, bold: look.bold, ink: look.ink, text });
        }
    }

    fn put_right(&mut self, text: &str, look: Look, right: i64, top: i64) {
        let x = right - self.width(text, look);
        self.put(text, look, x, top);
    }

    /// Puts the lines of a text below each other, and says where the next one would stand.
    fn block(&mut self, text: &str, look: Look, x: i64, top: i64, width: i64) -> i64 {
        let lines = self.lines(text, look, width);
        lines.iter().zip(0..).for_each(|(line, n)| self.put(line, look, x, top + n * look.line()));
        top + lines.len() as i64 * look.line()
    }

    fn bar(&mut self, x: i64, y: i64, width: i64, height: i64, ink: Ink) {
        self.page.push(Mark::Bar { x, y, width, height, ink });
    }

    fn frame(&mut self, x: i64, y: i64, width: i64, height: i64, thick: i64, ink: Ink) {
        self.bar(x, y, width, thick, ink);
        self.bar(x, y + height - thick, width, thick, ink);
        self.bar(x, y, thick, height, ink);
        self.bar(x + width - thick, y, thick, height, ink);
    }

    /// Takes another sheet when this one has no room for so much.
    fn room(&mut self, height: i64) {
        if self.y + height <= self.scale.height - self.scale.margin {
            return;
        }
        self.done.push(std::mem::take(&mut self.page));
        self.y = self.scale.margin;
        let (look, again) = (self.small(), format!("{} {}", self.paper.title, self.paper.number));
        self.y = self.block(&again, look, self.left(), self.y, self.inside()) + mm(20);
        if self.columns {
            self.column_heads();
        }
    }

    /// Logo, name, address, tax number and contact, above a line.
    fn head(&mut self, logo: Option<(u32, u32)>) {
        let (top, mut x, mut bottom) = (self.y, self.left(), self.y);
        if let Some((width, height)) = logo.map(|(width, height)| fitted(width, height)) {
            self.page.push(Mark::Logo { x, y: top, width, height });
            x += width + mm(60);
            bottom = top + height;
        }
        let (paper, width) = (self.paper, self.right() - x);
        let name = Look { size: self.scale.name, ..self.strong() };
        let mut y = self.block(&paper.provider, name, x, top, width);
        for line in &paper.letterhead {
            y = self.block(line, self.base(), x, y, width);
        }
        let line = y.max(bottom) + mm(40);
        self.bar(self.left(), line, self.inside(), mm(6), Ink::Black);
        self.y = line + mm(66);
    }

    /// The title, whose the paper is, and what is known of it.
    fn parties(&mut self) {
        let paper = self.paper;
        let title = Look { size: self.scale.title, ..self.strong() };
        self.y = self.block(paper.title, title, self.left(), self.y, self.inside()) + mm(30);
        let (gap, top) = (mm(80), self.y);
        let half = (self.inside() - gap) / 2;
        let mut left = self.block(paper.whose.label, self.small(), self.left(), top, half);
        left = self.block(&paper.whose.name, self.strong(), self.left(), left, half);
        left = self.block(&paper.whose.code, self.base(), self.left(), left, half);

        let (look, start) = (Look { ink: Ink::Grey, ..self.base() }, self.left() + half + gap);
        let labels = paper.facts.iter().map(|fact| self.width(fact.label, look)).max().unwrap_or_default();
        let mut y = top;
        for fact in &paper.facts {
            let of = if fact.strong { self.strong() } else { self.base() };
            self.put(fact.label, look, start, y);
            for line in self.lines(&fact.value, of, half - labels - mm(40)) {
                self.put_right(&line, of, self.right(), y);
                y += of.line();
            }
        }
        if let Some(mark) = paper.mark {
            let (pad, look) = (mm(30), self.strong());
            let width = self.width(mark, look) + 2 * pad;
            let (x, high) = (self.right() - width, look.line() + mm(12));
            y += mm(30);
            self.frame(x, y, width, high, mm(5), Ink::Black);
            self.put(mark, look, x + pad, y + mm(6));
            y += high;
        }
        self.y = left.max(y) + mm(50);
    }

    fn column_heads(&mut self) {
        let ([what, amount], look) = (self.paper.columns, self.small());
        self.put(what, look, self.left(), self.y);
        self.put_right(amount, look, self.right(), self.y);
        self.y += look.line() + mm(16);
        self.bar(self.left(), self.y, self.inside(), mm(3), Ink::Black);
        self.y += mm(3);
    }

    fn table(&mut self) {
        let paper = self.paper;
        self.room(4 * self.base().line());
        self.column_heads();
        self.columns = true;
        paper.rows.iter().for_each(|row| self.row(row));
        self.columns = false;
    }

    /// A row, whole on one sheet.
    fn row(&mut self, row: &Row) {
        let (base, small, pad) = (self.base(), self.small(), mm(16));
        let amount = rupiah(row.amount);
        let width = self.inside() - self.width(&amount, base) - mm(40);
        let what = self.lines(&row.what, base, width);
        let more = self.lines(&row.more.join(" · "), small, width);
        let height = what.len() as i64 * base.line() + more.len() as i64 * small.line() + 2 * pad;
        self.room(height);
        let mut y = self.y + pad;
        self.put_right(&amount, base, self.right(), y);
        for line in what {
            self.put(&line, base, self.left(), y);
            y += base.line();
        }
        for line in more {
            self.put(&line, small, self.left(), y);
            y += small.line();
        }
        self.y += height;
        self.bar(self.left(), self.y, self.inside(), mm(2), Ink::Light);
    }

    /// The sums, together on one sheet.
    fn sums(&mut self) {
        let (pad, paper) = (mm(8), self.paper);
        let look = |sum: &Sum| match sum.total {
            true => Look { size: self.scale.total, ..self.strong() },
            false => self.base(),
        };
        let looks: Vec<(Look, &Sum)> = paper.sums.iter().map(|sum| (look(sum), sum)).collect();
        let height: i64 = looks.iter().map(|(look, _)| look.line() + 2 * pad + mm(4)).sum();
        self.room(height + mm(20));
        self.y += mm(20);
        let width = self.inside() * 6 / 10;
        let x = self.right() - width;
        for (look, sum) in looks {
            if sum.total {
                self.bar(x, self.y, width, mm(4), Ink::Black);
                self.y += mm(4);
            }
            self.put(sum.label, look, x, self.y + pad);
            self.put_right(&rupiah(sum.amount), look, self.right(), self.y + pad);
            self.y += look.line() + 2 * pad;
        }
    }

    /// How to pay: a box with accounts on its left and the QR code on its right, whole on one sheet.
    fn ways(&mut self, ways: &Ways) {
        let (pad, bullet) = (mm(40), mm(40));
        let code = ways.qris.as_deref().filter(|text| crate::pages::html::Code::of(text).is_some());
        let width = self.inside() - 2 * pad - code.map_or(0, |_| CODE + mm(60));
        let (base, strong, small) = (self.base(), self.strong(), self.small());
        let lists: Vec<Vec<String>> = ways.ways.iter().map(|way| self.lines(way, base, width - bullet)).collect();
        let name = self.lines(&ways.name, small, width);
        let listed: i64 = lists.iter().map(|lines| lines.len() as i64 * base.line()).sum();
        let text = strong.line() + mm(15) + listed + mm(15) + name.len() as i64 * small.line();
        let height = text.max(code.map_or(0, |_| CODE)) + 2 * pad;
        self.room(height + mm(60));
        let (x, top) = (self.left(), self.y + mm(60));
        self.frame(x, top, self.inside(), height, mm(2), Ink::Grey);
        let mut y = top + pad;
        self.put(ways.title, strong, x + pad, y);
        y += strong.line() + mm(15);
        for lines in lists {
            self.put("•", base, x + pad, y);
            for line in lines {
                self.put(&line, base, x + pad + bullet, y);
                y += base.line();
            }
        }
        y += mm(15);
        for line in name {
            self.put(&line, small, x + pad, y);
            y += small.line();
        }
        if let Some(text) = code {
            let (x, y) = (self.right() - pad - CODE, top + pad);
            self.page.push(Mark::Code { x, y, side: CODE, text: text.to_owned() });
        }
        self.y = top + height;
    }

    /// The day, room to sign, and the name below it.
    fn sign(&mut self, sign: &Sign) {
        let look = self.base();
        let name = self.lines(&sign.name, look, SIGN);
        self.room(mm(80) + look.line() * (1 + name.len() as i64) + mm(180));
        self.y += mm(80);
        let middle = self.right() - SIGN / 2;
        let center = |flow: &mut Self, text: &str, y: i64| {
            let x = middle - flow.width(text, look) / 2;
            flow.put(text, look, x, y);
        };
        center(self, &sign.on, self.y);
        self.y += look.line() + mm(180);
        for line in name {
            center(self, &line, self.y);
            self.y += look.line();
        }
    }

    /// The sheets, numbered when there are several.
    fn finished(mut self) -> Vec<Page> {
        let mut pages = std::mem::take(&mut self.done);
        pages.push(std::mem::take(&mut self.page));
        let (count, words) = (pages.len(), Words(self.paper.language));
        if count > 1 {
            let top = self.scale.height - self.scale.margin * 7 / 10;
            for (page, number) in pages.iter_mut().zip(1..) {
                let text = match words.0 {
                    Language::Id => format!("Halaman {number} dari {count}"),
                    Language::En => format!("Page {number} of {count}"),
                };
                std::mem::swap(&mut self.page, page);
                self.put_right(&text, self.small(), self.right(), top);
                std::mem::swap(&mut self.page, page);
            }
        }
        pages
    }
}

/// A logo as large as its pixels say, and no larger than there is room for.
fn fitted(width: u32, height: u32) -> (i64, i64) {
    let (wide, high) = (i64::from(width.max(1)) * PIXEL, i64::from(height.max(1)) * PIXEL);
    let (most_wide, most_high) = LOGO;
    if wide <= most_wide && high <= most_high {
        return (wide, high);
    }
    match wide * most_high >= high * most_wide {
        true => (most_wide, (high * most_wide / wide).max(1)),
        false => ((wide * most_high / high).max(1), most_high),
    }
}

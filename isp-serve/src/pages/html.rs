//! HTML by hand: no template, no script, nothing from elsewhere.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use isp_core::calendar::Date;
use isp_core::text::Language;
use qrcode::{Color, QrCode};

const STYLE: &str = "body{font:17px/1.5 system-ui,sans-serif;margin:0;background:#f2f4f6;color:#18222c}\
main{max-width:30rem;margin:0 auto;padding:1rem}h1{font-size:1.35rem;margin:.2rem 0}h2{font-size:1.1rem;margin:0 0 .4rem}\
.c{background:#fff;border-radius:.6rem;padding:1rem;margin:.8rem 0;box-shadow:0 1px 2px #0002}\
.bad{border-left:.4rem solid #c62828}.wait{border-left:.4rem solid #ef8e00}.good{border-left:.4rem solid #2e7d32}\
.c>:first-child{margin-top:0}.c>:last-child{margin-bottom:0}.sum{font-size:1.7rem;font-weight:700;margin:.2rem 0 .5rem}\
table{width:100%;border-collapse:collapse}td,th{padding:.35rem 0;text-align:left;\
border-bottom:1px solid #e3e7ea;vertical-align:top}td:last-child,th:last-child{text-align:right;white-space:nowrap;padding-left:.5rem}\
button,.b{display:block;width:100%;box-sizing:border-box;padding:.8rem;border:0;border-radius:.5rem;background:#0b57d0;\
color:#fff;font:inherit;font-weight:600;text-align:center;text-decoration:none;margin:.6rem 0 0}\
.two button{background:#455a64}select{font:inherit;padding:.6rem;width:100%;box-sizing:border-box}\
svg{display:block;width:100%;max-width:17rem;margin:.6rem auto}.s{color:#55626e;font-size:.9rem}code{font-size:1.05em}\
@media print{body{background:#fff}button,.b,form{display:none}.c{box-shadow:none}}";

/// A page.
pub(super) struct Page {
    pub(super) language: Language,
    pub(super) title: String,
    pub(super) body: String,
    /// Seconds after which the page looks again.
    pub(super) again: Option<u16>,
}

impl Page {
    pub(super) fn answer(self, status: StatusCode) -> Response {
        let again = self.again.map(|s| format!("<meta http-equiv=\"refresh\" content=\"{s}\">")).unwrap_or_default();
        let html = format!(
            "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">{again}\
             <title>{}</title><style>{STYLE}</style></head><body><main>{}</main></body></html>",
            self.language.code(),
            escape(&self.title),
            self.body
        );
        guarded((status, html).into_response(), "text/html; charset=utf-8")
    }
}

/// A paper to be printed, with its logo in it.
pub(super) fn paper(html: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    let mut response = guarded((StatusCode::OK, html).into_response(), "text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// An answer that nothing keeps, frames or follows.
pub(super) fn guarded(mut response: Response, kind: &'static str) -> Response {
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Sends the browser elsewhere; nothing of where it came from is kept.
pub(super) fn redirect(status: StatusCode, to: &str) -> Response {
    let mut response = guarded((status, "").into_response(), "text/plain; charset=utf-8");
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// Text that is no markup.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// A name of which only the beginnings are shown: `Budi Santoso` is `B••• S••••••`.
pub(super) fn masked(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first: String = letters.next().into_iter().collect();
        first + &"•".repeat(letters.count().min(6))
    };
    name.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// A day in words.
pub(crate) fn day(day: Date, language: Language) -> String {
    let of_month = day.days_since(day.month().first()) + 1;
    format!("{of_month} {} {}", language.month(day.month()), day.month().year_month().0)
}

/// A QR code: the dark squares of each row, as runs.
pub(crate) struct Code {
    /// How many squares a side has.
    pub(crate) side: usize,
    /// Column and row of the first square of a run, and how many there are.
    pub(crate) runs: Vec<(usize, usize, usize)>,
}

impl Code {
    /// The code of a text; `None` when the text is too long for one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let (side, colors) = (code.width(), code.to_colors());
        let mut runs = Vec::new();
        for (y, row) in colors.chunks(side).enumerate() {
            let mut x = 0;
            while x < side {
                let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
                if run > 0 {
                    runs.push((x, y, run));
                }
                x += run.max(1);
            }
        }
        Some(Self { side, runs })
    }
}

/// A QR code as one path, with its quiet zone; `None` when the text is too long for one.
pub(crate) fn qr(text: &str) -> Option<String> {
    const QUIET: usize = 4;
    let code = Code::of(text)?;
    let run = |(x, y, run): &(usize, usize, usize)| format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
    let path: String = code.runs.iter().map(run).collect();
    let side = code.side + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"QRIS\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_typed_is_no_markup_and_names_are_masked() {
        assert_eq!(escape("<b onload=\"x\">&'"), "&lt;b onload=&quot;x&quot;&gt;&amp;&#39;");
        assert_eq!(masked("Budi Santoso"), "B••• S••••••");
        assert_eq!(masked(""), "");
    }
}

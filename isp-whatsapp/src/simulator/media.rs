//! Files that were uploaded: is this an upload that Meta would take, and what is kept of it?

use std::fmt;

use isp_http::server::Request;

use super::check::{Refusal, authorized, refuse};

/// The largest document that Meta takes.
pub(super) const LARGEST: usize = 100 * 1024 * 1024;
/// Kinds of file that Meta takes as documents; a template's header with a document takes a PDF file only.
const KINDS: [&str; 4] = ["application/pdf", "text/plain", "application/vnd.ms-excel", "application/msword"];

/// A file that the simulated Cloud API has taken.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media {
    /// Meta's id of it.
    pub id: String,
    /// Its name: at first that of the upload, in a message that of the message.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// What is in it. Personal.
    pub content: Vec<u8>,
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Reads an upload: `multipart/form-data` with `messaging_product`, `type` and `file`. The codes are Meta's where they are known;
/// that a file is too large is said by 100 here.
pub(super) fn upload(request: &Request, token: &str, largest: usize) -> Result<Media, Refusal> {
    authorized(request, token)?;
    let kind = request.header("content-type").unwrap_or_default();
    let Some(boundary) = kind.strip_prefix("multipart/form-data; boundary=") else {
        return refuse(400, 100, "content-type must be multipart/form-data");
    };
    let parts = parts(&request.body, boundary.trim_matches('"'));
    let field = |name: &str| parts.iter().find(|part| part.name == name);
    if field("messaging_product").is_none_or(|part| part.content != b"whatsapp") {
        return refuse(400, 100, "(#100) the parameter messaging_product is required");
    }
    let Some(file) = field("file") else { return refuse(400, 100, "(#100) the parameter file is required") };
    if !KINDS.contains(&file.kind.as_str()) || field("type").is_some_and(|part| part.content != file.kind.as_bytes()) {
        return refuse(
            400,
            100,
            format!("(#100) param file must be a file with one of the following types: {}", KINDS.join(", ")),
        );
    }
    if file.content.is_empty() || file.content.len() > largest {
        return refuse(400, 100, "(#100) the file is empty or too large");
    }
    let name = file.file_name.clone().unwrap_or_default();
    Ok(Media { id: String::new(), name, kind: file.kind.clone(), content: file.content.clone() })
}

struct Part {
    name: String,
    file_name: Option<String>,
    kind: String,
    content: Vec<u8>,
}

/// The parts of a form (RFC 7578); one that cannot be read is left out.
fn parts(body: &[u8], boundary: &str) -> Vec<Part> {
    let line = format!("--{boundary}");
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(start) = position(rest, line.as_bytes()) {
        rest = &rest[start + line.len()..];
        let end = position(rest, format!("\r\n{line}").as_bytes()).unwrap_or(rest.len());
        found.extend(part(&rest[..end]));
    }
    found
}

fn part(bytes: &[u8]) -> Option<Part> {
    let end = position(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let of = |key: &str| {
        head.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.trim().eq_ignore_ascii_case(key)))
    };
    let (_, disposition) = of("content-disposition")?;
    let value = |key: &str| {
        let value = disposition.split(';').find_map(|one| one.trim().strip_prefix(key)?.strip_prefix('='))?;
        Some(value.trim_matches('"').to_owned())
    };
    let kind = of("content-type").map(|(_, kind)| kind.trim().to_owned()).unwrap_or_default();
    Some(Part { name: value("name")?, file_name: value("filename"), kind, content: bytes[end + 4..].to_vec() })
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

//! The file of a form: a proof of transfer that a customer sends from the page.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures::StreamExt as _;
use isp_core::protection::{ProofContent, ProofFile};

/// How long a file may take on a phone's connection.
pub(super) const TIME: Duration = Duration::from_secs(120);
/// How many files are read at once: each is held whole.
pub(crate) const AT_ONCE: usize = 8;
/// The name of the field.
pub(super) const FIELD: &str = "file";
/// What a form adds to its file.
const FRAME: u64 = 16 * 1_024;
/// How long somebody is listened to who sends too much, so that the answer is seen.
const LINGER: Duration = Duration::from_secs(10);

/// A file as it came.
pub(super) struct Upload {
    /// Its name.
    pub(super) name: String,
    /// Its bytes.
    pub(super) content: ProofContent,
}

/// Reads the file of a form: the word for the page when there is none, it is too large, or it comes too slowly.
pub(super) async fn read(request: Request<Body>) -> Result<Upload, &'static str> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| "proof_none")?;
    let most = ProofFile::MOST_BYTES as u64;
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut chunks = request.into_body().into_data_stream();
    if told.is_some_and(|told| told > most + FRAME) {
        let rest = async { while let Some(Ok(_)) = chunks.next().await {} };
        let _ = tokio::time::timeout(LINGER, rest).await;
        return Err("proof_large");
    }
    let limit = multer::SizeLimit::new().whole_stream(most + FRAME).per_field(most);
    let limits = multer::Constraints::new().size_limit(limit);
    let mut form = multer::Multipart::with_constraints(chunks, boundary, limits);
    let reading = async {
        while let Some(field) = form.next_field().await? {
            if field.name() == Some(FIELD) {
                let name = field.file_name().unwrap_or_default().to_owned();
                let content = ProofContent::new(field.bytes().await?.to_vec());
                return Ok(Some(Upload { name, content }));
            }
        }
        Ok(None)
    };
    match tokio::time::timeout(TIME, reading).await {
        Ok(Ok(Some(upload))) => Ok(upload),
        Ok(Ok(None)) => Err("proof_none"),
        Ok(Err(multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. })) => {
            Err("proof_large")
        }
        Ok(Err(_)) => Err("proof_none"),
        Err(_) => Err("proof_slow"),
    }
}

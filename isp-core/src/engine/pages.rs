//! Reading all pages of a list that one customer has.

use crate::engine::EngineError;
use crate::ports::{PageQuery, StoreError};

/// All rows, page by page; `id` tells that of a row.
pub(super) async fn all_pages<I: Copy, R, F>(
    limit: u32,
    load: impl Fn(PageQuery<I>) -> F,
    id: impl Fn(&R) -> I,
) -> Result<Vec<R>, EngineError>
where
    F: Future<Output = Result<Vec<R>, StoreError>>,
{
    let mut all = Vec::new();
    let mut page = PageQuery::first(limit);
    loop {
        let rows = load(page).await?;
        let more = page.advance(&rows, &id);
        all.extend(rows);
        if !more {
            return Ok(all);
        }
    }
}

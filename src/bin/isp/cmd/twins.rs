//! Rows that are the same since identities are compared without case: what a database of old may hold.

use isp_store::SqlStore;

use crate::context::Context;

/// Names each pair with what to do about it. Nothing is changed: only a person knows whether they are one or two.
pub(crate) async fn tell(ctx: &Context, store: &SqlStore) -> anyhow::Result<()> {
    for twins in store.twins(ctx.tenant()).await? {
        let variables = [
            ("what", ctx.texts.t(&format!("noun.{}", twins.what))),
            ("names", twins.names.join(", ")),
            ("last", twins.names.last().cloned().unwrap_or_default()),
        ];
        ctx.warn(&format!("twins.{}", twins.what), &variables);
    }
    Ok(())
}

//! Rows that are the same since identities are compared without case: what a database of old may hold.

use std::collections::BTreeMap;

use isp_core::payment::Payment;
use isp_core::ports::{PageQuery, Store};

use crate::context::Context;

/// Names each pair with what to do about it. Nothing is changed: only a person knows whether they are one or two.
pub(crate) async fn tell(ctx: &Context, store: &dyn Store) -> anyhow::Result<()> {
    let mut customers = Twins::default();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.customers(ctx.tenant(), page).await?;
        rows.iter().for_each(|c| customers.add(c.code.folded(), c.code.to_string()));
        if !page.advance(&rows, |last| last.id) {
            break;
        }
    }
    let mut all = vec![("customer", customers)];
    let mut of = |noun: &'static str, codes: Vec<(String, String)>| {
        let mut twins = Twins::default();
        codes.into_iter().for_each(|(folded, code)| twins.add(folded, code));
        all.push((noun, twins));
    };
    let pair = |code: &isp_core::text::Code| (code.folded(), code.to_string());
    of("package", store.packages(ctx.tenant()).await?.iter().map(|p| pair(&p.code)).collect());
    of("site", store.sites(ctx.tenant()).await?.iter().map(|s| pair(&s.code)).collect());
    of("router", store.routers(ctx.tenant()).await?.iter().map(|r| pair(&r.code)).collect());
    of("cpe", store.cpes(ctx.tenant(), None).await?.iter().map(|c| pair(&c.serial)).collect());
    let kinds = store.installation_kinds(ctx.tenant()).await?;
    of("kind", kinds.iter().map(|k| pair(&k.code)).collect());
    for (noun, twins) in all {
        twins.tell(ctx, noun);
    }
    let mut payments = Twins::default();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.payments(ctx.tenant(), None, page).await?;
        for row in rows.iter().filter(|row| row.reversal.is_none()) {
            let Payment { provider, reference, .. } = &row.payment;
            payments.add(Payment::identity(provider, reference), format!("{provider} {reference}"));
        }
        if !page.advance(&rows, |last| last.payment.id) {
            break;
        }
    }
    payments.tell(ctx, "payment");
    Ok(())
}

/// Names by what they are compared by.
#[derive(Default)]
struct Twins(BTreeMap<String, Vec<String>>);

impl Twins {
    fn add(&mut self, folded: String, name: String) {
        self.0.entry(folded).or_default().push(name);
    }

    fn tell(self, ctx: &Context, noun: &'static str) {
        for names in self.0.into_values().filter(|names| names.len() > 1) {
            let variables = [
                ("what", ctx.texts.t(&format!("noun.{noun}"))),
                ("names", names.join(", ")),
                ("last", names.last().cloned().unwrap_or_default()),
            ];
            ctx.warn(&format!("twins.{noun}"), &variables);
        }
    }
}

//! `isp link`: the address of a customer's page.

use clap::Args;
use isp_core::ids::PageLinkId;
use isp_core::ports::{Forgotten, InboxStore as _};
use isp_serve::pages::Token;

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column};

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// Whose.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// Make all links of this customer worthless.
    #[arg(long)]
    revoke: bool,
}

pub(crate) async fn run(ctx: &Context, args: &Link) -> anyhow::Result<Exit> {
    let store = ctx.sql().await?;
    let found = find::customer(ctx, store, &args.customer).await?;
    if args.revoke {
        if !ctx.may("ask.revoke", &[("code", find::named(&found))])? {
            return Ok(Exit::Refused);
        }
        let count = store.forget_links(ctx.tenant(), Forgotten::Customer(found.id)).await?;
        ctx.say("done.links_revoked", &[("code", find::named(&found)), ("count", count.to_string())])?;
        return Ok(Exit::Done);
    }
    let missing =
        || Failure::Config { place: "serve.public_url".into(), reason: "is not set, and links begin with it".into() };
    let url = ctx.config.serve.public_url.as_deref().ok_or_else(missing)?;
    let token = Token::draw()?;
    store.keep_link(ctx.tenant(), token.link(PageLinkId(ctx.id()), found.id, ctx.now)).await?;
    let url = token.url(url);
    let mut row = Rows::new(&[column("customer"), column("url")]);
    row.push(vec![Cell::text(&found.code), Cell::text(&url)]);
    ctx.done("done.link", &[("code", find::named(&found)), ("url", url)], &row)?;
    Ok(Exit::Done)
}

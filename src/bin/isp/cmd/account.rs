//! `isp subscription move`, `rename` and `password`: another account for a line. Billing does not notice.

use clap::Args;
use isp_core::ports::StoreError;
use isp_core::terms::account::AccountChange;
use isp_core::text::Code;
use isp_core::{Error, Secret};

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// The router that serves it from now on.
    #[arg(long, value_parser = args::code, required_unless_present = "site")]
    router: Option<Code>,
    /// The site; that of the router when not given. A site alone means that no router of ours serves the line there.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// The new PPPoE user name.
    #[arg(value_parser = args::code)]
    new_username: Code,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
}

#[derive(Debug, Args)]
pub(crate) struct Password {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// The new PPPoE password; `-` reads it from standard input.
    #[arg(long)]
    password: String,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
}

pub(crate) async fn change_place(ctx: &Context, args: Move) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let router = match &args.router {
        Some(code) => Some(find::router(ctx, store, code).await?),
        None => None,
    };
    let site_id = match (&args.site, &router) {
        (Some(code), _) => find::site(ctx, store, code).await?.id,
        (None, Some(router)) => router.site_id,
        (None, None) => return Err(Error::Empty { field: "site" }.into()),
    };
    let place = Some((site_id, router.map(|r| r.id)));
    let change = AccountChange { place, ..AccountChange::default() };
    let username = apply(ctx, &args.customer, args.username.as_ref(), &change).await?;
    let to = args.router.or(args.site).map(|code| code.to_string()).unwrap_or_default();
    ctx.say("done.moved", &[("code", args.customer.to_string()), ("username", username.to_string()), ("to", to)])?;
    Ok(Exit::Done)
}

pub(crate) async fn rename(ctx: &Context, args: Rename) -> anyhow::Result<Exit> {
    let change = AccountChange { username: Some(args.new_username), ..AccountChange::default() };
    let username = apply(ctx, &args.customer, args.username.as_ref(), &change).await?;
    ctx.say("done.renamed", &[("code", args.customer.to_string()), ("username", username.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn password(ctx: &Context, args: Password) -> anyhow::Result<Exit> {
    let password = args::private(&args.password)?;
    if password.is_empty() {
        return Err(Error::Empty { field: "password" }.into());
    }
    let change = AccountChange { password: Some(Secret::new(password)), ..AccountChange::default() };
    let username = apply(ctx, &args.customer, args.username.as_ref(), &change).await?;
    ctx.say("done.password", &[("code", args.customer.to_string()), ("username", username.to_string())])?;
    Ok(Exit::Done)
}

/// Changes the account of a line; its user name then.
async fn apply(
    ctx: &Context,
    customer: &Code,
    username: Option<&Code>,
    change: &AccountChange,
) -> anyhow::Result<Code> {
    let store = ctx.store().await?;
    let owner = find::customer(ctx, store, customer).await?;
    let (line, _) = find::subscription(ctx, store, &owner, username).await?;
    match ctx.engine(store).change_account(line.id, change, ctx.officer.as_str(), ctx.now).await {
        Ok(line) => Ok(line.account.username),
        Err(isp_core::engine::EngineError::Store(StoreError::Duplicate { what: "subscription.username" })) => {
            let code = change.username.as_ref().unwrap_or(&line.account.username).to_string();
            Err(Failure::Exists { noun: "username", code }.into())
        }
        Err(other) => Err(other.into()),
    }
}

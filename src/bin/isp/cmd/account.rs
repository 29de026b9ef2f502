//! `isp subscription move`, `edit`, `rename` and `password`: another account for a line. Billing does not notice.

use clap::Args;
use isp_core::ports::StoreError;
use isp_core::subscription::{Account, Service, Subscription, Typed};
use isp_core::terms::account::AccountChange;
use isp_core::text::{Code, RouterName};
use isp_core::{Error, Secret};

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use isp_core::customer::Customer;

/// How a new line gets onto the network.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// pppoe, hotspot, static or dhcp; follows from what else is given.
    #[arg(long, value_parser = args::service)]
    service: Option<Service>,
    /// User name of a line that logs in.
    #[arg(long)]
    username: Option<String>,
    /// Its password; `-` reads it from standard input.
    #[arg(long)]
    password: Option<String>,
    /// Fixed IPv4 address of a static line; the one that a DHCP line is given, if it has one of its own.
    #[arg(long)]
    ip_address: Option<String>,
    /// MAC address of the box of a DHCP line.
    #[arg(long)]
    mac: Option<String>,
}

impl Given {
    pub(super) fn account(&self) -> anyhow::Result<Account> {
        let password = self.password.as_deref().map(args::private).transpose()?;
        Ok(Account::read(&Typed {
            service: self.service,
            username: self.username.as_deref(),
            password: password.as_deref(),
            address: self.ip_address.as_deref(),
            mac: self.mac.as_deref(),
        })?)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// pppoe, hotspot, static or dhcp; as it is, or as the rest says, when not given.
    #[arg(long, value_parser = args::service)]
    service: Option<Service>,
    /// User name of a line that logs in.
    #[arg(long)]
    new_username: Option<String>,
    /// Its password; `-` reads it from standard input.
    #[arg(long)]
    password: Option<String>,
    /// Fixed IPv4 address of a static line; the one that a DHCP line is given. `-` gives it one of the pool.
    #[arg(long, allow_hyphen_values = true)]
    ip_address: Option<String>,
    /// MAC address of the box of a DHCP line.
    #[arg(long)]
    mac: Option<String>,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::router_name)]
    username: Option<RouterName>,
}

impl Edit {
    /// What the line is to be known by, where what is not given stays.
    fn account(&self, old: &Account) -> anyhow::Result<Account> {
        let given = Typed {
            service: self.service,
            username: self.new_username.as_deref(),
            password: self.password.as_deref(),
            address: self.ip_address.as_deref(),
            mac: self.mac.as_deref(),
        };
        let nothing = self.new_username.is_none() && self.password.is_none() && self.mac.is_none();
        let service = match (self.service, old.service) {
            (Some(service), _) => service,
            // Another address or user name of the line as it is.
            (None, Service::Dhcp) if nothing => Service::Dhcp,
            (None, Service::Hotspot) if given.service().logs_in() => Service::Hotspot,
            (None, _) => given.service(),
        };
        let (was_mac, was_address) = (old.mac().map(|mac| mac.to_string()), old.address.map(|a| a.to_string()));
        let same = service.logs_in() == old.service.logs_in();
        let stays = |given: Option<&str>, old: &str| given.map(str::to_owned).or_else(|| same.then(|| old.to_owned()));
        let password = self.password.as_deref().map(args::private).transpose()?;
        let (username, password) = match service.logs_in() {
            true => {
                let username = stays(self.new_username.as_deref(), old.username.as_str());
                (username, stays(password.as_deref(), old.password.reveal()))
            }
            false => (self.new_username.clone(), password),
        };
        let address = match self.ip_address.as_deref() {
            Some("-") => None,
            Some(address) => Some(address.to_owned()),
            None if service.logs_in() => None,
            None => was_address,
        };
        let mac = if service == Service::Dhcp { self.mac.clone().or(was_mac) } else { self.mac.clone() };
        Ok(Account::read(&Typed {
            service: Some(service),
            username: username.as_deref(),
            password: password.as_deref(),
            address: address.as_deref(),
            mac: mac.as_deref(),
        })?)
    }
}

pub(crate) async fn edit(ctx: &Context, args: Edit) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let owner = find::customer(ctx, store, &args.customer).await?;
    let (line, _) = find::subscription(ctx, store, &owner, args.username.as_ref()).await?;
    let account = args.account(&line.account)?;
    if account == line.account {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: owner.code.to_string() }.into());
    }
    let change = AccountChange { account: Some(account), ..AccountChange::default() };
    let username = changed(ctx, &line, &change).await?;
    ctx.say("done.renamed", &[("code", find::named(&owner)), ("username", username.to_string())])?;
    Ok(Exit::Done)
}

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The router that serves it from now on.
    #[arg(long, value_parser = args::code, required_unless_present = "site")]
    router: Option<Code>,
    /// The site; that of the router when not given. A site alone means that no router of ours serves the line there.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::router_name)]
    username: Option<RouterName>,
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The new user name, address or MAC address.
    #[arg(value_parser = args::router_name)]
    new_username: RouterName,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::router_name)]
    username: Option<RouterName>,
}

#[derive(Debug, Args)]
pub(crate) struct Password {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The new password; `-` reads it from standard input.
    #[arg(long)]
    password: String,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::router_name)]
    username: Option<RouterName>,
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
    let (owner, username) = apply(ctx, &args.customer, args.username.as_ref(), &change).await?;
    let to = args.router.or(args.site).map(|code| code.to_string()).unwrap_or_default();
    ctx.say("done.moved", &[("code", find::named(&owner)), ("username", username.to_string()), ("to", to)])?;
    Ok(Exit::Done)
}

pub(crate) async fn rename(ctx: &Context, args: Rename) -> anyhow::Result<Exit> {
    let change = AccountChange { username: Some(args.new_username), ..AccountChange::default() };
    let (owner, username) = apply(ctx, &args.customer, args.username.as_ref(), &change).await?;
    ctx.say("done.renamed", &[("code", find::named(&owner)), ("username", username.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn password(ctx: &Context, args: Password) -> anyhow::Result<Exit> {
    let password = args::private(&args.password)?;
    if password.is_empty() {
        return Err(Error::Empty { field: "password" }.into());
    }
    let change = AccountChange { password: Some(Secret::new(password)), ..AccountChange::default() };
    let (owner, username) = apply(ctx, &args.customer, args.username.as_ref(), &change).await?;
    ctx.say("done.password", &[("code", find::named(&owner)), ("username", username.to_string())])?;
    Ok(Exit::Done)
}

/// Changes the account of a line; whose it is, and its user name then.
async fn apply(
    ctx: &Context,
    customer: &args::Whom,
    username: Option<&RouterName>,
    change: &AccountChange,
) -> anyhow::Result<(Customer, RouterName)> {
    let store = ctx.store().await?;
    let owner = find::customer(ctx, store, customer).await?;
    let (line, _) = find::subscription(ctx, store, &owner, username).await?;
    let username = changed(ctx, &line, change).await?;
    Ok((owner, username))
}

async fn changed(ctx: &Context, line: &Subscription, change: &AccountChange) -> anyhow::Result<RouterName> {
    let store = ctx.store().await?;
    match ctx.engine(store).change_account(line.id, change, ctx.officer.as_str(), ctx.now).await {
        Ok(line) => Ok(line.account.username),
        Err(isp_core::engine::EngineError::Store(StoreError::Duplicate { what: "subscription.username" })) => {
            let given = change.account.as_ref().map(|account| &account.username).or(change.username.as_ref());
            let code = given.unwrap_or(&line.account.username).to_string();
            Err(Failure::Exists { noun: "username", code }.into())
        }
        Err(other) => Err(other.into()),
    }
}

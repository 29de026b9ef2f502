//! `isp router import-secrets`: from a filled router to proposals. Nothing is changed, here or there; the files are for
//! a person to check and import.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use isp_core::calendar::Date;
use isp_core::customer::{Customer, Phone};
use isp_core::ids::SubscriptionId;
use isp_core::money::plausible_price;
use isp_core::place::Router;
use isp_core::ports::{PageQuery, Store};
use isp_core::text::Code;
use isp_core::typed::guarded;
use isp_core::{Money, Secret};
use isp_mikrotik::MikrotikAccess;
use isp_mikrotik::access::FoundAccount;
use isp_mikrotik::import::{self, Evidence, Known, Proposals, Verdict};

use super::args;
use super::router::in_use;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};
use crate::wire;

#[derive(Debug, Args)]
pub(crate) struct ImportSecrets {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// The file of subscriptions to write, with passwords; it must not exist.
    #[arg(long)]
    out: PathBuf,
    /// A file of proposed new customers to write; it must not exist.
    #[arg(long)]
    customers: Option<PathBuf>,
    /// A file of proposed packages to write; it must not exist.
    #[arg(long)]
    packages: Option<PathBuf>,
    /// The price of a month of a profile's package, such as 10M=150000; without it a person fills it in.
    #[arg(long, value_name = "PROFILE=AMOUNT", value_parser = profile_price)]
    price: Vec<(String, Money)>,
    /// A match is filled in from this confidence on, in percent.
    #[arg(long, default_value_t = 70, value_parser = clap::value_parser!(u8).range(1..=100))]
    sure: u8,
}

/// Everybody whom an account may belong to, by the id under which the comparison knows them.
type People = BTreeMap<SubscriptionId, Customer>;

pub(crate) async fn run(ctx: &Context, args: ImportSecrets) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let router = in_use(ctx, store, &args.code).await?;
    let accounts = met(ctx, &router)
        .await?
        .read_accounts(&router.endpoint, ctx.config.mikrotik.code_page)
        .await
        .map_err(|error| Failure::Router { code: router.code.to_string(), reason: error.to_string() })?;
    let (accounts, tunnels) = import::lines_only(accounts);
    for account in &tunnels {
        ctx.warn("notice.no_line", &[("account", account.name.clone()), ("service", account.service.clone())]);
    }
    proposed(ctx, &args, &router, &accounts).await
}

/// The same for queues and leases.
pub(crate) async fn run_lines(ctx: &Context, args: ImportSecrets) -> anyhow::Result<Exit> {
    let router = in_use(ctx, ctx.store().await?, &args.code).await?;
    let lines = met(ctx, &router).await?.read_lines_found(&router.endpoint).await;
    let lines = lines.map_err(|error| Failure::Router { code: router.code.to_string(), reason: error.to_string() })?;
    proposed(ctx, &args, &router, &lines).await
}

/// The way to a router on which the machine answers that is known for it: another one's accounts are not its lines.
async fn met(ctx: &Context, router: &Router) -> anyhow::Result<MikrotikAccess> {
    let access = wire::routers(&ctx.config);
    let answered = ctx.engine(ctx.store().await?).meet(&access, router, ctx.now).await?;
    answered.map_err(|error| Failure::Router { code: router.code.to_string(), reason: error.to_string() })?;
    Ok(access)
}

async fn proposed(
    ctx: &Context,
    args: &ImportSecrets,
    router: &Router,
    accounts: &[FoundAccount],
) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let (known, people) = candidates(ctx, store).await?;
    let proposals = import::propose(accounts, &known);
    let packages: BTreeMap<String, String> = store
        .packages(ctx.tenant())
        .await?
        .into_iter()
        .map(|p| (p.group.name.to_string(), p.code.to_string()))
        .collect();
    let site = store.sites(ctx.tenant()).await?.into_iter().find(|site| site.id == router.site_id);
    let hidden = accounts.iter().filter(|account| account.password.is_none() && account.owner.is_none()).count();
    if hidden > 0 {
        ctx.warn("notice.passwords_hidden", &[("count", hidden.to_string())]);
    }
    let groups: Vec<&str> = proposals.packages.iter().map(|package| package.profile.as_str()).collect();
    let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    let around = Around {
        ids: as_codes(&names, people.values().map(|customer| customer.code.folded())),
        codes: as_codes(&groups, packages.values().map(|code| code.to_lowercase())),
        router: &router.code,
        isolation: &ctx.config.mikrotik.isolation_profile,
        today: ctx.today(),
        place: site.map_or_else(|| router.code.to_string(), |site| site.name.to_string()),
        packages,
    };
    let written = write_subscriptions(ctx, args, &around, accounts, &proposals, &people)?;
    if let Some(path) = &args.customers {
        write_customers(path, &around, &proposals)?;
    }
    if let Some(path) = &args.packages {
        write_packages(path, &args.price, &around, &proposals)?;
    }
    show(ctx, &around, accounts, &proposals, &people)?;
    let variables = [("count", written.to_string()), ("file", args.out.display().to_string())];
    ctx.say("done.secrets", &variables)?;
    Ok(Exit::Done)
}

/// What the proposals rest on, beside the accounts.
struct Around<'a> {
    router: &'a Code,
    /// The profile that isolates.
    isolation: &'a str,
    /// The day from which a proposed line is.
    today: Date,
    /// Where the router stands: the address of a customer of whom nothing else is known.
    place: String,
    /// Package codes by group.
    packages: BTreeMap<String, String>,
    /// The id that a new customer has, by account.
    ids: BTreeMap<String, String>,
    /// The code that a proposed package has, by profile.
    codes: BTreeMap<String, String>,
}

/// A code for each name that a router has: the name itself where it is one, else the name with `-` for each sign that no
/// code has, and a number behind it when another has that already. `taken` are codes in small letters.
fn as_codes(names: &[&str], taken: impl Iterator<Item = String>) -> BTreeMap<String, String> {
    let is_code = |name: &str| Code::parse("code", name).is_ok_and(|code| code.as_str() == name);
    let mut taken: BTreeSet<String> = taken.collect();
    let mut codes = BTreeMap::new();
    for name in names.iter().filter(|name| is_code(name)) {
        taken.insert(name.to_lowercase());
        codes.insert((*name).to_owned(), (*name).to_owned());
    }
    for name in names.iter().filter(|name| !is_code(name)) {
        let plain: String = name.chars().map(|sign| if is_code(&sign.to_string()) { sign } else { '-' }).collect();
        let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
        let short: String = words.join("-").chars().take(56).collect();
        let base = if short.is_empty() { "x".to_owned() } else { short };
        let numbered = (2..).map(|number: u32| format!("{base}-{number}"));
        let free = std::iter::once(base.clone()).chain(numbered).find(|code| taken.insert(code.to_lowercase()));
        codes.insert((*name).to_owned(), free.unwrap_or(base));
    }
    codes
}

impl Around<'_> {
    /// What the router says of an account beside its terms: a code of `word.` in the locales.
    fn state(&self, account: &FoundAccount) -> &'static str {
        match account {
            _ if account.disabled => "disabled",
            _ if import::is_isolation_profile(&account.profile, self.isolation) => "isolated",
            _ if account.online => "online",
            _ => "offline",
        }
    }
}

/// `10M=150000`.
fn profile_price(text: &str) -> Result<(String, Money), String> {
    let (profile, price) = text.rsplit_once('=').ok_or("not a profile and an amount, such as 10M=150000")?;
    let price = Money::parse(price).map_err(|error| error.to_string())?;
    plausible_price("price", price).map_err(|error| error.to_string())?;
    Ok((profile.to_owned(), price))
}

/// Every line, and every customer who has none yet: the latter under an id made from the customer's.
async fn candidates(ctx: &Context, store: &dyn Store) -> anyhow::Result<(Vec<Known>, People)> {
    let mut customers = BTreeMap::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.customers(ctx.tenant(), page).await?;
        let more = page.advance(&rows, |last| last.id);
        customers.extend(rows.into_iter().map(|customer| (customer.id, customer)));
        if !more {
            break;
        }
    }
    let (mut known, mut people, mut served) = (Vec::new(), People::new(), BTreeSet::new());
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.subscriptions(ctx.tenant(), None, page).await?;
        let more = page.advance(&rows, |(last, _)| last.id);
        for (subscription, _) in rows {
            let Some(customer) = customers.get(&subscription.customer_id) else { continue };
            served.insert(customer.id);
            known.push(candidate(subscription.id, subscription.account.username.as_str(), customer));
            people.insert(subscription.id, customer.clone());
        }
        if !more {
            break;
        }
    }
    for customer in customers.into_values().filter(|customer| !served.contains(&customer.id)) {
        let id = SubscriptionId(customer.id.0);
        known.push(candidate(id, customer.code.as_str(), &customer));
        people.insert(id, customer);
    }
    Ok((known, people))
}

fn candidate(subscription: SubscriptionId, username: &str, customer: &Customer) -> Known {
    let (customer, phone) = (customer.name.to_string(), customer.phone.clone());
    Known { subscription, username: username.to_owned(), customer, phone }
}

fn show(
    ctx: &Context,
    around: &Around<'_>,
    accounts: &[FoundAccount],
    proposals: &Proposals,
    people: &People,
) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[
        column("account"),
        column("profile"),
        column("state"),
        column("verdict"),
        number("confidence"),
        column("evidence"),
        column("customer"),
        column("name"),
    ]);
    for (account, proposal) in accounts.iter().zip(&proposals.accounts) {
        let of = |id: &SubscriptionId| people.get(id).map(|customer| customer.code.to_string());
        let (verdict, confidence, evidence, customer, name) = match &proposal.verdict {
            Verdict::Ours { subscription } => {
                ("ours", Cell::Empty, Cell::Empty, Cell::maybe(subscription.as_ref().and_then(of)), Cell::Empty)
            }
            Verdict::Match { subscription, confidence, evidence } => {
                let name = people.get(subscription).map(|customer| customer.name.to_string());
                let cells = (Cell::count(*confidence), Cell::Word(word(*evidence)));
                ("match", cells.0, cells.1, Cell::maybe(of(subscription)), Cell::maybe(name))
            }
            Verdict::Conflict { subscriptions, evidence } => {
                let codes: Vec<String> = subscriptions.iter().filter_map(of).collect();
                ("conflict", Cell::Empty, Cell::Word(word(*evidence)), Cell::text(codes.join(", ")), Cell::Empty)
            }
            Verdict::New { name, .. } => ("new", Cell::Empty, Cell::Empty, Cell::Empty, Cell::text(name)),
        };
        let state = around.state(account);
        let (account, profile) = (Cell::text(&account.name), Cell::text(&account.profile));
        let state = Cell::Word(state);
        rows.push(vec![account, profile, state, Cell::Word(verdict), confidence, evidence, customer, name]);
    }
    ctx.rows(&rows)
}

fn word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::UserName => "by_user_name",
        Evidence::Phone => "by_phone",
        Evidence::FullName => "by_full_name",
        Evidence::OneName => "by_one_name",
    }
}

fn write_subscriptions(
    ctx: &Context,
    args: &ImportSecrets,
    around: &Around<'_>,
    accounts: &[FoundAccount],
    proposals: &Proposals,
    people: &People,
) -> anyhow::Result<u64> {
    let mut file = Csv::new(&[
        "id_pelanggan",
        "paket",
        "router",
        "username",
        "password",
        "mulai",
        "tanggal_tagih",
        "keterangan",
        "cara_akses",
        "ip",
        "mac",
    ])?;
    let today = around.today.to_string();
    let mut written = 0;
    for (account, proposal) in accounts.iter().zip(&proposals.accounts) {
        let customer = match &proposal.verdict {
            Verdict::Ours { .. } => continue,
            Verdict::Match { subscription, confidence, .. } if *confidence >= args.sure => {
                people.get(subscription).map_or("", |customer| customer.code.as_str())
            }
            // The same id as in the file of new customers.
            Verdict::New { .. } if args.customers.is_some() => around.ids.get(&account.name).map_or("", String::as_str),
            _ => "",
        };
        let password = account.password.as_ref().map_or("", Secret::reveal);
        let state = around.state(account);
        let known = around.packages.get(&account.profile).map(String::as_str);
        let proposed = around.codes.get(&account.profile).map(String::as_str);
        let proposed = proposed.filter(|_| args.packages.is_some() && state != "isolated");
        let package = known.or(proposed).unwrap_or_default();
        let remark = match state {
            "disabled" | "isolated" => ctx.texts.t(&format!("word.{state}")),
            _ => String::new(),
        };
        let address = account.remote_address.as_deref().unwrap_or_default();
        let (username, service, address, mac) = match account.service.as_str() {
            "static" => ("", "static", address, ""),
            "dhcp" => ("", "dhcp", address, account.name.as_str()),
            _ => (account.name.as_str(), "", "", ""),
        };
        let router = around.router.as_str();
        file.row(&[customer, package, router, username, password, &today, "", &remark, service, address, mac])?;
        written += 1;
    }
    file.save(&args.out)?;
    Ok(written)
}

fn write_customers(path: &Path, around: &Around<'_>, proposals: &Proposals) -> anyhow::Result<()> {
    let mut file = Csv::new(&["id_pelanggan", "nama", "alamat", "telepon"])?;
    for proposal in &proposals.accounts {
        if let Verdict::New { name, phone } = &proposal.verdict {
            let account = proposal.account.as_str();
            let name = if name.is_empty() { account } else { name };
            let phone = phone.as_ref().map(Phone::national).unwrap_or_default();
            let id = around.ids.get(account).map_or(account, String::as_str);
            file.row(&[id, name, &around.place, &phone])?;
        }
    }
    file.save(path)
}

fn write_packages(
    path: &Path,
    prices: &[(String, Money)],
    around: &Around<'_>,
    proposals: &Proposals,
) -> anyhow::Result<()> {
    let mut file = Csv::new(&["kode", "nama", "harga", "kecepatan", "grup"])?;
    let ours = |profile: &str| {
        around.packages.contains_key(profile) || import::is_isolation_profile(profile, around.isolation)
    };
    for package in proposals.packages.iter().filter(|package| !ours(&package.profile)) {
        let name = package.profile.as_str();
        let speed = package.speed.map(|speed| speed.to_string()).unwrap_or_default();
        let price = prices.iter().find(|(profile, _)| profile == name);
        let price = price.map(|(_, price)| price.as_i64().to_string()).unwrap_or_default();
        let code = around.codes.get(name).map_or(name, String::as_str);
        file.row(&[code, name, &price, &speed, name])?;
    }
    file.save(path)
}

/// A file for a person and for `isp import`: no cell of it is a formula.
struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    fn new(heads: &[&str]) -> anyhow::Result<Self> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(heads)?;
        Ok(Self(writer))
    }

    fn row(&mut self, cells: &[&str]) -> anyhow::Result<()> {
        // A number for home use is text to a spreadsheet already.
        let guard = |cell: &&str| {
            if Phone::parse(cell).is_ok_and(|p| p.national() == *cell) { (*cell).to_owned() } else { guarded(cell) }
        };
        Ok(self.0.write_record(cells.iter().map(guard))?)
    }

    fn save(self, path: &Path) -> anyhow::Result<()> {
        let bytes = self.0.into_inner().map_err(|error| error.into_error())?;
        private_file(path, &bytes)
            .map_err(|error| Failure::File { path: path.display().to_string(), reason: error.kind().to_string() })?;
        Ok(())
    }
}

/// Writes a new file that only its owner may read.
pub(super) fn private_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(bytes)
}

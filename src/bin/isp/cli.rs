//! The command line: what can be typed, with help that teaches.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Parser, Subcommand};
use isp_core::calendar::{Date, TimeOfDay};
use isp_core::text::Language;

use crate::cmd;
use crate::output::Format;

/// Runs an Indonesian internet provider: billing, WhatsApp reminders, isolation on MikroTik, reports.
#[derive(Debug, Parser)]
#[command(name = "isp", version = VERSION, after_help = FIRST_STEPS, after_long_help = EXIT_CODES, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The version, or the one that whoever built it named in ISP_VERSION.
const VERSION: &str = match option_env!("ISP_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

const FIRST_STEPS: &str = "\
First steps:
  isp demo                       watch four months of a provider on this machine
  isp init my-isp && cd my-isp   settings, key and database
  isp import DIR --dry-run       what your spreadsheets would become
  isp run                        everything of a day, in order; repeat it as often as you like

`isp --help` also lists the options of every command (--on, --lang, --format ...) and the exit codes; docs/cli.md shows every
command.";

const EXIT_CODES: &str = "\
First steps:
  isp demo                       watch four months of a provider on this machine
  isp init my-isp && cd my-isp   settings, key and database
  isp import DIR --dry-run       what your spreadsheets would become
  isp run                        everything of a day, in order; repeat it as often as you like

Settings come from flags, then ISP_... variables, then isp.toml, then defaults (docs/cli.md).

Exit codes:
  0  done
  1  internal error: a bug
  2  the command line or the settings make no sense
  3  bad input data; nothing was written
  4  what was named does not exist
  5  done in part: some rows, routers or messages failed
  6  a database, router or gateway does not answer
  7  stopped to ask: the isolation breaker (--approve) or the clock (--confirm-clock)
  8  another run is under way";

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// The settings file; else ISP_CONFIG, ./isp.toml, ~/.config/isp/isp.toml.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options", hide_short_help = true)]
    pub(crate) config: Option<PathBuf>,
    /// The database: sqlite:FILE or postgres://...
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options", hide_short_help = true)]
    pub(crate) database: Option<String>,
    /// Whose books: a name of tenants.toml, or an id.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options", hide_short_help = true)]
    pub(crate) tenant: Option<String>,
    /// The file with the key that seals NIK and passwords.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options", hide_short_help = true)]
    pub(crate) key_file: Option<PathBuf>,
    /// Language of the output: id or en.
    #[arg(long = "lang", global = true, value_name = "LANG", value_parser = cmd::args::language, help_heading = "Global options", hide_short_help = true)]
    pub(crate) language: Option<Language>,
    /// Who acts; kept with isolations, reversals, promises and device history.
    #[arg(long = "by", global = true, value_name = "NAME", help_heading = "Global options", hide_short_help = true)]
    pub(crate) officer: Option<String>,
    /// Act as if it were this day (at 12:00 WIB), such as 2026-01-31.
    #[arg(long, global = true, value_name = "DATE", value_parser = cmd::args::day_alone, help_heading = "Global options", hide_short_help = true)]
    pub(crate) on: Option<Date>,
    /// Act as if it were this time in Jakarta, HH:MM.
    #[arg(long, global = true, value_name = "TIME", value_parser = cmd::args::time, help_heading = "Global options", hide_short_help = true)]
    pub(crate) at: Option<TimeOfDay>,
    /// How to print rows.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, help_heading = "Global options", hide_short_help = true)]
    pub(crate) format: Format,
    /// Show all columns of a table, also those that do not fit the screen.
    #[arg(long, global = true, help_heading = "Global options", hide_short_help = true)]
    pub(crate) wide: bool,
    /// Print at once what is longer than the screen, without a pager.
    #[arg(long, global = true, help_heading = "Global options", hide_short_help = true)]
    pub(crate) no_pager: bool,
    /// Only results, warnings and errors.
    #[arg(long, short, global = true, help_heading = "Global options", hide_short_help = true)]
    pub(crate) quiet: bool,
    /// Do what cannot be undone without a question.
    #[arg(long, short, global = true, help_heading = "Global options", hide_short_help = true)]
    pub(crate) yes: bool,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make settings, key file and database in a folder; what is there stays.
    #[command(
        after_help = "Examples:\n  isp init my-isp --name 'Warga Net RT 05'\n  isp init --database postgres://isp@db.example/isp"
    )]
    Init(cmd::init::Init),
    /// Create or update the tables of the database.
    #[command(
        after_help = "Examples:\n  isp migrate --citus\n  isp migrate --wall isp_app\n\nBefore --citus, every node needs the database with the extension citus, and the coordinator knows the others (citus_add_node). Nobody else may use the database meanwhile. Stopped in between, it goes on where it was. From then on, isp migrate distributes new tables by itself.\n\n--wall is for PostgreSQL. Make the user first: CREATE ROLE isp_app LOGIN PASSWORD '...'. Name it in the database URL of the settings from then on; isp migrate, isp backup, isp restore and isp key rotate stay the owner's."
    )]
    Migrate(cmd::init::Migrate),
    /// Copy the database while it is used; the copy is opened and counted.
    #[command(
        after_help = "Examples:\n  isp backup ../copy\n  isp backup /media/usb/isp.db --passphrase -\n\nA file that is there is never replaced."
    )]
    Backup(cmd::backup::Backup),
    /// Bring a copy back where there is no database, such as on another computer.
    #[command(
        after_help = "Example:\n  isp restore /media/usb/isp.db --passphrase -\n\nA database that is there is never replaced."
    )]
    Restore(cmd::backup::Restore),
    /// Providers by name, each in a database; from one database into another.
    #[command(subcommand)]
    Tenant(cmd::tenant::Command),
    /// The key that seals NIK and passwords.
    #[command(subcommand)]
    Key(cmd::key::Command),
    /// Read an owner's spreadsheets; nothing is written when any row is bad.
    #[command(
        after_help = "Examples:\n  isp import spreadsheets --dry-run\n  isp import spreadsheets --billed-from 2026-01-01\n  isp import --customers pelanggan.csv --update\n\nColumns may be named in Indonesian or English, in any order; docs/cli.md lists them. Running it twice imports nothing twice."
    )]
    Import(cmd::import::Import),
    /// Customers.
    #[command(subcommand)]
    Customer(cmd::customer::Command),
    /// Packages and their prices.
    #[command(subcommand)]
    Package(cmd::package::Command),
    /// Customers' use of packages: start, change, pause, end.
    #[command(subcommand)]
    Subscription(cmd::subscription::Command),
    /// Devices at customers' places.
    #[command(subcommand)]
    Cpe(cmd::cpe::Command),
    /// Replace and return devices; their history.
    #[command(subcommand)]
    Device(cmd::cpe::DeviceCommand),
    /// Installations (PSB) and their fees.
    #[command(subcommand)]
    Installation(cmd::installation::Command),
    /// Invoices.
    #[command(subcommand)]
    Invoice(cmd::invoice::Command),
    /// Payments.
    #[command(subcommand)]
    Payment(cmd::payment::Command),
    /// Receipts to be printed or sent.
    #[command(subcommand)]
    Receipt(cmd::paper::Receipt),
    /// Payment requests: an amount that one customer is asked for, as a QRIS code.
    #[command(subcommand)]
    PaymentRequest(cmd::payment_request::Command),
    /// Payment gateways: what they hold, and what they paid out to the bank.
    #[command(subcommand)]
    Gateway(cmd::gateway::Command),
    /// Mutations of bank accounts (mutasi): files of banks, and whose each is.
    #[command(subcommand)]
    Bank(cmd::bank::Command),
    /// Credit notes (nota kredit): what is given back of invoices.
    #[command(subcommand)]
    CreditNote(cmd::credit_note::Command),
    /// Late fees (denda) before they are charged.
    #[command(subcommand)]
    LateFee(cmd::late_fee::Command),
    /// Receivables given up (penghapusan piutang).
    #[command(subcommand)]
    WriteOff(cmd::collect::WriteOffCommand),
    /// Collectors (kolektor): what they hold, and what they hand over (setoran).
    #[command(subcommand)]
    Collector(cmd::collect::CollectorCommand),
    /// Promises to pay (janji bayar).
    #[command(subcommand)]
    Promise(cmd::protect::PromiseCommand),
    /// Proofs of transfer (bukti transfer) that wait for review, and what became of them.
    #[command(subcommand)]
    Proof(cmd::proof::Command),
    /// Exemptions from isolation.
    #[command(subcommand)]
    Exemption(cmd::protect::ExemptionCommand),
    /// Outages of sites.
    #[command(subcommand)]
    Outage(cmd::outage::Command),
    /// Credit that is paid out to customers.
    #[command(subcommand)]
    Refund(cmd::refund::Command),
    /// Expenses.
    #[command(subcommand)]
    Expense(cmd::expense::Command),
    /// Sites.
    #[command(subcommand)]
    Site(cmd::site::Command),
    /// Routers: what stands between them and what is wanted.
    #[command(subcommand)]
    Router(cmd::router::Command),
    /// Write the invoices that have come due; a second time writes nothing twice.
    #[command(after_help = "Examples:\n  isp bill --on 2026-02-01\n  isp bill --dry-run")]
    Bill(cmd::clock::Bill),
    /// Queue the reminders that are due; `deliver` sends them.
    #[command(after_help = "Examples:\n  isp remind\n  isp remind --dry-run")]
    Remind(cmd::clock::Remind),
    /// Decide who is isolated and who is reopened; `deliver` tells the routers.
    #[command(after_help = "Example:\n  isp enforce --approve R1")]
    Enforce(cmd::isolate::Enforce),
    /// Isolate a customer by hand; only `reopen` opens the line again.
    #[command(after_help = "Example:\n  isp isolate P001 --reason 'menjual ulang layanan' --by Sari")]
    Isolate(cmd::isolate::ByHand),
    /// Reopen a customer's lines by hand.
    #[command(after_help = "Example:\n  isp reopen P001 --reason 'sudah dibicarakan' --by Sari")]
    Reopen(cmd::isolate::ByHand),
    /// Bring routers to what is wanted, and send messages.
    Deliver(cmd::clock::Clock),
    /// All of a day, in order: bill, let credit pay, remind, enforce, deliver.
    #[command(
        after_help = "Run it from cron as often as you like, such as every 10 minutes:\n  */10 * * * * isp run --quiet --config /etc/isp/isp.toml"
    )]
    Run(cmd::isolate::Enforce),
    /// The day at a glance: money in, who owes, who is isolated, what waits, what is in trouble.
    Status,
    /// What is wrong with database, sums, key, disk, routers, payment gateways and WhatsApp, and what to do; changes nothing.
    #[command(after_help = "Examples:\n  isp doctor\n  isp doctor --offline --format json")]
    Doctor(cmd::doctor::Doctor),
    /// Who owes, those longest overdue first, with phone and promise.
    #[command(after_help = "Example:\n  isp unpaid --overdue --format csv > tagih.csv")]
    Unpaid(cmd::status::Unpaid),
    /// Settings: which hold, and where each comes from.
    #[command(subcommand)]
    Config(cmd::settings::Command),
    /// Why a customer's line is open or isolated, now or on a past day.
    #[command(after_help = "Example:\n  isp explain P001 --on 2026-02-16")]
    Explain(cmd::explain::Explain),
    /// What would be billed, reminded and isolated, and what another policy would change; nothing is written.
    #[command(
        after_help = "Example:\n  isp simulate --from 2026-03-01 --to 2026-03-31 --policy strict.toml\n\nNobody is assumed to pay what is not paid; in the past, the payments that came in count."
    )]
    Simulate(cmd::simulate::Simulate),
    /// The days on which nobody is isolated: public holidays and your own.
    #[command(after_help = "Example:\n  isp holidays --year 2026")]
    Holidays(cmd::holidays::Holidays),
    /// Your own rules as dated cases: what there is, what happens, what must be true.
    #[command(subcommand)]
    Cases(cmd::cases::Command),
    /// The reports.
    #[command(subcommand)]
    Report(cmd::report::Command),
    /// What waits for routers and the messenger, and what became of it.
    #[command(subcommand)]
    Outbox(cmd::outbox::Command),
    /// A customer's personal data: a copy for the customer, its erasure, and the notice when it was lost.
    #[command(subcommand)]
    Privacy(cmd::privacy::Command),
    /// The log of changes: who changed what, and whether it is whole.
    #[command(subcommand)]
    Audit(cmd::audit::Command),
    /// Webhooks, customers' pages, health and metrics, with the runs of the day and deliveries, until it is stopped.
    #[command(
        after_help = "Examples:\n  isp serve\n  ISP_SERVE__LISTEN=0.0.0.0:8480 isp serve --log-format json\n\nIt listens on this machine only, unless `[serve] listen` says otherwise. docs/serve.md tells the rest."
    )]
    Serve(cmd::serve::Serve),
    /// Whether the server that runs here is ready, for the health check of a container or a service.
    #[command(
        after_help = "Example:\n  isp health && echo ready\n\nIt asks the address of `[serve] listen` and opens no database. Exit code 0: ready; 6: no answer within five seconds, or not ready."
    )]
    Health,
    /// What came in from outside and could not be read.
    #[command(subcommand)]
    Webhook(cmd::webhook::Command),
    /// Make a link to a customer's page: what is owed, how to pay, a promise.
    #[command(
        after_help = "Examples:\n  isp link P001\n  isp link P001 --revoke\n\nThe link holds no name and works until everything is paid, and 7 days longer."
    )]
    Link(cmd::link::Link),
    /// Watch four months of an invented provider on this machine, with real sockets and a proof at the end.
    #[command(
        after_help = "Example:\n  isp demo --keep /tmp/demo && isp --config /tmp/demo/isp.toml report finance --from 2026-01"
    )]
    Demo(cmd::demo::Demo),
    /// Try anything on a copy of your data, with simulated routers and a simulated WhatsApp, until Ctrl-C.
    #[command(
        after_help = "Examples:\n  isp sandbox\n  isp sandbox --run --on 2026-03-05\n\nIt prints what to type in another terminal, and what the simulated phones receive. The real database is only read; the copy is removed at the end."
    )]
    Sandbox(cmd::sandbox::Sandbox),
    /// Run a simulated RouterOS on a loopback port until Ctrl-C.
    SimulateRouter(cmd::simulate_router::Simulate),
    /// Run a simulated payment gateway on a loopback port until Ctrl-C.
    #[command(
        after_help = "Example:\n  isp simulate-gateway midtrans --pay-after 10 --webhook http://127.0.0.1:8480/hooks/midtrans\n\nIt prints the settings for isp.toml. No money moves."
    )]
    SimulateGateway(cmd::simulate_gateway::Simulate),
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  isp completions bash > ~/.local/share/bash-completion/completions/isp")]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages, one for each command.
    #[command(after_help = "Example:\n  isp man ~/.local/share/man/man1 && man isp-invoice")]
    Man {
        /// The directory for them.
        dir: PathBuf,
    },
}

/// Which command was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its name without arguments, as the log of changes tells it.
    pub(crate) command: String,
    /// True when it changes nothing and shows no secret.
    pub(crate) reads_only: bool,
    /// True when it is kept that there was a run of its moment.
    pub(crate) keeps_moment: bool,
    /// True when it books money as of its moment.
    pub(crate) books_money: bool,
}

impl Asked {
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        Self {
            command: name(matches),
            reads_only: reads_only(matches),
            keeps_moment: keeps_moment(matches),
            books_money: books_money(&name(matches)),
        }
    }
}

fn name(matches: &ArgMatches) -> String {
    let (mut names, mut below) = (Vec::new(), matches.subcommand());
    while let Some((name, matches)) = below {
        names.push(name);
        below = matches.subcommand();
    }
    names.join(" ")
}

/// True for runs and parts of a run, unless they only show what they would do.
fn keeps_moment(matches: &ArgMatches) -> bool {
    let Some((name, rest)) = matches.subcommand() else { return false };
    let dry = rest.try_get_one::<bool>("dry_run").ok().flatten().copied().unwrap_or(false);
    matches!(name, "bill" | "remind" | "enforce" | "deliver" | "run") && !dry
}

/// True for commands that book money as of the moment of the command.
fn books_money(command: &str) -> bool {
    matches!(
        command,
        "payment add"
            | "payment reverse"
            | "proof accept"
            | "refund add"
            | "refund ask"
            | "expense add"
            | "write-off add"
            | "credit-note add"
            | "collector deposit"
    )
}

/// True for commands that change nothing and show no secret: they work without the key of the database.
fn reads_only(matches: &ArgMatches) -> bool {
    let (Some((first, rest)), mut last) = (matches.subcommand(), "") else { return false };
    let mut below = rest.subcommand();
    while let Some((name, matches)) = below {
        last = name;
        below = matches.subcommand();
    }
    match first {
        "audit" | "report" | "explain" | "simulate" | "holidays" | "status" | "unpaid" | "config" => true,
        // Other commands about routers log in at one.
        "router" => last == "list",
        _ => matches!(
            last,
            "list" | "show" | "history" | "deposits" | "show-deposit" | "payouts" | "show-payout" | "kinds"
        ),
    }
}

//! The `isp` command: a thin layer over the engine. No rule lives here.
//!
//! | to find | look in |
//! |---|---|
//! | what can be typed | `cli` |
//! | what a command does | `cmd`, one module each |
//! | settings and their order | `config` |
//! | help and errors of the command line in two languages | `speak` |
//! | reading spreadsheets | `import` |
//! | texts in two languages | `i18n`, `locales/` |
//! | exit codes | `failure` |

mod cli;
mod cmd;
mod config;
mod context;
mod failure;
mod grid;
mod i18n;
mod linked;
mod output;
mod portal;
mod progress;
mod routers;
mod screen;
mod simulated;
mod speak;
mod stop;
mod watch;
mod wire;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock};

use chrono::{DateTime, Utc};
use clap::{CommandFactory as _, FromArgMatches as _};
use isp_core::calendar::Zone;
use isp_core::ids::{IdSource, WorkerId};
use isp_core::text::{Language, Name};
use tokio::sync::OnceCell;

use crate::cli::{Cli, Command, Globals};
use crate::config::{Config, Overrides};
use crate::context::Context;
use crate::failure::{Exit, Failure, classify, is_broken_pipe};
use crate::i18n::Texts;
use crate::output::Format;

fn main() -> ExitCode {
    // Everything below takes the moment as an argument. Only claims on the outbox run by the clock, see `watch`.
    let clock = Utc::now();
    let arguments: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let language = speak::language(&arguments);
    let command = speak::grouped(speak::command(Cli::command(), language), language);
    let parsed = match speak::help_as_option(&arguments, &command) {
        Some(words) => command.try_get_matches_from(words),
        None => command.try_get_matches(),
    };
    let parsed = parsed.and_then(|matches| Ok((cli::Asked::of(&matches), Cli::from_arg_matches(&matches)?)));
    let (asked, cli) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return whole(speak::refuse(error, &arguments, language), language).into(),
    };
    let exit = match start(cli, clock, language, asked) {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Done,
        Err(error) => told(&error, language),
    };
    whole(exit, language).into()
}

/// The exit code, or a worse one when a part of the output is lost.
fn whole(exit: Exit, language: Language) -> Exit {
    match output::lost() {
        Some(kind) => exit.worse(told(&Failure::Output { reason: kind.to_string() }.into(), language)),
        None => exit,
    }
}

/// The signal for a file that would exceed the limit, alike on Linux, the BSDs and macOS.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

fn start(cli: Cli, clock: DateTime<Utc>, language: Language, asked: cli::Asked) -> anyhow::Result<Exit> {
    if let Command::Completions { shell } = cli.command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "isp", &mut text);
        output::print(&String::from_utf8_lossy(&text))?;
        return Ok(Exit::Done);
    }
    if let Command::Man { dir } = &cli.command {
        return man(dir, language);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // A file that may not grow (`ulimit -f`) is an error of the write, as a full disk is, and no reason to die.
        #[cfg(unix)]
        let _kept = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ))?;
        run(cli, clock, language, asked).await
    })
}

/// The manual pages, made of the same texts as the help.
fn man(dir: &Path, language: Language) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(speak::command(Cli::command(), language), dir))
        .map_err(|error| Failure::File { path: dir.display().to_string(), reason: error.to_string() })?;
    Ok(Exit::Done)
}

async fn run(cli: Cli, clock: DateTime<Utc>, language: Language, asked: cli::Asked) -> anyhow::Result<Exit> {
    let Cli { globals, command } = cli;
    let flags = Overrides {
        config: globals.config.clone(),
        database: globals.database.clone(),
        tenant: globals.tenant.clone(),
        key_file: globals.key_file.clone(),
        language: globals.language,
        officer: globals.officer.clone(),
    };
    if let Command::Init(args) = &command {
        return cmd::init::init(args, &flags, language).await;
    }
    let config = Config::load(&flags, std::env::vars())?;
    let ctx = context(config, &globals, clock, asked)?;
    if ctx.config.sandbox && !ctx.quiet {
        ctx.warn("warn.sandbox", &[]);
    }
    if let Some(path) = &ctx.config.exposed {
        ctx.warn("warn.settings_readable", &[("file", path.display().to_string())]);
    }
    // What is only looked at may be longer than the screen.
    if ctx.asked.reads_only && ctx.format == Format::Table && !globals.no_pager {
        screen::keep();
    }
    let ahead = ctx.is_ahead();
    let (question, warning) = match ctx.asked.books_money {
        true => ("ask.money_ahead", "warn.money_ahead"),
        false => ("ask.ahead", "warn.ahead"),
    };
    if ahead && ctx.asks() && !ctx.may(question, &ctx.moments())? {
        return Ok(Exit::Refused);
    }
    let done = dispatch(&ctx, command, &flags).await;
    if ahead && !screen::answers() && done.is_ok() {
        ctx.warn(warning, &ctx.moments());
    }
    // Ctrl-C is the pager's while it is there.
    #[cfg(unix)]
    let _pagers = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    output::show()?;
    let exit = ctx.close(done.as_ref().copied().unwrap_or(Exit::Done)).await;
    done.map(|_| exit)
}

async fn dispatch(ctx: &Context, command: Command, flags: &Overrides) -> anyhow::Result<Exit> {
    match command {
        Command::Init(_) | Command::Completions { .. } | Command::Man { .. } => Ok(Exit::Done),
        Command::Migrate(args) => cmd::init::migrate(ctx, &args).await,
        Command::Backup(args) => cmd::backup::backup(ctx, args).await,
        Command::Restore(args) => cmd::backup::restore(ctx, args).await,
        Command::Tenant(command) => cmd::tenant::run(ctx, command).await,
        Command::Key(command) => cmd::key::run(ctx, command).await,
        Command::Import(args) => cmd::import::run(ctx, args).await,
        Command::Customer(command) => cmd::customer::run(ctx, command).await,
        Command::Package(command) => cmd::package::run(ctx, command).await,
        Command::Subscription(command) => cmd::subscription::run(ctx, command).await,
        Command::Cpe(command) => cmd::cpe::run(ctx, command).await,
        Command::Device(command) => cmd::cpe::device(ctx, command).await,
        Command::Installation(command) => cmd::installation::run(ctx, command).await,
        Command::Invoice(command) => cmd::invoice::run(ctx, command).await,
        Command::Receipt(command) => cmd::paper::receipt(ctx, command).await,
        Command::Payment(command) => cmd::payment::run(ctx, command).await,
        Command::Gateway(command) => cmd::gateway::run(ctx, command).await,
        Command::PaymentRequest(command) => cmd::payment_request::run(ctx, command).await,
        Command::Bank(command) => cmd::bank::run(ctx, command).await,
        Command::CreditNote(command) => cmd::credit_note::run(ctx, command).await,
        Command::LateFee(command) => cmd::late_fee::run(ctx, command).await,
        Command::WriteOff(command) => cmd::collect::write_off(ctx, command).await,
        Command::Collector(command) => cmd::collect::collector(ctx, command).await,
        Command::Promise(command) => cmd::protect::promise(ctx, command).await,
        Command::Proof(command) => cmd::proof::run(ctx, command).await,
        Command::Exemption(command) => cmd::protect::exemption(ctx, command).await,
        Command::Outage(command) => cmd::outage::run(ctx, command).await,
        Command::Refund(command) => cmd::refund::run(ctx, command).await,
        Command::Expense(command) => cmd::expense::run(ctx, command).await,
        Command::Site(command) => cmd::site::run(ctx, command).await,
        Command::Router(command) => cmd::router::run(ctx, command).await,
        Command::Bill(clock) => cmd::day::bill(ctx, clock).await,
        Command::Remind(args) => cmd::day::remind(ctx, args).await,
        Command::Enforce(args) => cmd::isolate::enforce(ctx, &args).await,
        Command::Isolate(args) => cmd::isolate::isolate(ctx, args).await,
        Command::Reopen(args) => cmd::isolate::reopen(ctx, args).await,
        Command::Deliver(clock) => cmd::deliver::run(ctx, clock).await,
        Command::Run(args) => cmd::day::run(ctx, &args).await,
        Command::Status => cmd::status::status(ctx).await,
        Command::Doctor(args) => cmd::doctor::run(ctx, args).await,
        Command::Unpaid(args) => cmd::status::unpaid(ctx, &args).await,
        Command::Config(command) => cmd::settings::run(ctx, command, flags),
        Command::Explain(args) => cmd::explain::run(ctx, args).await,
        Command::Simulate(args) => cmd::simulate::run(ctx, &args).await,
        Command::Holidays(args) => cmd::holidays::run(ctx, &args),
        Command::Cases(command) => cmd::cases::run(ctx, command).await,
        Command::Report(command) => cmd::report::run(ctx, command).await,
        Command::Outbox(command) => cmd::outbox::run(ctx, command).await,
        Command::Privacy(command) => cmd::privacy::run(ctx, command).await,
        Command::Audit(command) => cmd::audit::run(ctx, command).await,
        Command::Serve(args) => cmd::serve::run(ctx, &args).await,
        Command::Health => cmd::health::run(ctx).await,
        Command::Webhook(command) => cmd::webhook::run(ctx, command).await,
        Command::Link(args) => cmd::link::run(ctx, &args).await,
        Command::Demo(args) => cmd::demo::run(ctx, args).await,
        Command::Sandbox(args) => cmd::sandbox::run(ctx, args, flags).await,
        Command::SimulateGateway(args) => cmd::simulate_gateway::run(ctx, args).await,
        Command::SimulateRouter(args) => cmd::simulate_router::run(ctx, args).await,
    }
}

fn context(config: Config, globals: &Globals, clock: DateTime<Utc>, asked: cli::Asked) -> anyhow::Result<Context> {
    let officer = config.officer.clone().or_else(|| std::env::var("USER").ok()).filter(|name| !name.trim().is_empty());
    let now = moment(globals, clock);
    // A version 7 id is made of the clock and of random bits; the latter tell two processes apart.
    let entropy = uuid::Uuid::now_v7().as_u64_pair().1;
    let mut ids = IdSource::new(clock, entropy);
    Ok(Context {
        worker: WorkerId(ids.next_uuid()),
        texts: Texts::load(config.language)?,
        now,
        dated: globals.on.is_some() || globals.at.is_some(),
        clock,
        named: globals.on.map(|_| clock),
        format: globals.format,
        quiet: globals.quiet,
        wide: globals.wide,
        yes: globals.yes,
        officer: Name::parse("officer", officer.as_deref().unwrap_or("isp"))?,
        ids: Mutex::new(ids),
        store: OnceCell::new(),
        watch: OnceCell::new(),
        letterhead: OnceLock::new(),
        asked,
        config,
    })
}

/// The moment of the command: the clock, or what `--on` and `--at` say. A day alone means its noon in Jakarta.
fn moment(globals: &Globals, clock: DateTime<Utc>) -> DateTime<Utc> {
    if globals.on.is_none() && globals.at.is_none() {
        return clock;
    }
    let day = globals.on.unwrap_or_else(|| Zone::Wib.date_of(clock));
    let minutes = globals.at.map_or(12 * 60, |time| time.minutes());
    day.at(minutes / 60, minutes % 60, Zone::Wib)
}

/// Prints an error: what happened, its code, what to do.
fn told(error: &anyhow::Error, language: Language) -> Exit {
    let (code, exit) = classify(error);
    // Whoever said no was told that nothing was changed.
    if matches!(error.downcast_ref(), Some(Failure::Declined)) {
        return exit;
    }
    let Ok(texts) = Texts::load(language) else {
        output::note(&format!("isp: {error:#} [{code}]"));
        return exit;
    };
    output::note(&format!("isp: {} [{code}]", texts.failure(error)));
    let arguments: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let asked = speak::asked(&arguments, &Cli::command());
    let advice = texts.advice(error, &[("command", asked.name)]);
    let lacking = match error.downcast_ref::<Failure>() {
        Some(Failure::NotFound { noun, .. }) => texts.find(&format!("advice.no_{noun}"), &[]),
        _ => None,
    };
    for advice in advice.into_iter().chain(lacking) {
        output::note(&format!("     {advice}"));
    }
    if code == "cli.usage"
        && let Some(example) = asked.example
    {
        output::note(&format!("     {} {example}", texts.t("typed.examples")));
    }
    exit
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_day_means_its_noon_in_jakarta() {
        let clock = DateTime::from_timestamp(1_770_000_000, 0).unwrap();
        let at = |words: &[&str]| {
            let words = ["isp"].iter().chain(words).chain(&["bill"]);
            moment(&Cli::parse_from(words).globals, clock).to_rfc3339()
        };
        assert_eq!(at(&[]), clock.to_rfc3339());
        assert_eq!(at(&["--on", "2026-01-31"]), "2026-01-31T05:00:00+00:00");
        assert_eq!(at(&["--on", "31/01/2026", "--at", "06:30"]), "2026-01-30T23:30:00+00:00");
        assert_eq!(at(&["--at", "00:15"]), "2026-02-01T17:15:00+00:00");
    }

    /// Every command says what it does, and stands in the manual.
    #[test]
    fn every_command_has_help_and_a_place_in_the_manual() {
        const MANUAL: &str = include_str!("../../../docs/cli.md");
        fn walk(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                assert!(sub.get_about().is_some_and(|about| about.to_string().len() > 4), "{path}");
                assert!(MANUAL.contains(&path), "docs/cli.md does not mention `{path}`");
                walk(sub, &path);
            }
        }
        walk(&Cli::command(), "isp");
    }
}

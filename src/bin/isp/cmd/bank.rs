//! `isp bank`: what came in on the provider's accounts, and whose it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use isp_core::bank::{
    BankFile, Compared, Incoming, Mutation, MutationRow, MutationState, Telling, account_code, text_of, told_by,
};
use isp_core::engine::{EngineError, Looked, Matched, NamedInstead};
use isp_core::ids::{CustomerId, MutationId};
use isp_core::ports::{MutationQuery, Store, TellingQuery};
use isp_import::decoded;

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read a bank's file, keep each mutation once, and book as payments those whose customer is sure.
    #[command(
        after_help = "Examples:\n  isp bank import mutasi.csv --dry-run\n  isp bank import mutasi.csv\n\nBCA, Mandiri, BNI and BRI as CSV, and MT940 of any bank; the file is known by its heading. The same file, or one that overlaps, counts nothing twice. A payment is the customer's whose request has exactly its amount, or whose ID, phone number, known words or whole name stand in the text. All others wait: isp bank list."
    )]
    Import(Import),
    /// List mutations that wait for somebody to say whose they are, with who it may be.
    List(List),
    /// Show one mutation with what became of it.
    #[command(after_help = "Example:\n  isp bank show 4f1a09c2")]
    Show(Show),
    /// Say whose a mutation is: it becomes this customer's payment, and its words are learnt.
    #[command(after_help = "Example:\n  isp bank match 4f1a09c2 P001")]
    Match(Match),
    /// Say that mutations are no customer's payment.
    #[command(
        after_help = "Examples:\n  isp bank ignore 4f1a09c2 --reason 'bunga bank'\n  isp bank ignore 4f1a09c2 77e0d1b5 --reason 'ditulis ulang'"
    )]
    Ignore(Ignore),
    /// Take back what was said of a mutation: its payment is reversed, and it waits again.
    #[command(after_help = "Example:\n  isp bank unmatch 4f1a09c2 --reason 'salah pelanggan'")]
    Unmatch(Reason),
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file.
    file: PathBuf,
    /// The number or a name of the account, for files that do not tell it.
    #[arg(long)]
    account: Option<String>,
    /// Only show what would become of it.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Also those that were matched or ignored, and money that went out.
    #[arg(long)]
    all: bool,
    /// Only of this account.
    #[arg(long)]
    account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id or the end of it, as `bank list` shows it.
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Match {
    /// Its id or the end of it, as `bank list` shows it.
    id: String,
    /// Whose it is.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
}

#[derive(Debug, Args)]
pub(crate) struct Ignore {
    /// Their ids or the ends of them, as `bank list` shows them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Why; kept with each of them.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Reason {
    /// Its id or the end of it, as `bank list` shows it.
    id: String,
    /// Why; kept with it.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Import(args) => import(ctx, args).await,
        Command::List(args) => list(ctx, args).await,
        Command::Show(Show { id }) => {
            let store = ctx.store().await?;
            let found = find_one(ctx, store, &id).await?;
            ctx.rows(&told(ctx, store, &[found]).await?)?;
            Ok(Exit::Done)
        }
        Command::Match(Match { id, customer }) => {
            let store = ctx.store().await?;
            let mutation = find_one(ctx, store, &id).await?.mutation;
            let customer = find::customer(ctx, store, &customer).await?;
            let by = ctx.officer.as_str();
            let matched = ctx.engine(store).match_mutation(mutation.id, customer.id, by, ctx.now).await?;
            let mut variables = vec![("code", find::named(&customer)), ("amount", mutation.amount.to_string())];
            match matched {
                Matched::Booked(_, report) => {
                    variables.push(("owed", report.owed.to_string()));
                    variables.push(("reopened", report.reopened.len().to_string()));
                    ctx.say("done.mutation_booked", &variables)?;
                }
                _ => ctx.say("done.mutation_linked", &variables)?,
            }
            Ok(Exit::Done)
        }
        Command::Ignore(Ignore { ids, reason }) => {
            let store = ctx.store().await?;
            // All of them are looked for before the first is written.
            let mut found = Vec::with_capacity(ids.len());
            for id in &ids {
                found.push(find_one(ctx, store, id).await?);
            }
            let settled = found.iter().filter(|row| !row.state().waits()).map(|row| shown(row.mutation.id));
            let settled: Vec<String> = settled.collect();
            if !settled.is_empty() {
                return Err(Failure::Settled { ids: settled.join(", ") }.into());
            }
            let ids: Vec<MutationId> = found.iter().map(|row| row.mutation.id).collect();
            for ignored in ctx.engine(store).ignore_mutations(&ids, ctx.officer.as_str(), &reason, ctx.now).await? {
                let variables = [("id", shown(ignored.id)), ("amount", ignored.amount.to_string())];
                ctx.say("done.mutation_ignored", &variables)?;
            }
            Ok(Exit::Done)
        }
        Command::Unmatch(Reason { id, reason }) => {
            let store = ctx.store().await?;
            let mutation = find_one(ctx, store, &id).await?.mutation;
            let by = ctx.officer.as_str();
            let back = ctx.engine(store).unmatch_mutation(mutation.id, by, &reason, ctx.now).await?;
            let variables = [("amount", mutation.amount.to_string()), ("back", back.to_string())];
            ctx.say("done.mutation_unmatched", &variables)?;
            Ok(Exit::Done)
        }
    }
}

async fn import(ctx: &Context, args: Import) -> anyhow::Result<Exit> {
    let text = read(&args.file)?;
    // Somebody who imports several looks for the one that is refused.
    let refused = |error: isp_core::Error| Failure::BankFile { path: args.file.display().to_string(), error };
    let of_file = |error: EngineError| match error {
        EngineError::Domain(error) => anyhow::Error::from(refused(error)),
        other => other.into(),
    };
    let file = BankFile::read(&text).map_err(refused)?;
    let given = args.account.as_deref().map(account_code).transpose()?;
    let account = match (given, &file.account) {
        (Some(given), Some(told)) if given != *told => {
            return Err(refused(isp_core::Error::OtherAccount).into());
        }
        (Some(given), _) => given,
        (None, Some(told)) => told.clone(),
        (None, None) => return Err(refused(isp_core::Error::NoAccount).into()),
    };
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    let (report, looked) = if args.dry_run {
        let report = engine.look_at_bank_file(&file, &account, &text).await.map_err(of_file)?;
        let looked = engine.foresee_mutations(&report.compared, ctx.now).await?;
        (report, looked)
    } else {
        let by = ctx.officer.as_str();
        let report = engine.import_bank_file(&file, &account, &text, by, ctx.now).await.map_err(of_file)?;
        let looked = engine.match_mutations(&report.compared.order, by, ctx.now).await?;
        (report, looked)
    };
    let rows = table(ctx, store, &looked, None).await?;
    ctx.rows(&rows)?;
    let waiting = looked.iter().filter(|l| matches!(l.matched, Matched::Asks(_) | Matched::Failed(_))).count();
    let out = report.compared.new.iter().filter(|m| !m.amount.is_positive()).count();
    let variables = [
        ("bank", file.format.code().to_ascii_uppercase()),
        ("account", account.to_string()),
        ("from", report.days.0.to_string()),
        ("until", report.days.1.to_string()),
        ("new", report.compared.new.len().to_string()),
        ("known", report.compared.known.to_string()),
        ("out", out.to_string()),
        ("pending", file.pending.to_string()),
        ("matched", (looked.len() - waiting).to_string()),
        ("waiting", waiting.to_string()),
    ];
    let key = match (report.known, args.dry_run) {
        (_, true) => "done.bank_file_foreseen",
        (true, false) => "done.bank_file_known",
        (false, false) => "done.bank_file",
    };
    ctx.say(key, &variables)?;
    if !report.compared.missing.is_empty() {
        ctx.warn("warn.mutations_missing", &[("count", report.compared.missing.len().to_string())]);
    }
    warn_corrected(ctx, store, &looked).await?;
    if !args.dry_run {
        warn_instead(ctx, store).await?;
        warn_taken_back(ctx, store).await?;
    }
    let mut exit = Exit::Done;
    for one in &looked {
        if let Matched::Failed(error) = &one.matched {
            let reason = ctx.texts.failure(&error.clone().into());
            ctx.warn("warn.mutation_failed", &[("id", shown(one.mutation.id)), ("reason", reason)]);
            exit = exit.worse(Exit::Partial);
        }
    }
    Ok(exit)
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    let account = args.account.as_deref().map(account_code).transpose()?;
    if !args.all {
        let mut looked = engine.foresee_mutations(&Compared::default(), ctx.now).await?;
        looked.retain(|one| account.as_ref().is_none_or(|a| *a == one.mutation.account));
        let tellings = store.tellings(ctx.tenant(), &TellingQuery { account, ..TellingQuery::default() }).await?;
        ctx.rows(&table(ctx, store, &looked, Some(&tellings)).await?)?;
        warn_corrected(ctx, store, &looked).await?;
        warn_instead(ctx, store).await?;
        warn_taken_back(ctx, store).await?;
        return Ok(Exit::Done);
    }
    let query = MutationQuery { account, ..MutationQuery::default() };
    let mut found = engine.mutations(&query).await?;
    found.sort_by_key(|row| (row.mutation.on, row.mutation.id));
    ctx.rows(&told(ctx, store, &found).await?)?;
    Ok(Exit::Done)
}

/// Mutations with what was said of them.
async fn told(ctx: &Context, store: &dyn Store, found: &[MutationRow]) -> anyhow::Result<Rows> {
    let mut rows = Rows::new(&[
        column("id"),
        column("date"),
        number("amount"),
        column("account"),
        column("told_by"),
        column("text"),
        column("state"),
        column("customer"),
        column("clue"),
        column("by"),
        column("reason"),
        column("may_be"),
    ]);
    let mut payers: BTreeMap<_, CustomerId> = BTreeMap::new();
    for id in found.iter().filter_map(|row| row.mark.as_ref().and_then(|m| m.payment_id)) {
        if let Some(row) = store.payment(ctx.tenant(), id).await? {
            payers.insert(id, row.payment.customer_id);
        }
    }
    let codes = find::codes(ctx, store, payers.values().copied()).await?;
    let tellings = store.tellings(ctx.tenant(), &tellings_of(found)).await?;
    for row in found {
        let mark = row.mark.as_ref();
        let payer = mark.and_then(|m| m.payment_id).and_then(|id| payers.get(&id));
        let state = match row.mutation.amount.is_positive() || row.state() != MutationState::Unmatched {
            true => row.state().code(),
            false => "money_out",
        };
        rows.push(vec![
            Cell::text(shown(row.mutation.id)),
            row.mutation.on.into(),
            row.mutation.amount.into(),
            Cell::text(&row.mutation.account),
            Cell::text(sources(&row.mutation, &tellings)),
            Cell::text(each_once(&text_of(&row.mutation, &tellings))),
            Cell::Word(state),
            Cell::maybe(payer.and_then(|id| codes.get(id))),
            mark.and_then(|m| m.clue).map_or(Cell::Empty, |clue| Cell::Word(clue.code())),
            Cell::maybe(mark.map(|m| &m.by)),
            Cell::maybe(mark.map(|m| &m.reason).filter(|reason| !reason.is_empty())),
            Cell::maybe(row.mutation.may_correct.map(shown)),
        ]);
    }
    Ok(rows)
}

/// Mutations with what became of them, and of those that wait, who it may be.
async fn table(
    ctx: &Context,
    store: &dyn Store,
    looked: &[Looked],
    tellings: Option<&[Telling]>,
) -> anyhow::Result<Rows> {
    let mut columns = vec![
        column("id"),
        column("date"),
        number("amount"),
        column("text"),
        column("becomes"),
        column("customer"),
        column("clue"),
        column("reason"),
        column("may_be"),
    ];
    if tellings.is_some() {
        columns.insert(3, column("told_by"));
    }
    let mut rows = Rows::new(&columns);
    let meanwhile = looked.iter().filter_map(|one| match one.matched {
        Matched::Meanwhile(id) => id,
        _ => None,
    });
    let everybody = looked.iter().flat_map(|one| one.candidates.iter().map(|c| c.customer_id)).chain(meanwhile);
    let codes = find::codes(ctx, store, everybody).await?;
    for one in looked {
        let (becomes, whose) = match &one.matched {
            Matched::Booked(id, _) => ("booked", Some(*id)),
            Matched::Linked(id, _) => ("linked", Some(*id)),
            Matched::Would(id) => ("sure", Some(*id)),
            // Who booked it meanwhile says more of it: isp bank show.
            Matched::Meanwhile(Some(id)) => ("linked", Some(*id)),
            Matched::Meanwhile(None) => ("ignored", None),
            Matched::Asks(_) => ("asks", None),
            Matched::Failed(_) => ("failed", None),
        };
        let meant = one.candidates.iter().filter(|c| whose.is_none_or(|id| id == c.customer_id));
        let mut names: Vec<&str> =
            meant.clone().filter_map(|c| codes.get(&c.customer_id)).map(String::as_str).collect();
        if names.is_empty() {
            names.extend(whose.and_then(|id| codes.get(&id)).map(String::as_str));
        }
        let mut cells = vec![
            Cell::text(shown(one.mutation.id)),
            one.mutation.on.into(),
            one.mutation.amount.into(),
            Cell::text(&one.mutation.text),
            Cell::Word(becomes),
            if names.is_empty() { Cell::Empty } else { Cell::text(names.join(", ")) },
            meant.clone().next().map_or(Cell::Empty, |c| Cell::Word(c.clue.code())),
            match one.matched {
                Matched::Asks(doubt) => Cell::Word(doubt.code()),
                _ => Cell::Empty,
            },
            Cell::maybe(one.other.map(shown)),
        ];
        if let Some(tellings) = tellings {
            cells.insert(3, Cell::text(sources(&one.mutation, tellings)));
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// Says of each mutation that may be another one's row, written anew, what to do.
async fn warn_corrected(ctx: &Context, store: &dyn Store, looked: &[Looked]) -> anyhow::Result<()> {
    for Looked { mutation, other, .. } in looked {
        let Some(other) = other else { continue };
        // What a dry run would keep is not there yet; it is of another row that is told by itself.
        let query = MutationQuery { id: Some(*other), ..MutationQuery::default() };
        let Some(other) = ctx.engine(store).mutations(&query).await?.pop() else { continue };
        let variables = [
            ("id", shown(mutation.id)),
            ("other", shown(other.mutation.id)),
            ("day", mutation.on.to_string()),
            ("amount", mutation.amount.to_string()),
            ("before", other.mutation.amount.to_string()),
        ];
        let says_the_same = mutation.balance.is_none() && mutation.text.eq_ignore_ascii_case(&other.mutation.text);
        let key = match (other.mutation.amount == mutation.amount, mutation.may_correct, other.state()) {
            (true, Some(_), _) if says_the_same => "warn.mutation_may_be_second",
            (true, ..) => "warn.mutation_written_anew",
            (false, Some(_), MutationState::Matched) => "warn.mutation_amount_corrected",
            (false, Some(_), _) => "warn.mutation_amount_corrected_open",
            (false, None, state) if state.waits() => continue,
            (false, None, _) => "warn.mutation_amount_before",
        };
        ctx.warn(key, &variables);
    }
    Ok(())
}

/// What several wrote, each text once.
fn each_once(texts: &str) -> String {
    let mut told: Vec<&str> = Vec::new();
    for text in texts.split(Incoming::SEPARATOR) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told.join(" | ")
}

/// Says of each payment that those who told of it may mean for somebody else, what to do.
async fn warn_instead(ctx: &Context, store: &dyn Store) -> anyhow::Result<()> {
    let found = ctx.engine(store).named_instead(NamedInstead::lately(ctx.now)).await?;
    let people = found.iter().flat_map(|one| one.named.iter().copied().chain([one.booked]));
    let codes = find::codes(ctx, store, people).await?;
    let code = |id: &CustomerId| codes.get(id).cloned().unwrap_or_default();
    for one in &found {
        let named: Vec<String> = one.named.iter().map(code).collect();
        let variables = [("id", shown(one.mutation)), ("booked", code(&one.booked)), ("named", named.join(", "))];
        ctx.warn("warn.mutation_named_instead", &variables);
    }
    Ok(())
}

/// So many transfers are named that a bank may have taken back.
const NAMED: usize = 5;

/// Says of each transfer that a bank took back, and whose payment stands or that waits, what to do.
async fn warn_taken_back(ctx: &Context, store: &dyn Store) -> anyhow::Result<()> {
    let found = ctx.engine(store).taken_back(NamedInstead::lately(ctx.now)).await?;
    let codes = find::codes(ctx, store, found.iter().flat_map(|one| one.of.iter().filter_map(|(_, of)| *of))).await?;
    for one in &found {
        let named = one.of.iter().take(NAMED).map(|(id, of)| match of.and_then(|of| codes.get(&of)) {
            Some(code) => ctx.texts.with("warn.part_booked_for", &[("id", shown(*id)), ("code", code.clone())]),
            None => ctx.texts.with("warn.part_waits", &[("id", shown(*id))]),
        });
        let named = named.collect::<Vec<_>>().join(", ");
        let more = one.of.len().saturating_sub(NAMED).to_string();
        let of =
            if more == "0" { named } else { ctx.texts.with("output.and_more", &[("names", named), ("count", more)]) };
        let variables =
            [("id", shown(one.mutation)), ("day", one.on.to_string()), ("amount", one.amount.to_string()), ("of", of)];
        ctx.warn("warn.mutation_taken_back", &variables);
    }
    Ok(())
}

/// The tellings of these mutations, and of others of their days.
fn tellings_of(found: &[MutationRow]) -> TellingQuery {
    let days = found.iter().map(|row| row.mutation.on);
    let days = days.clone().min().zip(days.max());
    TellingQuery { days, ..TellingQuery::default() }
}

/// Who told of a mutation.
fn sources(mutation: &Mutation, tellings: &[Telling]) -> String {
    told_by(mutation, tellings).into_iter().collect::<Vec<_>>().join(", ")
}

/// The end of an id, enough to name it.
pub(super) fn shown(id: MutationId) -> String {
    let id = id.0.simple().to_string();
    id[id.len() - 8..].to_owned()
}

/// The only mutation whose id ends so.
async fn find_one(ctx: &Context, store: &dyn Store, id: &str) -> anyhow::Result<MutationRow> {
    let end = id.trim().to_ascii_lowercase();
    let mut found = ctx.engine(store).mutations(&MutationQuery::default()).await?;
    // Four signs at least, so that a slip does not choose at random.
    found.retain(|row| end.len() >= 4 && row.mutation.id.to_string().ends_with(&end));
    match found.len() {
        1 => found.pop().ok_or_else(|| Failure::NotFound { noun: "mutation", code: id.to_owned() }.into()),
        0 => Err(Failure::NotFound { noun: "mutation", code: id.to_owned() }.into()),
        count => Err(Failure::Several { noun: "mutation", code: id.to_owned(), count }.into()),
    }
}

/// The text of a file, in the writings that banks use.
fn read(path: &Path) -> anyhow::Result<String> {
    let bytes =
        crate::config::read_bytes(path).map_err(|reason| Failure::File { path: path.display().to_string(), reason })?;
    // A bank's file that nobody can be sure of is read as Latin-1, in which every byte is a sign.
    let latin = || bytes.iter().map(|byte| char::from(*byte)).collect();
    Ok(decoded(&bytes).map_or_else(latin, |(text, _)| text))
}

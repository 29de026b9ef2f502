//! `isp import`: an owner's spreadsheets into the books.

pub(super) mod books;
pub(super) mod folder;
mod preview;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clap::Args;
use isp_core::billing::Billable;
use isp_core::calendar::{Date, DayOrder, Zone};
use isp_core::ids::SubscriptionId;
use isp_core::ports::InstalmentRow;
use isp_core::subscription::Subscription;
use isp_core::text::{Code, Language};
use isp_import::{Accept, Accepted, Batch, Copy, Files, ImportPlan, Kind, Notices, Options, Reading, RowError};

use super::clock::Clock;
use super::router_import::private_file;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Rows, column, number};

/// The order of days of numbers.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Order {
    Dmy,
    Mdy,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A folder with files of sites, routers, packages, customers, subscriptions, cpes, installations and expenses, CSV or
    /// workbooks, with these names or the Indonesian ones; or one file.
    dir: Option<PathBuf>,
    /// A file of sites.
    #[arg(long, value_name = "FILE")]
    sites: Option<PathBuf>,
    /// A file of routers.
    #[arg(long, value_name = "FILE")]
    routers: Option<PathBuf>,
    /// A file of packages.
    #[arg(long, value_name = "FILE")]
    packages: Option<PathBuf>,
    /// A file of customers.
    #[arg(long, value_name = "FILE")]
    customers: Option<PathBuf>,
    /// A file of lines.
    #[arg(long, value_name = "FILE")]
    subscriptions: Option<PathBuf>,
    /// A file of devices.
    #[arg(long, value_name = "FILE")]
    cpes: Option<PathBuf>,
    /// A file of installations.
    #[arg(long, value_name = "FILE")]
    installations: Option<PathBuf>,
    /// A file of expenses.
    #[arg(long, value_name = "FILE")]
    expenses: Option<PathBuf>,
    /// A sheet with customer, package and line in each row.
    #[arg(long, value_name = "FILE")]
    everything: Option<PathBuf>,
    /// What a column is that is called otherwise, such as 'Kontak Person=name'; 'Column=-' leaves it out.
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = column_map)]
    map: Vec<(String, String)>,
    /// Whether 1/2/2026 is the first of February (dmy) or the second of January (mdy), where a column does not show it.
    #[arg(long, value_enum)]
    dates: Option<Order>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Change rows that exist and differ; without it they are listed.
    #[arg(long)]
    update: bool,
    /// The first day that this program bills; earlier periods and installation fees were billed elsewhere. Today when
    /// not given.
    #[arg(long, value_name = "DATE")]
    billed_from: Option<Date>,
    /// Write copies of the files into this folder (one file: to this path), each with a column that says what is wrong in
    /// a row; nothing else is written.
    #[arg(long, value_name = "PATH")]
    fix: Option<PathBuf>,
    /// A row that was asked about and is right as it is, such as installations.csv:7; a file alone accepts all that is
    /// asked about in it.
    #[arg(long, value_name = "FILE:LINE")]
    accept: Vec<Accepted>,
    #[command(flatten)]
    clock: Clock,
}

impl Import {
    fn files(&self) -> Result<Files, Failure> {
        let mut files = Files::default();
        match self.dir.as_deref() {
            Some(path) if path.is_dir() => {
                let what = path.display().to_string();
                files = folder::files(path)
                    .map_err(|error| Failure::File { path: what.clone(), reason: error.kind().to_string() })?;
                if files.is_empty() {
                    return Err(nothing_in(path));
                }
            }
            Some(path) if path.is_file() => folder::add(&mut files, None, path),
            Some(path) => return Err(Failure::Usage { problem: "not_a_folder", what: path.display().to_string() }),
            None => {}
        }
        for (kind, path) in [
            (Kind::Sites, &self.sites),
            (Kind::Routers, &self.routers),
            (Kind::Packages, &self.packages),
            (Kind::Customers, &self.customers),
            (Kind::Subscriptions, &self.subscriptions),
            (Kind::Cpes, &self.cpes),
            (Kind::Installations, &self.installations),
            (Kind::Expenses, &self.expenses),
            (Kind::Everything, &self.everything),
        ] {
            if let Some(path) = path {
                folder::add(&mut files, Some(kind), path);
            }
        }
        if files.is_empty() {
            return Err(Failure::Usage { problem: "import_of_nothing", what: usual_names().join(", ") });
        }
        Ok(files)
    }

    fn reading(&self) -> Reading {
        let order = self.dates.map(|order| match order {
            Order::Dmy => DayOrder::DayFirst,
            Order::Mdy => DayOrder::MonthFirst,
        });
        Reading { maps: self.map.clone(), order }
    }
}

/// A folder or file in which nothing is known.
fn nothing_in(path: &Path) -> Failure {
    let what = format!("{}/{{{}}}", path.display(), usual_names().join(","));
    Failure::Usage { problem: "import_folder_empty", what }
}

fn usual_names() -> Vec<&'static str> {
    Kind::ALL.into_iter().map(Kind::usual).collect()
}

/// `Nama Kolom=field`.
fn column_map(text: &str) -> Result<(String, String), &'static str> {
    let (from, to) = text.rsplit_once('=').ok_or("not a heading and a column, such as 'Kontak Person=name'")?;
    Ok((from.trim().to_owned(), to.trim().to_owned()))
}

pub(crate) async fn run(ctx: &Context, args: Import) -> anyhow::Result<Exit> {
    let (files, reading) = (args.files()?, args.reading());
    let (batch, mut errors) = isp_import::read(&files, &reading);
    let files = args.fix.is_some().then_some(files);
    if let (Some(dir), true, true) = (args.dir.as_deref(), batch.read_as.is_empty(), errors.is_empty()) {
        return Err(nothing_in(dir).into());
    }
    for (kind, file) in batch.read_as.iter().filter(|(kind, file)| file != kind.usual()) {
        let kind = ctx.texts.t(&format!("sheet.{}", kind.usual().trim_end_matches(".csv")));
        ctx.warn("notice.read_as", &[("file", file.clone()), ("kind", kind)]);
    }
    told(ctx, &batch.notices);
    let accept = Accept::new(args.accept.iter().cloned());
    errors.retain(|error| !accept.covers(error));
    let store = ctx.store().await?;
    let existing = books::existing(store, ctx.tenant()).await?;
    let options = Options {
        tenant: ctx.tenant(),
        now: ctx.now,
        billed_from: args.billed_from,
        update: args.update,
        officer: ctx.officer.clone(),
        accept: accept.clone(),
    };
    let planned = {
        let mut ids = ctx.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        isp_import::plan(&batch, &existing, &mut ids, &options)
    };
    let plan = match planned {
        Ok(plan) => Some(plan),
        Err(more) => {
            errors.extend(more);
            None
        }
    };
    errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if let (Some(target), Some(files)) = (&args.fix, &files) {
        let taken = |number: &str| Code::parse("code", number).is_ok_and(|code| existing.has_customer(&code));
        fix(ctx, target, files, &reading, &errors, &taken)?;
    }
    let plan = match plan {
        Some(plan) if errors.is_empty() => plan,
        _ => return refused(ctx, &errors),
    };
    told(ctx, &plan.notices);
    let writes = !args.dry_run && args.fix.is_none();
    if writes {
        // New lines are billed from today on, where nothing else is said. What is refused for the clock names no rows as written.
        args.clock.check(ctx).await?;
    }
    tell(ctx, &batch, &plan, args.update)?;
    foresee(ctx, &plan).await?;
    if !writes {
        args.clock.warn(ctx).await?;
        ctx.say("import.dry_run", &[])?;
        return Ok(Exit::Done);
    }
    let key = if plan.changes.is_empty() { "import.nothing_new" } else { "import.written" };
    // The commit takes room of its own.
    drop((batch, existing));
    books::apply(store, ctx.tenant(), plan).await?;
    ctx.say(key, &[])?;
    Ok(Exit::Done)
}

/// How cells were read, and what was left aside.
fn told(ctx: &Context, notices: &Notices) {
    for (file, column, note, lines) in notices.iter() {
        let (line, count) = (lines.first.to_string(), lines.count.to_string());
        let variables = [("file", file.to_owned()), ("column", column.to_owned()), ("line", line), ("count", count)];
        ctx.warn(note.key(), &variables);
    }
}

/// Names every bad row; nothing is written.
fn refused(ctx: &Context, errors: &[RowError]) -> anyhow::Result<Exit> {
    if ctx.format == Format::Table {
        for fault in isp_import::faults(errors) {
            output::note(&ctx.texts.fault(&fault));
        }
    } else {
        let mut rows =
            Rows::new(&[column("file"), number("file_line"), column("file_column"), column("code"), column("reason")]);
        for error in errors {
            rows.push(vec![
                Cell::text(&error.file),
                Cell::count(error.line),
                Cell::text(&error.column),
                Cell::text(error.problem.code()),
                Cell::text(ctx.texts.problem(&error.problem)),
            ]);
        }
        ctx.rows(&rows)?;
    }
    if !errors.is_empty() && errors.iter().all(|error| error.problem.is_question()) {
        let mut rows: Vec<String> = errors.iter().map(|e| format!("--accept {}:{}", quoted(&e.file), e.line)).collect();
        rows.dedup();
        ctx.warn("import.accept", &[("rows", rows.join(" "))]);
    }
    let rows: BTreeSet<(&str, u64)> = errors.iter().map(|error| (error.file.as_str(), error.line)).collect();
    Err(Failure::BadRows { count: errors.len(), rows: rows.len() }.into())
}

/// A file's name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|sign| sign.is_alphanumeric() || "._-".contains(sign));
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// Writes the copies that say what is wrong; they hold what the files hold, so only their owner may read them.
fn fix(
    ctx: &Context,
    target: &Path,
    files: &Files,
    reading: &Reading,
    errors: &[RowError],
    taken: &dyn Fn(&str) -> bool,
) -> anyhow::Result<()> {
    let separator = if ctx.texts.language() == Language::Id { b';' } else { b',' };
    let say = |error: &RowError| match error.column.as_str() {
        "" => ctx.texts.problem(&error.problem),
        column => format!("{column}: {}", ctx.texts.problem(&error.problem)),
    };
    let copies = isp_import::copies(files, reading, errors, &ctx.texts.t("import.fix_heading"), separator, taken, say)?;
    let places = place(target, &copies);
    let failed = |path: &Path, error: &std::io::Error| Failure::File {
        path: path.display().to_string(),
        reason: error.kind().to_string(),
    };
    for (copy, path) in copies.iter().zip(&places) {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        private_file(path, &copy.bytes).map_err(|error| failed(path, &error))?;
        ctx.warn("import.fix_written", &[("file", path.display().to_string())]);
    }
    Ok(())
}

/// Where the copies go: a single one into a file that does not exist yet, several into a folder.
fn place(target: &Path, copies: &[Copy]) -> Vec<PathBuf> {
    let single = copies.len() == 1 && !target.is_dir() && target.extension().is_some();
    copies.iter().map(|copy| if single { target.to_owned() } else { target.join(&copy.name) }).collect()
}

/// Says what the next billing run writes for the new lines, when it writes anything at once.
async fn foresee(ctx: &Context, plan: &ImportPlan) -> anyhow::Result<()> {
    let store = ctx.store().await?;
    let known = store.sites(ctx.tenant()).await?;
    let zone = |id| plan.changes.sites.iter().chain(&known).find(|site| site.id == id).map_or(Zone::Wib, |s| s.zone);
    let lines: Vec<Billable> = plan.changes.subscriptions.iter().map(|s| billable(s, zone(s.site_id))).collect();
    // A price that the import changes stands behind the one that the books have.
    let mut packages = store.packages(ctx.tenant()).await?;
    packages.retain(|known| !plan.changes.packages.iter().any(|new| new.id == known.id));
    packages.extend(plan.changes.packages.iter().cloned());
    let mut installations = Vec::with_capacity(plan.changes.installation_orders.len());
    if !plan.changes.installation_orders.is_empty() {
        let known = ctx.engine(store).all_subscriptions().await?;
        let all = plan.changes.subscriptions.iter().chain(known.iter().map(|(line, _)| line));
        let mut by_id: HashMap<SubscriptionId, &Subscription> = HashMap::new();
        for line in all {
            by_id.entry(line.id).or_insert(line);
        }
        for order in &plan.changes.installation_orders {
            if let Some(line) = by_id.get(&order.subscription_id) {
                let (package_id, ends_on) = (line.terms.package_id, line.terms.end);
                let (order, site_id, zone) = (order.clone(), line.site_id, zone(line.site_id));
                installations.push(InstalmentRow { order, site_id, zone, package_id, ends_on });
            }
        }
    }
    let (count, amount) = ctx.engine(store).foresee_bills(&lines, &installations, &packages, ctx.now).await?;
    if count > 0 {
        ctx.say("import.bills_foreseen", &[("count", count.to_string()), ("amount", amount.to_string())])?;
    }
    Ok(())
}

fn billable(line: &Subscription, zone: Zone) -> Billable {
    Billable { subscription_id: line.id, customer_id: line.customer_id, site_id: line.site_id, zone, terms: line.terms }
}

fn tell(ctx: &Context, batch: &Batch, plan: &ImportPlan, update: bool) -> anyhow::Result<()> {
    if ctx.format == Format::Table && !ctx.quiet {
        for preview in preview::previews(batch, plan, update).iter().filter(|preview| preview.rows.len() > 0) {
            let file = ("file", preview.file.to_owned());
            output::print(&format!("{}\n", ctx.texts.with("import.preview", &[file])))?;
            ctx.rows(&preview.rows)?;
            if preview.more > 0 {
                let count = ("count", preview.more.to_string());
                output::print(&format!("{}\n", ctx.texts.with("import.preview_more", &[count])))?;
            }
            output::print("\n")?;
        }
    }
    let mut rows = Rows::new(&[column("file"), number("new"), number("same"), number("differ"), number("left_out")]);
    for (file, counts) in &plan.counts {
        rows.push(vec![
            Cell::text(file),
            Cell::count(counts.new),
            Cell::count(counts.same),
            Cell::count(counts.differ),
            Cell::count(counts.left_out),
        ]);
    }
    ctx.rows(&rows)?;
    for change in &plan.differences {
        let variables =
            [("file", change.file.clone()), ("line", change.line.to_string()), ("columns", change.columns.join(", "))];
        match (change.updatable, update) {
            (true, true) => ctx.warn("import.changed", &variables),
            (true, false) => ctx.warn("import.differs", &variables),
            (false, _) => ctx.warn("import.not_updatable", &variables),
        }
    }
    for (file, line) in &plan.left_out {
        ctx.warn("import.left_out", &[("file", file.clone()), ("line", line.to_string())]);
    }
    Ok(())
}

//! `isp import`: an owner's spreadsheets into the books.

use std::path::PathBuf;

use clap::Args;
use isp_core::calendar::Date;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::import::{self, Accept, Accepted, Files, ImportPlan, Options, RowError};
use crate::output::{self, Cell, Format, Rows, column, number};

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A folder with sites.csv, routers.csv, packages.csv, customers.csv, subscriptions.csv, cpes.csv,
    /// installations.csv and expenses.csv; those that are not there are left out.
    dir: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    sites: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    routers: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    packages: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    customers: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    subscriptions: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    cpes: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    installations: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    expenses: Option<PathBuf>,
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
    /// A row that was asked about and is right as it is, such as installations.csv:7; a file alone accepts all that is
    /// asked about in it.
    #[arg(long, value_name = "FILE:LINE")]
    accept: Vec<Accepted>,
}

impl Import {
    fn files(&self) -> Result<Files, Failure> {
        let usual = self.dir.as_deref().map(Files::in_dir).unwrap_or_default();
        let files = Files {
            sites: self.sites.clone().or(usual.sites),
            routers: self.routers.clone().or(usual.routers),
            packages: self.packages.clone().or(usual.packages),
            customers: self.customers.clone().or(usual.customers),
            subscriptions: self.subscriptions.clone().or(usual.subscriptions),
            cpes: self.cpes.clone().or(usual.cpes),
            installations: self.installations.clone().or(usual.installations),
            expenses: self.expenses.clone().or(usual.expenses),
        };
        if files.is_empty() {
            return Err(match self.dir.as_deref() {
                None => Failure::Usage { problem: "import_of_nothing", what: Files::NAMES.join(", ") },
                Some(dir) if dir.is_dir() => {
                    let what = format!("{}/{{{}}}", dir.display(), Files::NAMES.join(","));
                    Failure::Usage { problem: "import_folder_empty", what }
                }
                Some(dir) => Failure::Usage { problem: "not_a_folder", what: dir.display().to_string() },
            });
        }
        Ok(files)
    }
}

pub(crate) async fn run(ctx: &Context, args: Import) -> anyhow::Result<Exit> {
    let (batch, mut errors) = import::read(&args.files()?);
    let accept = Accept::new(args.accept.iter().cloned());
    errors.retain(|error| !accept.covers(error));
    let store = ctx.store().await?;
    let existing = import::Existing::load(store, ctx.tenant()).await?;
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
        import::plan(&batch, &existing, &mut ids, &options)
    };
    let plan = match planned {
        Ok(plan) if errors.is_empty() => plan,
        Ok(_) => return refused(ctx, errors),
        Err(more) => {
            errors.extend(more);
            return refused(ctx, errors);
        }
    };
    tell(ctx, &plan, args.update)?;
    if args.dry_run {
        ctx.say("import.dry_run", &[])?;
        return Ok(Exit::Done);
    }
    import::apply(store, ctx.tenant(), plan).await?;
    ctx.say("import.written", &[])?;
    Ok(Exit::Done)
}

/// Names every bad row; nothing is written.
fn refused(ctx: &Context, mut errors: Vec<RowError>) -> anyhow::Result<Exit> {
    errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if ctx.format == Format::Table {
        for error in &errors {
            output::note(&ctx.texts.row_error(error));
        }
    } else {
        let mut rows =
            Rows::new(&[column("file"), number("file_line"), column("file_column"), column("code"), column("reason")]);
        for error in &errors {
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
    Err(Failure::BadRows { count: errors.len() }.into())
}

fn tell(ctx: &Context, plan: &ImportPlan, update: bool) -> anyhow::Result<()> {
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

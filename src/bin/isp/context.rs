//! What every command works with: settings, texts, the moment, the store.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::calendar::{Date, Zone};
use isp_core::clock::ClockPolicy;
use isp_core::engine::{BillPaper, Engine, Papers, ReceiptPaper};
use isp_core::ids::{IdSource, TenantId, WorkerId};
use isp_core::payment::Qris;
use isp_core::ports::{PortError, Store, Worker};
use isp_core::text::Name;
use isp_serve::papers::{Letterhead, Stationery};
use isp_store::SqlStore;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::cli::Asked;
use crate::config::Config;
use crate::failure::Exit;
use crate::i18n::Texts;
use crate::output::{self, Format, Rows};
use crate::screen;
use crate::watch::StoreWatch;
use crate::wire;

/// How many damaged rows are named; when a key is missing from the ring, it may be all of them.
const DAMAGED_SHOWN: usize = 20;

/// What every command works with.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) texts: Texts,
    /// The moment of the command, read once or given by `--on` and `--at`.
    pub(crate) now: DateTime<Utc>,
    /// True when `--on` or `--at` named the moment.
    pub(crate) dated: bool,
    /// What the clock says.
    pub(crate) clock: DateTime<Utc>,
    /// What the clock says, when `--on` named another day or the same.
    pub(crate) named: Option<DateTime<Utc>>,
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    /// True when tables are shown whole, however wide they are.
    pub(crate) wide: bool,
    /// True when what cannot be undone is done without a question.
    pub(crate) yes: bool,
    /// Who acts.
    pub(crate) officer: Name,
    pub(crate) ids: Mutex<IdSource>,
    /// This process, as the store knows it.
    pub(crate) worker: WorkerId,
    pub(crate) store: OnceCell<Arc<SqlStore>>,
    /// The watch of this process, set by the database's clock.
    pub(crate) watch: OnceCell<StoreWatch>,
    /// What stands on papers besides, read when the first is made.
    pub(crate) letterhead: OnceLock<(Letterhead, Option<Qris>)>,
    /// Which command it is.
    pub(crate) asked: Asked,
}

impl Context {
    /// The store, opened on first use. A command that only reads opens it also without the key, and says so.
    pub(crate) async fn store(&self) -> anyhow::Result<&dyn Store> {
        Ok(self.sql().await?)
    }

    /// The same, for what only a database of ours keeps.
    pub(crate) async fn sql(&self) -> anyhow::Result<&SqlStore> {
        Ok(self.shared().await?)
    }

    /// The same, for what outlives a borrow.
    pub(crate) async fn shared(&self) -> anyhow::Result<&Arc<SqlStore>> {
        let opened = self.store.get_or_try_init(|| async {
            if !self.asked.reads_only {
                let store = wire::store(&self.config).await?;
                store.works_here(self.tenant()).await?;
                return Ok(Arc::new(store.acting(self.officer.as_str(), &self.asked.command)));
            }
            let (store, without_key) = wire::reader(&self.config).await?;
            store.works_here(self.tenant()).await?;
            if let Some(reason) = without_key {
                self.warn("warn.without_key", &[("reason", self.texts.failure(&reason))]);
            }
            Ok(Arc::new(store))
        });
        opened.await
    }

    /// Ends the work on the store, if it was opened: names the rows that could not be read, and leaves the database in a
    /// state that can be copied.
    pub(crate) async fn close(&self, exit: Exit) -> Exit {
        let Some(store) = self.store.get() else { return exit };
        let damaged = store.damaged();
        store.close().await;
        for row in damaged.iter().take(DAMAGED_SHOWN) {
            let variables = [
                ("what", self.texts.said(row.what)),
                ("id", row.id.to_string()),
                ("reason", self.texts.damage(&row.reason)),
            ];
            self.warn("warn.damaged", &variables);
        }
        if let Some(more) = damaged.len().checked_sub(DAMAGED_SHOWN).filter(|more| *more > 0) {
            self.warn("warn.damaged_more", &[("count", more.to_string())]);
        }
        if damaged.is_empty() { exit } else { exit.worse(Exit::Partial) }
    }

    /// The engine over a store.
    pub(crate) fn engine<'a>(&'a self, store: &'a dyn Store) -> Engine<'a> {
        Engine {
            page: self.config.worker.page,
            sender: self.config.provider.as_ref(),
            papers: Some(self),
            ..Engine::new(store, self.tenant(), &self.config.policy)
        }
    }

    /// Address, tax number, logo and QRIS code of papers, read from the settings once.
    fn letterhead(&self) -> Result<&(Letterhead, Option<Qris>), PortError> {
        if let Some(read) = self.letterhead.get() {
            return Ok(read);
        }
        let refused = |code, reason| PortError::Refused { code, reason };
        let letterhead = wire::letterhead(&self.config).map_err(|error| refused(error.code(), error.to_string()))?;
        let qris = self.config.payment.qris.as_deref().map(Qris::parse).transpose();
        let qris = qris.map_err(|error| refused(error.code(), error.to_string()))?;
        Ok(self.letterhead.get_or_init(|| (letterhead, qris)))
    }

    /// Makes papers with what the settings say.
    fn with_stationery<T>(&self, made: impl FnOnce(Stationery<'_>) -> Result<T, PortError>) -> Result<T, PortError> {
        let (letterhead, qris) = self.letterhead()?;
        made(Stationery { sender: self.config.provider.as_ref(), letterhead, qris: qris.as_ref() })
    }

    /// This process as one of the workers on the outbox. Its claims run by the database's clock, whatever moment the
    /// command works for.
    pub(crate) async fn worker(&self) -> anyhow::Result<Worker<'_>> {
        let store = self.sql().await?;
        let watch = self.watch.get_or_try_init(|| StoreWatch::by(store)).await?;
        let lease = TimeDelta::seconds(self.config.worker.lease_seconds.into());
        Ok(Worker { id: self.worker, lease, watch })
    }

    pub(crate) const fn tenant(&self) -> TenantId {
        self.config.tenant
    }

    /// A new id.
    pub(crate) fn id(&self) -> Uuid {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).next_uuid()
    }

    /// The civil day of the command in Jakarta.
    pub(crate) fn today(&self) -> Date {
        Zone::Wib.date_of(self.now)
    }

    /// True when the command writes as of a moment that has not come, so that later runs by the clock are refused until it has. In a
    /// sandbox that harms nobody.
    pub(crate) fn is_ahead(&self) -> bool {
        let counts = self.asked.keeps_moment || self.asked.books_money;
        self.dated && !self.config.sandbox && counts && ClockPolicy::is_ahead(self.now, self.clock)
    }

    /// The moment of the command and that of the clock, as both are said.
    pub(crate) fn moments(&self) -> [(&'static str, String); 2] {
        let said = |at| format!("{} {} WIB", Zone::Wib.date_of(at), Zone::Wib.time_of(at));
        [("named", said(self.now)), ("clock", said(self.clock))]
    }

    /// Prints rows in the chosen format.
    pub(crate) fn rows(&self, rows: &Rows) -> anyhow::Result<()> {
        output::print(&rows.render(self.format, &self.texts, self.room())?)
    }

    /// Prints rows a page at a time; the columns are those of `empty`.
    pub(crate) fn pages(&self, empty: Rows) -> output::Pages<'_> {
        output::Pages::new(self.format, &self.texts, self.room(), empty)
    }

    /// How wide a table may be; as wide as it is where nobody looks at it on a terminal.
    pub(crate) fn room(&self) -> Option<usize> {
        if self.wide { None } else { screen::width() }
    }

    /// Prints a sentence for people; for programs, a row of the same facts.
    pub(crate) fn done(&self, key: &str, variables: &[(&str, String)], row: &Rows) -> anyhow::Result<()> {
        match self.format {
            Format::Table => output::print(&format!("{}\n", self.texts.with(key, variables))),
            Format::Csv | Format::Json => self.rows(row),
        }
    }

    /// Prints a sentence for people, nothing for programs.
    pub(crate) fn say(&self, key: &str, variables: &[(&str, String)]) -> anyhow::Result<()> {
        if self.quiet || self.format != Format::Table {
            return Ok(());
        }
        output::print(&format!("{}\n", self.texts.with(key, variables)))
    }

    /// True when somebody sits at a terminal who can answer a question, and did not answer it with `--yes`.
    pub(crate) fn asks(&self) -> bool {
        !self.yes && screen::answers()
    }

    /// Asks before what cannot be undone. Where nobody can answer, it is done as it was told.
    pub(crate) fn may(&self, key: &str, variables: &[(&str, String)]) -> anyhow::Result<bool> {
        if !self.asks() {
            return Ok(true);
        }
        let said = screen::answer(&format!("{} {} ", self.texts.with(key, variables), self.texts.t("ask.answers")))?;
        let yes = ["y", "yes", "ya"].contains(&said.trim().to_lowercase().as_str());
        if !yes {
            self.warn("ask.left", &[]);
        }
        Ok(yes)
    }

    /// A warning, on standard error.
    pub(crate) fn warn(&self, key: &str, variables: &[(&str, String)]) {
        output::note(&self.texts.with(key, variables));
    }
}

impl Papers for Context {
    fn bills(&self, bills: &[BillPaper]) -> Result<Vec<u8>, PortError> {
        self.with_stationery(|of| of.bills(bills))
    }

    fn receipt(&self, receipt: &ReceiptPaper) -> Result<Vec<u8>, PortError> {
        self.with_stationery(|of| of.receipt(receipt))
    }
}

//! What an import is about to write, row by row, for a person to look at before it is written. NIK, addresses and
//! passwords are left out, numbers are masked.

use isp_core::subscription::Timing;
use isp_core::tax::TaxMode;
use isp_core::text::Code;
use isp_import::{
    Batch, CpeRow, CustomerRow, ExpenseRow, ImportPlan, InstallationRow, PackageRow, Placed, RouterRow, SiteRow,
    SubscriptionRow, Verdict,
};

use crate::output::{Cell, Column, Rows, column, number};

/// So many rows of a file are shown; a person who needs all reads the file.
const SHOWN: usize = 12;

/// The rows of one file.
#[derive(Debug)]
pub(super) struct Preview {
    /// What they are.
    pub(super) file: &'static str,
    /// The first ones that are written.
    pub(super) rows: Rows,
    /// How many more.
    pub(super) more: usize,
}

/// A row of a file, with what a person is shown of it.
trait Shown: Placed {
    /// The columns.
    fn columns() -> Vec<Column>;
    /// Its cells.
    fn cells(&self) -> Vec<Cell>;
}

/// The rows that a plan writes, file by file; with `update` also those that it changes.
pub(super) fn previews(batch: &Batch, plan: &ImportPlan, update: bool) -> Vec<Preview> {
    let one = |(file, verdicts): &(&'static str, Vec<Verdict>)| match *file {
        "sites" => Preview::of(file, &batch.sites, verdicts, update),
        "routers" => Preview::of(file, &batch.routers, verdicts, update),
        "packages" => Preview::of(file, &batch.packages, verdicts, update),
        "customers" => Preview::of(file, &batch.customers, verdicts, update),
        "subscriptions" => Preview::of(file, &batch.subscriptions, verdicts, update),
        "cpes" => Preview::of(file, &batch.cpes, verdicts, update),
        "installations" => Preview::of(file, &batch.installations, verdicts, update),
        _ => Preview::of(file, &batch.expenses, verdicts, update),
    };
    plan.verdicts.iter().map(one).collect()
}

impl Preview {
    fn of<R: Shown>(file: &'static str, rows: &[R], verdicts: &[Verdict], update: bool) -> Self {
        let columns: Vec<Column> = [number("file_line"), column("status")].into_iter().chain(R::columns()).collect();
        let mut preview = Self { file, rows: Rows::new(&columns), more: 0 };
        for (row, verdict) in rows.iter().zip(verdicts) {
            match verdict {
                Verdict::New => preview.add(row, "new"),
                Verdict::Differs { updatable: true, .. } if update => preview.add(row, "changed"),
                _ => {}
            }
        }
        preview
    }

    /// Adds a row that is written; `status` is a code of `word.` in the locales.
    fn add<R: Shown>(&mut self, row: &R, status: &'static str) {
        if self.rows.len() < SHOWN {
            let front = [Cell::count(row.at().line), Cell::Word(status)];
            self.rows.push(front.into_iter().chain(row.cells()).collect());
        } else {
            self.more += 1;
        }
    }
}

macro_rules! shown {
    ($row:ty, [$($column:expr),*], |$it:ident| [$($cell:expr),*]) => {
        impl Shown for $row {
            fn columns() -> Vec<Column> {
                vec![$($column),*]
            }

            fn cells(&self) -> Vec<Cell> {
                let $it = self;
                vec![$($cell),*]
            }
        }
    };
}

shown!(SiteRow, [column("code"), column("name"), column("zone")], |row| [
    Cell::text(&row.code),
    Cell::text(&row.name),
    Cell::text(row.zone.name())
]);
shown!(RouterRow, [column("code"), column("site"), column("address")], |row| [
    Cell::text(&row.code),
    Cell::text(&row.site),
    Cell::text(&row.endpoint.host)
]);
shown!(
    PackageRow,
    [column("code"), column("name"), number("price"), column("tax"), column("speed"), column("group")],
    |row| [
        Cell::text(&row.code),
        Cell::text(&row.name),
        row.price.into(),
        Cell::Word(match row.tax_mode {
            TaxMode::Inclusive => "inclusive",
            TaxMode::Exclusive => "exclusive",
        }),
        Cell::text(row.group.speed),
        Cell::text(&row.group.name)
    ]
);
shown!(CustomerRow, [column("code"), column("name"), column("phone"), column("nik")], |row| [
    Cell::text(&row.code),
    Cell::text(&row.name),
    Cell::maybe(row.phone.as_ref()),
    Cell::maybe(row.nik.as_ref())
]);
shown!(
    SubscriptionRow,
    [
        column("customer"),
        column("package"),
        column("router"),
        column("username").needed(),
        column("start").needed(),
        column("billing_day"),
        number("months"),
        column("timing")
    ],
    |row| [
        Cell::text(&row.customer),
        Cell::text(&row.package_said),
        Cell::maybe(row.router.as_ref().map(Code::as_str)),
        Cell::text(row.name()),
        row.start.into(),
        Cell::maybe(row.day.map(|day| day.day())),
        Cell::count(row.cycle.months()),
        Cell::Word(match row.timing {
            Timing::Prepaid => "prepaid",
            Timing::Postpaid => "postpaid",
        })
    ]
);
shown!(
    CpeRow,
    [column("serial"), column("customer"), column("outdoor_unit"), column("ownership"), number("value")],
    |row| [
        Cell::text(&row.serial),
        Cell::text(&row.customer),
        Cell::maybe(row.outdoor_unit.as_ref()),
        Cell::Word(row.ownership.code()),
        row.value.map_or(Cell::Empty, Cell::Money)
    ]
);
shown!(
    InstallationRow,
    [column("customer"), column("kind"), number("fee"), column("date"), number("instalments")],
    |row| [
        Cell::text(&row.customer),
        Cell::text(&row.kind),
        row.fee.map_or(Cell::Empty, Cell::Money),
        row.on.into(),
        Cell::count(row.instalments)
    ]
);
shown!(ExpenseRow, [column("date"), column("category"), number("amount"), column("note"), column("site")], |row| [
    row.on.into(),
    Cell::Word(row.category.code()),
    row.amount.into(),
    Cell::text(&row.note),
    Cell::maybe(row.site.as_ref())
]);

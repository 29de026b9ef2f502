//! Packages.

use isp_core::calendar::Zone;
use isp_core::ids::PackageId;
use isp_core::package::{Package, PriceList, PriceVersion};

use super::super::problem::{Problem, RowError};
use super::super::rows::{PackageRow, without_blanks};
use super::{Planner, Verdict, columns};

impl Planner<'_> {
    pub(super) fn package(&mut self, row: &PackageRow) -> Result<Verdict, RowError> {
        let today = Zone::Wib.date_of(self.options.now);
        let old = match self.existing.packages.get(&row.code) {
            // A sheet with everything says the name of a package as well as its code.
            None => {
                let called_so = if row.said.is_some() { self.called_so(row)? } else { None };
                self.existing.packages.values().find(|package| Some(package.id) == called_so)
            }
            old => old,
        };
        let id = old.map_or_else(|| PackageId(self.ids.next_uuid()), |p| p.id);
        // By another name than its code, lines find it as this row did.
        self.packages.insert(old.map_or(&row.code, |old| &old.code).clone(), id);
        let differs = old.map(|old| {
            columns(&[
                ("name", row.says("name") && old.name != row.name),
                ("price", old.prices.on(today) != Some(row.price)),
                ("tax", row.says("tax") && old.tax_mode != row.tax_mode),
                ("speed", row.says("speed") && old.group.speed != row.group.speed),
                ("group", row.says("group") && old.group.name != row.group.name),
            ])
        });
        let prices = match old {
            None => PriceList::single(row.price),
            Some(old) if old.prices.on(today) == Some(row.price) => Ok(old.prices.clone()),
            Some(old) => {
                let new = PriceVersion { from: today, price: row.price };
                PriceList::try_new(old.prices.versions().iter().copied().chain([new]).collect())
            }
        };
        let prices = prices.map_err(|error| row.at.error("price", error))?;
        let mut new = Package {
            id,
            code: old.map_or(&row.code, |old| &old.code).clone(),
            name: row.name.clone(),
            prices,
            tax_mode: row.tax_mode,
            group: row.group.clone(),
            sold: old.is_none_or(|p| p.sold),
        };
        // What the row does not say stays as it is.
        if let Some(old) = old {
            if !row.says("name") {
                new.name.clone_from(&old.name);
            }
            if !row.says("tax") {
                new.tax_mode = old.tax_mode;
            }
            if !row.says("speed") {
                new.group.speed = old.group.speed;
            }
            if !row.says("group") {
                new.group.name.clone_from(&old.group.name);
            }
        }
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.packages.extend(write.then_some(new));
        Ok(verdict)
    }

    /// The package that a row with everything calls by its name.
    fn called_so(&self, row: &PackageRow) -> Result<Option<PackageId>, RowError> {
        match self.packages_named(&without_blanks(row.name.as_str()))[..] {
            [] => Ok(None),
            [id] => Ok(Some(id)),
            ref several => Err(row.at.error("package", Problem::WhichPackage { count: several.len() })),
        }
    }
}

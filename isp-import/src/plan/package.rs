//! Packages.

use isp_core::calendar::Zone;
use isp_core::ids::PackageId;
use isp_core::package::{Package, PriceList, PriceVersion};

use super::super::problem::RowError;
use super::super::rows::PackageRow;
use super::{Planner, Verdict, columns};

impl Planner<'_> {
    pub(super) fn package(&mut self, row: &PackageRow) -> Result<Verdict, RowError> {
        let today = Zone::Wib.date_of(self.options.now);
        let old = self.existing.packages.get(&row.code);
        let id = old.map_or_else(|| PackageId(self.ids.next_uuid()), |p| p.id);
        self.packages.insert(row.code.clone(), id);
        let differs = old.map(|old| {
            columns(&[
                ("name", old.name != row.name),
                ("price", old.prices.on(today) != Some(row.price)),
                ("tax", old.tax_mode != row.tax_mode),
                ("speed", old.group.speed != row.group.speed),
                ("group", old.group.name != row.group.name),
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
        let new = Package {
            id,
            code: row.code.clone(),
            name: row.name.clone(),
            prices,
            tax_mode: row.tax_mode,
            group: row.group.clone(),
            sold: old.is_none_or(|p| p.sold),
        };
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.packages.extend(write.then_some(new));
        Ok(verdict)
    }
}

//! Devices at customers' places.

use isp_core::Money;
use isp_core::calendar::Zone;
use isp_core::device::{Cpe, DeviceAction};
use isp_core::engine::Told;
use isp_core::engine::manage::{DeviceNote, device_step};
use isp_core::ids::CpeId;
use isp_core::payment::Channel;
use isp_core::text::Name;

use super::super::problem::{Noun, Problem, RowError};
use super::super::rows::CpeRow;
use super::super::sheet::Origin;
use super::{Planner, Verdict, columns};

impl Planner<'_> {
    pub(super) fn cpe(&mut self, row: &CpeRow) -> Result<Verdict, RowError> {
        let customer_id = self.customer_of(&row.at, &row.customer)?;
        let old = self.existing.cpes.get(&row.serial);
        if old.is_some_and(|c| c.customer_id != customer_id) {
            return Err(row.at.error("serial", Problem::Taken(Noun::Serial)));
        }
        let new = Cpe {
            id: old.map_or_else(|| CpeId(self.ids.next_uuid()), |c| c.id),
            serial: row.serial.clone(),
            customer_id,
            outdoor_unit: row.outdoor_unit.clone().or_else(|| old.and_then(|c| c.outdoor_unit.clone())),
            router: row.router.clone().or_else(|| old.and_then(|c| c.router.clone())),
            ip: row.ip.or_else(|| old.and_then(|c| c.ip)),
            username: row.username.clone().or_else(|| old.and_then(|c| c.username.clone())),
            password: row.password.clone().or_else(|| old.and_then(|c| c.password.clone())),
            ownership: row.ownership,
            value: row.value.or(old.map(|c| c.value)).unwrap_or_default(),
            installed: old.is_none_or(|c| c.installed),
        };
        let differs = old.map(|old| {
            columns(&[
                ("outdoor_unit", old.outdoor_unit != new.outdoor_unit),
                ("router", old.router != new.router),
                ("ip", old.ip != new.ip),
                ("username", old.username != new.username),
                ("password", old.password != new.password),
                ("ownership", old.ownership != new.ownership),
                ("value", old.value != new.value),
            ])
        });
        if old.is_none() {
            self.ask_which_device(&row.at, &new);
            let note = DeviceNote {
                on: row.on.unwrap_or_else(|| Zone::Wib.date_of(self.options.now)),
                reason: Name::parse("reason", "import").map_err(|error| row.at.error("serial", error))?,
                officer: self.options.officer.clone(),
                cost: Money::ZERO,
                paid_from: Channel::Cash,
                told: Told::ByMachine,
            };
            device_step(&mut self.plan.changes, &new, DeviceAction::Installed, &note, Money::ZERO)
                .map_err(|error| row.at.error("serial", error))?;
        }
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.cpes.extend(write.then_some(new));
        Ok(verdict)
    }

    /// Asks about a new device of a customer with one that no row names and that is like it.
    fn ask_which_device(&mut self, at: &Origin, new: &Cpe) {
        let like = |old: &&Cpe| {
            let described = |it: &Cpe| (it.outdoor_unit.clone(), it.router.clone());
            let same_ip = new.ip.is_some() && new.ip == old.ip;
            old.installed
                && !self.serials.contains(&old.serial.folded())
                && (same_ip || described(old) == described(new))
        };
        let found = self.alike.devices(new.customer_id).find(like);
        if let Some(old) = found {
            let (row, known) = (new.serial.to_string(), old.serial.to_string());
            self.ask(at, "serial", Problem::LikelyDouble { row, known });
        }
    }
}

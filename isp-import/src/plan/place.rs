//! Sites and routers.

use isp_core::ids::{RouterId, SiteId};
use isp_core::place::{Router, Site};

use super::super::problem::{Noun, RowError};
use super::super::rows::{RouterRow, SiteRow};
use super::{Planner, Verdict, columns};

impl Planner<'_> {
    pub(super) fn site(&mut self, row: &SiteRow) -> Result<Verdict, RowError> {
        let old = self.existing.sites.get(&row.code);
        let id = old.map_or_else(|| SiteId(self.ids.next_uuid()), |s| s.id);
        let new = Site {
            id,
            code: row.code.clone(),
            name: row.name.clone(),
            zone: row.zone,
            coordinates: row.coordinates.or(old.and_then(|s| s.coordinates)),
            archived: old.is_some_and(|s| s.archived),
        };
        self.sites.insert(row.code.clone(), (id, row.zone));
        let differs = old.map(|old| {
            columns(&[
                ("name", old.name != new.name),
                ("zone", old.zone != new.zone),
                ("coordinates", old.coordinates != new.coordinates),
            ])
        });
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.sites.extend(write.then_some(new));
        Ok(verdict)
    }

    pub(super) fn router(&mut self, row: &RouterRow) -> Result<Verdict, RowError> {
        let Some((site_id, _)) = self.sites.get(&row.site).copied() else {
            return Err(self.unknown(&row.at, "site", Noun::Site, &row.site));
        };
        let old = self.existing.routers.get(&row.code);
        let id = old.map_or_else(|| RouterId(self.ids.next_uuid()), |r| r.id);
        self.routers.insert(row.code.clone(), (id, site_id));
        let mut endpoint = row.endpoint.clone();
        if !row.has_password {
            // The password is known for where the router is, and goes nowhere else.
            let there = |old: &&Router| {
                let (was, is) = (&old.endpoint, &endpoint);
                (&was.host, was.port, was.tls, &was.username) == (&is.host, is.port, is.tls, &is.username)
            };
            let Some(known) = old.filter(there) else {
                return Err(row.at.error("password", isp_core::Error::Empty { field: "password" }));
            };
            endpoint = known.endpoint.clone();
        }
        let new = Router { id, code: row.code.clone(), site_id, endpoint, archived: old.is_some_and(|r| r.archived) };
        if !new.archived && self.existing.sites.values().any(|site| site.id == site_id && site.archived) {
            return Err(row.at.error("site", isp_core::Error::Archived { what: "site" }));
        }
        let differs = old.map(|old| {
            let (was, is) = (&old.endpoint, &new.endpoint);
            columns(&[
                ("site", old.site_id != site_id),
                ("address", (&was.host, was.port, was.tls) != (&is.host, is.port, is.tls)),
                ("username", was.username != is.username),
                ("password", was.password != is.password),
            ])
        });
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.routers.extend(write.then_some(new));
        Ok(verdict)
    }
}

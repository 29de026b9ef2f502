//! A plan as people read it: like a diff.

use std::fmt;

use super::line::{Carrier, LineAction, LineStep};
use super::plan::{AccountStep, Action, FieldChange, GroupAction, GroupStep, Plan};
use super::redirect::{RedirectAction, RedirectStep, Why};

impl fmt::Display for Plan {
    /// One line a step, `+` made, `~` changed, `-` removed, `x` session ended, `!` in the way, `?` found and only told;
    /// a last line counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            group.fmt(f)?;
        }
        for account in &self.accounts {
            account.fmt(f)?;
        }
        for line in &self.lines {
            line.fmt(f)?;
        }
        for step in &self.redirect {
            writeln!(f, "{} {step}", step.sign())?;
        }
        for drift in &self.drift {
            writeln!(f, "? {} {}: {}", drift.object.word(), drift.name, drift.what)?;
        }
        let sum = self.summary();
        if self.is_empty() {
            return writeln!(f, "nothing to do");
        }
        write!(
            f,
            "{} to create, {} to change ({} isolated), ",
            sum.groups_created + sum.created,
            sum.groups_changed + sum.changed,
            sum.isolated,
        )?;
        if sum.removed > 0 {
            write!(f, "{} to remove, ", sum.removed)?;
        }
        if sum.redirect > 0 {
            write!(f, "{} of the redirect, ", sum.redirect)?;
        }
        writeln!(f, "{} sessions to end, {} conflicts", sum.kicked, sum.conflicts)
    }
}

impl fmt::Display for GroupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            GroupAction::Keep => Ok(()),
            GroupAction::Create { terms } => {
                write!(f, "+ profile {}", self.name)?;
                for (field, value) in [("rate-limit", &terms.rate_limit), ("address-list", &terms.address_list)] {
                    if let Some(value) = value {
                        write!(f, " {field}={value}")?;
                    }
                }
                writeln!(f)
            }
            GroupAction::Change { fields, .. } => {
                write!(f, "~ profile {}:", self.name)?;
                show_fields(fields, f)
            }
            GroupAction::Conflict(conflict) => writeln!(f, "! profile {}: {}", self.name, conflict.reason),
        }?;
        match self.kick {
            true => writeln!(f, "x sessions under older terms of profile {}", self.name),
            false => Ok(()),
        }
    }
}

impl fmt::Display for AccountStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Action::Keep { .. } | Action::Absent => {}
            Action::Create { profile, .. } => writeln!(f, "+ account {} profile={profile}", self.name)?,
            Action::Change { fields, .. } => {
                write!(f, "~ account {}:", self.name)?;
                show_fields(fields, f)?;
            }
            Action::Remove { .. } => writeln!(f, "- account {}", self.name)?,
            Action::Conflict(conflict) => writeln!(f, "! account {}: {}", self.name, conflict.reason)?,
        }
        if let Some(address) = &self.entries.add {
            writeln!(f, "+ list entry {address} of {}", self.name)?;
        }
        if !self.entries.remove.is_empty() {
            writeln!(f, "- list entry of {}", self.name)?;
        }
        if !self.kick.is_empty() {
            writeln!(f, "x session of {}", self.name)?;
        }
        Ok(())
    }
}

impl fmt::Display for LineStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.carrier() {
            Carrier::Queue => "queue",
            Carrier::Lease => "lease",
        };
        match &self.action {
            LineAction::Keep { .. } | LineAction::Absent => {}
            LineAction::Create(written) => {
                let rate = written.rate.map(|rate| format!(" {rate}")).unwrap_or_default();
                writeln!(f, "+ {what} {}{rate}", self.name)?;
            }
            LineAction::Change { fields, make_static, .. } => {
                let kept = if *make_static { " made static," } else { "" };
                write!(f, "~ {what} {}:{kept}", self.name)?;
                show_fields(fields, f)?;
            }
            LineAction::Remove { .. } => writeln!(f, "- {what} {}", self.name)?,
            LineAction::Conflict(conflict) => writeln!(f, "! line {}: {}", self.name, conflict.reason)?,
        }
        if let Some(address) = &self.entries.add {
            writeln!(f, "+ list entry {address} of {}", self.name)?;
        }
        if !self.entries.remove.is_empty() {
            writeln!(f, "- list entry of {}", self.name)?;
        }
        if !self.spare.is_empty() {
            writeln!(f, "- spare {what} of {}", self.name)?;
        }
        if !self.cut.is_empty() {
            writeln!(f, "x connections of {}", self.cut.join(", "))?;
        }
        Ok(())
    }
}

impl RedirectStep {
    fn sign(&self) -> char {
        match self.action {
            RedirectAction::Add { .. } => '+',
            RedirectAction::Change { .. } | RedirectAction::Move { .. } => '~',
            RedirectAction::Remove { .. } => '-',
        }
    }
}

impl fmt::Display for RedirectStep {
    /// Which it is and what is wrong with it, without an end of the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" \"{}\": ", self.menu, self.name)?;
        match &self.action {
            RedirectAction::Add { .. } => f.write_str("was not there"),
            RedirectAction::Change { fields, .. } => {
                let words: Vec<String> = fields.iter().map(|f| format!("{} {} -> {}", f.field, f.old, f.new)).collect();
                f.write_str(&words.join(", "))
            }
            RedirectAction::Move { why, .. } | RedirectAction::Remove { why, .. } => f.write_str(match why {
                Why::WrongOrder => "stood in the wrong order",
                Why::BelowFasttrack => "stood below a rule that fasttracks",
                Why::BelowMasquerade => "stood below a rule that masquerades",
                Why::Twice => "was there twice",
                Why::Unwanted => "was there and is not wanted",
            }),
        }
    }
}

fn show_fields(fields: &[FieldChange], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, change) in fields.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let old = if change.old.is_empty() { "(none)" } else { &change.old };
        let new = if change.new.is_empty() { "(none)" } else { &change.new };
        write!(f, "{comma} {} {old} -> {new}", change.field)?;
    }
    writeln!(f)
}

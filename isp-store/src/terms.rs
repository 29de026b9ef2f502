//! The columns of a line's account and billing terms, and where its password is sealed; read with lines, with their access
//! and alone.

use isp_core::ids::{SubscriptionId, TenantId};
use isp_core::money::Money;
use isp_core::ports::StoreError;
use isp_core::secret::Secret;
use isp_core::subscription::{Account, BillingTerms, Discount, HeldPrice, Off, PackageChange};

use crate::value::{Reader, Value, args};
use crate::vault::Place;

/// The columns of [`BillingTerms`], in the order of [`read_terms`] and [`terms_values`].
pub(crate) const TERMS: &str = "s.package_id, s.change_package_id, s.change_from, s.billing_day, s.cycle_months,
    s.timing, s.starts_on, s.ends_on, s.paused_from, s.held_price, s.held_until, s.discount_amount,
    s.discount_percent, s.discount_until, s.billed_from, s.charged_until";

/// How many columns that is.
pub(crate) const TERMS_COLUMNS: usize = 16;

/// The columns of an [`Account`], in the order of [`read_account`].
pub(crate) const ACCOUNT: &str = "s.username, s.password_sealed, s.service, s.ip_address";

/// Reads them; the password as the caller opens it.
pub(crate) fn read_account(
    r: &mut Reader<'_>,
    open: impl FnOnce(&[u8]) -> Result<Secret, StoreError>,
) -> Result<Account, StoreError> {
    let username = r.get()?;
    let password = open(&r.get::<Vec<u8>>()?)?;
    Ok(Account { username, password, service: r.get()?, address: r.get()? })
}

pub(crate) fn password_place(tenant: TenantId, subscription: SubscriptionId) -> Place {
    Place { table: "subscriptions", column: "password", tenant, row: subscription.0 }
}

pub(crate) fn terms_values(terms: &BillingTerms) -> Vec<Value> {
    let (amount, percent) = match terms.discount.map(|d| d.off) {
        Some(Off::Amount(amount)) => (Some(amount), None),
        Some(Off::Percent(percent)) => (None, Some(percent)),
        None => (None, None),
    };
    args![
        terms.package_id,
        terms.change.map(|c| c.package_id),
        terms.change.map(|c| c.from),
        terms.day,
        terms.cycle,
        terms.timing,
        terms.start,
        terms.end,
        terms.paused_from,
        terms.held_price.map(|h| h.price),
        terms.held_price.and_then(|h| h.until),
        amount,
        percent,
        terms.discount.and_then(|d| d.until),
        terms.billed_from,
        terms.charged_until,
    ]
}

pub(crate) fn read_terms(r: &mut Reader<'_>) -> Result<BillingTerms, StoreError> {
    let package_id = r.get()?;
    let change = match (r.get()?, r.get()?) {
        (Some(package_id), Some(from)) => Some(PackageChange { package_id, from }),
        (None, None) => None,
        _ => return Err(r.corrupt("its package change has no day")),
    };
    let (day, cycle, timing) = (r.get()?, r.get()?, r.get()?);
    let (start, end, paused_from) = (r.get()?, r.get()?, r.get()?);
    let (held, held_until) = (r.get::<Option<Money>>()?, r.get()?);
    let off = match (r.get()?, r.get()?) {
        (Some(amount), None) => Some(Off::Amount(amount)),
        (None, Some(percent)) => Some(Off::Percent(percent)),
        (None, None) => None,
        _ => return Err(r.corrupt("its discount is an amount and a percentage")),
    };
    let discount_until = r.get()?;
    Ok(BillingTerms {
        package_id,
        change,
        day,
        cycle,
        timing,
        start,
        end,
        paused_from,
        held_price: held.map(|price| HeldPrice { price, until: held_until }),
        discount: off.map(|off| Discount { off, until: discount_until }),
        billed_from: r.get()?,
        charged_until: r.get()?,
    })
}

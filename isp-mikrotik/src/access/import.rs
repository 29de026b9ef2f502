//! Reading accounts that exist already, for a provider who comes with filled routers.

use std::collections::{HashMap, HashSet};

use isp_core::secret::Secret;
use serde::Serialize;

use crate::mark::Mark;
use crate::reconcile::Actual;
use crate::text::CodePage;

/// An account as it stands on a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FoundAccount {
    /// PPP or hotspot user name; address or MAC address of a line that nobody logs in for.
    pub name: String,
    /// Its password, if the router shows it. Not serialised.
    #[serde(skip)]
    pub password: Option<Secret>,
    /// Which service it may use: `any`, `pppoe`, `l2tp`, …; `hotspot` of a hotspot user, `static` or `dhcp` where nobody logs in.
    pub service: String,
    /// The profile, `*HEX` if it was deleted.
    pub profile: String,
    /// What the profile allows, `up/down`.
    pub rate_limit: Option<String>,
    /// Its fixed address.
    pub remote_address: Option<String>,
    /// Whether logins are refused.
    pub disabled: bool,
    /// Whether a session runs now.
    pub online: bool,
    /// What people wrote about it, our mark left out.
    pub comment: String,
    /// The short id of the subscription that it belongs to, if it is ours already.
    pub owner: Option<String>,
}

/// Every hotspot user of a router but the one that RouterOS makes for guests.
pub(super) fn found_hotspot(actual: &Actual, page: CodePage) -> Vec<FoundAccount> {
    let service = isp_core::subscription::Service::Hotspot.code();
    let users = found(actual, page).into_iter().filter(|user| user.name != "default-trial");
    users.map(|user| FoundAccount { service: service.to_owned(), ..user }).collect()
}

/// Every account of a router, in the router's order.
pub(super) fn found(actual: &Actual, page: CodePage) -> Vec<FoundAccount> {
    let text = |bytes: &[u8]| page.decode(bytes).into_owned();
    let rates: HashMap<_, _> = actual
        .groups
        .iter()
        .map(|profile| (profile.name.as_slice(), profile.rate_limit.as_deref().map(text)))
        .collect();
    let online: HashSet<_> = actual.sessions.iter().map(|session| &*session.name).collect();
    actual
        .accounts
        .iter()
        .map(|secret| {
            let (mark, human) = Mark::split(&secret.comment);
            FoundAccount {
                name: text(&secret.name),
                password: secret.password.clone(),
                service: text(&secret.service),
                profile: text(&secret.profile),
                rate_limit: rates.get(&*secret.profile).cloned().flatten(),
                remote_address: secret.remote_address.as_deref().map(text),
                disabled: secret.disabled,
                online: online.contains(&*secret.name),
                comment: text(human),
                owner: mark.map(|mark| mark.owner.to_string()),
            }
        })
        .collect()
}

//! What can stand in the way on a router, and what is only told.

/// Something about one account or profile that a person should know; the codes are in plans and outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// An account of that name is there and does not carry our mark.
    AccountNotOurs,
    /// An account of that name carries the mark of another subscription.
    AccountOfAnother,
    /// More than one account has that name.
    AccountTwins,
    /// A profile differs from what its package says, and does not carry our mark.
    ProfileNotOurs,
    /// More than one profile has that name.
    ProfileTwins,
    /// Two packages give one profile different terms.
    GroupAmbiguous,
    /// The line's address is in the isolation list by an entry that is not ours.
    EntryNotOurs,
    /// The line is isolated by its address and has no fixed one.
    NoFixedAddress,
    /// A session does not end although its removal was accepted.
    SessionStays,
    /// A change was accepted and was not there when it was read back.
    NotKept,
    /// More lines would be isolated at once than the limit lets pass (rule I6).
    Breaker,
    /// Told only: customers get IPv6, which isolation does not reach.
    Ipv6Open,
    /// Told only: an account carries our mark, and no line of the router has it.
    StrayAccount,
    /// Told only: the profile of an account was deleted; it is linked again.
    ProfileDangling,
    /// Told only: an isolated account was given a fixed address, which is put aside again.
    FixedAddress,
    /// Told only: an account that is to be taken over was disabled or isolated by hand, and would be opened.
    ShutOutByHand,
    /// Told only: a profile gives its sessions no address, since it has no pool, and the settings name none.
    ProfileNoPool,
    /// Told only: a profile has no address of the router, and the settings name none.
    ProfileNoLocalAddress,
    /// Told only: the pool of a profile was deleted.
    PoolGone,
    /// A profile is to have a pool that the router does not have.
    PoolMissing,
    /// Told only: an account may not log in by PPPoE, since it was given another service.
    OtherService,
    /// Told only: an account is bound to one device, so that a replaced one cannot log in.
    CallerId,
    /// Told only: the router asks a RADIUS server about accounts, too, so that closing one here may not shut it out.
    Radius,
    /// Told only: a running session has no address.
    NoAddress,
    /// A rule, entry or pool of the way to the page for paying was not as wanted, and is again.
    RedirectMended,
    /// The router refuses a rule, entry or pool of it.
    RedirectRefused,
    /// A rule that shuts is not made, since the page could not be reached.
    RedirectHeld,
    /// A rule was accepted and was not there, or was another one, when it was read back.
    RedirectNotKept,
    /// The firewall could not be read or written.
    RedirectUnread,
    /// Told only: the router has no menu for some of it.
    RedirectLacks,
    /// Told only: a rule of somebody's own lets isolated lines pass.
    RedirectBypassed,
    /// A rule of somebody's own above ours keeps isolated lines from the page for paying.
    RedirectCut,
    /// Told only: the pool of isolated lines has other ranges and is not ours.
    RedirectPool,
}

impl Finding {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Finding::AccountNotOurs => "router.account_not_ours",
            Finding::AccountOfAnother => "router.account_of_another",
            Finding::AccountTwins => "router.account_twins",
            Finding::ProfileNotOurs => "router.profile_not_ours",
            Finding::ProfileTwins => "router.profile_twins",
            Finding::GroupAmbiguous => "router.group_ambiguous",
            Finding::EntryNotOurs => "router.entry_not_ours",
            Finding::NoFixedAddress => "router.no_fixed_address",
            Finding::SessionStays => "router.session_stays",
            Finding::NotKept => "router.not_kept",
            Finding::Breaker => "isolation.breaker",
            Finding::Ipv6Open => "router.ipv6_open",
            Finding::StrayAccount => "router.stray_account",
            Finding::ProfileDangling => "router.profile_dangling",
            Finding::FixedAddress => "router.fixed_address",
            Finding::ShutOutByHand => "router.shut_out_by_hand",
            Finding::ProfileNoPool => "router.profile_no_pool",
            Finding::ProfileNoLocalAddress => "router.profile_no_local_address",
            Finding::PoolGone => "router.pool_gone",
            Finding::PoolMissing => "router.pool_missing",
            Finding::OtherService => "router.other_service",
            Finding::CallerId => "router.caller_id",
            Finding::Radius => "router.radius",
            Finding::NoAddress => "router.no_address",
            Finding::RedirectMended => "router.redirect_mended",
            Finding::RedirectRefused => "router.redirect_refused",
            Finding::RedirectHeld => "router.redirect_held",
            Finding::RedirectNotKept => "router.redirect_not_kept",
            Finding::RedirectUnread => "router.redirect_unread",
            Finding::RedirectLacks => "router.redirect_lacks",
            Finding::RedirectBypassed => "router.redirect_bypassed",
            Finding::RedirectCut => "router.redirect_cut",
            Finding::RedirectPool => "router.redirect_pool",
        }
    }
}

//! What is wanted, and how whatever is there becomes it: the steps are carried out on a menu of rows.
#![allow(clippy::unwrap_used, clippy::panic)]

use isp_core::place::RouterEndpoint;
use isp_core::secret::Secret;
use proptest::prelude::*;

use super::*;
use crate::access::Settings;
use crate::mark::RedirectMark;
use crate::menu::ItemId;
use crate::menu::firewall::{FILTER, NAT, NAT6, Rule};

fn settings(more: &str) -> Settings {
    let text = format!(r#"{{"redirect":{{"portal":"10.0.0.5"{more}}}}}"#);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const WHOLE: &str = r#","portal_ipv6":"2001:db8::5","port":8080,"payment_hosts":["app.midtrans.com","10.0.0.9"],
    "tls_hosts":["*.xendit.co","*.doku.com"],"resolvers":["10.0.0.53","2001:db8::53"]"#;

fn desired(more: &str) -> DesiredRedirect {
    let router = RouterEndpoint::parse("10.1.0.1", "api", Secret::default()).unwrap();
    DesiredRedirect::of(&settings(more), &router).unwrap()
}

fn id(number: usize) -> ItemId {
    ItemId::parse(format!("*{number:X}").as_bytes()).unwrap()
}

fn rule(number: usize, comment: &str, values: &[(&'static str, &str)]) -> Rule {
    Rule {
        id: id(number),
        dynamic: false,
        disabled: false,
        comment: comment.as_bytes().into(),
        values: values.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect(),
    }
}

/// A router of one menu of rules, which does as it is told.
#[derive(Debug, Clone, Default)]
struct Menu {
    rows: Vec<Rule>,
    next: usize,
}

impl Menu {
    fn new(rows: Vec<Rule>) -> Menu {
        Menu { rows, next: 0x1000 }
    }

    fn at(&self, id: &ItemId) -> usize {
        self.rows.iter().position(|row| row.id == *id).unwrap_or_else(|| panic!("{id} is gone"))
    }

    fn place(&mut self, rule: Rule, before: Option<&ItemId>) {
        let at = before.map_or(self.rows.len(), |before| self.at(before));
        assert!(before.is_none() || !self.rows[at].dynamic, "nothing is put before a rule of the router's own");
        self.rows.insert(at, rule);
    }

    fn carry_out(&mut self, step: &RedirectStep) {
        match &step.action {
            RedirectAction::Add { fields, comment, before } => {
                self.next += 1;
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                self.place(rule(self.next, comment, &fields), before.as_ref());
            }
            RedirectAction::Change { id, set, unset, .. } => {
                let at = self.at(id);
                let row = &mut self.rows[at];
                for (name, value) in set {
                    match *name {
                        "disabled" => row.disabled = value == "yes",
                        name => drop(row.values.insert(name, value.clone().into_bytes())),
                    }
                }
                unset.iter().for_each(|name| drop(row.values.remove(name)));
            }
            RedirectAction::Move { id, before, .. } => {
                let at = self.at(id);
                let row = self.rows.remove(at);
                self.place(row, before.as_ref());
            }
            RedirectAction::Remove { id, .. } => {
                let at = self.at(id);
                self.rows.remove(at);
            }
        }
    }

    fn slots(&self) -> Vec<String> {
        let slot = |row: &Rule| RedirectMark::split(&row.comment).0.map(|mark| mark.slot.to_owned());
        self.rows.iter().filter_map(slot).collect()
    }
}

fn filter_plan(desired: &DesiredRedirect, menu: &Menu) -> Vec<RedirectStep> {
    let v4 = ActualFamily { filter: Some(menu.rows.clone()), ..ActualFamily::default() };
    let actual = ActualRedirect { v4, ..ActualRedirect::default() };
    redirect_plan(desired, &actual).steps.into_iter().filter(|step| step.menu == FILTER).collect()
}

fn settled(desired: &DesiredRedirect, mut menu: Menu) -> Menu {
    for step in filter_plan(desired, &menu) {
        menu.carry_out(&step);
    }
    menu
}

fn fasttrack(number: usize) -> Rule {
    rule(number, "defconf: fasttrack", &[("chain", "forward"), ("action", "fasttrack-connection")])
}

/// Never touch anybody who is not isolated.
#[test]
fn every_rule_is_about_the_isolation_list_and_nothing_else() {
    for more in ["", WHOLE, r#","ipv6":true"#] {
        let desired = desired(more);
        for family in Family::ALL {
            let DesiredFamily { nat, filter, .. } = desired.family(family);
            for rule in nat.iter().chain(filter) {
                assert_eq!(rule.value("src-address-list"), "ISOLIR", "{family:?} {}", rule.slot);
                assert_eq!(rule.value("chain"), rule.chain);
            }
        }
    }
}

/// A rule without a list would be about everybody, and one about `!ISOLIR` about all who pay.
#[test]
fn without_a_list_nothing_is_wanted() {
    let router = RouterEndpoint::parse("10.1.0.1", "api", Secret::default()).unwrap();
    for list in ["", " ", "!ISOLIR"] {
        let settings = Settings { isolation_list: list.to_owned(), ..settings(WHOLE) };
        assert_eq!(DesiredRedirect::of(&settings, &router), None, "{list}");
    }
}

#[test]
fn what_opens_stands_above_what_shuts() {
    let desired = desired(WHOLE);
    for family in Family::ALL {
        for chain in ["forward", "input"] {
            let of_chain = desired.family(family).filter.iter().filter(|rule| rule.chain == chain);
            let roles: Vec<bool> = of_chain.map(|rule| rule.role == Role::Shuts).collect();
            assert!(roles.is_sorted() && roles.contains(&true), "{family:?} {chain}: {roles:?}");
        }
    }
    let slots: Vec<&str> = desired.v4.filter.iter().map(|rule| rule.slot.as_str()).collect();
    assert_eq!(
        slots,
        [
            "dns-udp-1",
            "dns-tcp-1",
            "portal",
            "tls-hello",
            "tls-learn-1",
            "tls-1",
            "tls-learn-2",
            "tls-2",
            "quic",
            "tcp",
            "rest",
            "in-dns-udp",
            "in-dns-tcp",
            "in-dhcp",
            "in-icmp",
            "in-rest",
        ]
    );
    let steps = filter_plan(&desired, &Menu::new(Vec::new()));
    let made: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(made, slots, "and they are made in this order");
}

#[test]
fn each_family_has_its_own_words() {
    let desired = desired(WHOLE);
    let web = |family: Family| desired.family(family).nat.iter().find(|rule| rule.slot == "web").unwrap();
    assert_eq!((web(Family::V4).value("to-addresses"), web(Family::V4).value("to-ports")), ("10.0.0.5", "8080"));
    assert_eq!((web(Family::V6).value("to-address"), web(Family::V6).value("to-addresses")), ("2001:db8::5", ""));
    assert_eq!(web(Family::V4).value("dst-address-list"), "!ISP-PORTAL");
    let no_nat = desired.v4.nat.iter().find(|rule| rule.slot == "no-nat").unwrap();
    assert_eq!((no_nat.chain, no_nat.value("action"), no_nat.value("dst-address")), ("srcnat", "accept", "10.0.0.5"));
    let entries = |family: Family| desired.family(family).entries.iter().map(|(_, at)| at.clone()).collect::<Vec<_>>();
    assert_eq!(entries(Family::V4), ["10.0.0.5", "app.midtrans.com", "10.0.0.9"]);
    assert_eq!(entries(Family::V6), ["2001:db8::5", "app.midtrans.com"]);
    // Without an IPv6 page nothing of IPv6 is wanted, unless the settings say so; then there is no NAT.
    assert!(self::desired("").v6.is_empty());
    let shut = self::desired(r#","ipv6":true"#).v6;
    assert!(shut.nat.is_empty() && shut.filter.iter().any(|rule| rule.slot == "rest"));
}

#[test]
fn new_rules_stand_above_what_fasttracks_and_below_the_routers_own() {
    let mut dummy = rule(1, "special dummy rule", &[("chain", "forward"), ("action", "passthrough")]);
    dummy.dynamic = true;
    let input = rule(2, "", &[("chain", "input"), ("action", "accept")]);
    let rest = rule(4, "", &[("chain", "forward"), ("action", "drop")]);
    let menu = settled(&desired(WHOLE), Menu::new(vec![dummy, input, fasttrack(3), rest]));
    let place = |number| menu.at(&id(number));
    let slot = |slot: &str| {
        let mark = RedirectMark { slot }.comment();
        menu.rows.iter().position(|row| *row.comment == *mark.as_bytes()).unwrap()
    };
    assert_eq!(place(1), 0);
    assert!(slot("rest") < place(3) && place(3) < place(4));
    assert!(slot("in-rest") < place(2), "the input chain has its own first rule");
    assert_eq!(filter_plan(&desired(WHOLE), &menu), []);
}

#[test]
fn each_kind_of_drift_is_named_and_mended() {
    let desired = desired(WHOLE);
    let whole = settled(&desired, Menu::new(vec![fasttrack(1)]));
    let of = |menu: &Menu, slot: &str| menu.slots().iter().position(|other| other == slot).unwrap();
    let mended = |menu: &Menu| {
        let steps = filter_plan(&desired, menu);
        let after = settled(&desired, menu.clone());
        assert_eq!(filter_plan(&desired, &after), []);
        assert_eq!(after.slots(), whole.slots());
        steps
    };
    let only = |steps: Vec<RedirectStep>| {
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps[0].clone()
    };
    // Missing.
    let mut menu = whole.clone();
    menu.rows.remove(of(&menu, "portal"));
    assert!(matches!(only(mended(&menu)).action, RedirectAction::Add { before: Some(_), .. }));
    // The last one of all.
    let mut menu = whole.clone();
    menu.rows.remove(of(&menu, "rest"));
    assert_eq!(only(mended(&menu)).name, "rest");
    // Other words, a narrower rule, switched off; the words of people stay.
    let mut menu = whole.clone();
    let at = of(&menu, "rest");
    menu.rows[at].values.remove("src-address-list");
    menu.rows[at].values.insert("out-interface", b"ether1".to_vec());
    menu.rows[at].disabled = true;
    menu.rows[at].comment = b"isp:redirect/rest jangan dihapus"[..].into();
    let RedirectAction::Change { fields, set, unset, .. } = only(mended(&menu)).action else { panic!() };
    let names: Vec<&str> = fields.iter().map(|field| field.field).collect();
    assert_eq!(names, ["src-address-list", "out-interface", "disabled"]);
    assert_eq!(set, [("src-address-list", "ISOLIR".to_owned()), ("disabled", "no".to_owned())]);
    assert_eq!(unset, ["out-interface"]);
    assert!(settled(&desired, menu).rows.iter().any(|row| row.comment == b"isp:redirect/rest jangan dihapus"[..]));
    // The first to the end, below what fasttracks; and the last to the front.
    let mut menu = whole.clone();
    let first = menu.rows.remove(0);
    menu.rows.push(first);
    assert!(matches!(only(mended(&menu)).action, RedirectAction::Move { why: Why::BelowFasttrack, .. }));
    let mut menu = whole.clone();
    let at = of(&menu, "rest");
    let last = menu.rows.remove(at);
    menu.rows.insert(0, last);
    assert!(matches!(only(mended(&menu)).action, RedirectAction::Move { why: Why::WrongOrder, .. }));
    // Copied.
    let mut menu = whole.clone();
    let mut copy = menu.rows[of(&menu, "tcp")].clone();
    copy.id = id(0x2000);
    menu.rows.insert(0, copy);
    assert!(mended(&menu).iter().any(|step| matches!(step.action, RedirectAction::Remove { why: Why::Twice, .. })));
    // A rule of ours from before.
    let mut menu = whole.clone();
    menu.rows.push(rule(0x2001, "isp:redirect/tls-9", &[("chain", "forward"), ("action", "accept")]));
    assert!(matches!(only(mended(&menu)).action, RedirectAction::Remove { why: Why::Unwanted, .. }));
    // All of them below.
    let mut menu = whole.clone();
    let at = menu.at(&id(1));
    let track = menu.rows.remove(at);
    menu.rows.insert(0, track);
    assert!(mended(&menu).iter().all(|step| matches!(step.action, RedirectAction::Move { .. })));
}

#[test]
fn other_ways_of_writing_a_value_are_no_drift() {
    let desired = desired(WHOLE);
    let mut menu = settled(&desired, Menu::new(Vec::new()));
    for row in &mut menu.rows {
        if row.values.contains_key("address-list-timeout") {
            row.values.insert("address-list-timeout", b"01:00:00".to_vec());
        }
        if row.values.contains_key("dst-address") {
            row.values.insert("dst-address", b"10.0.0.53/32".to_vec());
        }
    }
    assert_eq!(filter_plan(&desired, &menu), []);
}

#[test]
fn switched_off_what_shuts_goes_first_and_nothing_of_others() {
    let whole = settled(&desired(WHOLE), Menu::new(vec![fasttrack(1)]));
    let off = desired(r#","enabled":false"#);
    let steps = filter_plan(&off, &whole);
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let mut slots = whole.slots();
    slots.reverse();
    assert_eq!(names, slots);
    let left = settled(&off, whole);
    assert_eq!(left.rows.len(), 1);
}

#[test]
fn a_menu_that_is_missing_is_told_and_the_others_are_served() {
    let desired = desired(WHOLE);
    let there = || Some(Vec::new());
    let v4 = ActualFamily { entries: Some(Vec::new()), nat: there(), filter: there() };
    let v6 = ActualFamily { entries: Some(Vec::new()), nat: None, filter: there() };
    let plan = redirect_plan(&desired, &ActualRedirect { v4, v6, ..ActualRedirect::default() });
    assert!(plan.findings[0].code == "router.redirect_lacks" && plan.findings[0].what.contains(NAT6));
    assert!(plan.steps.iter().all(|step| step.menu != NAT6) && plan.steps.iter().any(|step| step.menu == NAT));
    assert!(plan.steps.iter().any(|step| step.family == Family::V6 && step.name == "rest"));
}

#[test]
fn only_a_rule_that_lets_all_of_it_pass_is_told() {
    let desired = desired("");
    let whole = settled(&desired, Menu::new(Vec::new()));
    let told = |values: &[(&'static str, &str)]| {
        let mut rows = whole.rows.clone();
        rows.insert(0, rule(0x2000, "", values));
        let v4 = ActualFamily { filter: Some(rows), ..ActualFamily::default() };
        let plan = redirect_plan(&desired, &ActualRedirect { v4, ..ActualRedirect::default() });
        plan.findings.iter().any(|finding| finding.code == "router.redirect_bypassed")
    };
    let accept = ("action", "accept");
    assert!(told(&[("chain", "forward"), accept]));
    assert!(told(&[("chain", "forward"), accept, ("src-address-list", "ISOLIR")]));
    assert!(told(&[("chain", "forward"), accept, ("connection-state", "established,new")]));
    assert!(!told(&[("chain", "forward"), accept, ("connection-state", "established,related")]));
    assert!(!told(&[("chain", "forward"), accept, ("protocol", "icmp")]));
    assert!(!told(&[("chain", "input"), accept]));
    assert!(!told(&[("chain", "forward"), ("action", "drop")]));
}

type Values = &'static [(&'static str, &'static str)];

#[test]
fn only_a_rule_that_keeps_lines_from_the_page_is_told() {
    const LIST: (&str, &str) = ("src-address-list", "ISOLIR");
    const DROP: Values = &[("chain", "forward"), ("action", "drop"), LIST];
    const DROP_ANY: Values = &[("chain", "forward"), ("action", "drop")];
    const LEAD: Values =
        &[("chain", "dstnat"), ("action", "dst-nat"), ("to-addresses", "10.9.9.9"), ("protocol", "tcp"), LIST];
    const ACCEPT: Values = &[("chain", "dstnat"), ("action", "accept"), LIST];
    let desired = desired(r#","port":8080"#);
    let own = |rules: &[DesiredRule]| {
        let rows = rules.iter().enumerate().map(|(at, own)| {
            let values: Vec<_> = own.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            rule(at + 1, &RedirectMark { slot: &own.slot }.comment(), &values)
        });
        rows.collect::<Vec<_>>()
    };
    let told_of = |menu: &str, foreign: Rule, on_top: bool| {
        let (mut filter, mut nat) = (own(&desired.v4.filter), own(&desired.v4.nat));
        let rows = if menu == FILTER { &mut filter } else { &mut nat };
        rows.insert(if on_top { 0 } else { rows.len() }, foreign);
        let v4 = ActualFamily { filter: Some(filter), nat: Some(nat), ..ActualFamily::default() };
        let plan = redirect_plan(&desired, &ActualRedirect { v4, ..ActualRedirect::default() });
        plan.findings.iter().any(|finding| finding.code == "router.redirect_cut" && finding.what.contains(menu))
    };
    let cases: [(&str, Values, Values, bool); 17] = [
        (FILTER, DROP, &[], true),
        (FILTER, DROP, &[("protocol", "tcp"), ("dst-port", "443,8000-8100")], true),
        (FILTER, DROP, &[("connection-state", "new")], true),
        (FILTER, &[("chain", "forward"), ("action", "reject")], &[("reject-with", "icmp-admin-prohibited")], true),
        // NAT has changed the port before the filter sees it.
        (FILTER, DROP, &[("protocol", "tcp"), ("dst-port", "80")], false),
        (FILTER, DROP, &[("protocol", "udp")], false),
        (FILTER, DROP, &[("dst-address", "10.7.0.0/16")], false),
        (FILTER, DROP, &[("dst-address-list", "!ISP-PORTAL")], false),
        (FILTER, DROP, &[("connection-state", "invalid")], false),
        (FILTER, DROP_ANY, &[("src-address-list", "LAIN")], false),
        (FILTER, &[("chain", "input"), ("action", "drop")], &[], false),
        (NAT, LEAD, &[("dst-port", "80")], true),
        (NAT, ACCEPT, &[], true),
        (NAT, &[("chain", "dstnat"), ("action", "redirect"), ("protocol", "6")], &[("dst-port", "80,443")], true),
        (NAT, LEAD, &[("dst-port", "53")], false),
        (NAT, ACCEPT, &[("dst-address", "10.0.0.5")], false),
        (NAT, &[("chain", "srcnat"), ("action", "accept")], &[], false),
    ];
    for (menu, values, more, expected) in cases {
        let foreign = rule(0x2000, "punya saya", &[values, more].concat());
        assert_eq!(told_of(menu, foreign.clone(), true), expected, "{foreign:?}");
        assert!(!told_of(menu, foreign.clone(), false), "below ours: {foreign:?}");
        assert!(!told_of(menu, Rule { disabled: true, ..foreign.clone() }, true), "disabled: {foreign:?}");
        assert!(!told_of(menu, Rule { comment: b"isp:redirect/lama"[..].into(), ..foreign }, true), "ours");
    }
    // Where our rules are not yet, they come above.
    let rows = vec![rule(1, "", DROP)];
    let v4 = ActualFamily { filter: Some(rows), nat: Some(Vec::new()), entries: Some(Vec::new()) };
    assert_eq!(redirect_plan(&desired, &ActualRedirect { v4, ..ActualRedirect::default() }).findings, []);
}

proptest! {
    /// Whatever somebody did to the menu, one turn brings it back; nothing of others changes, nor its order.
    #[test]
    fn any_menu_is_brought_to_what_is_wanted(
        seed in prop::collection::vec((0..6_usize, 0..40_usize, 0..40_usize), 0..12),
        foreign in prop::collection::vec(0..4_usize, 0..6),
    ) {
        let desired = desired(WHOLE);
        let others = foreign.iter().enumerate().map(|(number, kind)| match kind {
            0 => fasttrack(number + 1),
            1 => rule(number + 1, "", &[("chain", "forward"), ("action", "accept"), ("connection-state", "established")]),
            2 => rule(number + 1, "", &[("chain", "input"), ("action", "drop")]),
            _ => rule(number + 1, "isp:4f1a09c2be77", &[("chain", "output"), ("action", "accept")]),
        });
        let mut menu = settled(&desired, Menu::new(others.collect()));
        prop_assert_eq!(filter_plan(&desired, &menu), vec![]);
        for (kind, from, to) in seed {
            let (from, to) = (from % menu.rows.len(), to % menu.rows.len());
            let ours = |menu: &Menu| RedirectMark::split(&menu.rows[from].comment).0.is_some();
            match kind {
                0 | 1 => {
                    let row = menu.rows.remove(from);
                    menu.rows.insert(to.min(menu.rows.len()), row);
                }
                2 if ours(&menu) && menu.rows.len() > 1 => drop(menu.rows.remove(from)),
                3 if ours(&menu) => menu.rows[from].disabled = true,
                4 if ours(&menu) => drop(menu.rows[from].values.insert("dst-port", b"81".to_vec())),
                5 if ours(&menu) => {
                    menu.next += 1;
                    let copy = Rule { id: id(menu.next), ..menu.rows[from].clone() };
                    menu.rows.insert(to, copy);
                }
                _ => {}
            }
        }
        let strangers = |menu: &Menu| {
            let rows = menu.rows.iter().filter(|row| RedirectMark::split(&row.comment).0.is_none());
            rows.cloned().collect::<Vec<_>>()
        };
        let after = settled(&desired, menu.clone());
        prop_assert_eq!(filter_plan(&desired, &after), vec![]);
        prop_assert_eq!(strangers(&menu), strangers(&after));
    }
}

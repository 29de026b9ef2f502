//! The simulated firewall: rules in an order that people choose, among rules that are the router's own.

use isp_mikrotik::Client;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation};

use crate::common::{command, refusal, started};

const FILTER: &str = "/ip/firewall/filter";

async fn id(client: &Client, words: &str) -> String {
    let reply = client.call(&command(words)).await.unwrap_or_else(|error| panic!("{words}: {error}"));
    reply.ret().map(|ret| String::from_utf8_lossy(ret).into_owned()).unwrap_or_default()
}

fn comments(router: &SimulatedRouter) -> Vec<String> {
    let rules = router.items(FILTER).into_iter();
    rules.map(|rule| String::from_utf8(rule.get("comment").cloned().unwrap_or_default()).unwrap()).collect()
}

#[tokio::test]
async fn rules_stand_where_they_were_put() {
    let (router, client) = started(Simulation::default()).await;
    let a = id(&client, &format!("{FILTER}/add chain=forward comment=a")).await;
    let c = id(&client, &format!("{FILTER}/add chain=forward comment=c")).await;
    id(&client, &format!("{FILTER}/add chain=forward comment=b place-before={c}")).await;
    assert_eq!(comments(&router), ["a", "b", "c"]);
    id(&client, &format!("{FILTER}/move numbers={c} destination={a}")).await;
    assert_eq!(comments(&router), ["c", "a", "b"]);
    // A change does not move a rule.
    id(&client, &format!("{FILTER}/set .id={c} action=drop")).await;
    assert_eq!(comments(&router), ["c", "a", "b"]);
    // Without a destination, or with one that is not there, a rule goes to the end.
    id(&client, &format!("{FILTER}/move numbers={c}")).await;
    assert_eq!(comments(&router), ["a", "b", "c"]);
    id(&client, &format!("{FILTER}/move numbers={a} destination=*FFFF")).await;
    assert_eq!(comments(&router), ["b", "c", "a"]);
}

#[tokio::test]
async fn refusals_have_the_texts_of_real_routers() {
    let (_router, client) = started(Simulation::default()).await;
    let own = id(&client, &format!("{FILTER}/add chain=forward")).await;
    for (words, text) in [
        (format!("{FILTER}/add chain=forward src-mac-address=zz"), "invalid value of address, mac address required"),
        (format!("{FILTER}/add chain=forward src-address=zz"), "value of range expects range of ip addresses"),
        (format!("{FILTER}/move numbers={own} destination={own}"), "failure: can not move object before itself"),
        (format!("{FILTER}/move destination={own}"), "missing =.id="),
        (format!("{FILTER}/set .id={own} place-before=*2"), "unknown parameter place-before"),
        (format!("{FILTER}/add in-interface-list=nope"), "input does not match any value of interface-list"),
        (format!("{FILTER}/add chain=forward action=shut"), "input does not match any value of action"),
        (format!("{FILTER}/add chain=forward place-before=*77"), "no such item"),
        ("/ipv6/firewall/nat/add chain=dstnat to-addresses=::1".to_owned(), "unknown parameter to-addresses"),
    ] {
        assert_eq!(refusal(&client, &words).await, text, "{words}");
    }
    refusal(&client, &format!("{FILTER}/add chain=forward action=reject reject-with=tcp-reset")).await;
    refusal(&client, &format!("{FILTER}/add chain=forward dst-port=80")).await;
}

#[tokio::test]
async fn while_a_rule_fasttracks_the_router_shows_one_of_its_own_that_nobody_can_touch() {
    let (router, client) = started(Simulation::default()).await;
    let first = id(&client, &format!("{FILTER}/add chain=input comment=first")).await;
    let track = id(&client, &format!("{FILTER}/add chain=forward action=fasttrack-connection comment=track")).await;
    let dummy = "special dummy rule to show fasttrack counters";
    assert_eq!(comments(&router), [dummy, "first", "track"]);
    let print = command(&format!("{FILTER}/print .proplist=.id,dynamic"));
    let rows = client.call(&print).await.unwrap().into_rows();
    let own = String::from_utf8(rows[0].value(".id").unwrap().to_vec()).unwrap();
    assert_eq!(rows[0].value("dynamic"), Some(&b"true"[..]));
    for words in [
        format!("{FILTER}/remove .id={own}"),
        format!("{FILTER}/set .id={own} comment=x"),
        format!("{FILTER}/move numbers={own}"),
        format!("{FILTER}/move numbers={first} destination={own}"),
        format!("{FILTER}/add chain=forward place-before={own}"),
    ] {
        assert!(refusal(&client, &words).await.contains("dynamic"), "{words}");
    }
    id(&client, &format!("{FILTER}/disable .id={track}")).await;
    assert_eq!(comments(&router), ["first", "track"]);
}

#[tokio::test]
async fn addresses_of_ipv6_are_shown_with_their_length() {
    let (router, client) = started(Simulation::default()).await;
    id(&client, "/ipv6/firewall/address-list/add list=P address=2001:db8::1").await;
    id(&client, "/ipv6/firewall/address-list/add list=P address=app.example.com").await;
    id(&client, "/ipv6/firewall/nat/add chain=dstnat action=dst-nat to-address=2001:db8::1").await;
    let shown = |menu: &str, name: &str| router.items(menu)[0].get(name).cloned();
    assert_eq!(shown("/ipv6/firewall/address-list", "address").unwrap(), b"2001:db8::1/128");
    assert_eq!(shown("/ipv6/firewall/nat", "to-address").unwrap(), b"2001:db8::1/128");
    let twin = "/ipv6/firewall/address-list/add list=P address=2001:db8::1/128";
    assert_eq!(refusal(&client, twin).await, "failure: already have such entry");
}

#[tokio::test]
async fn a_menu_that_the_router_lacks_is_none() {
    let without = vec!["/ipv6/firewall/nat".to_owned()];
    let (_router, client) = started(Simulation { without, ..Simulation::default() }).await;
    let text = refusal(&client, "/ipv6/firewall/nat/print").await;
    assert_eq!(text, "no such command or directory (nat); no such command prefix");
    id(&client, "/ipv6/firewall/filter/add chain=forward").await;
    let (_router, client) = started(Simulation { without: vec!["/ipv6".to_owned()], ..Simulation::default() }).await;
    let text = refusal(&client, "/ipv6/firewall/filter/print").await;
    assert_eq!(text, "no such command or directory (ipv6); no such command prefix");
}

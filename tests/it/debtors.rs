//! The list of who owes is read page by page, while money moves.

use isp_core::calendar::Cycle;
use isp_core::engine::Engine;
use isp_core::ids::CustomerId;

use crate::support::{World, at, customer_id, date};

/// Who owes in the order of the list, by one invoice a page; `between` is done after the first two pages.
async fn told(world: &World, between: impl AsyncFnOnce()) -> Vec<CustomerId> {
    let engine = Engine { page: 1, ..world.engine() };
    let mut pages = engine.debtor_pages(date("2026-02-20"));
    let mut told = Vec::new();
    for _ in 0..2 {
        told.extend(pages.next().await.unwrap().unwrap());
    }
    between().await;
    while let Some(page) = pages.next().await.unwrap() {
        told.extend(page);
    }
    told.into_iter().map(|debtor| debtor.customer_id).collect()
}

#[tokio::test]
async fn who_owes_is_told_once_while_money_moves() {
    let world = World::new().await;
    for n in 0..3 {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 8)).await;
    }
    for month in ["2026-01-01", "2026-02-01"] {
        world.run(at(month, 9)).await.unwrap();
    }
    let now = at("2026-02-20", 9);
    let january = world.pay(1, "p1", 166_500, now).await.unwrap();
    let all = [customer_id(0), customer_id(1), customer_id(2)];
    let mut quiet = told(&world, async || ()).await;
    assert_eq!(quiet, [all[0], all[2], all[1]], "by the earliest due day");
    quiet.sort_unstable();
    // The first one pays January after being told, and still owes February.
    let mut found = told(&world, async || drop(world.pay(0, "p0", 166_500, now).await.unwrap())).await;
    found.sort_unstable();
    assert_eq!(found, all, "nobody twice");
    // The payment of January is taken back after the place of that invoice was passed; February is still to come.
    let back = async || {
        world.engine().reverse(january.payment_id, "kasir", "salah", now).await.unwrap();
    };
    let mut found = told(&world, back).await;
    found.sort_unstable();
    assert_eq!(found, all, "nobody is left out");
}

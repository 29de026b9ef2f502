//! The port's contract, as the core states it, on the tables of FreeRADIUS and a simulated NAS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use async_trait::async_trait;
use common::Stage;
use isp_core::place::RouterEndpoint;
use isp_core::ports::AccessControl;
use isp_core::subscription::Account;
use isp_core::testing::contract::access::{Harness, run_all};

struct OnTables(Stage);

#[async_trait]
impl Harness for OnTables {
    fn control(&self) -> &dyn AccessControl {
        &self.0.access
    }

    fn endpoint(&self) -> RouterEndpoint {
        self.0.endpoint()
    }

    async fn plant(&self, account: &Account) {
        let (name, password) = (account.username.as_str(), account.password.reveal());
        let sql = "INSERT INTO radcheck (username, attribute, op, value) VALUES ($1, 'Cleartext-Password', ':=', $2)";
        sqlx::query(sql).bind(name).bind(password).execute(&self.0.pool).await.unwrap();
        let sql = "INSERT INTO radusergroup (username, groupname, priority) VALUES ($1, 'tetangga', 1)";
        sqlx::query(sql).bind(name).execute(&self.0.pool).await.unwrap();
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        let sql = "SELECT count(*) FROM radcheck NATURAL JOIN (SELECT username, groupname FROM radusergroup) g
             WHERE username = $1 AND attribute = 'Cleartext-Password' AND value = $2 AND groupname = 'tetangga'";
        let (name, password) = (account.username.as_str(), account.password.reveal());
        let same: i64 = sqlx::query_scalar(sql).bind(name).bind(password).fetch_one(&self.0.pool).await.unwrap();
        let rows = "SELECT (SELECT count(*) FROM radcheck WHERE username = $1)
             + (SELECT count(*) FROM radusergroup WHERE username = $1)";
        let rows: i64 = sqlx::query_scalar(rows).bind(name).fetch_one(&self.0.pool).await.unwrap();
        (same, rows) == (1, 2)
    }

    async fn set_down(&self, down: bool) {
        if down { self.0.cut() } else { self.0.open() }
    }

    async fn lose_reply(&self) -> bool {
        // The line is online, and the answer that its session was ended never arrives.
        self.0.nas.dial("contract-15");
        self.0.nas.lose_next(1);
        true
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    run_all(&OnTables(Stage::new().await)).await;
}

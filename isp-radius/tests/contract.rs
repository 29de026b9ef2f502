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
        self.0
            .sql(&format!(
                "INSERT INTO radcheck (username, attribute, op, value)
                     VALUES ('{name}', 'Cleartext-Password', ':=', '{password}');
                 INSERT INTO radusergroup (username, groupname, priority) VALUES ('{name}', 'tetangga', 1)"
            ))
            .await;
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        let (name, password) = (account.username.as_str(), account.password.reveal());
        let same = format!(
            "SELECT count(*) FROM radcheck NATURAL JOIN (SELECT username, groupname FROM radusergroup) g
             WHERE username = '{name}' AND attribute = 'Cleartext-Password' AND value = '{password}'
                 AND groupname = 'tetangga'"
        );
        let rows =
            ["radcheck", "radusergroup"].map(|table| format!("SELECT count(*) FROM {table} WHERE username = '{name}'"));
        (self.0.count(&same).await, self.0.count(&rows[0]).await, self.0.count(&rows[1]).await) == (1, 1, 1)
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

    async fn dial(&self, account: &Account) -> bool {
        self.0.nas.dial(account.username.as_str());
        true
    }

    /// A box of this NAS dials when it is told to, and never by itself.
    async fn runs_on(&self, account: &Account) -> bool {
        self.0.nas.is_online(account.username.as_str())
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    run_all(&OnTables(Stage::new().await)).await;
}

//! Nothing that the vault seals is found in clear in a database, nor in an error.

use crate::common::*;
use isp_core::ports::{ChangeSet, DirectoryStore, PageQuery, Store, StoreError};
use isp_store::Vault;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

const CUSTOMERS: u32 = 20;

/// Every sealed text of the invented provider.
fn clear_texts() -> Vec<String> {
    let mut texts: Vec<String> = (0..CUSTOMERS).flat_map(|n| [nik_of(n), password_of(n)]).collect();
    texts.extend([ROUTER_PASSWORD.to_owned(), CPE_PASSWORD.to_owned()]);
    texts
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for text in clear_texts() {
        let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
        for form in [text, hex] {
            assert!(!bytes.windows(form.len()).any(|w| w == form.as_bytes()), "a clear text is in {what}");
        }
    }
}

async fn filled(database: &Database) -> isp_store::SqlStore {
    let store = database.open().await;
    store.commit(TENANT, provider(CUSTOMERS, day("2026-01-05"))).await.unwrap();
    store
}

#[tokio::test]
async fn no_file_of_sqlite_holds_a_clear_text() {
    let database = Database::sqlite_migrated().await;
    let store = filled(&database).await;
    let mut seen = 0;
    for round in 0..2 {
        for entry in std::fs::read_dir(database.path().parent().unwrap()).unwrap() {
            let entry = entry.unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            seen += bytes.len();
            assert_clean(&entry.file_name().to_string_lossy(), &bytes);
        }
        if round == 0 {
            // With the log written back.
            store.close().await;
        }
    }
    assert!(seen > 100_000, "the files hold the provider: {seen} bytes");
    let bytes = std::fs::read(database.path()).unwrap();
    assert!(
        bytes.windows(12).any(|w| w == b"user3@isp\0\0\0".as_slice()) || bytes.windows(9).any(|w| w == b"user3@isp")
    );
}

#[tokio::test]
async fn no_table_of_postgresql_holds_a_clear_text() {
    let database = Database::postgres_migrated().await;
    let _store = filled(&database).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    assert!(tables.len() > 20);
    let mut dump = String::new();
    for table in tables {
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT t::text FROM {table} t")));
        for row in rows.fetch_all(&mut connection).await.unwrap() {
            dump.push_str(&row.get::<String, _>(0));
            dump.push('\n');
        }
    }
    assert!(dump.contains("user3@isp"), "the dump holds the provider");
    assert_clean("the dump", dump.as_bytes());
}

#[tokio::test]
async fn errors_hold_no_personal_data() {
    for database in Database::both_migrated().await {
        let store = filled(&database).await;
        let mut double = the_customer(500);
        double.code = code("C-00001");
        let mut stray = the_subscription(501, day("2026-01-05"));
        stray.customer_id = customer(777);
        let mut twin = the_subscription(1, day("2026-01-05"));
        twin.id = subscription(502);
        for (changes, expected) in [
            (ChangeSet { customers: vec![double], ..ChangeSet::default() }, "store.duplicate"),
            (ChangeSet { subscriptions: vec![stray], ..ChangeSet::default() }, "store.rejected"),
            (ChangeSet { subscriptions: vec![twin], ..ChangeSet::default() }, "store.duplicate"),
        ] {
            let error = store.commit(TENANT, changes).await.unwrap_err();
            assert_eq!(error.code(), expected);
            let text = format!("{error} {error:?}");
            assert_clean("an error", text.as_bytes());
            for word in ["C-00001", "Melati", "user1", "+62812", "Pelanggan"] {
                assert!(!text.contains(word), "{word}");
            }
        }
    }
}

#[tokio::test]
async fn another_key_is_refused_at_the_door_and_a_ring_is_not() {
    for database in Database::both_migrated().await {
        filled(&database).await.close().await;
        let other = "11".repeat(32);
        let error = isp_store::open(&database.url, Vault::from_text(&other).unwrap()).await.err().unwrap();
        assert!(matches!(&error, StoreError::WrongKey), "{error}");

        // A new key in front: what the old one sealed still opens, what is written now is sealed by the new one.
        let ring = format!("{other}\n{}", "7e".repeat(32));
        let store = isp_store::open(&database.url, Vault::from_text(&ring).unwrap()).await.unwrap();
        let (row, _) = store.subscriptions(TENANT, None, PageQuery::first(1)).await.unwrap().remove(0);
        assert_eq!(row.account.password.reveal(), password_of(0));
        store.commit(TENANT, ChangeSet { subscriptions: vec![row], ..ChangeSet::default() }).await.unwrap();
        let old = database.open().await;
        let first = old.subscriptions(TENANT, None, PageQuery::first(1)).await.unwrap();
        let damaged = old.damaged();
        assert!(damaged.len() == 1 && damaged[0].reason.contains("not in the ring"), "{damaged:?}");
        assert_ne!(first[0].0.id.0, damaged[0].id);
    }
}

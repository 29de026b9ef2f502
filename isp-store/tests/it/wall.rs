//! The wall between tenants in PostgreSQL. Whether a statement crosses it is tried in `src/postgres/crossing.rs`.

use crate::common::*;
use isp_core::calendar::Zone;
use isp_core::ids::TenantId;
use isp_core::ports::{BillingStore as _, ChangeSet, DirectoryStore as _, PageQuery, Store as _, StoreError};
use isp_core::testing::contract;
use isp_store::{SqlStore, Vault};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

const NOW: (&str, u32) = ("2026-01-05", 12);

fn now() -> chrono::DateTime<chrono::Utc> {
    day(NOW.0).at(NOW.1, 0, Zone::Wib)
}

/// The tables with a tenant, as the owner finds them.
async fn tables(owner: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT DISTINCT table_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name IN (SELECT relname FROM pg_class
            WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace)
            AND table_name NOT LIKE 'pg\\_%' ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract_behind_the_wall() {
    let database = Database::postgres_migrated().await.walled().await;
    // On a cluster a statement that goes to more shards than one is refused: all rows of a tenant lie in one, and of what is asked of many, Citus
    // does not understand everything.
    let one_shard = if on_cluster() { "&options[citus.multi_task_query_log_level]=error" } else { "" };
    let url = format!("{}{one_shard}", database.behind.as_ref().unwrap());
    let store = SqlStore::open(&url, vault()).await.unwrap();
    contract::store::run_all(&store).await;
    contract::inbox::run_all(&store, 900).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_no_tenant_is_refused_and_who_names_another_sees_nothing() {
    let database = Database::postgres_migrated().await.walled().await;
    let store = database.open().await;
    // Enough rows for each way into a table.
    store.commit(TENANT, provider(1_200, day("2026-01-05"))).await.unwrap();
    assert_eq!(store.customers(TENANT, PageQuery::first(5_000)).await.unwrap().len(), 1_200);
    let other = TenantId(id(99, 1));
    assert_eq!(store.customers(other, PageQuery::first(5_000)).await.unwrap(), []);
    store.commit(other, provider(20, day("2026-01-05"))).await.unwrap();
    assert_eq!(store.customers(other, PageQuery::first(5_000)).await.unwrap().len(), 20);
    assert!(store.billing_position(other).await.unwrap().is_none());

    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let mut behind = PgConnection::connect(database.behind.as_ref().unwrap()).await.unwrap();
    let tables = tables(&mut owner).await;
    assert!(tables.len() > 50, "{tables:?}");
    let third = TenantId(id(99, 2));
    for table in &tables {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        behind.execute(AssertSqlSafe(sql.clone())).await.expect_err("no tenant is named");
        let mut transaction = behind.begin().await.unwrap();
        transaction.execute("SET LOCAL citus.propagate_set_commands TO 'local'").await.unwrap();
        transaction.execute(AssertSqlSafe(format!("SET LOCAL isp.tenant TO '{}'", third.0))).await.unwrap();
        let seen: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(seen, 0, "{table}");
        for sql in [format!("DELETE FROM {table}"), format!("UPDATE {table} SET tenant_id = tenant_id")] {
            // A cluster changes no row of the column by which it is cut.
            if on_cluster() && sql.starts_with("UPDATE") {
                continue;
            }
            assert_eq!(transaction.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected(), 0, "{table}");
        }
        transaction.rollback().await.unwrap();
    }
    // The row of the key stays as it is.
    let kept = behind.execute("UPDATE meta SET value = ''").await.expect_err("the key is not written");
    assert_eq!(kept.as_database_error().unwrap().code().unwrap(), "42501");
    behind.execute("INSERT INTO meta (key, value) VALUES ('last_backup', '')").await.expect_err("only the key");
    assert_eq!(
        behind.execute("DELETE FROM _sqlx_migrations").await.unwrap_err().as_database_error().unwrap().code().unwrap(),
        "42501"
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_all_tenants_is_the_owners() {
    let database = Database::postgres_migrated().await.walled().await;
    let store = database.open().await;
    store.commit(TENANT, provider(20, day("2026-01-05"))).await.unwrap();
    let behind = database.behind.as_ref().unwrap();
    let refused = |error: StoreError| assert!(error.to_string().contains("behind the wall"), "{error}");
    refused(store.hold_runs().await.unwrap_err());
    refused(store.key_uses().await.unwrap_err());
    refused(isp_store::migrate(behind).await.unwrap_err());
    refused(isp_store::wall(behind, &database.user()).await.unwrap_err());
    let file = tempfile::tempdir().unwrap();
    let copied = isp_store::backup(behind, &file.path().join("copy"), None).await.unwrap_err();
    assert!(copied.to_string().contains("behind the wall"), "{copied}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_gaps_in_the_wall_and_building_it_again_closes_them() {
    let database = Database::postgres_migrated().await.walled().await;
    let user = database.user();
    let kinds = async |url: &str| {
        let store = SqlStore::open(url, vault()).await.unwrap();
        let found = store.examine(TENANT, now()).await.unwrap();
        store.close().await;
        found.into_iter().map(|of| (of.kind, of.about)).collect::<Vec<_>>()
    };
    let behind = database.behind.clone().unwrap();
    assert_eq!(kinds(&behind).await, []);
    // Who opens it as the owner passes the wall.
    assert_eq!(kinds(&database.url).await, [("wall.user", "isp".to_owned())]);
    assert_eq!(isp_store::wall(&database.url, &user).await.unwrap().now, [""; 0]);

    database.execute("ALTER TABLE payments DISABLE ROW LEVEL SECURITY").await;
    database.execute("CREATE POLICY everybody ON invoices USING (TRUE)").await;
    database.execute("DROP POLICY tenant_wall ON outbox").await;
    database.execute("ALTER TABLE meta DISABLE ROW LEVEL SECURITY").await;
    assert_eq!(kinds(&behind).await, [("wall.table", "invoices, outbox, payments, meta".to_owned())]);
    let again = isp_store::wall(&database.url, &user).await.unwrap();
    assert_eq!(again.now, ["invoices", "payments", "outbox"]);
    assert_eq!(kinds(&behind).await, []);

    // A table of a later migration is walled with it, and the user may work with it.
    if !on_cluster() {
        database.execute("CREATE TABLE later (tenant_id UUID NOT NULL, PRIMARY KEY (tenant_id))").await;
        assert_eq!(kinds(&behind).await, [("wall.table", "later".to_owned())]);
        isp_store::migrate(&database.url).await.unwrap();
        assert_eq!(kinds(&behind).await, []);
        let mut connection = PgConnection::connect(&behind).await.unwrap();
        connection.execute("SELECT 1 FROM later").await.expect_err("no tenant is named");
        connection.execute("BEGIN; SET LOCAL isp.tenant TO '00000000-0000-0000-0000-000000000001'").await.unwrap();
        connection.execute("INSERT INTO later VALUES ('00000000-0000-0000-0000-000000000001')").await.unwrap();
        connection.execute("INSERT INTO later VALUES ('00000000-0000-0000-0000-000000000002')").await.unwrap_err();
        connection.close().await.unwrap();
    }

    database.execute(&format!("ALTER ROLE {user} BYPASSRLS")).await;
    assert_eq!(kinds(&behind).await, [("wall.user", user.clone())]);
    let refused = isp_store::wall(&database.url, &user).await.unwrap_err();
    assert!(refused.to_string().contains("would pass the wall"), "{refused}");
    let missing = isp_store::wall(&database.url, "isp_nobody_of_this_name").await.unwrap_err();
    assert!(missing.to_string().contains("has no user"), "{missing}");
}

/// The wall is built by several at once, twice over; each of them has to come to its end.
async fn build_at_once(urls: &[&str], user: &str) {
    for _ in 0..2 {
        let builders = (0..8).map(|n| {
            let (url, user) = (urls[n % urls.len()].to_owned(), user.to_owned());
            tokio::spawn(async move { isp_store::wall(&url, &user).await })
        });
        for builder in builders.collect::<Vec<_>>() {
            builder.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_build_the_wall_of_a_database_at_once() {
    let mut database = Database::postgres_migrated().await;
    alone(async || {
        database.make_user().await;
        build_at_once(&[&database.url], &database.user()).await;
    })
    .await;
    assert!(isp_store::wall(&database.url, &database.user()).await.unwrap().now.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walls_of_two_databases_are_built_for_one_user_at_once() {
    // The second is dropped first: a user goes when it has no rights any more.
    let mut one = Database::postgres_migrated().await;
    let other = Database::postgres_migrated().await;
    alone(async || {
        one.make_user().await;
        build_at_once(&[&one.url, &other.url], &one.user()).await;
    })
    .await;
    for database in [&one, &other] {
        assert!(isp_store::wall(&database.url, &one.user()).await.unwrap().now.is_empty());
    }
}

/// Citus alters the user on each node when a database first gives it rights, and the user is the same in all databases of the node. PostgreSQL
/// refuses the second of two who alter it at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn a_wall_is_built_while_another_database_of_the_cluster_alters_its_user() {
    let mut database = Database::postgres_migrated().await;
    alone(async || {
        database.make_user().await;
        let mut node = PgConnection::connect(&cluster::nodes()[1]).await.unwrap();
        let mut altering = node.begin().await.unwrap();
        let sql = format!("ALTER ROLE {} CONNECTION LIMIT 50", database.user());
        altering.execute(AssertSqlSafe(sql)).await.unwrap();
        let (url, user) = (database.url.clone(), database.user());
        let builder = tokio::spawn(async move { isp_store::wall(&url, &user).await });
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'
            AND query LIKE '%worker_create_or_alter_role%')";
        // Within a transaction, what others do is told as it was at first.
        let mut looking = PgConnection::connect(&cluster::nodes()[1]).await.unwrap();
        let mut looks = 0;
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut looking).await.unwrap() {
            looks += 1;
            assert!(looks < 300, "the wall does not wait for the user");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        altering.commit().await.unwrap();
        let walled = builder.await.unwrap().unwrap();
        assert_eq!(walled.now.len(), walled.tables);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_a_wall_is_as_before() {
    let database = Database::postgres_migrated().await;
    let store = SqlStore::open(&database.url, Vault::from_text(&"7e".repeat(32)).unwrap()).await.unwrap();
    store.commit(TENANT, ChangeSet { sites: places().sites, ..ChangeSet::default() }).await.unwrap();
    let found = store.examine(TENANT, now()).await.unwrap();
    assert!(found.iter().all(|of| !of.kind.starts_with("wall.")), "{found:?}");
    store.close().await;
}

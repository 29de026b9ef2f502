//! Moota, phones and a bank's file that tell of the same money at one moment, each on a connection of its own: it is kept once.

use std::sync::Arc;

use isp_core::bank::{BankFile, BankFormat, Teller, ToldRow, account_code};
use isp_core::calendar::Date;
use isp_core::engine::Engine;
use isp_core::policy::Policy;
use isp_core::ports::{MoneyStore as _, MutationQuery, PageQuery, TellingQuery};
use isp_core::text::Code;
use isp_store::SqlStore;
use tokio::sync::Barrier;

use crate::common::*;

const BANK: &str = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n20/01/26,TRF,8888,0,150000.00,150000.00\n20/01/26,TRF,8888,0,150000.00,300000.00\n";

async fn tell(store: &SqlStore, name: &str, format: BankFormat, nonce: usize) {
    let policy = Policy::default();
    let teller = Teller { name: Code::parse("source", name).unwrap(), format };
    let row = ToldRow {
        id: format!("n-{nonce}"),
        account: account_code("BRI-1").unwrap(),
        bank: None,
        on: Date::parse("2026-01-20").unwrap(),
        hundredths: 15_000_000,
        text: "dari BUDI".to_owned(),
        balance: None,
    };
    Engine::new(store, TENANT, &policy).keep_told(&teller, &[row], chrono::Utc::now()).await.unwrap();
}

async fn import(store: &SqlStore) {
    let policy = Policy::default();
    let (file, account) = (BankFile::read(BANK).unwrap(), account_code("BRI-1").unwrap());
    let engine = Engine::new(store, TENANT, &policy);
    engine.import_bank_file(&file, &account, BANK, "kasir", chrono::Utc::now()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_tells_at_one_moment_keeps_as_many_as_there_were() {
    for database in Database::both_migrated().await {
        let store = Arc::new(database.open().await);
        // Five at once, twice: two transfers of one day and amount.
        for nonce in 0..2 {
            let barrier = Arc::new(Barrier::new(5));
            let mut all = tokio::task::JoinSet::new();
            for who in ["moota", "hp-1", "hp-2", "hp-3", "file"] {
                let (store, barrier) = (Arc::clone(&store), Arc::clone(&barrier));
                all.spawn(async move {
                    barrier.wait().await;
                    match who {
                        "file" => import(&store).await,
                        "moota" => tell(&store, who, BankFormat::Moota, nonce).await,
                        _ => tell(&store, who, BankFormat::Phone, nonce).await,
                    }
                });
            }
            while let Some(done) = all.join_next().await {
                done.unwrap();
            }
        }
        let kept = store.mutations(TENANT, &MutationQuery::default(), PageQuery::first(9)).await.unwrap();
        let tellings = store.tellings(TENANT, &TellingQuery::default()).await.unwrap();
        let of_files = kept.iter().filter(|row| row.mutation.format == BankFormat::Bri).count();
        let of_bri = tellings.iter().filter(|t| t.source.as_str() == "bri").count();
        assert_eq!((kept.len(), tellings.len() - of_bri, of_files + of_bri), (2, 8, 2));
        store.close().await;
    }
}

//! The physical limit beside a billing run: binary COPY of the rows that it wrote.

use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnection;

/// Rows a transaction of COPY.
const COPIED: usize = 10_000;

/// The columns of an invoice that are written: the server makes the others of these.
pub(crate) const INVOICE: &str =
    "tenant_id, invoice_id, number, customer_id, subscription_id, site_id, package_id, kind, period_start, period_end,
    issue_date, due_date, dpp, ppn, total, paid, lines";

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Rows in COPY's binary format.
pub(crate) struct Rows {
    /// Their columns in brackets; nothing for those of the table.
    columns: String,
    bytes: Vec<u8>,
    /// Where each begins, and where the last ends.
    bounds: Vec<usize>,
}

impl Rows {
    pub(crate) async fn read(connection: &mut PgConnection, table: &str, which: &str) -> Self {
        let (given, columns) =
            if table == "invoices" { (INVOICE, format!("({INVOICE})")) } else { ("*", String::new()) };
        let sql = format!("COPY (SELECT {given} FROM {table} WHERE {which}) TO STDOUT (FORMAT binary)");
        let mut stream = connection.copy_out_raw(&sql).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(message) = stream.try_next().await.unwrap() {
            bytes.extend_from_slice(&message);
        }
        let mut bounds = vec![HEADER.len()];
        let mut at = HEADER.len();
        let number = |at: usize| i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        loop {
            let fields = i16::from_be_bytes(bytes[at..at + 2].try_into().unwrap());
            if fields < 0 {
                return Self { columns, bytes, bounds };
            }
            at += 2;
            for _ in 0..fields {
                at += 4 + usize::try_from(number(at)).unwrap_or(0);
            }
            bounds.push(at);
        }
    }

    /// So many rows at a time.
    fn chunks(&self, size: usize) -> impl Iterator<Item = (&[u8], usize)> {
        (0..self.bounds.len() - 1).step_by(size).map(move |from| {
            let to = (from + size).min(self.bounds.len() - 1);
            (&self.bytes[self.bounds[from]..self.bounds[to]], to - from)
        })
    }
}

/// Copies rows into a table, a transaction for some of them; how long that took.
pub(crate) async fn copies_into(connection: &mut PgConnection, table: &str, rows: &Rows) -> Duration {
    let sql = format!("COPY {table} {} FROM STDIN (FORMAT binary)", rows.columns);
    let mut took = Duration::ZERO;
    for (bytes, count) in rows.chunks(COPIED) {
        let start = Instant::now();
        let mut copy = connection.copy_in_raw(&sql).await.unwrap();
        copy.send(HEADER).await.unwrap();
        for message in bytes.chunks(128 * 1024) {
            copy.send(message).await.unwrap();
        }
        copy.send((-1_i16).to_be_bytes().as_slice()).await.unwrap();
        assert_eq!(copy.finish().await.unwrap(), count as u64);
        took += start.elapsed();
    }
    took
}

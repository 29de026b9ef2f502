//! Figures for Prometheus. A scrape reads a text that the worker wrote: it opens nothing and waits for nobody.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Upper bounds of what is timed, in milliseconds.
const BUCKETS: [u64; 12] = [1, 5, 10, 25, 50, 100, 500, 1_000, 5_000, 10_000, 60_000, 300_000];

/// What a family is, for its `# TYPE` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Name, kind and help of each family.
const FAMILIES: &[(&str, Kind, &str)] = &[
    ("isp_build_info", Kind::Gauge, "1, with the version."),
    ("isp_metrics_age_seconds", Kind::Gauge, "How old the gauges are that are counted in the database."),
    ("isp_run_last_success_timestamp_seconds", Kind::Gauge, "When a step of the day last came to its end."),
    ("isp_run_duration_seconds", Kind::Histogram, "How long a step of the day took."),
    ("isp_run_errors_total", Kind::Counter, "Runs, deliveries and readings that failed, by the code of the error."),
    ("isp_invoices_issued_total", Kind::Counter, "Invoices written."),
    ("isp_invoiced_rupiah_total", Kind::Counter, "Their sum."),
    ("isp_isolations_total", Kind::Counter, "Lines that were isolated."),
    ("isp_reopenings_total", Kind::Counter, "Lines that runs reopened; payments reopen by themselves."),
    ("isp_reopen_seconds", Kind::Histogram, "From a payment being booked to its line being open by the router's word."),
    ("isp_subscriptions", Kind::Gauge, "Lines by what is wanted; unconfirmed: the router has not said so."),
    ("isp_outbox_rows", Kind::Gauge, "What waits for a router or a customer, or is in trouble."),
    ("isp_outbox_oldest_seconds", Kind::Gauge, "How long the oldest waits since it was due."),
    ("isp_router_up", Kind::Gauge, "0 when a router did not answer in the last delivery that needed it."),
    ("isp_router_drift_lines", Kind::Gauge, "Lines of a router that were not as wanted in the last run."),
    ("isp_breaker_open", Kind::Gauge, "1 when a router's breaker stopped the last run."),
    ("isp_messages_total", Kind::Counter, "Messages by what became of them."),
    ("isp_webhooks", Kind::Gauge, "Webhooks that wait to be read, or could not be."),
    ("isp_webhook_requests_total", Kind::Counter, "Webhooks by sender and what was answered."),
    ("isp_webhook_rejected_total", Kind::Counter, "Webhooks that were not taken, by why."),
    ("isp_webhook_seconds", Kind::Histogram, "From the whole webhook to its answer."),
    ("isp_page_requests_total", Kind::Counter, "Requests for pages by page and status."),
    ("isp_payments_total", Kind::Counter, "Payments that webhooks told of."),
    ("isp_mutations_unmatched", Kind::Gauge, "Money on a bank account of which nobody knows whose it is."),
    ("isp_db_pool_connections", Kind::Gauge, "Connections to the database by what they do: used, idle."),
    (
        "isp_ledger_imbalance_rupiah",
        Kind::Gauge,
        "By how much debits and credits of all entries differ; anything but 0 was altered.",
    ),
];

#[derive(Debug, Default, Clone)]
struct Timed {
    counts: [u64; BUCKETS.len()],
    micros: u64,
    all: u64,
}

#[derive(Debug, Default)]
struct Figures {
    numbers: BTreeMap<(&'static str, String), u64>,
    timed: BTreeMap<(&'static str, String), Timed>,
    counted_at: Option<Instant>,
}

/// The figures of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    figures: Mutex<Figures>,
    text: RwLock<Arc<str>>,
}

impl Metrics {
    /// Adds to a counter. Values of labels are words of this program or its settings, never a customer's.
    pub fn add(&self, family: &'static str, labels: &[(&str, &str)], more: u64) {
        *self.figures().numbers.entry((family, written(labels))).or_default() += more;
    }

    /// Sets a gauge.
    pub fn set(&self, family: &'static str, labels: &[(&str, &str)], value: u64) {
        self.figures().numbers.insert((family, written(labels)), value);
    }

    /// Forgets all values of a gauge, before it is counted anew.
    pub fn clear(&self, family: &'static str) {
        self.figures().numbers.retain(|(name, _), _| *name != family);
    }

    /// Times something.
    pub fn time(&self, family: &'static str, labels: &[(&str, &str)], took: Duration) {
        let mut figures = self.figures();
        let timed = figures.timed.entry((family, written(labels))).or_default();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (count, bound) in timed.counts.iter_mut().zip(BUCKETS) {
            *count += u64::from(micros <= bound * 1_000);
        }
        timed.micros = timed.micros.saturating_add(micros);
        timed.all += 1;
    }

    /// The gauges that come from the database are as of now.
    pub fn counted(&self) {
        self.figures().counted_at = Some(Instant::now());
    }

    /// A counter or gauge as it stands, for tests and benchmarks.
    #[must_use]
    pub fn value(&self, family: &'static str, labels: &[(&str, &str)]) -> u64 {
        self.figures().numbers.get(&(family, written(labels))).copied().unwrap_or(0)
    }

    /// Writes the text that scrapes get from now on.
    pub fn publish(&self) {
        let text: Arc<str> = self.write().into();
        *self.text.write().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// What a scrape gets.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.text.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn figures(&self) -> std::sync::MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> String {
        let figures = self.figures();
        let mut out = String::new();
        // Writing to a String cannot fail.
        for (name, kind, help) in FAMILIES {
            let word = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {word}");
            if *name == "isp_build_info" {
                let _ = writeln!(out, "isp_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
            }
            if let Some(at) = figures.counted_at.filter(|_| *name == "isp_metrics_age_seconds") {
                let _ = writeln!(out, "isp_metrics_age_seconds {}", at.elapsed().as_secs());
            }
            for ((_, labels), value) in
                figures.numbers.range((*name, String::new())..).take_while(|(k, _)| k.0 == *name)
            {
                let _ = writeln!(out, "{name}{} {value}", braced(labels));
            }
            for ((_, labels), timed) in figures.timed.range((*name, String::new())..).take_while(|(k, _)| k.0 == *name)
            {
                let comma = if labels.is_empty() { "" } else { "," };
                for (count, bound) in timed.counts.iter().zip(BUCKETS) {
                    let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{}\"}} {count}", seconds(bound * 1_000));
                }
                let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", timed.all);
                let _ = writeln!(out, "{name}_sum{} {}", braced(labels), seconds(timed.micros));
                let _ = writeln!(out, "{name}_count{} {}", braced(labels), timed.all);
            }
        }
        out
    }
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

fn written(labels: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    labels.iter().map(one).collect::<Vec<_>>().join(",")
}

/// Microseconds as seconds, without a float.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_gets_what_was_published_in_the_text_format() {
        let metrics = Metrics::default();
        metrics.add("isp_webhook_requests_total", &[("provider", "whatsapp"), ("result", "200")], 2);
        metrics.set("isp_router_up", &[("router", "a\"b")], 0);
        metrics.time("isp_webhook_seconds", &[], Duration::from_millis(30));
        assert_eq!(&*metrics.text(), "", "nothing before it is published");
        metrics.publish();
        let text = metrics.text();
        for line in [
            "# TYPE isp_webhook_requests_total counter",
            "isp_webhook_requests_total{provider=\"whatsapp\",result=\"200\"} 2",
            "isp_router_up{router=\"a\\\"b\"} 0",
            "isp_webhook_seconds_bucket{le=\"0.025\"} 0",
            "isp_webhook_seconds_bucket{le=\"0.05\"} 1",
            "isp_webhook_seconds_bucket{le=\"+Inf\"} 1",
            "isp_webhook_seconds_sum 0.03",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}

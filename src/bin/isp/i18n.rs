//! Texts in Indonesian and English, from `locales/{id,en}.toml`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::Context as _;
use isp_core::calendar::Zone;
use isp_core::clock::ClockDoubt;
use isp_core::engine::EngineError;
use isp_core::ports::StoreError;
use isp_core::text::Language;
use isp_import::{Fault, Problem};
use isp_store::{BackupError, VaultError};
use minijinja::Environment;

use crate::failure::{Failure, classify};
use crate::output::harmless;

const FINDINGS: &str = include_str!("../../../locales/finding.id.toml");

/// In the order of [`Language`].
const LOCALES: [&str; 2] = [include_str!("../../../locales/id.toml"), include_str!("../../../locales/en.toml")];

/// The texts of one language. They are read once for each language that is asked for, and a text is made ready when it is shown: a command
/// shows a few of two thousand.
#[derive(Debug)]
pub(crate) struct Texts {
    language: Language,
    texts: &'static BTreeMap<String, String>,
    environment: Environment<'static>,
}

/// What was read, in the order of [`LOCALES`].
static READ: [OnceLock<BTreeMap<String, String>>; 2] = [const { OnceLock::new() }; 2];

impl Texts {
    /// Reads the texts that the program carries.
    pub(crate) fn load(language: Language) -> anyhow::Result<Self> {
        let (source, read) = (LOCALES[language as usize], &READ[language as usize]);
        let texts = match read.get() {
            Some(texts) => texts,
            None => {
                let texts = flatten(source)?;
                read.get_or_init(|| texts)
            }
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        Ok(Self { language, texts, environment })
    }

    /// The language.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// A text without variables; its key when there is none, which a test rules out for the keys of this program.
    pub(crate) fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A text with its variables filled in.
    pub(crate) fn with(&self, key: &str, variables: &[(&str, String)]) -> String {
        self.find(key, variables).unwrap_or_else(|| key.to_owned())
    }

    /// A text, if there is one for the key.
    pub(crate) fn find(&self, key: &str, variables: &[(&str, String)]) -> Option<String> {
        let (key, text) = self.texts.get_key_value(key)?;
        let template = self.environment.template_from_named_str(key, text).ok()?;
        let context: BTreeMap<String, String> = variables.iter().map(|(k, v)| ((*k).to_owned(), harmless(v))).collect();
        template.render(context).ok()
    }

    /// The reason of a bad row.
    pub(crate) fn problem(&self, problem: &Problem) -> String {
        let variables = match problem {
            Problem::Value(error) => return self.domain(error),
            Problem::File(reason) => vec![("reason", self.said(reason))],
            Problem::Cells { found, expected } => {
                vec![("found", found.to_string()), ("expected", expected.to_string())]
            }
            Problem::Unknown(noun) | Problem::Taken(noun) => vec![("noun", self.t(noun.key()))],
            Problem::Repeated { noun, first_line } => {
                vec![("noun", self.t(noun.key())), ("line", first_line.to_string())]
            }
            Problem::NoHeader { known } | Problem::UnknownColumn { known } => vec![("known", known.clone())],
            Problem::UnknownPackage { name } => {
                vec![("name", name.clone().unwrap_or_else(|| self.t("noun.of_this_row")))]
            }
            Problem::WhichPackage { count } | Problem::WhichRouter { count } => vec![("count", count.to_string())],
            Problem::OtherPrice { package, here, books } => {
                vec![("package", package.to_string()), ("here", here.to_string()), ("books", books.to_string())]
            }
            Problem::TwoFiles { other } => vec![("other", other.clone())],
            Problem::RoundedNiks { count, of } => vec![("count", count.to_string()), ("of", of.to_string())],
            Problem::HiddenRows { count, lines } => vec![("count", count.to_string()), ("lines", lines.clone())],
            Problem::OtherTerms { first_line } => vec![("line", first_line.to_string())],
            Problem::SameNik { row, other } => vec![("row", row.clone()), ("other", other.clone())],
            Problem::LikelyDouble { row, known } => vec![("row", row.clone()), ("known", known.clone())],
            Problem::Number { least, most } => vec![("least", least.to_string()), ("most", most.to_string())],
            _ => Vec::new(),
        };
        self.find(&format!("error.{}", problem.code()), &variables).unwrap_or_else(|| problem.to_string())
    }

    /// An error of the domain.
    pub(crate) fn domain(&self, error: &isp_core::Error) -> String {
        use isp_core::Error as E;
        // Fields have the names of columns; a name or reason without a text stays as it is.
        let named = |field: &str| self.find(&format!("column.{field}"), &[]).unwrap_or_else(|| field.to_owned());
        let variables = match error {
            E::Empty { field } | E::BadCode { field } | E::BadRouterName { field } | E::NotPositive { field } => {
                vec![("field", named(field))]
            }
            E::TooLong { field, max } => vec![("field", named(field)), ("max", max.to_string())],
            E::NotOneOf { field, expected } => {
                vec![("field", named(field)), ("expected", (*expected).to_owned())]
            }
            E::Implausible { field, value } => vec![("field", named(field)), ("value", value.clone())],
            E::Nik { reason }
            | E::Phone { reason }
            | E::RouterAddress { reason }
            | E::IpAddress { reason }
            | E::Mac { reason } => vec![("reason", self.said(reason))],
            E::NotForService { field, service } => {
                vec![("field", named(field)), ("service", self.t(&format!("word.{service}")))]
            }
            E::StillNeeded { what } => {
                let words = what.split(", ").map(|code| self.t(&format!("needed.{code}")));
                vec![("what", words.collect::<Vec<_>>().join(", "))]
            }
            E::StillNamed { what } | E::Archived { what } => vec![("what", self.t(&format!("noun.{what}")))],
            E::StillServes { what, lines } => {
                vec![("what", self.t(&format!("noun.{what}"))), ("lines", lines.to_string())]
            }
            E::NoteFollows { from } => vec![("from", self.t(&format!("word.{from}")))],
            E::SiteHasRouters { routers } => vec![("routers", routers.to_string())],
            E::RouterIsAwaited { waiting } => vec![("waiting", waiting.to_string())],
            E::TooManyDays { most } => vec![("most", most.to_string())],
            E::ChangedLater { on }
            | E::NoPrice { on }
            | E::PriceBegan { on }
            | E::EndSettled { on }
            | E::NoTaxRule { on }
            | E::DayPast { on }
            | E::NoteBuiltOn { on }
            | E::NoteIsLater { on } => {
                vec![("on", on.to_string())]
            }
            E::CatchUpLimit { due, limit } => vec![("due", due.to_string()), ("limit", limit.to_string())],
            E::PaidInFuture { on } | E::PaidLongAgo { on } | E::MutationAhead { on } | E::MutationLongAgo { on } => {
                vec![("on", on.to_string())]
            }
            E::DiscountAbovePrice { price } => vec![("price", price.to_string())],
            E::MoreThanLeft { left } => vec![("left", left.to_string())],
            E::TooManyPromises { limit } => vec![("limit", limit.to_string())],
            E::ProofTooLarge { most } => vec![("most", most.to_string())],
            E::ProofBooked { payment } => vec![("payment", payment.clone())],
            E::TooManyProofs { limit } => vec![("limit", limit.to_string())],
            E::PromiseTooLong { max_days } => vec![("max", max_days.to_string())],
            E::ReservedProvider { what } => vec![("what", (*what).to_owned())],
            E::SlipAboveDebt { amount, owed } => vec![("amount", amount.to_string()), ("owed", owed.to_string())],
            E::SlipTwice { amount, withheld } => {
                vec![("amount", amount.to_string()), ("withheld", withheld.to_string())]
            }
            E::SlipOdd { amount, last } => vec![("amount", amount.to_string()), ("last", last.to_string())],
            E::Qris { tag, reason } => vec![("tag", format!("{tag:02}")), ("reason", self.said(reason))],
            E::BankCurrency { line, field, currency } => {
                vec![("line", line.to_string()), ("field", field.clone()), ("currency", currency.clone())]
            }
            E::BankKnownAccount { account } => vec![("account", account.clone())],
            E::BankRow { line, reason } => vec![("line", line.to_string()), ("reason", self.said(reason))],
            E::CreditElsewhere { holds, notes, others } => {
                // A sum of nothing is left out of the sentence.
                let said = |sum: &isp_core::Money| if sum.is_positive() { sum.to_string() } else { String::new() };
                vec![("holds", holds.to_string()), ("notes", said(notes)), ("others", said(others))]
            }
            E::CreditIsLess { holds } => vec![("holds", holds.to_string())],
            E::MoreThanQris { most } => vec![("most", most.to_string())],
            E::InstallationClash { on } => vec![("on", on.to_string())],
            E::CashShort { holds, on }
            | E::Pph23Short { holds, on }
            | E::CollectorHoldsLess { holds, on }
            | E::GatewayHoldsLess { holds, on } => {
                vec![("holds", holds.to_string()), ("on", on.to_string())]
            }
            E::Policy { field, reason } => vec![("field", (*field).to_owned()), ("reason", (*reason).to_owned())],
            _ => Vec::new(),
        };
        self.find(&format!("error.{}", error.code()), &variables).unwrap_or_else(|| error.to_string())
    }

    /// What to do about an error, by its code. A sum that cannot be read is one that the program writes anew by itself.
    pub(crate) fn advice(&self, error: &anyhow::Error, variables: &[(&str, String)]) -> Option<String> {
        let is_sum = |cause: &(dyn std::error::Error + 'static)| {
            let stored = cause.downcast_ref::<StoreError>().or(match cause.downcast_ref::<EngineError>() {
                Some(EngineError::Store(error)) => Some(error),
                _ => None,
            });
            matches!(stored, Some(StoreError::Corrupt { what: "sum", .. }))
        };
        let key = if error.chain().any(is_sum) { "sum_corrupt" } else { classify(error).0 };
        self.find(&format!("advice.{key}"), variables)
    }

    /// An error of a command, in one line: what is known of it in this language, else its own words.
    pub(crate) fn failure(&self, error: &anyhow::Error) -> String {
        let said = error.chain().find_map(|cause| {
            if let Some(failure) = cause.downcast_ref::<Failure>() {
                return self.own(failure);
            }
            if let Some(error) = cause.downcast_ref::<EngineError>() {
                return match error {
                    EngineError::Domain(error) => Some(self.domain(error)),
                    EngineError::Store(error) => self.stored(error),
                    EngineError::Clock(doubt) => self.doubted(*doubt),
                    EngineError::NotToSettle(ids) => {
                        let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                        self.find("failure.outbox.not_to_settle", &[("ids", ids)])
                    }
                    _ => None,
                };
            }
            if let Some(error) = cause.downcast_ref::<StoreError>() {
                return self.stored(error);
            }
            if let Some(error) = cause.downcast_ref::<BackupError>() {
                return self.copied(error);
            }
            if let Some(error) = cause.downcast_ref::<VaultError>() {
                return self.sealed(error);
            }
            cause.downcast_ref::<isp_core::Error>().map(|error| self.domain(error))
        });
        let (code, _) = classify(error);
        said.or_else(|| self.find(&format!("failure.{code}"), &[])).unwrap_or_else(|| format!("{error:#}"))
    }

    /// What a system says of a file or connection, where this language has words for it.
    pub(crate) fn said(&self, reason: &str) -> String {
        self.find(&format!("reason.{reason}"), &[]).unwrap_or_else(|| reason.to_owned())
    }

    /// What a router or channel said, piece by piece where this language has words for a piece.
    pub(crate) fn port(&self, reason: &str) -> String {
        let pieces = reason.split(": ").map(|piece| self.piece(piece.split(" (os error").next().unwrap_or(piece)));
        let mut said: Vec<String> = pieces.collect();
        said.dedup();
        said.join(": ")
    }

    /// A piece of it, which may name a command or an address.
    fn piece(&self, piece: &str) -> String {
        let said = self.said(piece);
        let naming = [
            ("outcome of ", " unknown"),
            ("unusable answer to ", ""),
            ("router refused ", ""),
            ("no answer from ", ""),
        ];
        let named = naming.into_iter().filter(|_| said == piece).find_map(|(before, after)| {
            let what = piece.strip_prefix(before)?.strip_suffix(after)?;
            let what = what.split(" within ").next().unwrap_or(what);
            Some(self.find(&format!("reason.{before}{{}}{after}"), &[])?.replace("{}", what))
        });
        named.unwrap_or(said)
    }

    /// What a webhook came to: a sentence, a word, or counts of things.
    pub(crate) fn note(&self, note: &str) -> String {
        let counted = |piece: &str| match piece.split_once(' ') {
            Some((count, of)) if count.bytes().all(|b| b.is_ascii_digit()) => format!("{count} {}", self.said(of)),
            _ => self.state(piece),
        };
        let part = |part: &str| match self.port(part) {
            said if said == part => part.split(", ").map(counted).collect::<Vec<_>>().join(", "),
            said => said,
        };
        note.split("; ").filter(|piece| !piece.is_empty()).map(part).collect::<Vec<_>>().join("; ")
    }

    /// The word for a state, where this language has one.
    fn state(&self, code: &str) -> String {
        self.find(&format!("word.{code}"), &[]).unwrap_or_else(|| code.to_owned())
    }

    /// What is wrong with a stored row, piece by piece: the table or column, then what is the matter with it.
    pub(crate) fn damage(&self, reason: &str) -> String {
        let piece = |piece: &str| match piece.strip_prefix("column ") {
            Some(at) => format!("{} {at}", self.said("column")),
            None => self.said(piece),
        };
        reason.split(": ").map(piece).collect::<Vec<_>>().join(": ")
    }

    /// What was found on a router: in Indonesian what its code means, in English the router adapter's own words.
    pub(crate) fn finding(&self, code: &str, words: &str) -> String {
        let known: Option<BTreeMap<String, String>> =
            if self.language == Language::Id { toml::from_str(FINDINGS).ok() } else { None };
        let Some(said) = known.and_then(|mut known| known.remove(code)) else { return words.to_owned() };
        // What has a name is between quotation marks in the adapter's words, and takes a `{}` here.
        let names = words.split('"').skip(1).step_by(2);
        names.fold(said, |said, name| said.replacen("{}", &format!("\"{name}\""), 1))
    }

    fn stored(&self, error: &StoreError) -> Option<String> {
        let variables = match error {
            StoreError::Unavailable { reason }
            | StoreError::Rejected { reason }
            | StoreError::Tls { reason }
            | StoreError::Damaged { reason } => vec![("reason", self.said(reason))],
            StoreError::Corrupt { what, reason } => {
                vec![("what", self.said(what)), ("reason", self.damage(reason))]
            }
            StoreError::Duplicate { what } | StoreError::NotFound { what } => vec![("what", self.said(what))],
            StoreError::Moved { to } => vec![("to", to.clone())],
            StoreError::Migration { version } => vec![("version", version.to_string())],
            _ => Vec::new(),
        };
        self.find(&format!("failure.{}", error.code()), &variables)
    }

    fn copied(&self, error: &BackupError) -> Option<String> {
        use BackupError as B;
        let variables = match error {
            B::Store(error) => return self.stored(error),
            B::Exists { path } | B::InTheWay { path } | B::NotACopy { path } | B::OtherEngine { path } => {
                vec![("path", path.clone())]
            }
            B::File { path, reason } | B::Damaged { path, reason } => {
                vec![("path", path.clone()), ("reason", self.said(reason))]
            }
            B::Incomplete { what } => vec![("what", what.clone())],
            B::ToolMissing { tool } => vec![("tool", (*tool).to_owned())],
            B::ToolVersion { tool, found, server } => {
                vec![("tool", (*tool).to_owned()), ("found", found.to_string()), ("server", server.to_string())]
            }
            B::ToolFailed { tool, reason } => vec![("tool", (*tool).to_owned()), ("reason", reason.clone())],
            _ => Vec::new(),
        };
        self.find(&format!("failure.{}", error.code()), &variables)
    }

    fn sealed(&self, error: &VaultError) -> Option<String> {
        let variables = match error {
            VaultError::Missing { path }
            | VaultError::WrappedMissing { path }
            | VaultError::Exists { path }
            | VaultError::Lost { path } => vec![("path", path.clone())],
            VaultError::File { reason } => vec![("reason", self.said(reason))],
            VaultError::NotSet { name } => vec![("name", name.clone())],
            _ => Vec::new(),
        };
        self.find(&format!("failure.{}", error.code()), &variables)
    }

    /// A moment that does not follow the last run.
    fn doubted(&self, doubt: ClockDoubt) -> Option<String> {
        let (last, zone) = (doubt.last(), Zone::Wib);
        let mut variables = vec![("last", format!("{} {} WIB", zone.date_of(last), zone.time_of(last)))];
        if let ClockDoubt::Ahead { days, .. } = doubt {
            variables.push(("days", days.to_string()));
        }
        self.find(&format!("failure.{}", doubt.code()), &variables)
    }

    /// What is wrong with a setting. The words of the reader of TOML are English and exact, so English keeps them.
    fn setting(&self, reason: &str) -> String {
        let said = self.said(reason);
        if said != reason || self.language == Language::En {
            return said;
        }
        let expected = reason.split_once("expected ").map_or("", |(_, expected)| expected);
        let key = match reason.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["unknown", "field"] => "setting.unknown",
            ["missing", "field"] => "setting.missing",
            ["invalid", ..] if expected.contains("bool") => "setting.no_bool",
            ["invalid", ..] if expected.contains("string") => "setting.no_text",
            ["invalid", ..] if expected.contains("sequence") => "setting.no_list",
            ["invalid", ..] if expected.starts_with(['u', 'i']) => "setting.no_number",
            ["line", _] => "setting.syntax",
            _ => "setting.unfit",
        };
        let name = reason.split('`').nth(1).unwrap_or_default().to_owned();
        let line = reason.strip_prefix("line ").and_then(|rest| rest.split(':').next()).unwrap_or_default().to_owned();
        self.with(key, &[("name", name), ("line", line)])
    }

    fn own(&self, failure: &Failure) -> Option<String> {
        let variables = match failure {
            Failure::Config { place, reason } => vec![("place", place.clone()), ("reason", self.setting(reason))],
            Failure::NotFound { noun, code } | Failure::Exists { noun, code } => {
                vec![("noun", self.t(&format!("noun.{noun}"))), ("what", code.clone())]
            }
            Failure::Settled { ids } => vec![("ids", ids.clone())],
            Failure::BankFile { path, error } => {
                let variables = [("path", path.clone()), ("reason", self.domain(error))];
                return self.find("failure.bank_file", &variables);
            }
            Failure::SameNik { code } => vec![("what", code.clone())],
            Failure::Ambiguous { code, count } => vec![("what", code.clone()), ("count", count.to_string())],
            Failure::Several { noun, code, count } => {
                let noun = self.t(&format!("noun.{noun}"));
                vec![("noun", noun), ("what", code.clone()), ("count", count.to_string())]
            }
            Failure::BadRows { count, rows } => vec![("count", count.to_string()), ("rows", rows.to_string())],
            Failure::Usage { problem, what } => {
                vec![("reason", self.with(&format!("usage.{problem}"), &[("what", what.clone())]))]
            }
            Failure::Declined | Failure::NoDatabase | Failure::NoSettings | Failure::NothingToRestoreFor => Vec::new(),
            Failure::Emptied { path, key } => vec![("path", path.clone()), ("key", key.clone())],
            Failure::Output { reason } => vec![("reason", self.said(reason))],
            Failure::File { path, reason } => vec![("path", path.clone()), ("reason", self.said(reason))],
            Failure::Gateway { name, reason } => vec![("what", name.clone()), ("reason", self.port(reason))],
            Failure::Unhealthy { address, reason } => {
                vec![("what", address.clone()), ("reason", self.said(reason))]
            }
            Failure::Router { code, reason } => vec![("what", code.clone()), ("reason", self.port(reason))],
        };
        self.find(&format!("failure.{}", failure.code()), &variables)
    }

    /// What is wrong with a row, or with many in the same words: one line.
    pub(crate) fn fault(&self, fault: &Fault<'_>) -> String {
        let error = fault.first;
        let key = match (error.line, error.column.is_empty(), fault.lines.len()) {
            (0, _, _) => "import.bad_file",
            (_, true, 1) => "import.bad_row",
            (_, false, 1) => "import.bad_cell",
            (_, true, _) => "import.bad_rows",
            (_, false, _) => "import.bad_cells",
        };
        let variables = [
            ("file", error.file.clone()),
            ("line", fault.listed()),
            ("count", fault.lines.len().to_string()),
            ("column", error.column.clone()),
            ("reason", self.problem(&error.problem)),
            ("code", error.problem.code().to_owned()),
        ];
        self.with(key, &variables)
    }
}

/// The texts of a locale by dotted key.
fn flatten(source: &str) -> anyhow::Result<BTreeMap<String, String>> {
    fn walk(prefix: &str, value: toml::Value, out: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
                    walk(&key, value, out);
                }
            }
            toml::Value::String(text) => {
                out.insert(prefix.to_owned(), text);
            }
            other => {
                out.insert(prefix.to_owned(), other.to_string());
            }
        }
    }
    let table: toml::Table = source.parse().context("locale")?;
    let mut out = BTreeMap::new();
    walk("", toml::Value::Table(table), &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn shape(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let texts = Texts::load(language).unwrap();
        let mut shape = BTreeMap::new();
        for (key, text) in texts.texts {
            let template = texts.environment.template_from_named_str(key, text).unwrap();
            shape.insert(key.to_owned(), template.undeclared_variables(false).into_iter().collect());
        }
        shape
    }

    #[test]
    fn both_languages_have_the_same_keys_and_variables() {
        assert_eq!(shape(Language::Id), shape(Language::En));
        assert!(shape(Language::Id).len() > 50);
    }

    /// Each code that the router adapter has for a finding has Indonesian words, and no other.
    #[test]
    fn findings_on_routers_have_indonesian_words() {
        let known: BTreeMap<String, String> = toml::from_str(FINDINGS).unwrap();
        let source = include_str!("../../../isp-mikrotik/src/reconcile/finding.rs");
        let codes: BTreeSet<&str> = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(known.keys().map(String::as_str).collect::<BTreeSet<_>>(), codes);
    }

    /// Why a router does not answer is told in Indonesian, but for names.
    #[test]
    fn silent_routers_have_indonesian_words() {
        use isp_mikrotik::error::{Cause, Error, Stage};
        let texts = Texts::load(Language::Id).unwrap();
        let unknown = |cause| Error::Unknown { command: "/login".into(), cause };
        let sent = |stage, detail: &str| Error::NotSent { stage, detail: detail.into() };
        for (error, told) in [
            (
                unknown(Cause::Lost("closed by the router".into())),
                "nasib /login tidak diketahui: sambungan putus: diputus router",
            ),
            (unknown(Cause::Deadline), "nasib /login tidak diketahui: tidak ada jawaban pada waktunya"),
            (
                sent(Stage::Login, &unknown(Cause::Interrupted).to_string()),
                "tidak bisa masuk: nasib /login tidak diketahui: dihentikan router",
            ),
            (
                sent(Stage::Connect, "no answer from 10.0.0.1:8728 within 5s"),
                "tidak tersambung: tidak ada jawaban dari 10.0.0.1:8728",
            ),
            (sent(Stage::Closed, "closed by this side"), "sambungan tertutup: diputus dari sini"),
        ] {
            assert_eq!(texts.port(&error.to_string()), told);
        }
    }

    /// Whatever becomes of a message is told in Indonesian, but for numbers and names.
    #[test]
    fn answers_of_whatsapp_have_indonesian_words() {
        use isp_whatsapp::graph::GraphCode;
        use isp_whatsapp::outcome::{ConfigFault, DownCause, Outcome, UnknownCause, Unreachable};
        let texts = Texts::load(Language::Id).unwrap();
        let of_code = [4, 2, 33, 100, 130_429, 131_000, 131_026, 131_048, 131_053, 131_056, 132_015].map(GraphCode);
        let unreachable =
            [Unreachable::ConnectFailed, Unreachable::ConnectTimeout, Unreachable::NoTls, Unreachable::NoAnswer];
        let unknown = [UnknownCause::Timeout, UnknownCause::ConnectionLost, UnknownCause::Unreadable(500)];
        let outcomes = (of_code.into_iter().map(Outcome::from_code))
            .chain(unreachable.map(|cause| Outcome::ChannelDown(DownCause::Unreachable(cause))))
            .chain(unknown.map(Outcome::Unknown))
            .chain([
                Outcome::ChannelDown(DownCause::NotGraph(503)),
                Outcome::ConfigError(ConfigFault::NoTemplate),
                Outcome::ConfigError(ConfigFault::NoDocument),
                Outcome::ConfigError(ConfigFault::NoValue { parameter: "jumlah".into() }),
            ]);
        for outcome in outcomes {
            let english = outcome.to_string();
            let told = texts.port(&english);
            let pieces = english.split(": ").filter(|piece| !piece.contains(char::is_numeric) && *piece != "jumlah");
            let mut count = 0;
            for piece in pieces {
                assert!(!told.contains(piece), "{english}: {told}");
                count += 1;
            }
            assert!(count > 0, "{english}");
        }
    }

    /// Every text that the program asks for by a literal key exists.
    #[test]
    fn every_key_in_the_sources_has_a_text() {
        let known = shape(Language::Id);
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/isp");
        let mut files = vec![root];
        let mut missing = Vec::new();
        let mut asked = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for call in [".t(\"", ".with(\"", "say(\"", "column(\"", "number(\""] {
                for rest in source.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap_or("");
                    let key = if call.starts_with("column") || call.starts_with("number") {
                        format!("column.{key}")
                    } else {
                        key.to_owned()
                    };
                    asked += 1;
                    if !known.contains_key(&key) && !path.ends_with("i18n.rs") {
                        missing.push(format!("{}: {key}", path.display()));
                    }
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
        assert!(asked > 200, "{asked}");
    }
}

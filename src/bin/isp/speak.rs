//! Help and errors of the command line in the language of the output: clap speaks English only.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _};
use isp_core::text::Language;

use crate::cli::Cli;
use crate::config::{Config, Overrides};
use crate::failure::Exit;
use crate::grid::wrapped;
use crate::i18n::Texts;
use crate::{output, screen};

/// The language before the command line is parsed: of its flag, the variable, or the settings as far as they can be read.
pub(crate) fn language(arguments: &[String]) -> Language {
    let value = |flag: &str| {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.to_owned());
            }
            if word == flag {
                return words.next().cloned();
            }
        }
        None
    };
    let said = [value("--lang"), std::env::var("ISP_LANGUAGE").ok()];
    let said = said.into_iter().flatten().find_map(|word| Language::parse(&word).ok());
    said.or_else(|| {
        let flags = Overrides { config: value("--config").map(PathBuf::from), ..Overrides::default() };
        Config::load(&flags, std::env::vars()).ok().map(|config| config.language)
    })
    .unwrap_or_default()
}

/// The command with its headings and descriptions in a language.
pub(crate) fn command(command: Command, language: Language) -> Command {
    // clap's own words are English.
    if language != Language::Id {
        return command;
    }
    let (Ok(texts), Ok(sentences)) = (Texts::load(language), Sentences::load()) else { return command };
    let [short, long] = ["first_steps", "exit_codes"].map(|key| sentences.find(key).unwrap_or(key).to_owned());
    spoken(command, "isp", &texts, &sentences).after_help(short).after_long_help(long)
}

/// The commands as a newcomer looks for them: headings in Indonesian and English, and what stands below each.
const GROUPS: [(&str, &str, &[&str]); 6] = [
    (
        "Pelanggan dan saluran",
        "Customers and lines",
        &["customer", "subscription", "package", "installation", "cpe", "device", "link", "privacy"],
    ),
    (
        "Uang",
        "Money",
        &[
            "unpaid",
            "invoice",
            "payment",
            "receipt",
            "payment-request",
            "bill",
            "credit-note",
            "late-fee",
            "write-off",
            "refund",
            "expense",
            "collector",
            "bank",
            "gateway",
            "proof",
            "promise",
        ],
    ),
    (
        "Jaringan dan isolir",
        "Network and isolation",
        &["router", "site", "explain", "enforce", "isolate", "reopen", "exemption", "outage", "holidays"],
    ),
    ("Pesan", "Messages", &["remind", "deliver", "outbox", "webhook"]),
    (
        "Pekerjaan sehari dan laporan",
        "The day and its reports",
        &["run", "status", "doctor", "report", "simulate", "audit", "serve", "health"],
    ),
    (
        "Menyiapkan, menyalin, mencoba",
        "Set-up, copies, trials",
        &[
            "init",
            "import",
            "config",
            "backup",
            "restore",
            "migrate",
            "key",
            "tenant",
            "demo",
            "sandbox",
            "cases",
            "simulate-router",
            "simulate-gateway",
            "completions",
            "man",
        ],
    ),
];

/// The command whose own help lists its commands in groups; clap has one heading for all of them.
pub(crate) fn grouped(command: Command, language: Language) -> Command {
    let all: Vec<&Command> = command.get_subcommands().collect();
    let room = screen::width().unwrap_or(110).min(110);
    let front = all.iter().map(|sub| sub.get_name().len()).max().unwrap_or(0);
    let line = |name: &str| {
        let sub = all.iter().find(|sub| sub.get_name() == name)?;
        let about = sub.get_about().map(|about| about.to_string()).unwrap_or_default();
        let words = wrapped(about.lines().next().unwrap_or(""), room.saturating_sub(front + 4).max(20));
        let blank = String::new();
        let names = std::iter::once(name).chain(std::iter::repeat(blank.as_str()));
        Some(names.zip(words).map(|(name, words)| format!("  {name:front$}  {words}\n")).collect::<String>())
    };
    let mut list = String::new();
    for (indonesian, english, names) in GROUPS {
        let heading = if language == Language::Id { indonesian } else { english };
        list.push_str(&format!("{heading}:\n{}\n", names.iter().filter_map(|name| line(name)).collect::<String>()));
    }
    let (usage, typed) = match language {
        Language::Id => ("Pemakaian", "isp [OPSI] <PERINTAH>"),
        Language::En => ("Usage", "isp [OPTIONS] <COMMAND>"),
    };
    // Its commands stand in the text, so that clap lists them not once more.
    let template =
        format!("{{about-with-newline}}\n{usage}: {typed}\n\n{}\n\n{{options}}{{after-help}}", list.trim_end());
    command.help_template(template)
}

/// What was asked of the program: the command's name, with a blank before it, and its first example.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) example: Option<String>,
}

/// Which command the arguments name, as far as they can be read.
pub(crate) fn asked(arguments: &[String], root: &Command) -> Asked {
    let (mut command, mut name) = (root, String::new());
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let known = root.get_arguments().find(|arg| arg.get_long() == Some(option));
            if known.is_some_and(|arg| arg.get_action().takes_values()) {
                words.next();
            }
        } else if let Some(sub) = command.find_subcommand(word) {
            name = format!("{name} {}", sub.get_name());
            command = sub;
        } else {
            break;
        }
    }
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let own = below.lines().find(|line| line.starts_with("  isp ")).filter(|_| !name.is_empty());
    let example = own.and_then(|line| line.trim().split("   ").next()).map(str::to_owned);
    Asked { name, example }
}

/// `isp help COMMAND` and `isp COMMAND help` as `isp COMMAND --help`: clap's own command for it speaks English only; `None` for any
/// other words.
pub(crate) fn help_as_option(arguments: &[String], root: &Command) -> Option<Vec<String>> {
    let mut command = root;
    let mut words = arguments.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let known = root.get_arguments().find(|arg| arg.get_long() == Some(option));
            if known.is_some_and(|arg| arg.get_action().takes_values()) {
                words.next();
            }
        } else if word == "help" && command.has_subcommands() {
            let (before, after) = (arguments.get(..at)?, arguments.get(at + 1..)?);
            return Some([before, after, &["--help".to_owned()]].concat());
        } else {
            command = command.find_subcommand(word)?;
        }
    }
    None
}

const HELP: &str = include_str!("../../../locales/help.id.toml");

/// The texts of commands and options in Indonesian, by the English ones that stand beside them in the code.
struct Sentences(BTreeMap<String, String>);

impl Sentences {
    fn load() -> anyhow::Result<Self> {
        Ok(Self(toml::from_str(HELP)?))
    }

    fn find(&self, english: &str) -> Option<&str> {
        self.0.get(english.trim().trim_end_matches('.')).map(String::as_str)
    }

    /// What stands below the options: examples, then paragraphs.
    fn below(&self, english: &str, texts: &Texts) -> String {
        let paragraph = |text: &str| match text.split_once('\n').filter(|(head, _)| head.starts_with("Example")) {
            Some((_, examples)) => {
                let lines = examples.lines().map(|line| match line.trim_start().split_once("   ") {
                    Some((example, note)) => {
                        let said = self.find(note).unwrap_or(note.trim());
                        format!("  {example}   {said}")
                    }
                    None => line.to_owned(),
                });
                [texts.t("typed.examples")].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
            }
            None => self.find(text).unwrap_or(text).to_owned(),
        };
        english.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
    }

    /// An option with its help, its default and its choices.
    fn option(&self, arg: Arg, texts: &Texts) -> Arg {
        let english = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let mut said = vec![self.find(&english).unwrap_or(&english).to_owned()];
        if arg.get_action().takes_values() {
            let values: Vec<String> = arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
            let defaults: Vec<String> =
                arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
            if !defaults.is_empty() {
                said.push(texts.with("typed.default", &[("value", defaults.join(", "))]));
            }
            if !values.is_empty() {
                said.push(texts.with("typed.values", &[("values", values.join(", "))]));
            }
        }
        let more = if said.len() > 1 { format!(" ({})", said[1..].join("; ")) } else { String::new() };
        let said = format!("{}{more}", said[0]);
        let valued = arg.get_action().takes_values();
        let arg = arg.long_help(said.clone()).help(said);
        if valued { arg.hide_default_value(true).hide_possible_values(true) } else { arg }
    }
}

fn spoken(command: Command, path: &str, texts: &Texts, sentences: &Sentences) -> Command {
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        texts.t("typed.usage")
    );
    let [arguments, options, general] =
        ["typed.arguments", "typed.options", "typed.general"].map(|key| kept(texts.t(key)));
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help(texts.t("typed.help"));
    // Under a heading of ours clap would sort arguments by name.
    let mut place = 0;
    let command = command
        .help_template(template)
        .subcommand_help_heading(kept(texts.t("typed.commands")))
        .subcommand_value_name(kept(texts.t("typed.command")))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .mut_args(|arg| {
            let heading = match arg.get_help_heading() {
                Some(_) => general,
                None if arg.is_positional() => arguments,
                None => options,
            };
            let arg = if arg.is_positional() {
                place += 1;
                arg.display_order(place)
            } else {
                arg
            };
            sentences.option(arg, texts).help_heading(heading)
        })
        .arg(help.help_heading(options));
    let command = match command.get_version() {
        // The flag that clap makes by itself stands under an English heading.
        Some(_) => {
            let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
            command.disable_version_flag(true).arg(version.help(texts.t("typed.version")).help_heading(options))
        }
        None => command,
    };
    let english = command.get_about().map(ToString::to_string).unwrap_or_default();
    let about = texts.find(&format!("help.{path}"), &[]).or_else(|| sentences.find(&english).map(str::to_owned));
    let command = match about {
        Some(about) => command.long_about(about.clone()).about(about),
        None => command,
    };
    let below = command.get_after_help().map(|text| sentences.below(&text.to_string(), texts));
    let command = match below {
        Some(below) => command.after_help(below),
        None => command,
    };
    command.mut_subcommands(|sub| {
        let path = format!("{path} {}", sub.get_name());
        spoken(sub, &path, texts, sentences)
    })
}

/// A text for as long as the program runs: clap keeps headings no shorter. There are a few, made once.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Leaves the nearest of the commands that resemble a mistyped one; clap puts it last.
fn nearest(error: &mut clap::Error) {
    if let Some(ContextValue::Strings(like)) = error.get(ContextKind::SuggestedSubcommand) {
        let nearest = like.last().cloned().into_iter().collect();
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(nearest));
    }
}

/// Says what is wrong with the command line, or shows the help that was asked for; then the program ends.
pub(crate) fn refuse(mut error: clap::Error, arguments: &[String], language: Language) -> Exit {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    nearest(&mut error);
    let texts = Texts::load(language).ok().filter(|_| language == Language::Id && !is_help);
    let Some(texts) = texts else {
        if error.use_stderr() {
            // Nobody is left to tell when standard error is closed.
            let _ = error.print();
            return Exit::Usage;
        }
        let text = error.render();
        let text = if std::io::stdout().is_terminal() { text.ansi().to_string() } else { text.to_string() };
        let text = if language == Language::Id { text.replace("[OPTIONS]", "[OPSI]") } else { text };
        return match output::print(&text) {
            Ok(()) => Exit::Done,
            Err(_) => Exit::Internal,
        };
    };
    output::note(&format!("isp: {} [cli.usage]", said(&error, &texts)));
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = shown(usage).replace("Usage", &texts.t("typed.usage")).replace("[OPTIONS]", "[OPSI]");
        output::note(&format!("     {usage}"));
    }
    let own = asked(arguments, &Cli::command());
    if let Some(example) = &own.example {
        output::note(&format!("     {} {example}", texts.t("typed.examples")));
    }
    output::note(&format!("     {}", texts.with("advice.cli.usage", &[("command", own.name)])));
    Exit::Usage
}

/// Why a value is not understood: in the words of the language, or in general ones; what libraries say is English.
fn reason(cause: &(dyn std::error::Error + 'static), texts: &Texts) -> String {
    if cause.is::<std::num::ParseIntError>() {
        return texts.t("typed.not_a_number");
    }
    if cause.is::<uuid::Error>() {
        return texts.t("typed.not_an_id");
    }
    let said = cause.to_string();
    texts.find(&format!("reason.{said}"), &[]).unwrap_or_else(|| texts.t("typed.not_understood"))
}

fn shown(text: &StyledStr) -> String {
    text.to_string().trim().to_owned()
}

fn said(error: &clap::Error, texts: &Texts) -> String {
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => shown(text),
        _ => String::new(),
    };
    let (what, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error);
            let reason = match cause.and_then(|cause| cause.downcast_ref::<isp_core::Error>()) {
                Some(error) => texts.domain(error),
                None => {
                    let valid = context(ContextKind::ValidValue);
                    match cause {
                        _ if !valid.is_empty() => texts.with("typed.one_of", &[("values", valid)]),
                        Some(cause) => reason(cause, texts),
                        None => texts.t("typed.not_understood"),
                    }
                }
            };
            texts.with("typed.invalid_value", &[("what", what), ("value", value), ("reason", reason)])
        }
        ErrorKind::UnknownArgument => texts.with("typed.unknown_option", &[("what", what)]),
        ErrorKind::InvalidSubcommand => {
            let (what, like) = (context(ContextKind::InvalidSubcommand), context(ContextKind::SuggestedSubcommand));
            let key = if like.is_empty() { "typed.unknown_command" } else { "typed.unknown_command_like" };
            texts.with(key, &[("what", what), ("like", like)])
        }
        ErrorKind::MissingRequiredArgument => texts.with("typed.missing", &[("what", what)]),
        ErrorKind::MissingSubcommand => texts.t("typed.missing_command"),
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg);
            texts.with("typed.conflict", &[("what", what), ("other", other)])
        }
        _ => texts.with("typed.other", &[("what", what)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(command: &Command, path: &str, look: &mut dyn FnMut(&Command, &str)) {
        look(command, path);
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), look);
        }
    }

    /// Each command, option and paragraph has an Indonesian text; whoever adds one writes it into locales/help.id.toml.
    #[test]
    fn everything_that_can_be_typed_has_an_indonesian_text() {
        let (texts, sentences) = (Texts::load(Language::Id).unwrap(), Sentences::load().unwrap());
        let mut missing = Vec::new();
        walk(&Cli::command(), "isp", &mut |command, path| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            if texts.find(&format!("help.{path}"), &[]).is_none() && sentences.find(&about).is_none() {
                missing.push(format!("{path}: {about}"));
            }
            for arg in command.get_arguments() {
                let english = arg.get_help().map(ToString::to_string).unwrap_or_default();
                if sentences.find(&english).is_none() {
                    missing.push(format!("{path} {}: {english}", arg.get_id()));
                }
            }
            let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let prose = below.split("\n\n").filter(|p| !p.is_empty() && !p.starts_with("Example"));
            let notes =
                below.lines().filter(|l| l.starts_with("  isp")).filter_map(|l| Some(l.trim().split_once("   ")?.1));
            if path != "isp" {
                let unknown = prose.chain(notes).filter(|text| sentences.find(text).is_none());
                missing.extend(unknown.map(|text| format!("{path}, below: {text}")));
            }
        });
        assert!(missing.is_empty(), "no Indonesian text in locales/help.id.toml:\n{}", missing.join("\n"));
    }

    /// What clap shows by itself is Indonesian, too: no word that only English has.
    #[test]
    fn help_in_indonesian_holds_no_english() {
        const ENGLISH: [&str; 12] = [
            "the", "of", "when", "which", "with", "is", "Usage", "Options", "Commands", "default", "possible", "Print",
        ];
        let mut found = Vec::new();
        walk(&command(Cli::command(), Language::Id), "isp", &mut |command, path| {
            let help = command.clone().render_long_help().to_string();
            for line in help.lines().filter(|line| !line.trim_start().starts_with("isp ")) {
                // Options and the names of their values are typed, not read.
                let read = line.split_whitespace().filter(|word| !word.starts_with(['-', '<', '[']));
                let mut words = read.flat_map(|word| word.split(|sign: char| !sign.is_alphanumeric()));
                if let Some(word) = words.find(|word| ENGLISH.contains(word)) {
                    found.push(format!("{path}: {word} in {}", line.trim()));
                }
            }
        });
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    /// Each command stands in one group.
    #[test]
    fn every_command_is_in_a_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(.., names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let root = Cli::command();
        let mut there: Vec<&str> = root.get_subcommands().map(Command::get_name).collect();
        there.sort_unstable();
        assert_eq!(grouped, there);
        let help = super::grouped(command(Cli::command(), Language::Id), Language::Id).render_long_help().to_string();
        assert!(help.contains("Uang:\n  unpaid") && help.contains("isp [OPSI] <PERINTAH>"), "{help}");
        assert_eq!(help.matches("\n  payment ").count(), 1, "{help}");
    }

    #[test]
    fn an_error_names_the_help_and_an_example_of_its_own_command() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            asked(&words, &Cli::command())
        };
        let payment = of(&["isp", "--lang", "id", "payment", "add", "P001"]);
        assert_eq!(payment.name, " payment add");
        assert!(payment.example.as_deref().is_some_and(|e| e.starts_with("isp payment add P001")), "{payment:?}");
        assert_eq!(of(&["isp", "nothing"]), Asked::default());
    }

    #[test]
    fn help_of_a_command_may_be_asked_for_either_way() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let option = |said: &[&str]| help_as_option(&words(said), &Cli::command());
        assert_eq!(option(&["isp", "help", "bill"]), Some(words(&["isp", "bill", "--help"])));
        assert_eq!(option(&["isp", "payment", "help"]), Some(words(&["isp", "payment", "--help"])));
        assert_eq!(option(&["isp", "payment", "help", "add"]), Some(words(&["isp", "payment", "add", "--help"])));
        let language = ["isp", "--lang", "id", "payment", "help"];
        assert_eq!(option(&language), Some(words(&["isp", "--lang", "id", "payment", "--help"])));
        // What is no command may be a name.
        for said in [&["isp", "bill", "help"][..], &["isp", "customer", "show", "help"], &["isp", "payment"]] {
            assert_eq!(option(said), None);
        }
    }
}

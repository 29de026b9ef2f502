//! Help and errors of the command line in the language of the output: clap speaks English only.

use std::path::PathBuf;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use isp_core::text::Language;

use crate::config::{Config, Overrides};
use crate::failure::Exit;
use crate::i18n::Texts;
use crate::output;

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
    match Texts::load(language) {
        Ok(texts) if language == Language::Id => spoken(command, "isp", &texts),
        _ => command,
    }
}

fn spoken(command: Command, path: &str, texts: &Texts) -> Command {
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        texts.t("typed.usage")
    );
    let [arguments, options, general] =
        ["typed.arguments", "typed.options", "typed.general"].map(|key| kept(texts.t(key)));
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help(texts.t("typed.help"));
    let command = command
        .help_template(template)
        .subcommand_help_heading(kept(texts.t("typed.commands")))
        .subcommand_value_name(kept(texts.t("typed.command")))
        .disable_help_flag(true)
        .mut_args(|arg| {
            let heading = match arg.get_help_heading() {
                Some(_) => general,
                None if arg.is_positional() => arguments,
                None => options,
            };
            arg.help_heading(heading)
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
    let command = match texts.find(&format!("help.{path}"), &[]) {
        Some(about) => command.about(about),
        None => command,
    };
    command.mut_subcommands(|sub| {
        let path = format!("{path} {}", sub.get_name());
        spoken(sub, &path, texts)
    })
}

/// A text for as long as the program runs: clap keeps headings no shorter. There are a few, made once.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Says what is wrong with the command line, or shows the help that was asked for; then the program ends.
pub(crate) fn refuse(error: &clap::Error, language: Language) -> Exit {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let texts = Texts::load(language).ok().filter(|_| language == Language::Id && !asked);
    let Some(texts) = texts else {
        // Nobody is left to tell when the output is closed.
        let _ = error.print();
        return if error.use_stderr() { Exit::Usage } else { Exit::Done };
    };
    output::note(&format!("isp: {} [cli.usage]", said(error, &texts)));
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        output::note(&format!("     {}", shown(usage).replace("Usage", &texts.t("typed.usage"))));
    }
    output::note(&format!("     {}", texts.t("advice.cli.usage")));
    Exit::Usage
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
                    let cause = cause.map(|cause| texts.said(&cause.to_string())).unwrap_or_default();
                    if valid.is_empty() { cause } else { texts.with("typed.one_of", &[("values", valid)]) }
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

//! Settings from all sources, and what is shown of them.

use std::path::Path;

use isp_core::text::Name;

use super::file::rooted_url;
use super::show::masked;
use super::*;

fn load(toml: &str, variables: &[(&str, &str)], flags: Overrides) -> Result<Config, Failure> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    std::fs::write(&path, toml).unwrap();
    let owned = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Config::load(&Overrides { config: Some(path), ..flags }, owned)
}

#[test]
fn flags_before_variables_before_the_file_before_defaults() {
    let file = "language = \"en\"\nofficer = \"file\"\n[policy.billing]\npayment_terms_days = 7\n";
    let config = load(file, &[], Overrides::default()).unwrap();
    assert_eq!((config.language, config.policy.billing.payment_terms_days), (Language::En, 7));
    assert_eq!(config.policy.isolation.isolate_after_days, 5);
    let variables = [
        ("ISP_OFFICER", "42"),
        ("ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS", "14"),
        ("ISP_POLICY__DUNNING__QUIET_FROM", "21:00"),
        ("ISP_POLICY__DUNNING__OVERDUE_DAYS", "[2, 4]"),
        ("ISP_TEST_SOMETHING", "of no concern"),
    ];
    let config = load(file, &variables, Overrides::default()).unwrap();
    assert_eq!(config.officer.as_deref(), Some("42"));
    assert_eq!(config.policy.billing.payment_terms_days, 14);
    assert_eq!(config.policy.dunning.overdue_days, [2, 4]);
    let flags = Overrides { officer: Some("flag".into()), ..Overrides::default() };
    assert_eq!(load(file, &variables, flags).unwrap().officer.as_deref(), Some("flag"));
}

#[test]
fn each_setting_says_where_it_comes_from_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    let file = "database = \"postgres://isp:rahasia@db/isp\"\n[policy.billing]\npayment_terms_days = 7\n[whatsapp]\naccess_token = \"EAAB\"\n";
    std::fs::write(&path, file).unwrap();
    let flags = Overrides { config: Some(path), officer: Some("Sari".into()), ..Overrides::default() };
    let variables = [("ISP_POLICY__ISOLATION__ISOLATE_AFTER_DAYS", "9")];
    let variables = || variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let config = Config::load(&flags, variables()).unwrap();
    let all = settings(&config, &flags, variables()).unwrap();
    let of = |key: &str| all.iter().find(|s| s.key == key).map(|s| (s.value.as_str(), s.source)).unwrap();
    assert_eq!(of("officer"), ("Sari", "flag"));
    assert_eq!(of("policy.isolation.isolate_after_days"), ("9", "variable"));
    assert_eq!(of("policy.billing.payment_terms_days"), ("7", "file"));
    assert_eq!(of("policy.isolation.isolate_at"), ("10:00", "default"));
    assert_eq!(of("database"), ("postgres://isp:***@db/isp", "file"));
    assert_eq!(of("whatsapp.access_token"), ("***", "file"));
}

#[test]
fn keys_of_gateways_are_read_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    std::fs::write(&path, "[gateway.midtrans]\nkey = \"GEHEIM\"\nkey_file = \"a.key\"\n").unwrap();
    let flags = Overrides { config: Some(path), ..Overrides::default() };
    let variables = || [("ISP_GATEWAY__TRIPAY__WEBHOOK_KEY".to_owned(), "123GEHEIM".to_owned())].into_iter();
    let config = Config::load(&flags, variables()).unwrap();
    assert_eq!(config.gateway["tripay"].webhook_key.as_ref().unwrap().reveal(), "123GEHEIM");
    assert!(config.gateway["midtrans"].key_file.as_ref().unwrap().is_absolute());
    assert!(!format!("{config:?}").contains("GEHEIM"));
    let all = settings(&config, &flags, variables()).unwrap();
    assert!(all.iter().all(|s| !s.value.contains("GEHEIM")), "{all:?}");
    let of = |key: &str| all.iter().find(|s| s.key == key).map(|s| s.value.as_str());
    assert_eq!([of("gateway.midtrans.key"), of("gateway.tripay.webhook_key")], [Some("***"); 2]);
}

#[test]
fn secrets_of_banks_are_read_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    std::fs::write(&path, "[snap.bca-va]\nclient_secret = \"GEHEIM\"\ntoken_key_file = \"a.key\"\n").unwrap();
    let flags = Overrides { config: Some(path), ..Overrides::default() };
    let variables = || {
        let of = |key: &str, value: &str| (format!("ISP_SNAP__BCA-VA__{key}"), value.to_owned());
        [of("TOKEN_KEY", "123GEHEIM"), of("SERVICE_ID", "00899")].into_iter()
    };
    let config = Config::load(&flags, variables()).unwrap();
    assert_eq!(config.snap["bca-va"].service_id, "00899", "digits, and no number");
    assert!(config.snap["bca-va"].token_key_file.as_ref().unwrap().is_absolute());
    assert!(config.exposed.is_some() || !cfg!(unix), "a secret in a file that others may read");
    assert!(!format!("{config:?}").contains("GEHEIM"));
    let all = settings(&config, &flags, variables()).unwrap();
    assert!(all.iter().all(|s| !s.value.contains("GEHEIM")), "{all:?}");
    let of = |key: &str| all.iter().find(|s| s.key == key).map(|s| s.value.as_str());
    assert_eq!([of("snap.bca-va.client_secret"), of("snap.bca-va.token_key")], [Some("***"); 2]);
}

#[test]
fn secrets_of_moota_and_of_phones_are_read_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    let text = "[moota]\nsecret = \"GEHEIM\"\n[phone.hp-toko]\nsecret_file = \"a.secret\"\n[phone.hp-lain]\naccount = \"BRI-1\"\n";
    std::fs::write(&path, text).unwrap();
    let flags = Overrides { config: Some(path), ..Overrides::default() };
    let variables = || {
        let of = |key: &str, value: &str| (format!("ISP_PHONE__HP-LAIN__{key}"), value.to_owned());
        [of("SECRET", "1234567890GEHEIM"), of("ACCOUNT", "0012345678")].into_iter()
    };
    let config = Config::load(&flags, variables()).unwrap();
    assert_eq!(config.phone["hp-lain"].account.as_deref(), Some("0012345678"), "digits, and no number");
    assert!(config.phone["hp-toko"].secret_file.as_ref().unwrap().is_absolute());
    assert!(config.exposed.is_some() || !cfg!(unix), "a secret in a file that others may read");
    assert!(!format!("{config:?}").contains("GEHEIM"));
    let all = settings(&config, &flags, variables()).unwrap();
    assert!(all.iter().all(|s| !s.value.contains("GEHEIM")), "{all:?}");
    let phones = crate::wire::phones(&config);
    let told: Vec<_> = phones.iter().map(|(name, phone)| (name.as_str(), phone.is_ok())).collect();
    assert_eq!(told, [("hp-lain", true), ("hp-toko", false)]);
    assert!(crate::wire::moota(&config).unwrap().is_some());
}

#[test]
fn what_would_mix_up_those_who_tell_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    let phone = |name: &str, more: &str| {
        format!("[phone.{name}]\nsecret = \"1234567890123456\"\naccount = \"BRI-1\"\n{more}\n")
    };
    for (text, reason) in [
        (phone("bca", ""), "name is one of bca, "),
        (phone("moota", ""), "name is one of bca, "),
        (phone("a", "") + &phone("b", "key = \"a\""), "same name or key"),
        (phone("a", "") + &phone("A", "key = \"x\""), "same name or key"),
        (phone("a", "bank = \"tripay\""), "bank is not bca"),
        (phone("a", "key = \"a|b\""), "key"),
        (phone("a", "") + "[gateway.phone]\nkind = \"midtrans\"\n", "/hooks/phone"),
        ("[phone.a]\nsecret = \"1234567890123456\"\n".to_owned(), "account is not set"),
        ("[phone.a]\naccount = \"BRI-1\"\n".to_owned(), "secret_file is not set"),
        ("[phone.a]\naccount = \"BRI-1\"\nsecret = \"kurang\"\n".to_owned(), "secret"),
    ] {
        std::fs::write(&path, &text).unwrap();
        let flags = Overrides { config: Some(path.clone()), ..Overrides::default() };
        let config = Config::load(&flags, std::iter::empty()).unwrap();
        let (_, phone) = crate::wire::phones(&config).remove(0);
        let said = format!("{}", phone.unwrap_err());
        assert!(said.contains(reason), "{said}: {text}");
    }
    for (text, reason) in [("[moota]\n", "secret_file is not set"), ("[moota]\nsecret = \" \"\n", "secret")] {
        std::fs::write(&path, text).unwrap();
        let flags = Overrides { config: Some(path.clone()), ..Overrides::default() };
        let config = Config::load(&flags, std::iter::empty()).unwrap();
        assert!(format!("{}", crate::wire::moota(&config).unwrap_err()).contains(reason), "{text}");
    }
}

#[test]
fn two_banks_whose_names_differ_in_case_only_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.toml");
    std::fs::write(&path, "[snap.bca-va]\n[snap.BCA-VA]\n[snap.bri-va]\n").unwrap();
    let flags = Overrides { config: Some(path), ..Overrides::default() };
    let config = Config::load(&flags, std::iter::empty()).unwrap();
    let said: Vec<(String, bool)> = crate::wire::banks(&config)
        .into_iter()
        .map(|(name, bank)| (name, bank.unwrap_err().to_string().contains("another bank has the same name")))
        .collect();
    let expected = [("BCA-VA", true), ("bca-va", true), ("bri-va", false)];
    assert_eq!(said, expected.map(|(name, twin)| (name.to_owned(), twin)));
}

#[test]
fn unknown_keys_and_senseless_numbers_are_refused() {
    for (file, variables) in [
        ("databse = \"x\"", &[][..]),
        ("[policy.billing]\nterms = 3", &[]),
        ("", &[("ISP_POLICY__BILING__CATCH_UP_PERIODS", "3")]),
        ("[policy.billing]\ncatch_up_periods = 0", &[]),
        ("[worker]\npage = 0", &[]),
        ("[worker]\nlease_seconds = 0", &[]),
        ("language = \"fr\"", &[]),
        ("language = ", &[]),
    ] {
        let error = load(file, variables, Overrides::default()).unwrap_err();
        assert_eq!(error.code(), "cli.config", "{file}");
    }
}

#[test]
fn a_setting_that_does_not_fit_is_named_by_its_key() {
    for (file, key) in [
        ("[policy.billing]\npayment_terms_days = \"ten\"", "policy.billing.payment_terms_days"),
        ("[policy.billing]\ncatch_up_periods = 0", "policy.billing.catch_up_periods"),
        ("[policy.isolation]\nisolate_at = \"25:99\"", "policy.isolation.isolate_at"),
        ("[worker]\npage = 0", "worker.page"),
        ("language = \"fr\"", "language"),
    ] {
        let text = load(file, &[], Overrides::default()).unwrap_err().to_string();
        assert!(text.contains(&format!("configuration {key} (")) && text.contains("isp.toml): "), "{text}");
    }
}

#[test]
fn no_spelling_of_an_address_shows_its_password() {
    for address in [
        "postgres://isp:GEHEIM@h/d",
        "postgres://isp@h/d?password=GEHEIM",
        "postgres://isp@h/d?sslmode=require&sslpassword=GEHEIM",
        "host=h user=u password=GEHEIM",
        "postgres:u:GEHEIM@h/d",
        "postgres://u:x@GEHEIM@h/d",
        "postgres://u:x/GEHEIM@h@i/d",
    ] {
        for key in ["database", "radius.database"] {
            let shown = masked(key, address.to_owned());
            assert!(!shown.contains("GEHEIM"), "{address}: {shown}");
        }
    }
    for plain in ["sqlite:isp.db", "postgres://isp@h/d?sslmode=require", "postgres:///d?host=/run"] {
        assert_eq!(masked("database", plain.to_owned()), plain);
    }
}

#[test]
fn a_broken_line_is_named_but_not_shown() {
    let error = load("language = \"id\"\n[whatsapp]\naccess_token = EAAB-secret\n", &[], Overrides::default());
    let text = error.unwrap_err().to_string();
    assert!(text.contains("line 3") && !text.contains("EAAB"), "{text}");
}

#[test]
fn days_that_are_kept_are_checked_and_found_at_their_old_place() {
    let days = |file: &str, variables: &[(&str, &str)]| {
        load(file, variables, Overrides::default()).map(|config| config.retention.webhooks_days)
    };
    let old = "[serve]\nkeep_webhooks_days = 90\n";
    assert_eq!(days("", &[]).unwrap(), 30);
    assert_eq!(days(old, &[]).unwrap(), 90);
    assert_eq!(days("", &[("ISP_SERVE__KEEP_WEBHOOKS_DAYS", "60")]).unwrap(), 60);
    assert_eq!(days(&format!("{old}[retention]\nwebhooks_days = 14\n"), &[]).unwrap(), 14);
    assert_eq!(days(old, &[("ISP_RETENTION__WEBHOOKS_DAYS", "21")]).unwrap(), 21);
    for (file, said) in [
        ("[retention]\nwebhooks_days = 6\n", "retention.webhooks_days"),
        ("[retention]\nproof_files_days = 29\n", "retention.proof_files_days"),
        ("[retention]\ninvoices_days = 40\n", "invoices_days"),
        ("retention = 4\n[serve]\nkeep_webhooks_days = 90\n", "retention"),
    ] {
        let error = format!("{:?}", load(file, &[], Overrides::default()).unwrap_err());
        assert!(error.contains(said), "{file}: {error}");
    }
}

#[test]
fn paths_in_the_file_start_at_its_folder() {
    let config = load("database = \"sqlite:isp.db\"\nkey_file = \"isp.key\"", &[], Overrides::default()).unwrap();
    assert!(config.key_file.unwrap().is_absolute());
    assert!(config.database.unwrap().strip_prefix("sqlite:").is_some_and(|p| Path::new(p).is_absolute()));
    assert_eq!(rooted_url("sqlite::memory:", Path::new("/x")), "sqlite::memory:");
    assert_eq!(rooted_url("postgres://h/d", Path::new("/x")), "postgres://h/d");
}

#[test]
fn the_starter_file_is_the_defaults() {
    let config = load(&starter("sqlite:isp.db", "isp.key", Language::Id, None), &[], Overrides::default()).unwrap();
    assert_eq!((config.policy, config.provider.is_none()), (Policy::default(), true));
}

#[test]
fn a_name_in_the_starter_file_is_who_asks() {
    let name = Name::parse("name", r#"Warga "Net" \ RT 05"#).unwrap();
    let config =
        load(&starter("sqlite:isp.db", "isp.key", Language::Id, Some(&name)), &[], Overrides::default()).unwrap();
    let sender = config.provider.unwrap();
    assert_eq!((sender.name, sender.pay_to.len()), (name, 0));
}

#[test]
fn nothing_leads_out_of_a_sandbox() {
    let file = "sandbox = true\ndatabase = \"sqlite:copy.db\"\nofficer = \"file\"\n";
    let variables = [
        ("ISP_DATABASE", "postgres://isp@real/isp"),
        ("ISP_WHATSAPP__BASE_URL", "https://graph.facebook.com"),
        ("ISP_RADIUS__DATABASE", "postgres://radius@real/radius"),
        ("ISP_OFFICER", "Sari"),
        ("ISP_SANDBOX", "false"),
    ];
    let config = load(file, &variables, Overrides::default()).unwrap();
    assert!(config.database.as_deref().is_some_and(|url| url.ends_with("copy.db")), "{:?}", config.database);
    assert_eq!((config.whatsapp.base_url, config.officer.as_deref()), (None, Some("Sari")));
    let flags = Overrides { database: Some("postgres://isp@real/isp".into()), ..Overrides::default() };
    assert_eq!(load(file, &[], flags).unwrap_err().code(), "cli.usage");
    // No variable makes a sandbox of the real settings either.
    let config = load("", &[("ISP_SANDBOX", "true"), ("ISP_DATABASE", "sqlite:isp.db")], Overrides::default()).unwrap();
    assert_eq!((config.sandbox, config.database.as_deref()), (false, Some("sqlite:isp.db")));
}

//! Rendering: every kind in both languages, and values that cannot break a template.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use isp_core::message::{Demand, Owed, Sender};
use isp_core::money::Money;
use isp_core::text::Language;
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::notification::{TemplateKind, TemplateMessage};
use isp_whatsapp::outcome::ConfigFault;
use isp_whatsapp::template::{ParameterFormat, Template};
use isp_whatsapp::text;
use proptest::prelude::*;
use support::{due_soon, every_content, isolated, message, name, overdue, payment};

fn composed(language: Language, content: isp_core::message::notification::MessageContent) -> TemplateMessage {
    TemplateMessage::compose(&TemplateCatalog::standard(), &message(1, language, content)).unwrap()
}

#[test]
fn a_reminder_reads_as_a_person_writes() {
    assert_eq!(
        composed(Language::Id, due_soon()).text(),
        "Halo Budi Santoso, tagihan internet INV-2026-11-0042 (paket Rumah 20) sebesar Rp 165.000 jatuh tempo pada \
         25 November 2026. Mohon dibayar paling lambat tanggal tersebut. Abaikan pesan ini bila sudah membayar. \
         Terima kasih."
    );
    assert_eq!(
        composed(Language::En, overdue()).text(),
        "Hello Budi Santoso, your internet invoice INV-1, INV-2, INV-3 and 2 more of Rp 1.330.000 is 3 days past its \
         due date (25 November 2026). Unless it is paid, the service (package Rumah 20) is suspended from \
         30 November 2026 and reopened automatically when the payment arrives. If you have already paid, please \
         ignore this message. Thank you."
    );
}

#[test]
fn an_isolation_by_hand_speaks_of_no_money() {
    assert!(composed(Language::Id, isolated(165_000)).text().contains("tunggakan sebesar Rp 165.000"));
    for language in [Language::Id, Language::En] {
        let by_hand = composed(language, isolated(0));
        assert!(!by_hand.text().contains("Rp"));
        assert_eq!(by_hand.template(), "isp_layanan_dihentikan_sementara");
    }
}

#[test]
fn a_payment_names_its_reference_without_markup() {
    let text = composed(Language::Id, payment());
    assert!(text.text().contains("pada 1 Desember 2026 (referensi VAˍ88∗1)"));
    assert!(text.text().contains("Sisa tagihan Anda Rp 0."));
}

#[test]
fn every_kind_has_a_text_in_every_language_that_meta_takes() {
    let catalog = TemplateCatalog::standard();
    assert_eq!(catalog.templates().count(), TemplateKind::ALL.len() * 2);
    for kind in TemplateKind::ALL {
        let id = catalog.template(kind, Language::Id).unwrap();
        let en = catalog.template(kind, Language::En).unwrap();
        let sorted = |template: &Template| {
            let mut names = template.parameters().to_vec();
            names.sort();
            names
        };
        assert_eq!(sorted(id), sorted(en), "{kind:?}");
        assert!(id.parameters().iter().all(|parameter| kind.parameters().contains(&parameter.as_str())));
    }
    for content in every_content() {
        for language in [Language::Id, Language::En] {
            let composed = composed(language, content.clone());
            assert!(composed.text().chars().count() <= 1024);
            assert!(!composed.text().contains("{{"));
        }
    }
}

#[test]
fn a_catalog_refuses_a_template_that_could_not_be_filled() {
    let template =
        Template::try_new("tagihan", "id", ParameterFormat::Named, "Halo {{nama}}, {{sisa_tagihan}} lagi.").unwrap();
    let error = TemplateCatalog::standard().with(TemplateKind::DueSoon, Language::Id, template).unwrap_err();
    assert_eq!(error.code(), "whatsapp.bad_template");
    let taken = Template::try_new("isp_layanan_dibuka", "id", ParameterFormat::Named, "Halo {{nama}}.").unwrap();
    assert!(TemplateCatalog::standard().with(TemplateKind::DueSoon, Language::Id, taken).is_err());
}

#[test]
fn templates_that_meta_would_refuse_are_refused_here() {
    let long = "x".repeat(1025);
    for (name, body) in [
        ("Tagihan", "Halo {{nama}}."),
        ("tagihan", "{{nama}}, halo."),
        ("tagihan", "Halo {{nama}}"),
        ("tagihan", "Halo {{Nama}}."),
        ("tagihan", "Halo {nama}."),
        ("tagihan", "Halo {{nama."),
        ("tagihan", ""),
        ("tagihan", long.as_str()),
    ] {
        assert!(Template::try_new(name, "id", ParameterFormat::Named, body).is_err(), "{name} {body:.20}");
    }
}

#[test]
fn registration_has_the_shape_meta_documents() {
    let named = Template::try_new("t", "id", ParameterFormat::Named, "Halo {{nama}}, bayar {{jumlah}} ya.").unwrap();
    let body = named.registration();
    assert_eq!(body["parameter_format"], "NAMED");
    assert_eq!(body["message_send_ttl_seconds"], 43_200);
    assert_eq!(body["components"][0]["example"]["body_text_named_params"][1]["param_name"], "jumlah");
    let positional =
        Template::try_new("t", "id", ParameterFormat::Positional, "Halo {{nama}}, bayar {{jumlah}} ya.").unwrap();
    assert_eq!(positional.registration()["components"][0]["text"], "Halo {{1}}, bayar {{2}} ya.");
}

#[test]
fn a_missing_template_or_value_is_named_and_nothing_personal_is_shown() {
    let message = message(1, Language::Id, due_soon());
    let composed = TemplateMessage::compose(&TemplateCatalog::standard(), &message).unwrap();
    assert!(!format!("{composed:?}").contains("Budi"));
    assert_eq!(
        format!("{:?}", ConfigFault::NoValue { parameter: "nama".to_owned() }),
        "NoValue { parameter: \"nama\" }"
    );
}

proptest! {
    #[test]
    fn any_name_makes_a_parameter_that_meta_takes(raw in "\\PC{1,60}[\n\t\r *_~`]{0,9}\\PC{0,60}") {
        let clean = text::parameter(&text::escape(&raw));
        prop_assert!(!clean.is_empty() && clean.chars().count() <= 160);
        prop_assert!(!clean.contains(['\n', '\t', '\r', '*', '_', '~', '`']) && !clean.contains("  "));
    }

    #[test]
    fn an_amount_can_be_read_back(amount in -10_000_000_000_000_i64..=10_000_000_000_000) {
        let text = text::rupiah(Money::rupiah(amount));
        prop_assert_eq!(text.replace("Rp ", "").replace('.', "").parse::<i64>().unwrap(), amount);
    }
}

#[test]
fn a_long_value_is_cut_at_a_character() {
    let cut = text::parameter(&"é".repeat(500));
    assert_eq!(cut.chars().count(), 160);
    assert!(cut.ends_with('…'));
    assert_eq!(name("a\tb").as_str(), "a b");
}

/// What a provider sets, as long as it may be.
fn sender() -> Sender {
    Sender {
        name: name("Warga Net RT 05"),
        pay_to: ["BCA 1234567890 a.n. Sari Contoh", "QRIS di grup RT", "tunai di rumah Pak RT, tiap sore"]
            .map(str::to_owned)
            .into(),
        contact: Some("0812-0000-0001".to_owned()),
    }
}

fn demand(documents: i64) -> Demand {
    let owed = |n: i64| Owed {
        number: format!("INV-2026{:02}-000042", n),
        amount: Money::rupiah(165_000),
        due_date: isp_core::Date::from_ymd(2026, n as u32, 11).unwrap(),
    };
    Demand {
        owed: (1..=documents).map(owed).collect(),
        total: Money::rupiah(165_000 * documents),
        overdue: Money::rupiah(165_000),
        isolation_date: isp_core::Date::from_ymd(2026, 2, 16),
        isolated: false,
    }
}

fn asking(
    language: Language,
    content: isp_core::message::notification::MessageContent,
    demand: Demand,
) -> TemplateMessage {
    let message = isp_core::message::notification::OutgoingMessage {
        demand: Some(demand),
        sender: Some(sender()),
        ..message(1, language, content)
    };
    TemplateMessage::compose(&TemplateCatalog::with_sender(), &message).unwrap()
}

#[test]
fn a_text_names_who_asks_everything_owed_and_how_to_pay_n6() {
    let text = asking(Language::Id, due_soon(), demand(2));
    assert_eq!(text.template(), "isp_tagihan_pengingat_2");
    assert_eq!(
        text.text(),
        "Halo Budi Santoso, tagihan internet Anda di Warga Net RT 05 (paket Rumah 20) sebesar Rp 165.000: \
         INV-202601-000042 Rp 165.000 (jatuh tempo 11 Januari 2026); INV-202602-000042 Rp 165.000 (jatuh tempo \
         11 Februari 2026). Mohon dibayar paling lambat 25 November 2026. Cara bayar: BCA 1234567890 a.n. Sari Contoh; \
         QRIS di grup RT; tunai di rumah Pak RT, tiap sore. Bila belum dibayar, layanan diisolir mulai 16 Februari 2026. \
         Abaikan pesan ini bila sudah membayar. Terima kasih."
    );
    let isolated_already = Demand { isolated: true, ..demand(5) };
    let text = asking(Language::En, overdue(), isolated_already.clone());
    assert!(
        text.text().contains("INV-202603-000042 Rp 165.000 (due 11 March 2026); 2 more Rp 330.000."),
        "{}",
        text.text()
    );
    assert!(text.text().contains("the service stays suspended until the overdue Rp 165.000 is paid"));
    let text = asking(Language::Id, payment(), isolated_already);
    assert!(text.text().contains("diterima Warga Net RT 05"), "{}", text.text());
    assert!(text.text().contains("layanan tetap diisolir sampai tunggakan Rp 165.000 dibayar."), "{}", text.text());
}

#[test]
fn every_text_names_the_provider_under_a_name_that_was_never_registered_before_and_fits() {
    let (old, new) = (TemplateCatalog::standard(), TemplateCatalog::with_sender());
    assert_eq!(new.templates().count(), TemplateKind::ALL.len() * 2);
    let long = "W".repeat(isp_core::text::Name::LONGEST);
    for template in new.templates() {
        assert!(template.parameters().iter().any(|p| p == "penyedia"), "{}", template.name());
        assert!(old.templates().all(|before| before.name() != template.name()), "{}", template.name());
    }
    for language in [Language::Id, Language::En] {
        for content in every_content() {
            let message = isp_core::message::notification::OutgoingMessage {
                demand: Some(demand(9)),
                sender: Some(Sender {
                    name: name(&long[..Sender::LONGEST]),
                    pay_to: vec!["9".repeat(Sender::LONGEST); Sender::WAYS],
                    ..sender()
                }),
                name: name(&long),
                ..message(1, language, content)
            };
            let text = TemplateMessage::compose(&new, &message).unwrap();
            assert!(text.text().chars().count() <= 1024, "{} {}", text.template(), text.text().chars().count());
        }
    }
}

#[test]
fn every_text_stands_in_the_documents_as_it_is_registered() {
    let told = include_str!("../../docs/templates.md");
    for template in TemplateCatalog::standard().templates().chain(TemplateCatalog::with_sender().templates()) {
        let registration = template.registration();
        let body = registration["components"][0]["text"].as_str().unwrap();
        let entry = format!("`{}`, language `{}`:\n\n```text\n{body}\n```", template.name(), template.language());
        assert!(told.contains(&entry), "docs/templates.md lacks {entry}");
    }
}

#[test]
fn a_text_that_names_the_provider_is_not_sent_without_one() {
    let fault =
        TemplateMessage::compose(&TemplateCatalog::with_sender(), &message(1, Language::Id, due_soon())).unwrap_err();
    assert_eq!(fault, ConfigFault::NoValue { parameter: "penyedia".to_owned() });
}

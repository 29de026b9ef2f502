//! Rendering: every kind in both languages, and values that cannot break a template.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

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

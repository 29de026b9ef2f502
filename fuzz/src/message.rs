//! What WhatsApp and its customers say.

use isp_core::message::inbound::Wish;
use isp_whatsapp::webhook::{Webhook, signature};
use secrecy::SecretString;

/// A signed body is read or refused, alike each time; an unsigned one is never read.
pub(crate) fn whatsapp(data: &[u8]) {
    let secret = SecretString::from("fuzzed");
    let webhook = Webhook::new(secret.clone(), "word".into());
    let signed = signature(&secret, data);
    if let Ok(events) = webhook.receive(Some(&signed), data) {
        assert_eq!(Some(&events), webhook.receive(Some(&signed), data).ok().as_ref());
        // As many as fit into it.
        assert!(events.len() <= data.len());
    }
    assert!(webhook.receive(None, data).is_err());
    let header = String::from_utf8_lossy(data);
    assert!(webhook.receive(Some(&header), b"{}").is_err(), "a signature was guessed");
    let _ = webhook.subscribe(&header);
}

/// What customers type: capitals and blanks around it mean nothing, and a promise has days.
pub(crate) fn inbound(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let wish = Wish::read(&text);
    assert_eq!(Wish::read(&text), wish);
    if text.chars().count() <= 100 {
        assert_eq!(Wish::read(&format!("  {text}\n")), wish);
    }
    if let Wish::Promise(days) = wish {
        assert!(days > 0);
        assert_eq!(Wish::read(&format!("JANJI {days}")), wish);
    }
    assert!(matches!(Wish::of_button(&text), Wish::OptOut | Wish::OptIn | Wish::Other));
}

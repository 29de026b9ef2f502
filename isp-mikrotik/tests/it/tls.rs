//! The encrypted service.

use crate::common::{done, endpoint, target};
use isp_core::isolation::Access::Open;
use isp_core::ports::{AccessControl, PortError};
use isp_mikrotik::menu::{Rows, ppp::secret};
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation};
use isp_mikrotik::{Client, Error, Fingerprint, MikrotikAccess, Settings, Tls};

async fn start() -> (SimulatedRouter, String, Fingerprint) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let simulation = Simulation { tls: Some((certificate.clone(), key)), ..Simulation::default() };
    (SimulatedRouter::start(simulation).await.unwrap(), certificate, Fingerprint::of(made.cert.der()))
}

#[tokio::test]
async fn a_pinned_or_signed_certificate_is_accepted_and_carries_commands() {
    let (router, certificate, fingerprint) = start().await;
    for tls in [Tls::Pinned(fingerprint), Tls::Authority(certificate)] {
        let mut options = router.options();
        options.tls = tls;
        let client = Client::connect(options).await.unwrap();
        router.inject(Fault::new(FaultKind::Segments(1)));
        for reply in client.call_all(&vec![secret::print(Rows::All); 50]).await {
            assert_eq!(reply.unwrap().rows().len(), 0);
        }
    }
}

#[tokio::test]
async fn another_certificate_is_refused_and_nothing_is_sent() {
    let (router, ..) = start().await;
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    for (tls, word) in [
        (Tls::Pinned(Fingerprint::of(other.cert.der())), "not the pinned one"),
        (Tls::Authority(other.cert.pem()), "not accepted"),
        (Tls::Authority("nonsense".to_owned()), "no certificate in the PEM text"),
    ] {
        let mut options = router.options();
        options.tls = tls;
        let error = Client::connect(options).await.unwrap_err();
        assert_eq!(error.code(), "router.tls");
        assert!(!error.retryable() && error.to_string().contains(word), "{error}");
    }
    assert_eq!(router.counters().logins, 0);
}

#[tokio::test]
async fn clear_text_and_tls_do_not_mix() {
    let (router, _, fingerprint) = start().await;
    let clear = router.options().connect_timeout(std::time::Duration::from_millis(500));
    assert!(matches!(Client::connect(clear).await, Err(Error::NotSent { .. })));
    let plain = SimulatedRouter::start(Simulation::default()).await.unwrap();
    let mut options = plain.options().connect_timeout(std::time::Duration::from_millis(500));
    options.tls = Tls::Pinned(fingerprint);
    assert_eq!(Client::connect(options).await.unwrap_err().code(), "router.tls");
}

#[tokio::test]
async fn the_adapter_finds_its_trust_in_the_settings() {
    let (router, certificate, fingerprint) = start().await;
    let mut endpoint = endpoint(&router);
    endpoint.tls = true;
    let account = [target(1, "budi", Open)];
    let trusting_nobody = MikrotikAccess::new(Settings::default());
    let error = trusting_nobody.apply(&endpoint, &account).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { code: "router.tls", .. }), "{error:?}");
    let pinned = Settings { tls_fingerprints: [("127.0.0.1".to_owned(), fingerprint)].into(), ..Settings::default() };
    let signed = Settings { tls_authority: Some(certificate), ..Settings::default() };
    for settings in [pinned, signed] {
        let outcomes = MikrotikAccess::new(settings).apply(&endpoint, &account).await.unwrap();
        assert_eq!(done(&outcomes[0]).0, Open);
    }
}

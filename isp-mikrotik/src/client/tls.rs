//! TLS to the router's `api-ssl` service.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};

use super::options::{ConnectOptions, Fingerprint, Tls};
use crate::error::{Error, Stage};

/// Encrypts a fresh connection.
pub(super) async fn handshake(
    stream: TcpStream,
    trust: &Tls,
    options: &ConnectOptions,
) -> Result<TlsStream<TcpStream>, Error> {
    let config = config(trust).map_err(|detail| failed(&options.address, &detail))?;
    let host = options.address.rsplit_once(':').map_or(options.address.as_str(), |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| failed(&options.address, &error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(config));
    match timeout(options.connect_timeout, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(&options.address, &explain(&error))),
        Err(_) => Err(failed(&options.address, &format!("no handshake within {:?}", options.connect_timeout))),
    }
}

fn failed(address: &str, detail: &str) -> Error {
    Error::NotSent { stage: Stage::Tls, detail: format!("{address}: {detail}") }
}

/// The only place that chooses the cryptography.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn config(trust: &Tls) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    match trust {
        Tls::Pinned(fingerprint) => {
            let verifier = Arc::new(Pinned { fingerprint: *fingerprint, provider: provider() });
            Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
        }
        Tls::Authority(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("certificate authority: {error}"))?;
                roots.add(certificate).map_err(|error| format!("certificate authority: {error}"))?;
            }
            if roots.is_empty() {
                return Err("certificate authority: no certificate in the PEM text".to_owned());
            }
            Ok(builder.with_root_certificates(roots).with_no_client_auth())
        }
        Tls::Off => Err("TLS is off".to_owned()),
    }
}

/// Says what a person can do about it.
fn explain(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match inner {
        Some(TlsError::AlertReceived(AlertDescription::HandshakeFailure)) => {
            "the router offers no cipher that we accept; an api-ssl service without a certificate has only anonymous \
             Diffie-Hellman, so give it one: /ip/service/set api-ssl certificate=..."
                .to_owned()
        }
        Some(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            "the router's certificate is not the pinned one".to_owned()
        }
        Some(TlsError::InvalidCertificate(reason)) => format!("the router's certificate is not accepted: {reason}"),
        _ => error.to_string(),
    }
}

/// Accepts one certificate and no other. Who holds its key is still proven by the handshake's signature.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if Fingerprint::of(end_entity) == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

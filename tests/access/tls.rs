//! TLS, with an authority made for the test.

use std::path::PathBuf;
use std::sync::Arc;

use orderctl::endpoint::{Access, Identity, SecretSource};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::server::{Server, created, endpoint, post, told};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

struct Certified {
    pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        Self::named("Authority of the test")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn certify(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Certified {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            key,
        }
    }

    /// A certificate for a client, in files.
    fn identity(&self) -> Identity {
        let certified = self.certify("orderctl", |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
        let key = self.write("client.key", &certified.key.serialize_pem());
        Identity {
            certificate: self.write("client.pem", &certified.pem),
            key: SecretSource::File(key),
        }
    }

    fn server(&self, certified: &Certified, clients: bool) -> ServerConfig {
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if clients {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(certified.key.serialize_der()).unwrap();
        builder
            .with_single_cert(vec![certified.der.clone()], key)
            .unwrap()
    }

    fn trusted(&self) -> Access {
        Access {
            ca: Some(self.path("ca.pem")),
            ..Access::default()
        }
    }
}

/// What comes of a call to a server with this configuration, and how many requests it saw.
async fn call(config: ServerConfig, access: Access) -> (String, usize) {
    let server = Server::encrypted(vec![created()], config).await;
    let olt = endpoint(&format!("https://{}/olt", server.address), access);
    let told = told(&post(&olt).await);
    (told, server.seen().len())
}

const MADE: &str = "completed 201: {\"id\":\"r\"}";

#[tokio::test]
async fn a_certificate_of_a_named_authority_is_trusted() {
    let authority = Authority::new();
    let config = authority.server(&authority.certify("127.0.0.1", |_| {}), false);
    assert_eq!(
        call(config, authority.trusted()).await,
        (MADE.to_owned(), 1)
    );
}

#[tokio::test]
async fn a_certificate_that_does_not_convince_gets_no_request() {
    let authority = Authority::new();
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    };
    let good = authority.certify("127.0.0.1", |_| {});
    let other = authority.certify("127.0.0.2", |_| {});
    let expired = authority.certify("127.0.0.1", expired);
    let foreign = Authority::named("Somebody else");
    let cases = [
        (good, foreign.trusted(), "UnknownIssuer"),
        (other, authority.trusted(), "certificate not valid for name"),
        (expired, authority.trusted(), "expired"),
    ];
    for (certified, access, why) in cases {
        let (told, seen) = call(authority.server(&certified, false), access).await;
        assert!(
            told.starts_with("failed: cannot connect: invalid peer certificate: "),
            "{told}"
        );
        assert!(told.contains(why), "{told}");
        assert_eq!(seen, 0);
    }
}

#[tokio::test]
async fn the_systems_authorities_do_not_know_ours() {
    let authority = Authority::new();
    let config = authority.server(&authority.certify("127.0.0.1", |_| {}), false);
    let (told, seen) = call(config, Access::default()).await;
    // Where the system has no authorities at all, the client cannot be made.
    assert!(told.starts_with("failed: "), "{told}");
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_those_who_ask() {
    let authority = Authority::new();
    let certified = authority.certify("127.0.0.1", |_| {});
    let mut access = authority.trusted();
    let (told, seen) = call(authority.server(&certified, true), access.clone()).await;
    assert!(told.contains("CertificateRequired"), "{told}");
    assert_eq!(seen, 0);
    access.identity = Some(authority.identity());
    let config = authority.server(&certified, true);
    assert_eq!(call(config, access).await, (MADE.to_owned(), 1));
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let prepare = |access: Access| {
        let olt = endpoint("https://127.0.0.1:1/olt", access);
        olt.prepare().unwrap_err().to_string()
    };
    let with_ca = |path: PathBuf| Access {
        ca: Some(path),
        ..Access::default()
    };
    let name = authority.path("none.pem");
    assert_eq!(
        prepare(with_ca(name.clone())),
        format!(
            "endpoint olt: cannot read certificate {}: No such file or directory (os error 2)",
            name.display()
        )
    );
    let text = authority.write("text.pem", "hello");
    assert_eq!(
        prepare(with_ca(text.clone())),
        format!(
            "endpoint olt: there is no certificate (PEM) in {}",
            text.display()
        )
    );
    let mut access = authority.trusted();
    let mut identity = authority.identity();
    identity.key = SecretSource::File(text.clone());
    access.identity = Some(identity.clone());
    assert_eq!(
        prepare(access.clone()),
        format!(
            "endpoint olt: {} and file {} do not hold a certificate and its private key, unencrypted, as PEM",
            identity.certificate.display(),
            text.display()
        )
    );
    identity.key = SecretSource::Environment("ORDERCTL_NO_SUCH".to_owned());
    access.identity = Some(identity);
    assert_eq!(
        prepare(access),
        "endpoint olt: there is no key: environment variable ORDERCTL_NO_SUCH is not set"
    );
}

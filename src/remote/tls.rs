//! TLS, with the certificate authorities that the system trusts, or those that the user names.

use std::io;
use std::sync::Arc;

use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::wire::Plain;

/// A connection to a host over another one.
pub(super) fn over(plain: Plain, host: &str) -> io::Result<StreamOwned<ClientConnection, Plain>> {
    let mut roots = RootCertStore::empty();
    // Those of SSL_CERT_FILE and SSL_CERT_DIR, or else those of the system.
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(io::Error::other(format!(
            "no certificate authority is trusted here{why}; install ca-certificates, or set \
             SSL_CERT_FILE to a file with certificates"
        )));
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = host.to_owned().try_into().map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, plain))
}

/// What an error says about TLS, for people. Nothing, if it is about something else.
pub(super) fn trouble(error: &io::Error) -> Option<String> {
    let why = match error.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(why) => why,
        rustls::Error::InvalidMessage(_) => {
            return Some("the server does not speak TLS; try http:// instead of https://".into());
        }
        error => return Some(format!("TLS fails: {error}")),
    };
    let text = match why {
        // The latter, if another authority with this name is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "is not signed by an authority that is trusted here; set SSL_CERT_FILE to a file with \
             the authority's certificate"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired; renew it, or set the clock of this machine"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; is the clock of this machine right?"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is not for the host in the address; use the name (subjectAltName) that it is for"
        }
        // The type of this error is not public.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "is an authority's own; have the authority sign another one for the server"
        }
        _ => return Some(format!("the server's certificate is not accepted: {why}")),
    };
    Some(format!("the server's certificate {text}"))
}

//! The way to a server: how connections are made, and used again.

use super::address::{Address, Tls};
use super::place::{Place, Tried};
use super::watch::Watch;
use super::words;
use crate::error::{Error, Result};
use crate::interrupt;
use postgres::config::SslMode;
use postgres::{CancelToken, Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a server is waited for that does not answer, in seconds.
const PATIENCE: u64 = 10;
/// So long a connection is used again that nobody uses: what lies between may forget it without a word, and that would
/// only show after minutes.
const FRESH: Duration = Duration::from_secs(30);

/// A connection, whoever uses it.
pub(super) struct Line {
    pub(super) client: Client,
    /// Ends a statement where a signal asks to stop.
    pub(super) watch: Watch,
    /// Whether something of the one who used it may reach the next one: a statement that the library has given a name, which
    /// a pooler's other connection does not know, or the end of a statement that was asked for.
    pub(super) is_spent: bool,
}

/// A connection that nobody uses, and since when.
struct Left(Instant, Line);

impl Line {
    fn connect(address: &Address) -> Tried<Self> {
        let client = connect(address)?;
        let watch = Watch::start(end_statement(client.cancel_token(), address));
        Ok(Self { client, watch, is_spent: false })
    }

    /// Begins a transaction, in which only what the user has set holds: what another client of a pooler has left on the
    /// connection is none of the user's.
    fn begin(&mut self, place: &Place) -> Result<(), postgres::Error> {
        let settings = place.address.options.sql();
        self.client
            .batch_execute(&format!("BEGIN; RESET ALL; {settings}SET LOCAL lock_timeout = {}", place.patience_millis()))
    }

    /// A transaction on the connection that the last one left who looked into the database, or on a new one.
    pub(super) fn begun(place: &Place) -> Tried<Self> {
        let left = place.idle.take().and_then(|left| left.downcast::<Left>().ok());
        // The server may have ended it meanwhile.
        if let Some(Left(_, mut line)) = left.map(|left| *left).filter(|Left(since, _)| since.elapsed() < FRESH)
            && line.begin(place).is_ok()
        {
            return Ok(line);
        }
        let mut line = Self::connect(&place.address)?;
        line.begin(place)?;
        Ok(line)
    }

    /// Leaves it to the next one of the place, with nothing of its transaction.
    pub(super) fn leave(mut self, place: &Place) {
        let may_be_used = !self.is_spent && !self.client.is_closed() && interrupt::asked().is_none();
        if may_be_used && self.client.batch_execute("ROLLBACK").is_ok() {
            place.idle.put(Box::new(Left(Instant::now(), self)));
        }
    }
}

/// Asks the server to end the statement of a connection. Where that does not reach it, the statement comes to its own end.
fn end_statement(token: CancelToken, address: &Address) -> impl Fn() + Send + 'static {
    let address = address.clone();
    move || {
        _ = match address.tls {
            Tls::Never => token.cancel_query(NoTls).ok(),
            Tls::Fitting | Tls::Offered | Tls::Always => {
                tls(&address).ok().and_then(|tls| token.cancel_query(tls).ok())
            }
        };
    }
}

/// Runs a statement on a connection of its own, which no signal ends.
pub(super) fn plainly(address: &Address, sql: &str) -> Tried<()> {
    Ok(connect(address)?.batch_execute(sql)?)
}

fn connect(address: &Address) -> Tried<Client> {
    let mut config = Config::new();
    config.user(&address.user).dbname(&address.database).application_name("treelift");
    config.connect_timeout(Duration::from_secs(address.patience.unwrap_or(PATIENCE).max(1)));
    for (host, port) in address.hosts.iter().zip(&address.ports) {
        config.host(host).port(*port);
    }
    if let Some(password) = &address.password {
        config.password(password.expose_secret());
    }
    config.notice_callback(|_| {}); // may hold values
    if let Some(options) = &address.options.others {
        config.options(options);
    }
    match address.tls {
        Tls::Never => Ok(config.ssl_mode(SslMode::Disable).connect(NoTls)?),
        Tls::Fitting => match config.ssl_mode(SslMode::Prefer).connect(tls(address)?) {
            Err(error) if words::has_no_fitting_certificate(&error) => {
                Ok(config.ssl_mode(SslMode::Disable).connect(NoTls)?)
            }
            connected => Ok(connected?),
        },
        Tls::Offered => Ok(config.ssl_mode(SslMode::Prefer).connect(tls(address)?)?),
        Tls::Always => Ok(config.ssl_mode(SslMode::Require).connect(tls(address)?)?),
    }
}

/// TLS that checks the certificate and the name of the host.
fn tls(address: &Address) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    match &address.roots {
        Some(path) => {
            let wrong = || {
                Error::environment("no certificate can be read of `sslrootcert`")
                    .at(path)
                    .hint("name a file of certificates in PEM form")
            };
            for one in CertificateDer::pem_file_iter(path).map_err(|_| wrong())? {
                roots.add(one.map_err(|_| wrong())?).map_err(|_| wrong())?;
            }
            if roots.is_empty() {
                return Err(wrong());
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::bug("the versions of TLS are not known"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

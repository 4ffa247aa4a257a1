//! A way to the server that is cut at a moment of the conversation ("Frontend/Backend Protocol", 54): what a test of a
//! broken connection needs, without a promise about time.

use crate::house::server::{Server, apart};
use postgres::config::Host;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// What is done at a message of the client.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    /// It goes on.
    Not,
    /// The connection ends before the server gets it.
    Before,
    /// The connection ends once the server has answered; the client does not hear it.
    After,
}

/// Decides at each message of the client: its type and content.
type Watcher = Arc<dyn Fn(u8, &[u8]) -> Cut + Send + Sync>;

pub(crate) struct Proxy {
    port: u16,
    is_closed: Arc<AtomicBool>,
}

impl Proxy {
    /// Listens until the test ends.
    pub(crate) fn start(server: &Server, watcher: impl Fn(u8, &[u8]) -> Cut + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (watcher, is_closed): (Watcher, _) = (Arc::new(watcher), Arc::new(AtomicBool::new(false)));
        let (to, closed) = (Address::of(&server.url), Arc::clone(&is_closed));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Closed at once, as by a server that is not there.
                if let Some(server) = to.connect().filter(|_| !closed.load(Ordering::SeqCst)) {
                    let watcher = Arc::clone(&watcher);
                    thread::spawn(move || _ = relay(client, server, &watcher));
                }
            }
        });
        Self { port, is_closed }
    }

    /// The URL of the server's database on this way.
    pub(crate) fn url(&self, server: &Server) -> String {
        let (plain, own) = apart(&server.url);
        let config: postgres::Config = plain.parse().unwrap();
        let (user, database) = (config.get_user().unwrap(), config.get_dbname().unwrap());
        let own = own.map_or_else(String::new, |own| format!("&ledger_schema={own}"));
        format!("postgresql://{user}@127.0.0.1:{}/{database}?sslmode=disable{own}", self.port)
    }

    /// From here on nobody gets through.
    pub(crate) fn close(&self) -> impl Fn() + Send + Sync + 'static {
        let closed = Arc::clone(&self.is_closed);
        move || closed.store(true, Ordering::SeqCst)
    }
}

/// Where the server itself listens.
enum Address {
    Socket(PathBuf),
    Port(String, u16),
}

impl Address {
    fn of(url: &str) -> Self {
        let config: postgres::Config = apart(url).0.parse().unwrap();
        let port = config.get_ports().first().copied().unwrap_or(5432);
        match config.get_hosts().first().unwrap() {
            Host::Unix(folder) => Self::Socket(folder.join(format!(".s.PGSQL.{port}"))),
            Host::Tcp(name) => Self::Port(name.clone(), port),
        }
    }

    fn connect(&self) -> Option<Stream> {
        match self {
            Self::Socket(path) => UnixStream::connect(path).ok().map(Stream::Unix),
            Self::Port(name, port) => TcpStream::connect((name.as_str(), *port)).ok().map(Stream::Tcp),
        }
    }
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn again(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    fn end(&self) {
        _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(bytes),
            Self::Tcp(stream) => stream.read(bytes),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }
}

/// Carries what the client says, message by message, and what the server answers.
fn relay(mut client: TcpStream, mut server: Stream, watcher: &Watcher) -> io::Result<()> {
    client.set_nodelay(true)?;
    let is_mute = Arc::new(AtomicBool::new(false));
    let (mute, mut answers, mut to_client) = (Arc::clone(&is_mute), server.again()?, client.try_clone()?);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if mute.load(Ordering::SeqCst) || to_client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        answers.end();
        _ = to_client.shutdown(Shutdown::Both);
    });
    // The first message has no type.
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    server.write_all(&length)?;
    server.write_all(&rest(&mut client, length)?)?;
    loop {
        let mut kind = [0; 1];
        if client.read_exact(&mut kind).is_err() {
            server.end();
            return Ok(());
        }
        client.read_exact(&mut length)?;
        let content = rest(&mut client, length)?;
        match watcher(kind[0], &content) {
            Cut::Not => {}
            Cut::Before => {
                server.end();
                return client.shutdown(Shutdown::Both);
            }
            Cut::After => is_mute.store(true, Ordering::SeqCst),
        }
        server.write_all(&kind)?;
        server.write_all(&length)?;
        server.write_all(&content)?;
    }
}

fn rest(client: &mut TcpStream, length: [u8; 4]) -> io::Result<Vec<u8>> {
    let mut content = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut content)?;
    Ok(content)
}

/// Whether a message of the client is the commit.
pub(crate) fn is_commit(kind: u8, content: &[u8]) -> bool {
    kind == b'Q' && content == b"COMMIT\0"
}

/// Whether it carries rows.
pub(crate) fn is_rows(kind: u8) -> bool {
    kind == b'd'
}

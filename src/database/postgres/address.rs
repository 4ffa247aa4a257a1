//! What a URL of PostgreSQL names, read as libpq reads it ("Connection Strings", PostgreSQL 18, 32.1): the URL first,
//! then the environment, then the password file. The client's own parser knows neither `sslmode=verify-full` nor the
//! drivers that SQLAlchemy names.

use super::options::{self, Options};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::suggest;
use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;
use std::net::IpAddr;

/// The forms there are, for hints.
const FORM: &str =
    "write `postgresql://USER@HOST:PORT/DATABASE`; the password comes from PGPASSWORD or the password file";

/// Where a server listens, and as whom to connect to which database.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// The URL without its password.
    pub(super) shown: String,
    /// Names, addresses, or the directories of sockets.
    pub(super) hosts: Vec<String>,
    /// One for each host.
    pub(super) ports: Vec<u16>,
    pub(super) user: String,
    pub(super) password: Option<SecretString>,
    pub(super) database: String,
    pub(super) tls: Tls,
    /// A file of certificates that are trusted, where not the system's are.
    pub(super) roots: Option<String>,
    /// How long to wait for a connection, in seconds.
    pub(super) patience: Option<u64>,
    pub(super) options: Options,
    /// The schema of treelift's own tables, where that is not the application's.
    pub(super) ledger_schema: Option<String>,
}

/// How a connection is protected (`sslmode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// `disable`, and every socket.
    Never,
    /// Where the server offers it and its certificate fits: nothing is said, and the server is this machine, on which
    /// nobody reads along. What Debian installs has a certificate for another name.
    Fitting,
    /// `allow` and `prefer`: where the server offers it.
    Offered,
    /// `require`, `verify-ca` and `verify-full`: always, and the certificate and the name of the host are checked.
    Always,
}

/// What the environment says: variables, and the text of a file.
pub(super) struct Surroundings<'s> {
    pub(super) variable: &'s dyn Fn(&str) -> Option<String>,
    pub(super) user: &'s dyn Fn() -> Option<String>,
    /// The password file, if it is there and its owner's alone.
    pub(super) passwords: &'s dyn Fn(&str) -> Result<Option<SecretString>>,
}

const DEFAULT_PORT: u16 = 5432;
/// Where Debian's servers have their sockets.
const SOCKETS: &str = "/var/run/postgresql";

/// The parameters of a URL, in order.
#[derive(Default)]
struct Given {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<SecretString>,
    database: Option<String>,
    sslmode: Option<String>,
    sslrootcert: Option<String>,
    connect_timeout: Option<String>,
    options: Option<String>,
    ledger_schema: Option<String>,
}

impl Address {
    /// Reads a URL.
    pub(super) fn of(url: &str, around: &Surroundings<'_>) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(Error::request("this is not a PostgreSQL URL").hint(FORM));
        };
        let (mut given, shown) = given(scheme, rest)?;
        let variable = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
        let user = given.user.take().or_else(|| variable("PGUSER")).or_else(|| (around.user)());
        let user = user.ok_or_else(|| Error::request("the URL names no user").hint(FORM))?;
        let database = given.database.take().or_else(|| variable("PGDATABASE")).unwrap_or_else(|| user.clone());
        let hosts = given.host.take().or_else(|| variable("PGHOST")).unwrap_or_else(|| SOCKETS.to_owned());
        let hosts: Vec<String> = hosts.split(',').map(str::to_owned).collect();
        let ports = ports(&given.port.take().or_else(|| variable("PGPORT")).unwrap_or_default(), hosts.len())?;
        let password = match given.password.take().or_else(|| variable("PGPASSWORD").map(SecretString::from)) {
            Some(password) => Some(password),
            None => password_of(around, &variable, (&hosts, &ports), &database, &user)?,
        };
        let sslmode = given.sslmode.take().or_else(|| variable("PGSSLMODE"));
        let sslrootcert = given.sslrootcert.take().or_else(|| variable("PGSSLROOTCERT"));
        let tls = match sslmode.as_deref() {
            _ if hosts.iter().all(|host| host.starts_with('/')) => Tls::Never,
            Some("disable") => Tls::Never,
            None if sslrootcert.is_none() && hosts.iter().all(|host| is_this_machine(host)) => Tls::Fitting,
            None | Some("allow" | "prefer") => Tls::Offered,
            Some("require" | "verify-ca" | "verify-full") => Tls::Always,
            Some(other) => {
                let known = ["disable", "prefer", "require", "verify-ca", "verify-full"];
                let error = Error::request(format!("`sslmode` has no `{}`", printable(other)));
                return Err(error.hint(suggest::hint(other, known)));
            }
        };
        let patience = given.connect_timeout.take().or_else(|| variable("PGCONNECT_TIMEOUT"));
        let patience = patience.map(|text| {
            text.parse().map_err(|_| Error::request("`connect_timeout` is a number of seconds").hint(FORM))
        });
        let options = given.options.take().or_else(|| variable("PGOPTIONS"));
        Ok(Self {
            shown,
            hosts,
            ports,
            user,
            password,
            database,
            tls,
            roots: sslrootcert.filter(|roots| roots != "system"),
            patience: patience.transpose()?,
            options: Options::of(&options.unwrap_or_default())?,
            ledger_schema: given.ledger_schema.take().map(options::own_schema).transpose()?,
        })
    }
}

/// What a URL says, and the URL without its password.
fn given(scheme: &str, rest: &str) -> Result<(Given, String)> {
    let (before, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    let (authority, database) = before.split_once('/').map_or((before, ""), |(authority, path)| (authority, path));
    // A password may hold an `@` that is not encoded; a host never does.
    let (who, place) = authority.rsplit_once('@').map_or(("", authority), |(who, place)| (who, place));
    let (user, password) = who.split_once(':').map_or((who, None), |(user, password)| (user, Some(password)));
    if database.contains('@') {
        // A `/` in a password that is not encoded: what stands behind it is a part of that.
        return Err(Error::request("the PostgreSQL URL has an `@` behind its first `/`")
            .hint("in a password `/` is written `%2F` and `@` is written `%40`"));
    }
    let some = |text: &str, what| -> Result<Option<String>> {
        if text.is_empty() { Ok(None) } else { decoded(text, what).map(Some) }
    };
    let mut given = Given { user: some(user, "user")?, database: some(database, "database")?, ..Given::default() };
    given.password = password.map(|text| decoded(text, "password").map(SecretString::from)).transpose()?;
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for one in place.split(',').filter(|_| !place.is_empty()) {
        let (host, port) = host_and_port(one)?;
        hosts.push(decoded(host, "host")?);
        ports.push(port.to_owned());
    }
    if !hosts.is_empty() && hosts.iter().any(|host| !host.is_empty()) {
        given.host = Some(hosts.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        given.port = Some(ports.join(","));
    }
    let mut shown = format!("{scheme}://");
    if !user.is_empty() {
        _ = write!(shown, "{user}@");
    }
    shown.push_str(place);
    if before.contains('/') {
        _ = write!(shown, "/{database}");
    }
    let mut options = Vec::new();
    for option in query.unwrap_or_default().split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = decoded(value, "option")?;
        let place = match name {
            "host" => &mut given.host,
            "port" => &mut given.port,
            "user" => &mut given.user,
            "dbname" => &mut given.database,
            "sslmode" => &mut given.sslmode,
            "sslrootcert" => &mut given.sslrootcert,
            "connect_timeout" => &mut given.connect_timeout,
            "options" => &mut given.options,
            "ledger_schema" => &mut given.ledger_schema,
            "password" => {
                given.password = Some(SecretString::from(value));
                continue; // and it is not shown
            }
            "application_name" | "client_encoding" => continue, // treelift has its own
            _ => {
                // What stands here may be a mistyped password.
                let known =
                    "host, port, user, password, dbname, sslmode, sslrootcert, connect_timeout, options, ledger_schema";
                return Err(Error::request("an option of the PostgreSQL URL is not known")
                    .hint(format!("behind `?` may stand: {known}")));
            }
        };
        *place = Some(value);
        options.push(option);
    }
    if !options.is_empty() {
        _ = write!(shown, "?{}", options.join("&"));
    }
    Ok((given, printable(&shown)))
}

/// `host:port`, where the host may be an IPv6 address in brackets.
fn host_and_port(text: &str) -> Result<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| Error::request("a bracket of the URL's host is not closed").hint(FORM))?;
        return Ok((host, rest.strip_prefix(':').unwrap_or_default()));
    }
    Ok(text.rsplit_once(':').unwrap_or((text, "")))
}

/// A port for each host: one for all, or as many.
/// Whether a host is the machine that treelift runs on.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.starts_with('/') || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn ports(text: &str, hosts: usize) -> Result<Vec<u16>> {
    let wrong = || Error::request("the port of the PostgreSQL URL is no number from 1 to 65535").hint(FORM);
    let port = |text: &str| match text {
        "" => Ok(DEFAULT_PORT),
        text => text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong),
    };
    let all = text.split(',').map(port).collect::<Result<Vec<u16>>>()?;
    match all.as_slice() {
        [one] => Ok(vec![*one; hosts]),
        several if several.len() == hosts => Ok(all),
        _ => Err(Error::request("the PostgreSQL URL has not as many ports as hosts").hint(FORM)),
    }
}

/// A part of a URL with its percent signs resolved (RFC 3986, 2.1).
fn decoded(text: &str, what: &str) -> Result<String> {
    let wrong = || {
        Error::request(format!("the {what} of the PostgreSQL URL is not encoded right")).hint("a `%` is written `%25`")
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = more;
            continue;
        }
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &more[2..];
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(wrong)
}

/// The password that the password file has ("The Password File", 32.16): the first line that fits.
fn password_of(
    around: &Surroundings<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    (hosts, ports): (&[String], &[u16]),
    database: &str,
    user: &str,
) -> Result<Option<SecretString>> {
    let home = || variable("HOME").map(|home| format!("{home}/.pgpass"));
    let Some(path) = variable("PGPASSFILE").or_else(home) else { return Ok(None) };
    let Some(text) = (around.passwords)(&path)? else { return Ok(None) };
    let lines: Vec<&str> =
        text.expose_secret().lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let of = |host: &str, port: u16| {
        let host = if host == SOCKETS { "localhost" } else { host };
        lines.iter().find_map(|line| {
            let mut fields = fields(line).into_iter();
            let [of_host, of_port, of_database, of_user, password] =
                std::array::from_fn(|_| fields.next().unwrap_or_default());
            let is = |field: &str, value: &str| field == "*" || field == value;
            let fits = is(&of_host, host) && is(&of_port, &port.to_string()) && is(&of_database, database);
            (fits && is(&of_user, user)).then_some(password)
        })
    };
    let mut passwords: Vec<Option<String>> = hosts.iter().zip(ports).map(|(host, port)| of(host, *port)).collect();
    passwords.dedup();
    match passwords.len() {
        0 | 1 => Ok(passwords.pop().flatten().map(SecretString::from)),
        _ => Err(Error::request("the password file has not the same password for all hosts of the URL")
            .hint("name one host, or give the password in PGPASSWORD")),
    }
}

/// The parts between colons; `\` keeps a colon or itself.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.iter_mut().last().into_iter().for_each(|field| field.extend(letters.next())),
            letter => fields.iter_mut().last().into_iter().for_each(|field| field.push(letter)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\nother:*:*:*:no\n*:5433:db:ann:c\\:anary\nlocalhost:*:*:*:socket";

    fn read(url: &str, variables: &[(&str, &str)]) -> Result<Address> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let passwords = |path: &str| Ok((path == "/home/.pgpass").then(|| SecretString::from(FILE)));
        Address::of(url, &Surroundings { variable: &variable, user: &|| Some("me".to_owned()), passwords: &passwords })
    }

    fn told(address: &Address) -> String {
        let Address { hosts, ports, user, password, database, tls, .. } = address;
        let password = password.as_ref().map_or("-", |password| password.expose_secret());
        format!("{user} {password} {} {ports:?} {database} {tls:?}", hosts.join(","))
    }

    #[test]
    fn a_certificate_need_not_fit_on_this_machine_where_nothing_is_said() {
        let tls = |url: &str| read(url, &[]).unwrap().tls;
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(tls(&format!("postgresql://{host}/db")), Tls::Fitting, "{host}");
        }
        for url in
            ["localhost/db?sslmode=prefer", "localhost/db?sslrootcert=ca.pem", "h/db", "localhost,h/db", "10.0.0.1/db"]
        {
            assert_eq!(tls(&format!("postgresql://{url}")), Tls::Offered, "{url}");
        }
    }

    #[test]
    fn a_url_names_host_user_and_database() {
        let of = |url: &str| told(&read(url, &[]).unwrap());
        for scheme in ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg"] {
            let url = format!("{scheme}://ann:s%40crt@h.example:5433/db");
            assert_eq!(of(&url), "ann s@crt h.example [5433] db Offered");
        }
        assert_eq!(of("postgresql://"), "me - /var/run/postgresql [5432] me Never");
        assert_eq!(of("postgresql:///notes"), "me - /var/run/postgresql [5432] notes Never");
        assert_eq!(of("postgresql://ann@%2Ftmp%2Fs:5433/db?sslmode=require"), "ann - /tmp/s [5433] db Never");
        assert_eq!(of("postgresql://ann@/db?host=/tmp/s&port=5433"), "ann - /tmp/s [5433] db Never");
        assert_eq!(of("postgresql://[::1]:5433/db?user=eve"), "eve - ::1 [5433] db Fitting");
        assert_eq!(of("postgresql://a:5433,b/db"), "me - a,b [5433, 5432] db Offered");
        assert_eq!(of("postgresql://ann:p@ss@h/db"), "ann p@ss h [5432] db Offered");
        for mode in ["require", "verify-ca", "verify-full"] {
            assert_eq!(read(&format!("postgresql://h/db?sslmode={mode}"), &[]).unwrap().tls, Tls::Always);
        }
    }

    #[test]
    fn what_the_url_leaves_out_the_environment_says_and_then_the_password_file() {
        let all =
            [("PGHOST", "h"), ("PGPORT", "5433"), ("PGUSER", "ann"), ("PGDATABASE", "db"), ("PGSSLMODE", "disable")];
        assert_eq!(told(&read("postgresql://", &all).unwrap()), "ann - h [5433] db Never");
        let with_file = [&all[..], &[("HOME", "/home")]].concat();
        assert_eq!(told(&read("postgresql://", &with_file).unwrap()), "ann c:anary h [5433] db Never");
        assert_eq!(
            told(&read("postgresql://eve@/x?host=/var/run/postgresql", &[("HOME", "/home")]).unwrap()),
            "eve socket /var/run/postgresql [5432] x Never"
        );
        let with_password = [&with_file[..], &[("PGPASSWORD", "pw")]].concat();
        assert_eq!(told(&read("postgresql://", &with_password).unwrap()), "ann pw h [5433] db Never");
        assert_eq!(told(&read("postgresql://:given@k/", &with_password).unwrap()), "ann given k [5433] db Never");
    }

    #[test]
    fn options_are_those_of_the_url_or_of_the_environment() {
        let of = |url: &str| read(url, &[("PGOPTIONS", "-c lock_timeout=1h")]).unwrap().options;
        assert_eq!(of("postgresql://h/db").lock_timeout.map(|time| time.as_secs()), Some(3_600));
        let given = of("postgresql://h/db?options=-c%20search_path%3Dapp");
        assert_eq!((given.lock_timeout, given.for_programs().as_deref()), (None, Some("-c search_path=app")));
    }

    #[test]
    fn several_hosts_of_one_url_have_one_password_in_the_password_file() {
        let home = [("HOME", "/home")];
        let same = read("postgresql://ann@localhost:5433,k:5433/db", &home).unwrap();
        assert_eq!(told(&same), "ann c:anary localhost,k [5433, 5433] db Offered");
        // Another one, or none, for one of them.
        for url in ["postgresql://ann@localhost:1,k:5433/db", "postgresql://ann@k:1,k:5433/db"] {
            let error = read(url, &home).unwrap_err();
            assert_eq!((error.status(), error.to_string().contains("anary")), (2, false), "{error}");
        }
        assert_eq!(
            told(&read("postgresql://ann:pw@localhost:1,k:5433/db", &home).unwrap()),
            "ann pw localhost,k [1, 5433] db Offered"
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgresql://ann:canary@h:5433/db?sslmode=require",
            "postgresql://ann@h:5433/db?password=canary&sslmode=require",
            "postgresql://ann:can@canary@h:5433/db?sslmode=require",
        ] {
            let address = read(url, &[]).unwrap();
            assert_eq!(address.shown, "postgresql://ann@h:5433/db?sslmode=require");
            assert!(!format!("{address:?}").contains("canary"));
        }
        for url in [
            "postgresql://ann:canary%zz@h",
            "postgresql://h/db?canary",
            "postgresql://ann:x@h:canary/",
            "postgresql:canary",
        ] {
            let error = read(url, &[]).unwrap_err();
            assert_eq!((error.status(), error.to_string().contains("canary")), (2, false), "{error}");
        }
    }
}

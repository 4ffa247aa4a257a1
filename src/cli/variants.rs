//! The migrations of a set that are for servers, compared by `check` where one can be asked.

use super::args::CheckArgs;
use super::database_url::{DatabaseUrl, VARIABLE};
use super::output::Output;
use crate::against;
use crate::database::{self, Database, Dialect};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::load::SetSource;
use crate::mapping::model::Set;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The server that is asked, and what could not be.
pub(super) struct Variants {
    server: Option<Server>,
    /// What has migrations for an engine that nobody could be asked about.
    open: Vec<String>,
    /// Those engines.
    engines: BTreeSet<String>,
    /// Why the variable is of no use.
    why: Option<String>,
}

struct Server {
    database: Box<dyn Database>,
    /// Whether it was named for this command.
    is_named: bool,
    /// The sets that were compared there.
    compared: Vec<String>,
}

impl Variants {
    /// Finds the server. A variable that names none was set for another program: that is said, and no error.
    pub(super) fn of(args: &CheckArgs) -> Result<Self> {
        let given = DatabaseUrl::given(args.database.as_ref())?;
        let is_named = matches!(given, Some(DatabaseUrl::Flag(_)));
        let opened = given.map(|given| database::open(given.url()));
        let is_server = |database: &dyn Database| database.engine() != Dialect::default().engine();
        let mut why = None;
        let database = match opened {
            Some(Ok(database)) if is_server(&*database) => Some(database),
            Some(Ok(database)) if is_named => {
                let message = "`check --database` names a server, on which migrations for it are tried";
                return Err(Error::request(message)
                    .at(database.url())
                    .hint("leave it out: what SQLite makes of them is checked without a database"));
            }
            Some(Err(error)) if is_named => return Err(error),
            Some(Ok(_)) => {
                why = Some("it names no server".to_owned());
                None
            }
            Some(Err(error)) => {
                why = Some(error.message);
                None
            }
            None => None,
        };
        let server = database.map(|database| Server { database, is_named, compared: Vec::new() });
        Ok(Self { server, open: Vec::new(), engines: BTreeSet::new(), why })
    }

    /// Compares a set: what is to be said of it in a document, and what is wrong. A set for one engine alone is compared
    /// where the server was named for it.
    pub(super) fn compare(&mut self, source: &SetSource, set: &Set) -> Result<(Option<Value>, Vec<Error>)> {
        let engines: Vec<&String> = set.variants.keys().collect();
        match &mut self.server {
            Some(server) if server.is_named || engines.iter().any(|engine| *engine == server.database.engine()) => {
                let errors = match against::varies(source, &mut *server.database) {
                    // The variable was set for something else, and this command needs no server.
                    Err(error) if !server.is_named && error.kind == ErrorKind::Environment => {
                        self.why = Some(error.message);
                        self.server = None;
                        return Ok((self.left_open(set), Vec::new()));
                    }
                    tried => tried?,
                };
                server.compared.push(format!("`{}`", set.name));
                Ok((Some(json!({ "engine": server.database.engine(), "at": server.database.url() })), errors))
            }
            _ if engines.is_empty() => Ok((None, Vec::new())),
            _ => Ok((self.left_open(set), Vec::new())),
        }
    }

    fn left_open(&mut self, set: &Set) -> Option<Value> {
        if !set.variants.is_empty() {
            self.open.push(format!("`{}`", set.name));
            self.engines.extend(set.variants.keys().cloned());
        }
        (!set.variants.is_empty()).then_some(Value::Null)
    }

    /// Says once what was compared, and what was not.
    pub(super) fn tell(&self, output: &Output) {
        if let Some(server) = &self.server
            && !server.compared.is_empty()
        {
            let (sets, url) = (server.compared.join(", "), server.database.url());
            output.note(&format!("note: the migrations of {sets} make the same tables there: {url}"));
        }
        if !self.open.is_empty() {
            let sets = self.open.join(", ");
            let engines: Vec<String> = self.engines.iter().map(|engine| format!("`{engine}`")).collect();
            let what = format!("note: the migrations of {sets} for {} were not compared", engines.join(", "));
            output.note(&match &self.why {
                _ if !self.engines.iter().any(|engine| Dialect::is_built(engine)) => {
                    format!("{what}: this treelift was built without that engine")
                }
                Some(why) => format!("{what}; {VARIABLE} is of no use for it: {why}; name a server with `--database`"),
                None => format!("{what}; name a server with `--database` or {VARIABLE}"),
            });
        }
    }
}

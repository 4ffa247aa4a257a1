//! Connections: where they lead, and how statements are sent.

use super::address::{Address, Surroundings};
use super::line::Line;
use super::place::{Outside, Place, Tried};
use super::{engine, own_schema, sql};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::platform;
use postgres::Row;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{ToSql, Type};
use secrecy::SecretString;
use std::cell::{RefCell, RefMut};
use std::io::Write;
use std::{env, fs};

/// So many bytes of a COPY are sent at once.
const MESSAGE: usize = 1 << 16;

/// An open connection. One thread uses it at a time.
///
/// Nothing of it outlives a transaction, since a pooler between may give the next one to another connection of the server,
/// and this one to another client: statements have no name, settings and locks end with the transaction.
pub(super) struct Session {
    /// None once it has ended.
    line: RefCell<Option<Line>>,
    pub(super) place: Place,
    /// The schema in which tables are made and found.
    pub(super) schema: String,
    /// The schema of treelift's own tables.
    pub(super) own: String,
    /// What was outside of it before, where nothing that is done may reach that.
    pub(super) outside: Option<Outside>,
    /// Whether a backup was made in its transaction, which goes on.
    pub(super) is_backed_up: bool,
    /// Whether it only looks, so that the next one of the place goes on with its connection.
    pub(super) only_looks: bool,
    /// The server's version, such as 150018.
    version: i32,
    /// Where names are looked for.
    search_path: RefCell<String>,
}

/// A value that is bound as text; SQL casts it.
pub(super) type Text<'t> = Option<&'t str>;

impl Session {
    /// Connects, or goes on with the connection of the one who looked last.
    pub(super) fn open(place: &Place) -> Tried<Self> {
        interrupt::check()?;
        let mut line = Line::begun(place)?;
        let client = &mut line.client;
        let row = client.query_typed_one(
            "SELECT current_schema()::text, current_setting('server_version_num')::int4, current_setting('search_path'),
                    version()",
            &[],
        )?;
        let (schema, version, search_path): (Option<String>, i32, String) = (row.get(0), row.get(1), row.get(2));
        if let Some(error) = engine::refusal(row.get(3), version, place.shown()) {
            return Err(error.into());
        }
        let (schema, search_path) = match &place.bench {
            Some(bench) => (Some(bench.schema().to_owned()), bench.search_path().to_owned()),
            None => (schema, search_path),
        };
        let Some(schema) = schema else {
            return Err(Error::environment(
                "the user has no schema to make tables in: no part of `search_path` is there",
            )
            .at(place.shown())
            .hint("create the schema, or set `search_path` of the user")
            .into());
        };
        let own = own_schema::of(client, place, &schema)?;
        // What is looked into last hides nothing.
        let search_path = if own == schema { search_path } else { format!("{search_path}, {}", sql::name(&own)) };
        client.batch_execute("ROLLBACK")?;
        let (line, search_path) = (RefCell::new(Some(line)), RefCell::new(search_path));
        let (place, outside, is_backed_up, only_looks) = (place.clone(), None, false, false);
        Ok(Self { line, place, schema, own, outside, is_backed_up, only_looks, version, search_path })
    }

    fn line(&self) -> RefMut<'_, Line> {
        RefMut::map(self.line.borrow_mut(), |line| line.as_mut().expect("it is only taken where the session ends"))
    }

    /// Says for the open transaction what holds, whatever user, database and migrations have set: times in UTC and in one
    /// form, numbers in full, no limit on the time that it takes, and an error where a policy would hide rows. What
    /// migrations and dumps have set for the session does not outlive it.
    pub(super) fn settle_in(&self) -> Result<(), postgres::Error> {
        let mut all = format!(
            "RESET ALL; {}SET LOCAL search_path = {}; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY';
             SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
             SET LOCAL standard_conforming_strings = on; SET LOCAL row_security = off;
             SET LOCAL synchronize_seqscans = off; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {};
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL client_min_messages = warning;
             SET LOCAL check_function_bodies = on; SET LOCAL client_encoding = 'UTF8'",
            self.place.address.options.sql(),
            self.search_path.borrow(),
            self.place.patience_millis()
        );
        if self.version >= 170_000 {
            all.push_str("; SET LOCAL transaction_timeout = 0");
        }
        self.try_run(&all)
    }

    /// Looks for names in these schemas from now on.
    pub(super) fn search_in(&self, schemas: String) -> Tried<()> {
        self.search_path.replace(schemas);
        Ok(self.settle_in()?)
    }

    /// Runs statements that bind nothing and give nothing.
    pub(super) fn run(&self, sql: &str) -> Tried<()> {
        interrupt::check()?;
        Ok(self.line().client.batch_execute(sql)?)
    }

    /// The same, with the server's own fault.
    pub(super) fn try_run(&self, sql: &str) -> Result<(), postgres::Error> {
        self.line().client.batch_execute(sql)
    }

    /// The rows of a query. Every value is bound as text.
    pub(super) fn query(&self, sql: &str, values: &[Text<'_>]) -> Tried<Vec<Row>> {
        interrupt::check()?;
        Ok(self.try_query(sql, values)?)
    }

    /// The same, with the server's own fault.
    pub(super) fn try_query(&self, sql: &str, values: &[Text<'_>]) -> Result<Vec<Row>, postgres::Error> {
        self.line().client.query_typed(sql, &typed(values, &Type::TEXT))
    }

    /// The rows of a query that binds lists of texts.
    pub(super) fn query_lists(&self, sql: &str, lists: &[Vec<Option<String>>]) -> Tried<Vec<Row>> {
        interrupt::check()?;
        Ok(self.try_query_lists(sql, lists)?)
    }

    /// The same, with the server's own fault.
    pub(super) fn try_query_lists(
        &self,
        sql: &str,
        lists: &[Vec<Option<String>>],
    ) -> Result<Vec<Row>, postgres::Error> {
        self.line().client.query_typed(sql, &typed(lists, &Type::TEXT_ARRAY))
    }

    /// The first row of a query, if there is one.
    pub(super) fn first(&self, sql: &str, values: &[Text<'_>]) -> Tried<Option<Row>> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Whether a query gives a row.
    pub(super) fn has(&self, sql: &str, values: &[Text<'_>]) -> Tried<bool> {
        Ok(self.first(sql, values)?.is_some())
    }

    /// Runs a statement, and gives how many rows it changed. Every value is bound as text.
    pub(super) fn execute(&self, sql: &str, values: &[Text<'_>]) -> Tried<u64> {
        interrupt::check()?;
        Ok(self.try_execute(sql, values)?)
    }

    /// The same, with the server's own fault.
    pub(super) fn try_execute(&self, sql: &str, values: &[Text<'_>]) -> Result<u64, postgres::Error> {
        self.line().client.execute_typed(sql, &typed(values, &Type::TEXT))
    }

    /// Sends rows by COPY, all of which are ready: the server counts the time that it waits.
    pub(super) fn copy(&self, sql: &str, rows: &[&[u8]]) -> Result<u64, postgres::Error> {
        let mut line = self.line();
        let mut writer = line.client.copy_in(sql)?;
        for part in rows.iter().flat_map(|part| part.chunks(MESSAGE)) {
            // What goes wrong while it is sent, the end of it tells in the server's words.
            if writer.write_all(part).is_err() {
                break;
            }
        }
        writer.finish()
    }

    /// Sends rows in text form by COPY, as `write` has them: it says whether the server took all of them.
    pub(super) fn copy_from(&self, sql: &str, write: &mut dyn FnMut(&mut dyn Write) -> Result<bool>) -> Tried<()> {
        interrupt::check()?;
        let mut line = self.line();
        let mut writer = line.client.copy_in(sql)?;
        // Where it did not, the end tells why in the server's words.
        write(&mut writer)?;
        Ok(writer.finish().map(drop)?)
    }

    /// The first number of the server's version.
    pub(super) fn major(&self) -> u32 {
        self.version.unsigned_abs() / 10_000
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_over_tls(&self) -> Tried<bool> {
        let text = "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)";
        Ok(self.first(text, &[])?.is_some_and(|row| row.get(0)))
    }

    /// Runs one query that the extended protocol takes for one statement alone, with nothing bound.
    pub(super) fn ask(&self, sql: &str) -> Result<Vec<Row>, postgres::Error> {
        let mut line = self.line();
        line.is_spent = true; // the library asks for types that it does not know
        line.client.query_typed(sql, &[])
    }

    /// The columns of a query: their names, and the table and number of the column that each comes from.
    pub(super) fn describe(&self, sql: &str) -> Result<Vec<Described>, postgres::Error> {
        let mut line = self.line();
        line.is_spent = true;
        let statement = line.client.prepare(sql)?;
        let column = |column: &postgres::Column| (column.name().to_owned(), column.table_oid().zip(column.column_id()));
        Ok(statement.columns().iter().map(column).collect())
    }

    /// Shows every row of a query, one at a time.
    pub(super) fn each(&self, sql: &str, mut visit: impl FnMut(&Row)) -> Tried<()> {
        self.try_each(sql, |row| {
            visit(row);
            Ok(())
        })
    }

    /// The same, until an error of `visit` ends it.
    pub(super) fn try_each(&self, sql: &str, mut visit: impl FnMut(&Row) -> Result<()>) -> Tried<()> {
        interrupt::check()?;
        let Line { client, watch, is_spent } = &mut *self.line();
        let none: [(&(dyn ToSql + Sync), Type); 0] = [];
        let mut rows = client.query_typed_raw(sql, none)?;
        while let Some(row) = rows.next()? {
            if let Err(error) = visit(&row) {
                // A connection ends only once everything has come that was asked for.
                watch.end_statement(|| while let Ok(Some(_)) = rows.next() {});
                *is_spent = true;
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Ends the connection.
    pub(super) fn close(self) -> Tried<()> {
        let line = self.line.borrow_mut().take();
        Ok(line.map_or(Ok(()), |line| line.client.close())?)
    }
}

impl Drop for Session {
    /// One that only looked has left nothing on its connection, which serves the next one: to connect takes several
    /// round trips, and a process of the server.
    fn drop(&mut self) {
        let left = self.line.get_mut().take().filter(|_| self.only_looks);
        left.into_iter().for_each(|line| line.leave(&self.place));
    }
}

/// A column of a query by name, and where it comes from by numbers.
type Described = (String, Option<(u32, i16)>);

/// Values that are bound, with the type of all of them.
fn typed<'v, V: ToSql + Sync>(values: &'v [V], kind: &Type) -> Vec<(&'v (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), kind.clone())).collect()
}

/// Reads a URL, with what the environment says.
pub(super) fn address(url: &str) -> Result<Address> {
    let variable = |name: &str| env::var(name).ok();
    Address::of(url, &Surroundings { variable: &variable, user: &user, passwords: &passwords })
}

/// The name of the user that this process runs as.
fn user() -> Option<String> {
    platform::local_account().or_else(|| env::var("USER").ok())
}

/// The text of the password file; none where there is none.
fn passwords(path: &str) -> Result<Option<SecretString>> {
    let Ok(about) = fs::metadata(path) else { return Ok(None) };
    if !about.is_file() {
        return Ok(None);
    }
    if platform::mode_for_others(&about).is_some() {
        return Err(Error::environment("the password file can be read by others, so it is not used")
            .at(path)
            .hint(format!("`chmod 600 {path}`")));
    }
    let text = fs::read_to_string(path)
        .map_err(|error| Error::environment(format!("the password file cannot be read: {}", error.kind())).at(path))?;
    Ok(Some(SecretString::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        let path = path.to_str().unwrap();
        assert!(passwords(path).unwrap().is_none());
        fs::write(path, "*:*:*:*:canary").unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(passwords(path).unwrap().unwrap().expose_secret(), "*:*:*:*:canary");
        fs::set_permissions(path, Permissions::from_mode(0o640)).unwrap();
        let error = passwords(path).unwrap_err();
        assert_eq!((error.status(), error.to_string().contains("canary")), (3, false));
    }
}

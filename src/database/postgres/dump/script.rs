//! What `pg_restore` makes of a dump, sent over a connection of treelift.

use super::super::connect::Session;
use super::super::place::Tried;
use super::super::sql;
use super::child::Program;
use super::programs::{Programs, major_of};
use crate::database::dumps::Served;
use crate::database::traces;
use crate::error::{Error, Result};
use crate::platform;
use crate::secret::proof::LeakSearch;
use std::collections::BTreeSet;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

/// So much of a COPY is sent at once.
const MESSAGE: usize = 1 << 16;
/// A setting that servers before 17 do not know, and that newer programs set all the same.
const UNKNOWN: &str = "SET transaction_timeout = 0;\n";

/// The programs that read a dump.
pub(in crate::database::postgres) fn programs(served: &Served, least: u32) -> Result<Programs> {
    Programs::of(major_of(&served.program).unwrap_or_default().max(least))
}

/// Reads a dump from its beginning to its end. (Its list of contents stands at its beginning, and is whole in half a dump.)
pub(super) fn read_through(dump: &Path, served: &Served) -> Result<()> {
    let program = Program::new(&programs(served, 0)?.restore())?;
    program.args([format!("--file={}", platform::NOWHERE).as_ref(), dump.as_os_str()]).run()
}

/// Which secrets of a search are in what a dump unpacks to.
pub(super) fn search(dump: &Path, served: &Served, search: &LeakSearch) -> Result<BTreeSet<usize>> {
    let program = Program::new(&programs(served, 0)?.restore())?;
    let (running, output) = program.args(["--file=-".as_ref(), dump.as_os_str()]).read()?;
    let found = traces::search_in(output, search).map_err(|error| cannot_be_read(&error))?;
    running.end().map(|()| found)
}

/// Sends the parts of a dump, in their order.
pub(super) fn send(session: &Session, programs: &Programs, dump: &Path, served: &Served, more: &[&str]) -> Tried<()> {
    for section in ["pre-data", "data", "post-data"] {
        let program = Program::new(&programs.restore())?;
        // Of the schema what is in it: it is there, with its owner and its rights.
        let arguments = ["--file=-".to_owned(), format!("--section={section}"), "--exit-on-error".to_owned()];
        let schemas = served.schemas().map(|schema| format!("--schema={schema}"));
        let program = program.args(arguments).args(schemas).args(more).args([dump]);
        let (running, mut output) = program.read()?;
        if section == "data" {
            data(session, &mut output)?;
        } else {
            let mut text = String::new();
            output.read_to_string(&mut text).map_err(|error| cannot_be_read(&error))?;
            session.run(&plain(&text, session.major()))?;
        }
        running.end()?;
    }
    Ok(())
}

/// Makes one table of a dump, without what hangs on it, and sends its rows.
pub(in crate::database::postgres) fn send_table(
    session: &Session,
    programs: &Programs,
    dump: &Path,
    served: &Served,
    table: &str,
) -> Tried<()> {
    let part = |section: &str| {
        let program = Program::new(&programs.restore())?;
        let arguments = ["--file=-", "--no-owner", "--no-privileges", "--exit-on-error"].map(str::to_owned);
        let chosen =
            [format!("--section={section}"), format!("--schema={}", served.schema), format!("--table={table}")];
        program.args(arguments).args(chosen).args([dump]).read()
    };
    let (running, mut output) = part("pre-data")?;
    let mut text = String::new();
    output.read_to_string(&mut text).map_err(|error| cannot_be_read(&error))?;
    session.run(&plain(&text, session.major()))?;
    running.end()?;
    let (running, mut output) = part("data")?;
    data(session, &mut output)?;
    running.end().map_err(Into::into)
}

/// Whether a line is one of psql's own, which stand around the whole.
fn is_of_psql(line: &str) -> bool {
    line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ")
}

/// The statements of a part without rows, as a server of this version takes them.
fn plain(text: &str, server: u32) -> String {
    // What psql is told stands before the first statement and behind the last one, what is set before the first other one.
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_statement = |line: &&str| !line.trim().is_empty() && !line.starts_with("--") && !is_of_psql(line);
    let first = lines.iter().position(is_statement).unwrap_or(lines.len());
    let last = lines.iter().rposition(is_statement).unwrap_or_default();
    let is_set = |line: &str| {
        line.starts_with("SET ") || line.starts_with("SELECT pg_catalog.set_config(") || line.trim().is_empty()
    };
    let settings = lines.iter().skip(first).take_while(|line| is_set(line)).count();
    for (at, line) in lines.iter_mut().enumerate() {
        let is_around = at < first || at > last;
        let is_unknown = (first..first + settings).contains(&at) && *line == UNKNOWN && server < 17;
        if is_around && is_of_psql(line) || is_unknown {
            *line = "";
        }
    }
    lines.concat()
}

/// Sends rows, and where sequences stand.
fn data(session: &Session, output: &mut dyn BufRead) -> Tried<()> {
    let (mut statement, mut line) = (String::new(), Vec::new());
    while next(output, &mut line)? {
        let text = std::str::from_utf8(&line).map_err(|_| Error::environment("the dump is not in UTF-8"))?;
        let is_between = text.trim().is_empty()
            || text.starts_with("--")
            || is_of_psql(text)
            || (text == UNKNOWN && session.major() < 17);
        if statement.is_empty() && is_between {
            continue; // nothing is said there
        }
        statement.push_str(text);
        if !is_whole(&statement) {
            continue; // it goes on in the next line
        }
        if statement.starts_with("COPY ") && statement.trim_end().ends_with(" FROM stdin;") {
            let sql = statement.trim_end().trim_end_matches(';');
            session.copy_from(sql, &mut |rows| copy(output, rows))?;
        } else {
            session.run(&statement)?;
        }
        statement.clear();
    }
    if statement.is_empty() { Ok(()) } else { Err(ends_early().into()) }
}

/// Whether a statement ends here: a name in it may have a line break, and before that whatever it likes.
fn is_whole(statement: &str) -> bool {
    statement.trim_end().ends_with(';') && statement.matches('"').count().is_multiple_of(2)
}

/// Passes rows on up to the line that ends them. `false` where the server takes no more, and says why itself.
fn copy(output: &mut dyn BufRead, to: &mut dyn Write) -> Result<bool> {
    let (mut line, mut ready) = (Vec::new(), Vec::with_capacity(2 * MESSAGE));
    loop {
        if !next(output, &mut line)? {
            return Err(ends_early());
        }
        let is_end = line == b"\\.\n";
        if !is_end {
            ready.extend_from_slice(&line);
        }
        if ready.len() >= MESSAGE || is_end {
            crate::interrupt::check()?;
            if to.write_all(&ready).is_err() {
                return Ok(false);
            }
            ready.clear();
        }
        if is_end {
            return Ok(true);
        }
    }
}

fn next(output: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    output.read_until(b'\n', line).map(|read| read > 0).map_err(|error| cannot_be_read(&error))
}

fn cannot_be_read(error: &io::Error) -> Error {
    Error::environment(format!("what `pg_restore` gives cannot be read: {}", error.kind()))
}

fn ends_early() -> Error {
    Error::environment("what `pg_restore` gives ends too early")
}

/// Makes the extensions that are not there.
pub(super) fn make_extensions(session: &Session, served: &Served) -> Tried<()> {
    let there = super::make::extensions(session)?;
    for one in served.extensions.iter().filter(|one| there.iter().all(|other| other.name != one.name)) {
        let (name, schema) = (sql::name(&one.name), sql::name(&one.schema));
        session.run(&format!("CREATE SCHEMA IF NOT EXISTS {schema}; CREATE EXTENSION {name} WITH SCHEMA {schema}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_psql_and_newer_servers_understand_is_left_out_and_nothing_else() {
        let text = "--\n-- A dump\n--\n\n\\restrict a1\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n\n\
                    CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS '\n\\restrict a1\nSET transaction_timeout = 0;\n';\n\n\
                    \\unrestrict a1\n\n";
        let expected = |setting: &str| {
            format!(
                "--\n-- A dump\n--\n\n\nSET statement_timeout = 0;\n{setting}\n\
                 CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS '\n\\restrict a1\nSET transaction_timeout = 0;\n';\n\n\n"
            )
        };
        assert_eq!(plain(text, 16), expected(""));
        assert_eq!(plain(text, 17), expected(UNKNOWN));
    }

    #[test]
    fn a_name_may_hold_what_looks_like_the_end_of_a_statement() {
        let whole = "COPY \"My \"\"own\"\" app\".a (id, \"COPY x FROM stdin;\n\", c) FROM stdin;\n";
        let ends: Vec<bool> = whole.match_indices('\n').map(|(at, _)| is_whole(&whole[..=at])).collect();
        assert_eq!(ends, [false, true]);
    }

    #[test]
    fn rows_end_at_their_last_line_and_not_before() {
        let rows = |text: &str| {
            let mut sent = Vec::new();
            let ended = copy(&mut text.as_bytes(), &mut sent);
            (ended.map_err(|error| error.message), String::from_utf8(sent).unwrap())
        };
        assert_eq!(rows("1\t\\\\.\n2\t\\N\n\\.\nSELECT 1;\n"), (Ok(true), "1\t\\\\.\n2\t\\N\n".to_owned()));
        assert_eq!(rows("1\t2\n").0, Err("what `pg_restore` gives ends too early".to_owned()));
    }
}

//! Why the server rejected a row: from its SQLSTATE and the names that it gives. Its detail holds the row and is never
//! read.

use super::opened::PostgresTransaction;
use super::words::is_of_server;
use crate::database::rejection::Rejection;
use crate::database::{Cell, ledger};
use crate::error::Result;
use crate::finding::printable;
use crate::row::{Batch, Value};
use postgres::error::{DbError, SqlState};

/// A row of a batch that was to be written.
pub(super) struct Written<'w> {
    pub(super) batch: &'w Batch,
    pub(super) row: usize,
}

/// Whether a fault is about the values of rows: data (class 22), a constraint (23), or whatever a function raised that a
/// trigger, a condition or an index calls, which the context tells. What the server itself, its memory, locks and other
/// writers end is not.
pub(super) fn is_about_rows(error: &postgres::Error) -> bool {
    let Some(server) = error.as_db_error() else { return false };
    let code = server.code().code();
    let is_of_values = ["22", "23", "P0", "09", "27", "38", "39"].iter().any(|class| code.starts_with(class));
    !is_of_server(error) && (is_of_values || server.where_().is_some())
}

/// The number of the line, from 0, that COPY was at. The words of the context follow the server's language; the numbers
/// do not.
pub(super) fn line(error: &postgres::Error) -> Option<usize> {
    line_in(error.as_db_error()?.where_()?)
}

fn line_in(context: &str) -> Option<usize> {
    // A trigger's own lines stand before it.
    let copy = context.lines().rfind(|line| line.starts_with("COPY "))?;
    let behind = copy.split_once(", ")?.1;
    let digits: String = behind.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().ok()?.checked_sub(1)
}

/// Why a row was rejected.
pub(super) fn of(this: &PostgresTransaction, error: &postgres::Error, written: &Written<'_>) -> Result<Rejection> {
    let Some(server) = error.as_db_error() else { return Ok(Rejection::Constraint("the server".to_owned())) };
    let Batch { table, columns, rows } = written.batch;
    let rejection = plain(this, server, table)?;
    let Rejection::Unique { index, other: None } = rejection else { return Ok(rejection) };
    let (_, key) = key_of(this, server)?;
    let value =
        |name: &String| columns.iter().position(|column| column == name).map(|at| rows[written.row].values[at].clone());
    let values: Option<Vec<Value>> = key.iter().map(value).collect();
    let other = match values.filter(|values| !values.is_empty()) {
        Some(values) => other(this, table, &key, values)?,
        None => None,
    };
    Ok(Rejection::Unique { index, other })
}

/// The same without a look at the row.
pub(super) fn plain(this: &PostgresTransaction, server: &DbError, table: &str) -> Result<Rejection> {
    let name = server.constraint().map(printable).unwrap_or_default();
    Ok(match server.code() {
        &SqlState::UNIQUE_VIOLATION => {
            let (name, columns) = key_of(this, server)?;
            let names: Vec<String> = columns.iter().map(|column| format!("{table}.{column}")).collect();
            Rejection::Unique { index: if names.is_empty() { name } else { names.join(", ") }, other: None }
        }
        &SqlState::CHECK_VIOLATION if name.is_empty() => {
            Rejection::Constraint("the partitioning (no partition takes it)".to_owned())
        }
        &SqlState::CHECK_VIOLATION => Rejection::Check(match condition(this, table, &name)? {
            Some(condition) => printable(&condition),
            None => name,
        }),
        &SqlState::NOT_NULL_VIOLATION => {
            let column = server.column().map(printable).unwrap_or_default();
            Rejection::Constraint(format!("NOT NULL constraint on `{table}.{column}`"))
        }
        &SqlState::EXCLUSION_VIOLATION => Rejection::Constraint(format!("the exclusion constraint `{name}`")),
        &SqlState::FOREIGN_KEY_VIOLATION => Rejection::Constraint(format!("the foreign key `{name}`")),
        code if code.code().starts_with("P0") || is_of_function(server) => raised(this, server, table)?,
        code => match column_in(server) {
            Some(column) => Rejection::Constraint(format!("the type of `{table}.{}`", printable(column))),
            None => Rejection::Constraint(format!("an error of the database (SQLSTATE {})", code.code())),
        },
    })
}

/// What the server says of rows that it judges at the end of the transaction, when it names none of them.
pub(super) fn at_the_end(error: &postgres::Error) -> String {
    let named = error.as_db_error().and_then(DbError::constraint).map(printable);
    let what =
        named.map_or_else(|| "a deferred trigger".to_owned(), |name| format!("the deferred constraint `{name}`"));
    format!("{what} rejected a row at the end of the transaction, and does not say which")
}

/// Whether a function was at work: its lines stand in the context before that of COPY.
fn is_of_function(server: &DbError) -> bool {
    let is_of_data = ["22", "23"].iter().any(|class| server.code().code().starts_with(class));
    !is_of_data && server.where_().is_some_and(|context| context.lines().any(|line| !line.starts_with("COPY ")))
}

/// The condition of a CHECK that nobody named: the server calls it `TABLE_COLUMN_check`.
fn condition(this: &PostgresTransaction, table: &str, name: &str) -> Result<Option<String>> {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if !name.starts_with(table) || !digits.ends_with("_check") {
        return Ok(None);
    }
    let text = "SELECT pg_get_expr(o.conbin, o.conrelid) FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND o.conname = $3";
    let values = [Some(this.session.schema.as_str()), Some(table), Some(name)];
    let condition: Option<String> = this.on(|session| session.first(text, &values))?.map(|row| row.get(0));
    Ok(condition.map(|sql| sql.strip_prefix('(').and_then(|sql| sql.strip_suffix(')')).unwrap_or(&sql).to_owned()))
}

/// The column that COPY was at.
fn column_in(server: &DbError) -> Option<&str> {
    let copy = server.where_()?.lines().rfind(|line| line.starts_with("COPY "))?;
    // `COPY t, line N, column c: …`, in whatever language.
    let (_, column) = copy.split(", ").nth(2)?.split_once(' ')?;
    Some(column.split(':').next().unwrap_or(column))
}

/// The unique constraint or index that a fault names, as the table has it where the server names that of a partition; and
/// its columns, none where it is over expressions or some rows.
fn key_of(this: &PostgresTransaction, server: &DbError) -> Result<(String, Vec<String>)> {
    let Some(name) = server.constraint() else { return Ok(Default::default()) };
    let text = "SELECT r.relname::text, CASE WHEN x.indpred IS NULL AND x.indexprs IS NULL THEN (
                           SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, n)
                           JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum WHERE k.n <= x.indnkeyatts) END
                FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
                JOIN pg_class r ON r.oid = coalesce(pg_partition_root(i.oid), i.oid)
                WHERE n.nspname = $1 AND i.relname = $2";
    let row = this.on(|session| session.first(text, &[Some(&session.schema), Some(name)]))?;
    let (whole, columns) = row.map_or((None, None), |row| (row.get::<_, Option<String>>(0), row.get(1)));
    Ok((printable(whole.as_deref().unwrap_or(name)), columns.unwrap_or_default()))
}

/// The key of the row that has these values.
fn other(this: &PostgresTransaction, table: &str, columns: &[String], values: Vec<Value>) -> Result<Option<String>> {
    let Some(live) = this.state.schema.table(table) else { return Ok(None) };
    let (wanted, by) = (live.primary_key(), columns.iter().map(String::as_str).collect::<Vec<_>>());
    if wanted.is_empty() || values.contains(&Value::Null) {
        return Ok(None);
    }
    let found = this.find(table, &by, &wanted, &[values])?.pop().flatten();
    Ok(found.map(|cells| ledger::row_key(cells.iter().map(Cell::text).collect())))
}

/// A trigger's error. Its message is shown only where the function's own text says it word for word: one that is put
/// together at run time may hold the value of any row.
fn raised(this: &PostgresTransaction, server: &DbError, table: &str) -> Result<Rejection> {
    let text = "SELECT t.tgname::text, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE n.nspname = $1 AND c.relname = $2 AND NOT t.tgisinternal ORDER BY t.tgname";
    let rows = this.on(|session| session.query(text, &[Some(&session.schema), Some(table)]))?;
    let quoted = format!("'{}'", server.message().replace('\'', "''"));
    let triggers: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let says = |(name, sql): &(String, String)| sql.contains(&quoted).then(|| name.clone());
    let names: Vec<String> = triggers.iter().filter_map(says).collect();
    if names.is_empty() {
        let raising = triggers.into_iter().filter(|(_, sql)| sql.to_ascii_uppercase().contains("RAISE"));
        return Ok(Rejection::Trigger { names: raising.map(|(name, _)| name).collect(), message: None });
    }
    Ok(Rejection::Trigger { names, message: Some(server.message().to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read_of_the_context_in_any_language() {
        assert_eq!(line_in("COPY notes, line 3"), Some(2));
        assert_eq!(line_in("COPY notes2, Zeile 30, Spalte title"), Some(29));
        assert_eq!(line_in("PL/pgSQL function f() line 7 at RAISE\nCOPY notes, line 4"), Some(3));
        assert_eq!(line_in("SQL statement \"INSERT INTO t\""), None);
        assert_eq!(line_in(""), None);
    }
}

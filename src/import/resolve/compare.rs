//! Rows against the target as it was before the run: absent, the same, different, to be filled.

use super::Resolver;
use super::candidate::Candidate;
use super::verdict::{Judged, RowFate, Verdict};
use crate::database::{Cell, Dialect};
use crate::error::Result;
use crate::finding::{Finding, ROW_DIFFERS, ROW_UNIQUE, excerpt};
use crate::import::context::Context;
use crate::import::stored::Stored;
use crate::import::vault::Same;
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::{OnDuplicate, OnExisting, Protection};
use crate::mapping::secret_values::may_be_secret;
use crate::row::Value;
use crate::table::ColumnType;
use secrecy::SecretString;
use std::borrow::Cow;

/// Where another row is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// Among those of this run.
    Run,
    /// Among those of the target.
    Target,
    /// Among both.
    Both,
}

impl Resolver<'_> {
    /// Whether the row was in the target before the run, and whether it says the same.
    pub(super) fn compare_with_target(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Verdict> {
        let (rule, plan) = (row.rule, self.plan);
        let table = &rule.table.name;
        // What is verified is compared with the database once it is decided.
        if cx.writer.is_verifying() || cx.writer.rows_before(table) == 0 {
            return Ok(Verdict::Is(Judged::is(RowFate::Inserted)));
        }
        let keys = plan.keys.of(rule);
        let keyed = keys.row.zip(row.key_values()).filter(|_| !rule.is_known_by_ledger(&self.plan.set));
        // Where several rows may have the key, the ledger says which one this was.
        let by_ledger = keyed.is_none() || (row.draft.secrets.is_empty() && !keys.is_unique);
        if by_ledger && let Some(row_key) = self.earlier_row(cx, row)? {
            let differing = self.differing_secrets(cx, row, &row_key)?;
            if differing.is_empty() || self.on_existing(rule) != OnExisting::Refuse {
                let mut verdict = self.as_the_ledger_says(cx, rule, &row_key)?;
                if let (false, Verdict::Is(one)) = (differing.is_empty(), &mut verdict) {
                    one.fate = RowFate::Kept;
                    self.note_kept(row, &differing, None);
                }
                return Ok(verdict);
            }
            return Ok(Verdict::Refused(self.differs(row, &differing)));
        }
        let Some((question, key)) = keyed else { return self.insert_unless_taken(cx, row) };
        let found = self.row_of(cx, question, &key)?;
        let Some(cells) = found else { return self.insert_unless_taken(cx, row) };
        let differing = self.differing(cx, row, &key, &cells)?;
        let id = match (&rule.generated_id, cells.get(rule.fields.len())) {
            (Some(_), Some(Cell::Integer(id))) => Some(*id),
            _ => None,
        };
        if differing.is_empty() {
            let held = cells.len() - keys.held.len();
            let held = self.held_values(table, &keys.held, cells.into_iter().skip(held));
            return Ok(Verdict::Is(Judged { id, held, ..Judged::is(RowFate::Unchanged) }));
        }
        if plan.taken.is_replay() && rule.model(&plan.set).on_duplicate == OnDuplicate::First {
            // The row of another record stays. Which of them the whole tree gives is not known here.
            let dropped = self.in_words(cx, row, &differing, &cells)?;
            return Ok(Verdict::Is(Judged { id, dropped, ..Judged::is(RowFate::Superseded) }));
        }
        if self.on_existing(rule) != OnExisting::Refuse {
            return self.existing_row(cx, row, (&key, cells), differing);
        }
        let differing = self.in_words(cx, row, &differing, &cells)?;
        let findings = self.differs(row, &differing);
        let keys = [(rule.key_columns().unwrap_or_default(), key)];
        let verdict = self.in_the_way_of(cx, rule, &keys, findings)?;
        Ok(self.unless_own(verdict, || Judged { id, ..Judged::is(RowFate::Unchanged) }))
    }

    fn differs(&self, row: Candidate<'_>, differing: &[String]) -> Vec<Finding> {
        let (table, columns) = (&row.rule.table.name, differing.join(", "));
        let message = format!("the database has a row of `{table}` with this key that differs in {columns}");
        vec![self.finding(&ROW_DIFFERS, row, message, None)]
    }

    /// Whether a cell of the target holds the secret, or cannot be compared with it.
    fn holds_secret(
        &mut self,
        cx: &mut Context<'_>,
        rule: &CompiledRule,
        field: usize,
        key: &[Value],
        cell: &Cell,
        secret: &SecretString,
    ) -> Result<bool> {
        if rule.fields[field].protection == Some(Protection::Hash) {
            cx.writer.vault.note_kept(secret);
            return Ok(true); // it cannot be told whether a hash is of the same password
        }
        let Cell::Text(token) = cell else { return Ok(false) };
        let sealed = self.plan.sealed_column(rule, field)?;
        Ok(cx.writer.vault.holds(sealed, key, token, secret)? != Same::No)
    }

    /// The sealed columns in which the row of the ledger's key holds other secrets: they are in no digest.
    fn differing_secrets(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, row_key: &str) -> Result<Vec<String>> {
        let Candidate { rule, draft, .. } = row;
        let Some(key) = row.key_values().filter(|_| !draft.secrets.is_empty()) else { return Ok(Vec::new()) };
        let names: Vec<&str> =
            draft.secrets.iter().map(|(field, _)| rule.fields[*field].column.name.as_str()).collect();
        let cells = self.row_of_ledger(cx, &rule.table.name, row_key, &names)?.unwrap_or_default();
        let mut differing = Vec::new();
        for ((name, cell), (field, secret)) in names.iter().zip(&cells).zip(&draft.secrets) {
            if !self.holds_secret(cx, rule, *field, &key, cell, secret)? {
                differing.push(format!("`{name}`"));
            }
        }
        Ok(differing)
    }

    /// The row that an earlier run wrote from the same file, where a `fill` rule started it there.
    pub(super) fn started_before(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<Verdict>> {
        if cx.writer.is_verifying() || cx.writer.rows_before(&row.rule.table.name) == 0 {
            return Ok(None);
        }
        let earlier = self.earlier_row(cx, row)?;
        earlier.map(|row_key| self.as_the_ledger_says(cx, row.rule, &row_key)).transpose()
    }

    /// A row that an earlier run wrote from the same file, or from one that was renamed.
    fn as_the_ledger_says(&mut self, cx: &mut Context<'_>, rule: &CompiledRule, row_key: &str) -> Result<Verdict> {
        let asked = &self.plan.keys.of(rule).held;
        let names: Vec<&str> = asked.iter().map(String::as_str).collect();
        let cells = if names.is_empty() { None } else { self.row_of_ledger(cx, &rule.table.name, row_key, &names)? };
        let held = self.held_values(&rule.table.name, asked, cells.unwrap_or_default());
        let id = rule.generated_id.as_ref().and_then(|_| row_key.parse().ok());
        let row_key = Some(row_key.to_owned());
        Ok(Verdict::Is(Judged { id, held, row_key, ..Judged::is(RowFate::Unchanged) }))
    }

    /// What a row of the target has in columns that are looked up.
    pub(super) fn held_values(
        &self,
        table: &str,
        asked: &[String],
        cells: impl IntoIterator<Item = Cell>,
    ) -> Vec<Value> {
        let names: Vec<&str> = asked.iter().map(String::as_str).collect();
        Stored::of(self.plan, table, &names).values(cells).collect()
    }

    /// A row that the target does not have: new, unless another one has its unique values.
    fn insert_unless_taken(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Verdict> {
        let taken = self.taken(cx, row, Among::Target, &|_| true)?;
        if taken.is_empty() {
            return Ok(Verdict::Is(Judged::is(RowFate::Inserted)));
        }
        let (plan, values, mut keys) = (self.plan, &row.draft.values, Vec::new());
        for unique in plan.keys.of(row.rule).unique.iter().filter(|unique| unique.of(values).is_some()) {
            let values = unique.values(values);
            if self.row_of(cx, unique.question, &values)?.is_some() {
                keys.push((unique.columns.iter().map(String::as_str).collect(), values));
            }
        }
        let verdict = self.in_the_way_of(cx, row.rule, &keys, taken)?;
        Ok(self.unless_own(verdict, || Judged::is(RowFate::Inserted)))
    }

    /// Unique values of a row that another one has already. Lists of columns that do not concern it
    /// are skipped.
    pub(super) fn taken(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        among: Among,
        concerns: &dyn Fn(&[String]) -> bool,
    ) -> Result<Vec<Finding>> {
        let (mut wrong, table, plan) = (Vec::new(), &row.rule.table.name, self.plan);
        for unique in plan.keys.of(row.rule).unique.iter().filter(|unique| concerns(&unique.columns)) {
            let Some(key) = unique.of(&row.draft.values) else {
                continue; // NULLs are all different
            };
            let known = unique.spec.and_then(|spec| self.index.get(spec, &key)).map(|entry| entry.place);
            let other = match known {
                Some(Some(other)) if among != Among::Target => ("another record", Some(other)),
                Some(None) if among == Among::Both => ("a row of the database", None),
                _ if among == Among::Run => continue, // none of the run has it
                _ if self.row_of(cx, unique.question, &unique.values(&row.draft.values))?.is_some() => {
                    ("a row of the database", None)
                }
                _ => continue, // no row has it
            };
            let columns = unique.columns.join(", ");
            let message = format!("{} has the same value for `{table}` ({columns}), which is unique", other.0);
            wrong.push(self.finding(&ROW_UNIQUE, row, message, other.1));
        }
        Ok(wrong)
    }

    /// The fields in which a row of the target differs from this one, with both values.
    pub(super) fn in_words(
        &self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        fields: &[usize],
        cells: &[Cell],
    ) -> Result<Vec<String>> {
        fields.iter().map(|at| difference(cx, row, *at, &cells[*at])).collect()
    }

    /// Whether a field that is no secret says something else than a cell of the target.
    pub(super) fn differs_in(&self, cx: &Context<'_>, row: Candidate<'_>, at: usize, cell: &Cell) -> bool {
        let Candidate { rule, draft, .. } = row;
        let (table, field) = (&rule.table.name, &rule.fields[at]);
        // NULL here, and given a value by a later rule in the run that made the row.
        let filled_later = draft.values[at] == Value::Null && self.plan.is_filled(table, &field.column.name);
        let same = filled_later
            || draft.clock.contains(&at)
            || draft.later.contains(&at)
            || cx.writer.dialect.same(field.column.kind, cell, &draft.values[at]);
        !same
    }

    /// The fields in which a row of the target differs from this one.
    fn differing(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        key: &[Value],
        cells: &[Cell],
    ) -> Result<Vec<usize>> {
        let Candidate { rule, draft, .. } = row;
        let mut differing = Vec::new();
        for (at, cell) in cells.iter().enumerate().take(rule.fields.len()) {
            let differs = match draft.secrets.iter().find(|(of, _)| *of == at) {
                Some((_, secret)) => !self.holds_secret(cx, rule, at, key, cell, secret)?,
                None => self.differs_in(cx, row, at, cell),
            };
            if differs {
                differing.push(at);
            }
        }
        Ok(differing)
    }
}

/// A column in which a row of the target differs, with both values unless they may be secret.
pub(super) fn difference(cx: &mut Context<'_>, row: Candidate<'_>, at: usize, cell: &Cell) -> Result<String> {
    let (table, field) = (&row.rule.table.name, &row.rule.fields[at]);
    let column = &field.column.name;
    if field.protection.is_some() {
        return Ok(match cx.writer.transaction()?.handed_over(table, column)? {
            Some(format) => format!(
                "`{column}` (handed over to the application as `{format}`, which treelift does not compare; \
                 `credentials encrypt --from {format}` undoes the hand-over)"
            ),
            None => format!("`{column}` (a secret, not shown)"),
        });
    }
    let source = display(cx.writer.dialect, field.column.kind, &row.draft.values[at]);
    Ok(both(column, row.draft.tainted.contains(&at), cell, source))
}

/// A value as a column has it, in words.
pub(super) fn display(dialect: Dialect, kind: ColumnType, value: &Value) -> Option<String> {
    dialect.written(kind, value).map(Cow::into_owned)
}

/// A column with what the database and the source have, unless one of them may be secret.
pub(crate) fn both(column: &str, is_tainted: bool, cell: &Cell, source: Option<String>) -> String {
    let database = cell.text();
    let may_be = |text: &Option<String>| may_be_secret([column], text.as_deref().unwrap_or_default());
    if is_tainted || may_be(&database) || may_be(&source) {
        return format!("`{column}` (not shown, it may be a secret)");
    }
    let shown = |text: Option<String>| text.map_or_else(|| "NULL".to_owned(), |text| excerpt(&text));
    format!("`{column}` (database {}, source {})", shown(database), shown(source))
}

//! A rule with the table it writes into.

use super::model::{
    ColumnRule, KeyPart, Mapping, OnDuplicate, PathExpr, Policies, Policy, Protection, ReadAs, Root, Rule, Set,
};
use super::schema_default::SchemaDefault;
use super::walk::{self, Read};
use crate::row::Value;
use crate::table::{Column, ForeignKey, Schema, Table};

/// A column that a rule fills; it is the rule's column of the same number.
#[derive(Debug, Clone)]
pub struct Field {
    /// The column.
    pub column: Column,
    /// How its value is kept, if it is a secret.
    pub protection: Option<Protection>,
    /// How a value that is not of the column's type is read.
    pub reads: Option<ReadAs>,
    /// The default that the column has in the schema.
    pub default: Option<SchemaDefault>,
}

/// A rule with the table it writes into.
#[derive(Debug, Default)]
pub struct CompiledRule {
    /// The index of the mapping in its set.
    pub mapping: usize,
    /// The index of the rule in its mapping.
    pub rule: usize,
    /// Its number among all rules of the set.
    pub number: u32,
    /// `mapping.rule`.
    pub name: String,
    /// The table.
    pub table: Table,
    /// The table's number among those that rules write into, in the order of their names.
    pub table_number: usize,
    /// The columns it fills, in the order of the rule.
    pub fields: Vec<Field>,
    /// The index, in the mapping, of the rule its rows hang on.
    pub parent: Option<usize>,
    /// The integer key that no source value fills, so that the engine counts on from the highest.
    pub generated_id: Option<String>,
    /// Whether it can make a row that is not there yet: a `fill` rule may only add to one.
    pub starts: bool,
    /// The names of the key's parts: a column's own, `#n` for a part that is no column.
    pub key_names: Vec<String>,
    /// The positions in `fields` of the primary key's columns, in its order; none for a generated id.
    pub primary: Vec<Option<usize>>,
    /// The positions in `fields` of the key's columns, when the key is in the target.
    pub key_fields: Option<Vec<usize>>,
    /// The positions of the columns that decide whether there is a row, which key it has, and which keys rows below it
    /// have.
    pub deciding: Vec<usize>,
    /// How values are read that the rule compares with a column of another row, by the number of the row that is
    /// looked for; none where all are compared as they are.
    pub by_reads: Vec<(usize, Vec<Option<ReadAs>>)>,
}

impl CompiledRule {
    /// Whether the ledger and not a key says which row of the target a row of the rule is: `across` keeps twins.
    pub(crate) fn is_known_by_ledger(&self, set: &Set) -> bool {
        self.key_fields.is_none() || self.model(set).on_duplicate == OnDuplicate::Across
    }

    /// The rule as written.
    pub fn model<'s>(&self, set: &'s Set) -> &'s Rule {
        &set.mappings[self.mapping].rules[self.rule]
    }

    /// The mapping it belongs to.
    pub fn mapping_of<'s>(&self, set: &'s Set) -> &'s Mapping {
        &set.mappings[self.mapping]
    }

    /// Where it is written: `file:line`.
    pub fn line_in(&self, set: &Set) -> String {
        format!("{}:{}", self.mapping_of(set).file, self.model(set).line)
    }

    /// How a value is read that is compared with the column at this place in the `by` of a row that is looked for.
    pub fn by_reads(&self, row: usize, at: usize) -> Option<&ReadAs> {
        self.by_reads.iter().find(|(number, _)| *number == row).and_then(|(_, reads)| reads[at].as_ref())
    }

    /// The position in `fields` of a column.
    pub fn field(&self, column: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.column.name == column)
    }

    /// The value of a column in a row; NULL for one that the rule does not fill.
    pub fn value<'v>(&self, values: &'v [Value], column: &str) -> &'v Value {
        self.field(column).map_or(&Value::Null, |field| &values[field])
    }

    /// The names of the key's columns; none when the key does not stand in the target.
    pub fn key_columns(&self) -> Option<Vec<&str>> {
        self.key_fields.as_ref().map(|fields| fields.iter().map(|at| self.fields[*at].column.name.as_str()).collect())
    }

    /// The values of the key's columns in a row; none when the key does not stand in the target.
    pub fn key_of(&self, values: &[Value]) -> Option<Vec<Value>> {
        self.key_fields.as_ref().map(|fields| fields.iter().map(|at| values[*at].clone()).collect())
    }

    /// The unique column lists of the table that the rule fills.
    pub fn unique_lists(&self) -> impl Iterator<Item = &Vec<String>> {
        self.table.unique.iter().filter(|columns| columns.iter().all(|column| self.field(column).is_some()))
    }

    /// The foreign keys all of whose columns the rule fills.
    pub fn references(&self) -> impl Iterator<Item = &ForeignKey> {
        self.table.foreign_keys.iter().filter(|key| key.columns.iter().all(|column| self.field(column).is_some()))
    }
}

/// Compiles every rule of a set, by mapping. The set must have passed [`super::check::check`].
pub fn compile(set: &Set, schema: &Schema) -> Vec<Vec<CompiledRule>> {
    let tables = written_tables(set);
    let mut numbers = 0_u32..;
    let mut numbered = |rule: CompiledRule| CompiledRule {
        number: numbers.next().unwrap_or_default(),
        table_number: tables.binary_search(&rule.table.name.as_str()).unwrap_or_default(),
        ..rule
    };
    set.mappings
        .iter()
        .enumerate()
        .map(|(m, mapping)| (0..mapping.rules.len()).map(|r| numbered(compile_rule(set, m, r, schema))).collect())
        .collect()
}

/// The tables that the rules of a set write into, by name: compiled rules have their numbers.
pub fn written_tables(set: &Set) -> Vec<&str> {
    let mut tables: Vec<&str> = set.rules().map(|(_, rule)| rule.into.as_str()).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn compile_rule(set: &Set, m: usize, r: usize, schema: &Schema) -> CompiledRule {
    let mapping = &set.mappings[m];
    let rule = &mapping.rules[r];
    let table = schema.table(&rule.into).expect("check proved that the table exists").clone();
    let column = |name: &str| table.column(name).expect("check proved that the column exists").clone();
    let field = |of: &ColumnRule| {
        let column = column(&of.name);
        // A secret is a text, whatever the column.
        let reads = if of.protection.is_none() { set.reads(&column) } else { None };
        let default = SchemaDefault::of(&column);
        Field { column, protection: of.protection, reads, default }
    };
    let fields: Vec<Field> = rule.columns.iter().map(field).collect();
    let position = |name: &str| fields.iter().position(|field| field.column.name == name);
    let generated_id = table.integer_key().filter(|key| position(key).is_none()).map(str::to_owned);
    let key_fields = rule.key_columns().and_then(|names| names.into_iter().map(position).collect());
    let primary = table.primary_key().into_iter().map(position).collect();
    let key_name = |(i, part): (usize, &KeyPart)| match part {
        KeyPart::Column(name) => name.clone(),
        KeyPart::Path(_) => format!("#{i}"),
    };
    let key_names = rule.key.iter().enumerate().map(key_name).collect();
    let deciding = (0..fields.len()).filter(|at| decides(mapping, rule, &rule.columns[*at])).collect();
    let parent = rule.parent.as_deref().and_then(|name| mapping.rule(name));
    let starts =
        rule.on_duplicate != OnDuplicate::Fill || table.columns_needed().all(|column| position(&column.name).is_some());
    CompiledRule {
        starts,
        mapping: m,
        rule: r,
        number: 0,
        table_number: 0,
        name: format!("{}.{}", mapping.name, rule.name),
        table,
        fields,
        parent,
        generated_id,
        key_names,
        primary,
        key_fields,
        deciding,
        by_reads: by_reads(set, rule, schema),
    }
}

/// Whether a column is in the key of its rule, may say that there is no row, or is used by rows below.
fn decides(mapping: &Mapping, rule: &Rule, column: &ColumnRule) -> bool {
    let skips = |policies: &Policies| policies.words().iter().any(|(_, policy)| *policy == Some(Policy::Skip));
    let mut decides = skips(&column.policies)
        || rule.key.iter().any(|part| matches!(part, KeyPart::Column(name) if *name == column.name));
    walk::through(rule, &column.expr, &mut |visit| {
        if let Read::Path(PathExpr { root: Root::Column(name), .. }) = visit.read {
            decides |= rule.let_of(name).is_some_and(|one| skips(&one.policies));
        }
    });
    for below in &mapping.rules {
        let is_parent = below.parent.as_ref() == Some(&rule.name);
        walk::rule(below, &mut |visit| {
            let (Read::Path(path) | Read::Test(path) | Read::Key(path)) = visit.read else { return };
            decides |= match &path.root {
                Root::Parent(name) => is_parent && *name == column.name,
                Root::Above { rule: above, column: name } => *above == rule.name && *name == column.name,
                _ => false,
            };
        });
    }
    decides
}

/// What is compared with a column is read as the column reads.
fn by_reads(set: &Set, rule: &Rule, schema: &Schema) -> Vec<(usize, Vec<Option<ReadAs>>)> {
    let mut found = Vec::new();
    walk::rule(rule, &mut |visit| {
        let Read::Row(row) = visit.read else { return };
        let Some(table) = schema.table(&row.table) else { return };
        let reads = |column: &str| {
            table.column(column).and_then(|column| set.reads(column).or_else(|| ReadAs::of_numbers(column)))
        };
        let reads: Vec<_> = row.columns().map(reads).collect();
        if reads.iter().flatten().next().is_some() {
            found.push((row.number, reads));
        }
    });
    found
}

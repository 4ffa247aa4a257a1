//! The keys of each rule's rows by their numbers, so that nothing is looked for by name while records are read.

use crate::import::plan::specs::Specs;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::{Feed, KeyText, Source};
use crate::mapping::model::{OnDuplicate, Set};
use crate::mapping::order::Order;
use crate::mapping::walk::{self, Read};
use crate::row::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the database is asked about the rows of a table by one of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The table.
    pub table: String,
    /// The columns of the key.
    pub by: Vec<String>,
    /// The columns that are wanted of the row.
    pub wanted: Vec<String>,
}

/// Columns of a rule's rows that are a key of its own or of another table.
#[derive(Debug)]
pub struct FieldKey {
    /// The columns of the rule's table.
    pub columns: Vec<String>,
    /// The table whose key it is.
    pub table: String,
    /// The positions of the columns among the rule's fields.
    fields: Vec<usize>,
    /// Its number in the key index.
    pub spec: Option<usize>,
    /// The question whether the database has such a row.
    pub question: usize,
    /// Whether the row that is referenced may be read later.
    pub is_late: bool,
}

impl FieldKey {
    /// The key of a row; `None` where one of its values is NULL.
    pub fn of(&self, values: &[Value]) -> Option<KeyText> {
        KeyText::of(self.fields.iter().map(|at| &values[*at]))
    }

    /// The values of a row's key.
    pub fn values(&self, values: &[Value]) -> Vec<Value> {
        self.fields.iter().map(|at| values[*at].clone()).collect()
    }
}

/// The keys of one rule's rows.
#[derive(Debug, Default)]
pub struct RuleKeys {
    /// The rule's own key, by its number in the key index.
    pub own: Option<usize>,
    /// Whether no two rows of the table can have the rule's own key.
    pub is_unique: bool,
    /// The question for the row of the rule's key: its fields, a generated id, and `held`.
    pub row: Option<usize>,
    /// The columns of the table that something looks up.
    pub held: Vec<String>,
    /// The question for the values that a `fill` rule may add to.
    pub fill: Option<usize>,
    /// How rows are made known to the key index.
    pub feeds: Vec<Feed>,
    /// What is unique in the table.
    pub unique: Vec<FieldKey>,
    /// Rows that must be there.
    pub references: Vec<FieldKey>,
}

/// The keys of every rule, by its number, and what the database is asked about them.
#[derive(Debug, Default)]
pub struct Keys {
    rules: Vec<RuleKeys>,
    questions: Vec<Question>,
}

impl Keys {
    /// Whether rows of a rule would be written once more where the ledger did not know them.
    pub(crate) fn need_ledger(&self, rule: &CompiledRule, set: &Set) -> bool {
        let keys = self.of(rule);
        rule.starts && (rule.is_known_by_ledger(set) || keys.row.is_none() || !keys.is_unique)
    }

    pub(super) fn new(set: &Set, rules: &[Vec<CompiledRule>], specs: &Specs, order: &Order) -> Self {
        let mut held: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
        for spec in &specs.all {
            held.entry(&spec.table).or_default().extend(&spec.wanted);
        }
        let mut numbering = Numbering { set, specs, order, held, known: HashMap::new() };
        let rules = rules.iter().flatten().map(|rule| numbering.of_rule(rule)).collect();
        let mut questions: Vec<(Question, usize)> = numbering.known.into_iter().collect();
        questions.sort_by_key(|(_, number)| *number);
        Self { rules, questions: questions.into_iter().map(|(question, _)| question).collect() }
    }

    /// The keys of a rule.
    pub fn of(&self, rule: &CompiledRule) -> &RuleKeys {
        &self.rules[rule.number as usize]
    }

    /// What the database is asked, by number.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }
}

/// Gives every question a number, once.
struct Numbering<'p> {
    set: &'p Set,
    specs: &'p Specs,
    order: &'p Order,
    /// By table, the columns that something looks up.
    held: BTreeMap<&'p str, BTreeSet<&'p String>>,
    known: HashMap<Question, usize>,
}

impl Numbering<'_> {
    fn of_rule(&mut self, rule: &CompiledRule) -> RuleKeys {
        let table = &rule.table.name;
        let own = self.specs.find(table, &rule.key_names);
        let by = rule.key_columns().map(|columns| columns.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let held: Vec<String> = self.held.get(table.as_str()).into_iter().flatten().copied().cloned().collect();
        let mut wanted: Vec<String> = rule.fields.iter().map(|field| field.column.name.clone()).collect();
        wanted.extend(rule.generated_id.iter().chain(&held).cloned());
        let is_part = |list: &Vec<String>| by.as_ref().is_some_and(|by| list.iter().all(|column| by.contains(column)));
        let is_unique = rule.unique_lists().any(is_part);
        let fills = rule.model(self.set).on_duplicate == OnDuplicate::Fill;
        let filled = own.filter(|_| fills).map(|own| self.specs.all[own].wanted.clone());
        let fill = filled.zip(by.clone()).map(|(wanted, by)| self.ask(table, by, wanted));
        let row = by.map(|by| self.ask(table, by, wanted));
        let unique = rule.unique_lists().map(|columns| self.key(rule, columns, table, columns)).collect();
        let references = rule.references().map(|key| FieldKey {
            is_late: self.order.may_come_later(rule, &key.table) || self.is_found_late(rule, &key.columns),
            ..self.key(rule, &key.columns, &key.table, &key.to)
        });
        let references = references.collect();
        let feeds = self.specs.of_table(table).iter().map(|spec| self.feed(rule, *spec, &held)).collect();
        RuleKeys { own, is_unique, row, held, fill, feeds, unique, references }
    }

    fn feed(&self, rule: &CompiledRule, spec: usize, held: &[String]) -> Feed {
        let asked = &self.specs.all[spec];
        let source = |column: &String| Source {
            field: rule.field(column),
            held: held.iter().position(|name| name == column),
            is_generated: rule.generated_id.as_ref() == Some(column),
        };
        let is_own = asked.by == rule.key_names;
        let by = (!is_own || !asked.forms.is_empty()).then(|| asked.by.iter().map(source).collect());
        Feed { spec, is_own, by, wanted: asked.wanted.iter().map(source).collect() }
    }

    fn key(&mut self, rule: &CompiledRule, columns: &[String], table: &str, by: &[String]) -> FieldKey {
        FieldKey {
            columns: columns.to_vec(),
            table: table.to_owned(),
            fields: columns.iter().filter_map(|column| rule.field(column)).collect(),
            spec: self.specs.find(table, by),
            question: self.ask(table, by.to_vec(), by.to_vec()),
            is_late: false,
        }
    }

    /// Whether a lookup that is answered by later rows, too, gives one of these columns.
    fn is_found_late(&self, rule: &CompiledRule, columns: &[String]) -> bool {
        let (model, mut found) = (rule.model(self.set), false);
        for column in columns.iter().filter_map(|name| model.column(name)) {
            walk::through(model, &column.expr, &mut |visit| {
                found |= matches!(visit.read, Read::Row(row) if self.order.is_late(row.number));
            });
        }
        found
    }

    fn ask(&mut self, table: &str, by: Vec<String>, wanted: Vec<String>) -> usize {
        let next = self.known.len();
        *self.known.entry(Question { table: table.to_owned(), by, wanted }).or_insert(next)
    }
}

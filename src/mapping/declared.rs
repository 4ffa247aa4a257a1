//! What a mapping says about paths: which are named, expected, ignored, secret.
//!
//! Each answer is worked out once per path and then looked up by the path's number, so that
//! accounting costs a table access per leaf.

use super::model::{Condition, Expr, From, JsonExpr, KeyPart, Mapping, PathExpr, PathStep, Root, Rooted, Rule, Shape};
use super::model::{SecretKind, TemplatePiece};
use super::secret_words::looks_secret;
use crate::record::{PathId, Paths, Segment, Selection};

/// Which of the two documents of a source file a node lies in. Where the document is itself the
/// record there is only [`Doc::Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doc {
    /// The record.
    Record,
    /// The document without its records.
    Frame,
}

/// What is known of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathFacts {
    /// A column, condition, key, `let` or `expected` names it.
    pub named: bool,
    /// It is sealed or dropped somewhere in the mapping: no JSON keeps it, no message shows it.
    pub secret: bool,
    /// `[ignore]` covers it: the index of the entry in the mapping.
    pub ignored: Option<u16>,
    /// Its name looks secret and nothing decides it.
    pub suspicious: bool,
}

#[derive(Debug)]
enum Saying {
    Named,
    Secret,
    Declassified,
    Ignored(u16),
}

/// What a mapping says about the paths of one of its shapes.
#[derive(Debug)]
pub struct Declared {
    sayings: Vec<(Doc, Vec<Segment>, Saying)>,
    record: Vec<PathFacts>,
    frame: Vec<PathFacts>,
}

impl Declared {
    /// Collects what `mapping` says, for files of this shape.
    pub fn new(mapping: &Mapping, shape: &Shape) -> Self {
        let mut collector = Collector { whole: shape.records.is_none(), sayings: Vec::new() };
        for (i, (rooted, _, _)) in mapping.ignore.iter().enumerate() {
            let at = u16::try_from(i).expect("fewer than 65,536 entries");
            collector.say(&rooted.root, &Base::record(), rooted.selection.0.clone(), Saying::Ignored(at));
        }
        for rooted in &mapping.expected {
            collector.say(&rooted.root, &Base::record(), rooted.selection.0.clone(), Saying::Named);
        }
        for other in &mapping.source.shapes {
            if let Some(when) = &other.when {
                collector.condition(when, &Base::frame());
            }
        }
        for path in &mapping.source.newest {
            collector.path(path, &Base::record());
        }
        for rule in &mapping.rules {
            collector.rule(rule);
        }
        Self { sayings: collector.sayings, record: Vec::new(), frame: Vec::new() }
    }

    /// Nothing said of anything.
    pub fn none() -> Self {
        Self { sayings: Vec::new(), record: Vec::new(), frame: Vec::new() }
    }

    /// Works out what is not known yet of the paths that a reader has interned.
    pub fn learn(&mut self, doc: Doc, paths: &Paths) {
        let known = match doc {
            Doc::Record => self.record.len(),
            Doc::Frame => self.frame.len(),
        };
        for path in known..paths.len() {
            let path = PathId::try_from(path).expect("path numbers are of this type");
            let facts = self.judge(doc, &paths.steps(path));
            match doc {
                Doc::Record => self.record.push(facts),
                Doc::Frame => self.frame.push(facts),
            }
        }
    }

    /// What is known of a path; nothing of one that was never learnt.
    pub fn facts(&self, doc: Doc, path: PathId) -> PathFacts {
        let facts = match doc {
            Doc::Record => &self.record,
            Doc::Frame => &self.frame,
        };
        facts.get(path as usize).copied().unwrap_or_default()
    }

    /// Whether any path is secret, so that what is read must be wiped.
    pub fn has_secrets(&self) -> bool {
        self.sayings.iter().any(|(_, _, saying)| matches!(saying, Saying::Secret))
    }

    fn judge(&self, doc: Doc, steps: &[&Segment]) -> PathFacts {
        let mut facts = PathFacts::default();
        let mut declassified = false;
        for (said_of, pattern, saying) in &self.sayings {
            if *said_of != doc {
                continue; // said of the file's other document
            }
            match saying {
                Saying::Named => facts.named |= matches(pattern, steps),
                Saying::Secret => facts.secret |= covers(pattern, steps),
                Saying::Declassified => declassified |= covers(pattern, steps),
                Saying::Ignored(at) => {
                    if facts.ignored.is_none() && covers(pattern, steps) {
                        facts.ignored = Some(*at);
                    }
                }
            }
        }
        let name = steps.iter().rev().find_map(|step| match step {
            Segment::Name(name) => Some(name),
            _ => None,
        });
        facts.suspicious =
            !facts.secret && !declassified && facts.ignored.is_none() && name.is_some_and(|name| looks_secret(name));
        facts.secret &= !declassified;
        facts
    }
}

fn same(pattern: &Segment, step: &Segment) -> bool {
    match pattern {
        Segment::Members => matches!(step, Segment::Name(_) | Segment::Members),
        _ => pattern == step,
    }
}

fn matches(pattern: &[Segment], steps: &[&Segment]) -> bool {
    pattern.len() == steps.len() && covers(pattern, steps)
}

fn covers(pattern: &[Segment], steps: &[&Segment]) -> bool {
    pattern.len() <= steps.len() && pattern.iter().zip(steps).all(|(pattern, step)| same(pattern, step))
}

/// What paths without a prefix are relative to.
#[derive(Clone)]
struct Base {
    doc: Doc,
    segments: Vec<Segment>,
}

impl Base {
    fn record() -> Self {
        Self { doc: Doc::Record, segments: Vec::new() }
    }
    fn frame() -> Self {
        Self { doc: Doc::Frame, segments: Vec::new() }
    }
}

struct Collector {
    whole: bool,
    sayings: Vec<(Doc, Vec<Segment>, Saying)>,
}

impl Collector {
    fn say(&mut self, root: &Root, base: &Base, segments: Vec<Segment>, saying: Saying) {
        if let Some(base) = self.base_of(root, base) {
            let mut all = base.segments;
            all.extend(segments);
            self.sayings.push((base.doc, all, saying));
        }
    }

    fn base_of(&self, root: &Root, base: &Base) -> Option<Base> {
        let mut found = match root {
            Root::Element => base.clone(),
            Root::Record => Base::record(),
            Root::Frame => Base::frame(),
            Root::Parent(_) | Root::Column(_) | Root::Context(_) => return None,
        };
        if self.whole {
            found.doc = Doc::Record;
        }
        Some(found)
    }

    fn below(&self, rooted: &Rooted, base: &Base) -> Base {
        let mut found = self.base_of(&rooted.root, base).unwrap_or_else(Base::record);
        found.segments.extend(rooted.selection.0.iter().cloned());
        found
    }

    fn path(&mut self, path: &PathExpr, base: &Base) {
        self.path_as(path, base, || Saying::Named);
    }

    fn path_as(&mut self, path: &PathExpr, base: &Base, saying: impl Fn() -> Saying) {
        let mut segments = Vec::new();
        for step in &path.steps {
            match step {
                PathStep::Name(name) => segments.push(Segment::Name(name.clone())),
                PathStep::Pick { member, .. } => {
                    segments.push(Segment::Elements);
                    let mut compared = segments.clone();
                    compared.push(Segment::Name(member.clone()));
                    self.say(&path.root, base, compared, Saying::Named);
                }
            }
        }
        self.say(&path.root, base, segments, saying());
    }

    fn rule(&mut self, rule: &Rule) {
        let mut bases: Vec<Base> = rule.each.iter().map(|each| self.below(each, &Base::record())).collect();
        if bases.is_empty() {
            bases.push(Base::record());
        }
        for base in &bases {
            if let Some(when) = &rule.when {
                self.condition(when, base);
            }
            for part in &rule.key {
                if let KeyPart::Path(path) = part {
                    self.path(path, base);
                }
            }
            for (_, expr) in &rule.lets {
                self.expr(expr, base);
            }
            for column in &rule.columns {
                self.expr(&column.expr, base);
                if let Some((agrees, _)) = &column.agrees {
                    self.expr(agrees, base);
                }
            }
            for secret in &rule.secrets {
                self.secret(&secret.expr, base, secret.declassify.is_some() && secret.kind == SecretKind::Seal);
            }
        }
    }

    /// Every path that a secret's expression reads is secret.
    fn secret(&mut self, expr: &Expr, base: &Base, declassified: bool) {
        let mut paths = Vec::new();
        collect_paths(expr, &mut paths);
        for path in paths {
            self.path_as(path, base, || if declassified { Saying::Declassified } else { Saying::Secret });
        }
        self.expr(expr, base);
    }

    fn condition(&mut self, condition: &Condition, base: &Base) {
        match condition {
            Condition::Members(paths) => paths.iter().for_each(|path| self.path(path, base)),
            Condition::Equals(pairs) => pairs.iter().for_each(|(path, _)| self.path(path, base)),
            Condition::Type(pairs) => pairs.iter().for_each(|(path, _)| self.path(path, base)),
            Condition::Matches(pairs) => pairs.iter().for_each(|(path, _)| self.path(path, base)),
            Condition::Root(_) => {}
            Condition::Exists { by, .. } => by.iter().for_each(|(_, expr)| self.expr(expr, base)),
            Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| self.condition(one, base)),
            Condition::Not(one) => self.condition(one, base),
        }
    }

    fn expr(&mut self, expr: &Expr, base: &Base) {
        match &expr.from {
            From::Path(path) => self.path(path, base),
            From::Literal(_) | From::Null => {}
            From::First(all) => all.iter().for_each(|one| self.expr(one, base)),
            From::Template { pieces, each } => {
                let base = each.as_ref().map_or_else(|| base.clone(), |each| self.below(each, base));
                for piece in pieces {
                    if let TemplatePiece::Path(path) = piece {
                        self.path(path, &base);
                    }
                }
            }
            From::Join { parts, each, .. } => {
                let base = each.as_ref().map_or_else(|| base.clone(), |each| self.below(each, base));
                parts.iter().for_each(|part| self.expr(part, &base));
            }
            From::Json(json) => self.json(json, base),
            From::Digest { of, .. } => of.iter().for_each(|one| self.expr(one, base)),
            From::Lookup { by, .. } | From::Exists { by, .. } => by.iter().for_each(|(_, one)| self.expr(one, base)),
        }
    }

    fn json(&mut self, json: &JsonExpr, base: &Base) {
        match json {
            JsonExpr::Value { of, without } => {
                self.expr(of, base);
                if let From::Path(path) = &of.from {
                    for selection in without {
                        let mut segments = plain_segments(path);
                        segments.extend(selection.0.iter().cloned());
                        self.say(&path.root, base, segments, Saying::Named);
                    }
                }
            }
            JsonExpr::Table(members) => members.iter().for_each(|(_, one)| self.json(one, base)),
            JsonExpr::Each { each, key, value } => {
                self.expr(each, base);
                if let From::Path(path) = &each.from {
                    let mut segments = plain_segments(path);
                    segments.push(Segment::Elements);
                    let rooted = Rooted { root: path.root.clone(), selection: Selection(segments) };
                    let base = self.below(&rooted, base);
                    self.expr(key, &base);
                    self.json(value, &base);
                }
            }
        }
    }
}

fn plain_segments(path: &PathExpr) -> Vec<Segment> {
    path.steps
        .iter()
        .map(|step| match step {
            PathStep::Name(name) => Segment::Name(name.clone()),
            PathStep::Pick { .. } => Segment::Elements,
        })
        .collect()
}

/// Every path that an expression may take its value from.
fn collect_paths<'e>(expr: &'e Expr, paths: &mut Vec<&'e PathExpr>) {
    match &expr.from {
        From::Path(path) => paths.push(path),
        From::First(all) => all.iter().for_each(|one| collect_paths(one, paths)),
        From::Join { parts, .. } => parts.iter().for_each(|one| collect_paths(one, paths)),
        From::Template { pieces, .. } => {
            for piece in pieces {
                if let TemplatePiece::Path(path) = piece {
                    paths.push(path);
                }
            }
        }
        From::Digest { of, .. } => of.iter().for_each(|one| collect_paths(one, paths)),
        From::Literal(_) | From::Null | From::Json(_) | From::Lookup { .. } | From::Exists { .. } => {}
    }
}

//! Visits everything that an expression or a condition reads.

use crate::document::tape::{Segment, Selection};
use crate::mapping::model::{
    ColumnRule, Condition, Expr, From, KeyPart, Let, Parts, PathExpr, PathStep, Picked, Root, Rooted, Rule, Sought,
    TemplatePiece,
};
use crate::step::Step;

impl ColumnRule {
    /// Its expressions, `agrees_with` included.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        std::iter::once(&self.expr).chain(self.agrees.as_ref().map(|agrees| &agrees.expr))
    }
}

impl Rule {
    /// Every expression, each once: of `each`, columns and `let`s.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let columns = self.columns.iter().flat_map(ColumnRule::exprs);
        self.each_exprs().chain(columns).chain(self.lets.iter().map(|one| &one.expr))
    }
}

/// Something that is read or tested.
#[derive(Debug, Clone, Copy)]
pub enum Read<'m> {
    /// A path.
    Path(&'m PathExpr),
    /// A path of which only the presence or the type is tested.
    Test(&'m PathExpr),
    /// A path that is a part of a rule's key.
    Key(&'m PathExpr),
    /// The steps of an expression that has some, before what it reads.
    Steps(&'m [Step]),
    /// The values of a path with stars.
    Selected(&'m Rooted),
    /// The elements that a list inside an expression is made of.
    Each(&'m Rooted),
    /// What a JSON value leaves out, with the path of that value when it has one.
    Without(Option<&'m PathExpr>, &'m Selection),
    /// A row of a table.
    Row(&'m Sought),
    /// The set's namespace.
    Namespace,
    /// An expression that may lose some of what it reads, before that.
    Lossy(&'m Expr),
}

/// One thing that is read, with its surroundings.
pub struct Visit<'m, 'w> {
    /// What is read.
    pub read: Read<'m>,
    /// The selections around it, outermost first, each with its alternatives: inside them a path starts from their
    /// element.
    pub within: &'w [Vec<Rooted>],
    /// The line of the innermost expression.
    pub line: u32,
    /// Whether the value can be got back from what the whole expression gives, or the mapping says that less is enough:
    /// no step on the way narrows it, and it is neither hashed nor only tested.
    pub keeps: bool,
}

type Visitor<'m, 'v> = dyn FnMut(Visit<'m, '_>) + 'v;

/// Visits all that a rule reads: what its expressions do, then what it tests. A `let` is visited wherever it is used.
pub fn rule<'m>(rule: &'m Rule, visit: &mut Visitor<'m, '_>) {
    each(rule, visit);
    rule.columns.iter().flat_map(ColumnRule::exprs).for_each(|of| through(rule, of, visit));
    tests(rule, visit);
    deletion(rule, visit);
}

/// Visits what the expressions of a rule's `each` read, around the elements that they give.
pub fn each<'m>(rule: &'m Rule, visit: &mut Visitor<'m, '_>) {
    let outside = Rooted { root: Root::Outside, selection: Selection::default() };
    let within = vec![vec![outside]];
    let mut walk = Walk { lets: &rule.lets, open: Vec::new(), within, keeps: false, lossy: false, visit };
    rule.each_exprs().for_each(|of| walk.expr(of));
}

/// Visits what a rule reads for its condition and its key.
pub fn tests<'m>(rule: &'m Rule, visit: &mut Visitor<'m, '_>) {
    let mut walk = Walk { lets: &rule.lets, open: Vec::new(), within: Vec::new(), keeps: false, lossy: false, visit };
    if let Some(when) = &rule.when {
        walk.condition(when, rule.line_of("when"));
    }
    for part in &rule.key {
        if let KeyPart::Path(path) = part {
            walk.path(Read::Key(path), path, rule.line_of("key"));
        }
    }
}

/// Visits what a rule reads to know that an element removes rows.
pub fn deletion<'m>(rule: &'m Rule, visit: &mut Visitor<'m, '_>) {
    if let Some(delete) = &rule.delete {
        let mut walk =
            Walk { lets: &rule.lets, open: Vec::new(), within: Vec::new(), keeps: false, lossy: false, visit };
        walk.condition(delete, rule.line_of("delete"));
    }
}

/// Visits what an expression reads, from the outside in; not what the `let`s that it uses do.
pub fn expr<'m>(expr: &'m Expr, visit: &mut Visitor<'m, '_>) {
    Walk { lets: &[], open: Vec::new(), within: Vec::new(), keeps: true, lossy: false, visit }.expr(expr);
}

/// Visits what an expression of a rule reads, by the `let`s that it uses too.
pub fn through<'m>(rule: &'m Rule, expr: &'m Expr, visit: &mut Visitor<'m, '_>) {
    Walk { lets: &rule.lets, open: Vec::new(), within: Vec::new(), keeps: true, lossy: false, visit }.expr(expr);
}

/// Visits what a condition reads.
pub fn condition<'m>(condition: &'m Condition, line: u32, visit: &mut Visitor<'m, '_>) {
    Walk { lets: &[], open: Vec::new(), within: Vec::new(), keeps: false, lossy: false, visit }
        .condition(condition, line);
}

/// The values of a path as a selection: a pick may take any element.
pub fn selection_of(path: &PathExpr) -> Rooted {
    let segments = path.steps.iter().map(|step| match step {
        PathStep::Name(name) => Segment::Name(name.clone()),
        PathStep::Index(_) | PathStep::Pick { .. } => Segment::Elements,
    });
    Rooted { root: path.root.clone(), selection: Selection(segments.collect()) }
}

/// The paths of which an expression gives the first that is present.
fn paths_of(expr: &Expr) -> Vec<&PathExpr> {
    match &expr.from {
        From::Path(path) => vec![path],
        From::First(parts) => parts.iter().filter(|part| part.is_bare()).flat_map(paths_of).collect(),
        _ => Vec::new(),
    }
}

/// Whether an expression, apart from what stands beside it, may give something that is made and not read.
fn is_made(expr: &Expr) -> bool {
    match &expr.from {
        From::Path(_) | From::Literal(_) | From::Null => false,
        From::First(parts) => parts.iter().any(|part| !part.steps.is_empty() || is_made(part)),
        _ => true,
    }
}

/// The elements of the list that an expression gives, as far as they are values of the document: the parts of a text
/// are none.
fn elements_of(list: &Expr) -> Vec<Rooted> {
    match &list.from {
        _ if !list.steps.is_empty() => Vec::new(),
        From::Path(path) => {
            let mut rooted = selection_of(path);
            rooted.selection.0.push(Segment::Elements);
            vec![rooted]
        }
        From::Selected(rooted) => vec![rooted.clone()],
        From::First(parts) => parts.iter().flat_map(elements_of).collect(),
        _ => Vec::new(),
    }
}

struct Walk<'v, 'f, 'm> {
    /// The `let`s that are walked through where they are used.
    lets: &'m [Let],
    /// Those that are being walked through.
    open: Vec<&'m str>,
    within: Vec<Vec<Rooted>>,
    keeps: bool,
    /// Whether the mapping says that less than all is enough.
    lossy: bool,
    visit: &'v mut Visitor<'m, 'f>,
}

impl<'m> Walk<'_, '_, 'm> {
    fn visit(&mut self, read: Read<'m>, line: u32) {
        (self.visit)(Visit { read, within: &self.within, line, keeps: self.keeps });
    }

    fn path(&mut self, read: Read<'m>, path: &'m PathExpr, line: u32) {
        self.visit(read, line);
        for step in &path.steps {
            if let PathStep::Pick { equals: Picked::Path(path), .. } = step {
                self.losing(|walk| walk.path(Read::Path(path), path, line));
            }
        }
        let Root::Column(name) = &path.root else { return };
        if let Some(used) = self.lets.iter().find(|known| known.name == *name)
            && !self.open.contains(&used.name.as_str())
        {
            self.open.push(&used.name);
            self.expr(&used.expr);
            self.open.pop();
        }
    }

    /// Walks on with values that cannot be got back, unless the mapping says that less is enough.
    fn narrowing(&mut self, walk: impl FnOnce(&mut Self)) {
        if self.lossy { walk(self) } else { self.losing(walk) }
    }

    /// Walks on with values that are only tested.
    fn losing(&mut self, walk: impl FnOnce(&mut Self)) {
        let (keeps, lossy) = (std::mem::replace(&mut self.keeps, false), std::mem::replace(&mut self.lossy, false));
        walk(self);
        (self.keeps, self.lossy) = (keeps, lossy);
    }

    fn expr(&mut self, expr: &'m Expr) {
        if expr.lossy.is_some() {
            self.visit(Read::Lossy(expr), expr.line);
        }
        let outer = self.lossy;
        self.lossy |= expr.lossy.is_some() && self.keeps;
        self.parts(expr);
        self.lossy = outer;
    }

    fn parts(&mut self, expr: &'m Expr) {
        if !expr.steps.is_empty() {
            self.visit(Read::Steps(&expr.steps), expr.line);
        }
        if expr.steps.iter().all(Step::keeps) {
            self.source(expr);
        } else {
            self.narrowing(|walk| walk.source(expr));
        }
        for selection in &expr.without {
            let paths = paths_of(expr);
            if paths.is_empty() || is_made(expr) {
                self.visit(Read::Without(None, selection), expr.line);
            }
            paths.into_iter().for_each(|path| self.visit(Read::Without(Some(path), selection), expr.line));
        }
        if let Some(when) = &expr.when {
            self.losing(|walk| walk.condition(when, expr.line));
        }
    }

    fn source(&mut self, expr: &'m Expr) {
        let line = expr.line;
        match &expr.from {
            From::Path(path) => self.path(Read::Path(path), path, line),
            From::Selected(rooted) => self.visit(Read::Selected(rooted), line),
            From::Literal(_) | From::Null => {}
            From::First(parts) | From::Join { parts: Parts::Of(parts), .. } => {
                parts.iter().for_each(|part| self.expr(part));
            }
            From::Template(pieces) => {
                for piece in pieces {
                    if let TemplatePiece::Path(path) = piece {
                        self.path(Read::Path(path), path, line);
                    }
                }
            }
            From::Join { parts: Parts::In(list), .. } => self.expr(list),
            From::Object(members) => members.iter().for_each(|(_, member)| self.expr(member)),
            From::Each(of) => {
                match &of.each.from {
                    From::Selected(rooted) if of.each.is_bare() => self.visit(Read::Each(rooted), line),
                    _ => self.expr(&of.each),
                }
                self.within.push(elements_of(&of.each));
                of.member.iter().for_each(|member| self.expr(member));
                self.expr(&of.item);
                self.within.pop();
            }
            From::Digest { how, of, .. } => {
                if *how == crate::mapping::model::Digest::Uuid5 {
                    self.visit(Read::Namespace, line);
                }
                self.narrowing(|walk| of.iter().for_each(|part| walk.expr(part)));
            }
            From::Lookup(ways) => ways.iter().for_each(|row| self.row(row, line)),
        }
    }

    fn row(&mut self, row: &'m Sought, line: u32) {
        self.visit(Read::Row(row), line);
        row.by.iter().for_each(|by| self.expr(&by.expr));
    }

    fn condition(&mut self, condition: &'m Condition, line: u32) {
        match condition {
            Condition::Members(paths) => paths.iter().for_each(|path| self.path(Read::Test(path), path, line)),
            Condition::Equals(pairs) => pairs.iter().for_each(|(path, _)| self.path(Read::Path(path), path, line)),
            Condition::Type(pairs) => pairs.iter().for_each(|(path, _)| self.path(Read::Test(path), path, line)),
            Condition::Matches(pairs) => pairs.iter().for_each(|(path, _)| self.path(Read::Path(path), path, line)),
            Condition::Exists(ways) => ways.iter().for_each(|row| self.row(row, line)),
            Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| self.condition(one, line)),
            Condition::Not(one) => self.condition(one, line),
        }
    }
}

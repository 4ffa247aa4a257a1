//! Checks that every name that a mapping uses is defined by it or by its set.

use super::doc::Doc;
use super::loaded::Loaded;
use crate::document::tape::Segment;
use crate::error::Hint;
use crate::finding::Code;
use crate::mapping::model::{Condition, KeyPart, Mapping, PathExpr, Pattern, Root, Rule, Set, Shape, TypeName};
use crate::mapping::walk::{self, Read};
use crate::mapping::{codes, suggest};

/// Context names that the engine itself sets.
const CONTEXT: [&str; 6] = ["owner", "position", "index", "file", "stem", "started"];

/// Checks the names of one mapping; `set_known` is false when set.toml could not be read.
pub(super) fn check(set: &Set, set_known: bool, loaded: &Loaded) {
    let mapping = &loaded.mapping;
    let (doc, shared) = (&loaded.doc, shared_context(mapping));
    let names = Names { doc, set, set_known, mapping, loaded, shared };
    names.captures();
    names.shapes();
    names.rules();
    names.ignored();
    for path in &mapping.source.newest {
        let scope = Scope { what: "`newest`", rule: None, names: Vec::new() };
        names.path(path, loaded.mapping.source.shapes.first().map_or(1, |shape| shape.line), &scope);
    }
}

fn shared_context(mapping: &Mapping) -> Vec<&str> {
    let captures = mapping.source.files.iter().flat_map(Pattern::captures);
    captures.chain(mapping.source.shapes.iter().flat_map(|shape| shape.key_as.iter().map(String::as_str))).collect()
}

struct Names<'l> {
    doc: &'l Doc,
    set: &'l Set,
    set_known: bool,
    mapping: &'l Mapping,
    loaded: &'l Loaded,
    /// The context that patterns and shapes give.
    shared: Vec<&'l str>,
}

/// What names mean at one spot.
struct Scope<'l> {
    what: &'l str,
    rule: Option<&'l Rule>,
    /// Columns and lets.
    names: Vec<&'l str>,
}

impl<'l> Names<'l> {
    fn refuse(&self, code: &Code, line: u32, message: impl Into<String>, hint: impl Hint) {
        self.doc.refuse(code, line, message, hint);
    }

    /// No capture is called like what the engine itself sets. The owner's directory may be captured as `owner`, which is
    /// what `#owner` means.
    fn captures(&self) {
        let captures = self.set.owners.as_ref().map(|owners| &owners.captures);
        let is_owners = |name: &str| name == "owner" && captures.is_none_or(|all| all.iter().any(|one| one == name));
        for (pattern, line) in self.mapping.source.files.iter().zip(&self.loaded.pattern_lines) {
            for name in pattern.captures().filter(|name| CONTEXT.contains(name) && !is_owners(name)) {
                let message = format!("`{{{name}}}` in `{}` has the name of what treelift sets itself", pattern.text);
                let hint = format!("call the capture otherwise, such as `{{{name}_name}}`");
                self.refuse(&codes::NAME_TWICE, *line, message, hint);
            }
        }
    }

    fn shapes(&self) {
        let shapes = &self.mapping.source.shapes;
        for (at, shape) in shapes.iter().enumerate() {
            if !shape.name.is_empty() && shapes[..at].iter().any(|other| other.name == shape.name) {
                self.refuse(&codes::NAME_TWICE, shape.line, format!("two shapes are named `{}`", shape.name), None);
            }
            if let Some(hidden) = shapes[at + 1..].iter().find(|later| takes_all_of(shape, later)) {
                let message = format!(
                    "shape `{}` takes every document of shape `{}`, which is never reached",
                    shape.name, hidden.name
                );
                let hint = format!("put `{}` first, or give `{}` a `when`", hidden.name, shape.name);
                self.refuse(&codes::SHAPE_UNREACHABLE, shape.line, message, hint);
            }
            let captures = self.mapping.source.files.iter().flat_map(Pattern::captures);
            self.key_as(&shape.key_as, shape.line, captures);
            if let Some(when) = &shape.when {
                let scope = Scope { what: "a shape", rule: None, names: Vec::new() };
                let mut asks_for_rows = false;
                walk::condition(when, shape.line, &mut |visit| {
                    // Lookups and `exists` inside of `by` stand in one of these.
                    asks_for_rows |= matches!(visit.read, Read::Row(_));
                    self.read(&visit, &scope);
                });
                if asks_for_rows {
                    let message = "`exists` is not supported in a shape";
                    self.refuse(&codes::NOT_SUPPORTED, shape.line, message, "test it in the `when` of a rule");
                }
            }
        }
    }

    fn key_as<'n>(&self, names: &[String], line: u32, taken: impl Iterator<Item = &'n str>) {
        let taken: Vec<&str> = taken.chain(CONTEXT).collect();
        for (at, name) in names.iter().enumerate() {
            if taken.contains(&name.as_str()) || names[..at].contains(name) {
                let message = format!("`#{name}` is already in use");
                self.refuse(&codes::NAME_TWICE, line, message, "choose another name for `key_as`");
            }
        }
    }

    /// `"#name"` in `[ignore]` is what a `key_as` calls member names: of a capture nothing is left to ignore.
    fn ignored(&self) {
        let shapes = self.mapping.source.shapes.iter().flat_map(|shape| &shape.key_as);
        let given: Vec<&String> = shapes.chain(self.mapping.rules.iter().flat_map(|rule| &rule.key_as)).collect();
        for ignored in self.mapping.ignore_names.iter().filter(|ignored| !given.contains(&&ignored.name)) {
            let message = format!("`#{}` under [ignore]: no `key_as` calls member names so", ignored.name);
            let hint = suggest::hint(&ignored.name, given.iter().map(|name| name.as_str()));
            self.refuse(&codes::NAME_UNKNOWN, ignored.line, message, hint);
        }
    }

    fn rules(&self) {
        for rule in &self.mapping.rules {
            self.links(rule);
            self.twice(rule);
            let names = rule.columns.iter().map(|column| column.name.as_str());
            let names: Vec<_> = names.chain(rule.lets.iter().map(|one| one.name.as_str())).collect();
            let scope = Scope { what: "the rule", rule: Some(rule), names };
            self.key(rule);
            self.key_as(&rule.key_as, rule.line_of("key_as"), self.shared.iter().copied());
            let lets = rule.lets.iter().map(|one| one.name.as_str()).collect();
            let around = Scope { what: "the mapping, where `each` is worked out", rule: Some(rule), names: lets };
            walk::rule(rule, &mut |visit| {
                let is_around =
                    visit.within.first().is_some_and(|within| within.iter().any(|one| one.root == Root::Outside));
                self.read(&visit, if is_around { &around } else { &scope });
            });
            self.cycles(rule);
        }
    }

    /// `parent` and `shapes`.
    fn links(&self, rule: &Rule) {
        let rules = &self.mapping.rules;
        let mut seen = vec![rule.name.as_str()];
        let mut at = rule;
        while let Some(parent) = at.parent.as_deref() {
            match rules.iter().find(|other| other.name == parent) {
                None if at.name == rule.name => {
                    let names: Vec<_> =
                        rules.iter().filter(|other| other.name != rule.name).map(|other| other.name.as_str()).collect();
                    let message = format!("rule `{}` has an unknown parent `{parent}`", rule.name);
                    self.refuse(&codes::NAME_UNKNOWN, rule.line_of("parent"), message, suggest::hint(parent, names));
                    break;
                }
                // Reported at the rule above.
                None => break,
                Some(_) if parent == rule.name => {
                    let message = format!("rule `{}` is its own ancestor", rule.name);
                    self.refuse(&codes::SELF_MADE, rule.line_of("parent"), message, None);
                    break;
                }
                Some(_) if seen.contains(&parent) => break,
                Some(next) => {
                    seen.push(parent);
                    at = next;
                }
            }
        }
        let shapes = &self.mapping.source.shapes;
        for name in &rule.shapes {
            let named = shapes.iter().filter(|shape| !shape.name.is_empty());
            match named.clone().find(|shape| shape.name == *name) {
                None => {
                    let message = format!("rule `{}` is for an unknown shape `{name}`", rule.name);
                    let hint = suggest::hint(name, named.map(|shape| shape.name.as_str()));
                    self.refuse(&codes::NAME_UNKNOWN, rule.line_of("shapes"), message, hint);
                }
                Some(shape) if shape.ignore.is_some() => {
                    let message = format!("rule `{}` is for shape `{name}`, which is ignored", rule.name);
                    self.refuse(&codes::SAYING_EMPTY, rule.line_of("shapes"), message, None);
                }
                Some(_) => {}
            }
        }
    }

    fn twice(&self, rule: &Rule) {
        let columns = rule.columns.iter().map(|column| (column.name.as_str(), column.line));
        // A row has as many as columns of it are used.
        let lets = rule.lets.iter().map(|one| (one.name.split('.').next().unwrap_or_default(), one.expr.line));
        let mut seen = Vec::new();
        for (name, line) in columns.chain(lets) {
            if seen.contains(&name) && rule.column(name).is_some() {
                let message = format!("rule `{}` uses the name `{name}` twice", rule.name);
                self.refuse(&codes::NAME_TWICE, line, message, "columns and `let` share their names");
            }
            seen.push(name);
        }
    }

    /// The columns of the key.
    fn key(&self, rule: &Rule) {
        for part in &rule.key {
            let KeyPart::Column(name) = part else { continue }; // a path is read as any other
            let column = rule.column(name);
            if column.is_some_and(|column| column.protection.is_some()) {
                let message = format!("the key of rule `{}` names `{name}`, which holds a secret", rule.name);
                self.refuse(&codes::NAME_UNKNOWN, rule.line_of("key"), message, "choose columns that can be compared");
            } else if column.is_none() {
                let names = rule.columns.iter().map(|column| column.name.as_str());
                let hint = suggest::nearest(name, names).map_or_else(
                    || format!("give the column a value in the rule, or write `.{name}` for a path"),
                    |meant| format!("did you mean `{meant}`?"),
                );
                self.refuse(&codes::NAME_UNKNOWN, rule.line_of("key"), rule.key_lacks(name), hint);
            }
        }
    }

    fn read(&self, visit: &walk::Visit<'_, '_>, scope: &Scope<'_>) {
        match visit.read {
            Read::Path(path) | Read::Test(path) | Read::Key(path) => self.path(path, visit.line, scope),
            Read::Namespace if self.set_known && self.set.namespace.is_none() => {
                let hint = "add `namespace = \"a UUID\"` to set.toml";
                self.refuse(&codes::NAMESPACE_MISSING, visit.line, "`uuid5` needs a namespace", hint);
            }
            _ => {}
        }
    }

    fn path(&self, path: &PathExpr, line: u32, scope: &Scope<'_>) {
        match &path.root {
            Root::Element | Root::Record | Root::Frame | Root::Outside => {}
            Root::Above { rule, .. } => self.above(rule, line, scope),
            Root::Parent(column) => {
                if scope.rule.is_none_or(|rule| rule.parent.is_none()) {
                    let message = format!("`^{column}` needs a parent, and {} has none", scope.what);
                    self.refuse(&codes::NAME_UNKNOWN, line, message, "add `parent = \"rule\"`");
                }
            }
            Root::Column(name) => self.column(name, line, scope),
            Root::Context(name) => self.context(name, line),
        }
    }

    /// `^RULE.column`: a rule above, or the rule itself where it makes rows of rows.
    fn above(&self, name: &str, line: u32, scope: &Scope<'_>) {
        let Some(rule) = scope.rule else {
            let message = format!("`^{name}.…` needs a row above, and {} has none", scope.what);
            return self.refuse(&codes::NAME_UNKNOWN, line, message, "only rules have rows above them");
        };
        let mut above: Vec<&str> = rule.recurse.iter().map(|_| rule.name.as_str()).collect();
        let mut at = rule;
        while let Some(parent) = self.mapping.parent_of(at).filter(|parent| !above.contains(&parent.name.as_str())) {
            above.push(&parent.name);
            at = parent;
        }
        if !above.contains(&name) {
            let message =
                format!("`^{name}.…` needs a row above that rule `{name}` made, and rule `{}` has none", rule.name);
            let hint =
                if above.is_empty() { Some("add `parent = \"rule\"`".to_owned()) } else { suggest::hint(name, above) };
            self.refuse(&codes::NAME_UNKNOWN, line, message, hint);
        }
    }

    fn column(&self, name: &str, line: u32, scope: &Scope<'_>) {
        let column = scope.rule.and_then(|rule| rule.column(name));
        if column.is_some_and(|column| column.protection.is_some()) {
            let message = format!("`={name}` is a secret, which no other expression can use");
            self.refuse(&codes::NAME_UNKNOWN, line, message, "take what it is made of from the source");
        } else if scope.names.iter().any(|known| known.strip_prefix(name).is_some_and(|of| of.starts_with('.'))) {
            let message = format!("`={name}` is a row of a table");
            self.refuse(&codes::NAME_UNKNOWN, line, message, format!("name a column of it: `={name}.column`"));
        } else if !scope.names.contains(&name) {
            let message = format!("`={name}` is neither a column nor a `let` of {}", scope.what);
            self.refuse(&codes::NAME_UNKNOWN, line, message, suggest::hint(name, scope.names.clone()));
        }
    }

    fn context(&self, name: &str, line: u32) {
        // What another rule's `each` sets is missing here, which is allowed.
        let key_as = self.mapping.rules.iter().flat_map(|rule| rule.key_as.iter().map(String::as_str));
        let given: Vec<_> = self.shared.iter().copied().chain(key_as).chain(CONTEXT).collect();
        let owner = name == "owner" || name.starts_with("owner.");
        if owner && !given[..given.len() - CONTEXT.len()].contains(&name) {
            if self.set_known && self.set.owners.is_none() {
                let hint = "add `[owners]`, or capture what is meant in `files`, as `{name}`, and write `#name`";
                self.refuse(&codes::NAME_UNKNOWN, line, format!("`#{name}` needs `[owners]` in set.toml"), hint);
            }
        } else if !given.contains(&name) && self.loaded.knows_patterns {
            let message = format!("nothing sets the context `#{name}`");
            self.refuse(&codes::NAME_UNKNOWN, line, message, suggest::hint(name, given));
        }
    }

    /// A column must not depend on itself.
    fn cycles(&self, rule: &Rule) {
        let columns = rule.columns.iter().map(|column| {
            let agrees = column.agrees.as_ref().map(|agrees| &agrees.expr);
            (column.name.as_str(), &column.expr, agrees, column.line)
        });
        let lets = rule.lets.iter().map(|one| (one.name.as_str(), &one.expr, None, one.expr.line));
        let needs: Vec<_> = columns
            .chain(lets)
            .map(|(name, expr, other, line)| {
                let mut needs = Vec::new();
                for expr in [Some(expr), other].into_iter().flatten() {
                    walk::expr(expr, &mut |visit| {
                        if let Read::Path(PathExpr { root: Root::Column(name), .. })
                        | Read::Test(PathExpr { root: Root::Column(name), .. }) = visit.read
                        {
                            needs.push(name.as_str());
                        }
                    });
                }
                (name, needs, line)
            })
            .collect();
        for (at, (name, _, line)) in needs.iter().enumerate() {
            let mut chain = vec![*name];
            // Each cycle is reported once, at its first name.
            if comes_back(&needs, name, &mut chain)
                && !needs[..at].iter().any(|(earlier, _, _)| chain.contains(earlier))
            {
                let chain = chain.iter().map(|name| format!("`={name}`")).collect::<Vec<_>>().join(" needs ");
                let message = format!("{chain} needs `={name}`: a value cannot depend on itself");
                self.refuse(&codes::SELF_MADE, *line, message, None);
            }
        }
    }
}

/// Whether a shape fits whatever document a later one fits.
fn takes_all_of(shape: &Shape, later: &Shape) -> bool {
    if shape.when.is_some() {
        return false;
    }
    let Some((names, wanted)) = shape.need() else { return true };
    let suits = |found: Option<TypeName>| wanted.is_none() || found == wanted;
    let leads_there = later.need().is_some_and(|(others, found)| {
        let through = others.len() > names.len() && others.starts_with(names);
        (others == names && suits(found)) || (through && suits(Some(TypeName::Object)))
    });
    leads_there || later.when.as_ref().is_some_and(|when| tests_type(when, names, &suits))
}

/// Whether a condition holds only where this path has a type that suits.
fn tests_type(condition: &Condition, names: &[Segment], suits: &dyn Fn(Option<TypeName>) -> bool) -> bool {
    match condition {
        Condition::Type(pairs) => {
            pairs.iter().any(|(path, found)| walk::selection_of(path).selection.0 == names && suits(Some(*found)))
        }
        Condition::All(all) => all.iter().any(|one| tests_type(one, names, suits)),
        _ => false,
    }
}

/// Whether what the last of `chain` needs leads back to `start`; `chain` is then the cycle.
fn comes_back<'n>(needs: &[(&'n str, Vec<&'n str>, u32)], start: &str, chain: &mut Vec<&'n str>) -> bool {
    let last = chain.last().copied().unwrap_or_default();
    let Some((_, next, _)) = needs.iter().find(|(name, _, _)| *name == last) else {
        return false;
    };
    for name in next {
        if *name == start {
            return true;
        }
        if !chain.contains(name) {
            chain.push(name);
            if comes_back(needs, start, chain) {
                return true;
            }
            chain.pop();
        }
    }
    false
}

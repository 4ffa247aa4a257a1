//! `lossy` stands where something may be lost, and nowhere else.

use super::spot::Spot;
use crate::mapping::codes;
use crate::mapping::model::{ColumnRule, Expr, From, Parts, PathExpr, Root, Rule, Sought, TemplatePiece};
use crate::mapping::walk::{self, Read};
use crate::step::{OutputType, Step};
use crate::table::ColumnType;

pub(super) fn check(spot: &Spot<'_>) {
    for column in &spot.rule.columns {
        let loss = Loss { rule: spot.rule, only_day: is_day(spot, column) };
        let reads = spot.table.column(&column.name).and_then(|known| spot.set.reads(known));
        let narrows = reads.is_some_and(|reads| reads.steps.iter().any(|step| !step.keeps()));
        let outer = column.agrees.is_some() || narrows;
        judge(spot, &column.expr, &|expr| loss.of(expr, 0) || (outer && std::ptr::eq(expr, &raw const column.expr)));
        if let Some(agrees) = &column.agrees {
            judge(spot, &agrees.expr, &|expr| loss.of(expr, 0));
        }
        if column.protection.is_some() {
            keeps_secrets(spot, column);
        }
    }
    // A `[let]` may be a day's.
    let loss = Loss { rule: spot.rule, only_day: true };
    for expr in spot.rule.lets.iter().map(|one| &one.expr).chain(spot.rule.each_exprs()) {
        judge(spot, expr, &|expr| loss.of(expr, 0));
    }
}

/// Whether a column keeps no more of a time than its day.
fn is_day(spot: &Spot<'_>, column: &ColumnRule) -> bool {
    spot.table.column(&column.name).is_some_and(|known| matches!(known.kind, ColumnType::Date(_)))
}

fn judge(spot: &Spot<'_>, expr: &Expr, loses: &dyn Fn(&Expr) -> bool) {
    walk::expr(expr, &mut |visit| {
        let Read::Lossy(expr) = visit.read else { return };
        let message = if !visit.keeps {
            "`lossy` has no effect: what is made of the value keeps nothing of it"
        } else if !loses(expr) {
            "`lossy` has no effect: the value can be got back"
        } else {
            return;
        };
        spot.refuse(&codes::LOSSY_IDLE, expr.line, message.to_owned(), codes::LOSSY_IDLE.help);
    });
}

/// A secret that is lost is dropped by name.
fn keeps_secrets(spot: &Spot<'_>, column: &ColumnRule) {
    walk::expr(&column.expr, &mut |visit| {
        if let Read::Lossy(expr) = visit.read {
            let message = format!("`lossy` has no effect on the secret for `{}`", column.name);
            let hint = "name what is not kept of it under `[table.NAME.drop]`, with the reason";
            spot.refuse(&codes::LOSSY_IDLE, expr.line, message, hint);
        }
    });
}

/// What may be lost of what an expression reads.
struct Loss<'l> {
    rule: &'l Rule,
    /// Whether a time may lose its time of day.
    only_day: bool,
}

impl Loss<'_> {
    fn of(&self, expr: &Expr, depth: u32) -> bool {
        // The loader reports a cycle.
        depth <= 16 && (self.by_steps(expr) || self.of_source(expr, depth))
    }

    /// What is in it; one with a `lossy` of its own loses nothing without it.
    fn inside(&self, expr: &Expr, depth: u32) -> bool {
        expr.lossy.is_none() && self.of(expr, depth + 1)
    }

    fn by_steps(&self, expr: &Expr) -> bool {
        let gives_time =
            |step: &Step| matches!(step.output(), OutputType::Time | OutputType::Instant | OutputType::Civil);
        expr.steps.iter().any(|step| !step.keeps()) || (self.only_day && expr.steps.iter().any(gives_time))
    }

    fn of_source(&self, expr: &Expr, depth: u32) -> bool {
        match &expr.from {
            From::Literal(_) | From::Null | From::Selected(_) => false,
            From::Path(path) => self.of_path(path, depth),
            From::First(parts) => {
                let of_source = parts.iter().filter(|part| reads_source(part)).count();
                of_source > 1 || parts.iter().any(|part| self.inside(part, depth))
            }
            From::Template(pieces) => pieces.iter().any(|piece| match piece {
                TemplatePiece::Path(path) => self.of_path(path, depth),
                TemplatePiece::Text(_) => false,
            }),
            From::Join { parts: Parts::Of(parts), .. } => parts.iter().any(|part| self.inside(part, depth)),
            // An empty part is left out.
            From::Join { parts: Parts::In(list), .. } => self.splits(list, depth) || self.inside(list, depth),
            From::Object(members) => members.iter().any(|(_, member)| self.inside(member, depth)),
            From::Each(each) => [Some(&each.each), each.member.as_ref(), Some(&each.item)]
                .into_iter()
                .flatten()
                .any(|part| self.inside(part, depth)),
            From::Digest { of, .. } => of.iter().any(reads_source),
            From::Lookup(ways) => ways.len() > 1 || ways.iter().any(|row| self.by(row, depth)),
        }
    }

    /// Whether it may give the parts of a text.
    fn splits(&self, expr: &Expr, depth: u32) -> bool {
        let inside = |inside: &Expr| depth <= 16 && self.splits(inside, depth + 1);
        expr.steps.iter().any(|step| step.output() == OutputType::List)
            || match &expr.from {
                From::First(parts) => parts.iter().any(inside),
                From::Each(each) => inside(&each.each),
                From::Path(PathExpr { root: Root::Column(name), .. }) => {
                    self.rule.let_of(name).is_some_and(|one| inside(&one.expr))
                }
                _ => false,
            }
    }

    /// What is compared may be no more than like the column.
    fn by(&self, row: &Sought, depth: u32) -> bool {
        row.by.iter().any(|by| !by.form.is_plain() || self.inside(&by.expr, depth))
    }

    fn of_path(&self, path: &PathExpr, depth: u32) -> bool {
        let Root::Column(name) = &path.root else { return false };
        self.rule.let_of(name).is_some_and(|one| self.inside(&one.expr, depth))
    }
}

/// Whether an expression reads anything of the source.
fn reads_source(expr: &Expr) -> bool {
    let mut reads = false;
    walk::expr(expr, &mut |visit| reads |= matches!(visit.read, Read::Path(_) | Read::Selected(_) | Read::Each(_)));
    reads
}

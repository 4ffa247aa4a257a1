//! Why what a row claims is left out, in words.

use super::sheet::Why;
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::{Expr, KeyPart, PathExpr, Root, Rule, Sought};
use crate::mapping::walk::{self, Read};

/// What is left out, and why.
pub(super) fn said(why: Why, rule: &CompiledRule, model: &Rule) -> (String, String) {
    let part = match why {
        Why::Dropped(at) => Some(model.drops[at].selection.to_string()),
        Why::NotConvertible(Some(at)) | Why::Dangling(Some(at)) | Why::Skipped(Some(at)) => {
            Some(rule.fields[at].column.name.clone())
        }
        _ => None,
    };
    let what = part.map_or_else(|| rule.name.clone(), |part| format!("{}.{part}", rule.name));
    let says = match why {
        Why::Dropped(at) => model.drops[at].reason.clone(),
        Why::Filled => "superseded by the value that the row has".to_owned(),
        Why::Kept => "the database's row was kept".to_owned(),
        Why::Superseded => "superseded by an earlier row of the same key".to_owned(),
        Why::Replaced => "superseded by a later row of the same key".to_owned(),
        Why::Removed => format!("removes {} {}", rule.table.name, rule.key_names.join(", ")),
        Why::NotConvertible(Some(at)) => format!("could not be read as {}", rule.fields[at].column.declared),
        Why::NotConvertible(None) => "could not be read".to_owned(),
        Why::Dangling(at) => leads_nowhere(model, at),
        Why::Skipped(_) => "skipped: null or empty".to_owned(),
        Why::EmptySecret => "empty secret".to_owned(),
        _ => "makes no row: its secret is empty".to_owned(),
    };
    (what, says)
}

/// The references that lead nowhere: of a column, or of what stands in none, the elements and the key.
fn leads_nowhere(model: &Rule, field: Option<usize>) -> String {
    let mut places: Vec<String> = Vec::new();
    let lets_of_key = model.key.iter().filter_map(|part| match part {
        KeyPart::Path(PathExpr { root: Root::Column(name), .. }) => model.let_of(name),
        _ => None,
    });
    let exprs: Vec<&Expr> = match field {
        Some(at) => vec![&model.columns[at].expr],
        None => model.each_exprs().chain(lets_of_key.map(|one| &one.expr)).collect(),
    };
    for expr in exprs {
        walk::through(model, expr, &mut |visit| {
            if let Read::Row(Sought { table, column, .. }) = visit.read {
                let place = column.as_ref().map_or_else(|| table.clone(), |column| format!("{table}.{column}"));
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        });
    }
    format!("leads nowhere in {}", places.join(" or "))
}

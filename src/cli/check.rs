//! `treelift check`

use super::args::CheckArgs;
use super::judged::{against_words, valid};
use super::mapping_set;
use super::output::Output;
use super::variants::Variants;
use super::watch;
use crate::against::{self, Manner, Undecided};
use crate::error::{Error, Result};
use crate::finding::Severity;
use crate::judge::judge_both_ways;
use crate::mapping::bundled;
use crate::mapping::editor_schema::editor_schema;
use crate::mapping::model::Set;
use crate::source::walk::walk;
use crate::table::Schema;
use serde_json::{Value, json};
use std::path::Path;

/// Checks mapping sets, or prints the schema that editors validate their files with.
pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<u8> {
    if let Some(of) = args.print_schema {
        let text = editor_schema(of);
        let document: Value = serde_json::from_str(&text).map_err(|_| Error::bug("the editor schema is not JSON"))?;
        output.result(&text, &document)?;
        return Ok(0);
    }
    if let Some(tree) = &args.against {
        let manner = Manner { depth: args.max_depth, sample: args.sample };
        return if args.watch {
            watch::run(args.set.as_deref(), tree, manner, output)
        } else {
            against_tree(args, tree, manner, output)
        };
    }
    let mut variants = Variants::of(args)?;
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for source in &bundled::named_or_all(mapping_set::given(args.set.as_deref())?.as_deref())? {
        match judge_both_ways(source) {
            Ok((set, schema)) => {
                let (compared, found) = variants.compare(source, &set)?;
                if found.is_empty() {
                    output.part(&valid(&set, &schema))?;
                }
                errors.extend(found);
                documents.push(document(&set, &schema, compared));
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    output.result("", &json!({ "sets": documents }))?;
    variants.tell(output);
    Ok(0)
}

fn against_tree(args: &CheckArgs, tree: &Path, manner: Manner, output: &Output) -> Result<u8> {
    let (source, root) = against::choose(mapping_set::given(args.set.as_deref())?.as_deref(), tree, against::BY_NAME)?;
    let (set, schema) = judge_both_ways(&source)?;
    let mut variants = Variants::of(args)?;
    let (compared, found) = variants.compare(&source, &set)?;
    if let Some(error) = Error::all(found) {
        return Err(error);
    }
    let (mut words, mut document) = (valid(&set, &schema), document(&set, &schema, compared));
    let judgement = against::against(set, schema, walk(&root)?, manner)?;
    words += &against_words(&judgement, &root);
    document["files"] = json!({
        "mapped": judgement.files[0], "ignored": judgement.files[1], "unmapped": judgement.files[2],
    });
    if let Some(read) = judgement.sample {
        document["sample"] = json!(read);
    }
    document["broken"] = judgement
        .broken
        .iter()
        .map(|(path, finding)| json!({ "file": path, "code": finding.code.id, "message": finding.message }))
        .collect();
    document["undecided"] = judgement
        .undecided
        .iter()
        .map(|Undecided { first, count }| {
            json!({
                "code": first.code, "severity": first.severity, "message": first.message, "subject": first.subject,
                "place": first.place, "count": count,
            })
        })
        .collect();
    document["unused"] = judgement
        .unused
        .iter()
        .map(|unused| {
            json!({ "code": unused.code.id, "mapping": unused.mapping, "place": unused.place, "message": unused.message })
        })
        .collect();
    output.result(&words, &json!({ "sets": [document] }))?;
    variants.tell(output);
    let is_error = |of: &Undecided| of.first.severity == Severity::Error;
    Ok(u8::from(!judgement.broken.is_empty() || judgement.undecided.iter().any(is_error)))
}

fn document(set: &Set, schema: &Schema, compared: Option<Value>) -> Value {
    let mut document = json!({
        "set": set.name, "folder": set.folder, "digest": set.digest,
        "mappings": set.mappings.len(), "rules": set.rules().count(), "tables": schema.tables.len(),
    });
    if let Some(compared) = compared {
        document["compared"] = compared;
    }
    document
}

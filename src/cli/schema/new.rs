//! `treelift schema new`

use crate::cli::args::schema::NewArgs;
use crate::cli::managed;
use crate::cli::mapping_set;
use crate::cli::output::Output;
use crate::database::drift_sql::BY_HAND;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::load::SetSource;
use crate::migrations::{named_set, new_pair};
use crate::report::words::count;
use serde_json::json;

/// Writes a new pair of migration files.
pub(super) fn run(args: &NewArgs, output: &Output) -> Result<u8> {
    // The set alone tells the next number: without drift no database is needed.
    let (content, url, (source, set)) = if args.from_drift {
        let managed = managed::open(&args.managed)?;
        let url = managed.database().url().to_owned();
        (Some(managed.drift_as_migration()?), url, managed.into_set())
    } else {
        (None, String::new(), named_set(mapping_set::given(args.managed.mappings.as_deref())?.as_deref())?)
    };
    let SetSource::Folder(folder) = source else {
        return Err(Error::request(format!(
            "the mapping set `{}` is bundled, so nothing can be added to it",
            set.name
        ))
        .hint("name a folder with `--mappings DIR`"));
    };
    let pair = new_pair(&folder, &set.migrations, &args.name, content, args.dry_run)?;
    let document = json!({ "dry_run": args.dry_run, "pair": pair });
    let Some(pair) = pair else {
        let url = printable(&url);
        output.result(&format!("nothing differs in {url}, so nothing was written\n"), &document)?;
        return Ok(0);
    };
    let (up, down) = (printable(&pair.up.display().to_string()), printable(&pair.down.display().to_string()));
    let mut words = if args.dry_run {
        format!("would write {up}:\n{}\nwould write {down}:\n{}", pair.up_sql, pair.down_sql)
    } else {
        format!("written: {up}\nwritten: {down}\n")
    };
    if pair.by_hand > 0 {
        let (differences, need) =
            (count(pair.by_hand as u64, "difference"), if pair.by_hand == 1 { "needs" } else { "need" });
        words +=
            &format!("{differences} {need} manual action, see `{}` in {up}\n", BY_HAND.trim_end_matches([':', ' ']));
    }
    output.outcome(&words, &document);
    Ok(0)
}

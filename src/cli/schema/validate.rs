//! `treelift schema validate`

use crate::cli::args::schema::ValidateArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::database::upkeep::Moved;
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::count;
use crate::report::{CheckReport, CheckStatus};
use crate::validate::Category;
use serde_json::json;

/// Validates the database, or moves its orphans aside.
pub(super) fn run(args: &ValidateArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let url = managed.database().url().to_owned();
    if args.fix_orphans {
        let named = managed::named(&args.managed, managed.database(), Some(&managed.set().name))?;
        let moved =
            managed::change(&args.change, named.as_deref(), output, |options, ui| managed.fix_orphans(options, ui))?;
        let document = json!({ "target": url, "dry_run": args.change.dry_run, "moved": moved });
        output.result(&orphans(&moved, &url, args.change.dry_run), &document)?;
        return Ok(0);
    }
    // No category is every one.
    let wanted: Vec<Category> = args.category.iter().copied().collect::<Option<_>>().unwrap_or_default();
    let checks = managed.validate(&wanted)?;
    let failed = checks.iter().filter(|check| check.status == CheckStatus::Failed).count();
    let document = json!({
        "target": url,
        "verdict": if failed == 0 { "passed" } else { "failed" },
        "checks": checks,
    });
    output.result(&words(&checks, &url, output.is_quiet()), &document)?;
    Ok(u8::from(failed > 0))
}

/// In quiet mode, failed checks and the last line alone.
fn words(checks: &[CheckReport], url: &str, quiet: bool) -> String {
    let mut words = String::new();
    for category in Category::ALL {
        let is_told = |check: &&CheckReport| !quiet || check.status == CheckStatus::Failed;
        let of_it = checks.iter().filter(|check| check.category == category.name());
        let of_it: Vec<_> = of_it.filter(is_told).collect();
        if of_it.is_empty() {
            continue; // It was not asked for, or quiet mode hides it.
        }
        words += &format!("{}\n", category.name());
        for check in of_it {
            let status = match check.status {
                CheckStatus::Passed => "passed",
                CheckStatus::Failed => "FAILED",
                CheckStatus::NotChecked => "not checked",
            };
            let detail = check.detail.as_deref().filter(|detail| !detail.is_empty());
            let name = printable(&check.name);
            match (detail, check.status) {
                (Some(detail), CheckStatus::Failed) => {
                    words += &format!("  {status:12}{name}\n");
                    for one in detail.split("; ") {
                        words += &format!("              - {}\n", printable(one));
                    }
                }
                (Some(detail), _) => words += &format!("  {status:12}{name} ({})\n", printable(detail)),
                (None, _) => words += &format!("  {status:12}{name}\n"),
            }
        }
    }
    let of = |status| checks.iter().filter(|check| check.status == status).count() as u64;
    let (passed, failed, open) = (of(CheckStatus::Passed), of(CheckStatus::Failed), of(CheckStatus::NotChecked));
    let verdict = if failed == 0 { "verified" } else { "failed" };
    words + &format!("{verdict}: {passed} passed, {failed} failed, {open} not checked in {}\n", printable(url))
}

fn orphans(moved: &[Moved], url: &str, dry: bool) -> String {
    let mut words = String::new();
    for one in moved {
        words += &format!("{}: {} ({})\n", printable(&one.table), count(one.rows, "row"), printable(&one.reference));
    }
    let rows = count(moved.iter().map(|one| one.rows).sum(), "row");
    words
        + &match (moved.is_empty(), dry) {
            (true, _) => format!("no orphans in {}\n", printable(url)),
            (false, true) => format!("dry run: {rows} would be moved into `treelift_orphans`, nothing was changed\n"),
            (false, false) => format!("committed: {rows} moved into `treelift_orphans`\n"),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_listed_line_by_line_below_their_check() {
        let check = |name: &str, category: &str, status, detail: &str| CheckReport {
            name: name.to_owned(),
            category: category.to_owned(),
            status,
            detail: Some(detail.to_owned()),
        };
        let checks = [
            check("tables", "schema", CheckStatus::Failed, "table `a` is missing; table `b` is not expected"),
            check("rows", "data", CheckStatus::Passed, "3 rows"),
            check("mode", "security", CheckStatus::NotChecked, "it is not a file"),
        ];
        assert_eq!(
            words(&checks, "x.db", false),
            "\
schema
  FAILED      tables
              - table `a` is missing
              - table `b` is not expected
data
  passed      rows (3 rows)
security
  not checked mode (it is not a file)
failed: 1 passed, 1 failed, 1 not checked in x.db
"
        );
        assert_eq!(
            words(&checks, "x.db", true),
            "\
schema
  FAILED      tables
              - table `a` is missing
              - table `b` is not expected
failed: 1 passed, 1 failed, 1 not checked in x.db
"
        );
        assert_eq!(words(&checks[1..2], "x.db", true), "verified: 1 passed, 0 failed, 0 not checked in x.db\n");
    }
}

//! `treelift schema test`

use super::keeper;
use crate::cli::args::KeeperArgs;
use crate::cli::output::Output;
use crate::cli::schema_args::TestArgs;
use crate::error::Result;
use crate::finding::printable;
use crate::report::CheckStatus;
use crate::schema::{self, Proof};
use serde_json::json;

/// Proves on a private copy that every migration can be taken back.
pub(super) fn run(args: &TestArgs, output: &Output) -> Result<u8> {
    let keeper = keeper::open(&KeeperArgs { mappings: args.mappings.clone(), database: args.copy_of.clone() })?;
    let populated = args.copy_of.is_some().then(|| keeper.target());
    let proofs = schema::test(keeper.set(), populated)?;
    let failed = proofs.iter().any(|proof| proof.status == CheckStatus::Failed);
    let verdict = if failed { "failed" } else { "passed" };
    output.result(&words(&proofs), &json!({ "set": keeper.set().name, "verdict": verdict, "steps": proofs }))?;
    Ok(u8::from(failed))
}

fn words(proofs: &[Proof]) -> String {
    let mut words = String::new();
    for proof in proofs {
        let passed = proof.status == CheckStatus::Passed;
        words += &format!("{:8}{}\n", if passed { "passed" } else { "FAILED" }, printable(&proof.step));
        if let Some(detail) = &proof.detail {
            words += &detail.split("; ").map(|one| format!("          - {}\n", printable(one))).collect::<String>();
        }
    }
    let failed = proofs.iter().filter(|proof| proof.status == CheckStatus::Failed).count();
    let verdict = if failed == 0 { "verified" } else { "failed" };
    words + &format!("{verdict}: {} steps, {failed} failed\n", proofs.len())
}

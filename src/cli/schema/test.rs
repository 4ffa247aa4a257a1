//! `treelift schema test`

use crate::cli::args::schema::TestArgs;
use crate::cli::mapping_set;
use crate::cli::output::Output;
use crate::database;
use crate::error::Result;
use crate::finding::printable;
use crate::migrations::{self, ManagedDatabase, On, Proof};
use crate::report::CheckStatus;
use crate::report::words::count;
use serde_json::json;

/// Proves on a private copy that every migration can be rolled back.
pub(super) fn run(args: &TestArgs, output: &Output) -> Result<u8> {
    let mappings = mapping_set::given(args.mappings.as_deref())?;
    let mappings = mappings.as_deref();
    let (set, proofs) = match (args.copy_of.as_deref(), args.database.as_deref()) {
        (Some(url), _) => {
            let managed = ManagedDatabase::open(mappings, Some(url))?;
            (managed.set().name.clone(), migrations::test(managed.set(), On::Copy(managed.database()))?)
        }
        (None, Some(url)) => {
            let database = database::open(url)?;
            let (_, mut set) = migrations::named_set(mappings)?;
            set.speak(database.engine());
            let proofs = migrations::test(&set, On::Server(&*database))?;
            (set.name, proofs)
        }
        (None, None) => {
            let (_, set) = migrations::named_set(mappings)?;
            let proofs = migrations::test(&set, On::New)?;
            (set.name, proofs)
        }
    };
    let failed = proofs.iter().any(|proof| proof.status == CheckStatus::Failed);
    let verdict = if failed { "failed" } else { "passed" };
    output.result(&words(&proofs), &json!({ "set": set, "verdict": verdict, "steps": proofs }))?;
    Ok(u8::from(failed))
}

fn words(proofs: &[Proof]) -> String {
    let mut words = String::new();
    for proof in proofs {
        let status = match proof.status {
            CheckStatus::Passed => "passed",
            CheckStatus::Failed => "FAILED",
            CheckStatus::NotChecked => "warning",
        };
        words += &format!("{status:8}{}\n", printable(&proof.step));
        if let Some(detail) = &proof.detail {
            words += &detail.split("; ").map(|one| format!("          - {}\n", printable(one))).collect::<String>();
        }
    }
    let failed = proofs.iter().filter(|proof| proof.status == CheckStatus::Failed).count();
    let verdict = if failed == 0 { "verified" } else { "failed" };
    words + &format!("{verdict}: {}, {failed} failed\n", count(proofs.len() as u64, "step"))
}

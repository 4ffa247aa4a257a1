//! Which server speaks the protocol: others than PostgreSQL do, without what an import needs.

use crate::error::Error;

/// What the version of a server that is not PostgreSQL holds, its name, and what it lacks.
const OTHERS: [(&str, &str, &str); 5] = [
    ("CockroachDB", "CockroachDB", "advisory locks and binary COPY"),
    ("-YB-", "YugabyteDB", "advisory locks and locks of tables"),
    ("Redshift", "Amazon Redshift", "advisory locks and binary COPY"),
    ("Materialize", "Materialize", "advisory locks and binary COPY"),
    ("RisingWave", "RisingWave", "advisory locks and binary COPY"),
];

/// The oldest version that is tested.
pub(in crate::database) const OLDEST: i32 = 15;

/// Why a server with this `version()` and number cannot be written into; `None` for PostgreSQL of a version that is tested.
pub(super) fn refusal(version: &str, number: i32, shown: &str) -> Option<Error> {
    if let Some((_, name, lacks)) = OTHERS.iter().find(|(sign, ..)| version.contains(sign)) {
        let message = format!("the server is {name}, which is not supported: an import needs {lacks}");
        let hint =
            "import into PostgreSQL or into a file, and move the tables from there with the tools of that server";
        return Some(Error::environment(message).at(shown).hint(hint));
    }
    // The server numbers its versions like this.
    let found = number / 10_000;
    (found < OLDEST).then(|| {
        Error::environment(format!("the server is PostgreSQL {found}, and treelift needs {OLDEST} or newer"))
            .at(shown)
            .hint("upgrade the server, or import into a file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_only_speak_like_postgresql_and_old_ones_are_refused_by_name() {
        let said = |version: &str, number| refusal(version, number, "postgresql://h/db").map(|error| error.message);
        assert_eq!(said("PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu", 150_018), None);
        assert_eq!(said("PostgreSQL 18.6 on aarch64", 180_006), None);
        assert_eq!(
            said("CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15)", 130_000).unwrap(),
            "the server is CockroachDB, which is not supported: an import needs advisory locks and binary COPY"
        );
        assert_eq!(
            said("PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu", 150_002).unwrap(),
            "the server is YugabyteDB, which is not supported: an import needs advisory locks and locks of tables"
        );
        assert_eq!(
            said("PostgreSQL 14.9", 140_009).unwrap(),
            "the server is PostgreSQL 14, and treelift needs 15 or newer"
        );
    }
}

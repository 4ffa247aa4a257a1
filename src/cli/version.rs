//! What `--version` says besides the version: what reports and ledgers depend on.

use crate::database;
use crate::mapping::{bundled, load};

/// The version with those of the engines, and the bundled sets with their digests.
pub(super) fn long() -> String {
    let mut text = format!("{}\n", env!("CARGO_PKG_VERSION"));
    for (engine, version) in database::engines() {
        text += &format!("{engine} {version}\n");
    }
    for set in bundled::sets() {
        // A set that does not load is told of by `check`.
        let digest = load::read(&set.source()).map_or_else(|_| "-".to_owned(), |(set, _)| set.digest);
        text += &format!("set {} {}\n", set.name, digest.get(..12).unwrap_or(&digest));
    }
    text.trim_end().to_owned()
}

//! Files of other formats, which their first bytes name.

use super::fault::Fault;
use crate::finding::JSON_SYNTAX;

/// What to do about a file whose content was lost.
pub(super) const LOST: &str = "look for an older copy of the file";

/// The first bytes of formats that are not JSON, their names and what to do about them.
const FORMATS: [(&[u8], &str, &str); 9] = [
    (b"\x1f\x8b", "gzip", UNPACK_GZIP),
    (b"PK\x03\x04", "ZIP", UNPACK),
    (b"BZh", "bzip2", UNPACK),
    (b"\xfd7zXZ\0", "xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "zstd", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "7z", UNPACK),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"bplist00", "a binary property list", EXPORT),
    (b"%PDF-", "PDF", EXPORT),
];

const UNPACK: &str = "unpack it into the tree, or ignore it with a reason in set.toml under [ignore]";

const UNPACK_GZIP: &str = "let its pattern under `files` end in `.gz`, so that it is unpacked as it is read, or ignore it with a reason in set.toml under [ignore]";

const EXPORT: &str = "export it as JSON, or ignore it with a reason in set.toml under [ignore]";

/// The fault of a file, or line, that begins there and whose first bytes are those of another format, or of none.
pub(super) fn format_of(start: &[u8], at: u64, unit: &str) -> Option<Fault> {
    if start.starts_with(&[0]) && start.iter().all(|byte| *byte == 0) {
        let message = format!("the {unit} begins with NUL bytes, as a power failure leaves them");
        return Some(Fault::new(&JSON_SYNTAX, at, message).helped_by(LOST));
    }
    let (_, name, help) = FORMATS.iter().find(|(magic, ..)| start.starts_with(magic))?;
    Some(Fault::new(&JSON_SYNTAX, at, format!("the {unit} is {name}, not JSON")).helped_by(help))
}

//! In which order findings are shown: so that errors can be fixed from the first to the last, and the warning that matters
//! most is read first.

use crate::finding::{
    ASSERTION, Code, FILE_BLANK_IGNORED, FILE_DIVERGED, FILE_SIBLING, FILE_SYMLINK, OWNER_IGNORED, OWNER_REJECTED,
    OWNER_UNREAD, OWNERS_WITHOUT_FILES, ROW_FILL_DIFFERS, ROW_REFERENCE, RUN_EMPTY, SECRET_REMAINS, SECRET_UNCOMPARED,
    SECRET_WORD, SOURCE_IN_USE, SOURCE_UNRECOGNISED, Severity, TARGET_ROWS, TARGET_UNSETTLED, VALUE_DIFFERS,
};

/// Errors that may only follow from others: they may be gone once those are fixed.
const CONSEQUENCES: [&Code; 8] = [
    &OWNER_REJECTED,
    &OWNER_UNREAD,
    &ROW_REFERENCE,
    &OWNERS_WITHOUT_FILES,
    &RUN_EMPTY,
    &ASSERTION,
    &TARGET_ROWS,
    &TARGET_UNSETTLED,
];

/// What an error is about, in the order in which an import gets there: a file that cannot be read hides what is wrong with
/// its records, and an owner whom nobody knows what is wrong with its files.
const STAGES: [&str; 8] = ["T", "F", "J", "S", "O", "V", "X", "R"];

/// The warnings that matter most, the weightiest first: secrets that others can read, data that may be the wrong one, people
/// who are left out, a source that may be incomplete.
const FIRST: [&Code; 9] = [
    &SECRET_REMAINS,
    &SECRET_WORD,
    &SECRET_UNCOMPARED,
    &SOURCE_IN_USE,
    &VALUE_DIFFERS,
    &ROW_FILL_DIFFERS,
    &FILE_DIVERGED,
    &OWNER_IGNORED,
    &SOURCE_UNRECOGNISED,
];

/// Those that matter least.
const LAST: [&Code; 3] = [&FILE_SIBLING, &FILE_SYMLINK, &FILE_BLANK_IGNORED];

/// The place of a finding among those of its severity; of the same place they stay as they are.
pub(super) fn weight(severity: Severity, code: &str) -> usize {
    let among = |codes: &[&Code]| codes.iter().position(|one| one.id == code);
    match severity {
        Severity::Error => match among(&CONSEQUENCES) {
            Some(at) => STAGES.len() + 1 + at,
            None => STAGES.iter().position(|stage| code.starts_with(stage)).unwrap_or(STAGES.len()),
        },
        Severity::Warning | Severity::Note => {
            let last = among(&LAST).map(|at| FIRST.len() + 1 + at);
            among(&FIRST).or(last).unwrap_or(FIRST.len())
        }
    }
}

//! Findings: what is wrong, or worth knowing, about the data of a run.
//!
//! A finding has a stable code, a place and a message. It never ends the run by itself; the run
//! collects them all and decides at its end.

use std::fmt;

/// The number of a source file in a run, in the order of the walk (by path).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place in the source: a file and a byte offset.
///
/// JSON Pointer (RFC 6901), line and column are computed when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The source file.
    pub file: FileId,
    /// Bytes from the start of the file (a byte-order mark counts).
    pub offset: u64,
}

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; changes nothing.
    Note,
    /// Should be looked at before the report is signed off.
    Warning,
    /// Something would be lost or wrong; nothing is committed unless rejects are allowed.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// A kind of finding. Codes are stable: a script may rely on them.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    /// A letter and three digits, such as `V001`.
    pub id: &'static str,
    /// Its severity unless the mapping chooses another.
    pub severity: Severity,
    /// What it means, in one sentence.
    pub title: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal $severity:ident $title:literal, $help:literal;)*) => {
        $( #[doc = $title] pub static $name: Code = Code { id: $id, severity: Severity::$severity, title: $title, help: $help }; )*
        /// Every code, in the order of their ids within a family.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    // F: files and directories.
    FILE_UNMAPPED = "F001" Error "no mapping reads this file and no rule ignores it",
        "map it, or ignore it with a reason in set.toml under [ignore]";
    FILE_UNREADABLE = "F002" Error "the file cannot be read",
        "check its permissions and the disk, then run again";
    FILE_CHANGED = "F003" Error "the file changed while the run read it",
        "stop the program that writes it, then run again";
    FILE_EMPTY = "F004" Error "the file is empty or only whitespace, probably truncated while it was being written",
        "look for an older copy, or write `blank = \"reason\"` under [source] in the mapping";
    FILE_BLANK_IGNORED = "F005" Warning "the file is empty or only whitespace, and the mapping says that nothing is lost by it",
        "look for an older copy if the file should have content";
    FILE_SPECIAL = "F006" Error "this is not a regular file (a pipe, socket, device, or a directory where a file is expected)",
        "move it out of the tree, or ignore it with a reason in set.toml under [ignore]";
    FILE_SYMLINK = "F007" Warning "a symbolic link inside the tree is not followed",
        "nothing to do: its target is at its own place in the tree, where it is read or ignored";
    FILE_OUTSIDE = "F008" Error "a symbolic link points out of the tree, dangles or loops",
        "copy its target into the tree, remove the link, or ignore it with a reason in set.toml under [ignore]";
    FILE_NAME = "F009" Error "the name is not UTF-8 or contains control characters, so no pattern can match it",
        "rename it, or move it out of the tree";
    FILE_CASE_TWINS = "F010" Error "two names differ only in case",
        "keep the right one; on a case-insensitive file system one would have overwritten the other; `case_twins = \"keep\"` under [strings] in set.toml keeps both";
    FILE_SIBLING = "F011" Warning "a leftover copy lies beside this file",
        "compare the two; treelift never reads such a copy by itself";
    SOURCE_IN_USE = "F012" Warning "the source may still be in use",
        "stop the service that writes it, then run again";
    FILE_FOLDED = "F013" Note "the file has the same bytes as its counterpart in the owner's other directory, so it is read once",
        "nothing to do";
    FILE_DIVERGED = "F014" Warning "an owner's directories contain different versions of one file",
        "the newer one is read first, where `newest` in the mapping says which that is, else that of the first path; check that it is the right one";
    SOURCE_UNRECOGNISED = "F015" Warning "a file is missing by which the mapping set recognises a tree",
        "check that the source is the right folder, and that its disk is mounted";
    RUN_EMPTY = "F016" Error "the run imports nothing: no row was inserted, updated or already up to date",
        "check that the source is the right folder, and that its disk is mounted; `--allow-empty` allows it";
    OWNERS_WITHOUT_FILES = "F017" Error "the set has owners, and no file belongs to any of them",
        "check that the source is complete; `--allow-empty` allows it";
    FILE_FORM_TWINS = "F020" Warning "names or keys look the same and differ in their Unicode normal form",
        "keep the right one; some systems take the two for one name";
    FORMS_UNCOMPARED = "F021" Note "keys beyond ASCII are too many to compare all of them in their Unicode normal form",
        "nothing to do, unless the source may write one name in two forms";
    FILE_DAMAGED = "F022" Error "a packed file is damaged, cut off, not packed at all, or goes on after its compressed data",
        "look for an older copy of it, or check the disk; a file that was never packed needs a name that does not say so";
    FILE_UNPACKED = "F023" Error "a packed file unpacks to more than is allowed",
        "if it is meant to be so large, allow more with `--max-unpacked`, or unpack it into the tree";
    REJECT_GONE = "F024" Warning "a file that rejects name is not in the source any more",
        "nothing to do if it was removed on purpose; else put it back: its lines are in the earlier file of rejects";
    FILE_AS_BEFORE = "F025" Note "the source is as an earlier import read it, and was not read again",
        "nothing to do; `--reread` reads it";
    // J: JSON.
    JSON_SYNTAX = "J001" Error "the file is not valid JSON",
        "fix the file at this place";
    JSON_TRUNCATED = "J002" Error "the file ends in the middle of a value, probably truncated while it was being written",
        "look for an older copy of it";
    JSON_DUPLICATE = "J003" Error "an object has two members with the same name",
        "keep the right one; JSON readers differ in which they take";
    JSON_DEPTH = "J004" Error "values are nested too deeply",
        "raise the limit with --max-depth (at most 127), or fix the file";
    JSON_UTF8 = "J005" Error "the text is not valid UTF-8",
        "convert the file to UTF-8";
    JSON_SURROGATE = "J006" Error "a string contains half a surrogate pair, which is not a character",
        "fix the escape at this place, or write `lone_surrogate = \"replace\"` under [strings] in set.toml";
    JSON_BOM = "J007" Note "the file begins with a byte-order mark, which is skipped",
        "nothing to do";
    JSON_ENCODING = "J008" Error "the file is UTF-16 or UTF-32",
        "convert it to UTF-8, for example with `iconv -f UTF-16 -t UTF-8`";
    JSON_TRAILING = "J009" Error "the file continues after the end of the document",
        "remove the rest, or split the file";
    JSON_CONTROL = "J010" Error "a string contains a control character that is not escaped",
        "escape it at this place";
    JSON_SIZE = "J011" Error "a value is too large to be held in memory",
        "split the value, or ignore the file with a reason in set.toml under [ignore]";
    LINE_CUT = "J012" Error "the last line of a file of lines has no end and is no whole document: it was cut off while it was written",
        "look for an older copy of the file, or remove the rest of the line";
    LINE_OPEN = "J013" Note "the last line of a file of lines has no end; it is a whole document and was read",
        "nothing to do, unless the file was cut off there";
    LINES_BLANK = "J014" Note "a file of lines has blank lines, which hold no document",
        "nothing to do";
    JSON_INSIDE = "J015" Error "a text that should hold JSON, as the mapping says, does not",
        "fix the text, or take it out of `from_json` in the mapping";
    STRING_ODD = "J016" Warning "a string holds half a surrogate pair, or U+0000, which became U+FFFD or is kept, as the set says",
        "check the places; the source has something else there";
    // S: shapes and records.
    SHAPE_NONE = "S001" Error "the file matches no shape of its mapping",
        "add a [[source.shape]] for it, or one that ignores it with a reason";
    MEMBER_UNDECIDED = "S002" Error "no rule decides what happens to these values",
        "map them, or ignore them with a reason under [ignore] in the mapping";
    MEMBER_CAUGHT = "S003" Warning "only a catch-all keeps these values, and `expected` does not list them",
        "map them, list them under `expected`, or ignore them with a reason";
    IGNORE_NARROW = "S004" Note "an entry of [ignore] covers a value, and files have values below it",
        "nothing to do if rules read those; write `\"path.**\"` to ignore them, too";
    REJECT_UNSURE = "S005" Error "a reject cannot be imported again: it is not known which record it is, or what is to stand in it",
        "write the record as it is to be into its line of rejects.jsonl, or remove the line and import the source again";
    REJECT_ASSUMED = "S006" Warning "a record was taken for that of a reject by its number alone, because its file was changed",
        "check that it is the right one";
    REJECT_EDITED = "S007" Note "a record was imported as it stands in the file of rejects, where it was edited",
        "nothing to do";
    // V: values.
    VALUE_MISSING = "V001" Error "a required value is missing",
        "fix the source, or choose a policy with `on_absent`; where a lookup found no row, with `on_dangling`";
    VALUE_NULL = "V002" Error "a required value is null",
        "fix the source, or choose a policy with `on_absent`";
    VALUE_EMPTY = "V003" Error "a required value is empty",
        "fix the source, or choose a policy with `on_empty`";
    VALUE_TYPE = "V004" Error "a value's type does not fit the column",
        "fix the source, or add a step that converts it";
    VALUE_STEP = "V005" Error "a step cannot convert the value",
        "fix the source, or choose another step, or `on_error = \"null\"` where the column takes NULL";
    VALUE_LENGTH = "V006" Error "a string is longer than its column",
        "shorten it in the source; treelift never truncates a value";
    VALUE_RANGE = "V007" Error "a number or time does not fit its column exactly",
        "fix the source, or keep it in a text column";
    VALUE_NUL = "V008" Error "a string contains U+0000, which databases do not store in text",
        "remove it in the source, or write `nul = \"replace\"` under [strings] in set.toml";
    VALUE_DIFFERS = "V009" Warning "two values that the mapping compares differ",
        "the value of the column is kept, the one beside `agrees_with` is not; check that it is right";
    VALUE_NULLED = "V010" Warning "values that could not be converted became NULL, or what else the mapping says",
        "check the places";
    VALUE_DEFAULTED = "V011" Note "values that are missing, or that the column does not take, became the mapping's default",
        "check the places";
    VALUE_TIME = "V012" Warning "a time that decides which of two files is newer cannot be read",
        "check which of the files is newer; those without a time are read last";
    VALUE_SIGN = "V017" Note "minus zero is kept as zero: the column has no sign for it",
        "nothing to do; a text column with the step `text` keeps it as it is written";
    VALUE_NULL_IF = "V018" Note "values that the mapping lists with `null_if` are NULL",
        "nothing to do; the messages show which values they were";
    VALUE_ROUNDED = "V019" Note "numbers were rounded to the nearest double, as the mapping says",
        "nothing to do where their last digits do not matter";
    VALUE_INSTEAD = "V020" Note "values inside a column became null or a default, or were left out, as the mapping says",
        "nothing to do; the policies of the `item` or of `[let]` say so";
    VALUE_FORM = "V021" Note "documents are kept by what they mean: the order of members and the form of numbers are the database's",
        "nothing to do; a column of JSON or text keeps them as they are written";
    // R: rows, keys, references.
    ROW_DUPLICATE = "R001" Error "two records give a row with the same key",
        "remove one, or choose `on_duplicate` in the rule";
    ROW_UNIQUE = "R002" Error "two records give the same value for columns that are unique",
        "keep the right one";
    ROW_DIFFERS = "R003" Error "a row that is already in the database differs from the source",
        "existing rows are never overwritten. To keep the database's, correct the source or leave such records out with `--max-rejects N`; to take the source's, correct the row or delete it, or `undo` the run that wrote it, and import again; a secret that stands in plaintext in a sealed column is sealed first, with `credentials encrypt`";
    ROW_REFERENCE = "R004" Error "a row references a missing row",
        "fix the source or the mapping, so that the row it references is imported too";
    ROW_KEY = "R005" Error "a column of the row's key is NULL",
        "fix the source; every part of a key needs a value";
    ROW_SUPERSEDED = "R006" Note "rows superseded by an earlier row with the same key, as the mapping says",
        "nothing to do, unless the earlier row should not win";
    ROW_ORPHAN = "R007" Warning "a row of the database references a missing row",
        "the row was there before the run: `treelift schema validate` counts them, and with `--fix-orphans` moves them aside";
    ROW_FILL_DIFFERS = "R008" Warning "a row has a value where another source has a different one",
        "the first one is kept; check that it is right";
    ROW_CHECK = "R009" Error "a CHECK constraint of the database rejected a row",
        "fix the source, or what the rule writes; `--max-rejects N` imports the other records";
    ROW_TRIGGER = "R010" Error "a trigger of the database rejected a row",
        "fix the source, or what the rule writes, or drop the trigger for the import";
    ROW_CONSTRAINT = "R011" Error "another constraint of the database rejected a row",
        "fix the source, or what the rule writes; `--max-rejects N` imports the other records";
    ROW_NOT_KEPT = "R012" Error "the database did not keep a row as it was written",
        "look for a trigger that discards or changes rows, and drop it for the import";
    ROW_DANGLING = "R013" Warning "a lookup found no row, and the column became NULL or what the mapping says",
        "fix the source where the row should be there; `on_dangling` or another alternative says what is written instead";
    ROW_ID_RANGE = "R014" Error "no generated id is left: the highest one of the table is the largest 64-bit integer",
        "give the row with the highest id a lower one, or take the ids from the source";
    ROW_REPLACED = "R015" Note "rows superseded by a later row with the same key, as the mapping says",
        "nothing to do, unless the later row should not win";
    ROW_REMOVED = "R016" Note "rows removed by a later record with the same key, as the mapping says",
        "nothing to do, unless the rows should stay";
    ROW_KEPT = "R017" Warning "a row of the database differs from the source, and was kept as it is",
        "check which of the two is right: `--existing update` gives rows the source's values that nobody edited since their import; an edited one is corrected by hand";
    ROW_GONE = "R018" Warning "rows that an earlier import wrote are not given by the source any more, and were kept",
        "delete them by hand where they are not wanted";
    // O: owners.
    OWNER_UNKNOWN = "O001" Error "no owner matches the directory",
        "add the owner to the source, or ignore such directories with a reason under [owners] in set.toml";
    OWNER_REJECTED = "O002" Error "the owner was rejected, so the files below the directory are rejected too",
        "fix the owner's record first";
    OWNER_NONE = "O003" Error "files without an owner of their own need one, and there is not exactly one",
        "name the owner with --owner ID";
    OWNER_IGNORED = "O004" Warning "no owner matches the directory, and the set ignores such directories",
        "check that nothing in it is needed";
    OWNER_AMBIGUOUS = "O005" Error "the directory's name matches several owners",
        "rename it to the id of the owner it belongs to";
    OWNER_TWINS = "O006" Warning "names of owners look the same and differ in their Unicode normal form",
        "write both in one form (NFC, say), or check that they are two owners";
    OWNER_UNREAD = "O007" Error "the owner is unknown, because a file or record of the owners was rejected: its files are rejected too",
        "fix the file of the owners first";
    OWNER_TWO = "O008" Error "two rows of the owner table were made in one directory, so it is not known whose it is",
        "let one file of the directory make its owner, or find owners by `find` under [owners] in set.toml";
    // X: secrets.
    SECRET_UNDECIDED = "X001" Error "a value looks like a secret and is neither sealed, dropped, declassified nor ignored",
        "seal or drop it, ignore it with a reason, or say with `declassify` beside its column why it may be kept as it is";
    SECRET_FOUND = "X002" Error "a secret value would be stored in plaintext",
        "map its other place as secret too, or ignore it with a reason";
    SECRET_WORD = "X003" Warning "a text that is not a secret by itself contains the value of one",
        "remove it in the source, or seal or drop this value too; if the secret is an ordinary word, advise its owner to change it";
    SECRET_EMPTY = "X004" Note "empty secrets make no credential",
        "nothing to do";
    SECRET_REMAINS = "X005" Warning "secrets remain in plaintext in files of the source",
        "once the import is signed off, destroy the source or protect it like the secrets";
    SECRET_UNCOMPARED = "X006" Warning "sealed values that are already in the database were not compared",
        "give the dry run the passphrase or key too: a real run compares them";
    SECRET_COPIED = "X007" Error "a whole value is a sealed secret, and only a catch-all keeps it",
        "seal or drop it there too, leave it out, or say with `declassify` beside its column why it may be kept as it is";
    // U: parts of the mapping set that the tree never used.
    MAPPING_UNUSED = "U001" Note "no file of the tree matches this mapping",
        "nothing to do, unless there should be some: then check its `files`";
    SHAPE_UNUSED = "U002" Note "no file of the tree has this shape",
        "nothing to do, unless there should be some: then check its `when` and those of the shapes before it";
    PATH_UNUSED = "U003" Note "no file of the tree has a value at this path",
        "check for a typo; a path that only older or newer trees have is fine";
    COLUMN_UNUSED = "U004" Note "no file of the tree has a value at any path of this column",
        "check for a typo: the column is NULL or its default in every row";
    MAP_UNUSED = "U005" Note "no file of the tree has this value that a `map` lists",
        "check for a typo; a value that only other trees have is fine";
    // T: the target.
    TARGET_INTEGRITY = "T001" Error "the database file is damaged",
        "restore a good copy before importing";
    TARGET_UNSEALED = "T002" Error "a sealed value cannot be opened again",
        "this is a bug in treelift; nothing was committed";
    TARGET_FORM = "T003" Warning "the database's schema differs from what its migrations make",
        "`treelift schema validate` lists every difference";
    TARGET_PENDING = "T004" Note "a migration of the mapping set is not applied to the database",
        "the import does not need it; `treelift schema migrate` applies it, or asks which version the database has";
    TARGET_RULE = "T005" Warning "rows that were in the database before violate a constraint of their table",
        "fix the rows; `treelift schema validate` names the constraints again";
    TARGET_ROWS = "T006" Error "a table does not have as many rows as it had before and as were inserted",
        "look for a trigger that deletes or adds rows, and drop it for the import";
    TARGET_TRIGGER = "T007" Warning "a table that is written has a trigger that the mapping set does not make",
        "check what it does; its rows are read back and compared";
    TARGET_UNSETTLED = "T009" Error "every attempt rejected further records, each for want of rows that the one before left out",
        "fix the records that are named, the first one first, then run again";
    // D: differences between the database and its source.
    VERIFY_WRONG = "D001" Error "a row differs from its record, though neither was changed since: the import was wrong",
        "compare the mapping set of the run with the one at hand; if both are the same, the row and what the ledger says of it were changed together";
    VERIFY_EDITED = "D002" Error "a row was edited since its import",
        "nothing to do where the application did it; else correct the row, or restore a backup";
    VERIFY_SOURCE = "D003" Error "a row is as its import left it, and its source was changed since",
        "check which of the two is right; to take the source's, `undo` the run and import again";
    VERIFY_BOTH = "D004" Error "a row was edited since its import, and its source was changed, too",
        "check which of the two is right";
    VERIFY_UNTOLD = "D005" Error "a row differs from its record, and no import recorded it",
        "the application made it, or the record of its run was removed: check which of the two is right";
    VERIFY_REMOVED = "D006" Error "a row was removed from the database since its import",
        "nothing to do where the application did it; else import again, or restore a backup";
    VERIFY_NEVER = "D007" Error "a record gives a row that is not in the database, and that no import recorded",
        "import again: it is new, or its record was rejected when the rest was imported";
    VERIFY_EXTRA = "D008" Error "a row that an import wrote is not given by any record any more",
        "its record was removed or changed: remove the row where it should go, too";
    VERIFY_UNCOMPARED = "D009" Warning "rows cannot be verified as a whole",
        "give the passphrase or key where values are sealed; a hash is never compared with what it was made of";
    VERIFY_UNLIKE = "D010" Error "a row does not stand in the database as it was written",
        "look for a trigger or rule that changes rows, and drop it for the import; nothing was committed";
    // A: assertions.
    ASSERTION = "A001" Error "an assertion of the mapping set does not hold",
        "look at the rows that its query in set.toml returns";
}

/// One thing found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What kind it is.
    pub code: &'static Code,
    /// The code's severity, unless the mapping chose another.
    pub severity: Severity,
    /// What is wrong at this place. Never contains the value of a secret.
    pub message: String,
    /// Where in the source.
    pub place: Option<Place>,
    /// The path of something in the source that is not a file with a place, such as a symbolic link.
    pub path: Option<Box<str>>,
    /// A second place that the message refers to, such as the source of the row that was kept.
    pub also: Option<Place>,
    /// Which rule and column of the mapping (`mapping.rule.column`); findings are grouped by it.
    pub subject: Box<str>,
    /// Where in the mapping (`file:line`), if a line of the mapping decided it.
    pub mapping: Option<Box<str>>,
    /// What to do about it, where the code's own help does not fit.
    pub help: Option<&'static str>,
}

impl Finding {
    /// Whether another one says the same of the same place.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        (self.code.id, self.place, &self.subject, &self.message)
            == (other.code.id, other.place, &other.subject, &other.message)
    }

    /// A finding of this code.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            message: message.into(),
            place: None,
            path: None,
            also: None,
            subject: Box::default(),
            mapping: None,
            help: None,
        }
    }

    /// Adds the path of something that has no place.
    #[must_use]
    pub fn at_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into().into_boxed_str());
        self
    }

    /// Adds the place in the source.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds the second place that the message refers to.
    #[must_use]
    pub fn also(mut self, place: Option<Place>) -> Self {
        self.also = place;
        self
    }

    /// Sets the subject, by which findings are grouped.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into().into_boxed_str();
        self
    }

    /// Says what to do about it, where the code's own help does not fit.
    #[must_use]
    pub fn helped_by(mut self, help: Option<&'static str>) -> Self {
        self.help = help;
        self
    }

    /// Chooses another severity.
    #[must_use]
    pub fn weighing(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// Whether a character could change how a terminal shows the text around it: a control, bidirectional or
/// line-breaking character.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text with control, bidirectional and line-breaking characters escaped, safe for a terminal.
pub fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if is_unprintable(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    })
}

/// The text, printable and cut to about forty characters, in quotes: what a message may show of a value.
pub fn excerpt(text: &str) -> String {
    const MOST: usize = 40;
    let mut cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("\"{}\"", printable(&cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_has_help() {
        let mut ids: Vec<_> = CODES.iter().map(|code| code.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CODES.len());
        assert!(CODES.iter().all(|code| !code.title.is_empty() && !code.help.is_empty()));
    }

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
    }
}

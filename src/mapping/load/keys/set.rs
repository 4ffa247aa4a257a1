//! The keys and words of set.toml.

use super::key::{Keys, key, later};

/// set.toml.
pub static SET: Keys = Keys {
    title: "set.toml",
    keys: &[
        key("name", "the set's name"),
        key("description", "which source it moves into which database"),
        key("recognise", "how a source tree of this set is recognised"),
        key("database", "the target when nothing else names one"),
        key("namespace", "the UUID that `uuid5` makes its ids in"),
        key("owners", "the path segment that names an owner, and how the owner is found"),
        key("precedence", "for each table, the mappings or rules that feed it, in reading order"),
        key("ignore", "file patterns that are not read, each with its reason"),
        key("unknown_members", "what happens to members that only a catch-all keeps"),
        key("after", "what the application still needs after an import"),
        key("assert", "checks of the target in SQL"),
        key("audit", "the application's own table for what was done to the database"),
        key("migrations_table", "the table that records migrations, by default `schema_migrations`"),
        key("other_tables", "tables that the application makes by itself, each with the reason"),
        key("hand_over", "the form in which the application itself reads its secrets"),
        later("seed", "rows that no source file gives"),
    ],
};

/// `[[assert]]`.
pub static ASSERT: Keys = Keys {
    title: "an entry of `[[assert]]`",
    keys: &[
        key("name", "what holds, as the report names it"),
        key("category", "the category under which it is reported, by default `data`"),
        key("sql", "a query that changes nothing"),
        key("gives", "whether the query must give rows or none, by default `none`"),
        key("needs", "the version of the migration that it needs"),
    ],
};

/// `category` under `[[assert]]`.
pub static ASSERT_CATEGORY: Keys = Keys {
    title: "`category`",
    keys: &[key("data", "with the rows"), key("security", "with sealed values and the file's mode")],
};

/// `gives` under `[[assert]]`.
pub static ASSERT_GIVES: Keys = Keys {
    title: "`gives`",
    keys: &[key("none", "a row that the query gives is wrong"), key("rows", "at least one row must be there")],
};

/// `[audit]`.
pub static AUDIT: Keys = Keys {
    title: "`[audit]`",
    keys: &[
        key("table", "the table; where a database does not have it, `treelift_audit` is used"),
        key("columns", "column = the part of the entry that it takes"),
    ],
};

/// The parts of an audit entry, as `columns` under `[audit]` names them.
pub static AUDIT_PARTS: Keys = Keys {
    title: "a column of `[audit]`",
    keys: &[
        key("id", "a UUID of the entry's own"),
        key("action", "what was done: `migrate`, `import`, `restore` and the like"),
        key("subject", "what it was done to: a table, or `schema`, or `database`"),
        key("record", "which one: a version, a run, a backup"),
        key("reason", "a sentence in words"),
        key("details", "an object of JSON"),
        key("program", "treelift and its version"),
        key("time", "when"),
    ],
};

/// `recognise`.
pub static RECOGNISE: Keys = Keys {
    title: "`recognise`",
    keys: &[
        key("files", "files that are all there, below the import root"),
        key("below", "folders of the source that may be the import root, tried in order"),
    ],
};

/// `[after]`.
pub static AFTER: Keys =
    Keys { title: "`[after]`", keys: &[key("message", "printed after an import that sealed something")] };

/// `[hand_over]`.
pub static HAND_OVER: Keys =
    Keys { title: "`[hand_over]`", keys: &[key("fernet", "Fernet tokens under a key derived from a password")] };

/// `[hand_over.fernet]`.
pub static FERNET: Keys = Keys {
    title: "`[hand_over.fernet]`",
    keys: &[
        key("password", "environment variables of the application; the first that is set holds the password"),
        key("salt", "the salt of the key, and how it is fitted to a length"),
        key("rounds", "rounds of PBKDF2-HMAC-SHA-256"),
        key("base64", "the token is encoded in base64 once more"),
        key("keep_empty", "an empty string stays empty instead of becoming a token"),
        key("message", "printed after a hand-over: what else the application needs"),
    ],
};

/// `salt` under `[hand_over.fernet]`.
pub static FERNET_SALT: Keys = Keys {
    title: "`salt`",
    keys: &[
        key("environment", "the environment variable that holds the salt"),
        key("default", "the salt when that is not set"),
        key("bytes", "how many bytes of it are used; a longer one is truncated"),
        key("fill", "the character that pads a shorter one on the right"),
    ],
};

/// `unknown_members`.
pub static UNKNOWN_MEMBERS: Keys = Keys {
    title: "`unknown_members`",
    keys: &[key("warn", "they are listed as a warning"), key("refuse", "they are an error")],
};

/// `[owners]`.
pub static OWNERS: Keys = Keys {
    title: "`[owners]`",
    keys: &[
        key("capture", "the capture of file patterns that names the owner's directory"),
        key("table", "the table whose rows are owners"),
        key("find", "ways to find the owner of a directory; the first match wins"),
        key("unknown", "what happens to a directory that no owner matches"),
        key("ownerless", "who owns files without an owner of their own"),
    ],
};

/// An entry of `find` under `[owners]`.
pub static FIND: Keys = Keys {
    title: "an entry of `find`",
    keys: &[
        key("by", "the owner table's column to compare with"),
        key("column_steps", "steps on the column before it is compared"),
        key("from", "what is compared; by default the directory's name"),
        key("alias", "the directory is a second one of an owner who may already have one"),
    ],
};

/// `unknown` under `[owners]`, written as a table.
pub static UNKNOWN: Keys =
    Keys { title: "`unknown`", keys: &[key("ignore", "the directory's files are ignored with this reason")] };

/// `unknown` under `[owners]`, written as a word.
pub static UNKNOWN_WORDS: Keys = Keys { title: "`unknown`", keys: &[key("refuse", "the directory is an error")] };

/// `ownerless` under `[owners]`.
pub static OWNERLESS: Keys = Keys {
    title: "`ownerless`",
    keys: &[key("only-user", "the only row of the owner table, else the one that `--owner` names, else none")],
};

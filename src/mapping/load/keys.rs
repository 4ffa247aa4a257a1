//! Every key and word of the mapping language, as data: the loader accepts no others, and the editor
//! schema and the reference are generated from the same tables.

/// A key of a table, or one of the words that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Its meaning, in one sentence.
    pub what: &'static str,
    /// The version that introduced it; `None` for a reserved word that is not supported yet.
    pub since: Option<&'static str>,
}

/// The keys of one kind of table, or the words of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// What has these keys, as a message names it.
    pub title: &'static str,
    /// The keys, in the order of the reference.
    pub keys: &'static [Key],
}

impl Keys {
    /// The key of this name, built or not.
    pub fn find(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names that can be used.
    pub fn built(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().filter(|key| key.since.is_some()).map(|key| key.name)
    }
}

const fn key(name: &'static str, what: &'static str) -> Key {
    Key { name, what, since: Some("0.1.0") }
}

const fn later(name: &'static str, what: &'static str) -> Key {
    Key { name, what, since: None }
}

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

/// A mapping file.
pub static MAPPING: Keys = Keys {
    title: "a mapping",
    keys: &[
        key("description", "what the files contain"),
        key("expected", "selections that catch-alls are known to keep"),
        key("source", "which files, and how they are read"),
        key("table", "the rules, by name"),
        key("ignore", "selections that are not imported, each with its reason"),
        Key {
            name: "declassify",
            what: "selections that look like secrets and are none, each with its reason",
            since: Some("0.2.0"),
        },
        later("assert", "a check of the target in SQL"),
        later("seed", "rows that no source file gives"),
    ],
};

/// `[source]`.
pub static SOURCE: Keys = Keys {
    title: "`[source]`",
    keys: &[
        key("files", "file patterns below the import root"),
        key("format", "how a file is read, by default as JSON"),
        key("optional", "why the files are read only when `--with` asks for them"),
        key("blank", "why a blank file loses nothing"),
        key("newest", "paths to the time by which an owner's files are read, newest first"),
        key("shape", "the forms that the files had over time"),
    ],
};

/// `format` under `[source]`.
pub static FORMAT: Keys = Keys {
    title: "`format`",
    keys: &[
        key("json", "one JSON document"),
        key("text", "the file is one string"),
        key("sniff", "JSON if the first byte says so, else one string"),
        later("lines", "one JSON document per line"),
    ],
};

/// `[[source.shape]]`.
pub static SHAPE: Keys = Keys {
    title: "a shape",
    keys: &[
        key("name", "the name that rules and the report use"),
        key("when", "what a document of this shape looks like"),
        key("records", "selects the records; without it the document is the only record"),
        key("key_as", "the context name for the member name that the last `.*` matched"),
        key("otherwise", "why nothing is lost when no rule takes a record"),
        key("ignore", "why files of this shape contain nothing to import"),
    ],
};

/// `when`.
pub static CONDITION: Keys = Keys {
    title: "`when`",
    keys: &[
        key("members", "every path exists, if only as null"),
        key("equals", "every path has the value"),
        key("type", "every path has the JSON type"),
        key("matches", "every path is a string that the regular expression matches"),
        key("root", "the document has the JSON type"),
        key("exists", "the table has a row that `by` finds"),
        key("absent", "the table has no row that `by` finds"),
        key("by", "column = expression, for `exists` and `absent`"),
        key("any", "one of these conditions holds"),
        key("not", "this condition does not hold"),
    ],
};

/// The names of JSON types.
pub static TYPES: Keys = Keys {
    title: "a type",
    keys: &[
        key("null", "null"),
        key("boolean", "true or false"),
        key("number", "a number"),
        key("string", "a string"),
        key("array", "an array"),
        key("object", "an object"),
    ],
};

/// `[table.NAME]`.
pub static RULE: Keys = Keys {
    title: "a rule",
    keys: &[
        key("into", "the target table, by default the rule's name"),
        key("key", "what identifies a row: columns, or paths with their prefix"),
        key("each", "selects the elements that make rows"),
        key("key_as", "the context name for the member name that the last `.*` of `each` matched"),
        key("parent", "the rule of the same mapping whose row is this row's parent"),
        key("when", "which records or elements the rule takes"),
        key("shapes", "the shapes that the rule is for"),
        key("let", "named expressions that are not written by themselves"),
        key("on_duplicate", "what happens to a later row with the same key"),
        key("on_reject", "what is rejected along with a bad row"),
        key("columns", "the columns and their values"),
        key("secrets", "the columns that are sealed, and the secrets that are dropped"),
        later("rest", "a column for whatever no other one keeps"),
    ],
};

/// `on_duplicate`.
pub static ON_DUPLICATE: Keys = Keys {
    title: "`on_duplicate`",
    keys: &[
        key("reject", "an error that names both places"),
        key("first", "the later row is superseded"),
        key("fill", "the later row fills columns that are NULL"),
        key("across", "equal rows of different source patterns are merged into one"),
    ],
};

/// `on_reject`.
pub static ON_REJECT: Keys = Keys {
    title: "`on_reject`",
    keys: &[key("record", "the whole record is rejected"), later("row", "only the row and its children are")],
};

/// What gives an expression its value: exactly one of them stands in it.
pub static SOURCES: Keys = Keys {
    title: "an expression",
    keys: &[
        key("from", "a path or another expression; of a list the first that is present"),
        key("value", "a literal"),
        key("null", "SQL NULL on purpose"),
        key("template", "a string with `{path}` in it"),
        key("join", "the parts that are present, joined"),
        key("json", "a JSON document: a value, a table of members, or an object made from a list"),
        key("uuid5", "a UUID version 5 in the set's namespace"),
        key("md5", "an MD5 in hexadecimal"),
        key("sha256", "a SHA-256 in hexadecimal"),
        key("lookup", "a column of a row that `by` finds"),
        key("exists", "whether the table has a row that `by` finds"),
    ],
};

/// What may stand beside a source in an expression.
pub static EXPRESSION: Keys = Keys {
    title: "an expression",
    keys: &[
        key("matching", "a regular expression; only a string that it matches is present"),
        key("steps", "conversions of the value, in order"),
        key("with", "the separator between the parts of `join`"),
        key("each", "selects the elements that `template` or `join` makes a list of"),
        key("without", "selections that `json` omits"),
        key("by", "column = expression, for `lookup` and `exists`"),
        key("ignore_case", "`by` ignores case"),
        key("then", "the value when the row exists"),
        key("else", "the value when it does not"),
        later("truncate", "truncates a string to the column's length"),
        later("agree", "several paths that must agree"),
    ],
};

/// What may stand beside a column's expression.
pub static COLUMN: Keys = Keys {
    title: "a column",
    keys: &[
        key("agrees_with", "another expression that should give the same"),
        key("after", "beside `agrees_with`: what the application still needs after an import where values differ"),
        key("on_missing", "what happens when the source has no such value"),
        key("on_null", "what happens when the source has null"),
        key("on_empty", "what happens when the result is the empty string"),
        key("on_error", "what happens when a step cannot convert the value"),
        key("default", "the value for the policy `default`; alone it is for missing and null"),
    ],
};

/// An object made from a list, under `json`.
pub static JSON_EACH: Keys = Keys {
    title: "an object made from a list",
    keys: &[
        key("each", "the list"),
        key("key", "a member's name, from the element"),
        key("value", "a member's value, from the element"),
    ],
};

/// `on_missing`, `on_null` and `on_empty`.
pub static POLICY: Keys = Keys {
    title: "a policy",
    keys: &[
        key("reject", "the record is rejected"),
        key("null", "the column becomes NULL"),
        key("default", "the column becomes its `default`"),
        key("skip", "no row; the rule did not take the record"),
    ],
};

/// `on_error`.
pub static ON_ERROR: Keys = Keys {
    title: "`on_error`",
    keys: &[key("reject", "the record is rejected"), key("null", "the column becomes NULL, counted")],
};

/// An entry of `[table.NAME.secrets]`.
pub static SECRET: Keys = Keys {
    title: "a secret",
    keys: &[
        key("from", "where it comes from"),
        key("matching", "a regular expression; only a string that it matches is present"),
        key("steps", "conversions of the value, in order"),
        key("kind", "what happens to it"),
        key("need", "without it there is no row"),
        key("default", "what is sealed when it is missing, null or empty"),
        key("declassify", "why the path may be used in plaintext as well"),
        key("reason", "why it is dropped"),
    ],
};

/// `kind` of a secret.
pub static SECRET_KIND: Keys = Keys {
    title: "`kind`",
    keys: &[
        key("seal", "sealed into the column"),
        key("drop", "written nowhere"),
        later("hash", "hashed, so that it can be compared but not read"),
    ],
};

/// Every table of keys and every list of words.
pub static ALL: &[&Keys] = &[
    &SET,
    &RECOGNISE,
    &AFTER,
    &ASSERT,
    &ASSERT_CATEGORY,
    &ASSERT_GIVES,
    &AUDIT,
    &AUDIT_PARTS,
    &HAND_OVER,
    &FERNET,
    &FERNET_SALT,
    &UNKNOWN_MEMBERS,
    &OWNERS,
    &FIND,
    &UNKNOWN,
    &UNKNOWN_WORDS,
    &OWNERLESS,
    &MAPPING,
    &SOURCE,
    &FORMAT,
    &SHAPE,
    &CONDITION,
    &TYPES,
    &RULE,
    &ON_DUPLICATE,
    &ON_REJECT,
    &SOURCES,
    &EXPRESSION,
    &COLUMN,
    &JSON_EACH,
    &POLICY,
    &ON_ERROR,
    &SECRET,
    &SECRET_KIND,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_listed_once_with_its_meaning() {
        for keys in ALL {
            for (at, key) in keys.keys.iter().enumerate() {
                assert!(!key.what.is_empty(), "{} {}", keys.title, key.name);
                assert!(!keys.keys[..at].iter().any(|other| other.name == key.name), "{} {}", keys.title, key.name);
            }
        }
    }
}

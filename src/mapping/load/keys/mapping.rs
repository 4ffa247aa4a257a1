//! The keys and words of a mapping.

use super::key::{Key, Keys, key, later};

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

//! The keys and words of set.toml.

use super::key::Takes::{Any, Flag, Formed, List, Named, Number, OneOf, Reason, Table, Text, Words};
use super::key::{BY_TABLES, Keys, REASONS, STEPS, TEXTS, dropped, key, keys, since, word};

keys! {
    OF_SETS;
    /// set.toml.
    SET "set.toml":
        key("name", Text, "the set's name"),
        key("description", Text, "which source it moves into which database"),
        key("recognise", Table(&RECOGNISE), "how a source tree of this set is recognised"),
        key("database", Text, "the target when nothing else names one"),
        key("namespace", Formed("format", "uuid"), "the UUID that `uuid5` makes its ids in"),
        key("owners", Table(&OWNERS), "the path segment that names an owner, and how the owner is found"),
        key("precedence", Named(&TEXTS), "for each table, the mappings or rules that feed it, in reading order"),
        since("0.2.0", "reads", Named(&STEPS), "for each declared type, the steps that read a value which is not of it yet"),
        since("0.2.0", "written", Named(&Text), "for each declared type of times that is kept as text, the form in which it is written"),
        key("ignore", REASONS, "file patterns that are not read, each with its reason"),
        key("strings", Table(&STRINGS), "what happens to strings and names that not every database or file system keeps"),
        key("unknown_members", Words(&UNKNOWN_MEMBERS), "what happens to members that only a catch-all keeps"),
        key("after", Table(&AFTER), "what the application still needs after an import"),
        key("assert", List(&Table(&ASSERT)), "checks of the target in SQL"),
        since("0.2.0", "isolation", Table(&ISOLATION), "rows reference only rows of the same tenant"),
        key("audit", Table(&AUDIT), "the application's own table for what was done to the database"),
        key("migrations_table", Formed("pattern", "^[A-Za-z_][A-Za-z0-9_]{0,62}$"),
            "the table that records migrations, by default `schema_migrations`"),
        since("0.2.0", "journal", Words(&JOURNAL), "what a new SQLite file keeps while it is changed, by default `delete`"),
        since("0.2.0", "version", Table(&VERSION), "the application's own record of the version of its schema"),
        key("other_tables", REASONS, "tables that the application makes by itself, each with the reason"),
        key("hand_over", Table(&HAND_OVER), "the form in which the application itself reads its secrets");

    /// `[[assert]]`.
    ASSERT "an entry of `[[assert]]`":
        key("name", Reason, "what holds, as the report names it"),
        key("category", Words(&ASSERT_CATEGORY), "the category under which it is reported, by default `data`"),
        key("sql", Text, "a query that changes nothing"),
        key("gives", Words(&ASSERT_GIVES), "what the query must give, by default `none`; with `uses` anything"),
        since("0.2.0", "uses", TEXTS, "the indexes that the query must go by"),
        since("0.2.0", "since", Text, "the version of the migration that it needs"),
        since("0.2.0", "until", Text, "the version of the last migration with which it is asked"),
        dropped("needs", "write `since`"),
        since("0.3.0", "engine", Words(&ENGINES), "the one engine that it is asked of, by default every one");

    /// `engine` under `[[assert]]`.
    ENGINES "`engine`":
        word("sqlite", "SQLite"),
        word("postgresql", "PostgreSQL");

    /// `category` under `[[assert]]`.
    ASSERT_CATEGORY "`category`":
        word("data", "with the rows"),
        word("security", "with sealed values and the file's mode");

    /// `gives` under `[[assert]]`.
    ASSERT_GIVES "`gives`":
        word("none", "a row that the query gives is wrong"),
        word("rows", "at least one row must be there"),
        since("0.2.0", "same", Any, "a change of the schema must keep what it gives"),
        since("0.2.0", "shown", Any, "what it gives is shown, around a change of the schema with what it gave before");

    /// `journal`.
    JOURNAL "`journal`":
        word("delete", "a rollback journal, which is deleted behind each transaction"),
        word("wal", "a write-ahead log");

    /// `[version]`.
    VERSION "`[version]`":
        key("table", Text, "the table; where a database does not have it, nothing is written"),
        key("column", Text, "the column that holds the version"),
        key("row", Named(&Text), "column = its value: which row, where the table has others"),
        key("names", Named(&Text), "the version of a migration = what the application calls the schema that it leads to");

    /// `[isolation]`.
    ISOLATION "`[isolation]`":
        key("column", Text, "the column that says whose a row is: each reference between two tables that have it is checked"),
        key("since", Text, "the version of the migration from which on it is asked");

    /// `[audit]`.
    AUDIT "`[audit]`":
        key("table", Text, "the table; where a database does not have it, `treelift_audit` is used"),
        key("columns", Named(&Words(&AUDIT_PARTS)), "column = the part of the entry that it takes");

    /// The parts of an audit entry, as `columns` under `[audit]` names them.
    AUDIT_PARTS "a column of `[audit]`":
        word("id", "a UUID of the entry's own"),
        word("action", "what was done: `migrate`, `import`, `restore` and the like"),
        word("subject", "what it was done to: a table, or `schema`, or `database`"),
        word("record", "which one: a version, a run, a backup"),
        word("reason", "a sentence in words"),
        word("details", "an object of JSON"),
        word("program", "treelift and its version"),
        word("time", "when");

    /// `recognise`.
    RECOGNISE "`recognise`":
        key("files", TEXTS, "files that are all there, below the import root"),
        key("below", TEXTS, "folders of the source that may be the import root, tried in order");

    /// `[after]`.
    AFTER "`[after]`":
        key("message", Text, "printed after an import that sealed something");

    /// `[hand_over]`.
    HAND_OVER "`[hand_over]`":
        key("fernet", Table(&FERNET), "Fernet tokens under a key derived from a password");

    /// `[hand_over.fernet]`.
    FERNET "`[hand_over.fernet]`":
        key("password", TEXTS, "environment variables of the application; the first that is set holds the password"),
        key("salt", Table(&FERNET_SALT), "the salt of the key, and how it is fitted to a length"),
        key("rounds", Number, "rounds of PBKDF2-HMAC-SHA-256"),
        key("base64", Flag, "the token is encoded in base64 once more"),
        key("keep_empty", Flag, "an empty string stays empty instead of becoming a token"),
        key("message", Text, "printed after a hand-over: what else the application needs");

    /// `salt` under `[hand_over.fernet]`.
    FERNET_SALT "`salt`":
        key("environment", Text, "the environment variable that holds the salt"),
        key("default", Text, "the salt when that is not set"),
        key("bytes", Number, "how many bytes of it are used; a longer one is truncated"),
        key("fill", Text, "the character that pads a shorter one on the right");

    /// `[strings]`.
    STRINGS "`[strings]`":
        key("lone_surrogate", Words(&LONE_SURROGATE), "half a surrogate pair in a string"),
        key("nul", Words(&NUL), "U+0000 in a string"),
        key("case_twins", Words(&CASE_TWINS), "names of files that differ in case only");

    /// `lone_surrogate` under `[strings]`.
    LONE_SURROGATE "`lone_surrogate`":
        word("reject", "the file is broken there"),
        word("replace", "it becomes U+FFFD, a warning with its place");

    /// `nul` under `[strings]`.
    NUL "`nul`":
        word("reject", "a record that would put it into a column of text is rejected"),
        word("replace", "it becomes U+FFFD, a warning with its place"),
        word("keep", "it is kept, a warning with its place");

    /// `case_twins` under `[strings]`.
    CASE_TWINS "`case_twins`":
        word("reject", "they are an error"),
        word("keep", "both are read, with a warning");

    /// `unknown_members`.
    UNKNOWN_MEMBERS "`unknown_members`":
        word("warn", "they are listed as a warning"),
        word("refuse", "they are an error");

    /// `[owners]`.
    OWNERS "`[owners]`":
        key("capture", OneOf(&[Text, TEXTS]), "the capture of file patterns that names the owner's directory, or several of them"),
        key("table", Text, "the table whose rows are owners"),
        key("find", List(&Table(&FIND)), "ways to find the owner of a directory; the first match wins"),
        key("unknown", OneOf(&[Words(&UNKNOWN_WORDS), Table(&UNKNOWN)]),
            "what happens to a directory that no owner matches"),
        key("ownerless", OneOf(&[Words(&OWNERLESS), Table(&UNKNOWN)]), "who owns files without an owner of their own");

    /// An entry of `find` under `[owners]`.
    FIND "an entry of `find`":
        key("by", BY_TABLES, "column = expression over `#owner`; of a list of tables the first that finds a row"),
        dropped("column_steps", "write `by = { COLUMN = { from = \"#owner\", column_steps = […] } }`"),
        dropped("from", "write `by = { COLUMN = EXPRESSION }`"),
        key("alias", Flag, "the directory is a second one of an owner who may already have one");

    /// `unknown` under `[owners]`, written as a table.
    UNKNOWN "`unknown`":
        key("ignore", Reason, "the directory's files are ignored with this reason");

    /// `unknown` under `[owners]`, written as a word.
    UNKNOWN_WORDS "`unknown`":
        word("refuse", "the directory is an error");

    /// `ownerless` under `[owners]`.
    OWNERLESS "`ownerless`":
        word("only-user", "the only row of the owner table, else the one that `--owner` names, else none"),
        word("refuse", "nobody: they are an error");
}

//! The keys and words of a mapping.

use super::key::Takes::{Any, Flag, Formed, List, Named, OneOf, Reason, Refer, Table, Text, True, Words};
use super::key::{
    BY_TABLES, FROM, HASHED, Keys, REASONS, REGEX, STEPS, TEXTS, called, dropped, key, keys, since, word,
};

keys! {
    OF_MAPPINGS;
    /// A mapping file.
    MAPPING "a mapping":
        key("description", Text, "what the files contain"),
        key("expected", TEXTS, "selections that catch-alls are known to keep"),
        key("source", Table(&SOURCE), "which files, and how they are read"),
        since("0.2.0", "let", Named(&Refer("column")), "named expressions with their policies, used as `=NAME`; not written by themselves"),
        since("0.2.0", "when", Named(&Refer("condition")), "named conditions, used as a string where a condition may stand"),
        key("table", Named(&Refer("rule")), "the rules, by name"),
        key("ignore", REASONS, "selections that are not imported, each with its reason"),
        dropped("declassify", "write `declassify = REASON` beside the expression of the column that keeps it");

    /// `[source]`.
    SOURCE "`[source]`":
        key("files", TEXTS, "file patterns below the import root"),
        key("format", Words(&FORMAT), "how a file is read, by default as JSON"),
        key("name", Text, "the name of the only shape, by default the mapping's"),
        key("when", Refer("condition"), "what a document of the only shape looks like"),
        key("records", Text, "selects the records of the only shape; without it the document is the only record"),
        key("key_as", OneOf(&[Text, TEXTS]), "the context name for the member name that the last `.*` of `records` matched, or those of all"),
        key("otherwise", Reason, "why nothing is lost when no rule takes a record"),
        key("optional", Reason, "why the files are read only when `--with` asks for them"),
        key("blank", Reason, "why a blank file loses nothing"),
        key("from_json", TEXTS, "selections of texts that hold JSON, which stands in their place"),
        key("newest", TEXTS, "paths to the time by which an owner's files are read, newest first"),
        key("shape", OneOf(&[Refer("shape"), List(&Refer("shape"))]), "the forms that the files had over time");

    /// `format` under `[source]`.
    FORMAT "`format`":
        word("json", "one JSON document"),
        dropped("text", "write `\"sniff\"`, which reads a file that is not JSON as one string"),
        word("sniff", "JSON if the first byte says so, else one string"),
        word("lines", "every line that is not blank is a JSON document of its own"),
        called("jsonl", "lines"),
        called("ndjson", "lines");

    /// `[[source.shape]]`.
    SHAPE "a shape":
        key("name", Text, "the name that rules and the report use"),
        key("when", Refer("condition"), "what a document of this shape looks like"),
        key("records", Text, "selects the records; without it the document is the only record"),
        key("key_as", OneOf(&[Text, TEXTS]), "the context name for the member name that the last `.*` matched, or those of all"),
        key("otherwise", Reason, "why nothing is lost when no rule takes a record"),
        key("ignore", Reason, "why files of this shape contain nothing to import");

    /// `when`.
    CONDITION "`when`":
        key("members", TEXTS, "every path exists, if only as null"),
        key("equals", Named(&Any), "every path has the value"),
        key("type", OneOf(&[Words(&TYPES), Named(&Words(&TYPES))]),
            "the JSON type of the element (of a shape: the document), or of every path"),
        key("matches", Named(&REGEX), "every path is a string that the regular expression matches"),
        key("exists", Text, "the table has a row that `by` finds"),
        key("by", BY_TABLES, "column = expression, for `exists`; or a list of such tables"),
        dropped("root", "write `type = \"array\"`: in a shape it is the document's type"),
        dropped("absent", "write `not = { exists = \"…\", by = { … } }`"),
        key("any", List(&Refer("condition")), "one of these conditions holds"),
        key("not", Refer("condition"), "this condition does not hold");

    /// The names of JSON types.
    TYPES "a type":
        word("null", "null"),
        word("boolean", "true or false"),
        word("number", "a number"),
        word("string", "a string"),
        word("array", "an array"),
        word("object", "an object");

    /// `[table.NAME]`.
    RULE "a rule":
        key("into", Text, "the target table, by default the rule's name"),
        since("0.2.0", "like", Text, "a rule of the same mapping: all its keys but those given here, and its columns where both write one table"),
        key("key", TEXTS, "what identifies a row: columns, or paths with their prefix"),
        key("each", FROM, "what makes rows: a path with stars, an expression, or a list of these"),
        since("0.2.0", "recurse", Text, "a selection that is followed from every element, to any depth"),
        key("key_as", OneOf(&[Text, TEXTS]), "the context name for the member name that the last `.*` of `each` matched, or those of all"),
        key("parent", Text, "the rule of the same mapping whose row is this row's parent"),
        key("when", Refer("condition"), "which records or elements the rule takes"),
        key("shapes", TEXTS, "the shapes that the rule is for"),
        key("on_duplicate", Words(&ON_DUPLICATE), "what happens to a later row with the same key"),
        since("0.2.0", "on_existing", Words(&ON_EXISTING), "what happens to a row that the database has already, and that differs"),
        key("delete", Refer("condition"), "elements that make no row, and remove the earlier ones with their key"),
        dropped("let", "write it under `[let]` at the top of the mapping"),
        dropped("on_reject", "leave it out: the whole record is rejected with all its rows"),
        key("columns", Named(&Refer("column")), "the columns and their values"),
        since("0.2.0", "drop", REASONS, "secrets that the rule writes nowhere, each with its reason"),
        dropped("secrets",
            "write `COLUMN = { seal = PATH }` among the columns, with `on_absent = \"skip\"` for `need`; under \
             `[table.NAME.drop]` write `PATH = REASON`");

    /// `on_duplicate`.
    ON_DUPLICATE "`on_duplicate`":
        word("reject", "an error that names both places"),
        word("first", "the later row is superseded"),
        word("last", "the later row supersedes the earlier one"),
        word("fill", "the later row fills columns that are NULL"),
        word("across", "equal rows of different source patterns are merged into one");

    /// `on_existing`.
    ON_EXISTING "`on_existing`":
        word("refuse", "an error that shows both values"),
        word("keep", "it stays as it is, and is listed"),
        word("update", "it gets the source's values, unless it was edited since an import wrote it, or no import did");

    /// What gives an expression its value: exactly one of them stands in it.
    SOURCES "an expression":
        key("from", FROM, "a path or another expression; of a list the first that is present"),
        key("value", Any, "a literal"),
        key("null", True, "SQL NULL on purpose"),
        key("template", Text, "a string with `{path}` in it"),
        key("join", HASHED, "the parts, or the elements of a list, that are present and not empty, joined"),
        key("object", Named(&Refer("expression")), "a JSON object of named expressions"),
        key("each", FROM, "a list: `item` for each element of this one; with `member` an object"),
        key("uuid5", HASHED, "a UUID version 5 in the set's namespace"),
        key("md5", HASHED, "an MD5 in hexadecimal"),
        key("sha256", HASHED, "a SHA-256 in hexadecimal"),
        key("lookup", Formed("pattern", "^[^.]+(\\..+)?$"), "a column of a row that `by` finds; under `[let]` also the row"),
        dropped("json", "write the path itself, `object = { MEMBER = … }`, or `{ each, item }` (with `member` an object)"),
        dropped("exists", "write `{ value = …, when = { exists = TABLE, by = … } }` as one of a list of alternatives");

    /// What may stand beside a source in an expression.
    EXPRESSION "an expression":
        dropped("matching", "write the step `{ matching = REGEX }`, before the others beside one value, after those of a list's alternatives"),
        key("steps", STEPS, "conversions of the value, in order; beside a list of each alternative, until one is present"),
        key("with", Text, "the separator between the parts of `join`"),
        key("item", Refer("column"), "what each element of `each` gives, with policies of its own"),
        key("member", Refer("expression"), "the name of each item, in an object"),
        key("when", Refer("condition"), "the condition without which it is missing"),
        key("without", TEXTS, "selections that are cut out of a container"),
        since("0.2.0", "lossy", Reason, "why it may lose some of what it reads, which then counts as kept and is listed"),
        key("by", BY_TABLES, "column = expression, for `lookup`; of a list of tables the first that finds a row"),
        dropped("ignore_case", "write it inside `by`: `by = { COLUMN = { from = …, ignore_case = true } }`"),
        dropped("then", "write `{ value = …, when = { exists = TABLE, by = … } }` as one of a list of alternatives"),
        dropped("else", "write it as the last of a list of alternatives");

    /// What makes a secret of a column's value: it stands in the place of `from`.
    PROTECTION "a column":
        since("0.2.0", "seal", FROM, "a secret: encrypted into the column, bound to the row"),
        since("0.2.0", "hash", FROM, "a password: hashed with Argon2id into the column, so that nobody can read it");

    /// What may stand beside an expression in `by`.
    BY "an expression in `by`":
        key("column_steps", STEPS, "steps on the column before it is compared"),
        key("ignore_case", Flag, "full case folding of the column and of what it is compared with");

    /// What may stand beside a column's expression.
    COLUMN "a column":
        since("0.2.0", "declassify", Reason,
            "why what it reads may be kept as it is, here or (beside `seal` and `hash`) elsewhere"),
        key("agrees_with", Refer("expression"), "another expression that should give the same"),
        key("after", Text,
            "beside `agrees_with`: what the application still needs after an import where values differ"),
        since("0.2.0", "on_absent", Words(&POLICY), "what happens when the source has no such value, or null"),
        key("on_missing", Words(&POLICY), "what happens when the source has no such value; goes before `on_absent`"),
        dropped("on_null", "write `on_absent`, which judges missing and null; `on_missing` goes before it for missing"),
        key("on_empty", Words(&POLICY), "what happens when the result is the empty string"),
        key("on_error", Words(&POLICY), "what happens when a step or the column's type refuses the value"),
        since("0.2.0", "on_dangling", Words(&POLICY), "what happens when a lookup finds no row"),
        key("default", Any, "the value for the policy `default`; alone it is for missing and null");

    /// The words of a policy.
    POLICY "a policy":
        word("reject", "the record is rejected"),
        word("null", "the column becomes NULL"),
        word("default", "the literal of `default`, else the default in the schema"),
        word("skip", "no row; the rule did not take the record");
}

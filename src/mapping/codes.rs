//! What can be wrong with a mapping set, as stable codes: M0.. is found by reading it, M1.. by checking
//! it against the schema that it writes into.

use crate::finding::{Code, Severity};

macro_rules! codes {
    ($($name:ident = $id:literal $title:literal, $help:literal;)*) => {
        $( #[doc = $title] pub static $name: Code = Code { id: $id, severity: Severity::Error, title: $title, help: $help }; )*
        /// Every code, in the order of their ids.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    NO_SET = "M001" "the folder is not a mapping set, or contains a file that does not belong to one",
        "a set has set.toml, mappings (`*.toml`), `schema/NNN_name.up.sql` with `.down.sql`, and `*.md`";
    NO_TOML = "M002" "the file is not valid TOML 1.0",
        "fix it at this line; a mapping has no other form";
    KEY_UNKNOWN = "M003" "a table has an unknown key",
        "check for a typo; mappings/README.md lists every key";
    WORD_UNKNOWN = "M004" "a key takes none of these words",
        "use one of the words that mappings/README.md lists for the key";
    NOT_SUPPORTED = "M005" "a word is not supported in this place",
        "express it in another way, as the message names it";
    TYPE_WRONG = "M006" "a key takes another type of TOML value",
        "write what the message names: a string in quotes, a list in brackets, a table in braces";
    KEY_MISSING = "M007" "a required key is missing",
        "add it";
    SAYING_EMPTY = "M008" "a key contradicts another one, or has no effect where it is",
        "remove it, or add what is missing beside it";
    REASON_EMPTY = "M009" "a reason is empty",
        "write why, in words: whoever signs off the import reads it";
    PATH_WRONG = "M010" "invalid path, selection or template",
        "see \"Paths\" in mappings/README.md";
    REGEX_WRONG = "M011" "invalid regular expression",
        "the syntax is that of the Rust `regex` crate: no look-around, no back-references";
    STEP_WRONG = "M012" "unknown step, or an argument that the step does not take",
        "see the table of steps in mappings/README.md";
    PATTERN_WRONG = "M013" "invalid file pattern",
        "`{name}` captures inside one segment, `*` matches any characters, `**` is a whole segment";
    PATTERN_TWICE = "M014" "two file patterns can match the same file, and neither is more specific",
        "make one more specific: the first difference from the left decides";
    NAME_UNKNOWN = "M015" "a mapping uses an undefined name: a rule, shape, column or context",
        "check for a typo, or define the name";
    NAME_TWICE = "M016" "one name is used twice",
        "rename one of the two";
    SHAPE_UNREACHABLE = "M017" "a shape is never reached",
        "a shape takes what its `when` and the start of its `records` fit: put the one that takes more last";
    SELF_MADE = "M018" "a value depends on itself, or a rule is its own ancestor",
        "break the cycle: one of them must come from the source";
    NAMESPACE_MISSING = "M019" "`uuid5` is used and the set has no namespace",
        "add `namespace = \"a UUID\"` to set.toml; choose one at random and never change it";
    FEEDER_UNKNOWN = "M020" "an entry of `[precedence]` does not feed the table",
        "an entry is `mapping` or `mapping.rule`, and one of its rules writes into the table";
    OWNERS_WRONG = "M021" "`[owners]` and the file patterns do not match",
        "the capture is a whole segment, before the last, of some pattern; only `#owner` and the captures of `[owners]` find an owner";
    MIGRATION_WRONG = "M022" "invalid migration file or header",
        "migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them; what is for one engine alone `001_what.up.postgresql.sql`";
    WORD_DROPPED = "M023" "a word of the first edition of the mapping language, which was dropped",
        "write what the hint names; mappings/README.md lists every key";
    TABLE_UNKNOWN = "M101" "the schema does not have this table",
        "check for a typo, or add the table in a migration";
    COLUMN_UNKNOWN = "M102" "the table does not have this column",
        "check for a typo, or add the column to the table in `schema/NNN_name.up.sql`";
    NULL_POSSIBLE = "M103" "a column that is NOT NULL could end NULL",
        "choose the policy `reject`, `skip` or `default`";
    VALUE_NOT_GIVEN = "M104" "a rule gives no value for a column that is NOT NULL and has no default",
        "give the column a value in the rule";
    TYPE_UNFIT = "M105" "what an expression gives does not fit its column's type or length",
        "add a step that converts it, or change the column in a migration";
    STEP_UNFIT = "M106" "a step does not take what the one before it gives",
        "reorder the steps, or put one that converts between them";
    REFERENCE_OPEN = "M107" "a foreign key is filled, and nothing ensures that its row exists",
        "look up the row with `lookup`, or take the value from the owner or the parent";
    SEAL_UNKEYED = "M108" "a rule seals a secret, and its rows have no permanent key of their own",
        "key the rule by columns that come from the source: a sealed value is bound to its row";
    SEAL_UNFIT = "M109" "a column cannot hold a sealed value",
        "make it text of at least 59 characters, better without a limit";
    SECRET_CLEAR = "M110" "a secret is used in plaintext",
        "seal it here too, or say with `declassify` beside the column why it may be kept as it is";
    SECRET_UNDECIDED = "M111" "a name looks like a secret, and nothing says whether it is one",
        "seal it, drop it, ignore it with a reason, or say with `declassify` beside its column why it is none";
    VALUE_LOST = "M112" "a value is only narrowed, hashed or tested, so nothing keeps it",
        "keep it in a column or in `json` as well, or ignore it with a reason";
    RULES_CIRCLE = "M113" "rules wait for each other in a cycle",
        "break the cycle: a rule waits by `[precedence]`, for rows that `exists` asks for, and for those of a `lookup` on which a key, a condition or what another lookup asks for depends";
    RULE_LATE = "M114" "a rule needs another one that runs only after all owners are done",
        "what is read owner by owner cannot wait for rows that come from all owners";
    SHAPE_HIDDEN = "M115" "a shape tests a value inside records, which are not read yet when the shape is chosen",
        "test a value outside of the records";
    EACH_REPEATED = "M116" "a rule makes rows from the frame, and every record would repeat them",
        "give the elements a shape of their own, with `records`";
    OWNERS_KEYLESS = "M117" "owners have no single-column key",
        "give the table of `[owners]` a primary key of one column, such as `id`";
    ID_TWO_GIVERS = "M118" "some rules of a table give its integer key, and others leave it to be generated",
        "give the key a value in every rule of the table, or in none";
    SECRET_CONTRADICTED = "M119" "a path is declassified, and ignored or dropped as well",
        "take one of the two out: what is declassified is kept";
    OWNERS_CYCLE = "M122" "rules wait for each other's rows of every owner, in a cycle",
        "a rule that may look up rows of other owners waits until they are complete for every owner; look up by a column that holds `#owner.id`, or break the cycle";
    ASSERT_INVALID = "M130" "an assertion, or `[version]`, asks what the tables that the migrations make do not have",
        "fix it; every table and column must exist once all migrations are applied";
    ASSERT_SEVERAL = "M131" "an assertion is more than one statement",
        "make an [[assert]] of each";
    ASSERT_WRITES = "M132" "an assertion does more than read",
        "an assertion is one SELECT: no INSERT, UPDATE, DELETE, ATTACH or PRAGMA";
    ASSERT_PARAMETER = "M133" "an assertion has a parameter, and nothing gives it a value",
        "write the value into the query";
    ASSERT_VERSION = "M134" "what set.toml names is no version of the set",
        "name a migration by its whole version, as `treelift schema status` lists them";
    MIGRATION_SQL = "M135" "a migration is not valid SQL",
        "fix the statement at this line; `treelift schema test` runs every migration";
    MIGRATION_FORBIDDEN = "M136" "a migration does more than create and fill tables",
        "remove the statement: treelift runs each migration in a transaction of its own and keeps the record of them";
    MIGRATION_AFTER = "M137" "a migration that is made after the rows does more than serve reading",
        "only indexes that are not unique, full-text tables and the triggers that fill them can be; put the rest into another migration, or remove `after`";
    MIGRATION_VARIES = "M138" "the files of a migration for two engines make different tables",
        "make the same tables in both: the same columns, NULL, keys, UNIQUE and foreign keys; only types, defaults and conditions are the engine's own";
    MIGRATION_BACK = "M139" "rolling a migration back does not restore what was there before it",
        "let its `.down.sql` undo all that its `.up.sql` does; `treelift schema test` tries it on rows";
    TYPE_UNKNOWN = "M140" "a rule writes a column whose declared type is not known",
        "declare one of the types that mappings/README.md lists; columns that no rule writes may have any type";
    RECORD_NAME = "M141" "`migrations_table` names no table that migrations can be recorded in",
        "choose a plain SQL name of its own: not one that treelift keeps, and of no table that the set makes or writes";
    TIME_WRITTEN = "M150" "a time is written with `as` for a column that takes times",
        "leave `as` out: it is for columns of text and numbers";
    READS_UNUSED = "M151" "`[reads]` names a type that no column has",
        "name a declared type as the migrations write it, with its length or without";
    NAME_UNUSED = "M155" "nothing uses a name that the mapping defines under `[let]` or `[when]`",
        "use it, or remove it";
    WITHOUT_UNFIT = "M156" "`without` stands beside what is made, and not read from the file",
        "cut where the value is read: `without` takes members out of a container of the source";
    ALTERNATIVE_UNREACHABLE = "M160" "an alternative comes after one that is always there",
        "put the literal last, or give it a `when`";
    NULL_IDLE = "M161" "`null = true` says nothing",
        "leave the column out: without a default in the schema it is NULL";
    DECLASSIFY_IDLE = "M165" "`declassify` has no effect: nothing of the source is read there",
        "remove it, or write it beside the column that reads what looks like a secret";
    DEFAULT_UNKNOWN = "M166" "the word `\"default\"` has nothing to write",
        "write `default = LITERAL` beside it, or give the column a default in a migration";
    LINES_UNFIT = "M170" "a mapping of files of lines asks for what needs one document in a file",
        "remove it: every line is a document of its own";
    LAST_UNFIT = "M171" "a rule in which the last record of a key counts cannot tell which one that is",
        "the files are read in the order of `files`, then of their paths; a key is made of what the source gives";
    OWNERS_MADE = "M172" "it is not known whose a directory is, or too early asked",
        "a mapping whose files lie in owners' directories and that writes into the owner table makes them, without `#owner`; else `find` finds them";
    LOSSY_IDLE = "M173" "`lossy` has no effect: nothing is lost there",
        "remove it: it is for steps that do not keep, ids, alternatives that may differ, `agrees_with`, and what `by` compares";
    LOOKUP_UNSEEN = "M174" "a lookup asks for what an import cannot see of its own rows",
        "name the column in the rule (`COLUMN = { value = … }`, or `\"#started\"` for a clock), or look up another one";
    WRITTEN_UNUSED = "M176" "`[written]` names a type that no column has",
        "name a declared type as the migrations write it";
    WRITTEN_UNFIT = "M177" "`[written]` names a type whose columns keep no time as text",
        "it is for DATE, TIME, TIMESTAMP, DATETIME and TIMESTAMPTZ; other columns take a time with `as` in the step `time`";
    FORM_UNFIT = "M178" "a form under `[written]` cannot be used",
        "write one like `%Y-%m-%d %H:%M:%S%.f`, which gives back what is written in it";
}

/// The code of this id, of a mapping set or of a finding, in either case.
pub fn find(id: &str) -> Option<&'static Code> {
    CODES.iter().chain(crate::finding::CODES).copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_starts_with_m() {
        let mut ids: Vec<_> = CODES.iter().map(|code| code.id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), CODES.len());
        assert!(crate::finding::CODES.iter().all(|code| !code.id.starts_with('M')));
    }
}

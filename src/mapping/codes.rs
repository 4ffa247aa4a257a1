//! What can be wrong with a mapping set, as stable codes: M0.. is told by reading it, M1.. by judging
//! it against the schema it writes into.

use crate::finding::{Code, Severity};

macro_rules! codes {
    ($($name:ident = $id:literal $title:literal, $help:literal;)*) => {
        $( #[doc = $title] pub static $name: Code = Code { id: $id, severity: Severity::Error, title: $title, help: $help }; )*
        /// Every code, in the order of their ids.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    NO_SET = "M001" "the folder is no mapping set, or holds a file that is no part of one",
        "a set has set.toml, mappings (`*.toml`), `schema/NNN_name.up.sql` with `.down.sql`, and `*.md`";
    NO_TOML = "M002" "the file is not valid TOML 1.0",
        "mend it at this line; a mapping has no other form";
    KEY_UNKNOWN = "M003" "a table has a key that the language does not know",
        "look for a slip of the pen; mappings/README.md lists every key";
    WORD_UNKNOWN = "M004" "a key does not know this word",
        "use one of the words that mappings/README.md lists for it";
    NOT_BUILT = "M005" "the language names this, and this version cannot do it",
        "say it in another way, or use a newer version";
    TYPE_WRONG = "M006" "a key takes another type of TOML value",
        "write what the message names: a text in quotes, a list in brackets, a table in braces";
    KEY_MISSING = "M007" "a key that must be there is missing",
        "add it";
    SAYING_EMPTY = "M008" "a key says something that cannot be meant, or says nothing where it stands",
        "take it out, or write what is missing beside it";
    REASON_EMPTY = "M009" "a reason is empty",
        "write why, in words: whoever signs off the import reads it";
    PATH_WRONG = "M010" "a path, selection or template cannot be read",
        "see the part on paths in mappings/README.md";
    REGEX_WRONG = "M011" "a regular expression cannot be read",
        "its language is that of the Rust `regex` crate: no look-around, no back-references";
    STEP_WRONG = "M012" "there is no such step, or it does not take this argument",
        "see the table of steps in mappings/README.md";
    PATTERN_WRONG = "M013" "a file pattern cannot be read",
        "`{name}` captures inside one segment, `*` takes any characters, `**` stands alone";
    PATTERN_TWICE = "M014" "two file patterns can name the same file, and neither is more specific",
        "make one more specific: the first difference from the left decides";
    NAME_UNKNOWN = "M015" "a mapping uses a name that nothing in it gives: a rule, shape, column or context",
        "look for a slip of the pen, or give what is named";
    NAME_TWICE = "M016" "two things have one name",
        "rename one of them";
    SHAPE_UNREACHABLE = "M017" "a shape is never reached",
        "a shape without `when` takes the rest: put it last";
    SELF_MADE = "M018" "a value needs itself, or a rule hangs on itself",
        "break the circle: one of them must come from the source";
    NAMESPACE_MISSING = "M019" "`uuid5` is used and the set has no namespace",
        "say `namespace = \"a UUID\"` in set.toml; choose one at random and never change it";
    FEEDER_UNKNOWN = "M020" "`[precedence]` names what does not feed the table",
        "an entry is `mapping` or `mapping.rule`, and some rule of it goes into the table";
    OWNERS_WRONG = "M021" "`[owners]` and the file patterns do not fit each other",
        "the capture is a whole segment, before the last, of some pattern; only `#owner` finds an owner";
    MIGRATION_WRONG = "M022" "a file of the schema is no migration, or its header cannot be",
        "migrations are called `001_what.up.sql`, with `001_what.down.sql` to take them back";
    TABLE_UNKNOWN = "M101" "a table is named that the schema does not have",
        "look for a slip of the pen, or add the table in a migration";
    COLUMN_UNKNOWN = "M102" "a column is named that its table does not have",
        "look for a slip of the pen, or add the column in a migration";
    NULL_POSSIBLE = "M103" "a column that is NOT NULL could end NULL",
        "choose the policy `reject`, `skip` or `default`";
    VALUE_NOT_GIVEN = "M104" "a rule gives no value for a column that is NOT NULL and has no default",
        "give the column in the rule";
    TYPE_UNFIT = "M105" "what an expression gives does not fit its column's type or length",
        "add a step that converts it, or change the column in a migration";
    STEP_UNFIT = "M106" "a step does not take what the one before it gives",
        "reorder the steps, or put one that converts between them";
    REFERENCE_OPEN = "M107" "a foreign key is filled, and nothing makes sure that its row is there",
        "look the row up with `lookup`, or take the value from the owner or the parent";
    SEAL_UNKEYED = "M108" "a rule seals a secret, and its rows have no key of their own for life",
        "key the rule by columns that the source gives: a sealed value is bound to its row";
    SEAL_UNFIT = "M109" "a column cannot hold a sealed value",
        "make it a text of at least 59 characters, better without a limit";
    SECRET_CLEAR = "M110" "a secret is used in clear text",
        "seal it here too, or say why it is none with `declassify = \"reason\"`";
    SECRET_UNDECIDED = "M111" "a name sounds like a secret, and nothing says whether it is one",
        "seal it, drop it, or ignore it with a reason";
    VALUE_LOST = "M112" "a value is only narrowed, hashed or tested, so nothing keeps it",
        "keep it in a column or in `json` as well, or ignore it with a reason";
    RULES_CIRCLE = "M113" "rules wait for each other",
        "a rule waits for its parent, for what feeds the tables it looks up or refers to, and by `[precedence]`";
    RULE_LATE = "M114" "a rule needs one that runs only after all owners are done",
        "what is read owner by owner cannot wait for rows that come of all owners' rows";
    SHAPE_HIDDEN = "M115" "a shape is told by a value inside of records, which are not read yet when it is chosen",
        "test something outside of the records";
    EACH_REPEATED = "M116" "a rule makes rows of something in the frame, and every record would repeat them",
        "give the elements a shape of their own, with `records`";
    OWNERS_KEYLESS = "M117" "owners have no key of one column that the source gives",
        "the owner table needs a primary key of one column, and every rule that makes owners gives it";
    ID_TWO_GIVERS = "M118" "some rules of a table give its integer key, and others leave it to be counted on",
        "give the key a value in every rule of the table, or in none";
}

/// The code of this id, of a mapping set or of a finding, in either case.
pub fn find(id: &str) -> Option<&'static Code> {
    CODES.iter().chain(crate::finding::CODES).copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_of_no_other_family() {
        let mut ids: Vec<_> = CODES.iter().map(|code| code.id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), CODES.len());
        assert!(crate::finding::CODES.iter().all(|code| !code.id.starts_with('M')));
    }
}

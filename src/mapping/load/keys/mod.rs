//! Every key and word of the mapping language, as data: the loader accepts no others, and the editor
//! schema and the reference are generated from the same tables.

mod key;
mod mapping;
mod set;

pub use key::{Key, Keys};
pub use mapping::{
    COLUMN, CONDITION, EXPRESSION, FORMAT, JSON_EACH, MAPPING, ON_DUPLICATE, ON_ERROR, ON_REJECT, POLICY, RULE, SECRET,
    SECRET_KIND, SHAPE, SOURCE, SOURCES, TYPES,
};
pub use set::{
    AFTER, ASSERT, ASSERT_CATEGORY, ASSERT_GIVES, AUDIT, AUDIT_PARTS, FERNET, FERNET_SALT, FIND, HAND_OVER, OWNERLESS,
    OWNERS, RECOGNISE, SET, UNKNOWN, UNKNOWN_MEMBERS, UNKNOWN_WORDS,
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

//! Every key and word of the mapping language, as data: the loader accepts no others, and the editor
//! schema and the reference are generated from the same tables.

mod key;
mod mapping;
mod set;

pub use key::{Key, Keys, Status, Takes};
pub use mapping::*;
pub use set::*;

/// Every table of keys and every list of words.
pub fn all() -> impl Iterator<Item = &'static Keys> {
    OF_SETS.iter().chain(OF_MAPPINGS).copied()
}

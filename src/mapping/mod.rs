//! Mapping sets: their model ([`model`]), how they are read from TOML ([`load`]) and checked
//! ([`check`]), and how a rule makes rows of a record ([`apply`]).

pub mod apart;
pub mod apply;
pub mod bundled;
pub mod check;
pub mod codes;
pub mod compile;
pub mod declared;
pub mod editor_schema;
pub mod folder;
pub mod keyindex;
mod keytext;
pub mod load;
pub mod model;
pub mod near;
pub mod order;
pub mod own;
pub mod patterns;
pub(crate) mod place;
pub mod schema_default;
pub mod secret_values;
pub mod secret_words;
pub mod suggest;
pub mod usage;
pub mod uses;
pub mod walk;
mod word_list;

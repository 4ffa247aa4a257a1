//! The bundled mapping sets, sets of other kinds of trees, and what they took over.

mod bundled;
mod catalogue;
pub(crate) mod generated;
mod in_place;
mod kinds;
mod old_importer;
mod samples;

//! Again changes nothing: a second import writes what changed, and nothing else.

mod changed;
pub(crate) mod changed_rows;
mod jobs;
mod owners;
mod read_again;
pub(crate) mod repeat_laws;
mod repeats;
mod second_import;
pub(crate) mod set_laws;

//! All errors at once, each at its place and with what to do.

mod broken;
mod empty;
mod helps;
mod mappings;
mod rejects;
pub(crate) mod set_aside;
mod strings;

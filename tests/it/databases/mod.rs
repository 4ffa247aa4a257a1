//! What databases keep, alter and rule.

mod columns;
pub(crate) mod existing;
mod formats;
mod keeps;
mod rules;
mod unique;

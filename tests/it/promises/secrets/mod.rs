//! Secrets are where they belong, sealed, and nowhere in words.

mod columns;
mod passwords;
mod registry;
pub(crate) mod sealed;
mod tamper;
mod words;

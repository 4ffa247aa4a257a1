//! A JSON document as read: its nodes ([`tape`]), and paths into it ([`path`]).

pub mod path;
pub mod tape;
mod wide;

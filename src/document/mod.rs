//! A JSON document as read: its nodes ([`tape`]), paths into it ([`path`]), and names that count as leaves ([`name`]).

pub mod name;
pub mod path;
pub mod tape;
mod wide;

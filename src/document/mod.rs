//! A JSON document as read: its nodes ([`tape`]), paths into it ([`path`]), its text ([`json`]) and what that
//! means ([`meaning`]) or lists ([`list`]), and names that count as leaves ([`name`]). What is looked for among many is sorted once ([`picks`]).

pub mod json;
pub mod list;
pub mod meaning;
pub mod name;
pub mod path;
pub mod picks;
pub mod tape;

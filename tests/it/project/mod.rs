//! The project itself: its docs, its code, and what its commands print.

mod circles;
mod cmd;
mod code_pages;
mod dependencies;
mod differential;
mod docs;
mod durations;
mod guide;
mod pages;
mod shell;
mod used;

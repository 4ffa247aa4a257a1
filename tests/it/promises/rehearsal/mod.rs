//! A dry run is the real run, and leaves no trace.

mod dry_run;
mod plans;

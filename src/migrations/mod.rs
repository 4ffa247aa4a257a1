//! The schema's life: status, migrate, roll back, and what would be lost.
//!
//! This is also what an application calls when it starts, so that it never runs on tables of another
//! version:
//!
//! ```
//! use treelift::config::Quiet;
//! use treelift::schema::{ManagedDatabase, Options};
//!
//! # fn main() -> treelift::error::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder for the example");
//! # let set = folder.path().join("notes");
//! # std::fs::create_dir_all(set.join("schema")).expect("a folder");
//! # std::fs::write(set.join("set.toml"), "name = \"notes\"\n").expect("a set");
//! # std::fs::write(set.join("schema/001_notes.up.sql"), "CREATE TABLE notes (id INTEGER PRIMARY KEY);").expect("a file");
//! # let (set, database) = (set.display().to_string(), folder.path().join("notes.db").display().to_string());
//! // A mapping set's folder (or a bundled set's name), and the database's URL.
//! let mut managed = ManagedDatabase::open(Some(&set), Some(&database))?;
//! if managed.status()?.is_needed() {
//!     // Locked across processes: of two that start at once one migrates, and the other waits for
//!     // it, finds nothing left to do, or gets an error that names who holds the lock.
//!     managed.migrate(None, &Options::default(), &Quiet)?;
//! }
//! assert!(!managed.status()?.is_needed());
//! for record in managed.history(10)? {
//!     let applied_at = record.applied_at.unwrap_or_default();
//!     assert!(record.version == "001_notes" && !applied_at.is_empty());
//! }
//! # Ok(())
//! # }
//! ```

mod around;
mod choice;
mod events;
mod ids;
mod losses;
mod managed;
mod proof;
mod status;
mod tables_back;
mod write;

pub use crate::report::{Loss, LossKind};
pub use around::{Behind, Changed, TableCount};
pub use choice::{Memory, Selection, named_set, refuse_another, remembered};
pub use events::Event;
pub use losses::{in_question, lines as loss_lines, lost_by_import};
pub use managed::ManagedDatabase;
pub use proof::{On, Proof, test};
pub use status::{Options, Status};
pub use write::{NewPair, new_pair};

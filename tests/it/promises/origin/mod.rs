//! Where a row came from is known, whatever becomes of it afterwards.

mod afterwards;
mod rekeyed;

//! One transaction: the target is as before, or as after.

mod kill;
mod signals;

//! The run report.

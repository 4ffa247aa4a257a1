//! The search that proves that no secret stands in clear text.

//! The constructs of the mapping language.

mod across;
mod assertions;
mod expressions;
mod fill;
mod from_json;
mod last;
mod later;
mod lines;
mod owners;
mod packed;
mod paths;
mod policies;
mod rows;
mod shapes;
mod times;
mod written;

//! The mapping language as data. `mappings/README.md` is its reference; the names here are its words.

mod expr;
mod mapping;
mod owners;
mod paths;
mod reads;
mod rule;
mod set;

pub use crate::step::Literal;
pub use expr::{
    By, Condition, Digest, Each, Expr, Form, From, Lossy, Parts, Policies, Policy, Sought, TemplatePiece, TypeName,
};
pub use mapping::{Format, IgnoredName, Mapping, Shape, Source};
pub use owners::{Find, Ownerless, Owners, Pattern, PatternPiece, PatternSegment, Unknown};
pub use paths::{Covering, PathExpr, PathStep, Picked, Root, Rooted};
pub use reads::{ReadAs, Reads};
pub use rule::{Agreement, ColumnRule, Dropped, Elements, KeyPart, Let, OnDuplicate, OnExisting, Protection, Rule};
pub use set::{
    AssertCategory, Assertion, FernetForm, Gives, IgnoreFiles, Isolation, Precedence, Recognise, RecordName, Set,
    Strings, WhatOfNul,
};

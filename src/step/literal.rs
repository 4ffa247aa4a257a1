//! Values that a mapping writes out.

/// A plain value of TOML.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Literal>),
    /// A table, in the order of the file.
    Table(Vec<(String, Literal)>),
}

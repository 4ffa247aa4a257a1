//! The definition of `treelift export`, nothing else.

use super::shared::ManagedArgs;
use crate::export::Form;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  treelift export people --as csv --database sqlite:///./new.db > people.csv
  treelift export people notes --as sql --output people.sql --database sqlite:///./new.db
  treelift export notes --as jsonl --order-by written_at --database postgresql://host/app

All tables are read at one moment. Two exports of the same rows are the same bytes. Sealed values
are written as they are stored: nothing is opened, and no passphrase is needed.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ExportArgs {
    /// The tables.
    #[arg(value_name = "TABLE", required = true)]
    pub(in crate::cli) tables: Vec<String>,
    /// The form: comma-separated values with a header, one JSON object for each row, or INSERT statements of the engine's
    /// own SQL.
    #[arg(long = "as", value_name = "FORM", value_parser = form())]
    pub(in crate::cli) form: Form,
    /// Order the rows by this column; may be given more than once [default: the primary key].
    #[arg(long, value_name = "COLUMN", action = ArgAction::Append)]
    pub(in crate::cli) order_by: Vec<String>,
    /// Write into this new file [default: standard output]. With several tables as CSV, write a file of each into this
    /// folder.
    #[arg(short, long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) output: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
}

/// Reads the name of a form.
fn form() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::name))
        .map(|name| Form::ALL.into_iter().find(|form| form.name() == name).unwrap_or(Form::Csv))
}

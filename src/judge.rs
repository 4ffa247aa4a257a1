//! A mapping set judged without a tree: by itself, and against the schema that it writes into.

use crate::database::{Dialect, schema};
use crate::error::{Error, Result};
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::mapping::{check, codes};
use crate::table::Schema;
use crate::validate::gather;

/// Loads a set and checks all of it: the files themselves, and against the schema it writes into.
///
/// # Errors
/// All that is wrong, as one error with more behind it.
pub fn judge(source: &SetSource) -> Result<(Set, Schema)> {
    let (set, mut errors) = load::read(source)?;
    let schema = match schema::expected(&Dialect::default(), &set.migrations) {
        Ok(mut schema) => {
            schema.write_as(&set.written);
            // Much would seem to be missing that stands in a file which is no TOML.
            if errors.iter().all(|error| error.code != Some(codes::NO_TOML.id)) {
                errors.retain(|error| !check::follows(error, &set, &schema));
                // What is found at a line that could not be parsed would only follow from that.
                let unparsed: Vec<_> = errors.iter().filter_map(|error| error.place.clone()).collect();
                let found = check::check(&set, &schema).into_iter();
                errors.extend(found.filter(|error| error.place.as_ref().is_none_or(|place| !unparsed.contains(place))));
            }
            errors.extend(Dialect::default().broken_bodies(&set.migrations)?);
            errors.extend(gather::check_assertions(&set)?);
            Some(schema)
        }
        Err(error) => {
            errors.push(error);
            None
        }
    };
    load::show_lines(source, &mut errors);
    match (Error::all(errors), schema) {
        (Some(error), _) => Err(error),
        (None, Some(schema)) => Ok((set, schema)),
        (None, None) => Err(Error::bug("an error is gone")),
    }
}

//! A mapping set judged without a tree: by itself, and against the schema that it writes into.

use crate::database::Dialect;
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
    judged(source, false)
}

/// The same, and that its migrations can be rolled back and applied again.
///
/// # Errors
/// All that is wrong, as one error with more behind it.
pub fn judge_both_ways(source: &SetSource) -> Result<(Set, Schema)> {
    judged(source, true)
}

fn judged(source: &SetSource, both_ways: bool) -> Result<(Set, Schema)> {
    let (set, mut errors) = load::read(source)?;
    let made =
        Dialect::default().rehearsal(&set.migrations, both_ways).and_then(|mut made| Ok((made.whole()?.schema, made)));
    let schema = match made {
        Ok((mut schema, mut made)) => {
            schema.write_as(&set.written);
            // Much would seem to be missing that stands in a file which is no TOML.
            if errors.iter().all(|error| error.code != Some(codes::NO_TOML.id)) {
                errors.retain(|error| !check::follows(error, &set, &schema));
                // What is found at a line that could not be parsed would only follow from that.
                let unparsed: Vec<_> = errors.iter().filter_map(|error| error.place.clone()).collect();
                let found = check::check(&set, &schema).into_iter();
                errors.extend(found.filter(|error| error.place.as_ref().is_none_or(|place| !unparsed.contains(place))));
            }
            errors.extend(made.broken_bodies()?);
            errors.extend(gather::check_assertions(&set, &mut made)?);
            if both_ways && errors.is_empty() {
                errors.extend(made.way_back()?);
            }
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

//! `[hand_over]` of set.toml.

use super::keys;
use super::tree::{Fields, Item};
use crate::mapping::model::{FernetForm, Literal};

/// `[hand_over.fernet]`.
pub(super) fn fernet(item: Item<'_>) -> Option<FernetForm> {
    let fields = item.fields(&[&keys::FERNET])?;
    let password = fields.need("password")?;
    let names = password.strings();
    if names.is_empty() {
        password.refuse("`password` names no environment variable");
    }
    let salt = fields.need("salt")?.fields(&[&keys::FERNET_SALT])?;
    Some(FernetForm {
        password: names,
        salt_variable: salt.text("environment"),
        salt: salt.need("default")?.text()?.to_owned(),
        salt_fit: fit(&salt),
        rounds: number(fields.need("rounds")?, 1..=10_000_000)?,
        base64: fields.flag("base64"),
        keep_empty: fields.flag("keep_empty"),
        message: fields.text("message"),
    })
}

/// `bytes` and `fill`, which need each other.
fn fit(salt: &Fields<'_>) -> Option<(usize, char)> {
    if salt.get("bytes").is_none() && salt.get("fill").is_none() {
        return None;
    }
    let bytes = number(salt.need_for("bytes", "`salt` with `fill`")?, 1..=1024)?;
    let fill = salt.need_for("fill", "`salt` with `bytes`")?;
    let mut characters = fill.text()?.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) if one.is_ascii() => Some((bytes as usize, one)),
        _ => {
            fill.refuse("`fill` is one ASCII character");
            None
        }
    }
}

fn number(item: Item<'_>, allowed: std::ops::RangeInclusive<u32>) -> Option<u32> {
    match item.literal()? {
        Literal::Integer(value) => u32::try_from(value).ok().filter(|value| allowed.contains(value)),
        _ => None,
    }
    .or_else(|| {
        item.refuse(format!("`{}` is an integer from {} to {}", item.name, allowed.start(), allowed.end()));
        None
    })
}

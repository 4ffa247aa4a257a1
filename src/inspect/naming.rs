//! Names for captures and columns: English words in the singular.

/// Context names that mean something else.
const RESERVED: [&str; 6] = ["owner", "file", "stem", "started", "index", "position"];

/// The name of a capture: the singular of the folder around it where that is a plural, else the name for any.
pub(super) fn capture(folder: Option<&str>, any: &str, prefer_any: bool, taken: &[String]) -> String {
    let name = folder.filter(|_| !prefer_any).and_then(singular).unwrap_or_else(|| any.to_owned());
    free(&name, taken)
}

/// The name, with a number behind it if it is taken.
pub(super) fn free(name: &str, taken: &[String]) -> String {
    let is_free = |name: &String| !taken.contains(name) && !RESERVED.contains(&name.as_str());
    let numbered = (2_u32..).map(|number| format!("{name}{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

/// The singular of a word in small letters that looks like a plural.
pub(super) fn singular(word: &str) -> Option<String> {
    let fits = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !fits || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return None;
    }
    if word == "people" {
        return Some("person".to_owned());
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return Some(format!("{stem}y"));
    }
    let sibilant = |stem: &&str| ["x", "ch", "sh", "ss", "zz"].iter().any(|end| stem.ends_with(end));
    if let Some(stem) = word.strip_suffix("es").filter(sibilant) {
        return Some(stem.to_owned());
    }
    word.strip_suffix('s').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_have_a_singular() {
        for (word, one) in [
            ("users", Some("user")),
            ("categories", Some("category")),
            ("boxes", Some("box")),
            ("notes", Some("note")),
            ("people", Some("person")),
            ("status", None),
            ("address", None),
            ("meta", None),
            ("s", None),
        ] {
            assert_eq!(singular(word).as_deref(), one, "{word}");
        }
        assert_eq!(capture(Some("owners"), "folder", false, &[]), "owner2");
        assert_eq!(capture(Some("users"), "folder", false, &["user".to_owned()]), "user2");
        assert_eq!(capture(None, "part", false, &[]), "part");
    }
}

//! A text that many have.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// So many bytes of texts are kept together.
const TOGETHER: usize = 1 << 16;

/// A text that is kept once however many have it: a tree may have millions of files, and a report lists every one.
///
/// Texts that come together lie together ([`Shared::all_of`]), which takes less room than one allocation for each.
#[derive(Clone)]
pub struct Shared {
    /// What it is a part of. A pointer to a pointer: that takes half the room here.
    all: Arc<Box<str>>,
    start: u32,
    end: u32,
}

impl Shared {
    /// These texts, in their order.
    pub fn all_of<T: AsRef<str>>(texts: &[T]) -> Vec<Self> {
        let mut shared = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let mut bytes = 0;
            // The first one is taken however long it is.
            let fits = |text: &&T| {
                bytes += text.as_ref().len();
                bytes <= TOGETHER
            };
            let (together, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            let all: String = together.iter().map(AsRef::as_ref).collect();
            let all = Arc::new(all.into_boxed_str());
            let mut start = 0;
            for text in together {
                let end = start + text.as_ref().len();
                shared.push(Self::part(&all, start, end));
                start = end;
            }
            rest = others;
        }
        shared
    }

    fn part(all: &Arc<Box<str>>, start: usize, end: usize) -> Self {
        let at = |at| u32::try_from(at).expect("paths, names and reasons are shorter than 4 GiB");
        Self { all: Arc::clone(all), start: at(start), end: at(end) }
    }
}

impl Deref for Shared {
    type Target = str;

    fn deref(&self) -> &str {
        &self.all[self.start as usize..self.end as usize]
    }
}

impl AsRef<str> for Shared {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Shared {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Shared {}

impl PartialEq<&str> for Shared {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Shared {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl From<&str> for Shared {
    fn from(text: &str) -> Self {
        Self::part(&Arc::new(text.into()), 0, text.len())
    }
}

impl From<String> for Shared {
    fn from(text: String) -> Self {
        let bytes = text.len();
        Self::part(&Arc::new(text.into_boxed_str()), 0, bytes)
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_come_together_are_what_they_were() {
        let long = "x".repeat(TOGETHER + 1);
        for texts in [&["a", "", "ä/ö", &long, &long, "b"][..], &[""], &[], &[&long], &["a", &long]] {
            assert_eq!(Shared::all_of(texts).iter().map(|text| &**text).collect::<Vec<_>>(), texts);
        }
    }

    #[test]
    fn a_text_takes_16_bytes_and_many_lie_together() {
        assert_eq!(size_of::<Shared>(), 16);
        let texts = Shared::all_of(&["12345678"; 10_000]);
        let together = texts.chunk_by(|one, next| Arc::ptr_eq(&one.all, &next.all)).count();
        assert_eq!(together, 2);
        assert!(texts.iter().all(|text| text == &texts[0]));
    }
}

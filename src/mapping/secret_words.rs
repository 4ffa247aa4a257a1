//! Which member names look like secrets.
//!
//! A false alarm costs one line of a mapping, a miss leaves a password in plaintext: so the lists
//! are long, and exceptions few.

mod lists;
#[cfg(test)]
mod tests;

use lists::{
    ABOUT, AFTER_KEY, ALONE, ANSWERS, ASKING, BETWEEN, CLAVE_BESIDE, CODE_OF, CODES, CONSENT, COUNTED, COUNTING,
    HASH_OF, KEY_OF, KEYS, LAST, NOT_PARTS, PAIRS, PARTS, PASS_BESIDE, PASS_OF, PAT_OF, PIN_BESIDE, SCRIPTS,
    SECRET_ABOUT, SK_OF, TAN_BESIDE, TOKEN_BESIDE, TOKEN_OF, WEBHOOK_ABOUT, WORDS, Words,
};
use std::sync::LazyLock;

/// Words beyond this many are not looked at: no program names a member in a longer sentence.
const MOST_WORDS: usize = 16;

/// Parts of words are matched only by words of so many letters: shorter ones stand in ordinary words.
const SHORTEST_PART: usize = 6;

/// Fewer digits are no PIN.
const SHORTEST_PIN: usize = 4;

/// Numbers of so many digits are no count of tokens.
const LONGEST_COUNT_OF_TOKENS: usize = 10;

/// Whether a member of this name would be expected to hold a secret.
///
/// The name is split at case changes and at everything that is not a letter. Most words are compared
/// whole (`pushPin` is a secret, `pinned` is not); those of six and more letters also inside of
/// others and across boundaries (`userpassword`, `Pass-Word`). A word behind the secret that only
/// describes it clears the name: `token_type`, `password_changed_at`.
pub fn looks_secret(name: &str) -> bool {
    if !name.is_ascii() && SCRIPTS.iter().any(|script| name.contains(script)) {
        return true;
    }
    let mut words = words(name);
    words.retain(|word| !BETWEEN.contains(word));
    let Some(last) = (0..words.len()).rev().find(|at| is_secret_at(&words, *at)) else { return false };
    if last > 0 && words[..last].first().is_some_and(|word| ASKING.contains(word)) {
        return false;
    }
    !words[last + 1..].iter().any(|word| ABOUT.contains(word))
}

/// Whether a number under this name rather counts secrets than being one: `"tokens": 4096`, `"passwords": 3`.
pub fn is_count(name: &str, number: &str) -> bool {
    let words = words(name);
    let is_whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_whole
        && words.last().is_some_and(|last| match last.as_str() {
            "token" | "tokens" => number.len() < LONGEST_COUNT_OF_TOKENS,
            plural => plural.ends_with('s') && !plural.ends_with("ss") && number.len() < SHORTEST_PIN,
        })
}

/// Whether a member that lies below one of this name is expected to hold a secret or a part of it:
/// everything but what describes it, such as its `type` or `username`.
pub fn looks_secret_below(container: &str, member: &str) -> bool {
    let describes = |word: &String| ABOUT.contains(word) || ANSWERS.contains(word);
    looks_secret(container) && !words(member).last().is_some_and(describes)
}

/// Whether a column of this name says of itself that what it holds is encrypted.
pub fn claims_encryption(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "encrypted" | "sealed" | "cipher" | "ciphertext"))
}

/// Whether a secret is named by the word at this position, or by it and those that follow.
fn is_secret_at(words: &[String], at: usize) -> bool {
    let word = words[at].as_str();
    let before = at.checked_sub(1).map(|before| words[before].as_str());
    let after = words.get(at + 1).map(String::as_str);
    let is_beside = |is_one: &dyn Fn(&str) -> bool| before.into_iter().chain(after).any(is_one);
    let beside = |list: &Words| is_beside(&|other| list.contains(other));
    match word {
        "token" => return !beside(&COUNTING) && !beside(&TOKEN_BESIDE),
        "tokens" => {
            let counts = |word: &String| COUNTING.contains(word) || COUNTED.contains(word);
            return !words.iter().any(counts);
        }
        "clave" | "claves" => return !beside(&CLAVE_BESIDE),
        // A key word in Italian.
        "parola" => return !is_beside(&|other| matches!(other, "chiave" | "chiavi")),
        "cookie" | "cookies" => return !after.is_some_and(|after| CONSENT.contains(after)),
        "secret" | "secrets" => return !after.is_some_and(|after| SECRET_ABOUT.contains(after)),
        "tan" | "tans" => return !beside(&TAN_BESIDE),
        "sk" | "rk" => {
            return before.is_some_and(|before| SK_OF.contains(before)) || matches!(after, Some("live" | "test"));
        }
        "pat" => return before.is_some_and(|before| PAT_OF.contains(before)),
        // `timeCode` is of a film.
        "time" => return before == Some("one") && after.is_some_and(|after| is_one_of(&CODES, after)),
        "answer" | "answers" if before == Some("question") => {
            return words[..at - 1]
                .iter()
                .any(|word| matches!(word.as_str(), "security" | "secret" | "recovery" | "challenge"));
        }
        "pin" | "pins" => return !beside(&PIN_BESIDE),
        "pass" => return !beside(&PASS_BESIDE),
        "webhook" | "webhooks" => return !after.is_some_and(|after| WEBHOOK_ABOUT.contains(after)),
        _ => {}
    }
    is_one_of(&WORDS, word)
        || (words.len() == 1 && ALONE.contains(word))
        || (at + 1 == words.len() && LAST.contains(word))
        || after.is_some_and(|after| is_pair(word, after))
        || is_compound(word, |prefix, word| prefix.ends_with(word))
        || has_part(word)
        || spans_words(&words[at..])
}

/// [`PARTS`] by their first byte.
static PARTS_BY_FIRST: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
    let mut by_first = vec![Vec::new(); 256];
    PARTS.iter().for_each(|part| by_first[usize::from(part.as_bytes()[0])].push(part));
    by_first
});

/// A word of the list or its plural.
fn is_one_of(list: &Words, word: &str) -> bool {
    list.contains(word) || word.strip_suffix('s').is_some_and(|singular| list.contains(singular))
}

/// Two words that name a secret together: `ssh key`, `clave privada`, `door code`, `security answer`.
fn is_pair(first: &str, second: &str) -> bool {
    let key = |word: &str| is_one_of(&KEYS, word);
    (key(second) && KEY_OF.contains(first))
        || (key(first) && AFTER_KEY.contains(second))
        || (is_one_of(&CODES, second) && CODE_OF.contains(first))
        || PAIRS.contains(&format!("{first} {second}"))
        || second.strip_suffix('s').is_some_and(|singular| PAIRS.contains(&format!("{first} {singular}")))
}

/// A pair that is written as one word: `sshkey`, `authtokens`, `pincode`, `dbpass`.
///
/// `fits` says how the part before the last word is compared.
fn is_compound(word: &str, fits: impl Fn(&str, &str) -> bool) -> bool {
    let tails = [
        ("key", &KEY_OF),
        ("token", &TOKEN_OF),
        ("code", &CODE_OF),
        ("pass", &PASS_OF),
        ("pwd", &PASS_OF),
        ("pw", &PASS_OF),
        ("hash", &HASH_OF),
    ];
    let singular = word.strip_suffix('s').filter(|_| !word.ends_with("pass"));
    [Some(word), singular].into_iter().flatten().any(|word| {
        tails.iter().any(|(tail, of)| {
            word.strip_suffix(tail).filter(|prefix| !prefix.is_empty()).is_some_and(|prefix| {
                of.iter().any(|first| prefix == first || (is_long(first, tail) && fits(prefix, first)))
            })
        })
    })
}

/// Whether the two make a word that may be a part of another.
fn is_long(first: &str, tail: &str) -> bool {
    first.len() >= 3 && first.len() + tail.len() >= SHORTEST_PART
}

/// Whether a long word for a secret stands in the word, apart from ordinary words that hold one.
fn has_part(word: &str) -> bool {
    if word.len() < SHORTEST_PART {
        return false;
    }
    let holds = |word: &str| {
        word.bytes().enumerate().any(|(at, first)| {
            PARTS_BY_FIRST[usize::from(first)].iter().any(|part| word.as_bytes()[at..].starts_with(part.as_bytes()))
        })
    };
    holds(word) && holds(&NOT_PARTS.iter().fold(word.to_owned(), |word, ordinary| word.replace(ordinary, " ")))
}

/// Whether words that are split where they need not be give one that names a secret: `Pass-Word`.
fn spans_words(words: &[String]) -> bool {
    let mut joined = String::new();
    words.iter().enumerate().any(|(at, word)| {
        joined.push_str(word);
        at > 0
            && (is_one_of(&PARTS, &joined) || is_one_of(&WORDS, &joined) || is_compound(&joined, |_, _| false))
            && joined.len() >= SHORTEST_PART
    })
}

/// The words of a name in lower case: `userAPIKey_2` has `user`, `api` and `key`.
///
/// Accents that follow their letter as characters of their own are left out, so that both ways to
/// write `contraseña` are known.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().filter(|letter| !is_accent(*letter)).map(narrow).collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let starts = before.is_some_and(|before| {
            let at_case = letter.is_uppercase()
                && (before.is_lowercase()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())));
            at_case || is_east_asian(before) != is_east_asian(*letter)
        });
        if (starts || !letter.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
            if words.len() == MOST_WORDS {
                return words;
            }
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase().filter(|letter| !is_accent(*letter)));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A combining accent: U+0300 to U+036F.
fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// Scripts that set no blanks between words: their names often follow a Latin abbreviation.
fn is_east_asian(letter: char) -> bool {
    ('\u{2e80}'..='\u{d7ff}').contains(&letter)
}

/// Full-width forms of ASCII as ASCII.
fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(letter as u32 - 0xff01 + 0x21).unwrap_or(letter),
        other => other,
    }
}

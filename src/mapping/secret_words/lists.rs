//! The lists of words.txt: the words by which names of secrets are known.

use crate::mapping::word_list::List;
pub(super) use crate::mapping::word_list::Words;

fn read(name: &str) -> Words {
    Words::read(include_str!("words.txt"), name)
}

/// Words that are secret wherever they stand in a name, also in the plural.
pub(super) static WORDS: List = List::new(|| read("words"));
/// Words that are secret as a whole name: beside others they mean any key, or anything.
pub(super) static ALONE: List = List::new(|| read("alone"));
/// Words that are secret at the end of a name: `basic_auth`.
pub(super) static LAST: List = List::new(|| read("last"));
/// Long words that are secret also as a part of another word.
pub(super) static PARTS: List = List::new(|| read("parts"));
/// Ordinary words that have a word of [`PARTS`] in them.
pub(super) static NOT_PARTS: List = List::new(|| read("not parts"));
/// Words of scripts without blanks between words, secret wherever they stand.
pub(super) static SCRIPTS: List = List::new(|| read("scripts"));
/// Words for a key that is secret only by the words beside it.
pub(super) static KEYS: List = List::new(|| read("keys"));
/// Words that make a following key secret.
pub(super) static KEY_OF: List = List::new(|| read("key of"));
/// Words that make a key before them secret, in languages that put it so.
pub(super) static AFTER_KEY: List = List::new(|| read("after key"));
/// Words that make a following `token` secret where no boundary tells that it is one.
pub(super) static TOKEN_OF: List = List::new(|| read("token of"));
/// Words for a code that is secret only by the word before it.
pub(super) static CODES: List = List::new(|| read("codes"));
/// Words that make a following `code` secret.
pub(super) static CODE_OF: List = List::new(|| read("code of"));
/// Words that make a following `pass`, `pw` or `pwd` secret where no boundary tells that it is one.
pub(super) static PASS_OF: List = List::new(|| read("pass of"));
/// Other pairs that name a secret; the second also in the plural.
pub(super) static PAIRS: List = List::new(|| read("pairs"));
/// Beside `token` or `tokens` they tell that tokens are counted or paid.
pub(super) static COUNTING: List = List::new(|| read("counting"));
/// In a name with `tokens` they tell that these are the parts of a text, which are counted.
pub(super) static COUNTED: List = List::new(|| read("counted"));
/// Behind `cookie` they tell that it is about the consent to cookies.
pub(super) static CONSENT: List = List::new(|| read("consent"));
/// Beside `pin` they tell of a needle on a map, or of a contact of a chip.
pub(super) static PIN_BESIDE: List = List::new(|| read("pin beside"));
/// Beside `pass` they tell of a ticket, a stage or a mark.
pub(super) static PASS_BESIDE: List = List::new(|| read("pass beside"));
/// Behind `webhook` they tell that it is not its address, which is a secret.
pub(super) static WEBHOOK_ABOUT: List = List::new(|| read("webhook about"));
/// Behind the name of a secret they tell that something about it is meant.
pub(super) static ABOUT: List = List::new(|| read("about"));
/// Below a member that looks like a secret they tell whose it is, or of what kind.
pub(super) static ANSWERS: List = List::new(|| read("answers"));
/// Beside `clave`, which is a password in Spanish and any key, they tell that no secret is meant.
pub(super) static CLAVE_BESIDE: List = List::new(|| read("clave beside"));
/// Words between two that belong together: `clave de acceso`, `mother's maiden name`.
pub(super) static BETWEEN: List = List::new(|| read("between"));
/// Before the name of a secret they tell that the member answers a question about it: `hasPassword`.
pub(super) static ASKING: List = List::new(|| read("asking"));
/// Beside `token` they tell of a network, a currency, a grammar or a design.
pub(super) static TOKEN_BESIDE: List = List::new(|| read("token beside"));
/// Behind `secret` they tell of a game, a place or a person.
pub(super) static SECRET_ABOUT: List = List::new(|| read("secret about"));
/// Beside `tan` they tell of a colour, a skin or a function.
pub(super) static TAN_BESIDE: List = List::new(|| read("tan beside"));
/// Whose `sk` is a secret key; a `pk` is a public one. Other `sk` are sort keys and Slovak.
pub(super) static SK_OF: List = List::new(|| read("sk of"));
/// Whose `pat` is a personal access token.
pub(super) static PAT_OF: List = List::new(|| read("pat of"));
/// Words that make a following `hash` that of a password where no boundary tells it.
pub(super) static HASH_OF: List = List::new(|| read("hash of"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_read_and_every_list_of_the_file_is_asked_for() {
        let sections = include_str!("words.txt").lines().filter(|line| line.starts_with('[')).count();
        assert_eq!(include_str!("lists.rs").matches("List::new(|| read(").count(), sections + 1);
        let lists = [
            &WORDS,
            &ALONE,
            &LAST,
            &PARTS,
            &NOT_PARTS,
            &SCRIPTS,
            &KEYS,
            &KEY_OF,
            &AFTER_KEY,
            &TOKEN_OF,
            &CODES,
            &CODE_OF,
            &PASS_OF,
            &PAIRS,
            &COUNTING,
            &COUNTED,
            &CONSENT,
            &PIN_BESIDE,
            &PASS_BESIDE,
            &WEBHOOK_ABOUT,
            &ABOUT,
            &ANSWERS,
            &CLAVE_BESIDE,
            &BETWEEN,
            &ASKING,
            &TOKEN_BESIDE,
            &SECRET_ABOUT,
            &TAN_BESIDE,
            &SK_OF,
            &PAT_OF,
            &HASH_OF,
        ];
        assert_eq!(lists.len(), sections);
        assert!(lists.iter().all(|list| list.iter().next().is_some()));
    }
}

//! Which member names sound like secrets.

/// Words that are secret wherever they stand in a name.
const WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "pw",
    "secret",
    "secrets",
    "token",
    "tokens",
    "pin",
    "credential",
    "credentials",
    "apikey",
    "appkey",
    "privatekey",
    "userkey",
];

/// Words that make a following `key` or `keys` secret.
const KEY_OF: &[&str] = &["api", "private", "user", "app", "access", "auth", "encryption", "signing"];

/// Whether a member of this name would be expected to hold a secret.
///
/// The name is split at case changes and at everything that is no letter, and whole words are
/// compared: `pushPin` is one, `pinned` is none.
pub fn looks_secret(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| KEY_OF.contains(&pair[0].as_str()) && matches!(pair[1].as_str(), "key" | "keys"))
}

/// Whether a column of this name says of itself that what it holds is encrypted.
pub fn claims_encryption(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "encrypted" | "sealed" | "cipher" | "ciphertext"))
}

/// The words of a name in lower case: `userAPIKey_2` has `user`, `api` and `key`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if (starts || !letter.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_however_they_are_written() {
        for name in [
            "password",
            "Password",
            "PASSWORD",
            "smtp_password",
            "userPassword2",
            "passwd",
            "pwd",
            "mail-pw",
            "clientSecret",
            "app_token",
            "appToken",
            "accessTokens",
            "pin",
            "doorPIN",
            "PINCode",
            "credentials",
            "api_key",
            "apiKey",
            "APIKey",
            "api-key-2",
            "apikey",
            "private key",
            "userKey",
            "user_keys",
            "appKey",
        ] {
            assert!(looks_secret(name), "{name}");
        }
    }

    #[test]
    fn ordinary_names_are_left_alone() {
        for name in [
            "pinned",
            "keyboard",
            "monkey",
            "primary key",
            "primaryKey",
            "key",
            "user",
            "userKeyboard",
            "spin",
            "opinion",
            "tokenizer",
            "secretary",
            "",
            "42",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn names_that_claim_encryption_are_told() {
        assert!(["encrypted_user", "EncryptedUser", "note_ciphertext"].into_iter().all(claims_encryption));
        assert!(!["encryption", "sealant", "unsealed", ""].into_iter().any(claims_encryption));
    }

    #[test]
    fn a_name_falls_into_words_at_case_changes_and_at_what_is_no_letter() {
        assert_eq!(words("userAPIKey_2x"), ["user", "api", "key", "x"]);
    }
}

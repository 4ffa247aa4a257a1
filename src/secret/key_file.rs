//! Key files: 32 random bytes in a file that only its owner can read.

use super::envelope;
use super::text_file::{open_regular, read_text};
use crate::error::{Error, Result};
use crate::platform;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// How the content of a key file begins.
pub(super) const PREFIX: &str = "treelift-key-1.";
const WHAT: &str = "key file";

/// The 32 random bytes of a key file.
#[derive(Debug)]
pub struct KeyMaterial(SecretBox<[u8; 32]>);

impl KeyMaterial {
    /// Reads a key file. It must be a regular file, owned by the caller, without permissions for others.
    pub fn from_file(path: &Path) -> Result<Self> {
        let file = open_regular(path, WHAT)?;
        check_owner_and_mode(&file, path)?;
        let text = read_text(&file, path, WHAT)?;
        Self::from_text(text.expose_secret()).ok_or_else(|| {
            Error::environment("this is not a key file").at(path.display()).hint(
                "a key file is one line that begins with `treelift-key-1.`; make one with `credentials new-key-file`",
            )
        })
    }

    /// 32 bytes from the operating system's random source.
    pub(super) fn random() -> Result<Self> {
        let mut material = SecretBox::<[u8; 32]>::default();
        envelope::fill_random(material.expose_secret_mut())?;
        Ok(Self(material))
    }

    fn from_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(envelope::from_base64url(text.strip_prefix(PREFIX)?)?);
        let bytes: &[u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(SecretBox::init_with_mut(|material: &mut [u8; 32]| material.copy_from_slice(bytes))))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

/// Checks the open file, not its name, so that what was checked is what is read.
fn check_owner_and_mode(file: &File, path: &Path) -> Result<()> {
    let metadata = file.metadata().map_err(|error| {
        Error::environment(format!("the key file cannot be read: {}", error.kind())).at(path.display())
    })?;
    if !platform::is_own(&metadata) {
        return Err(Error::environment("the key file belongs to another user")
            .at(path.display())
            .hint("run as its owner, or use a copy that you own"));
    }
    if let Some(mode) = platform::mode_for_others(&metadata) {
        return Err(Error::environment(format!("the key file is accessible by others (mode {mode:o})"))
            .at(path.display())
            .hint("run `chmod 600` on it; if someone may have read it, make a new one and run `credentials rekey`"));
    }
    Ok(())
}

/// Writes a new key file that only the caller can read. What exists is never overwritten.
pub fn new_key_file(path: &Path) -> Result<()> {
    let material = KeyMaterial::random()?;
    let encoded = Zeroizing::new(envelope::to_base64url(material.bytes()));
    let mut line = Zeroizing::new(String::with_capacity(PREFIX.len() + encoded.len() + 1));
    line.extend([PREFIX, encoded.as_str(), "\n"]);

    let mut file = platform::create_private(path).map_err(|error| {
        let at = |error: Error| error.at(path.display());
        match error.kind() {
            ErrorKind::AlreadyExists => {
                at(Error::request("the file exists already, and a key file never overwrites one"))
                    .hint("choose another name; values sealed under an overwritten key would be lost")
            }
            kind => at(Error::environment(format!("the key file cannot be created: {kind}"))),
        }
    })?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a key is worthless; a failed removal does not change the error.
        let _removed = std::fs::remove_file(path);
        Error::environment(format!("the key file cannot be written: {}", error.kind())).at(path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn refusal(content: &str, mode: u32) -> Option<String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        std::fs::write(&path, content).expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("sets the mode");
        KeyMaterial::from_file(&path).err().map(|error| error.message)
    }

    fn line(bytes: &[u8]) -> String {
        format!("{PREFIX}{}", envelope::to_base64url(bytes))
    }

    #[test]
    fn a_new_key_file_is_private_random_and_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        new_key_file(&one).expect("is written");
        new_key_file(&two).expect("is written");
        assert_eq!(platform::mode(&std::fs::metadata(&one).expect("exists")), 0o600);
        let read = KeyMaterial::from_file(&one).expect("is read");
        assert_eq!(std::fs::read_to_string(&one).expect("is read"), line(read.bytes()) + "\n");
        assert_ne!(read.bytes(), KeyMaterial::from_file(&two).expect("is read").bytes());
    }

    #[test]
    fn a_new_key_file_replaces_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "mine").expect("writes");
        let error = new_key_file(&path).expect_err("is refused");
        assert_eq!(error.message, "the file exists already, and a key file never overwrites one");
        assert_eq!(std::fs::read_to_string(&path).expect("is read"), "mine");
        let dangling = folder.path().join("dangling");
        std::os::unix::fs::symlink(folder.path().join("none"), &dangling).expect("links");
        assert!(new_key_file(&dangling).is_err());
    }

    #[test]
    fn only_a_file_closed_to_others_is_read() {
        let content = line(&[9; 32]);
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(refusal(&content, mode), None);
        }
        assert_eq!(refusal(&content, 0o640).as_deref(), Some("the key file is accessible by others (mode 640)"));
        assert_eq!(refusal(&content, 0o602).as_deref(), Some("the key file is accessible by others (mode 602)"));
    }

    #[test]
    fn only_the_one_form_of_a_key_is_read() {
        let good = line(&[9; 32]);
        for content in [good.clone(), format!("{good}\n"), format!("{good}\r\n")] {
            assert_eq!(refusal(&content, 0o600), None);
        }
        let other = good.replacen("-1.", "-2.", 1);
        for content in [line(&[9; 31]), line(&[9; 33]), format!("{good}="), format!(" {good}"), other, String::new()] {
            assert_eq!(refusal(&content, 0o600).as_deref(), Some("this is not a key file"));
        }
    }
}

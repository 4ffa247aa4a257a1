//! What an import keeps of its source, packed and in parts, so that it is never in memory as a whole.

use crate::database::{Reader, Transaction};
use crate::error::{Error, Result};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::de::IoRead;
use std::io::{BufReader, BufWriter, Read, Result as IoResult, Write};

/// So many packed bytes are a part.
const PART: usize = 1 << 16;

/// Keeps one value after the other.
pub(super) struct Keeping<'t>(BufWriter<GzEncoder<Parts<'t>>>);

impl<'t> Keeping<'t> {
    /// In place of what an earlier run kept.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn begin(transaction: &'t mut dyn Transaction) -> Result<Self> {
        transaction.forget_seen()?;
        let parts = Parts { transaction, next: 0, bytes: Vec::with_capacity(PART) };
        Ok(Self(BufWriter::new(GzEncoder::new(parts, Compression::fast()))))
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn keep(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.0, value).map_err(|error| fault(error.into()))
    }

    /// Keeps the rest.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn end(self) -> Result<()> {
        let packed = self.0.into_inner().map_err(|error| fault(error.into_error()))?;
        packed.finish().and_then(|mut parts| parts.put()).map_err(fault)
    }
}

/// Parts on their way into the database.
struct Parts<'t> {
    transaction: &'t mut dyn Transaction,
    next: u64,
    bytes: Vec<u8>,
}

impl Parts<'_> {
    fn put(&mut self) -> IoResult<()> {
        if !self.bytes.is_empty() {
            self.transaction.put_seen(self.next, &self.bytes).map_err(std::io::Error::other)?;
            self.next += 1;
            self.bytes.clear();
        }
        Ok(())
    }
}

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        let taken = bytes.len().min(PART - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        if self.bytes.len() == PART {
            self.put()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

/// Gives back what was kept, one value after the other.
pub(super) struct Recalling<'r>(serde_json::Deserializer<IoRead<BufReader<GzDecoder<Found<'r>>>>>);

impl<'r> Recalling<'r> {
    /// What the last import kept.
    pub(super) fn of(reader: &'r dyn Reader) -> Self {
        let found = Found { reader, next: 0, bytes: Vec::new(), at: 0 };
        Self(serde_json::Deserializer::from_reader(BufReader::new(GzDecoder::new(found))))
    }

    /// The next value; none where nothing was kept, or what was kept is no such value.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        match T::deserialize(&mut self.0) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_io() => match std::io::Error::from(error).downcast() {
                Ok(error) => Err(error),
                Err(_) => Ok(None), // it cannot be unpacked
            },
            Err(_) => Ok(None),
        }
    }
}

/// Parts on their way out of the database.
struct Found<'r> {
    reader: &'r dyn Reader,
    next: u64,
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Found<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        if self.at == self.bytes.len() {
            self.bytes = self.reader.seen(self.next).map_err(std::io::Error::other)?.unwrap_or_default();
            (self.next, self.at) = (self.next + 1, 0);
        }
        let given = buffer.len().min(self.bytes.len() - self.at);
        buffer[..given].copy_from_slice(&self.bytes[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}

/// The database's error, or that something cannot be packed.
fn fault(error: std::io::Error) -> Error {
    let other = |error| Error::environment(format!("what is kept of the source cannot be packed: {error}"));
    error.downcast().unwrap_or_else(other)
}

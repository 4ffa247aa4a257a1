//! The tokens of a whole file, for those who only look: nothing is kept of it.

use super::json::{Event, Scanner, Token};
use super::read::Opened;
use crate::finding::Finding;

/// Whether the file's first byte other than white space begins an object or an array.
///
/// # Errors
/// A finding when the file cannot be read.
pub fn begins_as_json(opened: &mut Opened) -> Result<bool, Finding> {
    opened.rewind()?;
    let file = opened.file();
    let mut scanner = Scanner::new(&mut opened.window, opened.limits.depth);
    match scanner.next() {
        Ok(token) => Ok(token.is_some_and(|token| matches!(token.event, Event::ObjectStart | Event::ArrayStart))),
        Err(fault) if fault.code == &crate::finding::FILE_UNREADABLE => Err(fault.finding(file)),
        Err(_) => Ok(false),
    }
}

/// Shows every token of a file, in its order.
///
/// # Errors
/// The fault that ends it, when all before it was shown.
pub fn scan(opened: &mut Opened, see: &mut dyn FnMut(&Token<'_>)) -> Result<(), Finding> {
    opened.rewind()?;
    let file = opened.file();
    let mut scanner = Scanner::within(&mut opened.window, opened.limits.depth, opened.limits.replace);
    loop {
        match scanner.next() {
            Ok(Some(token)) => see(&token),
            Ok(None) => return Ok(()),
            Err(fault) => return Err(fault.finding(file)),
        }
    }
}

/// Shows the first tokens of a file, so many at most and those before its first fault.
///
/// # Errors
/// A finding when the file cannot be read.
pub fn begin(opened: &mut Opened, most: usize, see: &mut dyn FnMut(&Token<'_>)) -> Result<(), Finding> {
    opened.rewind()?;
    let file = opened.file();
    let mut scanner = Scanner::within(&mut opened.window, opened.limits.depth, opened.limits.replace);
    for _ in 0..most {
        match scanner.next() {
            Ok(Some(token)) => see(&token),
            Ok(None) => return Ok(()),
            Err(fault) if fault.code == &crate::finding::FILE_UNREADABLE => return Err(fault.finding(file)),
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

//! JSON numbers: checked against the grammar of RFC 8259 section 6, kept as they are written.

use super::json::{Fault, Scanner, State};
use crate::finding::JSON_SYNTAX;

impl Scanner<'_> {
    /// Scans the number that begins at the next byte; `following` is what must come after it.
    pub(super) fn number(&mut self, following: State) -> Result<&str, Fault> {
        let mut at = 0;
        let cut = loop {
            let rest = self.window.rest();
            at += rest[at..].iter().take_while(|byte| is_part(**byte)).count();
            if at < rest.len() {
                break false;
            }
            if !self.more()? {
                break true;
            }
        };
        if let Err((good, wanted)) = check(&self.window.rest()[..at]) {
            return Err(self.number_fault(at, cut, good, wanted));
        }
        self.progress.state = following;
        let written = self.window.take(at);
        Ok(std::str::from_utf8(written).expect("digits, signs and points are ASCII"))
    }

    fn number_fault(&mut self, length: usize, cut: bool, good: usize, wanted: &'static str) -> Fault {
        if good == length && cut {
            return self.truncated("inside a number");
        }
        if let Err(fault) = self.ensure(9) {
            return fault;
        }
        if good == 1 && self.window.rest().starts_with(b"-Infinity") {
            return Fault::new(&JSON_SYNTAX, self.window.offset(), "`-Infinity` is not a JSON number");
        }
        Fault::new(&JSON_SYNTAX, self.window.offset() + good as u64, wanted)
    }
}

fn is_part(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Checks a number against the grammar; else how many bytes of it are good, and what is wrong after them.
fn check(number: &[u8]) -> Result<(), (usize, &'static str)> {
    const DIGIT: &str = "expected a digit in a number";
    let digits = |from: usize| number[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(number.first() == Some(&b'-'));
    match (number.get(at), digits(at)) {
        (_, 0) => return Err((at, DIGIT)),
        (Some(b'0'), count) if count > 1 => return Err((at + 1, "a number must not have leading zeros")),
        (_, count) => at += count,
    }
    if number.get(at) == Some(&b'.') {
        at += 1;
        match digits(at) {
            0 => return Err((at, DIGIT)),
            count => at += count,
        }
    }
    if matches!(number.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(number.get(at + 1), Some(b'+' | b'-')));
        match digits(at) {
            0 => return Err((at, DIGIT)),
            count => at += count,
        }
    }
    if at == number.len() { Ok(()) } else { Err((at, "unexpected character in a number")) }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn numbers_are_checked_against_the_grammar() {
        for good in
            ["0", "-0", "10", "1.5", "-1.50", "1e5", "1E+05", "1.5e-3", "123456789012345678901234567890", "1e400"]
        {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for (bad, at) in [
            ("-", 1),
            ("01", 1),
            ("-01", 2),
            ("1.", 2),
            ("1.e5", 2),
            ("1e", 2),
            ("1e+", 3),
            ("1.5.2", 3),
            ("1-2", 1),
            ("--1", 1),
            ("1e5e", 3),
        ] {
            assert_eq!(check(bad.as_bytes()).unwrap_err().0, at, "{bad}");
        }
    }
}

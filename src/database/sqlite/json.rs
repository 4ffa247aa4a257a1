//! Whether two JSON texts mean the same: members in any order, numbers as they are written.

use std::collections::BTreeMap;

/// Far above what treelift writes (127); a deeper document is only equal byte for byte.
const MOST_DEPTH: usize = 256;

/// Whether both are JSON and mean the same. Of members of one name the last counts, as for the
/// usual readers.
pub(super) fn equal(left: &str, right: &str) -> bool {
    left == right || matches!((parse(left), parse(right)), (Some(left), Some(right)) if left == right)
}

#[derive(PartialEq)]
enum Node<'t> {
    /// A number, `true`, `false` or `null`, as written.
    Word(&'t str),
    String(String),
    Array(Vec<Node<'t>>),
    Object(BTreeMap<String, Node<'t>>),
}

fn parse(text: &str) -> Option<Node<'_>> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.blank();
    (reader.at == text.len()).then_some(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Option<Node<'t>> {
        if depth > MOST_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.string().map(Node::String),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            _ => self.word(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Node<'t>> {
        let mut items = Vec::new();
        self.list(b'[', b']', |reader| {
            items.push(reader.value(depth + 1)?);
            Some(())
        })?;
        Some(Node::Array(items))
    }

    fn object(&mut self, depth: usize) -> Option<Node<'t>> {
        let mut members = BTreeMap::new();
        self.list(b'{', b'}', |reader| {
            let name = (reader.peek()? == b'"').then(|| reader.string())??;
            reader.eat(b':')?;
            members.insert(name, reader.value(depth + 1)?);
            Some(())
        })?;
        Some(Node::Object(members))
    }

    /// What is between brackets, separated by commas.
    fn list(&mut self, open: u8, close: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.eat(open)?;
        if self.peek()? == close {
            return self.eat(close);
        }
        loop {
            item(self)?;
            if self.peek()? == close {
                return self.eat(close);
            }
            self.eat(b',')?;
        }
    }

    /// serde_json decodes the escapes and refuses what is not a string.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        serde_json::from_str(self.text.get(start..=end)?).ok()
    }

    fn word(&mut self) -> Option<Node<'t>> {
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        let word = &rest[..end];
        let known =
            matches!(word, "null" | "true" | "false") || serde_json::from_str::<serde_json::Number>(word).is_ok();
        self.at += end;
        known.then_some(Node::Word(word))
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The next byte that is not whitespace.
    fn peek(&mut self) -> Option<u8> {
        self.blank();
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        let rest = self.text.as_bytes()[self.at..].iter();
        self.at += rest.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_equal_when_they_mean_the_same() {
        let cases = [
            (r#"{"a":1,"b":[true,null]}"#, r#"{ "b": [true, null], "a": 1 }"#, true),
            (r#"{"a":"ä"}"#, r#"{"a": "\u00e4"}"#, true),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true),
            (r#""a\"b""#, r#""a\u0022b""#, true),
            ("[]", "[ ]", true),
            ("[1,2]", "[2,1]", false),
            ("1", "1.0", false),
            ("12345678901234567890", "12345678901234567891", false),
            ("{}", "[]", false),
            ("null", "{}", false),
            ("[1", "[1]", false),
            ("nonsense", "other", false),
            (r#"{"a" 1}"#, r#"{"a":1}"#, false),
        ];
        for (left, right, same) in cases {
            assert_eq!(equal(left, right), same, "{left} {right}");
        }
    }

    #[test]
    fn a_bottomless_document_is_only_equal_to_itself() {
        let deep = "[".repeat(100_000);
        assert!(equal(&deep, &deep));
        assert!(!equal(&deep, "[]"));
    }
}

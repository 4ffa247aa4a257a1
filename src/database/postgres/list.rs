//! Lists of one dimension: their bytes for COPY (`array_recv` of the server), their text ("Arrays", Input and Output
//! Syntax), and the JSON that they are outside of a database.

use super::types::Element;
use crate::document::list;
use crate::table;

/// The elements of a list.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::database) enum List {
    Texts(Vec<Option<String>>),
    Integers(Vec<Option<i64>>),
}

impl List {
    /// Of a JSON text.
    pub(super) fn of(json: &str, of: table::Element) -> Option<Self> {
        match of {
            table::Element::Integer => list::integers(json).map(Self::Integers),
            table::Element::Text { .. } => list::texts(json).map(Self::Texts),
        }
    }

    /// As JSON.
    pub(super) fn json(&self) -> String {
        match self {
            Self::Texts(texts) => list::of_texts(texts),
            Self::Integers(numbers) => list::of_integers(numbers),
        }
    }

    /// The text that a cast to the column's type takes.
    pub(super) fn literal(&self) -> String {
        let all: Vec<String> = match self {
            Self::Integers(numbers) => {
                numbers.iter().map(|one| one.map_or("NULL".to_owned(), |number| number.to_string())).collect()
            }
            Self::Texts(texts) => {
                let quoted = |text: &String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
                texts.iter().map(|one| one.as_ref().map_or("NULL".to_owned(), quoted)).collect()
            }
        };
        format!("{{{}}}", all.join(","))
    }

    /// Of the server's text; `None` where it is of another form, as one of several dimensions.
    pub(super) fn parse(text: &str, of: table::Element) -> Option<Self> {
        let texts = elements(text)?;
        match of {
            table::Element::Text { .. } => Some(Self::Texts(texts)),
            table::Element::Integer => {
                let numbers = texts.into_iter().map(|one| one.map_or(Some(None), |text| text.parse().ok().map(Some)));
                numbers.collect::<Option<_>>().map(Self::Integers)
            }
        }
    }

    /// Appends it as COPY's binary form has it.
    pub(super) fn put(&self, number: u32, element: Element, out: &mut Vec<u8>) -> Result<(), &'static str> {
        const LARGE: &str = "a value is larger than PostgreSQL keeps";
        let count = match self {
            Self::Texts(all) => all.len(),
            Self::Integers(all) => all.len(),
        };
        let has_null = match self {
            Self::Texts(all) => all.iter().any(Option::is_none),
            Self::Integers(all) => all.iter().any(Option::is_none),
        };
        let count = i32::try_from(count).map_err(|_| LARGE)?;
        out.extend(i32::from(count > 0).to_be_bytes()); // dimensions
        out.extend(i32::from(has_null).to_be_bytes());
        out.extend(number.to_be_bytes());
        if count > 0 {
            out.extend(count.to_be_bytes());
            out.extend(1_i32.to_be_bytes()); // the number of the first element
        }
        let mut one = |bytes: Option<&[u8]>| -> Result<(), &'static str> {
            let length = bytes.map_or(Ok(-1), |bytes| i32::try_from(bytes.len()).map_err(|_| LARGE))?;
            out.extend(length.to_be_bytes());
            out.extend(bytes.unwrap_or_default());
            Ok(())
        };
        match self {
            Self::Texts(texts) => texts.iter().try_for_each(|text| match text {
                Some(text) if text.contains('\0') => Err("the type, which keeps no U+0000,"),
                text => one(text.as_ref().map(String::as_bytes)),
            }),
            Self::Integers(numbers) => numbers.iter().try_for_each(|number| {
                const RANGE: &str = "the range of the integer type";
                let Some(number) = *number else { return one(None) };
                match element {
                    Element::Int2 => one(Some(&i16::try_from(number).map_err(|_| RANGE)?.to_be_bytes())),
                    Element::Int4 => one(Some(&i32::try_from(number).map_err(|_| RANGE)?.to_be_bytes())),
                    Element::Int8 => one(Some(&number.to_be_bytes())),
                    Element::Text => Err("the type"),
                }
            }),
        }
    }
}

/// The elements of `{a,"b c",NULL}`.
fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (mut all, mut letters) = (Vec::new(), inner.chars().peekable());
    if inner.is_empty() {
        return Some(all);
    }
    loop {
        let mut element = String::new();
        let is_quoted = letters.next_if_eq(&'"').is_some();
        loop {
            match letters.next() {
                Some('"') if is_quoted => break,
                Some('\\') => element.push(letters.next()?),
                Some('{' | '"') if !is_quoted => return None,
                Some(letter) => element.push(letter),
                None => return None,
            }
            if !is_quoted && matches!(letters.peek(), None | Some(',')) {
                break;
            }
        }
        all.push(if !is_quoted && element == "NULL" { None } else { Some(element) });
        match letters.next() {
            Some(',') => {}
            Some(_) => return None,
            None => return Some(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: table::Element = table::Element::Text { max: None };

    #[test]
    fn a_list_of_texts_goes_to_the_server_and_back() {
        for (json, literal) in [
            ("[]", "{}"),
            (r#"["a","",null,"NULL"]"#, r#"{"a","",NULL,"NULL"}"#),
            (r#"["b \"c\" \\d","{e,f}","ä"]"#, r#"{"b \"c\" \\d","{e,f}","ä"}"#),
        ] {
            let list = List::of(json, TEXT).unwrap();
            assert_eq!(list.literal(), literal);
            assert_eq!(List::parse(literal, TEXT).unwrap(), list);
            assert_eq!(list.json(), json);
        }
        // As the server writes it.
        assert_eq!(List::parse("{a,\"\",NULL,b-c}", TEXT).unwrap().json(), r#"["a","",null,"b-c"]"#);
        assert_eq!(List::parse("{1,NULL,-3}", table::Element::Integer).unwrap().json(), "[1,null,-3]");
        for other in ["{{1},{2}}", "[2:3]={1,2}", "1", "{a", "{a\"b}"] {
            assert_eq!(List::parse(other, TEXT), None, "{other}");
        }
    }

    #[test]
    fn a_list_goes_over_the_wire_with_the_type_of_its_elements() {
        let of = |json: &str, of, element| {
            let mut out = Vec::new();
            List::of(json, of).unwrap().put(23, element, &mut out).map(|()| out)
        };
        let bytes = of("[7,null]", table::Element::Integer, Element::Int4).unwrap();
        let numbers: Vec<i32> = bytes.chunks(4).map(|four| i32::from_be_bytes(four.try_into().unwrap())).collect();
        assert_eq!(numbers, [1, 1, 23, 2, 1, 4, 7, -1]);
        assert_eq!(of("[]", TEXT, Element::Text).unwrap().len(), 12);
        assert!(of("[40000]", table::Element::Integer, Element::Int2).unwrap_err().contains("range"));
        assert!(of(r#"["\u0000"]"#, TEXT, Element::Text).unwrap_err().contains("U+0000"));
    }
}

//! Parses paths, selections and templates.

pub use super::path_scanner::Wrong;
use super::path_scanner::{Part, Scanner};
use crate::document::tape::{Segment, Selection};
use crate::mapping::model::{Covering, PathExpr, PathStep, Root, Rooted, TemplatePiece};

/// Parses a path, which gives at most one node.
pub fn path(text: &str) -> Result<PathExpr, Wrong> {
    let (root, parts) = Scanner::new(text).run()?;
    let mut steps = Vec::with_capacity(parts.len());
    for part in parts {
        steps.push(match part {
            Part::Name(name) => PathStep::Name(name),
            Part::Pick { member, equals } => PathStep::Pick { member, equals },
            Part::Members | Part::Elements | Part::Below => {
                return Err(Wrong::new(format!("`{text}` could give several values, and a path gives at most one"))
                    .hint("pick one as in `items[name = \"x\"]`, or select elements with `each`"));
            }
        });
    }
    Ok(PathExpr { root, steps })
}

/// Whether it is a path with stars, which gives a list.
pub fn has_stars(text: &str) -> bool {
    let parts = Scanner::new(text).run().map(|(_, parts)| parts).unwrap_or_default();
    parts.iter().any(|part| matches!(part, Part::Members | Part::Elements))
}

/// Parses a selection that starts from the element, the record or the frame.
pub fn rooted(text: &str) -> Result<Rooted, Wrong> {
    let (root, parts) = Scanner::new(text).run()?;
    rooted_of(text, root, parts)
}

/// Parses an entry of `expected` or `[ignore]`: a selection, with `.**` for everything below as well.
pub fn covering(text: &str) -> Result<Covering, Wrong> {
    let (root, mut parts) = Scanner::new(text).run()?;
    let below = matches!(parts.last(), Some(Part::Below));
    if below {
        parts.pop();
    }
    Ok(Covering { rooted: rooted_of(text, root, parts)?, below })
}

fn rooted_of(text: &str, root: Root, parts: Vec<Part>) -> Result<Rooted, Wrong> {
    if !matches!(root, Root::Element | Root::Record | Root::Frame) {
        return Err(Wrong::new(format!("`{text}` selects nothing in a document"))
            .hint("a selection starts with a name, `.`, `@` or `$`"));
    }
    let mut segments = Vec::with_capacity(parts.len());
    for part in parts {
        segments.push(match part {
            Part::Name(name) => Segment::Name(name),
            Part::Members => Segment::Members,
            Part::Elements => Segment::Elements,
            Part::Below => {
                return Err(Wrong::new(format!(
                    "`{text}` has `**`, which is allowed only at the end of an entry of `expected` and `[ignore]`"
                ))
                .hint("select members with `.*` and elements with `[*]`"));
            }
            Part::Pick { .. } => {
                return Err(Wrong::new(format!("`{text}` picks an element, and a selection takes all or none"))
                    .hint("use `[*]`, and `when` in the rule"));
            }
        });
    }
    Ok(Rooted { root, selection: Selection(segments) })
}

/// Parses a selection that has no choice of what it starts from.
pub fn selection(text: &str) -> Result<Selection, Wrong> {
    let rooted = rooted(text)?;
    if rooted.root == Root::Element {
        Ok(rooted.selection)
    } else {
        Err(Wrong::new(format!("`{text}` takes no prefix: its start is fixed")))
    }
}

/// Parses a template: text with `{path}`; `{{` and `}}` are braces.
pub fn template(text: &str) -> Result<Vec<TemplatePiece>, Wrong> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            plain.push_str(brace);
            rest = after;
        } else if brace == "}" {
            return Err(Wrong::new(format!("`{text}` closes a brace that is not open")).hint("write `}}` for a brace"));
        } else {
            let Some(end) = rest.find('}') else {
                return Err(
                    Wrong::new(format!("`{text}` opens a brace and does not close it")).hint("write `{{` for a brace")
                );
            };
            if !plain.is_empty() {
                pieces.push(TemplatePiece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(TemplatePiece::Path(path(&rest[..end])?));
            rest = &rest[end + 1..];
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(TemplatePiece::Text(plain));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::model::Literal;

    fn name(name: &str) -> PathStep {
        PathStep::Name(name.to_owned())
    }

    fn pick(member: &str, equals: Literal) -> PathStep {
        PathStep::Pick { member: member.to_owned(), equals }
    }

    #[test]
    fn every_prefix_has_its_root() {
        let cases = [
            (".", Root::Element, vec![]),
            ("title", Root::Element, vec![name("title")]),
            (".title", Root::Element, vec![name("title")]),
            ("author.address.city", Root::Element, vec![name("author"), name("address"), name("city")]),
            ("@", Root::Record, vec![]),
            ("@.id", Root::Record, vec![name("id")]),
            ("@['odd key'].x", Root::Record, vec![name("odd key"), name("x")]),
            ("$.meta.time", Root::Frame, vec![name("meta"), name("time")]),
            ("^id", Root::Parent("id".into()), vec![]),
            ("=slug", Root::Column("slug".into()), vec![]),
            ("#owner.id", Root::Context("owner.id".into()), vec![]),
            ("#started", Root::Context("started".into()), vec![]),
        ];
        for (text, root, steps) in cases {
            assert_eq!(path(text), Ok(PathExpr { root, steps }), "{text}");
        }
    }

    #[test]
    fn a_pick_compares_a_member_with_a_literal() {
        let text = |text: &str| Literal::Text(text.to_owned());
        let cases = [
            ("tags[kind = \"To do\"].name", vec![name("tags"), pick("kind", text("To do")), name("name")]),
            ("tags['odd kind'='x]y']", vec![name("tags"), pick("odd kind", text("x]y"))]),
            ("[n=3]", vec![pick("n", Literal::Integer(3))]),
            ("a[n = -1.5]", vec![name("a"), pick("n", Literal::Real(-1.5))]),
            ("a[on = true]['it\\'s']", vec![name("a"), pick("on", Literal::Bool(true)), name("it's")]),
        ];
        for (text, steps) in cases {
            assert_eq!(path(text), Ok(PathExpr { root: Root::Element, steps }), "{text}");
        }
    }

    #[test]
    fn selections_take_stars_and_show_as_they_were_written() {
        for text in ["notes[*]", "notes.*", "[*]", "*", "a.*[*].b", ".", "['odd key'].*"] {
            assert_eq!(selection(text).map(|selection| selection.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(rooted("$.meta.*").map(|rooted| rooted.root), Ok(Root::Frame));
    }

    #[test]
    fn invalid_paths_are_refused_with_the_reason() {
        let cases = [
            ("", "an empty string is not a path"),
            ("%title", "`%title` starts with `%`, which is not a path prefix"),
            ("a..b", "`a..b` has `..`, and no path selects at any depth"),
            ("a.", "`a.` ends where a name should follow"),
            ("a b", "`a b` has ` ` where a path continues or ends"),
            ("a[0]", "`[0]` in `a[0]`: a number as an index is not built yet"),
            ("a[*]", "`a[*]` could give several values, and a path gives at most one"),
            ("a[b]", "`a[b]` has an invalid bracket"),
            ("a[b = c]", "`c` in `a[b = c]` is not a literal"),
            ("a['b]", "`a['b]` opens a quote and does not close it"),
            ("@title", "`@title` has `t` where a path continues or ends"),
            ("^", "`^` does not name a column of the parent row"),
            ("=a.b", "`=a.b` does not name a column or `let` of the rule"),
            ("#place.id", "`#place.id` does not name a context name"),
        ];
        for (text, message) in cases {
            assert_eq!(path(text).map_err(|wrong| wrong.message), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_selection_takes_no_pick_and_starts_in_the_document() {
        assert!(rooted("a[b = 1]").is_err());
        assert!(rooted("=a").is_err());
        assert!(selection("$.a").is_err());
    }

    #[test]
    fn a_template_holds_text_paths_and_doubled_braces() {
        let pieces = template("{{{a.b}}} x {c}").expect("it is well formed");
        let shown: Vec<_> = pieces
            .iter()
            .map(|piece| match piece {
                TemplatePiece::Text(text) => format!("text {text}"),
                TemplatePiece::Path(path) => format!("path of {}", path.steps.len()),
            })
            .collect();
        assert_eq!(shown, ["text {", "path of 2", "text } x ", "path of 1"]);
        assert!(template("a {b").is_err());
        assert!(template("a } b").is_err());
    }

    #[test]
    fn a_covering_takes_what_is_below_only_with_two_stars() {
        let shown = |text: &str| covering(text).map(|covering| (covering.below, covering.to_string()));
        for (text, below) in [
            ("address", false),
            (".", false),
            ("**", true),
            ("address.**", true),
            ("$[*].a.**", true),
            ("@.a.*", false),
            ("$", false),
            ("@.**", true),
        ] {
            assert_eq!(shown(text), Ok((below, text.to_owned())));
        }
        for text in ["a.**.b", "**.a", "a[**]"] {
            assert!(covering(text).is_err(), "{text}");
        }
        assert_eq!(
            rooted("a.**").map_err(|wrong| wrong.message),
            Err("`a.**` has `**`, which is allowed only at the end of an entry of `expected` and `[ignore]`".to_owned())
        );
    }

    fn segments() -> impl proptest::strategy::Strategy<Value = Vec<Segment>> {
        use proptest::prelude::*;
        let name = prop_oneof![
            "[a-z]{1,3}",
            "[ '\"\\\\.\\[\\]*#$@^=u{}0-9]{0,6}",
            proptest::collection::vec(any::<char>(), 0..4).prop_map(String::from_iter),
        ];
        let segment =
            prop_oneof![4 => name.prop_map(Segment::Name), 1 => Just(Segment::Members), 1 => Just(Segment::Elements)];
        proptest::collection::vec(segment, 0..5)
    }

    proptest::proptest! {
        #[test]
        fn a_path_that_is_shown_reads_back(segments in segments(), root in 0..3, below in proptest::bool::ANY) {
            let root = [Root::Element, Root::Record, Root::Frame][root as usize].clone();
            let entry = Covering { rooted: Rooted { root, selection: Selection(segments) }, below };
            let shown = entry.to_string();
            proptest::prop_assert_eq!(covering(&shown), Ok(entry), "{}", shown);
            // As a key of TOML, which is how a message proposes it.
            let line = format!("{} = 1", serde_json::Value::from(shown.as_str()));
            let table: toml::Table = line.parse().expect("a line of TOML");
            proptest::prop_assert_eq!(table.keys().collect::<Vec<_>>(), [&shown]);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[.@$^=#a-zé0-9'\"\\\\ *{}=\\[\\]-]{0,12}") {
            let _ = (path(&text), rooted(&text), template(&text), crate::mapping::model::Pattern::parse(&text));
        }
    }
}

//! Parses paths, selections and templates.

pub use super::path_scanner::Wrong;
use super::path_scanner::{Compared, Part, Scanner};
use crate::document::tape::{Segment, Selection};
use crate::mapping::model::{Covering, PathExpr, PathStep, Picked, Root, Rooted, TemplatePiece};

/// Parses a path, which gives at most one node.
pub fn path(text: &str) -> Result<PathExpr, Wrong> {
    let (root, parts) = Scanner::new(text).run()?;
    let mut steps = Vec::with_capacity(parts.len());
    for part in parts {
        steps.push(match part {
            Part::Name(name) => PathStep::Name(name),
            Part::Index(place) => PathStep::Index(place),
            Part::Pick { member, equals } => {
                let equals = match equals {
                    Compared::Literal(literal) => Picked::Literal(literal),
                    Compared::Path(text) => Picked::Path(Box::new(path(&text)?)),
                };
                PathStep::Pick { member, equals }
            }
            Part::Members | Part::Elements | Part::Below | Part::Names(_) => {
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
    rooted_of(text, root, parts, false)
}

/// Parses an entry of `expected` or `[ignore]`: a selection, which may have `**`. Each choice of its
/// unions is an entry.
pub fn coverings(text: &str) -> Result<Vec<Covering>, Wrong> {
    let (root, mut parts) = Scanner::new(text).run()?;
    let below = matches!(parts.last(), Some(Part::Below));
    while let Some(Part::Below) = parts.last() {
        parts.pop();
    }
    let Rooted { root, selection } = rooted_of(text, root, parts, true)?;
    let entry = |selection| Covering { rooted: Rooted { root: root.clone(), selection }, below };
    Ok(selection.choices().into_iter().map(entry).collect())
}

fn rooted_of(text: &str, root: Root, parts: Vec<Part>, any_depth: bool) -> Result<Rooted, Wrong> {
    if !matches!(root, Root::Element | Root::Record | Root::Frame) {
        return Err(Wrong::new(format!("`{text}` selects nothing in a document"))
            .hint("a selection starts with a name, `.`, `@` or `$`"));
    }
    let mut segments = Vec::with_capacity(parts.len());
    for part in parts {
        segments.push(match part {
            Part::Name(name) => Segment::Name(name),
            Part::Names(names) => Segment::Names(names),
            Part::Members => Segment::Members,
            Part::Elements => Segment::Elements,
            Part::Below if any_depth => Segment::AnyDepth,
            Part::Below => {
                return Err(Wrong::new(format!(
                    "`{text}` has `**`, which is allowed only in `expected` and `[ignore]`"
                ))
                .hint("select members with `.*` and elements with `[*]`"));
            }
            Part::Pick { .. } | Part::Index(_) => {
                return Err(Wrong::new(format!("`{text}` picks an element, and a selection takes all or none"))
                    .hint("use `[*]`, and `when` in the rule"));
            }
        });
    }
    segments.dedup_by(|later, earlier| *later == Segment::AnyDepth && *earlier == Segment::AnyDepth);
    Ok(Rooted { root, selection: Selection(segments) })
}

/// Whether a text is a path with stars or unions, which gives any number of values.
pub fn is_selection(text: &str) -> bool {
    let several = |part: &Part| matches!(part, Part::Members | Part::Elements | Part::Names(_) | Part::Below);
    Scanner::new(text).run().is_ok_and(|(_, parts)| parts.iter().any(several))
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
        PathStep::Pick { member: member.to_owned(), equals: Picked::Literal(equals) }
    }

    fn pick_by(member: &str, path: PathExpr) -> PathStep {
        PathStep::Pick { member: member.to_owned(), equals: Picked::Path(Box::new(path)) }
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
            ("^folders.id", Root::Above { rule: "folders".into(), column: "id".into() }, vec![]),
            ("[0]", Root::Element, vec![PathStep::Index(0)]),
            ("$.a[-1].b", Root::Frame, vec![name("a"), PathStep::Index(-1), name("b")]),
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
    fn a_pick_compares_a_member_with_a_path_that_has_its_prefix() {
        let of = |root, steps| PathExpr { root, steps };
        let cases = [
            (
                "$.ranks[level = .rank].name",
                vec![name("ranks"), pick_by("level", of(Root::Element, vec![name("rank")])), name("name")],
            ),
            ("$[a=#year]", vec![pick_by("a", of(Root::Context("year".into()), vec![]))]),
            (
                "$.x['k'= @['a]b'].c[0] ].d",
                vec![
                    name("x"),
                    pick_by("k", of(Root::Record, vec![name("a]b"), name("c"), PathStep::Index(0)])),
                    name("d"),
                ],
            ),
        ];
        for (text, steps) in cases {
            assert_eq!(path(text), Ok(of(Root::Frame, steps)), "{text}");
        }
        assert!(path("$.x[a = .b[*]]").is_err());
    }

    #[test]
    fn a_union_is_a_selection_of_each_of_its_names() {
        let shown = |text: &str| selection(text).map(|selection| selection.to_string());
        assert_eq!(shown("meta['a', \"b c\"].x"), Ok("meta['a', 'b c'].x".to_owned()));
        let choices = selection("['a', 'b'].x['c', 'd']").unwrap().choices();
        assert_eq!(choices.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a.x.c", "a.x.d", "b.x.c", "b.x.d"]);
        assert!(path("meta['a', 'b']").is_err());
        assert!(
            is_selection("meta['a', 'b']") && is_selection("a.*") && !is_selection("a[0].b") && !is_selection("=a")
        );
        let entries = coverings("$.meta['a', 'b'].**").unwrap();
        assert_eq!(entries.iter().map(ToString::to_string).collect::<Vec<_>>(), ["$.meta.a.**", "$.meta.b.**"]);
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
            ("a..b", "`a..b` has `..`, where a name should stand"),
            ("a.", "`a.` ends where a name should follow"),
            ("a b", "`a b` has ` ` where a path continues or ends"),
            ("a['b', c]", "`a['b', c]` has an invalid bracket"),
            ("a['b', 'b']", "`a['b', 'b']` names `b` twice"),
            ("a['\\n']", "`\\n` in `a['\\n']` is not an escape"),
            ("^a.b.c", "`^a.b.c` does not name a column of a row above"),
            ("a[*]", "`a[*]` could give several values, and a path gives at most one"),
            ("a[b]", "`a[b]` has an invalid bracket"),
            ("a[b = c]", "`c` in `a[b = c]` is not a literal"),
            ("a['b]", "`a['b]` opens a quote and does not close it"),
            ("@title", "`@title` has `t` where a path continues or ends"),
            ("^", "`^` does not name a column of a row above"),
            ("=a.b.c", "`=a.b.c` does not name a column or `let` of the rule"),
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
    fn a_covering_takes_what_is_below_only_with_two_stars_at_its_end() {
        let shown = |text: &str| coverings(text).map(|all| (all[0].below, all[0].to_string()));
        for (text, below) in [
            ("address", false),
            (".", false),
            ("**", true),
            ("address.**", true),
            ("$[*].a.**", true),
            ("@.a.*", false),
            ("$", false),
            ("@.**", true),
            ("a.**.b", false),
            ("**.a", false),
            ("$.**.a[*].**", true),
        ] {
            assert_eq!(shown(text), Ok((below, text.to_owned())));
        }
        assert!(coverings("a[**]").is_err());
        assert_eq!(
            rooted("a.**").map_err(|wrong| wrong.message),
            Err("`a.**` has `**`, which is allowed only in `expected` and `[ignore]`".to_owned())
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
            proptest::prop_assert_eq!(coverings(&shown), Ok(vec![entry]), "{}", shown);
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

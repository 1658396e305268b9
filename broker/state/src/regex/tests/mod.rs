use proptest::prelude::*;

use super::*;

const TEXTS: &str = include_str!("texts.txt");

/// Patterns, each with the answer of Kafka's library: which of the texts it matches, or why it does not compile.
/// `tests/conformance/groups` holds the table against that library.
const RE2J: &str = include_str!("re2j.txt");

fn answer(pattern: &str) -> String {
    match Regex::new(pattern) {
        Ok(regex) => {
            let mut matcher = Matcher::new(&regex);
            TEXTS.lines().map(|text| if matcher.is_match(text) { '1' } else { '0' }).collect()
        }
        // What stands for this in RE2/J is an error that it did not mean to have.
        Err(RegexError::UnexpectedParenthesis) => "error regexp/syntax: internal error".to_owned(),
        Err(error) => format!("error {error}"),
    }
}

#[test]
fn patterns_mean_what_kafkas_library_says() {
    let mut differences = Vec::new();
    for line in RE2J.lines() {
        let (pattern, expected) = line.split_once('\t').unwrap();
        let found = answer(pattern);
        if found != expected {
            differences.push(format!("{pattern}\n  {expected}\n  {found}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(RE2J.lines().count() > 200, "the table is there");
}

#[test]
fn what_explodes_elsewhere_takes_its_time_here() {
    // Each would take a backtracking engine longer than the universe has.
    let text = "a".repeat(50_000);
    for pattern in ["(a+)+b", "(a|aa)*b", "(a*)*b", "((a?){30}a{30})*b", "(.*)(.*)(.*)(.*)b"] {
        assert!(!Regex::new(pattern).unwrap().is_match(&text), "{pattern}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    for pattern in [
        "((a{1000}){1000}){1000}".to_owned(),
        "(){1000}".repeat(10_000),
        format!("a{}", "(?i)*".repeat(100_000)),
    ] {
        assert_eq!(Regex::new(&pattern).unwrap_err(), RegexError::TooLarge, "{pattern:.20}");
    }
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Regex::new(&nested(DEPTH_MAX)).unwrap().is_match("a"));
    assert_eq!(Regex::new(&nested(DEPTH_MAX + 1)).unwrap_err(), RegexError::TooLarge);
}

#[test]
fn more_states_than_are_remembered_change_nothing() {
    // What was an `a` twelve characters ago decides: 4,096 states and more.
    let regex = Regex::new("[ab]*a[ab]{12}").unwrap();
    let mut matcher = Matcher::new(&regex);
    let mut number: u32 = 1;
    for _ in 0..3_000 {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let text: String = (0..24).map(|bit| if (number >> bit) & 0x100 == 0 { 'a' } else { 'b' }).collect();
        assert_eq!(matcher.is_match(&text), text.as_bytes()[11] == b'a', "{text}");
    }
}

#[test]
fn a_prefix_is_what_all_matches_begin_with() {
    for (pattern, prefix) in [
        ("orders-.*", "orders-"),
        ("^orders$", "orders"),
        ("\\Qa.b\\Ec?", "a.b"),
        ("(orders)-x+", "orders-"),
        ("(?i)orders", ""),
        ("orders|payments", ""),
        (".*orders", ""),
        ("1(?i)2-a", "12-"),
    ] {
        assert_eq!(Regex::new(pattern).unwrap().prefix(), prefix, "{pattern}");
    }
}

#[test]
fn lines_and_words_end_where_they_do() {
    for (pattern, text, is_match) in [
        ("(?m)a$\n^b", "a\nb", true),
        ("a$\n^b", "a\nb", false),
        ("a.b", "a\nb", false),
        ("(?s)a.b", "a\nb", true),
        ("[^x]*", "a\nb", true),
        ("é.ü", "é-ü", true),
        ("[é-ü]", "ö", true),
        ("(?i)K", "\u{212A}", true),
    ] {
        assert_eq!(Regex::new(pattern).unwrap().is_match(text), is_match, "{pattern:?} {text:?}");
    }
}

/// A pattern, and a slow answer that is easy to trust: by trying all ways to take the text apart.
#[derive(Clone, Debug)]
enum Tree {
    Letter(char),
    Any,
    Sequence(Vec<Tree>),
    Choice(Vec<Tree>),
    Repeat(Box<Tree>, u32, Option<u32>),
}

impl Tree {
    fn pattern(&self) -> String {
        let all = |trees: &[Self], between: &str| {
            let parts: Vec<_> = trees.iter().map(Self::pattern).collect();
            parts.join(between)
        };
        match self {
            Self::Letter(letter) => letter.to_string(),
            Self::Any => ".".to_owned(),
            Self::Sequence(trees) => format!("(?:{})", all(trees, "")),
            Self::Choice(trees) => format!("({})", all(trees, "|")),
            Self::Repeat(tree, min, None) => format!("(?:{}){{{min},}}", tree.pattern()),
            Self::Repeat(tree, min, Some(max)) => format!("(?:{}){{{min},{max}}}", tree.pattern()),
        }
    }

    /// Where a match that begins at `from` can end.
    fn ends(&self, text: &[char], from: usize) -> std::collections::BTreeSet<usize> {
        match self {
            Self::Letter(letter) if text.get(from) == Some(letter) => [from + 1].into(),
            Self::Any if from < text.len() => [from + 1].into(),
            Self::Letter(_) | Self::Any => [].into(),
            Self::Sequence(trees) => trees.iter().fold([from].into(), |ends, tree| {
                ends.into_iter().flat_map(|end| tree.ends(text, end)).collect()
            }),
            Self::Choice(trees) => trees.iter().flat_map(|tree| tree.ends(text, from)).collect(),
            Self::Repeat(tree, min, max) => {
                let step = |ends: &std::collections::BTreeSet<usize>| {
                    ends.iter().flat_map(|end| tree.ends(text, *end)).collect()
                };
                let mut ends: std::collections::BTreeSet<usize> = [from].into();
                for _ in 0..*min {
                    ends = step(&ends);
                }
                let mut all = ends.clone();
                for _ in *min..max.unwrap_or(*min + u32::try_from(text.len()).unwrap() + 1) {
                    ends = step(&ends);
                    all.extend(&ends);
                }
                all
            }
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![Just(Tree::Letter('a')), Just(Tree::Letter('b')), Just(Tree::Any)];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let some = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            some().prop_map(Tree::Sequence),
            some().prop_map(Tree::Choice),
            (inner.clone(), 0_u32..3, prop::option::of(0_u32..3)).prop_map(|(tree, min, more)| {
                Tree::Repeat(Box::new(tree), min, more.map(|more| min + more))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_match_is_one_way_to_take_the_text_apart(tree in trees(), text in "[abc]{0,8}") {
        let regex = Regex::new(&tree.pattern()).unwrap();
        let characters: Vec<char> = text.chars().collect();
        let expected = tree.ends(&characters, 0).contains(&characters.len());
        prop_assert_eq!(regex.is_match(&text), expected, "{}", tree.pattern());
        prop_assert!(!expected || text.starts_with(regex.prefix()));
    }

    #[test]
    fn whatever_is_typed_is_a_pattern_or_an_error(pattern in r"[a-c\[\](){}|*+?\\^$.\-0-9,:<>PQEpLi&]{0,24}", text in "[a-c]{0,6}") {
        if let Ok(regex) = Regex::new(&pattern) {
            let _ = regex.is_match(&text);
        }
    }
}

//! From text to an expression's tree.
//!
//! Reads it as RE2 does, with its quirks: a brace that opens no valid repetition is a brace, `a**` is an error where
//! `(a*)*` is none, and flags last to the end of their group.

mod brackets;
mod escape;
mod groups;

use std::collections::BTreeSet;

use super::class::{CHARACTER_MAX, Class};
use super::program::Assertion;
use super::{DEPTH_MAX, RegexError};

/// A repetition says at most this.
const REPEAT_MAX: u32 = 1_000;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Nothing.
    Empty,
    /// One of these characters.
    Take(Class),
    /// No character, at such a place only.
    Assert(Assertion),
    /// One behind the other.
    Sequence(Vec<Node>),
    /// One of them.
    Choice(Vec<Node>),
    /// So often.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// At least so often.
        min: u32,
        /// At most so often; none = without end.
        max: Option<u32>,
    },
}

impl Node {
    /// What every match begins with.
    pub(super) fn literal_prefix(&self) -> String {
        let mut prefix = String::new();
        self.add_prefix(&mut prefix);
        prefix
    }

    /// Adds what is certain, and says whether it is all there is.
    fn add_prefix(&self, prefix: &mut String) -> bool {
        match self {
            Self::Empty | Self::Assert(_) => true,
            Self::Take(class) => class.single().map(|character| prefix.push(character)).is_some(),
            Self::Sequence(nodes) => nodes.iter().all(|node| node.add_prefix(prefix)),
            Self::Choice(_) | Self::Repeat { .. } => false,
        }
    }
}

/// What a letter behind `(?` sets, to the end of the group.
#[derive(Clone, Copy)]
struct Flags {
    /// `i`: upper and lower case are one.
    is_folded: bool,
    /// `m`: `^` and `$` stand for the ends of lines.
    is_by_line: bool,
    /// `s`: a dot stands for the end of a line, too.
    dot_is_all: bool,
}

/// A part that was read, and how deep it nests.
type Part = (Node, usize);

struct Parser<'a> {
    rest: std::str::Chars<'a>,
    flags: Flags,
    names: BTreeSet<String>,
    depth: usize,
}

/// The tree of an expression.
pub(super) fn parse(pattern: &str) -> Result<Node, RegexError> {
    let flags = Flags { is_folded: false, is_by_line: false, dot_is_all: false };
    let mut parser = Parser { rest: pattern.chars(), flags, names: BTreeSet::new(), depth: 0 };
    let (node, _) = parser.choice()?;
    if parser.peek().is_some() {
        return Err(RegexError::UnexpectedParenthesis);
    }
    Ok(node)
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self) -> Option<char> {
        self.rest.next()
    }

    fn take_if(&mut self, character: char) -> bool {
        let is_there = self.peek() == Some(character);
        if is_there {
            self.take();
        }
        is_there
    }

    /// Everything up to the end, or to the parenthesis that closes the group.
    fn choice(&mut self) -> Result<Part, RegexError> {
        let (first, mut depth) = self.sequence()?;
        let mut nodes = vec![first];
        while self.take_if('|') {
            let (node, deeper) = self.sequence()?;
            nodes.push(node);
            depth = depth.max(deeper);
        }
        let node = if nodes.len() > 1 { Node::Choice(nodes) } else { nodes.pop().unwrap_or(Node::Empty) };
        Ok((node, depth + 1))
    }

    fn sequence(&mut self) -> Result<Part, RegexError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut was_repeat = false;
        while let Some(character) = self.peek() {
            if matches!(character, '|' | ')') {
                break;
            }
            let is_repeat = match self.repetition(character)? {
                Some((min, max)) => {
                    // Lazy or not: a whole text matches either way.
                    self.take_if('?');
                    if was_repeat {
                        return Err(RegexError::RepeatOperator);
                    }
                    repeat_last(&mut parts, min, max)?;
                    true
                }
                None => {
                    self.item(&mut parts)?;
                    false
                }
            };
            was_repeat = is_repeat;
        }
        let depth = parts.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
        let mut nodes: Vec<Node> = parts.into_iter().map(|(node, _)| node).collect();
        let node = if nodes.len() > 1 { Node::Sequence(nodes) } else { nodes.pop().unwrap_or(Node::Empty) };
        Ok((node, depth + 1))
    }

    /// The bounds of a repetition, if one stands here; then it is passed.
    fn repetition(&mut self, character: char) -> Result<Option<(u32, Option<u32>)>, RegexError> {
        let bounds = match character {
            '*' => (0, None),
            '+' => (1, None),
            '?' => (0, Some(1)),
            '{' => {
                let Some((min, max, rest)) = braces(self.rest.clone()) else { return Ok(None) };
                let is_valid = min <= REPEAT_MAX && max.is_none_or(|max| max <= REPEAT_MAX && min <= max);
                if !is_valid {
                    return Err(RegexError::RepeatSize);
                }
                self.rest = rest;
                return Ok(Some((min, max)));
            }
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(bounds))
    }

    /// Whatever is no repetition.
    fn item(&mut self, parts: &mut Vec<Part>) -> Result<(), RegexError> {
        let node = match self.take() {
            None => return Ok(()),
            Some('(') => return self.group(parts),
            Some('[') => Node::Take(self.brackets()?),
            Some('.') if self.flags.dot_is_all => Node::Take(Class::any()),
            Some('.') => Node::Take(Class::of('\n', false).negated()),
            Some('^') if self.flags.is_by_line => Node::Assert(Assertion::LineBegins),
            Some('^') => Node::Assert(Assertion::TextBegins),
            Some('$') if self.flags.is_by_line => Node::Assert(Assertion::LineEnds),
            Some('$') => Node::Assert(Assertion::TextEnds),
            Some('\\') => return self.escaped(parts),
            Some(character) => self.literal(character),
        };
        parts.push((node, 0));
        Ok(())
    }

    fn literal(&self, character: char) -> Node {
        Node::Take(Class::of(character, self.flags.is_folded))
    }
}

/// Repeats what was read last.
fn repeat_last(parts: &mut Vec<Part>, min: u32, max: Option<u32>) -> Result<(), RegexError> {
    let (node, depth) = parts.pop().ok_or(RegexError::MissingRepeatArgument)?;
    let node = Node::Repeat { node: Box::new(node), min, max };
    // Flags between two repetitions make the second one that of the first, as in RE2: deep, and without parentheses.
    if depth > 4 * DEPTH_MAX {
        return Err(RegexError::TooLarge);
    }
    parts.push((node, depth + 1));
    Ok(())
}

/// A number that is larger than any that is allowed.
const TOO_LARGE: u32 = u32::MAX;

/// The bounds in braces, and what follows; none if these are no bounds.
fn braces(mut rest: std::str::Chars<'_>) -> Option<(u32, Option<u32>, std::str::Chars<'_>)> {
    rest.next();
    let min = number(&mut rest)?;
    let max = match rest.next()? {
        '}' => return Some((min, Some(min), rest)),
        ',' if rest.as_str().starts_with('}') => None,
        ',' => Some(number(&mut rest)?),
        _ => return None,
    };
    (rest.next()? == '}').then_some((min, max, rest))
}

fn number(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    let digits: String = rest.as_str().chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    digits.chars().for_each(|_| {
        rest.next();
    });
    Some(digits.parse().unwrap_or(TOO_LARGE))
}

/// A code point in one of the ways to write it in numbers.
fn code_point(digits: &str, radix: u32) -> Option<char> {
    let code = u32::from_str_radix(digits, radix).ok().filter(|code| *code <= CHARACTER_MAX)?;
    // Half of a pair of UTF-16 is no character, and matches none.
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

//! Regular expressions in RE2's syntax, matched against whole texts in linear time.
//!
//! Owns the syntax, which is that of RE2 in the flavour that Kafka compiles subscriptions with (RE2/J, Perl's classes and
//! operators, no look-around, no back-references), and the matching: a set of places in the expression moves along the
//! text, so that a text costs its length times the expression's, whatever both are. Sets that were met before are
//! remembered, which makes it a few nanoseconds for each letter. Never finds where a match stands: it is the whole text
//! or none.
//!
//! What differs from RE2/J:
//!
//! | what | here |
//! | --- | --- |
//! | classes of Unicode, folding of cases | known by the same names, and true to ASCII; what lies beyond is in none of them |
//! | size | an expression that comes to more than [`INSTRUCTIONS_MAX`] instructions is refused |
//! | nesting | groups more than [`DEPTH_MAX`] deep are refused |

mod class;
mod matcher;
mod parser;
mod program;
mod unicode;

pub use matcher::Matcher;
pub use program::INSTRUCTIONS_MAX;

use program::Program;

/// So deep may groups stand in one another.
pub const DEPTH_MAX: usize = 200;

/// Why an expression cannot be used, in RE2's words where it has some.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RegexError {
    /// `[b-a]`, or a class of a name that is not known.
    #[error("invalid character class range")]
    CharacterRange,
    /// `\8`, `\q`.
    #[error("invalid escape sequence")]
    Escape,
    /// `(?P<a>b)(?P<a>c)`.
    #[error("duplicate capture group name")]
    DuplicateName,
    /// `(?P<>a)`.
    #[error("invalid named capture")]
    NamedCapture,
    /// `(?z)`, `(?=a)`.
    #[error("invalid or unsupported Perl syntax")]
    PerlOperator,
    /// `a**`.
    #[error("invalid nested repetition operator")]
    RepeatOperator,
    /// `a{1001}`.
    #[error("invalid repeat count")]
    RepeatSize,
    /// `[a`.
    #[error("missing closing ]")]
    MissingBracket,
    /// `(a`.
    #[error("missing closing )")]
    MissingParenthesis,
    /// `a)`.
    #[error("unexpected )")]
    UnexpectedParenthesis,
    /// `*a`.
    #[error("missing argument to repetition operator")]
    MissingRepeatArgument,
    /// The last character is `\`.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// It is too large, or nests too deep.
    #[error("expression too large")]
    TooLarge,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Program,
    prefix: String,
}

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// It is not one of RE2's, or too large.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let node = parser::parse(pattern)?;
        Ok(Self { prefix: node.literal_prefix(), program: Program::compile(&node)? })
    }

    /// What every text begins with that matches; empty where nothing is known.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the whole text matches. For many texts, a [`Matcher`] is faster.
    pub fn is_match(&self, text: &str) -> bool {
        Matcher::new(self).is_match(text)
    }
}

#[cfg(test)]
mod tests;

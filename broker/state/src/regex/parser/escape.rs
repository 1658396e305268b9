//! What stands behind a backslash.

use super::{Node, Parser, Part, code_point};
use crate::regex::class::{self, Class};
use crate::regex::program::Assertion;
use crate::regex::{RegexError, unicode};

impl Parser<'_> {
    /// What a backslash makes of what follows, outside of brackets.
    pub(super) fn escaped(&mut self, parts: &mut Vec<Part>) -> Result<(), RegexError> {
        let assertion = match self.peek() {
            Some('A') => Some(Assertion::TextBegins),
            Some('z') => Some(Assertion::TextEnds),
            Some('b') => Some(Assertion::WordBoundary),
            Some('B') => Some(Assertion::NoWordBoundary),
            _ => None,
        };
        if let Some(assertion) = assertion {
            self.take();
            parts.push((Node::Assert(assertion), 0));
        } else if self.take_if('Q') {
            self.quoted(parts);
        } else if let Some(class) = self.escaped_class()? {
            parts.push((Node::Take(class), 0));
        } else {
            let character = self.escaped_character()?;
            parts.push((self.literal(character), 0));
        }
        Ok(())
    }

    /// Everything up to `\E`, or to the end, stands for itself.
    fn quoted(&mut self, parts: &mut Vec<Part>) {
        while !self.rest.as_str().is_empty() {
            if let Some(rest) = self.rest.as_str().strip_prefix("\\E") {
                self.rest = rest.chars();
                return;
            }
            let literal = self.take().map(|character| self.literal(character));
            parts.extend(literal.map(|node| (node, 0)));
        }
    }

    /// A class by its letter or its name in Unicode, if there is one behind the backslash.
    pub(super) fn escaped_class(&mut self) -> Result<Option<Class>, RegexError> {
        let Some(letter) = self.peek() else { return Ok(None) };
        if let Some(class) = class::perl(letter, self.flags.is_folded) {
            self.take();
            return Ok(Some(class));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        self.take();
        let mut name = String::new();
        match self.take().ok_or(RegexError::CharacterRange)? {
            '{' => loop {
                match self.take().ok_or(RegexError::CharacterRange)? {
                    '}' => break,
                    character => name.push(character),
                }
            },
            character => name.push(character),
        }
        let positive = name.strip_prefix('^');
        let found = unicode::class(positive.unwrap_or(&name), self.flags.is_folded);
        let class = found.ok_or(RegexError::CharacterRange)?;
        let is_negated = (letter == 'P') != positive.is_some();
        Ok(Some(if is_negated { class.negated() } else { class }))
    }

    /// The one character that an escape stands for.
    pub(super) fn escaped_character(&mut self) -> Result<char, RegexError> {
        let letter = self.take().ok_or(RegexError::TrailingBackslash)?;
        match letter {
            // A digit that is not followed by one would be a back-reference.
            '1'..='7' if !self.peek().is_some_and(is_octal) => Err(RegexError::Escape),
            '0'..='7' => {
                let mut digits = String::from(letter);
                while digits.len() < 3
                    && let Some(digit) = self.peek().filter(|digit| is_octal(*digit))
                {
                    digits.push(digit);
                    self.take();
                }
                code_point(&digits, 8).ok_or(RegexError::Escape)
            }
            'x' => self.hexadecimal(),
            'a' => Ok('\x07'),
            'f' => Ok('\x0C'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0B'),
            _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Ok(letter),
            _ => Err(RegexError::Escape),
        }
    }

    fn hexadecimal(&mut self) -> Result<char, RegexError> {
        let mut digits = String::new();
        if self.take_if('{') {
            loop {
                match self.take() {
                    Some('}') => break,
                    Some(digit) if digit.is_ascii_hexdigit() => digits.push(digit),
                    _ => return Err(RegexError::Escape),
                }
            }
        } else {
            for _ in 0..2 {
                digits.push(self.take().filter(char::is_ascii_hexdigit).ok_or(RegexError::Escape)?);
            }
        }
        code_point(&digits, 16).ok_or(RegexError::Escape)
    }
}

const fn is_octal(digit: char) -> bool {
    matches!(digit, '0'..='7')
}

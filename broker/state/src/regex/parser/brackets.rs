//! Classes in brackets.

use super::Parser;
use crate::regex::RegexError;
use crate::regex::class::{self, Class};

impl Parser<'_> {
    /// What follows an opening bracket, up to the closing one.
    pub(super) fn brackets(&mut self) -> Result<Class, RegexError> {
        let is_negated = self.take_if('^');
        let mut class = Class::default();
        let mut is_first = true;
        // A closing bracket that comes first stands for itself.
        while is_first || self.peek() != Some(']') {
            is_first = false;
            if let Some(named) = self.posix()? {
                class.add_all(&named, false);
            } else if let Some(escaped) = self.class_in_brackets()? {
                class.add_all(&escaped, false);
            } else {
                let (first, last) = self.range()?;
                class.add(first.into(), last.into(), self.flags.is_folded);
            }
        }
        self.take();
        class.finish();
        Ok(if is_negated { class.negated() } else { class })
    }

    /// `[:name:]`, if it stands here.
    fn posix(&mut self) -> Result<Option<Class>, RegexError> {
        let Some(rest) = self.rest.as_str().strip_prefix("[:") else { return Ok(None) };
        let Some((name, rest)) = rest.split_once(":]") else { return Ok(None) };
        let class = class::posix(name, self.flags.is_folded).ok_or(RegexError::CharacterRange)?;
        self.rest = rest.chars();
        Ok(Some(class))
    }

    fn class_in_brackets(&mut self) -> Result<Option<Class>, RegexError> {
        let before = self.rest.clone();
        let class = if self.take_if('\\') { self.escaped_class()? } else { None };
        if class.is_none() {
            self.rest = before;
        }
        Ok(class)
    }

    fn range(&mut self) -> Result<(char, char), RegexError> {
        let first = self.character_in_brackets()?;
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
        if !is_range {
            return Ok((first, first));
        }
        self.take();
        let last = self.character_in_brackets()?;
        if last < first { Err(RegexError::CharacterRange) } else { Ok((first, last)) }
    }

    fn character_in_brackets(&mut self) -> Result<char, RegexError> {
        match self.take().ok_or(RegexError::MissingBracket)? {
            '\\' => self.escaped_character(),
            character => Ok(character),
        }
    }
}

//! Parentheses, with or without a name, and flags.

use super::{Parser, Part};
use crate::regex::{DEPTH_MAX, RegexError};

impl Parser<'_> {
    /// What follows an opening parenthesis.
    pub(super) fn group(&mut self, parts: &mut Vec<Part>) -> Result<(), RegexError> {
        let flags = self.flags;
        if self.take_if('?') {
            if let Some(name) = self.name_ahead() {
                self.named(name)?;
            } else if self.set_flags()? {
                return Ok(());
            }
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(RegexError::TooLarge);
        }
        let part = self.choice()?;
        if !self.take_if(')') {
            return Err(RegexError::MissingParenthesis);
        }
        self.depth -= 1;
        self.flags = flags;
        parts.push(part);
        Ok(())
    }

    /// What stands behind `P<` or `<`, if one of them is next.
    fn name_ahead(&self) -> Option<String> {
        let rest = self.rest.as_str();
        rest.strip_prefix("P<").or_else(|| rest.strip_prefix('<')).map(str::to_owned)
    }

    fn named(&mut self, rest: String) -> Result<(), RegexError> {
        let (name, _) = rest.split_once('>').ok_or(RegexError::NamedCapture)?;
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if name.is_empty() || !name.chars().all(is_word) {
            return Err(RegexError::NamedCapture);
        }
        if !self.names.insert(name.to_owned()) {
            return Err(RegexError::DuplicateName);
        }
        while self.take().is_some_and(|character| character != '>') {}
        Ok(())
    }

    /// Sets flags; says whether that was all, to the end of the group around it.
    fn set_flags(&mut self) -> Result<bool, RegexError> {
        let mut flags = self.flags;
        let (mut is_on, mut is_said) = (true, false);
        loop {
            match self.take() {
                Some('i') => flags.is_folded = is_on,
                Some('m') => flags.is_by_line = is_on,
                Some('s') => flags.dot_is_all = is_on,
                // Lazy or not: a whole text matches either way.
                Some('U') => {}
                Some('-') if is_on => {
                    (is_on, is_said) = (false, false);
                    continue;
                }
                Some(end @ (':' | ')')) if is_on || is_said => {
                    self.flags = flags;
                    return Ok(end == ')');
                }
                Some(_) | None => return Err(RegexError::PerlOperator),
            }
            is_said = true;
        }
    }
}

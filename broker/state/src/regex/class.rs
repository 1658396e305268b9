//! A set of characters.

/// The last code point.
pub(super) const CHARACTER_MAX: u32 = 0x10_FFFF;

/// Code points as ranges, both ends within; disjoint and rising once [`Class::finish`] has run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Class {
    ranges: Vec<(u32, u32)>,
}

/// What folds to a letter of ASCII without being one: the sign for kelvin and the long s.
const FOLDED_BEYOND_ASCII: [(u32, char); 2] = [(0x212A, 'k'), (0x017F, 's')];

impl Class {
    /// Everything.
    pub(super) fn any() -> Self {
        Self { ranges: vec![(0, CHARACTER_MAX)] }
    }

    /// One character, in both cases if these do not count.
    pub(super) fn of(character: char, is_folded: bool) -> Self {
        let mut class = Self::default();
        class.add(character.into(), character.into(), is_folded);
        class.finish();
        class
    }

    /// Adds a range, in both cases if these do not count.
    pub(super) fn add(&mut self, first: u32, last: u32, is_folded: bool) {
        self.ranges.push((first, last));
        if !is_folded {
            return;
        }
        let case = u32::from(b'a' - b'A');
        for (own, other, shift_up) in [(b'a', b'z', false), (b'A', b'Z', true)] {
            let (low, high) = (first.max(own.into()), last.min(other.into()));
            if low <= high {
                let shifted =
                    |letter: u32| if shift_up { letter + case } else { letter.saturating_sub(case) };
                self.ranges.push((shifted(low), shifted(high)));
            }
        }
        for (beyond, letter) in FOLDED_BEYOND_ASCII {
            let has = |code: u32| (first..=last).contains(&code);
            if has(beyond) || has(letter.into()) || has(letter.to_ascii_uppercase().into()) {
                for code in [beyond, letter.into(), letter.to_ascii_uppercase().into()] {
                    self.ranges.push((code, code));
                }
            }
        }
    }

    /// Adds all that is in another.
    pub(super) fn add_all(&mut self, other: &Self, is_folded: bool) {
        for (first, last) in &other.ranges {
            self.add(*first, *last, is_folded);
        }
    }

    /// Brings the ranges in order.
    pub(super) fn finish(&mut self) {
        self.ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for (first, last) in self.ranges.drain(..) {
            match merged.last_mut() {
                Some((_, before)) if first <= before.saturating_add(1) => *before = (*before).max(last),
                _ => merged.push((first, last)),
            }
        }
        self.ranges = merged;
    }

    /// What is not in it.
    #[must_use]
    pub(super) fn negated(mut self) -> Self {
        self.finish();
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for (first, last) in self.ranges {
            if next < first {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= CHARACTER_MAX {
            ranges.push((next, CHARACTER_MAX));
        }
        Self { ranges }
    }

    /// Whether a character is in it.
    pub(super) fn contains(&self, character: char) -> bool {
        let code = u32::from(character);
        let place = self.ranges.partition_point(|(_, last)| *last < code);
        self.ranges.get(place).is_some_and(|(first, _)| *first <= code)
    }

    /// The one character that is in it, if there is one only.
    pub(super) fn single(&self) -> Option<char> {
        match self.ranges.as_slice() {
            [(first, last)] if first == last => char::from_u32(*first),
            _ => None,
        }
    }
}

impl From<&[(char, char)]> for Class {
    fn from(ranges: &[(char, char)]) -> Self {
        let ranges = ranges.iter().map(|(first, last)| (u32::from(*first), u32::from(*last))).collect();
        let mut class = Self { ranges };
        class.finish();
        class
    }
}

type Named = (&'static str, &'static [(char, char)]);

/// The classes that are a letter behind a backslash.
const PERL: &[Named] = &[
    ("d", &[('0', '9')]),
    ("s", &[('\t', '\n'), ('\x0C', '\r'), (' ', ' ')]),
    ("w", &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
];

/// The classes that are a name between `[:` and `:]`.
const POSIX: &[Named] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7F')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1F'), ('\x7F', '\x7F')]),
    ("digit", &[('0', '9')]),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", &[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')]),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

fn named(table: &[Named], name: &str) -> Option<Class> {
    table.iter().find(|(known, _)| *known == name).map(|(_, ranges)| Class::from(*ranges))
}

/// The class of a letter behind a backslash: `d`, `D`, `s`, `S`, `w`, `W`.
pub(super) fn perl(letter: char, is_folded: bool) -> Option<Class> {
    let lower = letter.to_ascii_lowercase();
    let found = named(PERL, lower.encode_utf8(&mut [0; 4]))?;
    let mut class = Class::default();
    class.add_all(&found, is_folded);
    class.finish();
    Some(if letter == lower { class } else { class.negated() })
}

/// The class of a name between `[:` and `:]`, which may begin with `^`.
pub(super) fn posix(name: &str, is_folded: bool) -> Option<Class> {
    let positive = name.strip_prefix('^');
    let found = named(POSIX, positive.unwrap_or(name))?;
    let mut class = Class::default();
    class.add_all(&found, is_folded);
    class.finish();
    Some(if positive.is_some() { class.negated() } else { class })
}

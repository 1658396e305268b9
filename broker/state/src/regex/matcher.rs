//! Matching: a set of places in the program moves along the text.
//!
//! A state is the set of places that wait for the next character, and what the character before was. What a state
//! becomes by a character is worked out once and remembered, as long as the memory for it lasts; then all is forgotten
//! and begun anew, which costs time and changes nothing.

use std::collections::HashMap;

use super::Regex;
use super::program::{Assertion, Instruction, Program};

/// So many states are remembered.
const STATES_MAX: usize = 256;

/// Stands for the end of the text among the characters.
const END: usize = 128;

/// Stands for a step that was not worked out yet.
const UNKNOWN: u16 = u16::MAX;

/// The character before, as far as assertions ask for it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Before {
    Nothing,
    Newline,
    Word,
    Other,
}

impl Before {
    fn of(character: char) -> Self {
        match character {
            '\n' => Self::Newline,
            _ if is_word(character) => Self::Word,
            _ => Self::Other,
        }
    }
}

const fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Where the program waits, rising, and what was before.
type State = (Box<[usize]>, Before);

/// Matches texts against one expression, and remembers what it worked out.
pub struct Matcher<'a> {
    regex: &'a Regex,
    numbers: HashMap<State, u16>,
    states: Vec<State>,
    // For each state, what it becomes by each character of ASCII and by the end: then 1 = a match, 0 = none.
    steps: Vec<[u16; END + 1]>,
    reached: Reached,
}

impl<'a> Matcher<'a> {
    /// One that remembers nothing yet.
    pub fn new(regex: &'a Regex) -> Self {
        Self {
            regex,
            numbers: HashMap::new(),
            states: Vec::new(),
            steps: Vec::new(),
            reached: Reached::new(regex.program.len()),
        }
    }

    /// Whether the whole text matches.
    pub fn is_match(&mut self, text: &str) -> bool {
        if !text.starts_with(self.regex.prefix()) {
            return false;
        }
        let mut state = self.number((Box::from([0]), Before::Nothing));
        for character in text.chars() {
            state = match u8::try_from(character).ok().filter(u8::is_ascii) {
                Some(ascii) => self.step(state, usize::from(ascii), Some(character)),
                None => {
                    let next = self.work_out(state, character);
                    self.number(next)
                }
            };
        }
        self.step(state, END, None) == 1
    }

    /// What a state becomes by a character of ASCII, or at the end.
    fn step(&mut self, state: u16, column: usize, character: Option<char>) -> u16 {
        let known = self.steps.get(usize::from(state)).and_then(|steps| steps.get(column)).copied();
        if let Some(known) = known.filter(|known| *known != UNKNOWN) {
            return known;
        }
        let states_before = self.states.len();
        let next = match character {
            Some(character) => {
                let next = self.work_out(state, character);
                self.number(next)
            }
            None => u16::from(self.ends(state)),
        };
        // If all was forgotten meanwhile, the state is another one's number.
        if self.states.len() >= states_before {
            let steps = self.steps.get_mut(usize::from(state));
            if let Some(step) = steps.and_then(|steps| steps.get_mut(column)) {
                *step = next;
            }
        }
        next
    }

    fn number(&mut self, state: State) -> u16 {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        if self.states.len() >= STATES_MAX {
            self.numbers.clear();
            self.states.clear();
            self.steps.clear();
        }
        let number = u16::try_from(self.states.len()).unwrap_or(0);
        self.numbers.insert(state.clone(), number);
        self.states.push(state);
        self.steps.push([UNKNOWN; END + 1]);
        number
    }

    fn work_out(&mut self, state: u16, character: char) -> State {
        let mut next = Vec::new();
        if let Some((places, before)) = self.states.get(usize::from(state)) {
            self.reached.follow(&self.regex.program, places, *before, Some(character));
            next.extend(self.reached.places.iter().filter_map(
                |place| match self.regex.program.get(*place) {
                    Some(Instruction::Take(class)) if class.contains(character) => Some(place + 1),
                    _ => None,
                },
            ));
        }
        next.sort_unstable();
        next.dedup();
        (next.into(), Before::of(character))
    }

    fn ends(&mut self, state: u16) -> bool {
        let Some((places, before)) = self.states.get(usize::from(state)) else { return false };
        self.reached.follow(&self.regex.program, places, *before, None);
        let program = &self.regex.program;
        self.reached.places.iter().any(|place| matches!(program.get(*place), Some(Instruction::Match)))
    }
}

/// The places that can be reached without taking a character.
struct Reached {
    places: Vec<usize>,
    // For each place, the round in which it was reached last.
    rounds: Vec<u64>,
    round: u64,
    open: Vec<usize>,
}

impl Reached {
    fn new(places: usize) -> Self {
        Self { places: Vec::new(), rounds: vec![0; places], round: 0, open: Vec::new() }
    }

    fn follow(&mut self, program: &Program, from: &[usize], before: Before, next: Option<char>) {
        self.places.clear();
        self.round += 1;
        self.open.extend(from);
        while let Some(place) = self.open.pop() {
            match self.rounds.get_mut(place) {
                Some(round) if *round != self.round => *round = self.round,
                _ => continue,
            }
            match program.get(place) {
                Some(Instruction::Split(first, second)) => self.open.extend([*first, *second]),
                Some(Instruction::Jump(target)) => self.open.push(*target),
                Some(Instruction::Assert(assertion)) if holds(*assertion, before, next) => {
                    self.open.push(place + 1);
                }
                Some(Instruction::Take(_) | Instruction::Match) => self.places.push(place),
                Some(Instruction::Assert(_)) | None => {}
            }
        }
    }
}

fn holds(assertion: Assertion, before: Before, next: Option<char>) -> bool {
    let is_boundary = (before == Before::Word) != next.is_some_and(is_word);
    match assertion {
        Assertion::TextBegins => before == Before::Nothing,
        Assertion::TextEnds => next.is_none(),
        Assertion::LineBegins => matches!(before, Before::Nothing | Before::Newline),
        Assertion::LineEnds => next.is_none_or(|next| next == '\n'),
        Assertion::WordBoundary => is_boundary,
        Assertion::NoWordBoundary => !is_boundary,
    }
}

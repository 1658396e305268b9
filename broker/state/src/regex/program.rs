//! What an expression compiles to: instructions that a set of places steps through.

use super::RegexError;
use super::class::Class;
use super::parser::Node;

/// An expression may come to so many instructions.
pub const INSTRUCTIONS_MAX: usize = 20_000;

/// So often may a part of an expression be looked at: a repetition of nothing adds no instruction and takes time.
const STEPS_MAX: usize = 10 * INSTRUCTIONS_MAX;

/// What has to be true between two characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Assertion {
    TextBegins,
    TextEnds,
    LineBegins,
    LineEnds,
    WordBoundary,
    NoWordBoundary,
}

/// One instruction. What follows it is the next one, unless it says otherwise.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// Takes a character.
    Take(Class),
    /// Goes on in two places.
    Split(usize, usize),
    /// Goes on elsewhere.
    Jump(usize),
    /// Goes on if this holds.
    Assert(Assertion),
    /// The end.
    Match,
}

/// The instructions; the last one is `Match`.
#[derive(Clone, Debug)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    steps: usize,
}

impl Program {
    /// The program for an expression.
    pub(super) fn compile(node: &Node) -> Result<Self, RegexError> {
        let mut program = Self { instructions: Vec::new(), steps: 0 };
        program.emit(node)?;
        program.push(Instruction::Match)?;
        Ok(program)
    }

    pub(super) fn get(&self, place: usize) -> Option<&Instruction> {
        self.instructions.get(place)
    }

    pub(super) const fn len(&self) -> usize {
        self.instructions.len()
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, RegexError> {
        if self.instructions.len() >= INSTRUCTIONS_MAX {
            return Err(RegexError::TooLarge);
        }
        self.instructions.push(instruction);
        Ok(self.instructions.len() - 1)
    }

    /// Says where an instruction goes on, now that it is known.
    fn patch(&mut self, place: usize, target: usize) {
        match self.instructions.get_mut(place) {
            Some(Instruction::Split(_, second)) => *second = target,
            Some(Instruction::Jump(goal)) => *goal = target,
            _ => {}
        }
    }

    fn emit(&mut self, node: &Node) -> Result<(), RegexError> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(RegexError::TooLarge);
        }
        match node {
            Node::Empty => {}
            Node::Take(class) => {
                self.push(Instruction::Take(class.clone()))?;
            }
            Node::Assert(assertion) => {
                self.push(Instruction::Assert(*assertion))?;
            }
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.emit(node))?,
            Node::Choice(nodes) => self.emit_choice(nodes)?,
            Node::Repeat { node, min, max } => self.emit_repeat(node, *min, *max)?,
        }
        Ok(())
    }

    fn emit_choice(&mut self, nodes: &[Node]) -> Result<(), RegexError> {
        let Some((last, before)) = nodes.split_last() else { return Ok(()) };
        let mut ends = Vec::with_capacity(before.len());
        for node in before {
            let split = self.push(Instruction::Split(self.len() + 1, 0))?;
            self.emit(node)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.patch(split, self.len());
        }
        self.emit(last)?;
        let end = self.len();
        ends.into_iter().for_each(|jump| self.patch(jump, end));
        Ok(())
    }

    fn emit_repeat(&mut self, node: &Node, min: u32, max: Option<u32>) -> Result<(), RegexError> {
        for _ in 0..min {
            self.emit(node)?;
        }
        let Some(max) = max else {
            let split = self.push(Instruction::Split(self.len() + 1, 0))?;
            self.emit(node)?;
            self.push(Instruction::Jump(split))?;
            self.patch(split, self.len());
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Instruction::Split(self.len() + 1, 0))?);
            self.emit(node)?;
        }
        let end = self.len();
        splits.into_iter().for_each(|split| self.patch(split, end));
        Ok(())
    }
}

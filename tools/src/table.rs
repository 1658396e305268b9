//! Tables for the eye: numbers to the right, everything else to the left, no column wider than it must be.

use std::io::{self, Write};

/// A table in the making.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|name| (*name).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        self.lines().iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    /// The head and the rows, each as wide as it must be.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0))
            .collect();
        let to_the_right: Vec<bool> = (0..columns)
            .map(|column| self.rows.iter().skip(1).all(|row| is_number(&cell(row, column))))
            .collect();
        let line = |(index, row): (usize, &Vec<String>)| {
            let mut line = String::new();
            for (column, (width, right)) in widths.iter().zip(&to_the_right).enumerate() {
                let text = cell(row, column);
                let text = if *right && self.rows.len() > 1 && (index > 0 || column > 0) {
                    format!("{text:>width$}")
                } else {
                    format!("{text:<width$}")
                };
                line.push_str(&text);
                line.push_str("  ");
            }
            line.trim_end().to_owned()
        };
        self.rows.iter().enumerate().map(line).collect()
    }
}

/// A number, with the unit that a number of bytes has.
fn is_number(text: &str) -> bool {
    let number = text
        .strip_suffix('B')
        .map_or(text, |text| text.trim_end_matches(['K', 'M', 'G', 'T', 'P', 'i', ' ']));
    !number.is_empty()
        && number.chars().all(|character| character.is_ascii_digit() || ".,-".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let mut table = Table::new(&["NAME", "COUNT"]);
        table.row(["a".to_owned(), "7".to_owned()]);
        table.row(["long name".to_owned(), "1,000".to_owned()]);
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME       COUNT\na              7\nlong name  1,000\n");
    }
}

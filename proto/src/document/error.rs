//! What is wrong with a document: where it is, what was found and what would be right.

use std::fmt;

/// How many errors of one document are told; the rest is only counted.
pub const ERRORS_MAX: usize = 20;

/// A place in a text; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// Where in the text.
    pub position: Position,
    /// Where in the document, such as `offers[0].terms[1].usageBasedPricing`; empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.position)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy)
    }
}

/// Everything that is wrong with a document, in the order of the text; never empty when it is returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentErrors {
    told: Vec<DocumentError>,
    omitted: usize,
}

impl DocumentErrors {
    /// The first [`ERRORS_MAX`] errors.
    pub fn told(&self) -> &[DocumentError] {
        &self.told
    }

    /// How many more there are.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Adds an error, or counts it when enough are told.
    pub fn push(&mut self, error: DocumentError) {
        if self.told.len() < ERRORS_MAX {
            self.told.push(error);
        } else {
            self.omitted += 1;
        }
    }
}

impl From<DocumentError> for DocumentErrors {
    fn from(error: DocumentError) -> Self {
        Self { told: vec![error], omitted: 0 }
    }
}

impl fmt::Display for DocumentErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.told.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for DocumentErrors {}

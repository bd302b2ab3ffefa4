//! The one error type of the crate.
//!
//! Its kinds are what a caller can do about an error, not which layer made it: the command line maps a kind to an
//! exit code, a server would map it to a status. Upper floors make errors and add what they know (place, hint);
//! this file knows none of them.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Call it differently: a wrong argument, name or combination.
    Usage,
    /// Name something that exists.
    NotFound,
    /// Mend a file: manifest, saved query or data.
    InvalidData,
    /// Mend the SQL.
    Query,
    /// Look at the disk or the network; a later try may work.
    Storage,
    /// Give more of what ran out, or ask for less.
    Exhausted,
    /// Nothing: whoever read the output has gone.
    ClosedPipe,
    /// The user stopped the work.
    Interrupted,
    /// Report a defect of cxlake.
    Internal,
}

/// Where in a text the error lies; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// `None` for what was typed.
    pub file: Option<String>,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub excerpt: Option<Excerpt>,
}

/// A line of what was written, and what of it is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    pub line: String,
    /// In characters of the line; one at least, which may lie behind its end.
    pub wrong: Range<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}")?,
            (Some(file), None) => f.write_str(file)?,
            (None, Some(line)) => write!(f, "line {line}")?,
            (None, None) => {}
        }
        match (self.line, self.column) {
            (Some(_), Some(column)) => write!(f, ":{column}"),
            _ => Ok(()),
        }
    }
}

/// An error with what happened, where, and how to mend it.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    place: Option<Box<Place>>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result type of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind; `message` in lower case, literals in backticks, no final period.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), place: None, hint: None, source: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidData, message)
    }

    pub fn query(message: impl Into<String>) -> Self {
        Self::new(Kind::Query, message)
    }

    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(Kind::Storage, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Says where the error lies, unless a lower floor knew already.
    #[must_use]
    pub fn at(self, file: impl Into<String>, line: Option<usize>) -> Self {
        self.placed(Place { file: Some(file.into()), line, ..Place::default() })
    }

    /// Says where in a text the error lies, unless a lower floor knew already.
    #[must_use]
    pub fn placed(mut self, place: Place) -> Self {
        self.place.get_or_insert_with(|| Box::new(place));
        self
    }

    /// Says how to mend it, unless a lower floor knew already.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error without its cause, where the original is shared and cannot be had.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self {
            kind: self.kind,
            message: self.message.clone(),
            place: self.place.clone(),
            hint: self.hint.clone(),
            source: None,
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }

    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

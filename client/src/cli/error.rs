//! What ends a command, how it is said on stderr and which exit code it gives.

use std::io::{self, ErrorKind, Write};

use souk_client::ClientError;
use thiserror::Error;

/// Why a command ended early.
#[derive(Debug, Error)]
pub enum CliError {
    /// The server refused, or was not there.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// Input cannot be read as what it should be.
    #[error("{place}: {problem}")]
    Input {
        /// The file, with line and column where they are known.
        place: String,
        /// What is wrong.
        problem: String,
        /// The line of the file and a mark below the column; may be empty.
        excerpt: String,
    },
    /// The server refused a document, at a place of it.
    #[error("{place}: {problem}")]
    Refused {
        /// The file, with line and column.
        place: String,
        /// What is wrong.
        problem: String,
        /// The line of the file and a mark below the column.
        excerpt: String,
    },
    /// A file or stdin cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written: {source}")]
    Unwritable {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Stdout cannot be written to.
    #[error("stdout cannot be written to: {0}")]
    Output(io::Error),
    /// Records were answered otherwise than with success; the result says which.
    #[error("not metered: {0} of the records; see the result")]
    NotMetered(u64),
    /// Scenarios came out otherwise than they say.
    #[error("{failed} of {of} scenarios came out otherwise than they say")]
    Unproved {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
    },
    /// Scenarios cannot be read, or say what makes no sense.
    #[error("{wrong} of {of} scenarios are written wrongly")]
    WrongScenarios {
        /// How many.
        wrong: usize,
        /// Of how many.
        of: usize,
    },
    /// The server for a run of scenarios does not run.
    #[error("{0}")]
    Server(String),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The contract does not hold what the command expects of it.
    #[error("the contract has no {0}")]
    Contract(String),
}

impl CliError {
    /// The exit code: 0, 1, 2 or 3.
    pub fn exit_code(&self) -> u8 {
        match self {
            // Whoever reads stdout has seen enough.
            CliError::Output(error) if error.kind() == ErrorKind::BrokenPipe => 0,
            CliError::Client(ClientError::Unreachable { .. } | ClientError::TimedOut { .. })
            | CliError::Server(_) => 3,
            CliError::Interrupted => 130,
            CliError::Client(ClientError::Endpoint { .. })
            | CliError::Usage(_)
            | CliError::WrongScenarios { .. }
            | CliError::Input { .. }
            | CliError::Unreadable { .. }
            | CliError::Unwritable { .. } => 2,
            CliError::Client(ClientError::Refused(_) | ClientError::Incomplete { .. })
            | CliError::Refused { .. }
            | CliError::Output(_)
            | CliError::NotMetered(_)
            | CliError::Unproved { .. }
            | CliError::Contract(_) => 1,
        }
    }

    /// Says what went wrong, for people.
    pub fn print(&self, err: &mut dyn Write) -> io::Result<()> {
        match self {
            CliError::Output(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            CliError::Client(ClientError::Refused(refusal)) => {
                let message =
                    if refusal.message.is_empty() { refusal.code.description() } else { &refusal.message };
                writeln!(err, "souk: {message}")?;
                for violation in refusal.further_violations() {
                    writeln!(err, "  {violation}")?;
                }
                let reason = refusal.reason.as_deref().unwrap_or("no reason code");
                writeln!(err, "  {} was refused: {reason}, {:?}", refusal.call, refusal.code)
            }
            CliError::Input { excerpt, .. } | CliError::Refused { excerpt, .. } => {
                writeln!(err, "souk: {self}")?;
                err.write_all(excerpt.as_bytes())
            }
            _ => writeln!(err, "souk: {self}"),
        }
    }
}

/// Says that input is wrong at a line and column, both from 1; 0 where one is not known.
pub fn wrong_input(origin: &str, text: &str, line: usize, column: usize, problem: &str) -> CliError {
    let (place, excerpt) = excerpt(origin, text, line, column);
    CliError::Input { place, problem: problem.to_owned(), excerpt }
}

/// A place in a text as messages name it, and its line with a mark below the column.
pub fn excerpt(origin: &str, text: &str, line: usize, column: usize) -> (String, String) {
    let place = match (line, column) {
        (0, _) => origin.to_owned(),
        (line, 0) => format!("{origin}:{line}"),
        (line, column) => format!("{origin}:{line}:{column}"),
    };
    let shown = line.checked_sub(1).and_then(|before| text.lines().nth(before));
    let excerpt = match shown {
        Some(shown) if column > 0 => {
            // Tabs stay tabs, so that the mark stands below its column.
            let indent: String =
                shown.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            format!("  {shown}\n  {indent}^\n")
        }
        Some(shown) => format!("  {shown}\n"),
        None => String::new(),
    };
    (place, excerpt)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use souk_client::{Call, Refusal, Violation};

    use super::*;

    fn printed(error: &CliError) -> String {
        let mut err = Vec::new();
        error.print(&mut err).unwrap();
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn a_refusal_shows_the_message_the_fields_and_the_reason() {
        let error = CliError::from(ClientError::Refused(Box::new(Refusal {
            call: Call::PutAccount,
            code: tonic::Code::InvalidArgument,
            reason: Some("ACCOUNT_ID_MALFORMED".to_owned()),
            message: "the account is malformed".to_owned(),
            violations: vec![Violation {
                field: "account.account_id".to_owned(),
                description: "must be twelve digits".to_owned(),
            }],
            metadata: Default::default(),
            retry_after: None,
        })));
        insta::assert_snapshot!(printed(&error), @r"
        souk: the account is malformed
          account.account_id: must be twelve digits
          PutAccount was refused: ACCOUNT_ID_MALFORMED, InvalidArgument
        ");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn wrong_input_is_shown_with_its_line() {
        let error = wrong_input("market.json", "{\n\t\"tittle\": 1\n}", 2, 3, "unknown field tittle");
        insta::assert_snapshot!(printed(&error), @r#"
        souk: market.json:2:3: unknown field tittle
          	"tittle": 1
          	 ^
        "#);
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn the_exit_code_says_whose_turn_it_is() {
        let call = Call::GetAccount;
        let late = ClientError::TimedOut { call, deadline: Duration::from_secs(1) };
        let lacking = ClientError::Incomplete { call, missing: "the account" };
        let pipe = io::Error::from(ErrorKind::BrokenPipe);
        let gone = io::Error::from(ErrorKind::NotFound);
        let table = [
            (CliError::from(late), 3),
            (CliError::from(lacking), 1),
            (CliError::Output(pipe), 0),
            (CliError::Output(io::Error::other("disk full")), 1),
            (CliError::Unreadable { path: "x".to_owned(), source: gone }, 2),
            (CliError::NotMetered(3), 1),
        ];
        for (error, code) in table {
            assert_eq!(error.exit_code(), code, "{error}");
        }
    }
}

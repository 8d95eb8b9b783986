//! Request limits as they are written: `requests=100/minute`, `requests=20/second`,
//! `concurrency=5`.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The window of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RateWindow {
    /// One second.
    Second,
    /// Sixty seconds.
    Minute,
}

impl RateWindow {
    /// The window's length in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
        }
    }
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Limit {
    /// At most so many requests in any window of this length, wherever it begins. They may come at
    /// once.
    Requests {
        /// Requests per window.
        count: NonZeroU32,
        /// The window.
        window: RateWindow,
    },
    /// At most so many requests in progress at once.
    Concurrency {
        /// Requests in progress.
        count: NonZeroU32,
    },
}

/// Why a limit was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseLimitError {
    /// The text is not a limit.
    #[error(
        "limit {0:?} is not valid: write requests=N/second, requests=N/minute or concurrency=N"
    )]
    Shape(String),
    /// A limit that is planned: accepting it without enforcing it would be worse than refusing.
    #[error(
        "limit {0:?} is not built yet: only requests per second or minute and concurrency are \
         enforced in this release (what a longer window counts must survive a restart)"
    )]
    NotBuilt(String),
}

impl Limit {
    /// Parses a limit.
    ///
    /// # Errors
    /// When it is malformed, zero, or of a kind that this release does not enforce.
    pub fn parse(text: &str) -> Result<Self, ParseLimitError> {
        let given: String = text.chars().take(80).collect();
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| ParseLimitError::Shape(given.clone()))?;
        let number = |digits: &str| {
            digits
                .parse::<NonZeroU32>()
                .map_err(|_| ParseLimitError::Shape(given.clone()))
        };
        match name {
            "concurrency" => Ok(Self::Concurrency {
                count: number(value)?,
            }),
            "requests" => {
                let (count, window) = value
                    .split_once('/')
                    .ok_or_else(|| ParseLimitError::Shape(given.clone()))?;
                let count = number(count)?;
                match window {
                    "second" => Ok(Self::Requests {
                        count,
                        window: RateWindow::Second,
                    }),
                    "minute" => Ok(Self::Requests {
                        count,
                        window: RateWindow::Minute,
                    }),
                    "hour" | "day" | "week" | "month" => Err(ParseLimitError::NotBuilt(given)),
                    _ => Err(ParseLimitError::Shape(given)),
                }
            }
            "input_tokens" | "output_tokens" | "money" | "bytes" => {
                Err(ParseLimitError::NotBuilt(given))
            }
            _ => Err(ParseLimitError::Shape(given)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests { count, window } => write!(f, "requests={count}/{}", window.as_str()),
            Self::Concurrency { count } => write!(f, "concurrency={count}"),
        }
    }
}

impl std::str::FromStr for Limit {
    type Err = ParseLimitError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Limit {
    type Error = ParseLimitError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> String {
        limit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_back_as_written() {
        for text in ["requests=100/minute", "requests=1/second", "concurrency=5"] {
            assert_eq!(Limit::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_enforced_is_not_accepted() {
        // Goal: no limit is taken that nothing would hold. Method: a row per planned kind.
        for text in [
            "requests=100/day",
            "money=10USD/day",
            "input_tokens=1M/month",
        ] {
            assert!(
                matches!(Limit::parse(text), Err(ParseLimitError::NotBuilt(_))),
                "{text}"
            );
        }
        for text in [
            "",
            "requests",
            "requests=0/second",
            "requests=-1/second",
            "rate=1/second",
        ] {
            assert!(
                matches!(Limit::parse(text), Err(ParseLimitError::Shape(_))),
                "{text}"
            );
        }
    }
}

//! Sends letters to the places outside the lake: mail servers and webhooks.

mod mail;
mod webhook;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Client;

use super::carry::Sending;
use super::letter::Letter;
use crate::error::{Error, Result};
use crate::lake::destination::Destination;
use crate::lake::smtp::Smtp;

/// How long reaching another side and coming to terms with it may take.
const GREETING: Duration = Duration::from_secs(30);

/// How long it may take to take in what is sent, and to answer.
const TRANSFER: Duration = Duration::from_mins(2);

/// What letters are sent with.
#[derive(Clone, Debug)]
pub struct Post {
    smtp: Option<Smtp>,
    /// Made when the first webhook is called, since that reads the machine's certificates.
    http: Arc<OnceLock<Client>>,
}

impl Post {
    pub fn new(smtp: Option<Smtp>) -> Self {
        Self { smtp, http: Arc::default() }
    }

    /// Sends a letter.
    pub async fn send(&self, to: &Destination, letter: &Letter<'_>) -> Sending {
        match (to, &self.smtp) {
            (Destination::Email(addresses), Some(smtp)) => mail::send(smtp, addresses, letter).await,
            (Destination::Webhook { url, token_env }, _) => match self.http() {
                Ok(http) => webhook::send(&http, url, token_env.as_deref(), letter).await,
                Err(error) => Sending::Refused(error),
            },
            // The manifest has no mail without a server, and a folder is no place for a letter.
            (Destination::Email(_) | Destination::Folder(_), _) => {
                Sending::Refused(Error::internal(format!("no letter can be sent to {}", to.shown())))
            }
        }
    }
}

impl Post {
    fn http(&self) -> Result<Client> {
        if let Some(client) = self.http.get() {
            return Ok(client.clone());
        }
        let client = webhook::client()?;
        Ok(self.http.get_or_init(|| client).clone())
    }
}

/// A secret from the environment; `None` where it is not set.
fn secret(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// What another side said, without what it should not have repeated, and not longer than a message to people may be.
fn without<'a>(said: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    const LETTERS_MAX: usize = 300;
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    let said = secrets.fold(said.to_owned(), |said, secret| said.replace(secret, "***"));
    let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_a_server_repeats_is_taken_out_and_a_long_answer_is_cut() {
        assert_eq!(without("535 bad password hunter2 \r\n for you", ["hunter2", ""]), "535 bad password *** for you");
        let long = without(&"ä".repeat(1000), []);
        assert_eq!(long.chars().count(), 301);
        assert!(long.ends_with('…'));
    }
}

//! Webhooks: a JSON object by POST, with a key by which the receiver can tell that it has it already.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use url::Url;

use super::{GREETING, TRANSFER, secret, without};
use crate::error::{Error, Result};
use crate::schedule::carry::Sending;
use crate::schedule::letter::Letter;

/// How long the answer to a webhook may take.
const ANSWER: Duration = GREETING.saturating_add(TRANSFER);

/// What webhooks are called with. It follows no redirection: a token is for the server that the manifest names.
pub fn client() -> Result<Client> {
    let client = Client::builder()
        .user_agent(concat!("cxlake/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(GREETING)
        .timeout(ANSWER)
        .build();
    client.map_err(|error| Error::storage(format!("cannot set up connections: {}", why(&error))))
}

pub async fn send(client: &Client, url: &Url, token_env: Option<&str>, letter: &Letter<'_>) -> Sending {
    let host = url.host_str().unwrap_or_default();
    let mut request = client
        .post(url.clone())
        .header("content-type", "application/json")
        .header("idempotency-key", &letter.id)
        .body(letter.body.to_string());
    let mut token = None;
    if let Some(variable) = token_env {
        let Some(found) = secret(variable) else {
            let missing = Error::usage(format!("the token for the webhook at {host} is missing"));
            return Sending::Refused(missing.hint(format!("set the variable {variable}, which `token_env` names")));
        };
        request = request.bearer_auth(&found);
        token = Some(found);
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Sending::Refused(Error::storage(format!("cannot reach the webhook at {host}: {}", why(&error))));
        }
        Err(error) => {
            let what = if error.is_timeout() { "it did not answer in time".to_owned() } else { why(&error) };
            return Sending::Unknown(Error::storage(format!("the webhook at {host}: {what}")));
        }
    };
    let status = response.status();
    if status.is_success() {
        return Sending::Sent;
    }
    // What it says beside the status is for its owner to read, if it can be read at all.
    let said = response.text().await.unwrap_or_default();
    let said = without(&said, token.as_deref());
    let colon = if said.is_empty() { "" } else { ": " };
    Sending::Refused(Error::storage(format!("the webhook at {host} answered {status}{colon}{said}")))
}

/// What went wrong, without the address, whose path is often a secret: the innermost cause.
fn why(error: &reqwest::Error) -> String {
    use std::error::Error as _;

    let Some(mut cause) = error.source() else { return "the request failed".to_owned() };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

//! `to` and `owner`: where that goes which a run makes or has to say.

use std::net::IpAddr;

use chrono::NaiveDateTime;
use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;
use url::{Host, Url};

use super::document::Document;
use super::schedule::{Around, in_manifest};
use super::smtp::Smtp;
use super::store;
use crate::error::Result;
use crate::suggest;

/// What may stand in braces in the name of a folder.
const PLACEHOLDERS: [&str; 5] = ["date", "month", "year", "time", "schedule"];

/// A place to which the files of a run go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A path, an address or `STORE:path`, with placeholders in it.
    Folder(String),
    /// One message to all of them.
    Email(Vec<Mailbox>),
    Webhook {
        url: Url,
        /// The variable of the environment that has the token.
        token_env: Option<String>,
    },
}

impl Destination {
    /// What tells it apart from others, whatever its place in a list: a few letters of a hash, which give nothing away.
    pub fn key(&self) -> String {
        let whole = match self {
            Self::Folder(written) => format!("folder {written}"),
            Self::Email(addresses) => {
                let addresses = addresses.iter().map(|address| address.email.to_string());
                format!("email {}", addresses.collect::<Vec<_>>().join(" "))
            }
            Self::Webhook { url, .. } => format!("webhook {url}"),
        };
        let digest = Sha256::digest(whole);
        format!("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
    }

    /// As records and messages name it: of a webhook only the host, since its path is often a secret.
    pub fn shown(&self) -> String {
        match self {
            Self::Folder(written) => written.clone(),
            Self::Email(addresses) => {
                addresses.iter().map(|address| address.email.to_string()).collect::<Vec<_>>().join(", ")
            }
            Self::Webhook { url, .. } => format!("webhook at {}", url.host_str().unwrap_or_default()),
        }
    }
}

/// The folder for a run of a schedule whose fire time is `wall` on the clock of its zone.
pub fn filled(folder: &str, schedule: &str, wall: NaiveDateTime) -> String {
    let value = |name: &str| match name {
        "date" => wall.format("%Y-%m-%d").to_string(),
        "month" => wall.format("%Y-%m").to_string(),
        "year" => wall.format("%Y").to_string(),
        "time" => wall.format("%H%M").to_string(),
        _ => schedule.to_owned(),
    };
    PLACEHOLDERS.iter().fold(folder.to_owned(), |folder, name| folder.replace(&format!("{{{name}}}"), &value(name)))
}

/// Whether a server is on this machine, so that what goes there crosses no network.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A destination: exactly one of `folder`, `email` and `webhook`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DestinationSection {
    /// A folder relative to the manifest, at `s3://bucket/…`, or in a store as `STORE:path`; with `{date}`, `{month}`, `{year}`,
    /// `{time}` or `{schedule}` in it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    folder: Option<Spanned<String>>,
    /// Mail addresses, all of one message.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    email: Option<Spanned<Vec<Spanned<String>>>>,
    /// An https address that is sent a JSON object.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    webhook: Option<Spanned<String>>,
    /// Variable of the environment with the token that the webhook wants.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    token_env: Option<Spanned<String>>,
}

/// The destinations of a list.
///
/// # Errors
/// `InvalidData` with the line: none or two in one, an address that is none, a store that is not declared, mail without `[smtp]`,
/// a webhook in the clear.
pub fn declared(around: Around<'_>, sections: Vec<Spanned<DestinationSection>>) -> Result<Vec<Destination>> {
    sections.into_iter().map(|section| destination(around, section)).collect()
}

fn destination(around: Around<'_>, section: Spanned<DestinationSection>) -> Result<Destination> {
    let document = around.document;
    let start = section.span().start;
    let DestinationSection { folder, email, webhook, token_env } = section.into_inner();
    if let Some(token) = token_env.as_ref().filter(|_| webhook.is_none()) {
        return Err(document.error_at(token.span().start, "`token_env` goes with `webhook`"));
    }
    match (folder, email, webhook) {
        (Some(folder), None, None) => folder_at(around, folder),
        (None, Some(email), None) => addresses(document, email, around.smtp),
        (None, None, Some(webhook)) => hook(document, &webhook, token_env),
        _ => Err(document
            .error_at(start, "a destination is one of `folder`, `email` and `webhook`")
            .hint("write one table for each, such as `[[schedule.NAME.to]]` with `folder = \"reports/{date}/\"`")),
    }
}

fn folder_at(around: Around<'_>, folder: Spanned<String>) -> Result<Destination> {
    let document = around.document;
    let start = folder.span().start;
    let written = folder.get_ref();
    if written.trim().is_empty() {
        return Err(document.error_at(start, "`folder` is an empty path"));
    }
    for part in written.split('{').skip(1) {
        let name = match part.split_once('}') {
            Some((name, _)) if PLACEHOLDERS.contains(&name) => continue,
            Some((name, _)) => name,
            None => part,
        };
        let error = document.error_at(start, format!("`{written}` has no meaning for `{{{name}}}`"));
        return Err(match suggest::nearest(name, PLACEHOLDERS) {
            Some(near) => error.hint(format!("did you mean `{{{near}}}`?")),
            None => error.hint("known here: `{date}`, `{month}`, `{year}`, `{time}`, `{schedule}`"),
        });
    }
    in_manifest(document, &folder, |written| {
        if written.split_once(':').is_some_and(|(store, _)| store.contains('{')) {
            // Which store it is, each run finds out.
            return Ok(());
        }
        // A value may be a part of a bucket's name, which has no braces.
        let plain = written.replace(['{', '}'], "");
        store::check_place("the folder of a destination", &plain, around.stores)
    })?;
    Ok(Destination::Folder(folder.into_inner()))
}

fn addresses(
    document: &Document<'_>,
    email: Spanned<Vec<Spanned<String>>>,
    smtp: Option<&Smtp>,
) -> Result<Destination> {
    let start = email.span().start;
    if smtp.is_none() {
        return Err(document.error_at(start, "mail needs a server, and this lake has none").hint(
            "add `[smtp]` with `host` and `from`; user and password come from CXLAKE_SMTP_USER and CXLAKE_SMTP_PASSWORD",
        ));
    }
    if email.get_ref().is_empty() {
        return Err(document.error_at(start, "`email` has no address"));
    }
    let addresses = email.into_inner().into_iter().map(|address| mailbox(document, &address));
    Ok(Destination::Email(addresses.collect::<Result<_>>()?))
}

/// A mail address, with or without a name.
///
/// # Errors
/// `InvalidData` with its line when it is none.
pub fn mailbox(document: &Document<'_>, address: &Spanned<String>) -> Result<Mailbox> {
    address.get_ref().parse().map_err(|_| {
        document
            .error_at(address.span().start, format!("`{}` is no mail address", address.get_ref()))
            .hint("write `name@example.com` or `Some Name <name@example.com>`")
    })
}

fn hook(document: &Document<'_>, webhook: &Spanned<String>, token_env: Option<Spanned<String>>) -> Result<Destination> {
    let start = webhook.span().start;
    // What the address says is often a secret, and stays out of the message.
    let url = Url::parse(webhook.get_ref())
        .map_err(|error| document.error_at(start, format!("the address of the webhook is none: {error}")))?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => is_loopback(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(document
            .error_at(start, "a webhook is reached by `https://`")
            .hint("`http://` is for servers on this machine: `http://127.0.0.1:PORT/`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(document
            .error_at(start, "the address of the webhook has a user or password in it")
            .hint("give a token in a variable of the environment, and name it: `token_env = \"CXLAKE_HOOK_TOKEN\"`"));
    }
    let token_env = token_env.map(|name| {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if name.get_ref().is_empty() || !name.get_ref().chars().all(is_name) {
            return Err(document
                .error_at(name.span().start, "`token_env` is no name of a variable")
                .hint("the token itself does not belong here: a manifest is shared"));
        }
        Ok(name.into_inner())
    });
    Ok(Destination::Webhook { url, token_env: token_env.transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_by_the_time_on_the_wall() {
        let wall = "2026-11-02T07:05:00".parse().expect("a time");
        assert_eq!(
            filled("r/{year}/{month}/{schedule}-{date}-{time}/", "cfo", wall),
            "r/2026/2026-11/cfo-2026-11-02-0705/"
        );
        assert_eq!(filled("plain", "cfo", wall), "plain");
    }

    #[test]
    fn a_webhook_is_named_by_its_host_alone() {
        let url = Url::parse("https://hooks.example.com/services/T1/secret").expect("an address");
        assert_eq!(Destination::Webhook { url, token_env: None }.shown(), "webhook at hooks.example.com");
    }

    #[test]
    fn this_machine_is_told_from_others() {
        assert!(["localhost", "127.0.0.1", "127.8.8.8", "::1"].into_iter().all(is_loopback));
        assert!(!["example.com", "10.0.0.1", "localhost.example.com"].into_iter().any(is_loopback));
    }
}

//! `[smtp]`: the server that takes mail. User and password have no key here; they come from the environment.

use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::destination::{is_loopback, mailbox};
use super::document::Document;
use crate::error::Result;

/// Megabytes of a message with its attachments, unless the manifest says otherwise: what most servers take.
const MESSAGE_MB_MAX: u32 = 20;

/// The server that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub from: Mailbox,
    /// Bytes of a message with its attachments.
    pub message_bytes_max: u64,
}

/// How the way to the server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte, as on port 465.
    Tls,
    /// TLS after a greeting, as on port 587; a server without it is refused.
    #[default]
    StartTls,
    /// In the clear, for a server on this machine.
    None,
}

/// The server that takes mail. Its user and password come from `CXLAKE_SMTP_USER` and `CXLAKE_SMTP_PASSWORD`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpSection {
    /// Name of the server.
    #[schemars(with = "String")]
    host: Spanned<String>,
    /// Port; 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[serde(default)]
    port: Option<u16>,
    /// `starttls`, `tls`, or `none` for a server on this machine.
    #[serde(default)]
    security: Security,
    /// Who sends, such as `cxlake <lake@example.com>`.
    #[schemars(with = "String")]
    from: Spanned<String>,
    /// Megabytes of a message with its attachments at most; 20.
    #[serde(default)]
    message_mb_max: Option<u32>,
}

/// The mail server of a manifest.
///
/// # Errors
/// `InvalidData` with the line of what is wrong.
pub fn declared(document: &Document<'_>, section: Option<SmtpSection>) -> Result<Option<Smtp>> {
    let Some(section) = section else { return Ok(None) };
    let host = section.host.get_ref().trim().to_owned();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':');
    if host.is_empty() || !host.chars().all(is_name) {
        return Err(document
            .error_at(section.host.span().start, format!("`{host}` is no name of a server"))
            .hint("write the name alone, such as `smtp.example.com`; `port` has a key of its own"));
    }
    if section.security == Security::None && !is_loopback(&host) {
        return Err(document
            .error_at(section.host.span().start, format!("mail to `{host}` would cross the network in the clear"))
            .hint("leave `security` out for `starttls`, or set `tls`; `none` is for a server on this machine"));
    }
    let port = section.port.unwrap_or(match section.security {
        Security::Tls => 465,
        Security::StartTls => 587,
        Security::None => 25,
    });
    Ok(Some(Smtp {
        host,
        port,
        security: section.security,
        from: mailbox(document, &section.from)?,
        message_bytes_max: u64::from(section.message_mb_max.unwrap_or(MESSAGE_MB_MAX)) << 20,
    }))
}

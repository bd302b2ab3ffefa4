//! Mail: one message for each destination, as text and HTML, with the files attached.
//!
//! The steps of SMTP are taken one by one: until the message itself is on its way, a failure means that nobody got it; behind
//! that only the server's answer says whether it was taken.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use super::{GREETING, TRANSFER, secret, without};
use crate::error::{Error, Kind, Result};
use crate::lake::smtp::{Security, Smtp};
use crate::output::html::escaped;
use crate::schedule::carry::Sending;
use crate::schedule::letter::Letter;

/// Variables with the server's user and password.
const USER: &str = "CXLAKE_SMTP_USER";
const PASSWORD: &str = "CXLAKE_SMTP_PASSWORD";

pub async fn send(smtp: &Smtp, to: &[Mailbox], letter: &Letter<'_>) -> Sending {
    let (envelope, bytes) = match message(smtp, to, letter) {
        Ok(message) => message,
        Err(error) => return Sending::Refused(error),
    };
    let mut connection = match timeout(GREETING, ready(smtp, &envelope, &bytes)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Sending::Refused(error),
        Err(_) => {
            return Sending::Refused(Error::storage(format!("the mail server {} does not answer", smtp.host)));
        }
    };
    match timeout(TRANSFER, connection.message(&bytes)).await {
        Ok(Ok(_)) => {
            // The message is taken; who says goodbye matters to nobody.
            let _ = timeout(GREETING, connection.quit()).await;
            Sending::Sent
        }
        Ok(Err(error)) if error.status().is_some() => {
            let _ = timeout(GREETING, connection.abort()).await;
            Sending::Refused(refused(smtp, "the message", &error))
        }
        Ok(Err(error)) => Sending::Unknown(Error::storage(format!("the mail server {}: {}", smtp.host, said(&error)))),
        Err(_) => Sending::Unknown(Error::storage(format!("the mail server {} did not answer in time", smtp.host))),
    }
}

/// A connection that only waits for the message itself.
async fn ready(smtp: &Smtp, envelope: &Envelope, bytes: &[u8]) -> Result<AsyncSmtpConnection> {
    let mut connection = greeted(smtp).await?;
    let mut options = Vec::new();
    let server = connection.server_info();
    let mut addresses = envelope.to().iter().chain(envelope.from());
    if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            return Err(Error::storage(format!("the mail server {} takes no addresses with such letters", smtp.host)));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() && server.supports_feature(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = Mail::new(envelope.from().cloned(), options);
    connection.command(sender).await.map_err(|error| refused(smtp, "the sender", &error))?;
    for address in envelope.to() {
        let taken = connection.command(Rcpt::new(address.clone(), Vec::new())).await;
        taken.map_err(|error| refused(smtp, &format!("the recipient {address}"), &error))?;
    }
    connection.command(Data).await.map_err(|error| refused(smtp, "the message", &error))?;
    Ok(connection)
}

/// A connection to the server that is private, and knows who we are.
async fn greeted(smtp: &Smtp) -> Result<AsyncSmtpConnection> {
    let unreachable = |error: SmtpError| {
        Error::storage(format!("cannot reach the mail server {} at port {}: {}", smtp.host, smtp.port, said(&error)))
    };
    let client = ClientId::default();
    let tls = || TlsParameters::new(smtp.host.clone()).map_err(unreachable);
    let at_once = if smtp.security == Security::Tls { Some(tls()?) } else { None };
    let address = (smtp.host.as_str(), smtp.port);
    let connected = AsyncSmtpConnection::connect_tokio1(address, Some(GREETING), &client, at_once, None).await;
    let mut connection = connected.map_err(unreachable)?;
    if smtp.security == Security::StartTls {
        if !connection.can_starttls() {
            return Err(Error::storage(format!("the mail server {} offers no TLS", smtp.host))
                .hint("set `security = \"tls\"` with port 465, or ask for another port"));
        }
        connection.starttls(tls()?, &client).await.map_err(unreachable)?;
    }
    if let (Some(user), Some(password)) = (secret(USER), secret(PASSWORD)) {
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let known = connection.auth(&mechanisms, &Credentials::new(user, password)).await;
        known.map_err(|error| {
            refused(smtp, "user and password", &error).hint(format!("they come from {USER} and {PASSWORD}"))
        })?;
    }
    Ok(connection)
}

/// An error about what the server did not take.
fn refused(smtp: &Smtp, what: &str, error: &SmtpError) -> Error {
    Error::storage(format!("the mail server {} does not take {what}: {}", smtp.host, said(error)))
}

/// The password in the forms in which a server gets it: as PLAIN and LOGIN have it, and by itself.
fn forms(user: &str, password: &str) -> [String; 3] {
    [STANDARD.encode(format!("\0{user}\0{password}")), STANDARD.encode(password), password.to_owned()]
}

/// What went wrong in words, without the password, which a server may repeat.
fn said(error: &SmtpError) -> String {
    use std::error::Error as _;

    let secrets = forms(&secret(USER).unwrap_or_default(), &secret(PASSWORD).unwrap_or_default());
    let code = error.status().map(|code| format!("{code} ")).unwrap_or_default();
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    without(&format!("{code}{cause}"), secrets.iter().map(String::as_str))
}

/// The message as it is sent, and to whom.
fn message(smtp: &Smtp, to: &[Mailbox], letter: &Letter<'_>) -> Result<(Envelope, Vec<u8>)> {
    let failed = |error: &dyn std::error::Error| Error::internal(format!("a message cannot be written: {error}"));
    let mut builder = Message::builder()
        .from(smtp.from.clone())
        .subject(&letter.subject)
        .message_id(Some(format!("<{}@{}>", letter.id, smtp.from.email.domain())))
        .date(SystemTime::now());
    for address in to {
        builder = builder.to(address.clone());
    }
    let mut page = MultiPart::related().singlepart(SinglePart::html(html(letter)));
    for (number, picture) in (1..).zip(letter.pictures) {
        let kind = ContentType::parse("image/png").map_err(|error| failed(&error))?;
        page = page.singlepart(Attachment::new_inline(picture_id(number)).body(picture.png.clone(), kind));
    }
    let texts = MultiPart::alternative().singlepart(SinglePart::plain(text(letter))).multipart(page);
    let mut parts = MultiPart::mixed().multipart(texts);
    for file in letter.files {
        let kind = ContentType::parse(file.media_type).map_err(|error| failed(&error))?;
        let content = std::fs::read(&file.path)
            .map_err(|error| Error::storage(format!("cannot read `{}`: {error}", file.name)).caused_by(error))?;
        parts = parts.singlepart(Attachment::new(file.name.clone()).body(content, kind));
    }
    let message = builder.multipart(parts).map_err(|error| failed(&error))?;
    let bytes = message.formatted();
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > smtp.message_bytes_max {
        let (found, most) = (size.div_ceil(1 << 20), smtp.message_bytes_max >> 20);
        return Err(Error::new(
            Kind::Exhausted,
            format!("the message has {found} MB with its files, more than {most} MB"),
        )
        .hint("send large files to a `folder`, ask for fewer `formats`, or raise `message_mb_max` of `[smtp]`"));
    }
    Ok((message.envelope().clone(), bytes))
}

/// What a picture is called within its message.
fn picture_id(number: usize) -> String {
    format!("chart-{number}")
}

fn text(letter: &Letter<'_>) -> String {
    let mut text = format!("{}\n\n", letter.title);
    if let Some(banner) = &letter.banner {
        text += &format!("! {banner}\n\n");
    }
    for line in &letter.lines {
        text += &format!("{line}\n");
    }
    if let Some(table) = letter.table {
        text += &format!("\n{}", table.text);
    }
    text += "\n";
    for (name, value) in &letter.facts {
        text += &format!("{name}: {value}\n");
    }
    text
}

fn html(letter: &Letter<'_>) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <body style=\"font:15px/1.5 system-ui,sans-serif;max-width:40em\">",
    );
    html += &format!("<h2>{}</h2>", escaped(&letter.title));
    if let Some(banner) = &letter.banner {
        html += &format!(
            "<p style=\"border-left:4px solid #b45309;background:#fef3c7;color:#451a03;padding:8px 12px\">{}</p>",
            escaped(banner)
        );
    }
    for line in &letter.lines {
        html += &format!("<p>{}</p>", escaped(line));
    }
    if let Some(table) = letter.table {
        html += &table.html;
    }
    for (number, picture) in (1..).zip(letter.pictures) {
        html += &format!(
            "<p><img src=\"cid:{}\" width=\"640\" style=\"max-width:100%;height:auto\" alt=\"{}\"></p>",
            picture_id(number),
            escaped(&picture.sentence)
        );
    }
    html += "<p style=\"color:#57606a;font-size:13px\">";
    for (name, value) in &letter.facts {
        html += &format!("{}: {}<br>", escaped(name), escaped(value));
    }
    html + "</p></body></html>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_what_a_server_repeats_in_each_form_in_which_it_was_sent() {
        let said = "334 AGxha2UAaHVudGVyMg== aHVudGVyMg== hunter2 no";
        let secrets = forms("lake", "hunter2");
        assert_eq!(without(said, secrets.iter().map(String::as_str)), "334 *** *** *** no");
    }
}

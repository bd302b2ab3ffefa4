//! Refusals for the sake of who asks: an unknown key, a wrong secret, a right that is missing.
//!
//! AWS has a code for each. Some servers have one for all and say in their message which it is, and some do not say.

use super::fault::Asked;
use super::settings::Settings;
use crate::error::Error;

/// A key that the server does not know.
pub fn unknown_key(settings: &Settings) -> Error {
    Error::storage(format!("{} does not know the access key ({})", settings.server(), settings.source()))
        .hint("is it of another account or another server? `cxlake doctor` says where it comes from")
}

/// A signature made with another secret than that of the key.
pub fn wrong_secret(settings: &Settings) -> Error {
    Error::storage(format!("the secret key does not belong to the access key ({})", settings.source()))
        .hint("copy both again; a proxy that changes requests does the same")
}

/// A request that is refused. The message of the server is not shown: it may hold the key.
pub fn denied(settings: &Settings, asked: &Asked, code: &str, message: &str) -> Error {
    let bucket = &settings.store.bucket;
    let verb = asked.verb();
    let is_plain = matches!(code, "" | "AccessDenied" | "Forbidden");
    let code = if code.is_empty() { String::new() } else { format!(" ({code})") };
    if settings.store.anonymous {
        return Error::storage(format!("bucket `{bucket}` does not let everybody {verb} it{code}"))
            .hint("leave `anonymous` out, and give credentials in the environment or a profile");
    }
    let right = right(bucket, asked, message);
    let who = settings.source();
    match Denial::of(message) {
        Denial::UnknownKey => unknown_key(settings),
        Denial::WrongSecret => wrong_secret(settings),
        Denial::Unsaid if !is_plain => Error::storage(format!(
            "{} does not let the credentials ({who}) {verb} bucket `{bucket}`{code}",
            settings.server()
        ))
        .hint("look up what the server means by that: it may be the keys, a right or the bucket itself"),
        // AWS has other errors for wrong keys.
        Denial::Unsaid if settings.endpoint.is_some() => Error::storage(format!(
            "{} does not let the credentials ({who}) {verb} bucket `{bucket}`{code}, and does not say why",
            settings.server()
        ))
        .hint(format!("either the keys are wrong, or they lack {right}; try them with another S3 tool")),
        Denial::Unsaid | Denial::NoRight => {
            Error::storage(format!("the credentials ({who}) may not {verb} bucket `{bucket}`{code}"))
                .hint(format!("grant them {right}, or use others"))
        }
    }
}

/// What a policy must grant: what the server says is not granted, such as a key to decrypt with, else what was asked for.
fn right(bucket: &str, asked: &Asked, message: &str) -> String {
    let action = asked.action();
    let message = message.replace("&quot;", "\"");
    match not_granted(&message) {
        Some((action, Some(resource))) => format!("`{action}` on `{resource}`"),
        Some((other, None)) if other != action => format!("`{other}`"),
        _ => format!("`{action}` on `arn:aws:s3:::{bucket}{}`", if asked.lists { "" } else { "/*" }),
    }
}

/// The action that a message says is not granted, and on what: no part of either is secret.
fn not_granted(message: &str) -> Option<(&str, Option<&str>)> {
    let (_, behind) = message.split_once("not authorized to perform: ")?;
    let action = behind.split_whitespace().next()?;
    let is_action = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ':' | '*' | '-');
    if !action.contains(':') || !action.chars().all(is_action) {
        return None;
    }
    let resource = behind.split_once(" on resource: ").and_then(|(_, resource)| match resource.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => resource.split_whitespace().next(),
    });
    Some((action, resource.filter(|resource| resource.starts_with("arn:"))))
}

/// Why a request is refused, by the message alone: some servers, Garage among them, have one code for all.
#[derive(Debug, PartialEq, Eq)]
enum Denial {
    UnknownKey,
    WrongSecret,
    NoRight,
    Unsaid,
}

impl Denial {
    fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if says(&["no such key", "no such access key"]) {
            return Self::UnknownKey;
        }
        if says(&["invalid signature", "signature does not match"]) {
            return Self::WrongSecret;
        }
        match says(&["not allowed", "not authorized", "permission", "policy", "privilege"]) {
            true => Self::NoRight,
            false => Self::Unsaid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_of_the_key_the_secret_or_the_right_as_far_as_the_server_says() {
        for (message, denial) in [
            ("Forbidden: No such key: GK0123", Denial::UnknownKey),
            ("Forbidden: Invalid signature", Denial::WrongSecret),
            ("Forbidden: Operation is not allowed for this key.", Denial::NoRight),
            ("User: arn:aws:iam::1:user/x is not authorized to perform: s3:ListBucket", Denial::NoRight),
            ("Access Denied", Denial::Unsaid),
            ("", Denial::Unsaid),
        ] {
            assert_eq!(Denial::of(message), denial, "{message}");
        }
    }

    #[test]
    fn the_right_that_is_missing_is_the_one_that_the_server_names() {
        let read = Asked::of("GET", &"http://h/b/k".to_owned(), &object_store::HeaderMap::new());
        let user = "User: arn:aws:iam::1:user/x is not authorized to perform";
        let key = "arn:aws:kms:eu-west-1:1:key/0-1";
        for (message, wanted) in [
            (format!("{user}: kms:Decrypt on resource: {key} because no policy"), format!("`kms:Decrypt` on `{key}`")),
            (format!("{user}: kms:Decrypt on resource: \"{key}\" because"), format!("`kms:Decrypt` on `{key}`")),
            (
                format!("{user}: kms:Decrypt on resource: &quot;{key}&quot; because"),
                format!("`kms:Decrypt` on `{key}`"),
            ),
            (format!("{user}: kms:Decrypt on the resource of this text"), "`kms:Decrypt`".to_owned()),
            (
                format!("{user}: s3:GetObject on resource: \"arn:aws:s3:::b/a b.csv\" with an explicit deny"),
                "`s3:GetObject` on `arn:aws:s3:::b/a b.csv`".to_owned(),
            ),
            (format!("{user}: s3:GetObject"), "`s3:GetObject` on `arn:aws:s3:::b/*`".to_owned()),
            (format!("{user}: `x`:y"), "`s3:GetObject` on `arn:aws:s3:::b/*`".to_owned()),
            ("Access Denied".to_owned(), "`s3:GetObject` on `arn:aws:s3:::b/*`".to_owned()),
        ] {
            assert_eq!(right("b", &read, &message), wanted, "{message}");
        }
    }
}

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
    let code = if code.is_empty() { String::new() } else { format!(" ({code})") };
    if settings.store.anonymous {
        return Error::storage(format!("bucket `{bucket}` does not let everybody {verb} it{code}"))
            .hint("leave `anonymous` out, and give credentials in the environment or a profile");
    }
    let resource = if asked.lists { String::new() } else { "/*".to_owned() };
    let right = format!("`{}` on `arn:aws:s3:::{bucket}{resource}`", asked.action());
    let who = settings.source();
    match Denial::of(message) {
        Denial::UnknownKey => unknown_key(settings),
        Denial::WrongSecret => wrong_secret(settings),
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
        match () {
            () if says(&["no such key", "no such access key"]) => Self::UnknownKey,
            () if says(&["invalid signature", "signature does not match"]) => Self::WrongSecret,
            () if says(&["not allowed", "not authorized", "permission", "policy", "privilege"]) => Self::NoRight,
            () => Self::Unsaid,
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
}

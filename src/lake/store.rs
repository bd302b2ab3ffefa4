//! `[store.NAME]`: a bucket and how it is reached, never a credential.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::document::Document;
use crate::error::{Error, Result};
use crate::suggest;

/// What addresses of buckets begin with.
pub const SCHEME: &str = "s3://";

/// A bucket, or a folder in one, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub name: String,
    pub bucket: String,
    /// Folder in the bucket at which paths start, without slashes around it.
    pub prefix: String,
    pub region: Option<String>,
    /// Address of a server other than AWS, without a slash at its end.
    pub endpoint: Option<String>,
    pub style: Option<Style>,
    /// Requests carry no signature, whatever keys the environment has.
    pub anonymous: bool,
    /// Profile of the AWS files that alone gives the credentials.
    pub profile: Option<String>,
    pub requester_pays: bool,
    pub encryption: Option<Encryption>,
    /// Certificates, beside those of the system, that the server's may be signed with.
    pub ca_file: Option<PathBuf>,
    /// Whether statements may write there.
    pub write: bool,
    /// How long a request is tried again.
    pub retry: Duration,
    /// Requests under way at once.
    pub requests_max: usize,
}

/// Where a request names its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Behind the host: `https://host/bucket`.
    Path,
    /// Before it: `https://bucket.host`.
    Virtual,
}

/// How the server encrypts what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// With keys of the service.
    Service,
    /// With a key of KMS, or with its default where none is named.
    Kms(Option<String>),
}

impl Store {
    /// How long a request is tried again unless the manifest says otherwise.
    pub const RETRY: Duration = Duration::from_secs(30);

    /// Requests under way at once unless the manifest says otherwise.
    pub const REQUESTS_MAX: usize = 64;

    /// A bucket of which the manifest says nothing: environment and profile alone say how it is reached.
    pub fn undeclared(bucket: &str) -> Self {
        Self {
            name: bucket.to_owned(),
            bucket: bucket.to_owned(),
            prefix: String::new(),
            region: None,
            endpoint: None,
            style: None,
            anonymous: false,
            profile: None,
            requester_pays: false,
            encryption: None,
            ca_file: None,
            write: true,
            retry: Self::RETRY,
            requests_max: Self::REQUESTS_MAX,
        }
    }

    /// The address of a path below the store.
    pub fn address(&self, below: &str) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{SCHEME}{}/{}{slash}{below}", self.bucket, self.prefix)
    }
}

/// A store: a bucket and how it is reached. Credentials have no key here; they come from the environment and the AWS files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    /// `s3://bucket/` or `s3://bucket/folder/`.
    #[schemars(with = "String")]
    url: Spanned<String>,
    /// Region of the bucket; else that of the environment or the profile, else the bucket's own is asked for.
    #[serde(default)]
    region: Option<String>,
    /// Address of an S3-compatible server, `https://host` or `http://host:port`; without it AWS.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    endpoint: Option<Spanned<String>>,
    /// Where a request names its bucket: `virtual` (before the host) or `path` (behind it); AWS takes `virtual`, others `path`.
    #[serde(default)]
    style: Option<Style>,
    /// Requests carry no signature, as public buckets want it, whatever keys the environment has.
    #[serde(default)]
    anonymous: bool,
    /// Profile of `~/.aws/config` that gives the credentials, whatever keys the environment has.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    profile: Option<Spanned<String>>,
    /// Who asks pays for requests and bytes.
    #[serde(default)]
    requester_pays: bool,
    /// How the server encrypts what is written: `sse-s3` or `sse-kms`.
    #[serde(default)]
    #[schemars(with = "Option<EncryptionKind>")]
    encryption: Option<EncryptionKind>,
    /// Key that `sse-kms` takes, its ARN or alias; without it the default one.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    kms_key: Option<Spanned<String>>,
    /// File with certificates (PEM) that the server's may be signed with, beside those of the system; relative to the manifest.
    #[serde(default)]
    ca_file: Option<String>,
    /// Statements may write there: COPY and `--output`.
    #[serde(default)]
    write: bool,
    /// Seconds for which a request is tried again after a failure that may pass; 30.
    #[serde(default)]
    #[schemars(with = "Option<u64>")]
    retry_seconds: Option<Spanned<u64>>,
    /// Requests under way at once; 64.
    #[serde(default)]
    #[schemars(with = "Option<usize>")]
    requests_max: Option<Spanned<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum EncryptionKind {
    #[serde(rename = "sse-s3")]
    Service,
    #[serde(rename = "sse-kms")]
    Kms,
}

/// The stores of a manifest by name. Relative files start at `folder`; `None` when the manifest is itself in a bucket.
///
/// # Errors
/// `InvalidData` with the line of what is wrong.
pub fn declared(
    document: &Document<'_>,
    sections: BTreeMap<Spanned<String>, StoreSection>,
    folder: Option<&Path>,
) -> Result<BTreeMap<String, Store>> {
    let mut stores: BTreeMap<String, Store> = BTreeMap::new();
    for (name, section) in sections {
        let at = name.span().start;
        let store = store(document, &name, section, folder)?;
        if let Some(other) = stores.values().find(|other| other.bucket == store.bucket) {
            let message = format!("stores `{}` and `{}` are both in bucket `{}`", other.name, store.name, store.bucket);
            return Err(document
                .error_at(at, message)
                .hint("declare the bucket once, and write folders of it as `NAME:folder/`"));
        }
        stores.insert(store.name.clone(), store);
    }
    Ok(stores)
}

fn store(
    document: &Document<'_>,
    name: &Spanned<String>,
    section: StoreSection,
    folder: Option<&Path>,
) -> Result<Store> {
    let at = |offset: usize, message: String| document.error_at(offset, message);
    if !is_name(name.get_ref()) {
        return Err(at(name.span().start, format!("store `{}` is no word", name.get_ref()))
            .hint("two or more letters, digits, `_` and `-`; paths begin with it, as in `NAME:folder/`"));
    }
    let (bucket, prefix) = take_apart(section.url.get_ref())
        .map_err(|error| error.at(document.file, Some(document.line(section.url.span().start))))?;
    let endpoint = section.endpoint.map(|endpoint| {
        let text = endpoint.get_ref().trim_end_matches('/');
        let is_host =
            |scheme| text.strip_prefix(scheme).is_some_and(|host: &str| !host.is_empty() && !host.contains(['/', '@']));
        if is_host("https://") || is_host("http://") {
            return Ok(text.to_owned());
        }
        Err(at(endpoint.span().start, format!("endpoint `{}` is no address of a server", shown(endpoint.get_ref())))
            .hint(hint(endpoint.get_ref(), "write `https://host` or `http://host:port`, without the bucket")))
    });
    let encryption = match (section.encryption, section.kms_key) {
        (None, None) => None,
        (Some(EncryptionKind::Service), None) => Some(Encryption::Service),
        (Some(EncryptionKind::Kms), key) => Some(Encryption::Kms(key.map(Spanned::into_inner))),
        (_, Some(key)) => {
            return Err(at(key.span().start, "`kms_key` goes with `encryption = \"sse-kms\"`".to_owned()));
        }
    };
    if let Some(profile) = section.profile.as_ref().filter(|_| section.anonymous) {
        return Err(at(profile.span().start, "`profile` does not go with `anonymous`".to_owned())
            .hint("anonymous requests carry no credentials; leave one of both out"));
    }
    if let Some(none) = section.requests_max.as_ref().filter(|max| *max.get_ref() == 0) {
        return Err(at(none.span().start, "`requests_max` is 0: nothing could be asked for".to_owned()));
    }
    Ok(Store {
        name: name.get_ref().clone(),
        bucket,
        prefix,
        region: section.region,
        endpoint: endpoint.transpose()?,
        style: section.style,
        anonymous: section.anonymous,
        profile: section.profile.map(Spanned::into_inner),
        requester_pays: section.requester_pays,
        encryption,
        ca_file: section.ca_file.map(|file| folder.map_or_else(|| PathBuf::from(&file), |folder| folder.join(&file))),
        write: section.write,
        retry: section.retry_seconds.map_or(Store::RETRY, |seconds| Duration::from_secs(seconds.into_inner())),
        requests_max: section.requests_max.map_or(Store::REQUESTS_MAX, Spanned::into_inner),
    })
}

/// The bucket and the path of an address such as `s3://bucket/folder/`; the path has no slash around it.
///
/// # Errors
/// `InvalidData` when it is no address of a bucket.
pub fn take_apart(address: &str) -> Result<(String, String)> {
    let wrong = |why: &str| {
        Error::invalid(format!("`{}` is no address of a bucket: {why}", shown(address)))
            .hint(hint(address, "write `s3://bucket/folder/`"))
    };
    let rest = address.strip_prefix(SCHEME).ok_or_else(|| wrong("it does not begin with `s3://`"))?;
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_letter) {
        return Err(wrong("a bucket has letters, digits, `-` and `.`"));
    }
    Ok((bucket.to_owned(), path.trim_matches('/').to_owned()))
}

/// An address as it may be shown. What stands before an `@` may be a key, with slashes in it.
pub fn shown(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
            format!("{scheme}…@{host}")
        }
        None => address.to_owned(),
    }
}

/// How to correct an address that is none.
pub fn hint(address: &str, correct: &str) -> String {
    match address.contains('@') {
        true => format!("{correct}; credentials come from the environment and the AWS files"),
        false => correct.to_owned(),
    }
}

/// Whether a store can have this name.
fn is_name(name: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    name.len() >= 2 && name.chars().all(is_word)
}

/// The store and the path in it of a path such as `prod:folder/`; `None` for paths that name no store.
pub fn named(path: &str) -> Option<(&str, &str)> {
    let (store, below) = path.split_once(':')?;
    (is_name(store) && !below.starts_with("//")).then_some((store, below.trim_start_matches('/')))
}

/// Refuses a path in a kind of storage that is not known, or in a store that is not declared: on the disk it would be a folder of
/// that name. `what` lies there.
///
/// # Errors
/// `Usage` with the nearest store; `InvalidData` when it is no address of a bucket.
pub fn check_place(what: &str, path: &str, stores: &BTreeMap<String, Store>) -> Result<()> {
    if path.starts_with(SCHEME) {
        return take_apart(path).map(|_| ());
    }
    if let Some((scheme, _)) = path.split_once("://").filter(|_| !path.starts_with("file://")) {
        return Err(Error::usage(format!("{what} is at `{}`, and `{scheme}://` is not known", shown(path)))
            .hint("write a local path, or one in a bucket: `s3://bucket/folder/`"));
    }
    let Some((store, _)) = named(path).filter(|(store, _)| !stores.contains_key(*store)) else { return Ok(()) };
    let error = Error::usage(format!("{what} is in store `{store}`, which is not declared"));
    Err(match suggest::nearest(store, stores.keys().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("declare it: `[store.{store}]` with `url = \"s3://bucket/\"`")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_path() {
        let parted = |address| take_apart(address).ok();
        assert_eq!(parted("s3://lake"), Some(("lake".into(), String::new())));
        assert_eq!(parted("s3://my.lake/a/b/"), Some(("my.lake".into(), "a/b".into())));
        assert_eq!(parted("s3://lake/a@b"), Some(("lake".into(), "a@b".into())));
        for wrong in ["s3://", "s3:///a", "http://lake/a", "s3://a b/c", "lake", "s3://key@lake/a"] {
            assert_eq!(parted(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_in_an_address_are_not_shown() {
        for address in ["s3://AKIA:SECRET@lake/a", "s3://AKIA:SEC/RET@lake/a", "AKIA:SECRET@lake/a"] {
            let error = take_apart(address).expect_err("keys do not belong there");
            let said = format!("{error} {:?}", error.hint_text());
            assert!(said.contains("…@lake/a` is no address") && !said.contains("AKIA"), "{said}");
            assert!(said.contains("credentials come from the environment"), "{said}");
        }
    }

    #[test]
    fn a_path_in_a_store_begins_with_its_name() {
        assert_eq!(named("prod:a/b/"), Some(("prod", "a/b/")));
        assert_eq!(named("prod:"), Some(("prod", "")));
        for other in ["a/b", "a/b:c", "s3://b/c", "file:///a", "a:b.csv", "two words:x"] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}

//! How a bucket is reached: what the manifest says, else the environment, else the profile, else what S3 usually does.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::property::PropertiesKey;
use object_store::ClientOptions;
use object_store::aws::resolve_bucket_region;
use reqwest::Certificate;
use url::{Host, Url};

use crate::error::{Error, Result};
use crate::lake::store::{self, Store, Style};

/// Region of servers that have none.
const REGION: &str = "us-east-1";

/// Everything that is needed to reach a bucket but its credentials.
#[derive(Debug)]
pub struct Settings {
    pub store: Store,
    pub region: String,
    /// Where the region comes from.
    pub region_from: &'static str,
    /// Address of the server; `None` for AWS.
    pub endpoint: Option<String>,
    /// Where the endpoint comes from.
    pub endpoint_from: &'static str,
    pub style: Style,
    /// Certificates, beside those of the system, that a server's may be signed with.
    pub certificates: Vec<Certificate>,
    /// The same as PEM.
    pub pem: Vec<u8>,
    /// Profile with which somebody signs in by SSO to get the credentials of the one that is used.
    pub sso: Option<String>,
    /// Which source gave the credentials, once they are there.
    source: OnceLock<String>,
}

impl Settings {
    /// Reads environment and profile. Only a bucket on AWS whose region nobody names is asked for it.
    ///
    /// # Errors
    /// `InvalidData` for a profile, a certificate or a combination that cannot be used.
    pub async fn resolve(store: &Store) -> Result<Self> {
        let profile = profile(store).await?;
        let of_profile = |key| profile.get(key).map(|value| (value.to_owned(), "the profile"));
        let declared = |value: &Option<String>| value.clone().map(|value| (value, "the manifest"));
        let ignores = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let ignores = ignores.or_else(|| of_profile("ignore_configured_endpoint_urls"));
        let ignores = ignores.is_some_and(|(value, _)| value.eq_ignore_ascii_case("true"));
        let endpoint = declared(&store.endpoint).or_else(|| {
            let configured = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
            let configured = configured.or_else(|| endpoint_of_s3(&profile).map(|url| (url, "the profile")));
            configured.or_else(|| of_profile("endpoint_url")).filter(|_| !ignores)
        });
        let (endpoint, endpoint_from) = match endpoint {
            Some((endpoint, from)) => (Some(endpoint.trim_end_matches('/').to_owned()), from),
            None => (None, "the default"),
        };
        let style = style(store, endpoint.as_deref(), endpoint_from)?;
        let region = declared(&store.region).or_else(|| variable("AWS_REGION"));
        let region = region.or_else(|| variable("AWS_DEFAULT_REGION")).or_else(|| of_profile("region"));
        let (region, region_from) = match region {
            Some(region) => region,
            None if endpoint.is_none() => match resolve_bucket_region(&store.bucket, &ClientOptions::new()).await {
                Ok(region) => (region, "the bucket"),
                // The request itself will say what is wrong.
                Err(_) => (REGION.to_owned(), "the default"),
            },
            None => (REGION.to_owned(), "the default"),
        };
        let bundle = variable("AWS_CA_BUNDLE").or_else(|| of_profile("ca_bundle"));
        let bundle = bundle.map(|(file, _)| PathBuf::from(file));
        let (mut certificates, mut pem) = (Vec::new(), Vec::new());
        // The one is about this server, the other about all that the machine talks to.
        for file in store.ca_file.iter().chain(&bundle) {
            let (found, text) = read_certificates(file)?;
            certificates.extend(found);
            pem.extend(text);
        }
        Ok(Self {
            store: store.clone(),
            region,
            region_from,
            endpoint,
            endpoint_from,
            style,
            certificates,
            pem,
            sso: signs_in(&profile),
            source: OnceLock::new(),
        })
    }

    /// The address that requests go to, with the bucket in it.
    pub fn bucket_address(&self) -> String {
        let bucket = &self.store.bucket;
        let server = self.endpoint.clone().unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", self.region));
        match (self.style, server.split_once("://")) {
            (Style::Virtual, Some((scheme, host))) => format!("{scheme}://{bucket}.{host}"),
            _ => format!("{server}/{bucket}"),
        }
    }

    /// The server as errors name it.
    pub fn server(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("`{endpoint}`"),
            None => format!("AWS in `{}`", self.region),
        }
    }

    /// Keeps which source gave the credentials.
    pub fn credentials_are_from(&self, source: String) {
        // The first one stays; it can only change with the environment.
        let _ = self.source.set(source);
    }

    /// Which source gave the credentials.
    pub fn source(&self) -> &str {
        match self.source.get() {
            _ if self.store.anonymous => "none, the store is anonymous",
            Some(source) => source,
            None => "not found yet",
        }
    }

    /// How to correct the endpoint.
    pub fn endpoint_hint(&self) -> String {
        let from = match self.endpoint_from {
            "the manifest" => format!("`endpoint` in `[store.{}]`", self.store.name),
            "the default" => {
                return "is there a network? for a server other than AWS set `endpoint` or AWS_ENDPOINT_URL_S3"
                    .to_owned();
            }
            from => format!("the endpoint, which comes from {from}"),
        };
        format!("does the server run there? check {from}")
    }

    /// How to correct a setting.
    pub fn setting_hint(key: &str, value: &str, variable: &str) -> String {
        format!("set `{key} = \"{value}\"` in the store of the manifest, or {variable}")
    }
}

/// A variable of the environment and its name.
fn variable(name: &'static str) -> Option<(String, &'static str)> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (value, name))
}

/// The profile that the store names, else the one that the environment does.
#[expect(clippy::default_trait_access, reason = "the types of the arguments have no public name")]
async fn profile(store: &Store) -> Result<ProfileSet> {
    // Its arguments are the machine's file system, its environment and the usual places of the files.
    let name = store.profile.clone().map(Into::into);
    let set = profile::load(&Default::default(), &Default::default(), &Default::default(), name).await;
    let set = set.map_err(|error| {
        Error::invalid(format!("the AWS configuration cannot be read: {error}"))
            .hint("see `~/.aws/config` and `~/.aws/credentials`, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE")
    })?;
    if let Some(name) = &store.profile
        && set.get_profile(name).is_none()
    {
        let error = Error::invalid(format!("there is no profile `{name}` in the AWS configuration"));
        return Err(match crate::suggest::nearest(name, set.profiles()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`[store.{}]` names it; `~/.aws/config` declares profiles", store.name)),
        });
    }
    Ok(set)
}

/// The endpoint of S3 in the `[services …]` section that the profile names.
fn endpoint_of_s3(profile: &ProfileSet) -> Option<String> {
    let key = PropertiesKey::builder().section_key("services").section_name(profile.get("services")?);
    let key = key.property_name("s3").sub_property_name("endpoint_url").build().ok()?;
    profile.other_sections().get(&key).cloned()
}

/// The profile that is used, or one behind it from which it takes its credentials, if that one signs in by SSO.
fn signs_in(set: &ProfileSet) -> Option<String> {
    let mut name = set.selected_profile();
    // Profiles may name each other in a circle.
    for _ in set.profiles() {
        let profile = set.get_profile(name)?;
        if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
            return Some(name.to_owned());
        }
        name = profile.get("source_profile")?;
    }
    None
}

fn style(store: &Store, endpoint: Option<&str>, from: &str) -> Result<Style> {
    let has_user = endpoint.is_some_and(|endpoint| endpoint.contains('@'));
    let is_number = match endpoint.map(Url::parse) {
        Some(Ok(url)) if matches!(url.scheme(), "http" | "https") && !has_user => {
            matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
        }
        None => false,
        Some(_) => {
            let endpoint = endpoint.unwrap_or_default();
            let shown = store::shown(endpoint);
            return Err(Error::invalid(format!("endpoint `{shown}` of {from} is no address of a server"))
                .hint(store::hint(endpoint, "write `https://host` or `http://host:port`")));
        }
    };
    match store.style {
        Some(Style::Virtual) if is_number => {
            let endpoint = endpoint.unwrap_or_default();
            Err(Error::invalid(format!("`{endpoint}` does not take requests in the `virtual` style: it is a number"))
                .hint(format!("set `style = \"path\"` in `[store.{}]`, or give the server a name", store.name)))
        }
        Some(style) => Ok(style),
        // The certificate of AWS is for names without a further point.
        None if endpoint.is_none() && !store.bucket.contains('.') => Ok(Style::Virtual),
        None => Ok(Style::Path),
    }
}

/// The certificates in a file, and their text.
fn read_certificates(file: &Path) -> Result<(Vec<Certificate>, Vec<u8>)> {
    let shown = file.display();
    let mut pem = std::fs::read(file).map_err(|error| {
        Error::storage(format!("cannot read the certificates in `{shown}`: {error}"))
            .hint("the file is named by `ca_file` of the store, by AWS_CA_BUNDLE or by `ca_bundle` of the profile")
            .caused_by(error)
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => {
            // Another file may follow.
            pem.push(b'\n');
            Ok((found, pem))
        }
        _ => {
            Err(Error::invalid(format!("there is no certificate in `{shown}`"))
                .hint("it must hold certificates as PEM"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(bucket: &str, endpoint: Option<&str>, style: Option<Style>) -> Result<Settings> {
        let store = Store { style, ..Store::undeclared(bucket) };
        Ok(Settings {
            style: super::style(&store, endpoint, "the manifest")?,
            store,
            region: "eu-west-1".to_owned(),
            region_from: "the manifest",
            endpoint: endpoint.map(str::to_owned),
            endpoint_from: "the manifest",
            certificates: Vec::new(),
            pem: Vec::new(),
            sso: None,
            source: OnceLock::new(),
        })
    }

    #[test]
    fn a_bucket_stands_before_the_host_on_aws_and_behind_it_elsewhere_unless_told_otherwise() {
        let address =
            |bucket, endpoint, style| settings(bucket, endpoint, style).map(|found| found.bucket_address()).ok();
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(address("lake", None, None), is("https://lake.s3.eu-west-1.amazonaws.com"));
        assert_eq!(address("my.lake", None, None), is("https://s3.eu-west-1.amazonaws.com/my.lake"));
        assert_eq!(address("lake", None, Some(Style::Path)), is("https://s3.eu-west-1.amazonaws.com/lake"));
        let minio = Some("http://minio:9000");
        assert_eq!(address("lake", minio, None), is("http://minio:9000/lake"));
        assert_eq!(address("lake", minio, Some(Style::Virtual)), is("http://lake.minio:9000"));
        for number in ["http://10.0.0.1:9000", "https://[::1]"] {
            assert_eq!(address("lake", Some(number), Some(Style::Virtual)), None, "{number}");
        }
        for wrong in ["minio:9000", "ftp://minio", "minio"] {
            assert_eq!(address("lake", Some(wrong), None), None, "{wrong}");
        }
    }

    #[test]
    fn an_endpoint_with_a_password_is_refused_and_not_shown() {
        for endpoint in ["http://user:SECRET@minio:9000", "https://:SECRET@minio", "user:SECRET@minio"] {
            let error = settings("lake", Some(endpoint), None).expect_err("it has a password");
            let said = format!("{error} {:?}", error.hint_text());
            assert!(said.contains("…@minio") && !said.contains("SECRET"), "{said}");
        }
    }
}

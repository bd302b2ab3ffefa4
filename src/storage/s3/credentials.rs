//! Credentials from the sources that every AWS tool knows, in their order, kept until shortly before they expire.
//!
//! The sources are those of the AWS SDK: environment, profile (keys, SSO, assumed roles, processes), web identity, containers,
//! instances. The first that has something to say decides; its failure is an error and not a reason to look further.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use object_store::aws::AwsCredential;
use object_store::client::CredentialProvider;
use tokio::runtime::Handle;
use tokio::sync::Mutex as AsyncMutex;

use super::fault::Refused;
use super::settings::Settings;
use crate::error::{Error, Result};

/// Credentials are renewed when they hold for less than this.
const MARGIN: Duration = Duration::from_mins(5);

/// How long the service of an instance may take to answer. Where there is none, its address is often a black hole.
const INSTANCE: Duration = Duration::from_secs(1);

/// What the last source is called.
const INSTANCE_ROLE: &str = "instance role";

/// How long any source may take; assuming a role or asking SSO goes over the network.
const SOURCE: Duration = Duration::from_secs(8);

/// What a source that fails says at most.
const SAID_MAX: usize = 300;

/// The credentials of one store.
#[derive(Debug)]
pub struct Source {
    settings: Arc<Settings>,
    kept: Mutex<Option<Kept>>,
    /// Held while credentials are got, so that a hundred requests get them once.
    getting: AsyncMutex<()>,
    runtime: Handle,
}

#[derive(Clone, Debug)]
struct Kept {
    credential: Arc<AwsCredential>,
    expires: Option<SystemTime>,
    got: Instant,
}

impl Kept {
    fn holds_for(&self, margin: Duration) -> bool {
        self.expires.is_none_or(|expires| SystemTime::now() + margin < expires)
    }
}

impl Source {
    pub fn new(settings: Arc<Settings>, runtime: Handle) -> Self {
        Self { settings, kept: Mutex::default(), getting: AsyncMutex::default(), runtime }
    }

    fn kept(&self) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives up the credentials with which something was `asked` and that the server calls expired; says whether others are to
    /// be had.
    pub async fn renew(&self, asked: Instant) -> bool {
        // Of many requests that fail at once the first renews them for all.
        let old = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take_if(|kept| kept.got <= asked);
        match (old, self.current().await) {
            (Some(old), Ok(new)) => *old.credential != *new,
            (None, Ok(_)) => true,
            (_, Err(_)) => false,
        }
    }

    /// The credentials, with their key masked, for people: `profile ops (AKIA…WXYZ)`.
    pub async fn described(&self) -> Result<String> {
        self.current().await?;
        Ok(self.settings.source().to_owned())
    }

    async fn current(&self) -> Result<Arc<AwsCredential>> {
        if let Some(kept) = self.kept().filter(|kept| kept.holds_for(MARGIN)) {
            return Ok(kept.credential);
        }
        let _getting = self.getting.lock().await;
        let before = self.kept();
        if let Some(kept) = before.as_ref().filter(|kept| kept.holds_for(MARGIN)) {
            return Ok(Arc::clone(&kept.credential));
        }
        let settings = Arc::clone(&self.settings);
        let got = self.runtime.spawn(async move { get(&settings).await }).await;
        let got = got.unwrap_or_else(|_| Err(Error::internal("getting credentials ended in a panic")));
        match (got, before.filter(|kept| kept.holds_for(Duration::ZERO))) {
            (Ok((name, credentials)), _) => {
                let source = format!("{name}, key {}", masked(credentials.access_key_id()));
                self.settings.credentials_are_from(source);
                let kept = Kept {
                    credential: Arc::new(credential(&credentials)),
                    expires: credentials.expiry(),
                    got: Instant::now(),
                };
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
                Ok(kept.credential)
            }
            // What holds for some minutes more is better than none.
            (Err(_), Some(kept)) => Ok(kept.credential),
            (Err(error), None) => Err(error),
        }
    }
}

#[async_trait]
impl CredentialProvider for Source {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.current().await.map_err(Refused::into_store_error)
    }
}

fn credential(credentials: &Credentials) -> AwsCredential {
    AwsCredential {
        key_id: credentials.access_key_id().to_owned(),
        secret_key: credentials.secret_access_key().to_owned(),
        token: credentials.session_token().map(str::to_owned),
    }
}

/// The first source that has credentials, by the name that people know it by.
async fn get(settings: &Settings) -> Result<(String, Credentials)> {
    let outside = requests(settings, &ProxyConfig::from_env())?;
    // Container and instance are asked on the machine itself, and not through the proxy that leads out of it.
    let nearby = requests(settings, &ProxyConfig::disabled())?;
    let instance = imds::Client::builder()
        .configure(&nearby)
        .connect_timeout(INSTANCE)
        .read_timeout(INSTANCE)
        .operation_attempt_timeout(INSTANCE)
        .operation_timeout(INSTANCE)
        .max_attempts(1)
        .build();
    let profile = ProfileFileCredentialsProvider::builder().configure(&outside);
    let sources: Vec<(String, Box<dyn ProvideCredentials>)> = match &settings.store.profile {
        Some(name) => vec![(format!("profile `{name}`"), Box::new(profile.profile_name(name.clone()).build()))],
        None => vec![
            ("environment".to_owned(), Box::new(EnvironmentVariableCredentialsProvider::new())),
            (default_profile(), Box::new(profile.build())),
            (
                "web identity".to_owned(),
                Box::new(WebIdentityTokenCredentialsProvider::builder().configure(&outside).build()),
            ),
            ("container role".to_owned(), Box::new(EcsCredentialsProvider::builder().configure(&nearby).build())),
            (
                INSTANCE_ROLE.to_owned(),
                Box::new(
                    imds::credentials::ImdsCredentialsProvider::builder()
                        .configure(&nearby)
                        .imds_client(instance)
                        .build(),
                ),
            ),
        ],
    };
    let mut instance = String::new();
    for (name, source) in sources {
        match tokio::time::timeout(SOURCE, source.provide_credentials()).await {
            Ok(Ok(credentials)) => return Ok((name, credentials)),
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) => {}
            // On most machines there is no such service, and how it does not answer differs.
            Ok(Err(error)) if name == INSTANCE_ROLE => instance = format!(" ({INSTANCE_ROLE}: {})", said(&error)),
            Ok(Err(error)) => return Err(failed(&name, &error, settings)),
            Err(_) => {
                let message = format!("the credentials of {name} do not come within {} s", SOURCE.as_secs());
                return Err(Error::storage(message).hint("is there a network? other AWS tools would wait as well"));
            }
        }
    }
    let bucket = &settings.store.bucket;
    Err(Error::storage(format!("there are no credentials for bucket `{bucket}`{instance}")).hint(
        "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`; for a public bucket \
         set `anonymous = true` in its store, or AWS_SKIP_SIGNATURE=true",
    ))
}

/// How the sources send requests: to servers with the certificates of the settings too, and through this proxy.
fn requests(settings: &Settings, proxy: &ProxyConfig) -> Result<ProviderConfig> {
    let trusted = match settings.pem.as_slice() {
        [] => TrustStore::default(),
        pem => TrustStore::default().with_pem_certificate(pem),
    };
    let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(|error| {
        Error::storage(format!("cannot set up connections for credentials: {error}")).caused_by(error)
    })?;
    let proxy = proxy.clone();
    let client = Builder::new().build_with_connector_fn(move |limits, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(limits.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    });
    let region = Region::new(settings.region.clone());
    Ok(ProviderConfig::without_region().with_http_client(client).with_region(Some(region)))
}

fn default_profile() -> String {
    let name = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    format!("profile `{}`", name.as_deref().unwrap_or("default"))
}

fn failed(name: &str, error: &CredentialsError, settings: &Settings) -> Error {
    let said = said(error);
    // What keeps the sign-in, and what the service says of one that it does not take.
    let is_signed_out = ["SSO token", "sso/cache", "UnauthorizedException"].iter().any(|words| said.contains(words));
    match &settings.sso {
        Some(profile) if is_signed_out => {
            Error::storage(format!("{name} gives no credentials: nobody is signed in by SSO, or no longer ({said})"))
                .hint(format!("sign in: `aws sso login --profile {profile}`"))
        }
        _ => Error::storage(format!("{name} gives no credentials: {said}"))
            .hint("other AWS tools fail in the same way; mend it for them"),
    }
}

/// What a source says of its failure. The output of a foreign process is left out: nobody knows what is in it.
fn said(error: &CredentialsError) -> String {
    let mut said = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        let text = text.split("Stderr:").next().unwrap_or_default().trim();
        next = cause.source();
        let says_nothing = next.is_some() && text.starts_with("an error occurred while loading");
        if !says_nothing && !said.contains(text) {
            said = if said.is_empty() { text.to_owned() } else { format!("{said}: {text}") };
        }
    }
    said.chars().take(SAID_MAX).collect()
}

/// A key as people may see it.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    match letters.len() {
        length if length >= 12 => {
            let (head, tail) = (&letters[..4], &letters[length - 4..]);
            format!("{}…{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
        }
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_masked_and_a_short_one_not_shown_at_all() {
        assert_eq!(masked("AKIAIOSFODNN7EXAMPLE"), "AKIA…MPLE");
        assert_eq!(masked("short"), "…");
    }
}

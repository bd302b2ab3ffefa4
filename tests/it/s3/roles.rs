//! Credentials that a service gives: assumed roles, web identity, SSO, containers and instances. Each proves itself by a listing
//! that the S3 server takes, signed with what the service gave.

use hyper::{Request, Response};

use super::super::harness::{Call, Folder};
use super::http::{AUTHORITY, Kind};
use super::played::{Played, answer, header};
use super::server::{KEY, SECRET, Server};

/// The session token that goes with the key.
const TOKEN: &str = "canary-session-of-the-tests";

/// What somebody's sign-in by SSO is kept as, and sent as.
const SIGN_IN: &str = "canary-sign-in-of-the-tests";

/// A home with this `~/.aws/config`, and the bucket `lake`.
struct World {
    home: Folder,
    server: Server,
}

impl World {
    fn new(config: &str) -> Self {
        let home = Folder::new();
        home.write(".aws/config", config);
        Self { home, server: Server::start(&["lake"]) }
    }

    fn doctor(&self) -> Call {
        self.doctor_of("s3://lake/")
    }

    fn doctor_of(&self, store: &str) -> Call {
        let call = self.home.cxlake(["doctor", store]).away_from_aws();
        let call = call.env_remove("AWS_CONFIG_FILE").env_remove("AWS_SHARED_CREDENTIALS_FILE");
        call.env("HOME", self.home.path()).env("AWS_ENDPOINT_URL_S3", self.server.endpoint())
    }

    /// Asserts that the bucket is listed with the key and the token, which come from there.
    fn lists(&self, call: Call, from: &str) {
        let said = call.prints();
        assert!(said.contains(&format!("  ok     credentials     {from}, key AKIA…WXYZ\n")), "{said}");
        assert!(said.contains("  ok     list            works"), "{said}");
        let (requests, name) = (self.server.requests(), "x-amz-security-token");
        assert!(requests.header(Kind::List, name).iter().all(|token| *token == Some(TOKEN)), "{requests:?}");
    }
}

/// What is wrong with the credentials, and the hint, without what differs from run to run.
fn wrong(call: Call, services: &[&Played]) -> String {
    let said = call.run();
    assert_eq!(said.code, Some(1), "{said}");
    let all = format!("{}{}", said.text(), said.stderr);
    assert!([SECRET, TOKEN, SIGN_IN].iter().all(|secret| !all.contains(secret)), "{said}");
    let text = services.iter().fold(said.text(), |text, service| text.replace(&service.endpoint(), "SERVICE"));
    let mut lines = text.lines().skip_while(|line| !line.starts_with("  wrong  credentials"));
    let finding = lines.next().unwrap_or_else(|| panic!("{said}")).trim_start_matches("  wrong  credentials");
    format!("{} | {}", finding.trim(), lines.next().unwrap_or_default().trim())
}

/// What STS answers to a call, with the credentials of the server.
fn session(call: &str) -> Response<String> {
    let given = format!(
        "<Credentials><AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>{TOKEN}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    );
    let of_namespace = "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"";
    answer(200, format!("<{call}Response {of_namespace}><{call}Result>{given}</{call}Result></{call}Response>"))
}

/// A refusal of STS.
fn refusal(status: u16, code: &str, message: &str) -> Response<String> {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    answer(status, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}

/// The value of a field in the form that a request sends.
fn field(request: &Request<String>, name: &str) -> Option<String> {
    let fields = url::form_urlencoded::parse(request.body().as_bytes());
    fields.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

const ANALYST: &str = "[profile base]\naws_access_key_id = AKIABASEBASEBASEBAS1\naws_secret_access_key = base-secret\n\n\
                       [profile analyst]\nregion = eu-west-3\nrole_arn = arn:aws:iam::123456789012:role/analyst\n\
                       source_profile = base\nexternal_id = cx\nrole_session_name = reports\n";

#[test]
fn a_role_is_assumed_with_the_keys_of_its_source_profile() {
    let world = World::new(ANALYST);
    let sts = Played::start(|_| session("AssumeRole"));
    let call = world.doctor().env("AWS_PROFILE", "analyst").env("AWS_ENDPOINT_URL_STS", sts.endpoint());
    world.lists(call, "profile `analyst`");
    let asked = sts.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let said = |name: &str| field(&asked[0], name).unwrap_or_default();
    assert_eq!(
        [said("Action"), said("RoleArn"), said("ExternalId"), said("RoleSessionName")],
        ["AssumeRole", "arn:aws:iam::123456789012:role/analyst", "cx", "reports"]
    );
    let signature = header(&asked[0], "authorization");
    assert!(
        signature.contains("Credential=AKIABASEBASEBASEBAS1/") && signature.contains("/eu-west-3/sts/"),
        "{signature}"
    );
}

#[test]
fn a_role_is_assumed_from_another_one_and_with_the_keys_of_the_environment() {
    let world = World::new(
        "[profile entry]\nrole_arn = arn:aws:iam::1:role/entry\ncredential_source = Environment\n\
         [profile analyst]\nrole_arn = arn:aws:iam::2:role/analyst\nsource_profile = entry\n",
    );
    // Keys of the environment come before a profile; a store that names one asks that one alone.
    world.home.lake("[store.main]\nurl = \"s3://lake/\"\nprofile = \"analyst\"\n");
    let sts = Played::start(|_| session("AssumeRole"));
    let call = world.doctor_of("main").env("AWS_ENDPOINT_URL_STS", sts.endpoint()).env("AWS_REGION", "eu-west-1");
    let call = call.env("AWS_ACCESS_KEY_ID", "AKIAENVENVENVENVENV1").env("AWS_SECRET_ACCESS_KEY", "env-secret");
    world.lists(call, "profile `analyst`");
    let roles: Vec<_> = sts.asked().iter().filter_map(|request| field(request, "RoleArn")).collect();
    assert_eq!(roles, ["arn:aws:iam::1:role/entry", "arn:aws:iam::2:role/analyst"]);
    let keys: Vec<bool> =
        sts.asked().iter().map(|request| header(request, "authorization").contains("AKIAENV")).collect();
    assert_eq!(keys, [true, false], "the second role is assumed with what the first one gave");
}

#[test]
fn a_role_that_may_not_be_assumed_is_told_with_the_reason() {
    let world = World::new(ANALYST);
    let message = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sts:AssumeRole";
    let sts = Played::start(move |_| refusal(403, "AccessDenied", message));
    let call = world.doctor().env("AWS_PROFILE", "analyst").env("AWS_ENDPOINT_URL_STS", sts.endpoint());
    let said = wrong(call, &[&sts]);
    assert!(said.starts_with("profile `analyst` gives no credentials: "), "{said}");
    assert!(said.contains("AccessDenied") && said.contains("sts:AssumeRole"), "{said}");
    assert!(said.ends_with(" | hint: other AWS tools fail in the same way; mend it for them"), "{said}");
}

#[test]
fn services_of_the_profile_say_where_s3_and_sts_are() {
    let sts = Played::start(|_| session("AssumeRole"));
    let world = World::new("");
    let (s3, roles) = (world.server.endpoint(), sts.endpoint());
    let services = format!("\n[services local]\ns3 =\n  endpoint_url = {s3}\nsts =\n  endpoint_url = {roles}\n");
    let elsewhere = "services = local\nendpoint_url = http://127.0.0.1:1\n";
    world.home.write(".aws/config", format!("{ANALYST}{elsewhere}{services}"));
    let call = || world.doctor().env_remove("AWS_ENDPOINT_URL_S3").env("AWS_PROFILE", "analyst");
    world.lists(call(), "profile `analyst`");
    assert!(call().prints().contains(&format!("  ok     endpoint        {s3} (from the profile), `path` style\n")));
    // Variables come before the profile, and neither counts where configured endpoints are to be left alone.
    let said = call().env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2").run();
    assert!(said.text().contains("endpoint        http://127.0.0.1:2 (from AWS_ENDPOINT_URL_S3)"), "{said}");
    world.home.write(".aws/config", format!("{ANALYST}{elsewhere}ignore_configured_endpoint_urls = true\n{services}"));
    let said = call().env("AWS_ENDPOINT_URL_STS", sts.endpoint()).env("HTTPS_PROXY", "http://127.0.0.1:1").run();
    assert!(said.text().contains("  ok     endpoint        AWS, `virtual` style\n"), "{said}");
}

#[test]
fn web_identity_gives_the_role_for_the_token_in_the_file() {
    let world = World::new("");
    let sts = Played::start(|request| match field(request, "WebIdentityToken").as_deref() {
        Some("fresh") => session("AssumeRoleWithWebIdentity"),
        _ => refusal(400, "ExpiredTokenException", "Token expired"),
    });
    let token = world.home.write("token", "fresh");
    let call = || {
        let call = world.doctor().env("AWS_ENDPOINT_URL_STS", sts.endpoint()).env("AWS_REGION", "eu-west-1");
        call.env("AWS_WEB_IDENTITY_TOKEN_FILE", &token).env("AWS_ROLE_ARN", "arn:aws:iam::1:role/reports")
    };
    world.lists(call(), "web identity");
    let asked = &sts.asked()[0];
    let said = |name: &str| field(asked, name).unwrap_or_default();
    assert_eq!([said("Action"), said("RoleArn")], ["AssumeRoleWithWebIdentity", "arn:aws:iam::1:role/reports"]);
    assert_eq!(header(asked, "authorization"), "", "the token alone says who asks");

    world.home.write("token", "stale");
    let said = wrong(call(), &[&sts]);
    assert!(said.starts_with("web identity gives no credentials: ") && said.contains("Token expired"), "{said}");
    let said = wrong(call().env_remove("AWS_ROLE_ARN"), &[&sts]);
    assert!(said.contains("AWS_ROLE_ARN environment variable must be set"), "{said}");
    std::fs::remove_file(&token).expect("the token goes");
    let said = wrong(call(), &[&sts]);
    assert!(said.starts_with("web identity gives no credentials: ") && said.contains("No such file"), "{said}");
}

/// Profiles that sign in by SSO: as it is set up today, as it was before, and for a role behind it.
const SSO: &str = "[sso-session work]\nsso_region = eu-west-1\nsso_start_url = https://cx.awsapps.com/start\n\
                   [profile today]\nregion = eu-west-3\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = Analyst\n\
                   [profile before]\nregion = eu-west-3\nsso_region = eu-west-1\nsso_start_url = https://cx.awsapps.com/start\n\
                   sso_account_id = 123456789012\nsso_role_name = Analyst\n\
                   [profile behind]\nrole_arn = arn:aws:iam::1:role/reports\nsource_profile = today\n";

/// Where the AWS tools keep a sign-in: by the hash of the session's name, before by that of the address.
const KEPT: [(&str, &str); 2] = [
    ("today", ".aws/sso/cache/e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json"),
    ("before", ".aws/sso/cache/fbc0c1e004ec69c3d4babf89d7a234d40cd62e04.json"),
];

fn sign_in(world: &World, kept: &str, token: &str, expires: &str, further: &str) {
    let text = format!("{{\"accessToken\": \"{token}\", \"expiresAt\": \"{expires}\"{further}}}");
    world.home.write(kept, text);
}

/// The portal of SSO, for somebody who signed in with [`SIGN_IN`].
fn portal() -> Played {
    Played::start(|request| {
        if header(request, "x-amz-sso_bearer_token") != SIGN_IN {
            return answer(
                401,
                "{\"__type\": \"UnauthorizedException\", \"message\": \"Session token not found or invalid\"}",
            );
        }
        let given = format!(
            "\"accessKeyId\": \"{KEY}\", \"secretAccessKey\": \"{SECRET}\", \"sessionToken\": \"{TOKEN}\", \"expiration\": 4070908800000"
        );
        answer(200, format!("{{\"roleCredentials\": {{{given}}}}}"))
    })
}

#[test]
fn a_sign_in_by_sso_gives_the_role_of_the_profile() {
    let world = World::new(SSO);
    let portal = portal();
    for (profile, kept) in KEPT {
        sign_in(&world, kept, SIGN_IN, "2099-01-01T00:00:00Z", "");
        let call = world.doctor().env("AWS_PROFILE", profile).env("AWS_ENDPOINT_URL_SSO", portal.endpoint());
        world.lists(call, &format!("profile `{profile}`"));
        let asked = portal.asked().pop().expect("a request").uri().to_string();
        assert_eq!(asked, "/federation/credentials?role_name=Analyst&account_id=123456789012", "{profile}");
    }
}

#[test]
fn whoever_is_not_signed_in_by_sso_any_more_is_told_to_sign_in() {
    let world = World::new(SSO);
    let portal = portal();
    let call =
        |profile: &str| world.doctor().env("AWS_PROFILE", profile).env("AWS_ENDPOINT_URL_SSO", portal.endpoint());
    let none = "gives no credentials: nobody is signed in by SSO, or no longer (";
    for (profile, kept) in KEPT {
        let is_told = || {
            let said = wrong(call(profile), &[&portal]);
            assert!(said.starts_with(&format!("profile `{profile}` {none}")), "{said}");
            assert!(said.ends_with(&format!(" | hint: sign in: `aws sso login --profile {profile}`")), "{said}");
        };
        is_told();
        sign_in(&world, kept, "of-last-week", "2020-01-01T00:00:00Z", "");
        is_told();
        sign_in(&world, kept, "taken-back", "2099-01-01T00:00:00Z", "");
        is_told();
    }
    let said = wrong(call("behind"), &[&portal]);
    assert!(said.starts_with(&format!("profile `behind` {none}")), "{said}");
    assert!(said.ends_with(" | hint: sign in: `aws sso login --profile today`"), "{said}");
}

#[test]
fn a_role_that_sso_does_not_give_is_no_reason_to_sign_in_again() {
    let world = World::new(SSO);
    sign_in(&world, KEPT[0].1, SIGN_IN, "2099-01-01T00:00:00Z", "");
    let portal = Played::start(|_| answer(403, "{\"__type\": \"ForbiddenException\", \"message\": \"No access\"}"));
    let call = world.doctor().env("AWS_PROFILE", "today").env("AWS_ENDPOINT_URL_SSO", portal.endpoint());
    let said = wrong(call, &[&portal]);
    assert!(said.contains("No access") && !said.contains("aws sso login"), "{said}");
}

#[test]
fn a_sign_in_that_can_be_renewed_is_renewed_and_kept() {
    let world = World::new(SSO);
    let (portal, kept) = (portal(), KEPT[0].1);
    let further = ", \"clientId\": \"c\", \"clientSecret\": \"s\", \"refreshToken\": \"r\", \
                   \"registrationExpiresAt\": \"2099-01-01T00:00:00Z\"";
    sign_in(&world, kept, "of-last-week", "2020-01-01T00:00:00Z", further);
    let oidc = Played::start(|_| {
        answer(200, format!("{{\"accessToken\": \"{SIGN_IN}\", \"expiresIn\": 28800, \"refreshToken\": \"r2\"}}"))
    });
    let call = world.doctor().env("AWS_PROFILE", "today").env("AWS_ENDPOINT_URL_SSO", portal.endpoint());
    world.lists(call.env("AWS_ENDPOINT_URL_SSO_OIDC", oidc.endpoint()), "profile `today`");
    assert!(oidc.asked()[0].body().contains("refresh_token"), "{:?}", oidc.asked());
    assert!(world.home.read(kept).contains(SIGN_IN), "other AWS tools find it there");
}

/// Credentials as containers and instances have them.
fn given() -> String {
    format!(
        "{{\"Code\": \"Success\", \"Type\": \"AWS-HMAC\", \"AccessKeyId\": \"{KEY}\", \"SecretAccessKey\": \"{SECRET}\", \
         \"Token\": \"{TOKEN}\", \"LastUpdated\": \"2026-01-01T00:00:00Z\", \"Expiration\": \"2099-01-01T00:00:00Z\"}}"
    )
}

#[test]
fn a_container_gives_its_role_to_whoever_shows_the_token_in_its_file() {
    let world = World::new("");
    let token = world.home.write("token", "pod");
    let pod = Played::start(|request| match header(request, "authorization") {
        "pod" => answer(200, given()),
        _ => answer(401, "{\"code\": \"Unauthorized\", \"message\": \"no token\"}"),
    });
    let call =
        || world.doctor().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/v1/credentials", pod.endpoint()));
    world.lists(call().env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token), "container role");
    let said = wrong(call(), &[&pod]);
    assert!(said.starts_with("container role gives no credentials: "), "{said}");
}

#[test]
fn an_instance_gives_its_role_past_the_proxy_that_leads_out() {
    let world = World::new("");
    let metadata = Played::start(|request| match (request.method().as_str(), request.uri().path()) {
        ("PUT", "/latest/api/token") => {
            let mut token = answer(200, "session");
            token.headers_mut().insert("x-aws-ec2-metadata-token-ttl-seconds", 21600.into());
            token
        }
        _ if header(request, "x-aws-ec2-metadata-token") != "session" => answer(401, ""),
        ("GET", "/latest/meta-data/iam/security-credentials/") => answer(200, "reports"),
        ("GET", "/latest/meta-data/iam/security-credentials/reports") => answer(200, given()),
        _ => answer(404, ""),
    });
    let server = world.server.endpoint().replace("127.0.0.1", "localhost");
    let call = world.doctor().env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_ENDPOINT_URL_S3", server);
    let call = call.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.endpoint());
    // A port that nobody listens on.
    let call = call.env("HTTP_PROXY", "http://127.0.0.1:1").env("NO_PROXY", "localhost");
    world.lists(call, "instance role");
}

#[test]
fn services_behind_a_certificate_of_the_house_are_trusted_with_its_bundle() {
    let world = World::new(ANALYST);
    let sts = Played::start_tls(|_| session("AssumeRole"));
    let bundle = world.home.write("house.pem", AUTHORITY);
    let call = || world.doctor().env("AWS_PROFILE", "analyst").env("AWS_ENDPOINT_URL_STS", sts.endpoint());
    world.lists(call().env("AWS_CA_BUNDLE", &bundle), "profile `analyst`");
    let asked = sts.asked().len();
    let said = wrong(call(), &[&sts]);
    assert!(said.contains("certificate"), "{said}");
    assert_eq!(sts.asked().len(), asked);
}

#[test]
fn services_are_asked_through_the_proxy_of_the_environment() {
    let world = World::new(ANALYST);
    let proxy = Played::start(|_| session("AssumeRole"));
    let call = world.doctor().env("AWS_PROFILE", "analyst").env("AWS_ENDPOINT_URL_STS", "http://sts.test");
    world.lists(call.env("HTTP_PROXY", proxy.endpoint()), "profile `analyst`");
    assert_eq!(header(&proxy.asked()[0], "host"), "sts.test");
}

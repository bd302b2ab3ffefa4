//! No secret is anywhere: not in what is said, and not in what is written, whatever goes well or wrong.

use std::path::{Path, PathBuf};

use super::super::harness::{Call, Folder};
use super::super::terminal::{CTRL_D, Setup};
use super::http::Kind;
use super::proxy::{Fault, Proxy, TOKEN};
use super::server::{SECRET, Server};

/// What must not be found. Of the key's name people may see its ends.
const SECRETS: [&str; 3] = [SECRET, TOKEN, "TESTTEST"];

/// The first secret in a text.
fn found(text: &[u8]) -> Option<&'static str> {
    SECRETS.into_iter().find(|secret| text.windows(secret.len()).any(|part| part == secret.as_bytes()))
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A folder that is everything to a program: its home, its temporary files, its lake.
struct World(Folder);

impl World {
    fn new(store: &str) -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.at("tmp")).expect("a folder");
        folder.lake(&format!("[store.main]\nurl = \"s3://lake/\"\nretry_seconds = 1\nwrite = true\n{store}[table.t]\npath = \"main:t/\"\n"));
        Self(folder)
    }

    /// A call that leaves its traces here.
    fn call(&self, arguments: &[&str]) -> Call {
        let call = self.0.cxlake(arguments).env("HOME", self.0.path()).env("TMPDIR", self.0.at("tmp"));
        let call = ["XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]
            .iter()
            .fold(call, |call, name| call.env_remove(name));
        call.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").env("AWS_LOG_LEVEL", "trace")
    }

    /// Asserts that no secret is in any file that was written here.
    fn keeps_none(&self) {
        for file in files(self.0.path()) {
            assert_eq!(found(&std::fs::read(&file).expect("a file")), None, "{}", file.display());
        }
    }
}

/// Asserts that no secret is in what a call says, with this exit code.
fn is_silent(call: Call, code: i32, about: &str) {
    let said = call.run();
    assert_eq!(said.code, Some(code), "{about}: {said}");
    assert_eq!(found(&said.stdout).or(found(said.stderr.as_bytes())), None, "{about}: {said}");
}

fn served(world: &World) -> Server {
    let server = Server::start(&["lake"]);
    server.put(&world.0.parquet("x.parquet", "select value as x from range(1000)"), "lake/t/x.parquet");
    server.put(&world.0.write("broken.parquet", "not that"), "lake/broken.parquet");
    server.put(&world.0.write("x.csv", "id,n\n007,1\n"), "lake/x.csv");
    server
}

#[test]
fn no_secret_is_said_or_written_when_all_goes_well() {
    let world = World::new("");
    let server = served(&world);
    let proxy = Proxy::start(&server, |_, _| Fault::None);
    for statement in [
        "select sum(x) from t",
        "explain verbose select * from t where x > 5",
        "explain analyze select * from t where x > 5",
        "select * from 's3://lake/x.csv'",
        "copy (select x from t) to 'main:out/x.parquet'",
        "copy (select x from t) to 'copied.parquet'",
        "select * from information_schema.df_settings",
        "select * from information_schema.tables",
        "show all",
        "\\d t",
    ] {
        is_silent(world.call(&["-c", statement]).through(&proxy), 0, statement);
    }
    for arguments in
        [vec!["doctor", "main"], vec!["tables", "show", "t"], vec!["-c", "select * from t", "-o", "main:out.csv"]]
    {
        is_silent(world.call(&arguments).through(&proxy), 0, &arguments.join(" "));
    }
    world.keeps_none();
    assert!(proxy.tokens() > 0, "the credentials are those with the secrets");
    let put = files(&server.folder().at("lake"));
    assert!(
        put.len() >= 5 && put.iter().all(|file| found(&std::fs::read(file).expect("an object")).is_none()),
        "{put:?}"
    );
}

#[test]
fn no_secret_is_said_or_written_when_something_goes_wrong() {
    let world = World::new("");
    let server = served(&world);
    let faults = [
        (Fault::Drop { is_done: false }, "a drop"),
        (Fault::CutOff(50), "a body that breaks off"),
        (Fault::Short(50), "a body that ends early"),
        (Fault::Refuse(403, "AccessDenied", None), "no right"),
        (Fault::Refuse(403, "SignatureDoesNotMatch", None), "a wrong secret"),
        (Fault::Refuse(403, "InvalidAccessKeyId", None), "an unknown key"),
        (Fault::Refuse(403, "RequestTimeTooSkewed", None), "a wrong clock"),
        (Fault::Refuse(301, "PermanentRedirect", None), "another region"),
        (Fault::Refuse(404, "NoSuchBucket", None), "no bucket"),
        (Fault::Refuse(503, "SlowDown", None), "an overload"),
        (Fault::Page(502), "a proxy"),
        (Fault::Expire, "an expired token"),
    ];
    let fails = &|fault: Fault, about: &str| {
        let listing = Proxy::start(&server, move |_, _| fault);
        is_silent(world.call(&["-c", "select * from t"]).through(&listing), 1, about);
        is_silent(world.call(&["doctor", "main"]).through(&listing), 1, about);
        let reading = Proxy::start(&server, move |asked, _| if asked.kind == Kind::Get { fault } else { Fault::None });
        is_silent(world.call(&["-c", "select * from 's3://lake/x.csv'"]).through(&reading), 1, about);
        let writing =
            Proxy::start(&server, move |asked, _| if asked.kind == Kind::Upload { fault } else { Fault::None });
        is_silent(world.call(&["-c", "copy (select 1 as x) to 'main:y.csv'"]).through(&writing), 1, about);
    };
    // Most of their time they wait.
    std::thread::scope(|scope| {
        for (fault, about) in faults {
            scope.spawn(move || fails(fault, about));
        }
    });
    let proxy = Proxy::start(&server, |_, _| Fault::None);
    for statement in ["select * from 's3://lake/broken.parquet'", "select * from 's3://none/x.csv'", "select no from t"]
    {
        is_silent(world.call(&["-c", statement]).through(&proxy), 1, statement);
    }
    let wrong = world.call(&["-c", "select * from t"]).through(&proxy);
    is_silent(
        wrong.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/none", proxy.endpoint())),
        1,
        "a broken source",
    );
    world.keeps_none();
}

#[test]
fn no_secret_is_in_what_the_prompt_shows_or_its_history_keeps() {
    let world = World::new("");
    let server = served(&world);
    let proxy = Proxy::start(&server, |_, _| Fault::None);
    let setup = Setup::new().within(world.0.path()).environment(proxy.environment());
    let mut prompt = setup.prompt();
    let shown: String = ["select sum(x) from t;", "select no from t;", "\\d t"].map(|line| prompt.said(line)).concat();
    assert!(shown.contains("499500") && found(shown.as_bytes()).is_none(), "{shown}");
    prompt.keys(CTRL_D);
    assert_eq!(prompt.leaves(), 0);
    let kept = std::fs::read(setup.history()).expect("the history");
    assert_eq!((kept.is_empty(), found(&kept)), (false, None));
}

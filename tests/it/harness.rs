//! Runs the binary as its users do and holds what it says against what it should say.
//!
//! Tests see a call ([`cxlake`]), what came back ([`Said`]) and a folder that is gone when the test ends ([`Folder`]).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The repository, which is the sample lake.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A call that takes this long hangs.
const HANGS: Duration = Duration::from_mins(2);

/// A call of the program; by default in the repository, in the sample lake.
pub struct Call {
    command: Command,
    stdin: Option<Vec<u8>>,
}

/// A call with these arguments. It keeps nothing for other calls, unless [`Call::keeping`] says where.
pub fn cxlake<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Call {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cxlake"));
    command.args(arguments).current_dir(repository());
    command.env_remove("CXLAKE_LAKE").env("NO_COLOR", "1");
    // The servers of the tests are here, whatever proxy leads out of the machine.
    command.env("NO_PROXY", "127.0.0.1,localhost").env_remove("no_proxy");
    // Below a file no folder can be made: each call computes what it says.
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_BIN_EXE_cxlake")).join("none"));
    Call { command, stdin: None }
}

impl Call {
    /// In this folder.
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// With this variable in its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without this variable in its environment.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// With its caches below this folder.
    pub fn keeping(self, caches: &Path) -> Self {
        self.env("XDG_CACHE_HOME", caches)
    }

    /// With this text on standard input.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// What it says.
    pub fn run(mut self) -> Said {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        let mut pipe = child.stdin.take().expect("a pipe to standard input");
        let text = self.stdin.take().unwrap_or_default();
        let writer = std::thread::spawn(move || {
            // The program may end before it has read everything.
            let _ = pipe.write_all(&text);
        });
        let (ended, wait) = std::sync::mpsc::channel::<()>();
        let process = child.id().to_string();
        let watchdog = std::thread::spawn(move || {
            if wait.recv_timeout(HANGS).is_err() {
                let _ = Command::new("kill").args(["-KILL", &process]).status();
            }
        });
        let output = child.wait_with_output().expect("the binary ends");
        // A call that was too slow has been killed, and its exit code says so.
        let _ = ended.send(());
        watchdog.join().expect("the watchdog ends");
        writer.join().expect("standard input is written");
        Said {
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
            code: output.status.code(),
        }
    }

    /// The call as a command of the standard library, for tests that need more.
    pub fn command(self) -> Command {
        self.command
    }

    /// What it prints, when it must succeed; messages on standard error are fine.
    pub fn prints(self) -> String {
        let said = self.run();
        assert_eq!(said.code, Some(0), "it fails:\n{said}");
        said.text()
    }

    /// The whole text of its error, when it must fail with this exit code and print nothing.
    pub fn fails(self, code: i32) -> String {
        let said = self.run();
        assert_eq!(said.code, Some(code), "another exit code:\n{said}");
        assert_eq!(said.text(), "", "something is printed");
        said.stderr
    }

    /// The text of its error without the statement's line and carets, when it must fail with this exit code and print nothing.
    pub fn told(self, code: i32) -> String {
        let said = self.fails(code);
        said.split_inclusive('\n').filter(|line| !line.starts_with("  | ")).collect()
    }
}

/// What a call gave back.
pub struct Said {
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Said {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("the output is UTF-8")
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code: {:?}\nstdout:\n{}\nstderr:\n{}", self.code, String::from_utf8_lossy(&self.stdout), self.stderr)
    }
}

/// A folder that is gone when the test ends.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::with_prefix("cxlake-test-").expect("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The place of a file in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&path, text).expect("the file is written");
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).expect("the file is there and UTF-8")
    }

    /// Writes the result of a query as a Parquet file.
    pub fn parquet(&self, name: &str, sql: &str) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        cxlake([OsStr::new("-o"), path.as_os_str(), OsStr::new("-c"), OsStr::new(sql)]).within(self.path()).prints();
        path
    }

    /// Makes it a lake with these tables, written as in a manifest.
    pub fn lake(&self, tables: &str) -> &Self {
        self.write("cxlake.toml", format!("[lake]\nname = \"test\"\n{tables}"));
        self
    }

    /// The sample lake with one of its tables replaced by the result of this statement on it.
    pub fn sample_with(table: &str, sql: &str) -> Self {
        let folder = Self::new();
        let file = folder.at(&format!("{table}.parquet"));
        cxlake([OsStr::new("-o"), file.as_os_str(), OsStr::new("-c"), OsStr::new(sql)]).prints();
        let sample = repository().display();
        let manifest = std::fs::read_to_string(repository().join("cxlake.toml"))
            .expect("the manifest of the sample")
            .replace("queries = \"queries\"", &format!("queries = \"{sample}/queries\""))
            .replace(&format!("path = \"sample-data/{table}/\""), &format!("path = \"{table}.parquet\""))
            .replace("path = \"sample-data/", &format!("path = \"{sample}/sample-data/"));
        let heading = format!("[table.{table}]\n");
        let (above, declared) = manifest.split_once(&heading).expect("the table's declaration");
        let (table_keys, columns) = declared.split_once("\n\n").expect("its columns");
        let kept: Vec<&str> = table_keys.lines().filter(|line| !line.starts_with("partition = ")).collect();
        // In one file the month is a column like any other.
        let month = table_keys.lines().find_map(|line| line.strip_prefix("partition = { ")?.strip_suffix(" }"));
        let month = month.map_or_else(String::new, |column| format!("{column}\n"));
        let columns = columns.replacen(".columns]\n", &format!(".columns]\n{month}"), 1);
        folder.write("cxlake.toml", format!("{above}{heading}{}\n\n{columns}", kept.join("\n")));
        folder
    }

    /// The result of a saved query of the lake in this folder: rows of values by column.
    pub fn rows(&self, query: &str, parameters: &[&str]) -> Vec<Row> {
        rows_of(self.path(), query, parameters)
    }

    /// A call in this folder.
    pub fn cxlake<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Call {
        cxlake(arguments).within(self.path())
    }

    /// Names of the files and folders in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A row of a result: values by column.
pub type Row = BTreeMap<String, serde_json::Value>;

/// The result of a saved query of the sample lake: rows of values by column.
pub fn rows(query: &str, parameters: &[&str]) -> Vec<Row> {
    rows_of(repository(), query, parameters)
}

fn rows_of(lake: &Path, query: &str, parameters: &[&str]) -> Vec<Row> {
    let parameters = parameters.iter().flat_map(|parameter| ["-p", parameter]);
    let arguments = ["run", query, "--quiet", "--format", "json"].into_iter().chain(parameters);
    serde_json::from_str(&cxlake(arguments).within(lake).prints()).expect("JSON rows")
}

/// The result of a statement on the sample lake: rows of values by column.
pub fn sql_rows(sql: &str) -> Vec<Row> {
    serde_json::from_str(&cxlake(["-c", sql, "--format", "json"]).prints()).expect("JSON rows")
}

/// A value that must be text.
pub fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("`{column}` is no text in {row:?}"))
}

/// A value that must be a number.
pub fn number(row: &Row, column: &str) -> f64 {
    row[column].as_f64().unwrap_or_else(|| panic!("`{column}` is no number in {row:?}"))
}

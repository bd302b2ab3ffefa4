//! `\save`: the last statement becomes a saved query of the lake.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use datafusion::scalar::ScalarValue;

use super::delivery::Delivery;
use super::{Asked, Shell};
use crate::error::{Error, Result};
use crate::lake::Root;
use crate::query::check::{self, mentions};
use crate::query::run::{Given, untyped};

/// Whether a query of the same name may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Keep,
    Replace,
}

impl Shell {
    /// Writes the last statement into the lake's folder of queries, with a header, and checks it.
    ///
    /// # Errors
    /// `Usage` when there is no statement, no lake, or a query of this name; those of writing, and of the check: a query
    /// that does not pass it is not saved.
    pub(super) async fn save(&mut self, name: &str, title: Option<&str>, existing: Existing) -> Result<()> {
        let Some(Asked::Statement { text, .. }) = self.asked.clone() else {
            return Err(Error::usage("there is no statement to save").hint("run one first"));
        };
        let is_name =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name(name) || name.is_empty() || name.starts_with('-') {
            return Err(Error::usage(format!("`{name}` is no name for a saved query"))
                .hint("use small letters, digits and hyphens, such as `nps-by-segment`"));
        }
        self.check_allowed("nothing is saved")?;
        if existing == Existing::Keep && self.library.names().await?.iter().any(|known| known == name) {
            return Err(
                Error::usage(format!("there is a saved query `{name}`")).hint(format!("`\\save! {name}` replaces it"))
            );
        }
        let query = saved(name, title, &text, &self.given);
        let library = self.library.with_text(name, &query);
        if let Some(error) = check::query(&self.engine, &library, name, (self.now)()).await.into_iter().next() {
            return Err(error);
        }
        let path = match self.engine.lake().queries.join(&format!("{name}.sql")) {
            Root::Folder(path) => path,
            Root::Address(address) => PathBuf::from(address),
        };
        if let Root::Folder(folder) = &self.engine.lake().queries {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::storage(format!("cannot make `{}`: {error}", folder.display())).caused_by(error)
            })?;
        }
        let folder = self.engine.folder().to_owned();
        let mut target = Delivery::open(Some(&path), &folder, self.engine.stores(), None).await?;
        target
            .write_all(query.as_bytes())
            .map_err(|error| Error::storage(format!("cannot write `{}`: {error}", path.display())).caused_by(error))?;
        target.commit().await?;
        self.note(&format!("saved as {}; `\\run {name}` runs it", path.display()));
        Ok(())
    }
}

/// The text of a saved query: its header, with a parameter for each `$name` that has a value, and the statement.
fn saved(name: &str, title: Option<&str>, sql: &str, given: &Given) -> String {
    let mut header = format!("name = {}\ntitle = {}\n", quoted(name), quoted(title.unwrap_or(name)));
    header += "description = \"Say here what it counts and what it leaves out.\"\n";
    let used = given.iter().filter(|(parameter, _)| mentions(sql, parameter));
    for (parameter, value) in used.filter_map(|(parameter, texts)| Some((parameter, texts.last()?))) {
        let (kind, default) = match untyped(value) {
            ScalarValue::Int64(_) => ("int", value.clone()),
            ScalarValue::Float64(_) => ("float", value.clone()),
            _ => ("text", quoted(value)),
        };
        let _ = write!(header, "\n[params.{parameter}]\ntype = \"{kind}\"\ndefault = {default}\n");
    }
    let header: String = header.lines().map(|line| format!("-- {line}").trim_end().to_owned() + "\n").collect();
    format!("-- +++\n{header}-- +++\n{}\n", sql.trim())
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

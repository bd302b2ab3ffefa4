//! What a result is known again by: everything that was written and could change it.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::Path;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use datafusion::scalar::ScalarValue;

use super::super::parameter::{Bound, Moment};
use super::super::run::Prepared;
use crate::hash::Hash;
use crate::lake::{Lake, Root};

/// The key of a saved query's result: this build of the program, the lake and its manifest, the texts of the query and of all
/// that it builds on, and the values of its parameters. What a parameter may be where the lake says so is no part of it.
///
/// `None` when one of these cannot be told, or a value is wrong.
pub fn of(lake: &Lake, prepared: &Prepared, now: DateTime<Utc>) -> Option<String> {
    let root = match &lake.root {
        // The folder of the call itself is an empty path.
        Root::Folder(folder) => std::path::absolute(Path::new(".").join(folder)).ok()?.to_str()?.to_owned(),
        Root::Address(address) => address.clone(),
    };
    let mut parts = Parts::default();
    parts.add("build", build()?);
    parts.add("lake", &root);
    parts.add("manifest", &lake.text);
    for query in &prepared.queries {
        parts.add(&query.name, &query.text);
    }
    let moment = Moment { calendar: &lake.calendar, now };
    for asked in &prepared.parameters {
        let name = &asked.parameter.name;
        if asked.parameter.values_sql.is_some() {
            asked.texts.iter().for_each(|text| parts.add(name, text));
        } else {
            let bound = asked.parameter.bind(&asked.texts, asked.parameter.listed().as_deref(), moment).ok()?;
            parts.add(name, &exact(&bound.value));
        }
    }
    Some(parts.hash())
}

/// A hash of the values of parameters.
pub fn values(bound: &[Bound]) -> String {
    let mut parts = Parts::default();
    for bound in bound {
        parts.add(&bound.name, &exact(&bound.value));
    }
    parts.hash()
}

/// Texts in a row, each told from the next by its length.
#[derive(Default)]
struct Parts(String);

impl Parts {
    fn add(&mut self, name: &str, text: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{} {name} {} {text}", name.len(), text.len());
    }

    fn hash(&self) -> String {
        Hash::of(self.0.as_bytes())
    }
}

/// A value with its type, in full: the engine shortens long lists.
fn exact(value: &ScalarValue) -> String {
    let ScalarValue::List(list) = value else { return format!("{value:?}") };
    let values = list.values();
    let each = (0..values.len()).map(|place| match ScalarValue::try_from_array(values, place) {
        Ok(value) => format!("{value:?}\n"),
        Err(error) => error.to_string(),
    });
    format!("list of {}\n{}", values.data_type(), each.collect::<String>())
}

/// What tells this build of the program from every other; `None` when the system does not say.
fn build() -> Option<&'static str> {
    static BUILD: OnceLock<Option<String>> = OnceLock::new();
    let of_program = || {
        // On Linux this is the program that runs, even when its file has been replaced since.
        let link = Path::new("/proc/self/exe");
        let file = std::fs::metadata(link).or_else(|_| std::fs::metadata(std::env::current_exe()?)).ok()?;
        let program = version(&file);
        // Where something else loads the program, as an emulator does, this is the loader; it was called by the program's name.
        let called = std::env::args_os().next().and_then(|name| std::fs::metadata(name).ok());
        let called = called.map(|file| version(&file)).filter(|called| *called != program).unwrap_or_default();
        Some(format!("{} {program} {called}", env!("CARGO_PKG_VERSION")))
    };
    BUILD.get_or_init(of_program).as_deref()
}

#[cfg(unix)]
fn version(file: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;

    let (written, changed) = (file.mtime_nsec(), file.ctime_nsec());
    format!("{} {} {}.{written} {}.{changed}", file.ino(), file.size(), file.mtime(), file.ctime())
}

#[cfg(not(unix))]
fn version(file: &Metadata) -> String {
    format!("{} {:?}", file.len(), file.modified().ok())
}

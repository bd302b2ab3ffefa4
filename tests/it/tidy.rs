//! The house rules that a compiler does not know: who may import whom, what every file says first, what nothing is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::harness::repository;

/// Which module may import which; a module may always import itself. Floors are separated by blank lines.
const IMPORTS: [(&str, &[&str]); 16] = [
    ("error", &[]),
    ("hash", &[]),
    ("suggest", &[]),
    //
    ("lake", &["error", "suggest"]),
    ("output", &["error", "suggest"]),
    ("sample", &["error"]),
    ("statistics", &["error"]),
    //
    ("storage", &["error", "hash", "suggest", "lake"]),
    //
    ("engine", &["error", "suggest", "lake", "statistics", "storage"]),
    //
    ("query", &["error", "hash", "suggest", "lake", "output", "storage", "engine"]),
    //
    ("optimize", &["error", "suggest", "lake", "output", "storage", "engine"]),
    ("quality", &["error", "suggest", "lake", "storage", "engine", "query"]),
    //
    ("report", &["error", "hash", "suggest", "lake", "output", "storage", "engine", "query", "quality"]),
    //
    ("shell", &["error", "suggest", "lake", "output", "storage", "engine", "query", "quality"]),
    //
    ("schedule", &["error", "suggest", "lake", "output", "storage", "engine", "query", "quality", "report", "shell"]),
    //
    (
        "cli",
        &[
            "error", "suggest", "lake", "output", "sample", "storage", "engine", "query", "optimize", "quality",
            "report", "shell", "schedule",
        ],
    ),
];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 5] = ["utils", "util", "common", "helpers", "misc"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn all_sources() -> Vec<(PathBuf, String)> {
    ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(&repository().join(folder)))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a readable source");
            (path.strip_prefix(repository()).expect("a path in the repository").to_owned(), text)
        })
        .collect()
}

/// The module of the crate that a file of `src` belongs to.
fn module(path: &Path) -> String {
    let first = path.components().nth(1).expect("a file below src");
    Path::new(first.as_os_str()).file_stem().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn imports_only_go_down() {
    let allowed: BTreeMap<&str, &[&str]> = IMPORTS.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in all_sources().iter().filter(|(path, _)| path.starts_with("src")) {
        let module = module(path);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let allowed = allowed.get(module.as_str()).unwrap_or_else(|| panic!("`{module}` is not in the import table"));
        for (number, line) in text.lines().enumerate() {
            for rest in line.split("crate::").skip(1) {
                let imported: String =
                    rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                if imported != module && !allowed.contains(&imported.as_str()) {
                    wrong.push(format!("{}:{}: `{module}` imports `{imported}`", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_table_names_the_modules_that_there_are_and_has_no_circle() {
    let lib = std::fs::read_to_string(repository().join("src/lib.rs")).expect("src/lib.rs");
    let modules: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let named: Vec<&str> = IMPORTS.iter().map(|(module, _)| *module).collect();
    assert_eq!(modules, named, "src/lib.rs and the import table list the same modules in the same order");
    for (place, (module, imports)) in IMPORTS.iter().enumerate() {
        for import in *imports {
            let below = named[..place].contains(import);
            assert!(below, "`{module}` may import `{import}`, which is not below it");
        }
    }
}

#[test]
fn every_file_opens_by_saying_what_it_owns() {
    let silent: Vec<String> = all_sources()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "without a module doc: {}", silent.join(", "));
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    for (path, _) in all_sources() {
        let named: Vec<String> =
            path.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
        let empty = named.iter().find(|name| EMPTY_NAMES.contains(&name.as_str()));
        assert_eq!(empty, None, "{}", path.display());
    }
}

#[test]
fn only_the_arguments_file_names_the_argument_parser() {
    for (path, text) in all_sources().iter().filter(|(path, _)| path.starts_with("src")) {
        // What is made of the whole definition, pages and scripts, takes it as it is.
        let is_arguments = ["cli/args.rs", "cli/commands/pages.rs"].iter().any(|file| path.ends_with(file));
        let names_it = text.lines().any(|line| line.contains("clap::") && !line.trim_start().starts_with("//"));
        assert!(is_arguments || !names_it || path.ends_with("cli/mod.rs"), "{}", path.display());
    }
}

#[test]
fn only_the_storage_folder_makes_an_object_store() {
    for (path, text) in all_sources().iter().filter(|(path, _)| path.starts_with("src")) {
        let makes = ["LocalFileSystem::", "AmazonS3Builder"].iter().any(|name| text.contains(name));
        assert!(!makes || path.starts_with("src/storage"), "{}", path.display());
    }
}

//! Files and folders of this machine by the beginning of their path.

use std::path::Path;

/// Entries of a folder that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// The paths that begin so, folders with a slash at their end; none for addresses, which only a network could tell.
pub fn beginning(typed: &str, folder: &Path) -> Vec<String> {
    if typed.contains(':') {
        return Vec::new();
    }
    let (parent, start) = typed.rfind('/').map_or(("", typed), |at| typed.split_at(at + 1));
    let Ok(entries) = std::fs::read_dir(folder.join(parent)) else { return Vec::new() };
    let mut paths: Vec<String> = entries
        .take(ENTRIES_MAX)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            if !name.starts_with(start) || (name.starts_with('.') && !start.starts_with('.')) {
                return None;
            }
            let slash = if entry.path().is_dir() { "/" } else { "" };
            Some(format!("{parent}{name}{slash}"))
        })
        .collect();
    paths.sort();
    paths
}

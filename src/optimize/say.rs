//! What is said before and after, for people.

use std::fmt::Write;

use chrono::TimeDelta;

use super::{Done, Extent, LookUps, Plan};
use crate::engine::human_bytes;
use crate::lake::layout::Layout;
use crate::lake::span;
use crate::output::present::grouped;

impl Plan {
    /// How the table lies, and what rewriting it is expected to gain; lines, each ended.
    pub fn before(&self) -> String {
        let mut text = laid_out(&self.table.name, self.folders.len(), &self.all, &self.table.layout);
        for look_ups in &self.look_ups {
            text += &look_up(look_ups, self.all.row_groups);
        }
        if self.waiting.files > 0 {
            let (files, bytes) = (files(self.waiting.files), human_bytes(self.waiting.bytes));
            let _ = writeln!(text, "  {files} ({bytes}) that earlier calls replaced are still there");
        }
        if !self.rewrites() {
            text += "nothing to rewrite: all files are as the table declares them\n";
            return text;
        }
        let wanted = self.folders.iter().filter(|folder| folder.wants_rewriting).count();
        let _ = writeln!(
            text,
            "to be rewritten: {} of {}; {} become {}, {} become about {}",
            number(wanted),
            folders(self.folders.len()),
            files(self.wanted.files),
            number(usize::try_from(self.files_after).unwrap_or(usize::MAX)),
            human_bytes(self.wanted.bytes),
            human_bytes(self.bytes_after),
        );
        text
    }
}

impl Done {
    /// What was done and gained; lines, each ended. `keep` is how long replaced files stay, `table` is its name.
    pub fn after(&self, table: &str, keep: TimeDelta, before: &Plan) -> String {
        let mut text = String::new();
        if self.before.files > 0 {
            let _ = writeln!(
                text,
                "rewritten in {:.1} s: {} became {}, {} became {}, {} became {}",
                self.took.as_secs_f64(),
                files(self.before.files),
                number(self.after.files),
                human_bytes(self.before.bytes),
                human_bytes(self.after.bytes),
                counted(self.before.row_groups, "row group"),
                number(self.after.row_groups),
            );
            for (then, now) in before.look_ups.iter().zip(&self.look_ups).filter(|(then, _)| !then.values.is_empty()) {
                let _ = writeln!(
                    text,
                    "  a look-up by {} reads {} of {}; before {} of {}",
                    now.column,
                    mean(now),
                    counted(self.extent.row_groups, "row group"),
                    mean(then),
                    number(before.all.row_groups),
                );
            }
        }
        if self.deleted.files > 0 {
            let (files, bytes) = (files(self.deleted.files), human_bytes(self.deleted.bytes));
            let _ = writeln!(text, "deleted {files} ({bytes}) that had been replaced");
        }
        if self.waiting.files > 0 {
            let (files, bytes) = (files(self.waiting.files), human_bytes(self.waiting.bytes));
            let keep = span::shown(keep.to_std().unwrap_or_default());
            let _ = writeln!(
                text,
                "{files} ({bytes}) that were replaced stay for readers at work; `cxlake optimize {table}` deletes them after {keep}"
            );
        }
        if text.is_empty() {
            text += "cleared up behind a call that was stopped\n";
        }
        text
    }
}

fn laid_out(table: &str, in_folders: usize, extent: &Extent, layout: &Layout) -> String {
    let mut text = format!(
        "{table}: {} in {}, {}, {} in {}\n",
        files(extent.files),
        folders(in_folders),
        human_bytes(extent.bytes),
        counted(usize::try_from(extent.rows).unwrap_or(usize::MAX), "row"),
        counted(extent.row_groups, "row group"),
    );
    if layout.sort.is_empty() {
        text += "  no `sort` is declared: rows stay in the order of the files\n";
    } else {
        let keys: Vec<String> = layout.sort.iter().map(ToString::to_string).collect();
        let share = share(extent.rows_sorted, extent.rows);
        let _ = writeln!(text, "  sorted by {}: {share} of the rows", keys.join(", "));
    }
    let _ = writeln!(text, "  zstd: {} of the bytes", share(extent.bytes_zstd, extent.bytes_columns));
    if !layout.identifiers.is_empty() {
        let share = share(extent.row_groups_filtered as u64, extent.row_groups as u64);
        let _ = writeln!(text, "  bloom filters on {}: {share} of the row groups", layout.identifiers.join(", "));
    }
    text
}

fn look_up(look_ups: &LookUps, row_groups: usize) -> String {
    match look_ups.values.len() {
        0 => String::new(),
        tried => format!(
            "  a look-up by {} reads {} of {} ({} tried)\n",
            look_ups.column,
            mean(look_ups),
            counted(row_groups, "row group"),
            counted(tried, "value"),
        ),
    }
}

/// Row groups that one look-up reads, in the mean.
fn mean(look_ups: &LookUps) -> String {
    format!("{:.1}", look_ups.kept as f64 / look_ups.values.len() as f64)
}

/// A share of a whole; only all of it is `100 %`.
fn share(part: u64, whole: u64) -> String {
    if part == whole {
        return "100 %".to_owned();
    }
    format!("{:.0} %", (part as f64 / whole as f64 * 100.0).min(99.0))
}

fn number(count: usize) -> String {
    grouped(&count.to_string())
}

fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" })
}

fn files(count: usize) -> String {
    counted(count, "file")
}

fn folders(count: usize) -> String {
    counted(count, "folder")
}

//! What was typed. The only file that names the argument parser.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// The lake for customer-experience data.
///
/// Without a command: the prompt on a terminal, or the statements on standard input.
#[derive(Debug, Parser)]
#[command(name = "cxlake", version, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,

    /// Run these statements; may be given several times
    #[arg(short = 'c', long = "command", value_name = "SQL", conflicts_with = "file", allow_hyphen_values = true)]
    pub command: Vec<String>,

    /// Run the statements in this file (`-` is standard input); may be given several times
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: Vec<PathBuf>,

    /// Start the prompt without reading the init file
    #[arg(long)]
    pub no_init: bool,

    #[command(subcommand)]
    pub subcommand: Option<Command>,
}

impl Args {
    /// Whether the forms that are asked for are those of a report.
    pub fn makes_a_report(&self) -> bool {
        matches!(self.subcommand, Some(Command::Report { name: Some(_), .. }))
    }
}

/// Options that hold everywhere.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Folder or s3:// address of the lake; else CXLAKE_LAKE, else the nearest cxlake.toml upward
    #[arg(long, global = true, value_name = "DIR")]
    pub lake: Option<PathBuf>,

    /// Form of results: table, box, vertical, csv, tsv, json, ndjson, markdown, html, insert, parquet, arrow; of a
    /// report one or more of html,xlsx,csv,md,json,parquet
    #[arg(long, global = true, value_name = "FORMAT")]
    pub format: Option<String>,

    /// Write the result to this file, which appears when it is complete; a report to this folder or address
    #[arg(short = 'o', long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// In CSV and TSV, put a ' before texts that a spreadsheet would take for a formula
    #[arg(long, global = true)]
    pub csv_safe: bool,

    /// A value for a parameter; a list takes commas or the option again
    #[arg(short = 'p', long = "param", global = true, value_name = "NAME=VALUE")]
    pub param: Vec<String>,

    /// Only read the tables of the lake: no DDL, no COPY, no files by path
    #[arg(long, global = true)]
    pub read_only: bool,

    /// Memory that statements may take before they spill, such as 4GiB or 50%; default 75%
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory_limit: Option<String>,

    /// Threads to compute with; default one per core
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// Stop statements that run longer, such as 30s or 5min
    #[arg(long, global = true, value_name = "SPAN")]
    pub timeout: Option<String>,

    /// Compute saved queries anew: neither take results that were kept nor keep any
    #[arg(long, global = true)]
    pub no_cache: bool,

    /// Say what each statement asked of buckets, took from the caches, read and left out
    #[arg(long, global = true)]
    pub stats: bool,

    /// Say nothing but results and errors
    #[arg(short = 'q', long, global = true)]
    pub quiet: bool,

    /// Colour in messages
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<Color>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    pub fn is_on(self, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// Shells whose completion is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Completed {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a saved query
    Run {
        /// Name of the saved query
        name: String,
    },
    /// List, show or check saved queries
    Queries {
        #[command(subcommand)]
        action: Option<QueriesAction>,
    },
    /// List or show tables
    Tables {
        #[command(subcommand)]
        action: Option<TablesAction>,
    },
    /// Hold tables to what the manifest says of them: freshness, checks, completeness
    Check {
        /// Tables to look at; default all that have checks
        tables: Vec<String>,
    },
    /// Rewrite a table's files: sorted as declared, few and large, zstd, bloom filters on identifiers; readers see the old
    /// or the new ones
    Optimize {
        /// A table of the lake
        table: String,
        /// Only say how the files lie and what rewriting them would gain
        #[arg(long)]
        dry_run: bool,
        /// How long replaced files stay for readers at work, such as 1h or 0s; default 1h
        #[arg(long, value_name = "SPAN")]
        keep: Option<String>,
    },
    /// Make a report from saved queries, or list the reports
    #[command(args_conflicts_with_subcommands = true)]
    Report {
        /// A report of the manifest, or a saved query; without one the reports are listed
        name: Option<String>,
        #[command(subcommand)]
        action: Option<ReportAction>,
    },
    /// Run reports at their times, by hand or as the scheduler; say what is due, and what became of it
    Schedule {
        #[command(subcommand)]
        action: Option<ScheduleAction>,
    },
    /// List or show metrics: what words such as promoter mean in this lake
    Metrics {
        #[command(subcommand)]
        action: Option<MetricsAction>,
    },
    /// List or show functions
    Functions {
        #[command(subcommand)]
        action: Option<FunctionsAction>,
    },
    /// Print what makes a shell complete the words of this command line
    Completions { shell: Completed },
    /// Print the manual page of the program or of a subcommand, for `man -l -`
    Man {
        /// A subcommand
        command: Option<String>,
    },
    /// Say whether buckets can be reached, and what to mend where they cannot
    Doctor {
        /// A store of the manifest, or an address such as s3://bucket/; default all stores
        store: Option<String>,
    },
    /// Make a new lake in a folder
    Init {
        /// Folder of the new lake
        dir: PathBuf,
        /// With the sample company's tables and queries
        #[arg(long)]
        sample: bool,
    },
    /// Make a lake with the sample company at a multiple of its size
    Generate {
        /// Folder of the new lake
        dir: PathBuf,
        /// Times the size of the sample
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        scale: u32,
        /// Seed of its randomness; the same seed gives the same company
        #[arg(long, value_name = "S")]
        seed: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub enum QueriesAction {
    /// List all
    List,
    /// Show one: what it answers, its parameters, its columns, its SQL
    Show { name: String },
    /// Plan all, or those named, with their defaults, and hold their headers against their results
    Check { names: Vec<String> },
}

#[derive(Debug, Subcommand)]
pub enum TablesAction {
    /// List all
    List,
    /// Show one: its columns and its files
    Show { name: String },
}

#[derive(Debug, Subcommand)]
pub enum ReportAction {
    /// Plan all reports, or those named, and hold their columns against their queries
    Check { names: Vec<String> },
    /// Run a report that was published again, and say whether the same files give the same numbers
    Verify {
        /// An HTML or JSON file of a report
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum ScheduleAction {
    /// List all: when each fires next, and what became of its last run
    List,
    /// Say when schedules fire next
    Next {
        /// A schedule; default all
        name: Option<String>,
        /// How many times
        #[arg(short = 'n', long, value_name = "N", default_value_t = 5)]
        count: usize,
    },
    /// Run a schedule's last fire time, once on any number of machines, and wait for its end
    Run {
        name: String,
        /// For this moment: `2026-11-02 07:00` in the schedule's zone, `2026-11-02T12:00:00Z`, or `now`
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Run all fire times between two moments that have not been run
    Backfill {
        name: String,
        /// The first moment: a time, or a day
        #[arg(long, value_name = "TIME")]
        from: String,
        /// The last moment: a time, or a day with all of it
        #[arg(long, value_name = "TIME")]
        to: String,
    },
    /// Say what became of the last runs
    History {
        /// A schedule; default all
        name: Option<String>,
        /// How many runs
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        count: usize,
    },
    /// Run schedules as their times come, until Ctrl-C or SIGTERM
    Start,
}

#[derive(Debug, Subcommand)]
pub enum MetricsAction {
    /// List all
    List,
    /// Show one: what it means, its formula and source, the queries that use it
    Show { name: String },
}

#[derive(Debug, Subcommand)]
pub enum FunctionsAction {
    /// List all
    List,
    /// Show one: its arguments, its result, what nulls do, its source, examples
    Show { name: String },
}

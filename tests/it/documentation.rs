//! The documentation says what is there: every subcommand, option, command, manifest key and header key.

use std::collections::BTreeMap;

use clap::CommandFactory;

use super::harness::{Row, cxlake, repository, text};

fn document(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The property names of every object in a JSON Schema, and those that it cannot be without.
fn keys(schema: &serde_json::Value, found: &mut Vec<String>, required: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            if let Some(serde_json::Value::Array(names)) = object.get("required") {
                required.extend(names.iter().filter_map(serde_json::Value::as_str).map(str::to_owned));
            }
            object.values().for_each(|value| keys(value, found, required));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found, required)),
        _ => {}
    }
}

#[test]
fn every_manifest_key_and_every_header_key_is_documented() {
    for (schema, name) in [
        (cxlake::lake::manifest::json_schema(), "docs/manifest.md"),
        (cxlake::query::header::json_schema(), "docs/queries.md"),
    ] {
        let text = document(name);
        let (mut found, mut required) = (Vec::new(), Vec::new());
        keys(&schema, &mut found, &mut required);
        assert!(found.len() > 10, "{found:?}");
        // The tables of a manifest are sections, and so headings.
        let sections =
            ["lake", "cache", "store", "table", "metric", "report", "alert", "smtp", "schedule", "scheduler"];
        for key in found.iter().filter(|key| !sections.contains(&key.as_str())) {
            assert!(text.contains(&format!("`{key}`")), "{name} does not say what `{key}` is");
        }
        for section in sections.iter().filter(|section| found.iter().any(|key| key == *section)) {
            assert!(text.contains(&format!("## [{section}")), "{name} has no section [{section}]");
        }
        // Several tables may have a key of one name; the section of the lake itself has a heading and no line.
        for key in required.iter().filter(|key| *key != "lake") {
            let is_it = |line: &&str| line.contains(&format!("`{key}`")) && line.contains("required");
            let (said, wanted) =
                (text.lines().filter(is_it).count(), required.iter().filter(|other| *other == key).count());
            assert!(said >= wanted, "{name} says of `{key}` {said} times that it is required, and not {wanted} times");
        }
    }
}

#[test]
fn the_published_schemas_are_those_of_the_code() {
    for (schema, name) in [
        (cxlake::lake::manifest::json_schema(), "docs/cxlake.schema.json"),
        (cxlake::query::header::json_schema(), "docs/query-header.schema.json"),
    ] {
        let wanted = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("CXLAKE_WRITE_SCHEMAS").is_some() {
            std::fs::write(repository().join(name), &wanted).expect("the schema is written");
        }
        assert_eq!(document(name), wanted, "run the tests once with CXLAKE_WRITE_SCHEMAS=1");
    }
}

#[test]
fn the_published_reference_of_the_functions_is_that_of_the_code() {
    let wanted = cxlake::engine::functions::reference();
    if std::env::var_os("CXLAKE_WRITE_SCHEMAS").is_some() {
        std::fs::write(repository().join("docs/functions.md"), &wanted).expect("the reference is written");
    }
    assert_eq!(document("docs/functions.md"), wanted, "run the tests once with CXLAKE_WRITE_SCHEMAS=1");
}

#[test]
fn every_function_is_listed_shown_and_its_examples_run() {
    let listed = cxlake(["functions", "--format", "csv"]).prints();
    for help in cxlake::engine::functions::helps() {
        assert!(listed.lines().any(|line| line.starts_with(&format!("{},", help.name))), "{}", help.name);
        let shown = cxlake(["functions", "show", help.name]).prints();
        assert!(shown.starts_with(&help.syntax()), "{shown}");
        assert!(!help.returns.is_empty() && !help.nulls.is_empty() && !help.examples.is_empty(), "{}", help.name);
        for example in help.examples {
            let said = cxlake(["-c", example, "--format", "csv"]).run();
            assert_eq!(said.code, Some(0), "{example}\n{said}");
            assert!(said.text().lines().count() > 1, "{example} gives no rows");
        }
    }
    assert!(cxlake(["-c", "\\f"]).run().text().contains("approx_distinct"));
}

/// The names of a query's parameters, with those that it has from the queries that it builds on.
fn parameters(query: &str) -> String {
    let shown = cxlake(["queries", "show", query]).prints();
    let section = shown.split("\n\n").find_map(|section| section.strip_prefix("Parameters\n")).unwrap_or_default();
    let names = section.lines().filter_map(|line| line.trim_start().split_once(" (")).map(|(name, _)| name);
    names.collect::<Vec<_>>().join(", ")
}

/// The page of the sample's saved queries: by the first of their tags, with those that only serve others at the end.
fn library_page() -> String {
    let listed = cxlake(["queries", "--format", "json"]).prints();
    let queries: Vec<Row> = serde_json::from_str(&listed).expect("JSON rows");
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for query in &queries {
        let (name, tags) = (text(query, "query"), text(query, "tags"));
        let is_base = tags.split(", ").any(|tag| tag == "base");
        // A tag in small letters becomes a heading; `~` sorts behind all of them.
        let group = if is_base { "~" } else { tags.split(", ").next().expect("a tag") };
        let line = format!("| [{name}](../queries/{name}.sql) | {} | {} |\n", text(query, "title"), parameters(name));
        *groups.entry(group.to_owned()).or_default() += &line;
    }
    let mut page = String::from(
        "# The library\n\nThe saved queries of the sample lake, each the answer to one question. `cxlake run NAME` runs one, `cxlake queries show NAME` says what it \
         counts, what\nit leaves out, and its SQL; `cxlake init DIR --sample` makes a lake with them. This page is made from their headers.\nParameters are those of the query, and behind them those of the queries that it builds on.\n",
    );
    for (group, lines) in groups {
        let heading = match group.as_str() {
            "~" => "What the others build on".to_owned(),
            "nps" => "NPS".to_owned(),
            group => group[..1].to_uppercase() + &group[1..],
        };
        page += &format!("\n## {heading}\n\n| query | answers | parameters |\n|---|---|---|\n{lines}");
    }
    page
}

#[test]
fn the_page_of_the_library_lists_every_saved_query_of_the_sample() {
    let wanted = library_page();
    // What a query has from another is listed with it.
    assert!(wanted.contains("| Do partners tell of a theme before customers do? | to, months, min_base |"), "{wanted}");
    if std::env::var_os("CXLAKE_WRITE_SCHEMAS").is_some() {
        std::fs::write(repository().join("docs/library.md"), &wanted).expect("the page is written");
    }
    assert_eq!(document("docs/library.md"), wanted, "run the tests once with CXLAKE_WRITE_SCHEMAS=1");
}

#[test]
fn every_subcommand_and_option_is_documented() {
    let text = document("docs/cli.md");
    let program = cxlake::cli::args::Args::command();
    for subcommand in program.get_subcommands() {
        assert!(text.contains(&format!("cxlake {}", subcommand.get_name())), "`{}`", subcommand.get_name());
        for action in subcommand.get_subcommands() {
            assert!(text.contains(action.get_name()), "`{} {}`", subcommand.get_name(), action.get_name());
        }
        for option in subcommand.get_arguments().filter_map(|option| option.get_long()) {
            assert!(text.contains(&format!("--{option}")), "`--{option}` of `{}`", subcommand.get_name());
        }
    }
    for option in program.get_arguments() {
        let named = match (option.get_long(), option.get_short()) {
            (Some(_), Some(short @ ('c' | 'f'))) => format!("-{short} "),
            (Some(long), _) => format!("`--{long}"),
            _ => continue,
        };
        assert!(text.contains(&named), "`{named}`");
    }
}

#[test]
fn the_page_of_the_prompt_lists_the_commands_as_the_prompt_does() {
    let help = cxlake(["-c", "\\?"]).run().stderr;
    assert!(help.lines().filter(|line| line.starts_with("  \\")).count() > 30, "{help}");
    let page = document("docs/prompt.md");
    let (before, rest) = page.split_once("prints this list:\n\n```\n").expect("the list");
    let (_, behind) = rest.split_once("```\n").expect("its end");
    let wanted = format!("{before}prints this list:\n\n```\n{help}```\n{behind}");
    if std::env::var_os("CXLAKE_WRITE_SCHEMAS").is_some() {
        std::fs::write(repository().join("docs/prompt.md"), &wanted).expect("the page is written");
    }
    assert_eq!(page, wanted, "run the tests once with CXLAKE_WRITE_SCHEMAS=1");
}

#[test]
fn every_format_is_documented() {
    let text = document("docs/cli.md");
    for format in cxlake::output::Format::names() {
        assert!(text.contains(&format!("`{format}`")), "{format}");
    }
}

#[test]
fn the_readme_begins_with_the_two_commands_and_shows_what_the_first_one_prints() {
    let readme = document("README.md");
    let (run, test) = ("cargo run --release -- run cost-per-touch", "cargo test");
    let first: Vec<&str> = readme.lines().filter(|line| line.starts_with("cargo ")).take(2).collect();
    assert!(first[0].starts_with(run) && first[1].starts_with(test), "{first:?}");
    let printed = cxlake(["run", "cost-per-touch"]).prints();
    let excerpt: Vec<&str> = readme.lines().filter(|line| line.starts_with('O') && line.contains("  ")).collect();
    assert!(excerpt.len() >= 8, "{excerpt:?}");
    for line in excerpt {
        assert!(printed.lines().any(|printed| printed == line), "the README shows a line that is not printed: {line}");
    }
}

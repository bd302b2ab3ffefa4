//! Results of saved queries that are kept: taken again while nothing changed, and never when something did.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::harness::{Folder, Said, cxlake, repository};

/// A lake with a table of three rows in a folder, two saved queries of which one builds on the other, and a cache.
fn lake() -> Folder {
    let folder = Folder::new();
    folder.parquet("t/a.parquet", "select * from (values (1, 'x'), (2, 'y'), (3, 'z')) v(n, name)");
    folder.lake("[table.t]\npath = \"t/\"\n[metric.twice]\narguments = [\"n\"]\nsql = \"2 * n\"\n");
    folder.write("queries/all.sql", query("all", "", "select n, name, twice(n) as twice from t"));
    folder.write("queries/sum.sql", query("sum", SUM, "select sum(twice) as sum from \"all\" where n >= $from"));
    folder
}

const SUM: &str = "-- uses = [\"all\"]\n-- [params.from]\n-- type = \"int\"\n-- default = 0\n";

fn query(name: &str, header: &str, sql: &str) -> String {
    let about = format!("-- name = \"{name}\"\n-- title = \"The {name}\"\n-- description = \"What is there.\"\n");
    format!("-- +++\n{about}{header}-- +++\n{sql}\n")
}

/// Waits until files that were written just now count as left alone.
fn settle() {
    sleep(Duration::from_millis(2_100));
}

fn ran<'a>(folder: &Folder, arguments: impl IntoIterator<Item = &'a str>) -> Said {
    let arguments = ["--stats", "--format", "csv"].into_iter().chain(arguments);
    let said = folder.cxlake(arguments).keeping(&folder.at("cache")).run();
    assert_eq!(said.code, Some(0), "{said}");
    said
}

/// Whether a result was taken and not computed.
fn is_kept(said: &Said) -> bool {
    said.stderr.contains(", kept since ")
}

/// The sum that the saved query gives, and whether it was kept.
fn sum(folder: &Folder) -> (String, bool) {
    let said = ran(folder, ["run", "sum"]);
    (said.text().lines().last().expect("a line").to_owned(), is_kept(&said))
}

fn computed(text: &str) -> (String, bool) {
    (text.to_owned(), false)
}

fn kept(text: &str) -> (String, bool) {
    (text.to_owned(), true)
}

/// The files of kept results.
fn entries(caches: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(caches.join("cxlake/results")).into_iter().flatten();
    let files = folders.flat_map(|folder| fs::read_dir(folder.expect("an entry").path()).expect("a folder"));
    files.map(|file| file.expect("an entry").path()).collect()
}

/// Changes the lake and says what the query gives then; a second time, once the files are left alone.
fn after(folder: &Folder, change: impl FnOnce()) -> [(String, bool); 2] {
    change();
    let first = sum(folder);
    settle();
    sum(folder);
    [first, sum(folder)]
}

#[test]
fn a_second_run_takes_the_result_of_the_first_and_says_since_when() {
    let folder = lake();
    settle();
    let first = ran(&folder, ["run", "sum"]);
    let second = ran(&folder, ["run", "sum"]);
    assert!(!is_kept(&first) && is_kept(&second), "{first}\n{second}");
    assert_eq!(first.stdout, second.stdout);
    let lines: Vec<&str> = second.stderr.lines().collect();
    let [title, from, blank, scanned, result] = lines[..] else { panic!("{second}") };
    assert_eq!((title, from, blank), ("The sum", "  from = 0", ""));
    assert_eq!(scanned, "scanned: 0 files (0 pruned), 0 row groups (0 pruned), 0 rows");
    let (_, since) = result.split_once(", kept since ").expect("since when");
    let (time, why) = since.split_once(" UTC ").expect("a moment");
    assert!(chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").is_ok(), "{time}");
    assert_eq!(why, "from files that have not changed");
    // The prompt and scripts take it, too; other values of parameters do not.
    assert!(is_kept(&ran(&folder, ["-c", "\\run sum"])));
    assert!(!is_kept(&ran(&folder, ["run", "sum", "-p", "from=2"])));
    assert!(is_kept(&ran(&folder, ["run", "sum", "-p", "from=2"])));
    assert!(is_kept(&ran(&folder, ["run", "sum", "-p", "from=0"])));
}

#[test]
fn every_saved_query_of_the_sample_gives_the_same_bytes_the_second_time() {
    let caches = Folder::new();
    let names = cxlake(["queries", "list", "--format", "csv"]).prints();
    let names: Vec<&str> = names.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(names.len() > 60, "{names:?}");
    let run = |name: &str| {
        let said = cxlake(["run", name, "--stats", "--format", "csv"]).keeping(caches.path()).run();
        assert_eq!(said.code, Some(0), "{said}");
        let notes: Vec<&str> = said.stderr.lines().collect();
        let notes = notes[..notes.len() - 2].join("\n");
        (is_kept(&said), said.stdout, notes)
    };
    for name in names {
        let (is_kept, first, notes) = run(name);
        assert!(!is_kept, "{name}");
        assert_eq!(run(name), (true, first, notes), "{name}");
    }
}

#[test]
fn values_of_every_type_come_back_as_they_were_in_every_form() {
    let folder = Folder::new();
    folder.lake("");
    let rows = "select * from (values (1, 'NaN', '-0', '1.10', 'a'), (2, 'inf', '0', null, ''), (3, '-inf', '5e-324', '-9999999999.99', 'é\n\"=1')) \
                v(n, f, g, d, t)";
    let sql = format!(
        "select n, cast(f as double) as f, cast(g as double) as g, cast(d as decimal(18, 2)) as d, t, n = 2 as b, \
         date '2026-02-28' + n as day, arrow_cast('2026-10-25T00:30:00.123456Z', 'Timestamp(Microsecond, Some(\"Europe/Berlin\"))') as at, \
         arrow_cast(t, 'Dictionary(Int32, Utf8)') as word, arrow_cast(t, 'Utf8View') as view, [n, null] as list, \
         {{'x': n, 'y': t}} as pair, arrow_cast(n, 'UInt8') as small, cast(t as bytea) as bytes, null as nothing from ({rows})"
    );
    folder.write("queries/types.sql", query("types", "", &format!("{sql} order by n")));
    folder.write("queries/none.sql", query("none", "", &format!("{sql} where n > 5")));
    let for_insert = sql.replace("{'x': n, 'y': t} as pair, ", "");
    folder.write("queries/inserted.sql", query("inserted", "", &format!("{for_insert} order by n")));
    let forms = ["csv", "tsv", "json", "ndjson", "table", "box", "vertical", "markdown", "html", "parquet", "arrow"];
    for (name, forms) in [("types", &forms[..]), ("none", &forms), ("inserted", &["insert"])] {
        for form in forms {
            let run = || folder.cxlake(["run", name, "--stats", "--format", form]).keeping(&folder.at(form)).run();
            let (first, second) = (run(), run());
            assert!(!is_kept(&first) && is_kept(&second), "{form}:\n{second}");
            assert_eq!((first.code, second.code), (Some(0), Some(0)), "{form}:\n{first}");
            assert_eq!(first.stdout, second.stdout, "{name} as {form}");
        }
    }
}

#[test]
fn a_file_that_comes_or_goes_or_is_written_again_is_seen() {
    let folder = lake();
    settle();
    assert_eq!(sum(&folder), computed("12"));
    assert_eq!(sum(&folder), kept("12"));
    let add = || drop(folder.parquet("t/b.parquet", "select * from (values (4, 'w')) v(n, name)"));
    assert_eq!(after(&folder, add), [computed("20"), kept("20")]);
    let change = || drop(folder.parquet("t/b.parquet", "select * from (values (5, 'w')) v(n, name)"));
    assert_eq!(after(&folder, change), [computed("22"), kept("22")]);
    let remove = || fs::remove_file(folder.at("t/b.parquet")).expect("it is removed");
    assert_eq!(after(&folder, remove), [computed("12"), kept("12")]);
    // What does not count as a file of the table changes nothing.
    folder.write("t/_temporary.parquet", "x");
    folder.write("t/notes.txt", "x");
    assert_eq!(sum(&folder), kept("12"));
}

#[test]
fn a_file_of_the_same_size_and_time_is_seen_whether_it_is_written_over_replaced_or_linked() {
    let folder = lake();
    let path = folder.at("t/a.parquet");
    let time = fs::metadata(&path).expect("a file").modified().expect("a time");
    let put_back = |path: &Path| {
        let file = File::options().write(true).open(path).expect("it opens");
        file.set_modified(time).expect("its time is put back");
    };
    let other = |name: &str, n: u8| {
        let other = folder.parquet(name, &format!("select * from (values ({n}, 'x'), (2, 'y'), (3, 'z')) v(n, name)"));
        assert_eq!(fs::metadata(&other).expect("a file").len(), fs::metadata(&path).expect("a file").len());
        other
    };
    let (five, six, seven, eight) =
        (other("5.parquet", 5), other("6.parquet", 6), other("7.parquet", 7), other("8.parquet", 8));
    settle();
    assert_eq!(sum(&folder), computed("12"));
    assert_eq!(sum(&folder), kept("12"));
    let write_over = || {
        fs::write(&path, fs::read(&five).expect("it is read")).expect("it is written");
        put_back(&path);
    };
    assert_eq!(after(&folder, write_over), [computed("20"), kept("20")]);
    let replace = || {
        put_back(&six);
        fs::rename(&six, &path).expect("it is renamed");
    };
    assert_eq!(after(&folder, replace), [computed("22"), kept("22")]);
    put_back(&seven);
    put_back(&eight);
    let link = |to: &Path| {
        fs::remove_file(&path).expect("it is removed");
        symlink(to, &path).expect("it is linked");
    };
    assert_eq!(after(&folder, || link(&seven)), [computed("24"), kept("24")]);
    assert_eq!(sum(&folder), kept("24"));
    link(&eight);
    assert_eq!(sum(&folder).0, "26");
    // The folder itself may be a link, and a table a glob.
    let manifest = folder.read("cxlake.toml");
    fs::rename(folder.at("t"), folder.at("u")).expect("it is renamed");
    symlink(folder.at("u"), folder.at("t")).expect("it is linked");
    assert_eq!(sum(&folder).0, "26");
    folder.write("cxlake.toml", manifest.replace("\"t/\"", "\"t*/?.parquet\""));
    assert_eq!(sum(&folder), computed("26"));
}

#[test]
fn a_file_that_was_written_just_now_keeps_nothing() {
    let folder = lake();
    settle();
    // A machine that is busy may take longer over it than the two seconds for which a file counts as written just now.
    let kept_in_time = (0..5).find_map(|_| {
        let _ = fs::remove_dir_all(folder.at("cache"));
        let started = Instant::now();
        folder.parquet("t/b.parquet", "select * from (values (4, 'w')) v(n, name)");
        assert_eq!(sum(&folder), computed("20"));
        (started.elapsed() < Duration::from_millis(1_500)).then(|| entries(&folder.at("cache")))
    });
    assert_eq!(kept_in_time, Some(Vec::new()));
    settle();
    assert_eq!((sum(&folder), sum(&folder)), (computed("20"), kept("20")));
}

#[test]
fn what_was_written_of_a_query_those_it_builds_on_and_the_lake_is_seen() {
    let folder = lake();
    settle();
    let changed = |name: &str, from: &str, to: &str, result: &str| {
        let text = folder.read(name);
        assert!(text.contains(from), "{text}");
        folder.write(name, text.replace(from, to));
        assert_eq!((sum(&folder), sum(&folder)), (computed(result), kept(result)), "{to}");
    };
    assert_eq!((sum(&folder), sum(&folder)), (computed("12"), kept("12")));
    changed("queries/sum.sql", "sum(twice)", "sum(twice) + 1", "13");
    changed("queries/sum.sql", "default = 0", "default = 2", "11");
    changed("queries/all.sql", "from t", "from t where n < 3", "5");
    changed("cxlake.toml", "2 * n", "3 * n", "7");
    changed("cxlake.toml", "name = \"test\"", "name = \"test\"\ntoday = 2026-10-06", "7");
    // Back to what it was, the first result still holds.
    for (name, from, to) in [("cxlake.toml", "3 * n", "2 * n"), ("cxlake.toml", "\ntoday = 2026-10-06", "")] {
        let text = folder.read(name);
        folder.write(name, text.replace(from, to));
    }
    assert_eq!(sum(&folder), kept("5"));
    // Another lake with the same words has another result.
    let other = lake();
    other.parquet("t/a.parquet", "select 7 as n, 'x' as name");
    let said = other.cxlake(["run", "sum", "--format", "csv"]).keeping(&folder.at("cache")).prints();
    assert_eq!(said, "sum\n14\n");
}

#[test]
fn days_are_counted_and_choices_made_anew_before_a_result_is_taken() {
    let folder = lake();
    let days = "-- [params.day]\n-- type = \"date\"\n-- default = \"today\"\n-- [params.names]\n-- type = \"list<text>\"\n-- default = \"all\"\n\
                -- values_sql = \"select name from t\"\n";
    folder.write(
        "queries/days.sql",
        query("days", days, "select $day as day, count(*) as n from t where name = any($names)"),
    );
    let on = |today: &str| {
        let manifest = folder.read("cxlake.toml");
        let manifest = manifest.lines().filter(|line| !line.starts_with("today")).collect::<Vec<_>>().join("\n");
        folder.write("cxlake.toml", manifest.replace("name = \"test\"", &format!("name = \"test\"\ntoday = {today}")));
        let said = ran(&folder, ["run", "days"]);
        assert!(said.stderr.contains("  names = all (3)"), "{said}");
        (said.text().lines().last().expect("a line").to_owned(), is_kept(&said))
    };
    settle();
    assert_eq!((on("2026-10-06"), on("2026-10-06")), (computed("2026-10-06,3"), kept("2026-10-06,3")));
    assert_eq!((on("2026-10-07"), on("2026-10-07")), (computed("2026-10-07,3"), kept("2026-10-07,3")));
    let wrong = folder.cxlake(["run", "days", "-p", "names=q"]).keeping(&folder.at("cache")).fails(2);
    assert!(wrong.starts_with("error: parameter `names`: `q` is not allowed"), "{wrong}");
    // A label or another case of a value stands for the value.
    let said = [ran(&folder, ["run", "days", "-p", "names=X"]), ran(&folder, ["run", "days", "-p", "names=X"])];
    assert!(is_kept(&said[1]) && said.iter().all(|said| said.stderr.contains("  names = x")), "{}", said[1]);
}

#[test]
fn what_differs_from_run_to_run_or_rests_on_more_than_tables_is_computed() {
    let folder = lake();
    folder.write("more.csv", "n\n1\n");
    for (name, sql) in [
        ("now", "select now() > timestamp '2020-01-01' as b from t"),
        ("day", "select n from t where current_date > date '2020-01-01'"),
        ("chance", "select n from t where random() < 2"),
        ("within", "select n from t where n in (select 1 + cast(floor(random()) as bigint))"),
        ("order", "select n from t order by random()"),
        ("window", "select sum(random()) over (order by n) > 0 as b from t"),
        ("id", "select length(uuid()) as n"),
        ("file", "select n from 'more.csv'"),
        ("parquet", "select n from 't/a.parquet'"),
        ("checks", "select count(*) as n from cxlake.checks"),
        // What such a function is called with is computed while the statement is read.
        ("series", "select n from t, generate_series(1, cast(length(cast(now() as text)) as bigint)) limit 1"),
        ("names", "select table_name from information_schema.tables"),
        ("settings", "select value from information_schema.df_settings"),
    ] {
        folder.write(&format!("queries/{name}.sql"), query(name, "", sql));
        folder.write(
            &format!("queries/on-{name}.sql"),
            query(
                &format!("on-{name}"),
                &format!("-- uses = [\"{name}\"]\n"),
                &format!("select count(*) as n from {name}"),
            ),
        );
    }
    settle();
    for query in folder_names(&folder).iter().filter(|name| !["all", "sum"].contains(&name.as_str())) {
        ran(&folder, ["run", query]);
        assert!(!is_kept(&ran(&folder, ["run", query])), "{query}");
    }
    assert_eq!(entries(&folder.at("cache")), Vec::<PathBuf>::new());
}

fn folder_names(folder: &Folder) -> Vec<String> {
    let files = fs::read_dir(folder.at("queries")).expect("a folder");
    let names =
        files.map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned());
    names.collect()
}

#[test]
fn a_session_that_made_or_set_something_neither_takes_nor_keeps() {
    let folder = lake();
    folder.write("queries/view.sql", query("view", "", "select count(*) as n from made"));
    settle();
    sum(&folder);
    let count = entries(&folder.at("cache")).len();
    for before in [
        "create view made as select * from t",
        "set datafusion.execution.batch_size = 100",
        "create table made as select 1",
    ] {
        assert!(!is_kept(&ran(&folder, ["-c", before, "-c", "\\run sum"])), "{before}");
    }
    ran(&folder, ["-c", "create view made as select * from t", "-c", "\\run view"]);
    assert_eq!(entries(&folder.at("cache")).len(), count);
    let told = folder.cxlake(["run", "view"]).keeping(&folder.at("cache")).fails(1);
    assert!(told.starts_with("error: table `made` is not in this lake"), "{told}");
}

#[test]
fn a_session_sees_a_file_that_was_written_over_with_its_size_and_time_put_back() {
    let folder = lake();
    let path = folder.at("t/a.parquet");
    let time = fs::metadata(&path).expect("a file").modified().expect("a time");
    let other = folder.parquet("5.parquet", "select * from (values (5, 'x'), (2, 'y'), (3, 'z')) v(n, name)");
    let call = folder.cxlake(["--quiet", "--format", "csv"]).keeping(&folder.at("cache"));
    let mut child = call
        .command()
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut stdin, stdout) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout)).map(|line| line.expect("a line"));
    // What the footer says of the least and the most value decides.
    let mut ask = || {
        std::io::Write::write_all(&mut stdin, b"select count(*) as n from t where n > 4;\n").expect("it is asked");
        (lines.next(), lines.next())
    };
    let is = |count: &str| (Some("n".to_owned()), Some(count.to_owned()));
    assert_eq!(ask(), is("0"));
    fs::write(&path, fs::read(&other).expect("it is read")).expect("it is written");
    File::options().write(true).open(&path).expect("it opens").set_modified(time).expect("its time is put back");
    assert_eq!(ask(), is("1"));
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn the_bound_holds_and_a_large_result_is_not_kept() {
    let folder = Folder::new();
    folder.lake("[cache]\nresults_mb = 1\n");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let sql = "select value as n, repeat('x', 30) as t from (select unnest(range(1, 5000)) as value)";
        folder.write(&format!("queries/{name}.sql"), query(name, "", sql));
    }
    folder.write(
        "queries/large.sql",
        query("large", "", "select value as n from (select unnest(range(1, 200000)) as value)"),
    );
    let caches = folder.at("cache");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "large"] {
        assert!(!is_kept(&ran(&folder, ["run", name])), "{name}");
        let bytes: u64 = entries(&caches).iter().map(|file| fs::metadata(file).expect("a file").len()).sum();
        assert!(bytes > 0 && bytes <= 1 << 20, "{bytes}");
    }
    // What was used last is there, what was used longest ago is not.
    assert!(is_kept(&ran(&folder, ["run", "h"])) && !is_kept(&ran(&folder, ["run", "large"])));
    assert!(!is_kept(&ran(&folder, ["run", "a"])));
    folder.lake("[cache]\nresults_mb = 0\n");
    let none = folder.at("none");
    folder.cxlake(["run", "a", "-q"]).keeping(&none).prints();
    assert!(!none.exists());
}

#[test]
fn what_is_damaged_cut_off_or_foreign_is_computed_and_mended_without_a_word() {
    let folder = lake();
    settle();
    let first = ran(&folder, ["run", "sum"]);
    let path = entries(&folder.at("cache")).pop().expect("an entry");
    let whole = fs::read(&path).expect("it is read");
    let mut turned = whole.clone();
    turned[whole.len() / 2] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &whole[..10], b"", b"something else", &turned[..]] {
        fs::write(&path, damaged).expect("it is damaged");
        let said = ran(&folder, ["run", "sum"]);
        assert!(!is_kept(&said), "{said}");
        assert_eq!((said.text(), said.stderr.lines().count()), (first.text(), first.stderr.lines().count()));
        assert_eq!(sum(&folder), kept("12"));
    }
    // Where nothing can be kept, nothing is said of it.
    let said = folder.cxlake(["run", "sum", "--format", "csv", "-q"]).keeping(&folder.at("cxlake.toml")).run();
    assert_eq!((said.text(), said.stderr.as_str()), (first.text(), ""));
}

#[test]
fn calls_side_by_side_on_one_entry_all_give_the_result() {
    let folder = lake();
    settle();
    std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..4).map(|_| sum(&folder).0).collect::<Vec<_>>())).collect();
        for call in calls {
            assert_eq!(call.join().expect("it ends"), ["12"; 4]);
        }
    });
    assert_eq!(sum(&folder), kept("12"));
    assert_eq!(entries(&folder.at("cache")).len(), 1, "nothing half-written is left");
}

#[test]
fn no_cache_neither_takes_nor_keeps() {
    let folder = lake();
    settle();
    let anew = || ran(&folder, ["run", "sum", "--no-cache"]);
    anew();
    assert!(!folder.at("cache").exists());
    sum(&folder);
    assert!(!is_kept(&anew()));
    assert_eq!(sum(&folder), kept("12"));
}

#[test]
fn an_error_is_no_result() {
    let folder = lake();
    folder.write("queries/twice.sql", query("twice", "-- grain = [\"b\"]\n", "select n > 0 as b from t"));
    settle();
    let run = || folder.cxlake(["run", "twice", "-q", "--format", "csv"]).keeping(&folder.at("cache")).run();
    let (first, second) = (run(), run());
    assert!(first.stderr.starts_with("error: the query returns more than one row for b = `true`"), "{first}");
    assert_eq!((first.code, first.stderr), (second.code, second.stderr));
    assert_eq!(entries(&folder.at("cache")), Vec::<PathBuf>::new());
}

#[test]
fn a_report_rests_on_the_same_with_kept_results_and_says_of_its_run_which_were() {
    let caches = Folder::new();
    let out = Folder::new();
    let report = |more: &[&str]| {
        let folder = out.path().to_str().expect("a path");
        let arguments = ["report", "nps-by-office", "--format", "json,html", "-q", "-o", folder].into_iter();
        let call = cxlake(arguments.chain(more.iter().copied())).within(repository()).keeping(caches.path());
        call.prints();
        let value: serde_json::Value = serde_json::from_str(&out.read("nps-by-office.json")).expect("JSON");
        value
    };
    let (first, second, anew) = (report(&[]), report(&[]), report(&["--no-cache"]));
    let inputs = |value: &serde_json::Value| value["provenance"]["inputs"].as_array().map(Vec::len);
    assert!(inputs(&first).is_some_and(|count| count > 1), "{first}");
    let sections = |key: &str| {
        assert_eq!((&first[key], &first[key]), (&second[key], &anew[key]));
    };
    ["provenance", "sections", "checks"].iter().for_each(|key| sections(key));
    assert_eq!((&first["run"]["kept"], &anew["run"]["kept"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert!(second["run"]["kept"]["1"].is_string(), "{}", second["run"]);
    // A report is verified by computing it: nothing that was kept is looked at.
    let used = |path: &PathBuf| fs::metadata(path).expect("an entry").modified().expect("a time");
    let before: Vec<_> = entries(caches.path()).iter().map(used).collect();
    let page = out.at("nps-by-office.html");
    let said = cxlake(["report", "verify", page.to_str().expect("a path")]).keeping(caches.path()).prints();
    assert!(said.ends_with("The same files give the same numbers.\n"), "{said}");
    assert_eq!(entries(caches.path()).iter().map(used).collect::<Vec<_>>(), before);
}

//! The manifest and where it is found: every mistake in it is an error with its line.

use super::harness::{Folder, cxlake};

/// The whole error that this manifest gives.
fn error(manifest: &str) -> String {
    let folder = Folder::new();
    folder.write("cxlake.toml", manifest);
    folder.cxlake(["tables"]).fails(1)
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    assert_eq!(
        error("[lake]\nname = \"x\"\ntime_zon = \"UTC\"\n"),
        "error: unknown key `time_zon`\n  at cxlake.toml:3\n\nhint: did you mean `time_zone`?\n"
    );
    assert_eq!(
        error("[lake]\nname = \"x\"\n[tabel.x]\npath = \"y\"\n"),
        "error: unknown key `tabel`\n  at cxlake.toml:3\n\nhint: did you mean `table`?\n"
    );
    assert_eq!(
        error(
            "[lake]\nname = \"x\"\n[table.a]\npath = \"p\"\n[table.a.columns]\na = { type = \"int\", nulable = true }\n"
        ),
        "error: unknown key `nulable`\n  at cxlake.toml:6\n\nhint: did you mean `nullable`?\n"
    );
}

#[test]
fn an_unknown_key_like_no_other_lists_the_known_ones() {
    assert_eq!(
        error("[lake]\nname = \"x\"\n[table.a]\npath = \"p\"\nzzz = 1\n"),
        "error: unknown key `zzz`\n  at cxlake.toml:5\n\nhint: known here: `path`, `description`, `partition`, `columns`, `key`, `fresh`, `check`, `complete`, `sort`, `identifiers`\n"
    );
}

#[test]
fn a_value_out_of_its_range_is_an_error_with_its_line() {
    assert_eq!(
        error("[lake]\nname = \"x\"\ntime_zone = \"Mars/Base\"\n"),
        "error: unknown time zone `Mars/Base`\n  at cxlake.toml:3\n\n\
         hint: use a name of the IANA database, such as `Europe/Berlin`\n"
    );
    assert_eq!(
        error("[lake]\nname = \"x\"\nfiscal_year_start = 13\n"),
        "error: `fiscal_year_start` is 13, not a month\n  at cxlake.toml:3\n\n\
         hint: write 1 for January to 12 for December\n"
    );
    assert_eq!(
        error("[lake]\nname = \"x\"\nweek_start = \"mondy\"\n"),
        "error: unknown value `mondy`\n  at cxlake.toml:3\n\nhint: did you mean `monday`?\n"
    );
    assert_eq!(
        error("[lake]\nname = \"x\"\ntoday = 2026-01-01T10:00:00Z\n"),
        "error: `today` is `2026-01-01T10:00:00Z`, not a day\n  at cxlake.toml:3\n\n\
         hint: write a day such as `2026-10-06`, without quotes and time\n"
    );
    assert_eq!(
        error("[lake]\nname = \"x\"\nrecords = \"\"\n"),
        "error: `records` is an empty path\n  at cxlake.toml:3\n"
    );
    assert_eq!(
        error("[lake]\nname = \"x\"\nrecords = \"prod:kept/\"\n"),
        "error: the folder of the records is in store `prod`, which is not declared\n  at cxlake.toml:3\n\n\
         hint: declare it: `[store.prod]` with `url = \"s3://bucket/\"`\n"
    );
}

#[test]
fn a_value_of_another_type_says_what_was_expected_and_found() {
    assert_eq!(error("[lake]\nname = 5\n"), "error: expected a string, found integer `5`\n  at cxlake.toml:2\n");
    assert_eq!(
        error("[lake]\nname = \"x\"\n[table.a]\npath = \"x\"\ncolumns = { a = 5 }\n"),
        "error: expected a type such as \"text\", or a table with `type`, found integer `5`\n  at cxlake.toml:5\n"
    );
}

#[test]
fn what_is_missing_or_no_toml_is_an_error_with_its_line() {
    assert_eq!(error(""), "error: key `lake` is missing\n  at cxlake.toml:1\n");
    assert_eq!(error("[lake]\ntime_zone = \"UTC\"\n"), "error: key `name` is missing\n  at cxlake.toml:1\n");
    assert_eq!(error("[lake\nname = \"x\"\n"), "error: unclosed table, expected `]`\n  at cxlake.toml:1\n");
}

#[test]
fn a_table_is_checked_as_it_is_declared() {
    let table = |rest: &str| error(&format!("[lake]\nname = \"x\"\n[table.a]\n{rest}\n"));
    assert_eq!(table("path = \"\""), "error: table `a` has an empty path\n  at cxlake.toml:4\n");
    assert_eq!(
        table("path = \"gs://b/x\""),
        "error: table `a` is at `gs://b/x`, and `gs://` is not known\n  at cxlake.toml:4\n\n\
         hint: write a local path, or one in a bucket: `s3://bucket/folder/`\n"
    );
    assert_eq!(
        table("path = \"prod:x/\"\n[store.prd]\nurl = \"s3://b\""),
        "error: table `a` is in store `prod`, which is not declared\n  at cxlake.toml:4\n\nhint: did you mean `prd`?\n"
    );
    assert_eq!(
        table("path = \"p\"\ncolumns = { a = \"txt\" }"),
        "error: unknown type `txt`\n  at cxlake.toml:5\n\nhint: did you mean `text`?\n"
    );
    assert_eq!(
        table("path = \"p\"\npartition = { a = \"date\" }\n[table.a.columns]\na = \"date\""),
        "error: table `a` declares `a` as a column and as a partition\n  at cxlake.toml:5\n\n\
         hint: its value is in the folder name; take it out of `columns`\n"
    );
}

#[test]
fn a_store_is_checked_as_it_is_declared_and_has_no_key_for_a_secret() {
    let store = |rest: &str| error(&format!("[lake]\nname = \"x\"\n[store.a1]\nurl = \"s3://b/f/\"\n{rest}\n"));
    assert_eq!(
        store("secret_access_key = \"x\""),
        "error: unknown key `secret_access_key`\n  at cxlake.toml:5\n\nhint: known here: `url`, `region`, `endpoint`, \
         `style`, `anonymous`, `profile`, `requester_pays`, `encryption`, `kms_key`, `ca_file`, `write`, `retry_seconds`, \
         `requests_max`\n"
    );
    assert_eq!(
        store("endpoint = \"127.0.0.1:9000\""),
        "error: endpoint `127.0.0.1:9000` is no address of a server\n  at cxlake.toml:5\n\n\
         hint: write `https://host` or `http://host:port`, without the bucket\n"
    );
    assert_eq!(
        store("endpoint = \"http://user:SECRET@host:9000\""),
        "error: endpoint `http://…@host:9000` is no address of a server\n  at cxlake.toml:5\n\n\
         hint: write `https://host` or `http://host:port`, without the bucket; credentials come from the environment and \
         the AWS files\n"
    );
    for (section, key) in [("[table.t]", "path"), ("[store.a2]", "url")] {
        assert_eq!(
            store(&format!("{section}\n{key} = \"s3://AKIA:SECRET@bucket/x\"")),
            "error: `s3://…@bucket/x` is no address of a bucket: a bucket has letters, digits, `-` and `.`\n  \
             at cxlake.toml:6\n\n\
             hint: write `s3://bucket/folder/`; credentials come from the environment and the AWS files\n"
        );
    }
    assert_eq!(store("kms_key = \"k\""), "error: `kms_key` goes with `encryption = \"sse-kms\"`\n  at cxlake.toml:5\n");
    assert_eq!(
        store("profile = \"p\"\nanonymous = true"),
        "error: `profile` does not go with `anonymous`\n  at cxlake.toml:5\n\n\
         hint: anonymous requests carry no credentials; leave one of both out\n"
    );
    assert_eq!(
        store("[store.a2]\nurl = \"s3://b/other/\""),
        "error: stores `a1` and `a2` are both in bucket `b`\n  at cxlake.toml:5\n\n\
         hint: declare the bucket once, and write folders of it as `NAME:folder/`\n"
    );
}

#[test]
fn the_lake_is_the_one_named_then_the_variables_then_the_nearest_upward() {
    let folder = Folder::new();
    for lake in ["near", "named", "variable"] {
        let table = format!("[lake]\nname = \"x\"\n[table.of_{lake}]\npath = \"x/\"\n");
        folder.write(&format!("{lake}/cxlake.toml"), table);
        folder.write(&format!("{lake}/below/deep/x"), "");
    }
    let tables = |arguments: &[&str], variable: Option<&str>| {
        let call = cxlake(arguments.iter().chain(&["tables", "--format", "csv"])).within(&folder.at("near/below/deep"));
        let call = match variable {
            Some(lake) => call.env("CXLAKE_LAKE", folder.at(lake)),
            None => call,
        };
        call.prints()
    };
    let listing =
        |lake: &str| format!("table,rows,bytes,written,files,partition,path,description\nof_{lake},,,,,,x/,\n");
    assert_eq!(tables(&[], None), listing("near"));
    assert_eq!(tables(&[], Some("variable")), listing("variable"));
    let named = folder.at("named");
    assert_eq!(tables(&["--lake", named.to_str().expect("a path")], Some("variable")), listing("named"));
}

#[test]
fn a_folder_without_a_lake_is_named_and_so_is_the_way_to_make_one() {
    let folder = Folder::new();
    assert_eq!(
        folder.cxlake(["--lake", "nowhere", "tables"]).fails(1),
        "error: no lake in `nowhere`: it has no `cxlake.toml`\n\nhint: `cxlake init nowhere` makes one\n"
    );
    assert_eq!(
        folder.cxlake(["tables"]).fails(2),
        "error: there is no lake here: no `cxlake.toml` in this folder or above it\n\n\
         hint: name one with `--lake DIR`, or make one with `cxlake init DIR --sample`\n"
    );
}

#[test]
fn sort_and_identifiers_name_declared_columns_once() {
    let told = |keys: &str| {
        let folder = Folder::new();
        folder.lake(&format!(
            "[table.t]\npath = \"t/\"\npartition = {{ month = \"date\" }}\n{keys}\n[table.t.columns]\nid = \"text\"\nsent_at = \"timestamp\"\n"
        ));
        folder.cxlake(["tables"]).fails(1)
    };
    assert_eq!(
        told("sort = [\"sentat desc\"]"),
        "error: `sort` of table `t` names `sentat`, which it does not declare\n  at cxlake.toml:6\n\nhint: did you mean `sent_at`?\n"
    );
    assert_eq!(
        told("sort = [\"month\"]"),
        "error: `sort` of table `t` names `month`, which is a partition\n  at cxlake.toml:6\n\n\
         hint: its value is the same in a whole folder; take it out\n"
    );
    assert_eq!(
        told("identifiers = [\"id\", \"id\"]"),
        "error: `identifiers` of table `t` names `id` twice\n  at cxlake.toml:6\n"
    );
}

#[test]
fn a_table_is_opened_only_when_it_is_named() {
    let folder = Folder::new();
    let tables: String = (0..500).map(|n| format!("[table.t{n}]\npath = \"nowhere/{n}/\"\n")).collect();
    folder.lake(&tables);
    assert_eq!(folder.cxlake(["--format", "csv", "-c", "select 1 as one"]).prints(), "one\n1\n");
    assert_eq!(folder.cxlake(["tables", "--format", "csv"]).prints().lines().count(), 501);
}

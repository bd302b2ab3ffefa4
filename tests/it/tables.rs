//! Tables: files, folders, globs and partitions, and what their files are held to.

use std::os::unix::fs::symlink;

use super::harness::Folder;

const OFFICES: &str = "select 'O01' as office_id, 'New York' as office, cast(10 as bigint) as fte";

fn select(folder: &Folder, sql: &str) -> String {
    folder.cxlake(["--format", "csv", "-c", sql]).prints()
}

fn error(folder: &Folder, sql: &str) -> String {
    folder.cxlake(["-c", sql]).fails(1)
}

#[test]
fn a_table_is_a_file_a_folder_or_a_glob() {
    let folder = Folder::new();
    folder.lake(
        "[table.file]\npath = \"data/a.parquet\"\n[table.folder]\npath = \"data\"\n[table.glob]\npath = \"data/b*.parquet\"\n\
         [table.deep]\npath = \"data/**/*.parquet\"\n",
    );
    folder.parquet("data/a.parquet", "select 1 as x");
    folder.parquet("data/b1.parquet", "select 2 as x");
    folder.parquet("data/deep/b2.parquet", "select 3 as x");
    folder.write("data/_temporary/c.parquet", "");
    folder.write("data/.d.parquet", "");
    folder.write("data/notes.txt", "no table");
    assert_eq!(select(&folder, "select x from file order by x"), "x\n1\n");
    assert_eq!(select(&folder, "select x from folder order by x"), "x\n1\n2\n3\n");
    assert_eq!(select(&folder, "select x from glob order by x"), "x\n2\n");
    assert_eq!(select(&folder, "select x from deep order by x"), "x\n1\n2\n3\n");
}

#[test]
fn names_with_odd_letters_are_read_and_shown_as_they_are() {
    let folder = Folder::new();
    folder.lake("[table.odd]\npath = \"a b/\"\n");
    folder.parquet("a b/é #1 [x] 50%.parquet", "select 1 as x");
    assert_eq!(select(&folder, "select x from odd"), "x\n1\n");
    assert_eq!(select(&folder, "select x from 'a b/é #1 [x] 50%.parquet'"), "x\n1\n");
    folder.write("a b/z [y].parquet", "no parquet");
    assert!(error(&folder, "select * from odd").starts_with("error: `a b/z [y].parquet` is not a Parquet file\n"));
}

#[test]
fn partitions_are_typed_as_declared_and_prune_what_is_opened() {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\npartition = { year = \"int\", code = \"text\" }\n[table.t.columns]\nx = \"int\"\n",
    );
    folder.parquet("t/year=2025/code=007/a.parquet", "select 1 as x");
    folder.parquet("t/year=2026/code=a%20b/a.parquet", "select 2 as x");
    folder.parquet("t/year=2026/code=__HIVE_DEFAULT_PARTITION__/a.parquet", "select 3 as x");
    // Never opened by the filters below, or they would fail.
    folder.write("t/year=2024/code=x/broken.parquet", "no parquet");
    assert_eq!(
        select(&folder, "select x, year + 1 as next, code from t where year >= 2025 order by x"),
        "x,next,code\n1,2026,007\n2,2027,a b\n3,2027,\n"
    );
    assert_eq!(select(&folder, "select x from t where code is null"), "x\n3\n");
    assert_eq!(select(&folder, "select x from t where year = 2025 and x = 1"), "x\n1\n");
    assert_eq!(select(&folder, "select count(*) as n from t where year = 1999"), "n\n0\n");
}

#[test]
fn a_partition_is_found_however_its_folder_writes_the_value() {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\npartition = { month = \"int\", brand = \"text\" }\n[table.t.columns]\nx = \"int\"\n",
    );
    folder.parquet("t/month=09/brand=A&B/a.parquet", "select 1 as x");
    folder.parquet("t/month=10/brand=a%3Ab/a.parquet", "select 2 as x");
    folder.parquet("t/month=11/brand=Z%C3%BCrich +1/a.parquet", "select 3 as x");
    assert_eq!(select(&folder, "select x, brand from t where month = 9"), "x,brand\n1,A&B\n");
    assert_eq!(select(&folder, "select x from t where brand = 'a:b'"), "x\n2\n");
    assert_eq!(select(&folder, "select x from t where brand = 'Zürich +1'"), "x\n3\n");
}

#[test]
fn a_null_in_a_folder_name_is_neither_equal_nor_unequal_nor_counted() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\npartition = { code = \"int\" }\n[table.t.columns]\nx = \"int\"\n");
    folder.parquet("t/code=5/a.parquet", "select 1 as x");
    folder.parquet("t/code=__HIVE_DEFAULT_PARTITION__/a.parquet", "select 2 as x");
    assert_eq!(select(&folder, "select x from t where code <> 7"), "x\n1\n");
    assert_eq!(select(&folder, "select x from t where code < 7"), "x\n1\n");
    assert_eq!(select(&folder, "select x from t where code is null"), "x\n2\n");
    assert_eq!(
        select(&folder, "select count(code) as n, count(*) as all_rows, min(code) as low from t"),
        "n,all_rows,low\n1,2,5\n"
    );
}

#[test]
fn a_file_without_statistics_gives_the_same_answers() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\nx = \"int?\"\nc = \"text?\"\n");
    let rows = "select * from (values (1, 'a'), (null, 'b'), (3, null)) v(x, c)";
    folder.parquet("t/with.parquet", rows);
    let copy = format!("copy ({rows}) to 't/without.parquet' options ('format.statistics_enabled' 'none')");
    folder.cxlake(["-c", &copy]).prints();
    assert_eq!(
        select(&folder, "select count(x) as x, count(c) as c, min(x) as low, max(c) as high from t"),
        "x,c,low,high\n4,4,1,b\n"
    );
    assert_eq!(select(&folder, "select count(*) as n from t where x is null or c > 'a'"), "n\n2\n");
}

#[test]
fn a_file_outside_its_partition_folders_is_an_error_and_not_left_out() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\npartition = { period = \"date\" }\n[table.t.columns]\nx = \"int\"\n");
    folder.parquet("t/period=2026-09-01/a.parquet", "select 1 as x");
    folder.parquet("t/loose.parquet", "select 2 as x");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: `t/loose.parquet` is not in a `period=…` folder\n\n\
         hint: the table declares these partitions in `cxlake.toml`; move the file into its folder\n"
    );
    std::fs::remove_file(folder.at("t/loose.parquet")).expect("the loose file goes");
    folder.parquet("t/period=september/a.parquet", "select 2 as x");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: `september` in the path of `t/period=september/a.parquet` is no date\n\n\
         hint: partition `period` is declared as date in `cxlake.toml`\n"
    );
}

#[test]
fn a_file_that_lacks_a_column_or_has_another_type_is_named() {
    let folder = Folder::new();
    let table = |columns: &str| {
        folder.lake(&format!("[table.t]\npath = \"t/\"\n[table.t.columns]\n{columns}\n"));
    };
    folder.parquet("t/a.parquet", OFFICES);

    table("office_id = \"text\"\noffce = \"text\"");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: `t/a.parquet` has no column `offce`, which must be text\n\n\
         hint: the file has `office`; if older files lack it, declare it as `offce = \"text?\"`\n"
    );
    table("fte = \"text\"");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: column `fte` of `t/a.parquet` is int, but must be text\n\n\
         hint: write the file with the declared type, or change the type in `cxlake.toml`\n"
    );
    table("office = \"timestamp\"");
    assert_eq!(
        error(&folder, "select count(*) from t"),
        "error: column `office` of `t/a.parquet` is text, but must be timestamp\n\n\
         hint: write it as `arrow_cast(…, 'Timestamp(Microsecond, Some(\"UTC\"))')`\n"
    );
}

#[test]
fn nulls_in_a_column_that_must_have_none_are_counted() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t.parquet\"\n[table.t.columns]\nx = \"int\"\n");
    folder.parquet("t.parquet", "select * from (values (1), (null), (null)) v(x)");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: column `x` of `t.parquet` has 2 nulls, but must have none\n\n\
         hint: if nulls are right, declare it as `x = \"int?\"`\n"
    );
}

#[test]
fn extra_columns_are_fine_and_a_nullable_one_may_come_later() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\nx = \"int\"\ncomment = \"text?\"\n");
    folder.parquet("t/2025.parquet", "select 1 as x, true as extra");
    folder.parquet("t/2026.parquet", "select 'late' as comment, 2 as x");
    assert_eq!(select(&folder, "select * from t order by x"), "x,comment\n1,\n2,late\n");
    assert_eq!(select(&folder, "select x from t where comment is null"), "x\n1\n");
    folder.parquet("t/2027.parquet", "select 3 as x, 'capital' as \"Comment\"");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: `t/2027.parquet` has no column `comment`, but has `Comment`\n\n\
         hint: write the name in the same way in the file and in `cxlake.toml`\n"
    );
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\nx = \"int\"\ncomment = \"text?\"\nComment = \"text?\"\n");
    assert_eq!(select(&folder, "select count(comment) as a, count(\"Comment\") as b from t"), "a,b\n1,1\n");
}

#[test]
fn a_narrower_type_that_loses_nothing_is_read_as_the_declared_one() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\nx = \"int\"\nmoney = \"decimal(18,2)\"\n");
    folder.parquet("t/a.parquet", "select cast(1 as smallint) as x, cast(1.5 as decimal(5,2)) as money");
    folder.parquet("t/b.parquet", "select cast(2 as bigint) as x, cast(99999.25 as decimal(18,2)) as money");
    assert_eq!(select(&folder, "select sum(x) as x, sum(money) as money from t"), "x,money\n3,100000.75\n");
}

#[test]
fn extremes_are_those_of_all_files_whatever_type_a_file_stores() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\nx = \"int\"\ny = \"float\"\nmoney = \"decimal(18,2)\"\n");
    let file = |name: &str, x: &str, y: &str, money: &str| {
        folder.parquet(
            name,
            &format!("select {x} as x, {y} as y, {money} as money from (values (1, 1.5), (100, 9.5)) v(n, d)"),
        );
    };
    let half = |number: &str, by: i32, r#type: &str| format!("cast({number} / {by} as {type})");
    for (one, other) in [("t/a.parquet", "t/b.parquet"), ("t/b.parquet", "t/a.parquet")] {
        file(one, "cast(n as int)", "cast(d as real)", "cast(d as decimal(5,2))");
        file(other, &half("n", 10, "bigint"), &half("d", 10, "double"), &half("d", 10, "decimal(18,2)"));
        for (column, most) in [("x", "100"), ("y", "9.5"), ("money", "9.50")] {
            assert_eq!(select(&folder, &format!("select max({column}) as most from t")), format!("most\n{most}\n"));
        }
        let least = "select min(x) as x, min(y) as y, min(money) as money from t";
        assert_eq!(select(&folder, least), "x,y,money\n0,0.15,0.15\n");
    }
}

#[test]
fn without_declared_columns_the_files_are_read_by_name() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    folder.parquet("t/a.parquet", "select 1 as x, 'a' as y");
    folder.parquet("t/b.parquet", "select 'b' as y, 2 as x, true as z");
    assert_eq!(select(&folder, "select x, y, z from t order by x"), "x,y,z\n1,a,\n2,b,true\n");
    folder.parquet("t/c.parquet", "select 'three' as x");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: column `x` is int in `t/a.parquet`, but text in `t/c.parquet`\n\n\
         hint: files of one table must agree; read them one by one, or write them again with one type\n"
    );
}

#[test]
fn whole_numbers_do_not_wrap_however_narrow_a_file_stores_them() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    let rows = "select arrow_cast(a, 'UInt8') as a, arrow_cast(b, 'UInt8') as b, arrow_cast(n, 'Int32') as n, \
                arrow_cast(c, 'Int16') as c, arrow_cast(d, 'Dictionary(Int8, Int32)') as d \
                from (values (6, 9, 50000, 874, 129900), (9, 6, 1, 3, 1)) v(a, b, n, c, d)";
    for file in ["t/1.parquet", "1.arrow"] {
        folder.parquet(file, rows);
    }
    for table in ["t", "'t/1.parquet'", "'1.arrow'"] {
        let wrapped = format!("select a - b as a, n * d as n, c * c as c from {table} where a - b < 0");
        assert_eq!(select(&folder, &wrapped), "a,n,c\n-3,6495000000,763876\n", "{table}");
        let of_all = format!("select max(c) * max(c) as c, min(a) - max(b) as a, count(n) as n from {table}");
        assert_eq!(select(&folder, &of_all), "c,a,n\n763876,-3,2\n", "{table}");
        assert_eq!(select(&folder, &format!("select n, a from {table} where n > 1")), "n,a\n50000,6\n", "{table}");
    }
}

#[test]
fn sums_of_decimals_do_not_wrap_however_narrow_a_file_stores_them() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\npartition = { k = \"int\" }\n");
    let file = |k: u32, x: &str, y: &str| {
        let rows = format!(
            "select arrow_cast('99999.50', '{x}') as x, arrow_cast('9999999999999999.50', '{y}') as y from range(0, 1000)"
        );
        folder.parquet(&format!("t/k={k}/1.parquet"), &rows);
    };
    file(1, "Decimal32(7, 2)", "Decimal64(18, 2)");
    let sums = "select sum(x) as x, sum(y) as y from";
    let wanted = "x,y\n99999500.00,9999999999999999500.00\n";
    for table in ["t", "'t/k=1/1.parquet'"] {
        assert_eq!(select(&folder, &format!("{sums} {table}")), wanted, "{table}");
        let of_all = format!("select min(x) as x, max(y) as y, count(x) as n from {table}");
        assert_eq!(select(&folder, &of_all), "x,y,n\n99999.50,9999999999999999.50,1000\n", "{table}");
        for (condition, count) in
            [("x = 99999.5", 1000), ("x > 99999.4", 1000), ("x > 99999.6", 0), ("x < 1000000", 1000), ("x is null", 0)]
        {
            let counted = format!("select count(*) as n from {table} where {condition}");
            assert_eq!(select(&folder, &counted), format!("n\n{count}\n"), "{table} {condition}");
        }
    }
    file(2, "Decimal128(12, 2)", "Decimal128(20, 2)");
    assert_eq!(select(&folder, &format!("{sums} t where k = 1")), wanted);
    assert_eq!(select(&folder, &format!("{sums} t")), "x,y\n199999000.00,19999999999999999000.00\n");
    assert_eq!(select(&folder, "select count(*) as n from t where x = 99999.5"), "n\n2000\n");
}

#[test]
fn lists_and_structs_of_two_writers_are_one_column() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    folder.parquet("t/1.parquet", "select 1 as id, ['a', null] as l, [named_struct('a', 'x', 'b', 1)] as s");
    folder.parquet(
        "t/2.parquet",
        "select 2 as id, arrow_cast(['b'], 'LargeList(LargeUtf8)') as l, \
         arrow_cast([named_struct('a', 'y', 'b', 2)], 'LargeList(Struct(\"a\": LargeUtf8, \"b\": Int64))') as s",
    );
    folder.parquet(
        "t/3.parquet",
        "select 3 as id, arrow_cast(['b', 'c'], 'List(Utf8, field: ''element'')') as l, null as s union all select 4, null, null",
    );
    assert_eq!(
        select(&folder, "select id, l, s[1]['a'] as a, s[1]['b'] as b from t order by id"),
        "id,l,a,b\n1,\"[a, NULL]\",x,1\n2,[b],y,2\n3,\"[b, c]\",,\n4,,,\n"
    );
    assert_eq!(select(&folder, "select id from t where array_has(l, 'b') order by id"), "id\n2\n3\n");
    assert_eq!(select(&folder, "select id from t where l is null"), "id\n4\n");
    assert_eq!(
        select(&folder, "select count(l) as l, count(s) as s, count(*) as n from t where id > 0"),
        "l,s,n\n3,2,4\n"
    );
    folder.parquet("t/5.parquet", "select 5 as id, [1] as l");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: column `l` is list<text> in `t/1.parquet`, but list<int> in `t/5.parquet`\n\n\
         hint: files of one table must agree; read them one by one, or write them again with one type\n"
    );
}

#[test]
fn a_name_that_differs_by_capital_letters_in_another_file_is_an_error() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    folder.parquet("t/a.parquet", "select * from (values (9), (10)) v(\"NPS\")");
    folder.parquet("t/b.parquet", "select 0 as nps");
    let said = "error: `t/b.parquet` has no column `NPS`, which `t/a.parquet` has, but has `nps`\n\n\
                hint: write the name in the same way in all files of the table\n";
    assert_eq!(error(&folder, "select count(nps) from t"), said);
    assert_eq!(error(&folder, "select count(nps) from 't/'"), said);
    folder.parquet("t/b.parquet", "select 0 as nps, 8 as \"NPS\"");
    assert_eq!(select(&folder, "select count(nps) as a, count(\"NPS\") as b from t"), "a,b\n1,3\n");
}

#[test]
fn arrow_files_with_columns_in_another_order_are_an_error_and_not_mixed_up() {
    let folder = Folder::new();
    folder.parquet("t/1.arrow", "select 1 as a, 2 as b");
    folder.parquet("t/2.arrow", "select 10 as a, 20 as b");
    assert_eq!(select(&folder, "select a, b from 't/' order by a"), "a,b\n1,2\n10,20\n");
    for other in ["select 20 as b, 10 as a", "select 10 as a, 20 as \"B\"", "select 10 as a, 20 as b, 30 as c"] {
        folder.parquet("t/2.arrow", other);
        assert_eq!(
            error(&folder, "select a, b from 't/'"),
            "error: the columns of `t/2.arrow` are not those of `t/1.arrow`\n\n\
             hint: Arrow columns are told apart by their place; read files with different columns one by one\n"
        );
    }
}

#[test]
fn a_column_of_nulls_alone_is_of_any_declared_type() {
    let folder = Folder::new();
    let table = |kind: &str| {
        folder.lake(&format!("[table.t]\npath = \"t/\"\n[table.t.columns]\nid = \"int\"\nk = \"{kind}\"\n"))
    };
    folder.parquet("t/b.parquet", "select 2 as id, null as k union all select 3, null");
    for (kind, value) in [
        ("text", "'x'"),
        ("int", "7"),
        ("float", "1.5"),
        ("decimal(9,2)", "cast(1.25 as decimal(9, 2))"),
        ("bool", "true"),
        ("date", "date '2026-09-01'"),
        ("timestamp", "arrow_cast('2026-09-01T04:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')"),
    ] {
        folder.parquet("t/a.parquet", &format!("select 1 as id, {value} as k"));
        table(&format!("{kind}?"));
        let counted = "select count(*) as n, count(k) as k from t";
        assert_eq!(select(&folder, counted), "n,k\n3,1\n", "{kind}");
        assert_eq!(select(&folder, &format!("select id from t where k = {value}")), "id\n1\n", "{kind}");
        assert_eq!(select(&folder, "select id from t where k is null order by id"), "id\n2\n3\n", "{kind}");
    }
    table("timestamp");
    assert_eq!(
        error(&folder, "select * from t"),
        "error: column `k` of `t/b.parquet` has 2 nulls, but must have none\n\n\
         hint: if nulls are right, declare it as `k = \"timestamp?\"`\n"
    );
}

#[test]
fn what_cannot_be_read_is_named_with_what_is_wrong() {
    let folder = Folder::new();
    let tables =
        ["missing.parquet", "empty/", "stray/", "text.parquet", "zero.parquet", "cut.parquet", "none/*.parquet"];
    let names = ["missing", "empty", "stray", "text", "zero", "cut", "glob"];
    let manifest: String =
        names.iter().zip(tables).map(|(name, path)| format!("[table.{name}]\npath = \"{path}\"\n")).collect();
    folder.lake(&manifest);
    std::fs::create_dir(folder.at("empty")).expect("an empty folder");
    folder.write("stray/readme.txt", "no table");
    folder.write("text.parquet", "id,name\n1,x\n");
    folder.write("zero.parquet", "");
    let whole = std::fs::read(folder.parquet("whole.parquet", OFFICES)).expect("the file");
    folder.write("cut.parquet", &whole[..whole.len() / 2]);

    let of = |table: &str| error(&folder, &format!("select * from {table}"));
    assert_eq!(
        of("missing"),
        "error: no file or folder at `missing.parquet`\n\n\
         hint: table `missing` is declared with this path in `cxlake.toml`\n"
    );
    assert_eq!(
        of("empty"),
        "error: no Parquet file in `empty/`\n\nhint: put files that end in `.parquet` there, or correct the path\n"
    );
    assert_eq!(
        of("stray"),
        "error: no Parquet file in `stray/`\n\nhint: one file there has another ending; Parquet files end in `.parquet`\n"
    );
    assert_eq!(
        of("text"),
        "error: `text.parquet` is not a Parquet file\n  \
         because Parquet error: Invalid Parquet file. Corrupt footer\n\n\
         hint: its first four bytes are not `PAR1`; was something else saved under this name?\n"
    );
    assert_eq!(
        of("zero"),
        "error: `zero.parquet` is empty (0 bytes), not a Parquet file\n\n\
         hint: table `zero` is declared with this path in `cxlake.toml`\n"
    );
    assert_eq!(
        of("cut"),
        "error: `cut.parquet` is cut off: its end, with the footer, is missing\n  \
         because Parquet error: Invalid Parquet file. Corrupt footer\n\n\
         hint: it was copied or written only in part; write it again\n"
    );
    assert_eq!(
        of("glob"),
        "error: no folder for the glob `none/*.parquet`\n\n\
         hint: table `glob` is declared with this path in `cxlake.toml`\n"
    );
}

#[test]
fn a_footer_that_says_it_is_longer_than_its_file_is_damaged() {
    let folder = Folder::new();
    let file = folder.parquet("t.parquet", OFFICES);
    let mut bytes = std::fs::read(&file).expect("the file");
    let end = bytes.len();
    for length in [u32::try_from(end).expect("a small file"), u32::MAX] {
        bytes[end - 8..end - 4].copy_from_slice(&length.to_le_bytes());
        std::fs::write(&file, &bytes).expect("the file is written");
        assert_eq!(error(&folder, "select * from 't.parquet'"), "error: the footer of `t.parquet` is damaged\n");
    }
}

#[test]
fn what_cannot_be_looked_at_is_an_error_and_not_left_out() {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\npartition = { p = \"int\" }\n[table.t.columns]\nx = \"int\"\n\
         [table.glob]\npath = \"t/p=1/*.parquet\"\n",
    );
    folder.parquet("t/p=1/a.parquet", "select 1 as x");
    folder.parquet("away/a.parquet", "select 2 as x");
    symlink(folder.at("away"), folder.at("t/p=2")).expect("it is linked");
    for other in ["t/.hidden", "t/readme.md"] {
        symlink("nowhere", folder.at(other)).expect("it is linked");
    }
    assert_eq!(select(&folder, "select count(*) as n from t"), "n\n2\n");
    std::fs::rename(folder.at("away"), folder.at("gone")).expect("it is moved");
    let away = folder.at("away");
    let said = format!(
        "error: cannot list `t/`: `t/p=2` is a link to `{}`, which is not there\n\n\
         hint: is its disk not mounted? delete the link when nobody needs it\n",
        away.display()
    );
    assert_eq!(error(&folder, "select count(*) as n from t"), said);
    assert_eq!(error(&folder, "select count(*) as n from t where p = 1"), said);
    assert_eq!(select(&folder, "select count(*) as n from glob"), "n\n1\n");
    symlink("nowhere", folder.at("t/p=1/b.parquet")).expect("it is linked");
    assert!(error(&folder, "select * from glob").contains("/t/p=1/b.parquet` is a link to `nowhere`"));
}

#[test]
fn a_path_that_cannot_be_looked_at_is_not_called_missing() {
    let folder = Folder::new();
    symlink("x.parquet", folder.at("x.parquet")).expect("it is linked");
    let said = error(&folder, "select * from 'x.parquet'");
    assert!(said.starts_with("error: cannot look at `x.parquet`: "), "{said}");
}

#[test]
fn a_folder_of_the_lake_may_have_the_letters_of_globs_in_its_name() {
    for name in ["[old]", "a*", "what?"] {
        let folder = Folder::new();
        folder.write("new/lake/cxlake.toml", "[lake]\nname = \"test\"\n[table.t]\npath = \"t/*.parquet\"\n");
        folder.parquet("new/lake/t/a.parquet", "select 1 as x");
        folder.parquet("o/lake/t/a.parquet", "select 2 as x");
        folder.parquet("new/u/a.parquet", "select 3 as x");
        std::fs::rename(folder.at("new"), folder.at(name)).expect("it is renamed");
        let lake = folder.at(&format!("{name}/lake"));
        let select = |sql| folder.cxlake(["--format", "csv", "-c", sql]).within(&lake).prints();
        assert_eq!(select("select x from t"), "x\n1\n");
        assert_eq!(select("select x from '../u/*.parquet'"), "x\n3\n");
    }
}

#[test]
fn a_leading_zero_far_behind_makes_a_column_of_a_csv_file_text() {
    let folder = Folder::new();
    let many = "90210,1\n".repeat(700_000);
    folder.write("t/a.csv", format!("zip,n\n{many}01001,2"));
    folder.write("t/b.csv", "zip,n\n90211,3\n");
    let sql = "select zip, n, arrow_typeof(n) as kind from 't/*.csv' where n > 1 order by n";
    assert_eq!(select(&folder, sql), "zip,n,kind\n01001,2,Int64\n90211,3,Int64\n");
}

#[test]
fn of_a_struct_in_a_file_the_fields_that_are_asked_for_are_read() {
    let folder = Folder::new();
    folder.parquet(
        "t.parquet",
        "select value as id, named_struct('a', value, 'b', 'long') as s from generate_series(1, 10)",
    );
    let plan =
        folder.cxlake(["-c", "explain format indent select sum(s['a']) from 't.parquet' where s['a'] > 3"]).prints();
    let scan = plan.split("DataSourceExec").nth(1).unwrap_or_default();
    assert!(scan.contains("get_field(s") && !scan.contains("projection=[s]"), "{plan}");
}

#[test]
fn a_folder_name_that_its_type_would_round_is_an_error() {
    for (kind, name, fine) in [
        ("decimal(10,2)", "1.555", "1.550"),
        ("date", "2026-09-01T10:00:00", "2026-09-02"),
        ("timestamp", "2026-09-01T10:00:00.1234567Z", "2026-09-01T10:00:00.123456Z"),
    ] {
        let folder = Folder::new();
        folder.lake(&format!(
            "[table.t]\npath = \"t/\"\npartition = {{ p = \"{kind}\" }}\n[table.t.columns]\nx = \"int\"\n"
        ));
        folder.parquet(&format!("t/p={fine}/a.parquet"), "select 1 as x");
        assert_eq!(select(&folder, "select x from t"), "x\n1\n");
        folder.parquet(&format!("t/p={name}/a.parquet"), "select 1 as x");
        let said = error(&folder, "select x from t");
        assert!(
            said.starts_with(&format!("error: `{name}` in the path of `t/p={name}/a.parquet` is no {kind}\n")),
            "{said}"
        );
    }
}

#[test]
fn a_file_that_arrives_between_two_statements_is_seen() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    folder.parquet("t/a.parquet", "select 1 as x");
    let script = "select count(*) as n from t;\n\
                  copy (select 2 as x) to 't/b.parquet';\n\
                  select count(*) as n from t;\n\
                  copy (select 2 as x, 'new' as y) to 't/b.parquet';\n\
                  select max(y) as y from t;";
    assert_eq!(folder.cxlake(["--format", "csv"]).stdin(script).prints(), "n\n1\nn\n2\ny\nnew\n");
}

#[test]
fn a_table_of_the_lake_cannot_be_dropped_or_hidden() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t.parquet\"\n");
    folder.parquet("t.parquet", "select 1 as x");
    assert_eq!(
        folder.cxlake(["-c", "drop table t"]).fails(2),
        "error: `t` is a table of the lake and cannot be dropped\n\nhint: take it out of `cxlake.toml`; its files stay\n"
    );
    assert!(folder.at("t.parquet").exists());
    assert_eq!(
        folder.cxlake(["-c", "create or replace view t as select 2 as x"]).fails(2),
        "error: `t` is a table of the lake\n\nhint: give yours another name\n"
    );
}

#[test]
fn a_table_is_shown_with_its_columns_and_its_files() {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\ndescription = \"One row per x.\"\npartition = { period = \"date\" }\n\
         [table.t.columns]\nx = { type = \"int\", description = \"a number\" }\ny = \"text?\"\n",
    );
    folder.parquet("t/period=2026-09-01/a.parquet", "select 1 as x, 'y' as y");
    let said = folder.cxlake(["tables", "show", "t"]).run();
    assert_eq!(
        said.text(),
        "column  type  nullable  nulls  min         max         description\n\
         ──────  ────  ────────  ─────  ──────────  ──────────  ───────────\n\
         x       int   false         0  1           1           a number\n\
         y       text  true          0  y           y\n\
         period  date  true          0  2026-09-01  2026-09-01\n"
    );
    assert!(said.stderr.starts_with("t/: 1 row in 1 file, "), "{said}");
    assert_eq!(
        folder.cxlake(["tables", "show", "tt"]).fails(1),
        "error: table `tt` is not in this lake\n\nhint: `cxlake tables` or `\\d` lists all\n"
    );
    let listed = folder.cxlake(["tables", "--format", "csv"]).prints();
    assert!(listed.starts_with("table,rows,bytes,written,files,partition,path,description\nt,1,"), "{listed}");
    assert!(listed.ends_with(",1,period,t/,One row per x.\n"), "{listed}");
}

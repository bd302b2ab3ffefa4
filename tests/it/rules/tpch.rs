//! TPC-H at scale 0.1: its eight tables and 22 queries.

use std::fmt::{Display, Write as _};
use std::path::Path;

use tpchgen::csv::{CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use super::super::harness::Folder;
use super::{each_and_all, hold};

const SCALE: f64 = 0.1;

/// Columns of money and quantities.
const DECIMALS: [&str; 9] = [
    "l_quantity",
    "l_extendedprice",
    "l_discount",
    "l_tax",
    "o_totalprice",
    "c_acctbal",
    "s_acctbal",
    "ps_supplycost",
    "p_retailprice",
];

/// Makes a table of the lake in a folder.
fn table(folder: &Folder, name: &str, header: &str, rows: impl Iterator<Item = impl Display>) {
    let mut text = format!("{header}\n");
    for row in rows {
        writeln!(text, "{row}").expect("a text takes all");
    }
    folder.write(&format!("{name}.csv"), text);
    let column = |name: &str| {
        if DECIMALS.contains(&name) { format!("cast({name} as decimal(15, 2)) as {name}") } else { name.to_owned() }
    };
    let columns: Vec<String> = header.split(',').map(column).collect();
    let sql = format!("copy (select {} from '{name}.csv') to '{name}.parquet'", columns.join(", "));
    folder.cxlake(["--quiet", "-c", &sql]).prints();
    std::fs::remove_file(folder.at(&format!("{name}.csv"))).expect("it was there");
}

fn tables() -> Folder {
    let folder = Folder::new();
    let keys = [
        ("nation", "\"n_nationkey\""),
        ("region", "\"r_regionkey\""),
        ("part", "\"p_partkey\""),
        ("supplier", "\"s_suppkey\""),
        ("customer", "\"c_custkey\""),
        ("partsupp", "\"ps_partkey\", \"ps_suppkey\""),
        ("orders", "\"o_orderkey\""),
        ("lineitem", "\"l_orderkey\", \"l_linenumber\""),
    ];
    let manifest =
        keys.map(|(name, key)| format!("[table.{name}]\npath = \"{name}.parquet\"\nkey = [{key}]\n")).join("\n");
    folder.lake(&manifest);
    table(&folder, "nation", NationCsv::header(), NationGenerator::new(SCALE, 1, 1).iter().map(NationCsv::new));
    table(&folder, "region", RegionCsv::header(), RegionGenerator::new(SCALE, 1, 1).iter().map(RegionCsv::new));
    table(&folder, "part", PartCsv::header(), PartGenerator::new(SCALE, 1, 1).iter().map(PartCsv::new));
    table(&folder, "supplier", SupplierCsv::header(), SupplierGenerator::new(SCALE, 1, 1).iter().map(SupplierCsv::new));
    table(&folder, "customer", CustomerCsv::header(), CustomerGenerator::new(SCALE, 1, 1).iter().map(CustomerCsv::new));
    table(&folder, "partsupp", PartSuppCsv::header(), PartSuppGenerator::new(SCALE, 1, 1).iter().map(PartSuppCsv::new));
    table(&folder, "orders", OrderCsv::header(), OrderGenerator::new(SCALE, 1, 1).iter().map(OrderCsv::new));
    table(&folder, "lineitem", LineItemCsv::header(), LineItemGenerator::new(SCALE, 1, 1).iter().map(LineItemCsv::new));
    folder
}

fn queries() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rules/tpch");
    (1..=22)
        .map(|number| std::fs::read_to_string(folder.join(format!("q{number:02}.sql"))).expect("a query") + ";")
        .collect()
}

#[test]
fn tpch_gives_the_same_with_each_rule_and_without() {
    let folder = tables();
    let answers = hold(folder.path(), &queries(), &each_and_all());
    // Each has rows, as many as ever.
    let counts: Vec<usize> = (0..22).map(|number| answers[&number.to_string()].len() - 1).collect();
    assert_eq!(counts, COUNTS);
}

/// Rows of each answer at this scale, so that none becomes empty unseen.
const COUNTS: [usize; 22] = [4, 44, 10, 5, 5, 1, 4, 2, 175, 20, 22, 2, 37, 1, 1, 2762, 1, 100, 1, 9, 47, 7];

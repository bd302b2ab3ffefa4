//! Columns that joins merge by name: one value, from whichever side has one, wherever they are named.

use super::harness::{Folder, cxlake};

/// What a query returns over `l(k, u)`, `r(k, v)` and `m(k, w)`, which have `a` in common and `b`, `c` and `d` for themselves.
fn ask(query: &str) -> String {
    let tables = "with l(u, k) as (values (5, 'a'), (6, 'b')), r(v, k) as (values (1, 'a'), (9, 'c')), \
                  m(w, k) as (values (3, 'a'), (4, 'c'), (7, 'd'))";
    cxlake(["--format", "csv", "-c", &format!("{tables} {query}")]).prints()
}

#[test]
fn a_merged_column_has_the_value_of_the_side_that_has_one() {
    for (join, rows) in [
        ("join", "5,a,1\n"),
        ("left join", "5,a,1\n6,b,\n"),
        ("right join", "5,a,1\n,c,9\n"),
        ("full join", "5,a,1\n6,b,\n,c,9\n"),
    ] {
        for (items, header) in [("*", "u,k,v"), ("u, k, v", "u,k,v")] {
            let from = format!("from l {join} r using (k)");
            assert_eq!(ask(&format!("select {items} {from} order by k")), format!("{header}\n{rows}"), "{join}");
        }
        let natural = format!("select * from l natural {join} r order by k");
        assert_eq!(ask(&natural), format!("u,k,v\n{rows}"), "{join}");
        // Whichever name comes first in the alphabet.
        let renamed = format!("select * from l as z {join} r as a using (k) order by k");
        assert_eq!(ask(&renamed), format!("u,k,v\n{rows}"), "{join}");
    }
    assert_eq!(ask("select l.k, r.k as other from l full join r using (k) order by k"), "k,other\na,a\nb,\n,c\n");
    assert_eq!(ask("select count(*) as n from l left join r using (k) where r.k is null"), "n\n1\n");
}

#[test]
fn it_can_be_named_in_every_clause() {
    for (query, rows) in [
        ("select u, v from l full join r using (k) where k = 'c'", "u,v\n,9\n"),
        ("select k, count(*) as n from l full join r using (k) group by k order by k", "k,n\na,1\nb,1\nc,1\n"),
        ("select upper(k) as key from l right join r using (k) order by lower(k) desc", "key\nC\nA\n"),
        ("select k from l full join r using (k) group by k having k > 'a' order by 1", "k\nb\nc\n"),
        (
            "select k, row_number() over (order by k desc) as place from l full join r using (k) order by k",
            "k,place\na,3\nb,2\nc,1\n",
        ),
        ("select v from l full join r using (k) qualify row_number() over (partition by k) = 1 and k = 'c'", "v\n9\n"),
        ("select distinct k from l full join r using (k) order by k", "k\na\nb\nc\n"),
        ("select distinct on (k) k, v from l full join r using (k) order by k, v", "k,v\na,1\nb,\nc,9\n"),
        // What the SELECT calls so comes first where its names count.
        ("select v as k from l full join r using (k) order by k", "k\n1\n9\n\"\"\n"),
        ("select * exclude (u) from l full join r using (k) order by k", "k,v\na,1\nb,\nc,9\n"),
        ("select * replace (upper(k) as k) from l full join r using (k) order by 2", "u,k,v\n5,A,1\n6,B,\n,C,9\n"),
        ("select K as key from l full join r using (k) where \"k\" = 'c'", "key\nc\n"),
    ] {
        assert_eq!(ask(query), rows, "{query}");
    }
}

#[test]
fn it_is_joined_on_by_the_value_that_it_has() {
    for (query, rows) in [
        ("select * from l full join r using (k) join m using (k) order by k", "u,k,v,w\n5,a,1,3\n,c,9,4\n"),
        ("select * from l right join r using (k) left join m using (k) order by k", "u,k,v,w\n5,a,1,3\n,c,9,4\n"),
        ("select k, w from l full join r using (k) full join m using (k) order by k", "k,w\na,3\nb,\nc,4\nd,7\n"),
        ("select l.u, w from l right join (r full join m using (k)) using (k) order by k", "u,w\n5,3\n,4\n,7\n"),
        ("select k, x.n from l full join r using (k) join (values ('c', 8)) x(key, n) on x.key = k", "k,n\nc,8\n"),
        ("select k, x.n from l full join r using (k), (values (8)) x(n) order by k", "k,n\na,8\nb,8\nc,8\n"),
    ] {
        assert_eq!(ask(query), rows, "{query}");
    }
}

#[test]
fn queries_within_queries_have_merged_names_of_their_own() {
    for (query, rows) in [
        ("select count(*) as n from m where exists (select 1 from l join r using (k) where k = 'a')", "n\n3\n"),
        ("select count(*) as n from m where k in (select k from l full join r using (k))", "n\n2\n"),
        ("select w, (select max(k) from l full join r using (k)) as last from m order by w limit 1", "w,last\n3,c\n"),
        ("select * from (select * from l full join r using (k)) order by k", "u,k,v\n5,a,1\n6,b,\n,c,9\n"),
        (
            ", both as (select * from l full join r using (k)) select k, w from both join m using (k) order by k",
            "k,w\na,3\nc,4\n",
        ),
        (
            "select k from l full join r using (k) union all select k from l right join m using (k) where k > 'a' order by k",
            "k\na\nb\nc\nc\nd\n",
        ),
        ("select k from m left semi join l using (k)", "k\na\n"),
    ] {
        assert_eq!(ask(query), rows, "{query}");
    }
}

#[test]
fn what_is_ambiguous_besides_is_refused_as_before() {
    let folder = Folder::new();
    let tables = "with l(u, k) as (values (5, 'a')), r(v, k) as (values (1, 'a')), m(w, k) as (values (3, 'a'))";
    let refused = |query: &str| folder.cxlake(["-c", &format!("{tables} {query}")]).fails(1);
    assert!(refused("select k from l join r using (k) cross join m").contains("ambiguous"));
    assert!(refused("select * exclude (nothing) from l join r using (k)").contains("nothing"));
    assert!(refused("select nothing from l join r using (k)").contains("nothing"));
}

#[test]
fn it_stands_beside_the_columns_that_it_is_merged_of_and_others_of_its_name() {
    for (query, rows) in [
        ("select k, r.k from l full join r using (k) order by v, u", "k,k:1\na,a\nc,c\nb,\n"),
        ("select k, r.k from l right join r using (k) order by v", "k,k:1\na,a\nc,c\n"),
        (
            "select k, r.k, count(*) as n from l full join r using (k) group by k, r.k order by n, 2, 1",
            "k,k:1,n\na,a,1\nc,c,1\nb,,1\n",
        ),
        ("select k as key from l full join r using (k) order by r.k, u", "key\na\nc\nb\n"),
        ("select count(*) as n from (select k, r.* from l full join r using (k))", "n\n3\n"),
        ("select count(*) as n from (select * from m, l full join r using (k) where m.k = 'd')", "n\n3\n"),
    ] {
        assert_eq!(ask(query), rows, "{query}");
    }
    // It keeps its name where the engine takes it.
    assert!(ask("select k from l full join r using (k) order by r.k, u").ends_with("\na\nc\nb\n"));
}

#[test]
fn any_number_of_tables_and_joins_in_parentheses_with_a_name_are_merged() {
    let four = "x0(k) as (values (1), (2)), x1(k) as (values (2), (3)), x2(k) as (values (3), (4)), x3(k) as (values (4), (5))";
    let ask_four = |query: &str| cxlake(["--format", "csv", "-c", &format!("with {four} {query}")]).prints();
    let full = "select k from x0 full join x1 using (k) full join x2 using (k) full join x3 using (k) order by k";
    assert_eq!(ask_four(full), "k\n1\n2\n3\n4\n5\n");
    let natural = "select * from x0 natural full join x1 natural full join x2 natural full join x3 order by k";
    assert_eq!(ask_four(natural), "k\n1\n2\n3\n4\n5\n");
    let inner = "select k from x0 join x0 a using (k) join x0 b using (k) join x0 c using (k) where k > 1";
    assert_eq!(ask_four(inner), "k\n2\n");
    for (query, rows) in [
        ("select k from (l full join r using (k)) as t where k = 'c'", "k\nc\n"),
        ("select t.* from (l full join r using (k)) as t order by t.k", "u,k,v\n5,a,1\n6,b,\n,c,9\n"),
        (
            "select k, w from (l full join r using (k)) as t full join m using (k) order by k",
            "k,w\na,3\nb,\nc,4\nd,7\n",
        ),
    ] {
        assert_eq!(ask(query), rows, "{query}");
    }
}

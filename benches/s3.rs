//! The score of each office over 64 files in a bucket whose server answers each request 20 ms late: cxlake as a whole process, with an
//! empty cache and with a filled one, against DataFusion with the settings of its own command line on object_store's client.
//!
//! `benches/README.md` says how to run it.

// A benchmark says what is wrong by panicking, and prints what it measured; clippy knows that of test functions only.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::cxlake::engine::functions;
use ::cxlake::lake::scale::Scales;
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use harness::{Call, Folder, cxlake};
use object_store::aws::AmazonS3Builder;
use s3::server::{KEY, SECRET, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use url::Url;

// The harness and the server of the tests, which use more of both.
#[allow(dead_code)]
#[path = "../tests/it/harness.rs"]
mod harness;
#[allow(dead_code)]
#[path = "../tests/it/s3"]
mod s3 {
    mod buckets;
    mod http;
    pub mod server;
}

/// Files of the table.
const FILES: usize = 64;

/// What each request takes longer.
const LATENCY: Duration = Duration::from_millis(20);

/// Times the size of the sample: some 260,000 invitations.
const SCALE: &str = "10";

/// How often each runs; the first run of each is not counted.
const ROUNDS: usize = 5;

/// What is asked: answers and the score of each office, in two passes over the files.
const QUESTION: &str = "
    with invitations as (
        select office_id, count(*) as invited, count(answered_at) as answered
        from surveys
        where survey_type = 'relationship' and sent_at >= timestamp '2025-09-01' and sent_at < timestamp '2026-10-01'
        group by office_id
    ),
    latest as (
        select office_id, arg_max(nps, struct(answered_at, response_id)) as nps
        from surveys
        where survey_type = 'relationship'
          and answered_at >= timestamp '2025-09-01' and answered_at < timestamp '2026-10-01'
        group by contact_id, survey_type, office_id
    ),
    scored as (select office_id, nps_stats(nps) as stats from latest group by office_id)
    select o.office_id, o.office, o.region, i.invited, i.answered, s.stats['n'] as n, s.stats['nps'] as nps
    from offices o
    left join invitations i on i.office_id = o.office_id
    left join scored s on s.office_id = o.office_id
    order by nps desc, o.office_id";

/// A lake of which `surveys` is 64 files in bucket `lake`.
fn lake(server: &Server) -> Folder {
    let made = Folder::new();
    let sample = made.at("sample");
    made.cxlake(["generate", "--scale", SCALE, &sample.to_string_lossy()]).prints();
    let columns = "response_id, survey_type, account_id, contact_id, contact_role, office_id, journey_stage, touchpoint, sent_at, \
                   answered_at, nps, csat, ces, weight, comment, language";
    let copies: Vec<String> = (0..FILES)
        .map(|file| {
            format!(
                "copy (select {columns} from (select *, row_number() over (order by sent_at, response_id) as place from surveys) \
                 where place % {FILES} = {file}) to '{}';",
                made.at(&format!("surveys/{file:02}.parquet")).display()
            )
        })
        .collect();
    std::fs::create_dir(made.at("surveys")).expect("a folder");
    made.cxlake(["-c", &copies.concat()]).within(&sample).prints();
    server.put(&made.at("surveys"), "lake/surveys");
    server.put(&sample.join("sample-data/offices"), "lake/offices");
    let manifest = std::fs::read_to_string(sample.join("cxlake.toml")).expect("the manifest");
    let manifest = manifest
        .replace("sample-data/surveys/", "s3://lake/surveys/")
        .replace("partition = { month = \"date\" }\n\n[table.surveys.columns]", "\n[table.surveys.columns]");
    std::fs::write(sample.join("cxlake.toml"), manifest.replace("sample-data/offices/", "s3://lake/offices/"))
        .expect("a manifest");
    made
}

/// Passes on to the server what comes in, each piece of a request late, and answers at once.
async fn delay(listener: TcpListener, server: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let server = TcpStream::connect(server).await.expect("the server");
            for socket in [&client, &server] {
                socket.set_nodelay(true).expect("an open socket");
            }
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let mut piece = vec![0; 64 << 10];
            while let Ok(length @ 1..) = from_client.read(&mut piece).await {
                tokio::time::sleep(LATENCY).await;
                if to_server.write_all(&piece[..length]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// The saved query as a user runs it: the whole process, with what is kept in this folder.
fn ours(lake: &Path, server: &Server, endpoint: &str, cache: &Path) -> Duration {
    let call: Call = cxlake(["-c", QUESTION, "--no-cache", "--format", "csv", "--quiet"]).within(lake).on(server);
    let started = Instant::now();
    let text = call.env("AWS_ENDPOINT_URL_S3", endpoint).env("XDG_CACHE_HOME", cache).prints();
    assert!(text.lines().count() > 10, "{text}");
    started.elapsed()
}

/// The same question, asked of DataFusion as its command line sets it up.
async fn theirs(endpoint: &str) -> Duration {
    let started = Instant::now();
    let store = AmazonS3Builder::new()
        .with_bucket_name("lake")
        .with_region("us-east-1")
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_access_key_id(KEY)
        .with_secret_access_key(SECRET)
        .build()
        .expect("a store");
    let builder = SessionStateBuilder::new().with_default_features();
    let context = SessionContext::new_with_state(functions::register(builder, &Scales::default()).build());
    context.register_object_store(&Url::parse("s3://lake").expect("an address"), Arc::new(store));
    for table in ["surveys", "offices"] {
        let options = ParquetReadOptions::default();
        context.register_parquet(table, &format!("s3://lake/{table}/"), options).await.expect("a table");
    }
    let batches = context.sql(QUESTION).await.expect("a plan").collect().await.expect("a result");
    assert!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() > 10);
    started.elapsed()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let server = Server::start(&["lake"]);
    let made = lake(&server);
    let sample = made.at("sample");
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let address = server.endpoint().trim_start_matches("http://").parse().expect("an address");
    runtime.spawn(delay(listener, address));
    let (mut plain, mut empty, mut filled) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let cache = Folder::new();
        let times = [
            runtime.block_on(theirs(&endpoint)),
            ours(&sample, &server, &endpoint, cache.path()),
            ours(&sample, &server, &endpoint, cache.path()),
        ];
        if round > 0 {
            for (times, time) in [&mut plain, &mut empty, &mut filled].into_iter().zip(times) {
                times.push(time.as_secs_f64() * 1e3);
            }
        }
    }
    let plain = median(plain);
    println!("The score of each office over {FILES} files, {} ms a request,ms,ratio,aim", LATENCY.as_millis());
    println!("DataFusion with its own settings,{plain:.0},1.00,");
    for (what, times) in [("cxlake with an empty cache", empty), ("cxlake with a filled cache", filled)] {
        let time = median(times);
        println!("{what},{time:.0},{:.2},0.33", time / plain);
    }
}

//! What every storage keeps to: one function, run on the disk, in memory and on a bucket.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use cxlake::lake::Root;
use cxlake::storage::{Stores, explain};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{
    Error as StoreError, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use tokio::runtime::Runtime;

use super::super::harness::Folder;
use super::proxy::{Fault, Proxy};
use super::server::Server;

/// Names that some storage or address would change.
const NAMES: [&str; 8] = [
    "with blank.csv",
    "plus+and&.csv",
    "percent%20.csv",
    "ümlaut-日本.csv",
    "a=b,c;d.csv",
    "quote'.csv",
    "tilde~.csv",
    "at@(x).csv",
];

/// More than one page of a listing.
const MANY: usize = 1100;

/// A storage with nothing in it yet.
struct Storage<'a> {
    stores: &'a Stores,
    root: Root,
    store: Arc<dyn ObjectStore>,
    /// The root as a path of the store.
    base: ObjectPath,
}

impl Storage<'_> {
    fn at(&self, name: &str) -> ObjectPath {
        ObjectPath::parse(format!("{}/{name}", self.base)).expect("a key")
    }

    async fn put(&self, name: &str, text: &'static str) {
        self.store.put(&self.at(name), text.into()).await.expect("it is put");
    }

    async fn get(&self, name: &str) -> Bytes {
        self.store.get(&self.at(name)).await.expect("it is there").bytes().await.expect("it is read")
    }

    /// The names that a path stands for, and how many others lie there.
    async fn listed(&self, written: &str) -> (Vec<String>, usize) {
        let location = self.stores.locate(&self.root, written).expect("a location");
        let listing = location.list(self.store.as_ref(), &["parquet", "csv"]).await.expect("it is listed");
        let name = |path: &ObjectPath| {
            let parts: Vec<_> = path.prefix_match(&self.base).expect("below the root").collect();
            location.plain(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("/"))
        };
        (listing.files.iter().map(|file| name(&file.location)).collect(), listing.others)
    }
}

async fn keeps_the_contract(storage: &Storage<'_>) {
    listings(storage).await;
    reading(storage).await;
    names(storage).await;
    many(storage).await;
    absence(storage).await;
    conditions(storage).await;
    uploads(storage).await;
}

/// A listing is sorted and complete, and leaves out what is hidden, of another ending, or outside the glob.
async fn listings(storage: &Storage<'_>) {
    for name in
        ["b.parquet", "a.parquet", "sub/c.parquet", "notes.txt", "_tmp.parquet", ".x.parquet", "_temporary/d.parquet"]
    {
        storage.put(&format!("t/{name}"), name).await;
    }
    storage.put("t2/not-this.parquet", "a folder that begins with the same letters").await;
    let all = ["t/a.parquet", "t/b.parquet", "t/sub/c.parquet"].map(str::to_owned);
    assert_eq!(storage.listed("t/").await, (all.to_vec(), 1));
    assert_eq!(storage.listed("t").await, (all.to_vec(), 1));
    assert_eq!(storage.listed("t/**/*.parquet").await.0, all);
    assert_eq!(storage.listed("t/*.parquet").await.0, all[..2]);
    assert_eq!(storage.listed("t/[bc].parquet").await.0, all[1..2]);
    assert_eq!(storage.listed("t/?.parquet").await.0, all[..2]);
    assert_eq!(storage.listed("t/notes.*").await.0, ["t/notes.txt"]);
    assert_eq!(storage.listed("t/a.parquet").await, (vec!["t/a.parquet".to_owned()], 0));
}

async fn reading(storage: &Storage<'_>) {
    storage.put("r/ten", "0123456789").await;
    storage.put("r/empty.csv", "").await;
    let ten = storage.at("r/ten");
    let meta = storage.store.head(&ten).await.expect("it is there");
    assert_eq!((meta.size, meta.location), (10, ten.clone()));
    assert!(meta.e_tag.is_some());
    let listed: Vec<_> = storage.store.list(Some(&storage.at("r"))).try_collect().await.expect("it is listed");
    let tag = listed.iter().find(|object| object.location == ten).and_then(|object| object.e_tag.clone());
    assert_eq!(tag, meta.e_tag, "a listing knows the version that an answer has");
    assert_eq!(storage.get("r/ten").await, "0123456789");
    let range = |from, to| storage.store.get_range(&ten, from..to);
    assert_eq!(range(2, 5).await.expect("a part"), "234");
    assert_eq!(range(8, 99).await.expect("what there is of it"), "89");
    assert!(range(10, 12).await.is_err(), "nothing is behind the end");
    let ranges = storage.store.get_ranges(&ten, &[7..9, 0..2, 1..3]).await.expect("parts");
    assert_eq!(ranges, ["78", "01", "12"]);
    let end = GetOptions { range: Some(GetRange::Suffix(3)), ..GetOptions::default() };
    assert_eq!(storage.store.get_opts(&ten, end).await.expect("the end").bytes().await.expect("its bytes"), "789");
    assert_eq!(storage.store.head(&storage.at("r/empty.csv")).await.expect("it is there").size, 0);
    assert_eq!(storage.get("r/empty.csv").await, "");
    assert_eq!(storage.listed("r/*.csv").await.0, ["r/empty.csv"]);
    let other = GetOptions { if_match: Some("\"another\"".to_owned()), ..GetOptions::default() };
    let error = storage.store.get_opts(&ten, other).await.expect_err("there is no such version");
    assert!(matches!(error, StoreError::Precondition { .. }), "{error:?}");
}

async fn names(storage: &Storage<'_>) {
    for name in NAMES {
        storage.put(&format!("names/{name}"), name).await;
        assert_eq!(storage.get(&format!("names/{name}")).await, name);
        // A path that was written names the object, whatever its letters.
        assert_eq!(storage.listed(&format!("names/{name}")).await.0, [format!("names/{name}")]);
    }
    let mut sorted = NAMES.map(|name| format!("names/{name}"));
    sorted.sort();
    let (mut found, _) = storage.listed("names/").await;
    found.sort();
    assert_eq!(found, sorted);
}

async fn many(storage: &Storage<'_>) {
    let name = |number: usize| format!("many/part={}/{number:05}.csv", number % 7);
    let names: Vec<String> = (0..MANY).map(name).collect();
    stream::iter(&names).for_each_concurrent(16, |name| storage.put(name, "x")).await;
    let (found, _) = storage.listed("many/").await;
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(found, sorted);
}

async fn absence(storage: &Storage<'_>) {
    let none = storage.at("absence/none");
    assert!(matches!(storage.store.head(&none).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(storage.store.get(&none).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(storage.store.get_range(&none, 0..1).await, Err(StoreError::NotFound { .. })));
    storage.put("absence/gone", "x").await;
    storage.store.delete(&storage.at("absence/gone")).await.expect("it is deleted");
    assert!(matches!(storage.store.head(&storage.at("absence/gone")).await, Err(StoreError::NotFound { .. })));
}

async fn conditions(storage: &Storage<'_>) {
    let place = storage.at("conditions/x");
    let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    storage.store.put_opts(&place, "first".into(), create()).await.expect("nothing is there yet");
    let error = storage.store.put_opts(&place, "second".into(), create()).await.expect_err("it is there");
    assert!(matches!(error, StoreError::AlreadyExists { .. }), "{error:?}");
    assert_eq!(storage.get("conditions/x").await, "first");
    storage.put("conditions/x", "third").await;
    assert_eq!(storage.get("conditions/x").await, "third");
}

/// An upload in parts is seen when it is complete, and never when it is given up.
async fn uploads(storage: &Storage<'_>) {
    const PART: usize = 5 << 20;
    let (whole, given_up) = (storage.at("uploads/whole"), storage.at("uploads/given-up"));
    let mut upload = storage.store.put_multipart(&whole).await.expect("an upload");
    upload.put_part(vec![1; PART].into()).await.expect("a part");
    upload.put_part(vec![2; 10].into()).await.expect("a part");
    assert!(matches!(storage.store.head(&whole).await, Err(StoreError::NotFound { .. })), "it is not seen before");
    upload.complete().await.expect("it is complete");
    assert_eq!(storage.store.head(&whole).await.expect("it is there").size, PART as u64 + 10);
    let seam = storage.store.get_range(&whole, PART as u64 - 1..PART as u64 + 1).await.expect("a part");
    assert_eq!(seam.as_ref(), [1, 2]);
    let mut upload = storage.store.put_multipart(&given_up).await.expect("an upload");
    upload.put_part(vec![1; 10].into()).await.expect("a part");
    upload.abort().await.expect("it is given up");
    assert!(matches!(storage.store.head(&given_up).await, Err(StoreError::NotFound { .. })));
}

fn on_runtime(test: impl AsyncFnOnce(Stores)) {
    let runtime = Runtime::new().expect("a runtime");
    let stores = Stores::new(runtime.handle().clone());
    runtime.block_on(test(stores));
}

#[test]
fn the_disk_keeps_the_contract() {
    on_runtime(async |stores| {
        let folder = Folder::new();
        let store = stores.open("file:///").expect("the disk");
        let base = ObjectPath::from_absolute_path(folder.path()).expect("a path");
        let root = Root::Folder(folder.path().to_owned());
        keeps_the_contract(&Storage { stores: &stores, root, store, base }).await;
    });
}

#[test]
fn memory_keeps_the_contract() {
    on_runtime(async |stores| {
        let root = Root::Address("s3://memory/folder".to_owned());
        let (store, base) = (Arc::new(InMemory::new()), ObjectPath::from("folder"));
        keeps_the_contract(&Storage { stores: &stores, root, store, base }).await;
    });
}

/// Set in the process that has the environment of the proxy.
const WITHIN: &str = "CXLAKE_TEST_WITHIN";

#[test]
fn a_bucket_keeps_the_contract() {
    if std::env::var_os(WITHIN).is_some() {
        return on_runtime(async |stores| {
            let root = Root::Address("s3://lake/folder".to_owned());
            let store = stores.open("s3://lake/").expect("a bucket");
            let base = ObjectPath::from("folder");
            keeps_the_contract(&Storage { stores: &stores, root, store, base }).await;
            denial(&stores).await;
        });
    }
    let server = Server::start(&["lake"]);
    let proxy = Proxy::start(&server, |asked, _| match asked.key.starts_with("denied") {
        true => Fault::Refuse(403, "AccessDenied", None),
        false => Fault::None,
    });
    // Credentials come from the environment, and that of a process is not to be changed while others read it.
    let itself = std::env::current_exe().expect("the path of the tests");
    let mut command = Command::new(itself);
    command.args(["--exact", "s3::contract::a_bucket_keeps_the_contract"]).env(WITHIN, "1");
    let output = command.envs(proxy.environment()).output().expect("the tests start");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// What one may not read is not what is not there.
async fn denial(stores: &Stores) {
    let store = stores.open("s3://lake/").expect("a bucket");
    let denied = ObjectPath::from("denied/x");
    for error in [
        store.head(&denied).await.map(|_| ()).expect_err("it is denied"),
        store.get(&denied).await.map(|_| ()).expect_err("it is denied"),
        store.list(Some(&denied)).try_collect::<Vec<_>>().await.map(|_| ()).expect_err("it is denied"),
    ] {
        assert!(!matches!(error, StoreError::NotFound { .. }), "{error:?}");
        let said = explain(&error, "").to_string();
        let is_said =
            ["read", "list"].map(|verb| said.contains(&format!(") {verb} bucket `lake` (AccessDenied), and")));
        assert_ne!(is_said, [false, false], "{said}");
    }
}

/// The folder that a test runs in is not the root of a storage.
#[test]
fn a_relative_path_starts_at_the_root_of_its_storage() {
    on_runtime(async |stores| {
        let folder = Folder::new();
        folder.write("a/x.csv", "x\n1\n");
        let here = stores.locate(&Root::Folder(folder.path().to_owned()), "a/").expect("a location");
        assert_eq!(here.base.as_ref(), ObjectPath::from_absolute_path(folder.at("a")).expect("a path").as_ref());
        let there = stores.locate(&Root::Address("s3://lake/folder".to_owned()), "a/").expect("a location");
        assert_eq!((there.store_url.as_str(), there.base.as_ref()), ("s3://lake/", "folder/a"));
        assert!(Path::new(&here.written).is_relative());
    });
}

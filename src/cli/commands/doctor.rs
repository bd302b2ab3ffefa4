//! `cxlake doctor [STORE]`: whether a bucket can be reached, and what to mend where it cannot.

use std::fmt::Write;

use tokio::runtime::Handle;

use super::super::settings::Settings;
use super::print;
use crate::error::{Error, Result};
use crate::lake::store::{self, Store};
use crate::lake::{Root, is_address};
use crate::shell::interrupt::Interrupt;
use crate::storage::s3::{Finding, examine};
use crate::suggest;

/// A store to examine.
struct Patient {
    store: Store,
    /// Whether the manifest allows to write there.
    writes: bool,
}

pub async fn run(named: Option<&str>, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let patients = patients(named, settings, &interrupt).await?;
    if patients.is_empty() {
        return Err(Error::usage("this lake has no store to examine")
            .hint("name a bucket, `cxlake doctor s3://bucket/`, or declare one as `[store.NAME]` in `cxlake.toml`"));
    }
    let mut ill = 0;
    for Patient { store, writes } in &patients {
        let runtime = Handle::current();
        let findings = interrupt.guard(async { Ok(examine(store, *writes, &runtime).await) }).await?;
        print(&shown(store, &findings))?;
        ill += usize::from(findings.iter().any(|finding| finding.outcome.is_err()));
    }
    match (ill, patients.len()) {
        (0, _) => Ok(()),
        (_, 1) => Err(Error::storage("the store cannot be used as it is")),
        (ill, all) => Err(Error::storage(format!("{ill} of {all} stores cannot be used as they are"))),
    }
}

/// The stores to examine: the one that is named, else the lake's own bucket and all that its manifest declares.
async fn patients(named: Option<&str>, settings: &Settings, interrupt: &Interrupt) -> Result<Vec<Patient>> {
    if let Some(address) = named.filter(|name| is_address(name)) {
        // An address needs no lake; the one that is here may be what is ill.
        return Ok(vec![of_address(address, &[])?]);
    }
    let (lake, _) = interrupt.guard(settings.open()).await?;
    let declared: Vec<Store> = lake.stores.into_values().collect();
    match (named, &lake.root) {
        (Some(name), _) => Ok(vec![of_name(name, declared)?]),
        (None, Root::Address(address)) => {
            let own = of_address(address, &declared)?;
            let is_other = |store: &Store| store.bucket != own.store.bucket;
            let others: Vec<Patient> = declared.into_iter().filter(is_other).map(of_store).collect();
            Ok([own].into_iter().chain(others).collect())
        }
        (None, Root::Folder(_)) => Ok(declared.into_iter().map(of_store).collect()),
    }
}

fn of_store(store: Store) -> Patient {
    Patient { writes: store.write, store }
}

fn of_address(address: &str, declared: &[Store]) -> Result<Patient> {
    let (bucket, prefix) = store::take_apart(address)?;
    Ok(match declared.iter().find(|store| store.bucket == bucket) {
        Some(store) => of_store(store.clone()),
        None => Patient { store: Store { prefix, ..Store::undeclared(&bucket) }, writes: false },
    })
}

fn of_name(name: &str, mut declared: Vec<Store>) -> Result<Patient> {
    if let Some(place) = declared.iter().position(|store| store.name == name) {
        return Ok(of_store(declared.swap_remove(place)));
    }
    let error = Error::usage(format!("no store `{name}` in this lake"));
    let names = || declared.iter().map(|store| store.name.as_str());
    Err(match suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if declared.is_empty() => error.hint("it declares none; a bucket is named as `s3://bucket/`"),
        None => error.hint(format!("its stores: {}", suggest::list(names()))),
    })
}

/// The findings as a person reads them.
fn shown(store: &Store, findings: &[Finding]) -> String {
    let mut text = format!("{} ({})\n", store.name, store.address(""));
    for Finding { what, outcome, took } in findings {
        let took = took.map(|took| format!(" ({} ms)", took.as_millis())).unwrap_or_default();
        let _ = match outcome {
            Ok(found) => writeln!(text, "  ok     {what:<15} {found}{took}"),
            Err(error) => writeln!(text, "  wrong  {what:<15} {error}{took}"),
        };
        if let Some(hint) = outcome.as_ref().err().and_then(Error::hint_text) {
            let _ = writeln!(text, "         {:<15} hint: {hint}", "");
        }
    }
    text
}

//! Listings of a partitioned folder that pass by the partitions which nobody wants.
//!
//! Folders are looked at level by level, as long as somebody has an opinion on the level. Wanted folders that are neighbours in
//! the order of a listing are listed together: a range of a hundred months takes as few requests as its objects fill pages,
//! and where every folder is wanted the listing is the plain one. A page may hold some objects behind the last wanted folder;
//! they are dropped.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, future, stream};
use object_store::path::Path as ObjectPath;
use object_store::{ListResult, ObjectMeta, ObjectStore};

use super::replaced::{self, Reading};
use super::{Listing, Location, explain};
use crate::error::Result;

/// Requests for listings under way at once.
const AT_ONCE: usize = 16;

/// Folders whose objects are listed together.
struct Run {
    parent: ObjectPath,
    first: ObjectPath,
    last: ObjectPath,
    wanted: HashSet<ObjectPath>,
    /// Whether it is all that there is in the parent.
    is_all: bool,
}

impl Location {
    /// Lists the files, but for those in folders that are not wanted. Looks at the first `levels` of folders; `wanted` sees the
    /// names of a folder and of those above it, from the location downwards.
    ///
    /// # Errors
    /// As [`Location::list`], and those of `wanted`.
    pub async fn list_where(
        &self,
        store: &dyn ObjectStore,
        extensions: &[&str],
        levels: usize,
        wanted: impl Fn(&[String]) -> Result<bool>,
    ) -> Result<Listing> {
        if levels == 0 || !self.is_folder() {
            return self.list(store, extensions).await;
        }
        let names = |path: &ObjectPath| -> Vec<String> {
            path.prefix_match(&self.base).into_iter().flatten().map(|name| name.as_ref().to_owned()).collect()
        };
        let is_wanted = |file: &ObjectPath| {
            let mut folders = names(file);
            folders.pop();
            (1..=folders.len().min(levels)).try_fold(true, |all, level| Ok(all && wanted(&folders[..level])?))
        };
        let mut reading = Reading::begin();
        loop {
            let (found, folders_left_out) = self.found_where(store, levels, &wanted).await?;
            if let Some(found) = reading.counting(store, self, found, is_wanted).await? {
                return Ok(Listing { folders_left_out, ..self.counting(found, extensions) });
            }
        }
    }

    /// One listing of the wanted folders and of the records, and how many folders were left out.
    async fn found_where(
        &self,
        store: &dyn ObjectStore,
        levels: usize,
        wanted: &impl Fn(&[String]) -> Result<bool>,
    ) -> Result<(Vec<ObjectMeta>, usize)> {
        let failed = |error: object_store::Error| explain(&error, &format!("cannot list `{}`", self.written));
        let (mut found, mut folders_left_out) = (Vec::new(), 0);
        let mut parents = vec![self.base.clone()];
        let mut runs = Vec::new();
        for level in 1..=levels {
            let listings: Vec<(ObjectPath, ListResult)> = stream::iter(parents.split_off(0))
                .map(|parent| async move {
                    let listed = store.list_with_delimiter(Some(&parent)).await?;
                    Ok((parent, listed))
                })
                .buffered(AT_ONCE)
                .try_collect()
                .await
                .map_err(failed)?;
            for (parent, listed) in listings {
                found.extend(listed.objects);
                let mut folders = Vec::new();
                for folder in listed.common_prefixes {
                    let names = folder.prefix_match(&self.base).into_iter().flatten();
                    let names: Vec<String> = names.map(|name| name.as_ref().to_owned()).collect();
                    // Records say what counts in all folders.
                    let is_records = names.last().is_some_and(|name| name == replaced::FOLDER);
                    let is_wanted = is_records || wanted(&names)?;
                    folders_left_out += usize::from(!is_wanted);
                    folders.push((folder, is_wanted));
                }
                match level == levels {
                    true => runs.extend(neighbours(&parent, folders)),
                    false => {
                        parents
                            .extend(folders.into_iter().filter(|(_, is_wanted)| *is_wanted).map(|(folder, _)| folder));
                    }
                }
            }
        }
        let listed: Vec<Vec<ObjectMeta>> =
            stream::iter(runs).map(|run| run.list(store)).buffered(AT_ONCE).try_collect().await.map_err(failed)?;
        found.extend(listed.into_iter().flatten());
        Ok((found, folders_left_out))
    }
}

impl Run {
    async fn list(self, store: &dyn ObjectStore) -> object_store::Result<Vec<ObjectMeta>> {
        if self.first == self.last {
            return store.list(Some(&self.first)).try_collect().await;
        }
        let listing = match self.is_all {
            true => store.list(Some(&self.parent)),
            // What comes behind a folder's name without the slash is in it, or in one that begins with its name.
            false => store.list_with_offset(Some(&self.parent), &self.first),
        };
        let end = in_order(&self.last);
        let level = self.first.parts_count();
        listing
            .try_take_while(|file| {
                future::ok(file.location.as_ref() < end.as_str() || file.location.as_ref().starts_with(&end))
            })
            .try_filter(|file| {
                let folder: ObjectPath = file.location.parts().take(level).collect();
                future::ready(self.wanted.contains(&folder))
            })
            .try_collect()
            .await
    }
}

/// What a listing orders a folder's objects by.
fn in_order(folder: &ObjectPath) -> String {
    format!("{folder}/")
}

/// The wanted folders in runs between those that are not.
fn neighbours(parent: &ObjectPath, mut folders: Vec<(ObjectPath, bool)>) -> Vec<Run> {
    folders.sort_by_cached_key(|(folder, _)| in_order(folder));
    let is_all = folders.iter().all(|(_, is_wanted)| *is_wanted);
    folders
        .chunk_by(|one, next| one.1 == next.1)
        .filter(|run| run[0].1)
        .map(|run| Run {
            parent: parent.clone(),
            first: run[0].0.clone(),
            last: run[run.len() - 1].0.clone(),
            wanted: run.iter().map(|(folder, _)| folder.clone()).collect(),
            is_all,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::super::Stores;
    use super::*;
    use crate::lake::Root;

    /// The files of `s3://lake/t/` that are listed where folders with these names are wanted on so many levels.
    async fn listed(files: &[&str], levels: usize, wanted: &[&str]) -> (Vec<String>, usize) {
        let store = Arc::new(InMemory::new());
        for file in files {
            let path = ObjectPath::parse(format!("t/{file}")).expect("a path");
            store.put(&path, PutPayload::from_static(b"x")).await.expect("it is put");
        }
        let stores = Stores::new(tokio::runtime::Handle::current());
        let location = stores.locate(&Root::Address("s3://lake".to_owned()), "t/").expect("a location");
        let is_wanted = |names: &[String]| Ok(names.last().is_none_or(|name| wanted.contains(&name.as_str())));
        let listing = location.list_where(store.as_ref(), &["parquet"], levels, is_wanted).await.expect("a listing");
        let files = listing.files.iter().map(|file| file.location.as_ref()[2..].to_owned());
        (files.collect(), listing.folders_left_out)
    }

    #[test]
    fn neighbours_are_listed_together_and_nothing_between_them_comes_along() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let files =
            ["k=a/1.parquet", "k=a-b/2.parquet", "k=a b/3.parquet", "k=b/4.parquet", "k=b0/5.parquet", "6.parquet"];
        runtime.block_on(async {
            let all = ["k=a", "k=a-b", "k=a b", "k=b", "k=b0"];
            assert_eq!(listed(&files, 1, &all).await.0.len(), 6);
            // In a listing `k=a b/` and `k=a-b/` come before `k=a/`.
            for wanted in [&["k=a", "k=b"][..], &["k=a b", "k=a"], &["k=a b", "k=a-b"], &["k=b", "k=b0"], &["k=a"], &[]]
            {
                let (found, left_out) = listed(&files, 1, wanted).await;
                let folder = |file: &String| file.split('/').next().expect("a part").to_owned();
                let mut folders: Vec<String> = found.iter().map(folder).collect();
                let mut expected: Vec<&str> = wanted.to_vec();
                expected.push("6.parquet");
                folders.sort();
                expected.sort_unstable();
                assert_eq!(folders, expected);
                assert_eq!(left_out, 5 - wanted.len());
            }
        });
    }

    #[test]
    fn a_second_level_is_looked_at_below_the_wanted_folders_of_the_first() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let files = ["y=1/m=1/a.parquet", "y=1/m=2/b.parquet", "y=2/m=1/c.parquet", "y=2/loose.parquet"];
        runtime.block_on(async {
            assert_eq!(listed(&files, 2, &["y=1", "m=2"]).await.0, ["y=1/m=2/b.parquet"]);
            assert_eq!(listed(&files, 2, &["y=2", "m=2"]).await.0, ["y=2/loose.parquet"]);
        });
    }
}

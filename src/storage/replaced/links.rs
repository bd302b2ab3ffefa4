//! Where files lie to which links on the disk lead: they are another table's too, and its records say what of them counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use object_store::path::Path as ObjectPath;

use crate::storage::{Location, local};

/// The links that a listing has followed.
#[derive(Debug, Default)]
pub struct Links {
    /// Folders that are links, or lie behind one as the folder that was listed may, with where they lie.
    followed: BTreeMap<ObjectPath, ObjectPath>,
    /// All folders of its files, with where they lie.
    places: HashMap<ObjectPath, ObjectPath>,
}

impl Links {
    /// Those on the way to a location and from it to its files; a bucket knows none. What is gone meanwhile lies where its path says.
    pub fn among<'a>(location: &Location, files: impl IntoIterator<Item = &'a ObjectPath>) -> Self {
        let mut links = Self::default();
        if !location.is_local() {
            return links;
        }
        let base = &location.base;
        links.place(base, base);
        let mut seen = HashSet::new();
        for file in files {
            let is_new = file.as_ref().rsplit_once('/').is_some_and(|(folder, _)| seen.insert(folder));
            if is_new && let Some(folder) = file.parent() {
                links.place(base, &folder);
            }
        }
        links
    }

    /// Where a folder lies; each on the way to it is looked at once.
    fn place(&mut self, base: &ObjectPath, folder: &ObjectPath) -> ObjectPath {
        if let Some(known) = self.places.get(folder) {
            return known.clone();
        }
        let place = match (folder.parent(), folder.parts().next_back()) {
            (Some(above), Some(name)) if folder != base && !is_link(folder) => self.place(base, &above).join(name),
            _ => self.follow(folder),
        };
        self.places.insert(folder.clone(), place.clone());
        place
    }

    fn follow(&mut self, folder: &ObjectPath) -> ObjectPath {
        let found = local::path(folder).and_then(|path| ObjectPath::from_filesystem_path(path).ok());
        let place = found.unwrap_or_else(|| folder.clone());
        if place != *folder {
            self.followed.insert(folder.clone(), place.clone());
        }
        place
    }

    /// Where the links lead.
    pub fn ends(&self) -> impl Iterator<Item = &ObjectPath> {
        self.followed.values()
    }

    /// The first link below the location, and where it leads.
    pub fn below(&self, location: &Location) -> Option<(&ObjectPath, &ObjectPath)> {
        self.followed.iter().find(|(link, _)| **link != location.base)
    }

    /// Where a file lies, if a link led to it.
    pub fn place_of(&self, file: &ObjectPath) -> Option<ObjectPath> {
        if self.followed.is_empty() {
            return None;
        }
        let folder = file.parent()?;
        let place = self.places.get(&folder).filter(|place| **place != folder)?;
        Some(place.clone().join(file.parts().next_back()?))
    }

    /// The paths by which the listing has, or would have, a file that lies there.
    pub fn paths_to(&self, place: &ObjectPath) -> Vec<ObjectPath> {
        if self.followed.is_empty() {
            return Vec::new();
        }
        let (Some(folder), Some(name)) = (place.parent(), place.parts().next_back()) else { return Vec::new() };
        let folders = self.places.iter().filter(|(path, place)| **place == folder && path != place);
        folders.map(|(path, _)| path.clone().join(name.clone())).collect()
    }
}

fn is_link(folder: &ObjectPath) -> bool {
    local::path(folder).is_some_and(|path| path.is_symlink())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_lies_where_the_links_on_the_way_to_it_lead() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path without links");
        std::fs::create_dir_all(root.join("a/sub/k=1")).expect("the folder is made");
        std::fs::create_dir(root.join("b")).expect("the folder is made");
        symlink(root.join("a/sub"), root.join("b/d e")).expect("it is linked");
        symlink(root.join("b"), root.join("c")).expect("it is linked");
        let path = |name: &str| ObjectPath::from_absolute_path(root.join(name)).expect("a path");
        let location = |name: &str| local::open(&root, name).expect("a location");
        let file = path("a/sub/k=1/0.parquet");

        let links = Links::among(&location("a"), [&file]);
        assert_eq!((links.place_of(&file), links.ends().count()), (None, 0));

        let (linked, own) = (path("b/d e/k=1/0.parquet"), path("b/own.parquet"));
        let links = Links::among(&location("b"), [&linked, &own]);
        assert_eq!((links.place_of(&linked), links.place_of(&own)), (Some(file.clone()), None));
        assert_eq!(links.paths_to(&file), [linked]);
        assert_eq!(links.below(&location("b")), Some((&path("b/d e"), &path("a/sub"))));

        let (linked, own) = (path("c/d e/k=1/0.parquet"), path("c/own.parquet"));
        let links = Links::among(&location("c"), [&linked, &own]);
        assert_eq!((links.place_of(&linked), links.place_of(&own)), (Some(file), Some(path("b/own.parquet"))));
        assert_eq!(links.ends().collect::<Vec<_>>(), [&path("b"), &path("a/sub")]);
    }
}

//! Lets the files of a report appear in a folder or a bucket: all of them when all are written, or none.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::MadeFile;
use crate::error::{Error, Result};
use crate::lake::Root;
use crate::output::target::Target;
use crate::storage::{Stores, Upload};

/// Puts files in a folder, which is made where it is not there, or below an address of a bucket; relative folders start at
/// `root`. Gives where each is now.
///
/// # Errors
/// `Usage` where nothing may be written and for a store that is not declared, `Storage` when disk or server refuse. Files that were
/// replaced before a disk failed between two renames stay replaced.
pub async fn place(stores: &Stores, root: &Root, files: &[MadeFile], destination: &str) -> Result<Vec<String>> {
    if let Some(address) = stores.output(root, destination)? {
        in_bucket(stores, files, address.trim_end_matches('/')).await
    } else {
        let written = destination.strip_prefix("file://").unwrap_or(destination);
        let folder = match root {
            Root::Folder(folder) => folder.join(written),
            Root::Address(_) => written.into(),
        };
        in_folder(files, &folder)
    }
}

fn in_folder(files: &[MadeFile], folder: &Path) -> Result<Vec<String>> {
    let failed = |doing: &Path, error: io::Error| {
        Error::storage(format!("cannot write `{}`: {error}", doing.display())).caused_by(error)
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut targets = Vec::new();
    let mut places = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        let mut target = Target::file(&path)?;
        copy(file, &mut target).map_err(|error| failed(&path, error))?;
        targets.push(target);
        places.push(path.display().to_string());
    }
    // From here on only names change.
    for target in targets {
        target.commit()?;
    }
    Ok(places)
}

async fn in_bucket(stores: &Stores, files: &[MadeFile], address: &str) -> Result<Vec<String>> {
    let mut uploads = Vec::new();
    let mut failure = None;
    for file in files {
        let place = format!("{address}/{}", file.name);
        let mut upload = match Upload::begin(stores, &place).await {
            Ok(upload) => upload,
            Err(error) => {
                failure = Some(error);
                break;
            }
        };
        let copied = copy(file, &mut upload);
        uploads.push((place, upload));
        if let Err(error) = copied {
            failure = Some(Error::storage(format!("cannot write `{address}/{}`: {error}", file.name)).caused_by(error));
            break;
        }
    }
    let mut places = Vec::new();
    for (place, upload) in uploads {
        match &failure {
            None => match upload.commit().await {
                Ok(()) => places.push(place),
                Err(error) => failure = Some(error),
            },
            // What the upload itself met is the better reason.
            Some(_) => failure = upload.discard().await.or(failure),
        }
    }
    failure.map_or(Ok(places), Err)
}

fn copy(file: &MadeFile, out: &mut impl Write) -> io::Result<()> {
    let mut made = File::open(&file.path)?;
    io::copy(&mut made, out)?;
    out.flush()
}

//! A catalog's files. The only I/O of the catalog.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Deepest folder below the catalog's that is looked into.
const MAXIMUM_DEPTH: usize = 16;

/// A file of a catalog.
#[derive(Debug, Clone)]
pub struct CatalogFile {
    /// Name for messages: the path as the user would write it.
    pub name: String,
    /// Whether it is YAML rather than JSON.
    pub yaml: bool,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Why a catalog could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system says so.
    #[error("cannot read catalog {}: {source}", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no JSON or YAML file.
    #[error("catalog {} holds no .json, .yaml or .yml file", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Folders nested without end (a link that leads back).
    #[error("catalog folder {} is nested more than {MAXIMUM_DEPTH} levels deep", path.display())]
    TooDeep {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads all JSON and YAML files of a folder and the folders in it, sorted by path; or one file.
/// Names that begin with a dot are left out.
///
/// # Errors
/// The first file or folder that cannot be read.
pub fn read_folder(path: &Path) -> Result<Vec<CatalogFile>, SourceError> {
    let mut paths = Vec::new();
    let metadata = fs::metadata(path).map_err(|source| failure(path, source))?;
    if metadata.is_dir() {
        collect(path, 0, &mut paths)?;
    } else {
        paths.push(path.to_owned());
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for file in paths {
        let bytes = fs::read(&file).map_err(|source| failure(&file, source))?;
        let yaml = file.extension().is_some_and(|extension| extension != "json");
        files.push(CatalogFile { name: file.display().to_string(), yaml, bytes });
    }
    if files.is_empty() {
        return Err(SourceError::Empty { path: path.to_owned() });
    }
    Ok(files)
}

fn failure(path: &Path, source: io::Error) -> SourceError {
    SourceError::Read { path: path.to_owned(), source }
}

fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    if depth > MAXIMUM_DEPTH {
        return Err(SourceError::TooDeep { path: folder.to_owned() });
    }
    for entry in fs::read_dir(folder).map_err(|source| failure(folder, source))? {
        let entry = entry.map_err(|source| failure(folder, source))?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let metadata = fs::metadata(&path).map_err(|source| failure(&path, source))?;
        if metadata.is_dir() {
            collect(&path, depth + 1, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json" || extension == "yaml" || extension == "yml")
        {
            paths.push(path);
        }
    }
    Ok(())
}

//! Files of documents: one file, or all files of a folder. With the standard
//! streams of the program, the only input of documents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::stream::{Stream, StreamError};
use super::tape::{Document, Kind, describe};
use super::yaml::{self, YamlError};
use crate::diagnostic::Location;

/// Deepest folder below the named one that is looked into.
const MAXIMUM_DEPTH: usize = 16;

/// A file with documents.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Name for messages: the path as the user would write it.
    pub name: String,
    /// Whether it is YAML rather than JSON.
    pub yaml: bool,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A file that is no JSON or YAML.
#[derive(Debug, thiserror::Error)]
pub enum SyntaxError {
    /// JSON.
    #[error(transparent)]
    Json(#[from] StreamError),
    /// YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// YAML in another encoding.
    #[error("{file}: invalid UTF-8 (byte {offset} of the file)")]
    Encoding {
        /// File name.
        file: String,
        /// Offset of the first byte that is no UTF-8.
        offset: usize,
    },
}

impl SyntaxError {
    /// The place that it is about, where it is known.
    #[must_use]
    pub fn location(&self) -> Option<Location> {
        match self {
            Self::Json(error) => error.location(),
            Self::Yaml(error) => Some(error.location()),
            Self::Encoding { .. } => None,
        }
    }
}

impl SourceFile {
    /// Reads a file that is YAML by its name.
    ///
    /// # Errors
    /// The system's.
    pub fn read_yaml(path: &Path) -> Result<SourceFile, StreamError> {
        let name = path.display().to_string();
        match fs::read(path) {
            Ok(bytes) => Ok(SourceFile {
                name,
                yaml: true,
                bytes,
            }),
            Err(source) => Err(StreamError::Read { file: name, source }),
        }
    }

    /// The documents of the file; in YAML a document that is a list stands for its elements.
    ///
    /// # Errors
    /// The first place that cannot be read as a document.
    pub fn documents(&self) -> Result<Vec<Document>, SyntaxError> {
        if !self.yaml {
            return Ok(self.json_documents()?);
        }
        let text = std::str::from_utf8(&self.bytes).map_err(|error| SyntaxError::Encoding {
            file: self.name.clone(),
            offset: error.valid_up_to(),
        })?;
        let mut documents = Vec::new();
        for document in yaml::documents(text, &self.name)? {
            match document.elements() {
                Some(elements) => documents.extend(elements),
                None => documents.push(document),
            }
        }
        match documents.iter().find(|it| it.root().kind() != Kind::Object) {
            Some(other) => Err(not_an_object(other).into()),
            None => Ok(documents),
        }
    }

    /// The documents of a JSON file: one, an array of them, one after another or one a line.
    ///
    /// # Errors
    /// The first place that cannot be read as a document.
    pub fn json_documents(&self) -> Result<Vec<Document>, StreamError> {
        let mut documents = Vec::new();
        let mut stream = Stream::new(self.bytes.as_slice(), &self.name);
        while let Some(batch) = stream.next_batch() {
            let (read, error) = batch.parse();
            documents.extend(read);
            if let Some(error) = error {
                return Err(error);
            }
        }
        Ok(documents)
    }
}

/// Files of one kind: what they are together, and how their names end.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// What the files are together, for messages: `catalog`.
    pub what: &'static str,
    /// How the names of the files that count end, without the dot.
    pub extensions: &'static [&'static str],
}

/// Why files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system says so.
    #[error("cannot read {what} {}: {source}", path.display())]
    Read {
        /// What was read.
        what: &'static str,
        /// File or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no file that counts.
    #[error("{what} {} holds no {extensions} file", path.display())]
    Empty {
        /// What was read.
        what: &'static str,
        /// How its files end.
        extensions: String,
        /// The folder.
        path: PathBuf,
    },
    /// Folders nested without end (a link that leads back).
    #[error("{what} folder {} is nested more than {MAXIMUM_DEPTH} levels deep", path.display())]
    TooDeep {
        /// What was read.
        what: &'static str,
        /// The folder.
        path: PathBuf,
    },
}

impl Selection {
    /// The error of a folder without a file that counts.
    pub fn empty(&self, path: &Path) -> SourceError {
        let dotted: Vec<String> = self.extensions.iter().map(|it| format!(".{it}")).collect();
        let extensions = match dotted.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => dotted.concat(),
        };
        SourceError::Empty {
            what: self.what,
            extensions,
            path: path.to_owned(),
        }
    }

    /// Reads all files that count of a folder and the folders in it, sorted by path; or one file,
    /// whatever its name. Names that begin with a dot are left out.
    ///
    /// # Errors
    /// The first file or folder that cannot be read.
    pub fn read(&self, path: &Path) -> Result<Vec<SourceFile>, SourceError> {
        let mut paths = Vec::new();
        let metadata = fs::metadata(path).map_err(|source| self.failure(path, source))?;
        if metadata.is_dir() {
            self.collect(path, 0, &mut paths)?;
        } else {
            paths.push(path.to_owned());
        }
        paths.sort();
        let mut files = Vec::with_capacity(paths.len());
        for file in paths {
            let bytes = fs::read(&file).map_err(|source| self.failure(&file, source))?;
            let yaml = !file
                .extension()
                .is_none_or(|it| it == "json" || it == "ndjson");
            files.push(SourceFile {
                name: file.display().to_string(),
                yaml,
                bytes,
            });
        }
        Ok(files)
    }

    fn failure(&self, path: &Path, source: io::Error) -> SourceError {
        SourceError::Read {
            what: self.what,
            path: path.to_owned(),
            source,
        }
    }

    fn collect(
        &self,
        folder: &Path,
        depth: usize,
        paths: &mut Vec<PathBuf>,
    ) -> Result<(), SourceError> {
        if depth > MAXIMUM_DEPTH {
            return Err(SourceError::TooDeep {
                what: self.what,
                path: folder.to_owned(),
            });
        }
        for entry in fs::read_dir(folder).map_err(|source| self.failure(folder, source))? {
            let entry = entry.map_err(|source| self.failure(folder, source))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let metadata = fs::metadata(&path).map_err(|source| self.failure(&path, source))?;
            let counts = |extension: &std::ffi::OsStr| {
                self.extensions.iter().any(|known| extension == *known)
            };
            if metadata.is_dir() {
                self.collect(&path, depth + 1, paths)?;
            } else if metadata.is_file() && path.extension().is_some_and(counts) {
                paths.push(path);
            }
        }
        Ok(())
    }
}

fn not_an_object(document: &Document) -> StreamError {
    let Location {
        file, line, column, ..
    } = document.root().location();
    StreamError::NotAnObject {
        file,
        line,
        column,
        found: describe(document.root()),
    }
}

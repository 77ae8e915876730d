//! The mails of a server that has no mail server.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder, and the mails that have been read.
pub(crate) struct Outbox {
    folder: PathBuf,
    read: HashSet<PathBuf>,
}

impl Outbox {
    /// The outbox of the server with this data folder.
    pub(crate) fn of(data: &Path) -> Self {
        Self { folder: data.join("outbox"), read: HashSet::new() }
    }

    /// The number of mails. The folder is created with the first.
    pub(crate) fn mails(&self) -> usize {
        self.files().len()
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let files = folder.map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|e| e == "eml")).collect()
    }

    /// Waits for the next mail, and returns its code.
    pub(crate) async fn next_code(&mut self) -> String {
        for _ in 0..500 {
            for file in self.files() {
                let code = code_of(&std::fs::read_to_string(&file).unwrap());
                if let Some(code) = code.filter(|_| !self.read.contains(&file)) {
                    self.read.insert(file);
                    return code;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no mail came");
    }
}

/// The code in a mail; `None` while it is being written.
fn code_of(mail: &str) -> Option<String> {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    mail.split_whitespace().find(is_code).map(str::to_owned)
}

/// A different code.
pub(crate) fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

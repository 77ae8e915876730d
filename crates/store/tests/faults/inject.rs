//! Makes the writes of this process, or of a child process, fail, with a small library that is preloaded before the C
//! library.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const EIO: i32 = 5;
pub(crate) const ENOSPC: i32 = 28;

/// A file that says which writes fail, and one that says how wrong the clock is.
pub(crate) struct Faults {
    library: PathBuf,
    pub(crate) control: PathBuf,
    pub(crate) clock: PathBuf,
    serial: std::cell::Cell<u32>,
}

impl Faults {
    /// Compiles the library into this folder.
    pub(crate) fn compile(dir: &Path) -> Self {
        let (source, library) = (dir.join("shim.c"), dir.join("shim.so"));
        std::fs::write(&source, include_str!("shim.c")).unwrap();
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
            .args([&library, &source])
            .args(["-ldl", "-lpthread"])
            .status()
            .expect("`cc` runs: install a C compiler, which the build needs anyway");
        assert!(compiler.success(), "the library that makes writes fail does not compile");
        Self::with(library, dir)
    }

    fn with(library: PathBuf, dir: &Path) -> Self {
        let (control, clock) = (dir.join("fault"), dir.join("clock"));
        Self { library, control, clock, serial: std::cell::Cell::new(0) }
    }

    /// The environment of a process whose writes should fail.
    pub(crate) fn env(&self) -> [(&'static str, &str); 3] {
        [
            ("LD_PRELOAD", &self.library),
            ("KEYGATE_TEST_FAULT", &self.control),
            ("KEYGATE_TEST_CLOCK", &self.clock),
        ]
        .map(|(name, path)| (name, path.to_str().expect("paths of tests are text")))
    }

    /// From now on, `times` writes to files with `part` in their path fail, after `skip` that succeed.
    pub(crate) fn fail(&self, part: &str, skip: u32, times: u32, errno: i32) {
        self.serial.set(self.serial.get() + 1);
        let text = format!("{part} {skip} {errno} {times} {}\n", self.serial.get());
        // Atomically, so that nobody reads half of it.
        let new = self.control.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, &self.control).unwrap();
    }

    /// Stops all failures.
    pub(crate) fn stop(&self) {
        drop(std::fs::remove_file(&self.control));
    }
}

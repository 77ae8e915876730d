//! A file system of three megabytes that a test can fill.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Unmounted at the end of the test.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it. Without the right to mount, runs the test of this name again in a namespace that has it, and returns
    /// nothing.
    pub(crate) fn mount(test: &str) -> Option<Self> {
        const INSIDE: &str = "KEYGATE_TEST_MAY_MOUNT";
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(dir.path())
            .output()
            .expect("`mount` is installed");
        if mounted.status.success() {
            return Some(Self(dir));
        }
        let said = String::from_utf8_lossy(&mounted.stderr).into_owned();
        assert!(
            std::env::var_os(INSIDE).is_none(),
            "a namespace of its own cannot mount a tmpfs either: {said}"
        );
        let again = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, "1")
            .status()
            .expect("`unshare` is installed");
        assert!(
            again.success(),
            "{test} needs a small disk, and neither `mount` ({said}) nor `unshare --user --map-root-user --mount` makes \
             one. Run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 and \
             kernel.apparmor_restrict_unprivileged_userns=0); or it failed there, see above"
        );
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let file = std::fs::File::options().create(true).append(true).open(self.path().join("fill"));
        let Ok(mut file) = file else { return };
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path().join("fill")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

//! The program itself, in a process that can be killed.

use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A process that serves.
pub(super) struct Binary {
    child: Child,
    /// Kept open: what is printed when nobody reads would end the process.
    _stdout: Lines<BufReader<ChildStdout>>,
    pub(super) console: String,
    /// The base URL of the first region.
    pub(super) gateway: String,
    /// Printed by the first process on a store.
    pub(super) link: Option<String>,
}

impl Binary {
    /// Serves by a configuration file, whose first region is `region`.
    pub(super) async fn start(config: &Path, region: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keygate"))
            .args(["serve", "--config"])
            .arg(config)
            .env("KEYGATE_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut console, mut link) = (String::new(), None);
        let gateway = loop {
            let line = stdout.next_line().await.unwrap().expect("it tells where it is");
            if let Some(url) = line.strip_prefix("Console: ") {
                console = url.to_owned();
            } else if let Some(url) = line.strip_prefix("Sign in: ") {
                link = Some(url.to_owned());
            } else if let Some(url) =
                line.strip_prefix("Gateway: ").and_then(|l| l.strip_suffix(&format!(" ({region})")))
            {
                break url.to_owned();
            }
        };
        Self { child, _stdout: stdout, console, gateway, link }
    }

    /// As `kill -9`.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// As a service manager stops it.
    pub(super) async fn stop(mut self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        assert!(self.child.wait().await.unwrap().success());
    }
}

//! The program in its own process, for what can only be seen from outside: its log, its files and its memory.

use crate::support::Client;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long it may take to start and to stop, even on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `keygate serve`. It is killed with the test.
pub(crate) struct Binary {
    child: Child,
    /// Kept open: printing without a reader would end the process.
    lines: Lines<BufReader<ChildStdout>>,
    config: PathBuf,
    /// Not in the data folder, whose disk may be full.
    log: NamedTempFile,
    pub(crate) console: String,
    /// The base URL of the first region.
    pub(crate) gateway: String,
    /// The sign-in link that the first process on a store prints.
    pub(crate) link: Option<String>,
    metrics: Option<String>,
}

impl Binary {
    /// Writes a configuration whose data is in the folder `data` of `dir`. `toml` begins with top-level fields.
    pub(crate) fn config(dir: &Path, toml: &str) -> PathBuf {
        let file = dir.join("keygate.toml");
        let text = format!(
            "data_dir = '{}'\nlisten = '127.0.0.1:0'\n{toml}\n[admin]\nlisten = '127.0.0.1:0'\n",
            dir.join("data").display()
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Serves the data in `dir`, with extra configuration and environment variables.
    pub(crate) async fn start(dir: &Path, toml: &str, env: &[(&str, &str)]) -> Self {
        Self::serve(&Self::config(dir, toml), env).await
    }

    /// Serves by a configuration file.
    pub(crate) async fn serve(config: &Path, env: &[(&str, &str)]) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_keygate"))
            .args(["serve", "--config"])
            .arg(config)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (console, gateway) = (String::new(), String::new());
        let mut binary = Self {
            child,
            lines,
            config: config.to_owned(),
            log,
            console,
            gateway,
            link: None,
            metrics: None,
        };
        let has_metrics = std::fs::read_to_string(config).unwrap().contains("[admin]");
        while binary.gateway.is_empty() || (has_metrics && binary.metrics.is_none()) {
            let line = binary.next_line().await;
            if let Some(url) = line.strip_prefix("Console: ") {
                binary.console = url.to_owned();
            } else if let Some(link) = line.strip_prefix("Sign in: ") {
                binary.link = Some(link.to_owned());
            } else if let Some(url) = line.strip_prefix("Metrics: ") {
                binary.metrics = Some(url.to_owned());
            } else if let Some((url, _)) = line.strip_prefix("Gateway: ").and_then(|l| l.split_once(' '))
                && binary.gateway.is_empty()
            {
                binary.gateway = url.to_owned();
            }
        }
        binary
    }

    async fn next_line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("it starts").unwrap();
        line.unwrap_or_else(|| panic!("it ended: {}", self.log()))
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// A sign-in link, created by another process next to this one.
    pub(crate) fn sign_in_link(&self) -> String {
        let text = succeeds(&["sign-in-link", "--config", self.config.to_str().unwrap()]);
        let token = text.trim().split_once("token=").unwrap().1;
        format!("{}/sign-in?token={token}", self.console)
    }

    /// The owner, signed in.
    pub(crate) async fn owner(&self) -> Client {
        Client::of(&self.console).signed_in(&self.sign_in_link()).await
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = self.metrics.as_ref().expect("the configuration has an admin listener");
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    /// Memory in use, in MiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Kills it, as `kill -9` does, and returns its log.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log()
    }

    /// Stops it as a service manager does. Returns what it printed after its start, and its log.
    pub(crate) async fn stop(mut self) -> (String, String) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let ended = timeout(PATIENCE, self.child.wait()).await;
        assert!(ended.expect("it stops").unwrap().success(), "{}", self.log());
        let mut printed = String::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            printed.push_str(&line);
            printed.push('\n');
        }
        (printed, self.log())
    }
}

fn run(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_keygate")).args(arguments).output().unwrap()
}

/// The output of a command, which must succeed.
pub(crate) fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command, which must fail.
pub(crate) fn fails(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

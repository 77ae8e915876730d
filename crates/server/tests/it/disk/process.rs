//! The program in its own process, with its log and its metrics.

use crate::support::Client;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// Kept open: printing without a reader would end the process.
    _stdout: Lines<BufReader<ChildStdout>>,
    config: PathBuf,
    log: PathBuf,
    pub(crate) console: String,
    /// The base URL of the first region.
    pub(crate) gateway: String,
    metrics: String,
}

impl Process {
    /// Writes a configuration whose data is in the folder `data` of `dir`.
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
    pub(crate) async fn start(dir: &Path, toml: &str, env: &[(&str, &Path)]) -> Self {
        let config = Self::config(dir, toml);
        // Not on the disk under test.
        let log = std::env::temp_dir().join(format!("keygate-test-{}.log", uuid()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_keygate"))
            .args(["serve", "--config"])
            .arg(&config)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut console, mut gateway) = (String::new(), String::new());
        let metrics = loop {
            let Some(line) = stdout.next_line().await.unwrap() else {
                panic!("it ended: {}", std::fs::read_to_string(&log).unwrap());
            };
            if let Some(url) = line.strip_prefix("Console: ") {
                console = url.to_owned();
            } else if let Some((url, _)) = line.strip_prefix("Gateway: ").and_then(|l| l.split_once(' '))
                && gateway.is_empty()
            {
                gateway = url.to_owned();
            } else if let Some(url) = line.strip_prefix("Metrics: ") {
                break url.to_owned();
            }
        };
        Self { child, _stdout: stdout, config, log, console, gateway, metrics }
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
        reqwest::get(&self.metrics).await.unwrap().text().await.unwrap()
    }

    /// Stops it as a service manager does, and returns its log.
    pub(crate) async fn stop(mut self) -> String {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let ended = tokio::time::timeout(std::time::Duration::from_secs(60), self.child.wait()).await;
        let log = std::fs::read_to_string(&self.log).unwrap();
        assert!(ended.expect("it stops").unwrap().success(), "{log}");
        std::fs::remove_file(&self.log).unwrap();
        log
    }
}

fn uuid() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
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

//! The real binary, for what is visible only from outside: its log, its files and its memory.

use crate::support::Client;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running `keygate serve`. It is killed at the end of the test.
pub(crate) struct Binary {
    child: Child,
    pub(crate) url: String,
    /// The token of the sign-in link that it printed.
    pub(crate) token: String,
    stdout: BufReader<tokio::process::ChildStdout>,
    log: PathBuf,
}

impl Binary {
    /// Starts it on the data folder `data`, with extra configuration and environment variables. It logs everything.
    pub(crate) async fn start(data: &Path, toml: &str, env: &[(&str, &str)]) -> Self {
        let (config, log) = (data.with_extension("toml"), data.with_extension("log"));
        std::fs::write(&config, toml).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_keygate"))
            .args(["serve", "--config"])
            .arg(&config)
            .env("KEYGATE_DATA_DIR", data)
            .env("KEYGATE_LISTEN", "127.0.0.1:0")
            .env("KEYGATE_LOG", "trace")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("Sign in: ") {
            line.clear();
            let read = stdout.read_line(&mut line).await.unwrap();
            assert!(read > 0, "it ended early: {}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        let link = line.trim().strip_prefix("Sign in: ").unwrap();
        let (url, token) = link.split_once("/sign-in?token=").unwrap();
        Self { child, url: url.to_owned(), token: token.to_owned(), stdout, log }
    }

    /// The owner, signed in with the link.
    pub(crate) async fn owner(&self) -> Client {
        Client::of(&self.url).signed_in(&format!("{}/sign-in?token={}", self.url, self.token)).await
    }

    /// The base URL of the first region for OpenAI clients.
    pub(crate) fn gateway(&self) -> String {
        format!("{}/compatible-mode/v1", self.url)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Stops it as a service manager does. Returns its output since the start, and its log.
    pub(crate) async fn stop(mut self) -> (String, String) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        assert!(self.child.wait().await.unwrap().success(), "it stops cleanly when asked to");
        let mut printed = String::new();
        self.stdout.read_to_string(&mut printed).await.unwrap();
        (printed, std::fs::read_to_string(&self.log).unwrap())
    }
}

//! The real program on a full or failing disk, with clocks that are set, and with two processes on one store.
#![cfg(target_os = "linux")]

mod small_disk;

use crate::binary::{self, Binary};
use crate::support::{Answer, Client, SINGAPORE, api_keys, chat_call, send};
use inject::{EIO, ENOSPC, Faults};
use reqwest::StatusCode;
use serde_json::{Value, json};
use small_disk::SmallDisk;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

#[path = "../../../store/tests/faults/inject.rs"]
mod inject;

/// All writes, from the first failing one on.
const ALL: u32 = u32::MAX;

/// Polls every few milliseconds until the condition holds, up to a time limit.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not within 30 seconds: {what}");
}

/// Whether a change was rejected because the store cannot be written. The answer must say so, and state the
/// consequence.
fn unwritten(answer: &Answer, means: &str) -> bool {
    if answer.status != StatusCode::SERVICE_UNAVAILABLE {
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
        return false;
    }
    assert_eq!(answer.code(), "store_unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("Nothing was changed.") && message.ends_with(means), "{message}");
    true
}

async fn ready(process: &Binary) -> (u16, Value) {
    let answer = send(reqwest::Client::new().get(format!("{}/ready", process.console))).await;
    (answer.status.as_u16(), answer.body)
}

/// Calls the echo repeatedly, and counts the answers, all of which usage must show in the end.
struct Traffic {
    made: Arc<AtomicU64>,
    goes_on: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Traffic {
    fn start(gateway: &str, key: &str) -> Self {
        let (made, goes_on) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(true)));
        let task = |_| {
            let (made, goes_on) = (Arc::clone(&made), Arc::clone(&goes_on));
            let (gateway, key) = (gateway.to_owned(), key.to_owned());
            tokio::spawn(async move {
                while goes_on.load(Ordering::Relaxed) {
                    let status = chat_call(&gateway, &key, "qwen-flash").await.status;
                    if status == StatusCode::OK {
                        made.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
        };
        let tasks = (0..3).map(task).collect();
        Self { made, goes_on, tasks }
    }

    async fn stop(self) -> u64 {
        self.goes_on.store(false, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.made.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_disk_that_was_full_for_seconds_leaves_nothing_behind() {
    let Some(disk) = SmallDisk::mount("disk::a_disk_that_was_full_for_seconds_leaves_nothing_behind") else {
        return;
    };
    let process = Binary::start(disk.path(), "", &[]).await;
    let owner = process.owner().await;
    let workspace = owner.default_workspace(SINGAPORE).await;
    let (_, busy) = owner.key(SINGAPORE, &workspace).await;
    let path = |id: &str| format!("{}/{id}", api_keys(SINGAPORE, &workspace));
    let mut victims = Vec::new();
    for _ in 0..6 {
        victims.push(owner.key(SINGAPORE, &workspace).await);
    }
    let link = process.sign_in_link();
    let traffic = Traffic::start(&process.gateway, &busy);
    tokio::time::sleep(Duration::from_millis(1500)).await;

    // Free pages within the database's own files are used up first, and reused when they are freed.
    disk.fill();
    let (toggled, toggled_key) = victims.pop().unwrap();
    until("a key cannot be disabled", async || {
        disk.fill();
        unwritten(
            &owner.post(&format!("{}/disable", path(&toggled)), json!({})).await,
            "The key still works as before.",
        ) || unwritten(
            &owner.post(&format!("{}/enable", path(&toggled)), json!({})).await,
            "The key is unchanged.",
        )
    })
    .await;
    until("the server says that it is not ready", async || {
        disk.fill();
        let (status, body) = ready(&process).await;
        status == 503 && body["reads"] == "ok" && body["writes"] == "failing"
    })
    .await;
    let metrics = process.metrics().await;
    assert!(
        metrics.contains("keygate_store_writable{database=\"keygate\"} 0")
            || metrics.contains("keygate_store_writable{database=\"usage\"} 0"),
        "{metrics}"
    );
    // A deletion of about the same size fails, too, and the key still works.
    let mut kept = Vec::new();
    for (id, key) in victims {
        disk.fill();
        if unwritten(&owner.delete(&path(&id)).await, "The key still works as before.") {
            kept.push((id, key));
        }
    }
    assert!(!kept.is_empty(), "each deletion found room on a full disk");
    let status = chat_call(&process.gateway, &kept[0].1, "qwen-flash").await.status;
    assert_eq!(status, StatusCode::OK, "a key that could not be deleted works");
    for _ in 0..20 {
        disk.fill();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    disk.free();
    until("the server is ready again", async || ready(&process).await.0 == 200).await;
    for (id, key) in &kept {
        assert_eq!(owner.delete(&path(id)).await.status, StatusCode::NO_CONTENT);
        assert_eq!(chat_call(&process.gateway, key, "qwen-flash").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(owner.post(&format!("{}/disable", path(&toggled)), json!({})).await.status, StatusCode::OK);
    assert_eq!(
        chat_call(&process.gateway, &toggled_key, "qwen-flash").await.status,
        StatusCode::UNAUTHORIZED
    );
    let again = Client::of(&process.console).signed_in(&link).await;
    assert_eq!(again.delete("/session").await.status, StatusCode::NO_CONTENT);
    assert_eq!(again.get("/session").await.status, StatusCode::UNAUTHORIZED);

    let made = traffic.stop().await + 1;
    // One more by the key that could not be deleted. Rejected calls count as failures, or have no owner.
    let usage = format!("/regions/{SINGAPORE}/workspaces/{workspace}/usage?step=minute");
    until("usage has every request once", async || {
        let total = owner.get(&usage).await.body["total"].clone();
        total["calls"].as_u64().unwrap() - total["failures"].as_u64().unwrap() == made
    })
    .await;
    let (_, log) = process.stop().await;
    let lines = log.lines().filter(|line| !line.contains("console request")).count();
    assert!(lines < 30, "the log has a line about a failing disk now and then, not for each failure:\n{log}");
}

#[tokio::test]
async fn every_change_fails_whole_when_the_disk_fails() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::compile(dir.path());
    let process = Binary::start(dir.path(), "", &faults.env()).await;
    let owner = process.owner().await;
    let workspace = owner.default_workspace(SINGAPORE).await;
    let keys = api_keys(SINGAPORE, &workspace);
    for skip in [0, 1, 2, 3, 5, 8] {
        let (id, key) = owner.key(SINGAPORE, &workspace).await;
        let works = async || chat_call(&process.gateway, &key, "qwen-flash").await.status;
        let (path, link) = (format!("{keys}/{id}"), process.sign_in_link());
        let leaving = Client::of(&process.console).signed_in(&process.sign_in_link()).await;
        let fail = || faults.fail("keygate.db", skip, ALL, EIO);
        let count = async || owner.get(&keys).await.body["total"].as_u64().unwrap();
        let before = count().await;

        fail();
        let answer = owner.post(&keys, json!({ "description": "new" })).await;
        assert!(unwritten(&answer, "No key was created."), "at write {skip}");
        let token = link.split_once("token=").unwrap().1;
        let anonymous = Client::of(&process.console);
        assert!(unwritten(
            &anonymous.post("/session", json!({ "token": token })).await,
            "Try again shortly."
        ));
        assert!(unwritten(&leaving.delete("/session").await, "Try again shortly."));
        assert!(unwritten(
            &owner.post(&format!("{path}/disable"), json!({})).await,
            "still works as before."
        ));
        assert!(unwritten(&owner.post(&format!("{path}/reset"), json!({})).await, "still works as before."));
        assert!(unwritten(&owner.delete(&path).await, "The key still works as before."));
        assert_eq!((count().await, works().await), (before, StatusCode::OK));
        let (status, body) = ready(&process).await;
        assert_eq!((status, &body["reads"], &body["writes"]), (503, &json!("ok"), &json!("failing")));
        assert_eq!(body["databases"]["usage"], json!({ "reads": "ok", "writes": "ok" }));
        assert!(body["databases"]["keygate"]["writes_failing_since"].is_string());
        let metrics = process.metrics().await;
        assert!(metrics.contains("keygate_store_writable{database=\"keygate\"} 0"), "{metrics}");

        faults.stop();
        drop(Client::of(&process.console).signed_in(&link).await);
        assert_eq!(leaving.delete("/session").await.status, StatusCode::NO_CONTENT);
        assert_eq!(owner.post(&format!("{path}/disable"), json!({})).await.status, StatusCode::OK);
        assert_eq!(works().await, StatusCode::UNAUTHORIZED);
        assert_eq!(owner.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(count().await, before - 1);
        assert_eq!(ready(&process).await.0, 200);
    }
    assert!(process.metrics().await.contains("keygate_store_writable{database=\"keygate\"} 1"));
    let (_, log) = process.stop().await;
    let lines = log.matches("writes to the database are failing").count();
    assert!((1..=2).contains(&lines), "one line a minute:\n{log}");
}

#[tokio::test]
async fn an_idle_server_notices_that_the_disk_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::compile(dir.path());
    let process = Binary::start(dir.path(), "", &faults.env()).await;
    let owner = process.owner().await;
    faults.fail("keygate.db", 0, ALL, ENOSPC);
    let workspace = owner.default_workspace(SINGAPORE).await;
    let answer = owner.post(&api_keys(SINGAPORE, &workspace), json!({ "description": "new" })).await;
    assert!(unwritten(&answer, "No key was created."));
    assert_eq!(ready(&process).await.0, 503);
    faults.stop();
    until("it is ready", async || ready(&process).await.0 == 200).await;
    process.stop().await;
}

#[tokio::test]
async fn a_stop_with_a_failing_disk_says_what_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::compile(dir.path());
    let process = Binary::start(dir.path(), "[timeouts]\nstop = 1\n", &faults.env()).await;
    let owner = process.owner().await;
    let (_, key) = owner.default_key().await;
    // Written before the disk fails, so that its names are known.
    assert_eq!(chat_call(&process.gateway, &key, "qwen-flash").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(300)).await;
    faults.fail(".db", 0, ALL, EIO);
    for _ in 0..7 {
        assert_eq!(chat_call(&process.gateway, &key, "qwen-flash").await.status, StatusCode::OK);
    }
    let (_, log) = process.stop().await;
    let lost = log.lines().find(|line| line.contains("calls were not written down"));
    assert!(lost.is_some_and(|line| line.contains("\"calls\":7")), "{log}");
    assert!(log.contains("rate-limit windows were not written"), "{log}");
}

#[tokio::test]
async fn a_stop_waits_for_a_disk_that_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::compile(dir.path());
    let process = Binary::start(dir.path(), "[timeouts]\nstop = 20\n", &faults.env()).await;
    let owner = process.owner().await;
    let (_, key) = owner.granted("Limited", json!([["qwen-flash", 5, 90_000]])).await;
    faults.fail(".db", 0, ALL, EIO);
    for _ in 0..5 {
        assert_eq!(chat_call(&process.gateway, &key, "qwen-flash").await.status, StatusCode::OK);
    }
    let control = faults.control.clone();
    let recovers = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        std::fs::remove_file(control).unwrap();
    });
    let (_, log) = process.stop().await;
    recovers.await.unwrap();
    assert!(!log.contains("not written"), "{log}");
    let process = Binary::start(dir.path(), "", &[]).await;
    let refused = chat_call(&process.gateway, &key, "qwen-flash").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "the limit knows what was called before");
    process.stop().await;
}

/// The clock is set by `seconds` while five of five allowed requests count, and the server restarts.
async fn restarted_after_a_step(seconds: i64) -> Answer {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::compile(dir.path());
    let process = Binary::start(dir.path(), "", &faults.env()).await;
    let owner = process.owner().await;
    let (_, key) = owner.granted("Limited", json!([["qwen-flash", 5, 90_000]])).await;
    for _ in 0..5 {
        assert_eq!(chat_call(&process.gateway, &key, "qwen-flash").await.status, StatusCode::OK);
    }
    // Written with the old time.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    std::fs::write(&faults.clock, seconds.to_string()).unwrap();
    assert_eq!(chat_call(&process.gateway, &key, "qwen-flash").await.status, 429, "it runs by another clock");
    process.stop().await;
    let process = Binary::start(dir.path(), "", &faults.env()).await;
    let answer = chat_call(&process.gateway, &key, "qwen-flash").await;
    process.stop().await;
    answer
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_frees_no_limit_at_a_restart() {
    assert_eq!(restarted_after_a_step(3600).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_clock_that_is_set_back_locks_nobody_out_for_long() {
    let answer = restarted_after_a_step(-86_400).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait <= 61, "{wait}");
}

#[tokio::test]
async fn a_second_server_on_a_store_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let process = Binary::start(dir.path(), "", &[]).await;
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("data"), &link).unwrap();
    let (other, alias) = (dir.path().join("other"), dir.path().join("alias.db"));
    std::fs::create_dir(&other).unwrap();
    std::os::unix::fs::symlink(dir.path().join("data/keygate.db"), &alias).unwrap();
    for url in [
        format!("sqlite:{}", dir.path().join("data/keygate.db").display()),
        format!("sqlite:{}", link.join("keygate.db").display()),
        format!("sqlite:{}", alias.display()),
        format!("sqlite:{}", dir.path().join("data/../data/keygate.db").display()),
    ] {
        // Another data folder, so that only the key store is shared.
        let file = Binary::config(&other, &format!("database_url = '{url}'\n"));
        let error = binary::fails(&["serve", "--config", file.to_str().unwrap()]);
        assert!(error.contains("another process is using"), "{error}");
    }
    // The commands that work next to a running server still do.
    assert!(process.sign_in_link().contains("/sign-in?token="));
    binary::succeeds(&["check", "--config", Binary::config(dir.path(), "").to_str().unwrap()]);
    process.stop().await;
    Binary::start(dir.path(), "", &[]).await.stop().await;
}

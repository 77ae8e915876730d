//! Which steps usage can be asked for in, and how a client learns it.

use crate::support::{Answer, Client, SINGAPORE, Server, chat_call};
use keygate_store::{Retention, UsageStore, now_ms, timestamp};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Asks for a range in Unix milliseconds.
async fn ask(client: &Client, path: &str, (from, to): (i64, i64), more: &str) -> Answer {
    let workspace = client.default_workspace(SINGAPORE).await;
    let (from, to) = (timestamp(from), timestamp(to));
    let base = format!("/regions/{SINGAPORE}/workspaces/{workspace}");
    client.get(&format!("{base}/{path}?from={from}&to={to}&{more}")).await
}

fn is_refused(answer: &Answer, says: &[&str]) {
    let error = &answer.body["error"];
    assert_eq!((answer.status.as_u16(), &error["code"]), (422, &json!("invalid_field")), "{error}");
    assert_eq!(error["field"], "step");
    let message = error["message"].as_str().unwrap();
    assert!(says.iter().all(|says| message.contains(says)), "{message}");
}

/// Waits until the sums have the one call that was made.
async fn until_summed(store: &UsageStore, client: &Client) {
    for _ in 0..200 {
        let answer = ask(client, "usage", (now_ms() - HOUR, now_ms() + HOUR), "step=minute").await;
        if answer.body["total"]["calls"] == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{:?}", store.sums_from().await);
}

#[tokio::test]
async fn a_region_tells_how_long_usage_is_kept() {
    let tells = |body: &Value, kept: &Value| {
        body["items"].as_array().unwrap().iter().for_each(|region| assert_eq!(region["usage"], *kept));
    };
    let server = Server::start().await;
    let kept = json!({ "log_days": 14, "minute_days": 30, "hour_days": 400 });
    tells(&server.owner().await.get("/regions").await.body, &kept);
    let server = Server::start_with("[usage]\nlog_days = 2\nminute_days = 5\nhour_days = 7\n").await;
    let kept = json!({ "log_days": 2, "minute_days": 5, "hour_days": 7 });
    tells(&server.owner().await.get("/regions").await.body, &kept);
}

#[tokio::test]
async fn a_step_that_is_no_longer_kept_is_refused_with_the_one_to_use() {
    let server = Server::start_with("[usage]\nlog_days = 2\nminute_days = 5\nhour_days = 40\n").await;
    let owner = server.owner().await;
    let now = now_ms();
    let hour = |days: i64| (now - days * DAY, now - days * DAY + HOUR);
    for path in ["usage", "usage.csv"] {
        assert_eq!(ask(&owner, path, hour(5), "step=minute").await.status, 200, "{path}");
        is_refused(
            &ask(&owner, path, hour(6), "step=minute").await,
            &["of a minute are kept since", "step=hour"],
        );
        assert_eq!(ask(&owner, path, hour(40), "step=hour").await.status, 200, "{path}");
        is_refused(
            &ask(&owner, path, hour(41), "step=hour").await,
            &["of an hour are kept since", "step=day"],
        );
        is_refused(&ask(&owner, path, hour(41), "step=minute").await, &["step=day"]);
        assert_eq!(ask(&owner, path, hour(3000), "step=day").await.status, 200, "{path}");
    }
    // The range before is told, too.
    let day = (now - 5 * DAY, now - 4 * DAY);
    assert_eq!(
        ask(&owner, "usage", (now - 3 * DAY, now - 2 * DAY), "step=minute&previous=true").await.status,
        200
    );
    is_refused(&ask(&owner, "usage", day, "step=minute&previous=true").await, &["range before", "step=hour"]);
    assert_eq!(ask(&owner, "usage", day, "step=minute").await.status, 200);
}

#[tokio::test]
async fn as_much_as_one_answer_holds_may_begin_within_a_step() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let to = now_ms().div_euclid(DAY) * DAY - 17;
    for (length, step) in [(25 * HOUR, "step=minute"), (62 * DAY, "step=hour")] {
        let answer = ask(&owner, "usage", (to - length, to), step).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        is_refused(&ask(&owner, "usage", (to - length - 1, to), step).await, &["at most"]);
    }
}

#[tokio::test]
async fn what_was_deleted_is_not_told_half_when_it_is_to_be_kept_longer() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (_, key) = owner.default_key().await;
    assert_eq!(chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await.status, 200);
    until_summed(server.running.usage(), &owner).await;
    // As if only five days had been kept, five days and more from now.
    let retention = Retention { log: 1, minutes: 5, hours: 400 };
    assert!(server.running.usage().clean(retention, now_ms() + 7 * DAY).await.unwrap() > 0);
    let range = (now_ms() - HOUR, now_ms() + HOUR);
    is_refused(&ask(&owner, "usage", range, "step=minute").await, &["step=hour"]);
    let hours = ask(&owner, "usage", range, "step=hour").await.body;
    assert_eq!((&hours["total"]["calls"], &hours["items"][0]["calls"]), (&json!(1), &json!(1)));
    // Nothing that comes later was deleted, however far ahead the clock was.
    let later = (now_ms() + 60_000, now_ms() + HOUR);
    assert_eq!(ask(&owner, "usage", later, "step=minute").await.status, 200);
}

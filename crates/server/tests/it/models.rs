//! The catalogue over the API.

use crate::support::{Client, SINGAPORE, Server, VIRGINIA, grants, send};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn models(client: &Client, region: &str, query: &str) -> Value {
    let answer = client.get(&format!("/regions/{region}/models{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
    answer.body
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect()
}

/// What the counts of a page say of one vendor or type.
fn count(page: &Value, field: &str, of: &str) -> Option<u64> {
    let name = field.strip_suffix('s').unwrap();
    page[field].as_array().unwrap().iter().find(|c| c[name] == of).map(|c| c["count"].as_u64().unwrap())
}

#[tokio::test]
async fn a_model_is_told_with_the_accounts_limits_of_the_region() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let page = models(&owner, SINGAPORE, "?q=qwen3-max").await;
    insta::assert_json_snapshot!(page["items"][0], @r#"
    {
      "context_window": 262144,
      "id": "qwen3-max",
      "max_output_tokens": 65536,
      "prices": [
        {
          "currency": "USD",
          "item": "input_tokens",
          "per": "million_tokens",
          "price": 1.2
        },
        {
          "currency": "USD",
          "item": "output_tokens",
          "per": "million_tokens",
          "price": 6.0
        }
      ],
      "rpm": 600,
      "tpm": 1000000,
      "type": "text",
      "vendor": "Qwen"
    }
    "#);
    let image = models(&owner, SINGAPORE, "?q=qwen-image&type=image").await;
    assert!(image["items"].as_array().unwrap().iter().all(|m| m["tpm"].is_null() && m["rpm"].is_u64()));
}

#[tokio::test]
async fn pages_hold_each_model_of_the_region_once_and_in_order() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut seen: Vec<String> = Vec::new();
    let mut token = String::new();
    loop {
        let page = models(&owner, SINGAPORE, &format!("?page_size=7{token}")).await;
        assert_eq!(page["total"], 102);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 102);
    assert!(seen.is_sorted_by_key(|id| id.to_lowercase()));
    let answer = owner.get(&format!("/regions/{SINGAPORE}/models?page_token=nonsense")).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "invalid_page_token"));
}

#[tokio::test]
async fn search_and_filters_combine_and_each_count_leaves_its_own_filter_out() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let all = models(&owner, SINGAPORE, "").await;
    let sum = |page: &Value, field: &str| -> u64 {
        page[field].as_array().unwrap().iter().map(|c| c["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((sum(&all, "vendors"), sum(&all, "types")), (102, 102));

    let deepseek = models(&owner, SINGAPORE, "?vendor=DeepSeek").await;
    assert_eq!(count(&deepseek, "vendors", "Qwen"), count(&all, "vendors", "Qwen"), "of any vendor");
    assert_eq!(sum(&deepseek, "types"), deepseek["total"].as_u64().unwrap(), "of this vendor");

    let both = models(&owner, SINGAPORE, "?vendor=Qwen&type=vision").await;
    assert!(both["total"].as_u64().unwrap() >= 1);
    let is_both = |m: &Value| m["vendor"] == "Qwen" && m["type"] == "vision";
    assert!(both["items"].as_array().unwrap().iter().all(is_both));

    let words = models(&owner, SINGAPORE, "?q=MAX%20qwen").await;
    assert!(ids(&words).iter().all(|id| id.contains("max")) && !ids(&words).is_empty());
    assert_eq!(models(&owner, SINGAPORE, "?q=%25").await["total"], 0, "a wildcard is a letter like any");
    assert_eq!(models(&owner, SINGAPORE, "?vendor=Nobody").await["items"], json!([]));
    for bad in ["?type=sculpture", "?page_size=0", "?page_size=101", "?colour=red"] {
        let answer = owner.get(&format!("/regions/{SINGAPORE}/models{bad}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "invalid_query"), "{bad}");
    }
}

#[tokio::test]
async fn of_a_workspace_only_what_it_may_call_is_listed_and_how_fast() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (workspace, key) =
        owner.granted("Search team", json!([["qwen-plus", 7, 900], ["qwen-image", 3, null]])).await;
    let page = models(&owner, SINGAPORE, &format!("?workspace={workspace}")).await;
    assert_eq!(ids(&page), ["qwen-image", "qwen-plus"]);
    assert_eq!(page["items"][1]["workspace"], json!({ "rpm": 7, "tpm": 900, "last_called_at": null }));
    assert_eq!(page["items"][1]["rpm"], 600, "beside the account's");

    // The gateway lists the same for a key of it.
    let gateway = format!("{}/models", server.gateway(SINGAPORE));
    let listed = send(reqwest::Client::new().get(gateway).bearer_auth(key)).await.body;
    let listed: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert_eq!(listed, ["qwen-image", "qwen-plus"]);

    let default = owner.default_workspace(SINGAPORE).await;
    let page = models(&owner, SINGAPORE, &format!("?workspace={default}&q=qwen-plus")).await;
    assert_eq!(page["items"][0]["workspace"]["rpm"], page["items"][0]["rpm"]);
    let elsewhere = owner.get(&format!("/regions/{VIRGINIA}/models?workspace={workspace}")).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn configured_models_are_listed_granted_and_called() {
    let toml = "shipped_models = false\n\
        [[models]]\nid = 'house/llama-4'\nvendor = 'House'\ntype = 'text'\nrpm = 10\ntpm = 5000\n";
    let server = Server::start_with(toml).await;
    let owner = server.owner().await;
    assert_eq!(ids(&models(&owner, SINGAPORE, "").await), ["house/llama-4"]);
    let (workspace, key) = owner.granted("Team", json!([["house/llama-4", 10, 5000]])).await;
    assert_eq!(owner.get(&grants(SINGAPORE, &workspace)).await.body["items"][0]["model"], "house/llama-4");
    let answer = crate::support::chat_call(&server.gateway(SINGAPORE), &key, "house/llama-4").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let answer = crate::support::chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

//! Regions as the console is told of them.

use crate::support::{SINGAPORE, Server, VIRGINIA, send};
use serde_json::{Value, json};

const TWO: &str = "
[[regions]]
id = 'ap-southeast-1'
public_url = 'https://kg.example.com'
private_url = 'http://10.0.0.1:8080'
workspace_domain = 'ap.kg.example.com'
[[regions]]
id = 'eu-central-1'
public_url = 'http://eu.example.com:8081'
workspace_domain = 'localhost'
temporary_keys = false
";

fn endpoints<'a>(region: &'a Value, protocol: &str) -> Vec<(&'a str, &'a str)> {
    let all = region["endpoints"].as_array().unwrap().iter().filter(|e| e["protocol"] == protocol);
    all.map(|e| (e["kind"].as_str().unwrap(), e["base_url"].as_str().unwrap())).collect()
}

fn operations(region: &Value, protocol: &str) -> Value {
    let mut all = region["endpoints"].as_array().unwrap().iter().filter(|e| e["protocol"] == protocol);
    let first = all.next().unwrap()["operations"].clone();
    assert!(all.all(|e| e["operations"] == first));
    first
}

#[tokio::test]
async fn a_region_tells_its_features_and_limits() {
    let server = Server::start().await;
    let regions = server.owner().await.get("/regions").await.body;
    let find = |id: &str| regions["items"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap();
    let (singapore, virginia) = (find(SINGAPORE), find(VIRGINIA));
    let limits = |owner: Value| json!({ "workspaces": 20, "keys_per_workspace": 20, "keys_per_region": 50, "keys_per_owner": owner });
    assert_eq!(singapore["features"], json!({ "custom_permission": true, "temporary_keys": true }));
    assert_eq!(virginia["features"], json!({ "custom_permission": false, "temporary_keys": true }));
    assert_eq!((&singapore["limits"], &virginia["limits"]), (&limits(Value::Null), &limits(20.into())));
    assert_eq!(endpoints(singapore, "openai"), [("public", server.gateway(SINGAPORE).as_str())]);
}

#[tokio::test]
async fn a_region_tells_its_endpoints_and_the_page_may_check_them() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let toml = TWO.replacen("[[regions]]", &format!("[[regions]]\nlisten = '127.0.0.1:{port}'"), 1);
    let toml = toml.replacen("id = 'eu", "listen = '127.0.0.1:0'\nid = 'eu", 1);
    let server = Server::start_with(&toml).await;
    let mut client = server.anonymous();
    client.base = format!("http://127.0.0.1:{port}/console/v1");
    client.origin = String::new();
    let link = server.running.sign_in_link(None).await.unwrap();
    let token = link.split_once("token=").unwrap().1.to_owned();
    client.cookie = client.post("/session", json!({ "token": token })).await.cookie();

    let regions = client.get("/regions").await.body;
    let (first, second) = (&regions["items"][0], &regions["items"][1]);
    for (protocol, path) in
        [("openai", "/compatible-mode/v1"), ("dashscope", "/api/v1"), ("anthropic", "/apps/anthropic")]
    {
        let hosts = [
            ("public", "https://kg.example.com"),
            ("private", "http://10.0.0.1:8080"),
            ("workspace", "https://{workspace}.ap.kg.example.com"),
        ]
        .map(|(kind, host)| (kind, format!("{host}{path}")));
        let hosts: Vec<_> = hosts.iter().map(|(kind, url)| (*kind, url.as_str())).collect();
        assert_eq!(endpoints(first, protocol), hosts);
        let workspace = format!("http://{{workspace}}.localhost:8081{path}");
        assert_eq!(endpoints(second, protocol)[1], ("workspace", workspace.as_str()));
    }
    let openai =
        ["POST /chat/completions", "POST /completions", "POST /embeddings", "POST /responses", "GET /models"];
    assert_eq!(operations(first, "openai"), json!(openai));
    assert_eq!(operations(first, "dashscope"), json!(["POST /tokens"]));
    assert_eq!(operations(second, "dashscope"), json!([]), "no temporary keys there");
    assert_eq!(operations(first, "anthropic"), json!([]));

    let page = send(reqwest::Client::new().get(format!("http://127.0.0.1:{port}/"))).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let connect = "connect-src 'self' https://kg.example.com http://10.0.0.1:8080 https://*.ap.kg.example.com \
                   http://eu.example.com:8081 http://*.localhost:8081;";
    assert!(policy.contains(connect), "{policy}");
}

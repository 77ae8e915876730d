//! Clients that do not read, read a byte a second, or send without end: each wait for them ends, and the memory held
//! for them is bounded.

use crate::binary::Binary;
use crate::stub;
use crate::support::{Client, SINGAPORE, Server, call, chat, chat_call, send};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than any timeout of these tests, even on a loaded machine.
const LONG: Duration = Duration::from_secs(60);

/// The program in its own process, so that its memory can be measured.
struct Program {
    binary: Binary,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Program {
    /// With a static file of 4 MiB.
    async fn start(toml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let console = dir.path().join("console");
        std::fs::create_dir(&console).unwrap();
        std::fs::write(console.join("index.html"), "<!doctype html>").unwrap();
        std::fs::write(console.join("large-0123456789abcdef.wasm"), vec![7; 4 << 20]).unwrap();
        let toml = format!("console_dir = '{}'\nworkers = 2\n{toml}", console.display());
        let binary = Binary::start(dir.path(), &toml, &[("KEYGATE_LOG", "error")]).await;
        let address = binary.console.strip_prefix("http://").unwrap().parse().unwrap();
        Self { binary, address, _dir: dir }
    }

    /// The peak memory in use within two seconds.
    async fn most_resident(&self) -> u64 {
        let mut most = 0;
        for _ in 0..20 {
            most = most.max(self.binary.resident());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        most
    }

    /// A connection that has sent this, or as much of it as is accepted within a second. Its own buffer is small.
    async fn sent(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = connect(self.address).await;
        timeout(Duration::from_secs(1), stream.write_all(bytes)).await.ok();
        stream
    }

    async fn all_sent(&self, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
        futures_util::future::join_all((0..count).map(|_| self.sent(bytes))).await
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(address).await.unwrap()
}

fn post(path: &str, headers: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n")
}

/// Whether the other end closes soon.
async fn is_closed(stream: TcpStream) -> bool {
    timeout(LONG, left_of(stream)).await.is_ok()
}

/// Bytes that arrive until the other end closes.
async fn left_of(mut stream: TcpStream) -> usize {
    let (mut sink, mut all) = (vec![0; 64 << 10], 0);
    while let Ok(read @ 1..) = stream.read(&mut sink).await {
        all += read;
    }
    all
}

#[tokio::test]
async fn unread_files_cost_little_and_lose_their_places() {
    let program = Program::start("[limits]\nconnections = 200\n[timeouts]\nwrite = 3\n").await;
    let idle = program.binary.resident();
    let request = b"GET /large-0123456789abcdef.wasm HTTP/1.1\r\nhost: x\r\n\r\n";
    let unread = program.all_sent(200, request).await;
    let most = program.most_resident().await;
    assert!(most < idle + 80, "{idle} MiB grew to {most}");
    // All slots are taken, until the clients that do not read have lost theirs.
    let health = reqwest::get(format!("{}/health", program.binary.console));
    assert_eq!(timeout(LONG, health).await.unwrap().unwrap().status(), 200);
    drop(unread);
}

#[tokio::test]
async fn headers_are_bounded_in_bytes_and_time() {
    let program = Program::start("[timeouts]\nheader = 2\n").await;
    let idle = program.binary.resident();
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-padding: {}", "x".repeat(390 << 10));
    let long = program.all_sent(200, head.as_bytes()).await;
    let most = program.most_resident().await;
    assert!(most < idle + 50, "{idle} MiB grew to {most}");
    drop(long);
    // Sending a byte at a time does not extend the timeout.
    let mut slow = connect(program.address).await;
    let drip = async {
        while slow.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(timeout(LONG, drip).await.is_ok());
}

#[tokio::test]
async fn bodies_before_sign_in_are_small() {
    let program = Program::start("").await;
    let idle = program.binary.resident();
    let json = "content-type: application/json\r\n";
    let mut request = post("/console/v1/session", json, 1 << 20).into_bytes();
    request.resize(request.len() + 1_000_000, b' ');
    let unfinished = program.all_sent(100, &request).await;
    let most = program.most_resident().await;
    assert!(most < idle + 50, "{idle} MiB grew to {most}");
    drop(unfinished);
    // A client each: a rejection that leaves a body unread ends its connection.
    let anonymous = || Client::of(&program.binary.console);
    let long = anonymous().post("/session", json!({ "token": "x".repeat(17 << 10) })).await;
    assert_eq!((long.status.as_u16(), long.code()), (413, "body_too_large"));
    let path = format!("/regions/{SINGAPORE}/workspaces");
    let stranger = anonymous().post(&path, json!({ "name": "x".repeat(100 << 10) })).await;
    assert_eq!((stranger.status.as_u16(), stranger.code()), (401, "not_signed_in"));
    let owner = anonymous().signed_in(program.binary.link.as_ref().unwrap()).await;
    let known = owner.post(&path, json!({ "name": "x".repeat(100 << 10) })).await;
    assert_eq!((known.status.as_u16(), known.code()), (422, "invalid_field"));
}

#[tokio::test]
async fn unfinished_bodies_of_one_key_are_bounded() {
    let limits = "[limits]\nbody_bytes = 8388608\nbody_memory = 67108864\n";
    let program = Program::start(&format!("{limits}[timeouts]\nbody = 5\n")).await;
    let owner = program.binary.owner().await;
    let (_, greedy) = owner.default_key().await;
    let (_, modest) = owner.default_key().await;
    let idle = program.binary.resident();
    let authorization = format!("authorization: Bearer {greedy}\r\n");
    let mut request = post("/compatible-mode/v1/chat/completions", &authorization, 8 << 20).into_bytes();
    request.resize(request.len() + (7 << 20), b' ');
    let mut unfinished = program.all_sent(40, &request).await;
    let most = program.most_resident().await;
    assert!(most < idle + 80, "{idle} MiB grew to {most}");
    let mut large = chat("qwen-plus");
    large["messages"][0]["content"] = "Hello ".repeat(300_000).into();
    let answer = send(call(&program.binary.gateway, "/chat/completions", &modest).json(&large)).await;
    assert_ne!(answer.status.as_u16(), 503, "{}", answer.body);
    // One of the greedy key's requests may still be waiting; the others get 503.
    let mut told = 0;
    for stream in &mut unfinished {
        stream.write_all(&vec![b' '; 1 << 20]).await.ok();
        let mut head = [0; 12];
        if timeout(LONG, stream.read_exact(&mut head)).await.unwrap().is_ok() {
            told += u32::from(&head == b"HTTP/1.1 503");
        }
    }
    // How many arrive far enough to wait depends on the machine.
    assert!(told > 0, "{told}");
    drop(unfinished);
    let passes = chat_call(&program.binary.gateway, &greedy, "qwen-plus").await;
    assert_eq!(passes.status, 200, "{}", passes.body);
}

/// A server in front of this upstream.
async fn before(address: SocketAddr, toml: &str) -> (Server, String) {
    let text = format!(
        "{toml}[[upstreams]]\nid = 'stub'\nbase_url = 'http://{address}/v1'\nmodels = ['qwen-plus', 'qwen-max']\n"
    );
    let server = Server::start_with(&text).await;
    let (_, key) = server.owner().await.default_key().await;
    (server, key)
}

/// A call whose answer is not read.
async fn unread(server: &Server, key: &str, body: &serde_json::Value) -> TcpStream {
    let address = server.running.console_url().strip_prefix("http://").unwrap().parse().unwrap();
    let (mut stream, body) = (connect(address).await, body.to_string());
    let authorization = format!("authorization: Bearer {key}\r\n");
    let head = post("/compatible-mode/v1/chat/completions", &authorization, body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream
}

/// Repeats a call of the key until it gets this status.
async fn until_status(server: &Server, key: &str, status: u16) {
    let gets = async {
        while chat_call(&server.gateway(SINGAPORE), key, "qwen-max").await.status != status {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, gets).await.unwrap();
}

#[tokio::test]
async fn an_unread_answer_holds_its_keys_place_until_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = stub::whole("200 OK", &json!({ "text": "x".repeat(6 << 20) }).to_string());
    let (seen, mut calls) = mpsc::unbounded_channel();
    let (closed, _closed) = mpsc::unbounded_channel();
    tokio::spawn(stub::serve(listener, stub::Behaviour::Write(answer), seen, closed));
    let (server, key) = before(address, "[limits]\ncalls_per_key = 2\n[timeouts]\nwrite = 4\n").await;
    let mut first = unread(&server, &key, &chat("qwen-plus")).await;
    let mut second = unread(&server, &key, &chat("qwen-plus")).await;
    for _ in 0..2 {
        timeout(LONG, calls.recv()).await.unwrap().unwrap();
    }
    // The answers have arrived whole, and are being written.
    for stream in [&mut first, &mut second] {
        timeout(LONG, stream.read_exact(&mut [0; 12])).await.unwrap().unwrap();
    }
    let third = chat_call(&server.gateway(SINGAPORE), &key, "qwen-max").await;
    assert_eq!(third.status, 429, "{:?}", third.headers);
    // Nobody reads the answers, but a permit is free again.
    until_status(&server, &key, 200).await;
    // They were given up, and not written.
    for stream in [first, second] {
        assert!(left_of(stream).await < 6 << 20);
    }
}

/// An upstream that streams events while somebody reads them, and reports when nobody does any more.
async fn endless(listener: TcpListener, closed: mpsc::UnboundedSender<()>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let closed = closed.clone();
        tokio::spawn(async move {
            let mut request = [0; 64 << 10];
            let read = stream.read(&mut request).await.unwrap_or_default();
            if !String::from_utf8_lossy(&request[..read]).contains("\"stream\":true") {
                stream.write_all(stub::whole("200 OK", "{}").as_bytes()).await.ok();
                return;
            }
            stream.write_all(stub::streamed("").as_bytes()).await.ok();
            let event =
                format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "x".repeat(999));
            while stream.write_all(event.as_bytes()).await.is_ok() {}
            closed.send(()).ok();
        });
    }
}

#[tokio::test]
async fn an_unread_stream_frees_its_place_and_its_upstream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (closed, mut upstream_closed) = mpsc::unbounded_channel();
    tokio::spawn(endless(listener, closed));
    let (server, key) = before(address, "[limits]\ncalls_per_key = 1\n[timeouts]\nwrite = 2\n").await;
    let mut body = chat("qwen-plus");
    body["stream"] = true.into();
    let mut stream = unread(&server, &key, &body).await;
    // It is admitted before another call asks for the only permit.
    timeout(LONG, stream.read_exact(&mut [0; 12])).await.unwrap().unwrap();
    until_status(&server, &key, 429).await;
    timeout(LONG, upstream_closed.recv()).await.unwrap().unwrap();
    until_status(&server, &key, 200).await;
    assert!(is_closed(stream).await);
}

/// An upstream that answers 413 to a long request before reading it, and then does not read it.
async fn early(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
            loop {
                while !request.ends_with(b"\r\n\r\n") {
                    let Ok(1..) = stream.read(&mut buffer[..1]).await else { return };
                    request.push(buffer[0]);
                }
                let head = String::from_utf8(std::mem::take(&mut request)).unwrap().to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                let length: usize = length.parse().unwrap();
                if length > 1 << 20 {
                    let error = stub::whole("413 Payload Too Large", r#"{"error":{"message":"too long"}}"#);
                    stream.write_all(error.as_bytes()).await.unwrap();
                    std::future::pending::<()>().await;
                }
                stream.read_exact(&mut vec![0; length]).await.unwrap();
                stream.write_all(stub::whole("200 OK", "{}").as_bytes()).await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn an_upstream_that_answers_early_does_not_stall_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(early(listener));
    let (server, key) = before(address, "workers = 1\n").await;
    let gateway = server.gateway(SINGAPORE);
    let long = format!("{}{}", chat("qwen-plus"), " ".repeat(12 << 20));
    for _ in 0..3 {
        let answer = send(call(&gateway, "/chat/completions", &key).body(long.clone()));
        assert_eq!(timeout(LONG, answer).await.unwrap().status, 413);
        let next = chat_call(&gateway, &key, "qwen-plus");
        assert_eq!(timeout(LONG, next).await.unwrap().status, 200);
    }
}

/// The outcome of a call to an upstream that writes `first`, and then `again` without end, with pauses of 20 ms if it
/// is `slow`.
async fn outcome(first: &'static str, again: &'static str, slow: bool) -> (u16, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.readable().await.unwrap();
                stream.write_all(first.as_bytes()).await.ok();
                while stream.write_all(again.as_bytes()).await.is_ok() {
                    if slow {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            });
        }
    });
    let limits = "[limits]\nbody_bytes = 1048576\nbody_memory = 8388608\n";
    let times = "[timeouts]\nupstream_first_byte = 1\nupstream_whole = 1\n";
    let (server, key) = before(address, &format!("{limits}{times}")).await;
    let gateway = server.gateway(SINGAPORE);
    let answer = timeout(LONG, chat_call(&gateway, &key, "qwen-plus")).await.unwrap();
    (answer.status.as_u16(), answer.body["error"]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_upstream_has_bounds_in_time_and_bytes() {
    const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    const BODY: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"text\":\"";
    let spaces: &str = Box::leak(" ".repeat(4096).into_boxed_str());
    let header: &str = Box::leak(format!("x-a: {}\r\n", "x".repeat(4096)).into_boxed_str());
    assert_eq!(outcome(JSON, header, false).await, (502, "upstream_error".into()), "endless headers");
    assert_eq!(outcome(JSON, "x", true).await, (500, "request_timeout".into()), "slow headers");
    assert_eq!(outcome(BODY, spaces, false).await, (502, "upstream_error".into()), "too much");
    assert_eq!(outcome(BODY, "x", true).await, (500, "request_timeout".into()), "no end");
}

#[tokio::test]
async fn an_idle_connection_to_the_metrics_is_closed() {
    let server = Server::start_with("[timeouts]\nheader = 1\n[admin]\nlisten = '127.0.0.1:0'\n").await;
    let url = server.running.metrics_url().unwrap();
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    assert!(is_closed(connect(address.parse().unwrap()).await).await);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(text.contains("keygate_body_memory_bytes 0"), "{text}");
    assert!(text.contains("keygate_body_memory_rejections_total 0"), "{text}");
}

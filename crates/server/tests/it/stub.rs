//! A server over an upstream that does what it is told.

use crate::support::{SINGAPORE, Server, call, chat, chat_call, send};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the upstream does with a call after it has read it.
#[derive(Clone, Copy)]
pub(crate) enum Behaviour {
    /// Writes this and closes.
    Write(&'static str),
    /// Writes this and waits.
    WriteAndWait(&'static str),
}

/// A server over an upstream, and what the upstream saw.
pub(crate) struct Rig {
    pub(crate) server: Server,
    pub(crate) key: String,
    /// Each call as it came, headers and body.
    pub(crate) seen: mpsc::UnboundedReceiver<String>,
    /// A message for each connection that the gateway closed.
    pub(crate) closed: mpsc::UnboundedReceiver<()>,
}

impl Rig {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen_in, seen) = mpsc::unbounded_channel();
        let (closed_in, closed) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, behaviour, seen_in, closed_in));
        Self::before(&format!("http://{address}/v1"), seen, closed).await
    }

    pub(crate) async fn before(
        url: &str,
        seen: mpsc::UnboundedReceiver<String>,
        closed: mpsc::UnboundedReceiver<()>,
    ) -> Self {
        let server = Server::start_with(&format!(
            "[timeouts]\nupstream_connect = 1\nupstream_first_byte = 1\nupstream_idle = 1\nupstream_whole = 1\nsettle = 0\n\
             [[upstreams]]\nid = 'stub'\nbase_url = '{url}'\n\
             models = {{ 'qwen-plus' = 'local/plus', 'qwen-max' = 'qwen-max' }}\n"
        ))
        .await;
        let (_, key) = server.owner().await.default_key().await;
        Self { server, key, seen, closed }
    }

    pub(crate) fn gateway(&self) -> String {
        self.server.gateway(SINGAPORE)
    }

    /// Status and error code of a call.
    pub(crate) async fn outcome(&self) -> (u16, String) {
        let answer = chat_call(&self.gateway(), &self.key, "qwen-plus").await;
        assert!(answer.body["request_id"].is_string(), "{}", answer.body);
        (answer.status.as_u16(), answer.body["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The text of a stream.
    pub(crate) async fn stream(&self) -> String {
        let mut body = chat("qwen-plus");
        body["stream"] = true.into();
        let answer = send(call(&self.gateway(), "/chat/completions", &self.key).json(&body)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
        answer.body.as_str().unwrap().to_owned()
    }
}

/// An upstream: a message to `seen` for each call, and to `closed` for each connection that the gateway closed.
pub(crate) async fn serve(
    listener: TcpListener,
    behaviour: Behaviour,
    seen: mpsc::UnboundedSender<String>,
    closed: mpsc::UnboundedSender<()>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, behaviour, seen.clone(), closed.clone()));
    }
}

async fn answer(
    mut stream: TcpStream,
    behaviour: Behaviour,
    seen: mpsc::UnboundedSender<String>,
    closed: mpsc::UnboundedSender<()>,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    seen.send(String::from_utf8(request).unwrap()).ok();
    match behaviour {
        Behaviour::Write(text) => stream.write_all(text.as_bytes()).await.unwrap(),
        Behaviour::WriteAndWait(text) => {
            stream.write_all(text.as_bytes()).await.unwrap();
            while matches!(stream.read(&mut buffer).await, Ok(n) if n > 0) {}
            closed.send(()).ok();
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/// An answer that is not a stream.
pub(crate) fn whole(status: &str, body: &str) -> &'static str {
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    Box::leak(text.into_boxed_str())
}

/// A stream of these events.
pub(crate) fn streamed(events: &str) -> &'static str {
    Box::leak(format!("{STREAM_HEAD}{events}").into_boxed_str())
}

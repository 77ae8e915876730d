//! An upstream for benchmarks: answers `"stream":true` with 50 events, each written separately, and anything else with
//! a fixed answer of 600 bytes.
//!
//!     cargo run --release -p keygate-gateway --example bench_upstream -- 127.0.0.1:19090

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Events per stream.
const EVENTS: usize = 50;

/// The answers to the two kinds of request.
struct Answers {
    whole: Vec<u8>,
    stream: Vec<Vec<u8>>,
}

impl Answers {
    fn new() -> Self {
        let usage = r#""usage":{"prompt_tokens":9,"completion_tokens":95,"total_tokens":104}"#;
        let mut body = format!(
            r#"{{"id":"chatcmpl-bench","object":"chat.completion","created":1,"model":"qwen-plus","choices":[{{"index":0,"finish_reason":"stop","message":{{"role":"assistant","content":"{}"}}}}],{usage}}}"#,
            "x".repeat(380)
        );
        let missing = 600usize.saturating_sub(body.len());
        body.push_str(&" ".repeat(missing));
        let mut whole = String::from("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n");
        write!(whole, "content-length: {}\r\n\r\n{body}", body.len()).expect("a string takes all text");

        let chunk = |data: &str| format!("{:x}\r\n{data}\r\n", data.len()).into_bytes();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let event = r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,"model":"qwen-plus","choices":[{"index":0,"delta":{"content":" word"}}]}"#;
        let mut stream = vec![head.as_bytes().to_vec()];
        stream.extend((0..EVENTS).map(|_| chunk(&format!("{event}\n\n"))));
        stream.push(chunk(&format!("data: {{\"choices\":[],{usage}}}\n\n")));
        stream.push([chunk("data: [DONE]\n\n"), b"0\r\n\r\n".to_vec()].concat());
        Self { whole: whole.into_bytes(), stream }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:19090".into());
    let listener = TcpListener::bind(address).await?;
    let answers = Arc::new(Answers::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // An error here is the load generator closing its connections at its end.
        tokio::spawn(serve(stream, Arc::clone(&answers)));
    }
}

async fn serve(mut stream: TcpStream, answers: Arc<Answers>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut filled = 0;
    loop {
        let Some(length) = request_length(&buffer[..filled]) else {
            match stream.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                read => filled += read,
            }
            continue;
        };
        let is_stream = memchr::memmem::find(&buffer[..length], br#""stream":true"#).is_some();
        buffer.copy_within(length..filled, 0);
        filled -= length;
        if is_stream {
            for part in &answers.stream {
                stream.write_all(part).await?;
                // Sends the next event as its own packet, as a model does.
                tokio::task::yield_now().await;
            }
        } else {
            stream.write_all(&answers.whole).await?;
        }
    }
}

/// The length of the first request, if all of it has arrived.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let name = b"content-length: ";
    let text = bytes[..head].to_ascii_lowercase();
    let at = memchr::memmem::find(&text, name)? + name.len();
    let digits = text[at..].split(|byte| !byte.is_ascii_digit()).next()?;
    let body: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (bytes.len() >= head + body).then_some(head + body)
}

//! The built console: embedded in the binary, or from a folder. All of it is held in memory, so a path is looked up,
//! never joined to a folder, and nothing outside can be reached.
//!
//! A file whose name holds its hash is cached for ever; the others are asked for again with their tag. Any path that
//! names no file and could be a page answers `index.html`; one that names a file that is not there is 404.

mod policy;

use crate::problem::Problem;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use policy::Policy;
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

#[derive(Embed)]
#[folder = "../../dist"]
#[allow_missing = true]
struct Embedded;

/// The page shown by a server that was built without the console.
const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Keygate</title><h1>Keygate</h1>\
    <p>This server was built without the console. Build both with <code>make build</code>, or set \
    <code>KEYGATE_CONSOLE_DIR</code> to a built console.</p>";

/// The console's own configuration: which servers it is a console of.
const CONFIG: &str = "config.json";
/// The one that serves it.
const OWN_CONFIG: &str = r#"{"backends":[{"url":""}]}"#;

struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    content_type: &'static str,
    tag: HeaderValue,
    /// Its name holds its hash.
    immutable: bool,
}

/// The console's files.
pub(crate) struct Assets {
    files: HashMap<String, File>,
    page: Policy,
    /// As it is sent.
    policy: HeaderValue,
}

impl Assets {
    /// The embedded console, or the one in `folder`.
    pub(crate) fn load(folder: Option<&Path>) -> std::io::Result<Self> {
        let mut contents = HashMap::new();
        match folder {
            Some(folder) => read_folder(folder, "", &mut contents)?,
            None => {
                for name in Embedded::iter() {
                    if let Some(file) = Embedded::get(&name) {
                        contents.insert(name.into_owned(), Bytes::from(file.data.into_owned()));
                    }
                }
            }
        }
        Ok(Self::new(contents))
    }

    fn new(mut contents: HashMap<String, Bytes>) -> Self {
        contents.entry("index.html".into()).or_insert_with(|| Bytes::from_static(NOT_BUILT.as_bytes()));
        // The console asks it which servers there are: this one, unless the folder says otherwise.
        contents.entry(CONFIG.into()).or_insert_with(|| Bytes::from_static(OWN_CONFIG.as_bytes()));
        let page = Policy::of(&contents["index.html"], &contents[CONFIG]);
        let is_encoded = |name: &str| name.ends_with(".br") || name.ends_with(".gz");
        let files = contents
            .iter()
            .filter(|(name, _)| !is_encoded(name))
            .map(|(name, plain)| {
                let file = File {
                    plain: plain.clone(),
                    brotli: contents.get(&format!("{name}.br")).cloned(),
                    gzip: contents.get(&format!("{name}.gz")).cloned(),
                    content_type: content_type(name),
                    tag: tag(plain),
                    immutable: name_holds_hash(name),
                };
                (name.clone(), file)
            })
            .collect();
        Self { files, policy: page.header(), page }
    }

    /// Lets the console connect to `origins`, too.
    pub(crate) fn connecting_to(mut self, origins: &[String]) -> Self {
        self.page.connect_to(origins);
        self.policy = self.page.header();
        self
    }

    fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let name = path.trim_start_matches('/');
        // What is below a workspace is a page, also where the last part is an id with a dot in it, as somebody typed it.
        let is_file = name.rsplit('/').next().is_some_and(|last| last.contains('.'))
            && name.split('/').nth(1) != Some("w");
        let file = match self.files.get(name) {
            Some(file) => file,
            None if is_file => return None,
            None => &self.files["index.html"],
        };
        let mut response = Response::new(Body::empty());
        let out = response.headers_mut();
        out.insert(header::ETAG, file.tag.clone());
        let caching = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        out.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        if headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| lists_tag(tags, &file.tag)) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Some(response);
        }
        let (bytes, encoding) = file.encoded(headers);
        if let Some(encoding) = encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        *response.body_mut() = Body::from(bytes);
        Some(response)
    }
}

impl File {
    fn encoded(&self, headers: &HeaderMap) -> (Bytes, Option<&'static str>) {
        match (&self.brotli, &self.gzip) {
            (Some(bytes), _) if accepts(headers, "br") => (bytes.clone(), Some("br")),
            (_, Some(bytes)) if accepts(headers, "gzip") => (bytes.clone(), Some("gzip")),
            _ => (self.plain.clone(), None),
        }
    }
}

/// Serves the console at every path that no other route takes.
pub(crate) fn router(assets: Assets) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(assets))
}

async fn serve(State(assets): State<Arc<Assets>>, request: Request) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let found = (reads && !is_application(request.headers()))
        .then(|| assets.answer(request.uri().path(), request.headers()))
        .flatten();
    found.unwrap_or_else(|| Problem::no_page().into_response())
}

/// Whether this is a client of the gateway that has the wrong base URL: a page of the console would only confuse it.
fn is_application(headers: &HeaderMap) -> bool {
    let takes_html = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"));
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key") || !takes_html
}

fn read_folder(folder: &Path, prefix: &str, contents: &mut HashMap<String, Bytes>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), contents)?;
        } else {
            contents.insert(name, Bytes::from(std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let hash = hex::encode(&Sha256::digest(bytes)[..12]);
    HeaderValue::from_str(&format!("\"{hash}\"")).expect("hexadecimal digits")
}

fn lists_tag(tags: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(tags), Ok(tag)) = (tags.to_str(), tag.to_str()) else { return false };
    tags.split(',').map(|t| t.trim().trim_start_matches("W/")).any(|t| t == "*" || t == tag)
}

/// Whether `Accept-Encoding` lists an encoding and does not weigh it 0.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let zero = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
            name.trim().eq_ignore_ascii_case(encoding) && !zero
        })
}

/// trunk writes 16 hexadecimal digits behind a hyphen, such as `console-0123456789abcdef_bg.wasm`.
fn name_holds_hash(name: &str) -> bool {
    let is_hash = |part: &str| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
    name.rsplit('/').next().is_some_and(|last| last.split(['-', '_', '.']).any(is_hash))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "<html><script type=\"module\">start()</script></html>";

    fn assets() -> Assets {
        Assets::new(
            [
                ("index.html", INDEX),
                ("app-0123456789abcdef.js", "plain"),
                ("app-0123456789abcdef.js.br", "brotli"),
                ("app-0123456789abcdef.js.gz", "gzip"),
            ]
            .into_iter()
            .map(|(name, text)| (name.to_owned(), Bytes::from(text)))
            .collect(),
        )
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_page_of_the_console_answers_the_index_and_an_unknown_file_nothing() {
        let assets = assets();
        for page in ["/", "/sign-in", "/ap-southeast-1/workspaces/ws-1"] {
            let response = assets.answer(page, &HeaderMap::new()).unwrap();
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{page}");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        }
        for unknown in ["/x.js", "/../Cargo.toml", "/..%2f..%2fetc/passwd.txt", "/app-0123456789abcdef.js.br"]
        {
            assert!(assets.answer(unknown, &HeaderMap::new()).is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_file_comes_in_the_best_encoding_the_client_takes_and_is_cached_for_ever() {
        let assets = assets();
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("identity", None),
        ] {
            let response =
                assets.answer("/app-0123456789abcdef.js", &headers(&[("accept-encoding", accept)])).unwrap();
            let encoding = response.headers().get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap());
            assert_eq!(encoding, expected, "{accept}");
            assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        }
    }

    #[test]
    fn a_known_tag_is_not_sent_again() {
        let assets = assets();
        let tag = assets.files["index.html"].tag.to_str().unwrap().to_owned();
        for list in [tag.clone(), format!("\"x\", W/{tag}"), "*".into()] {
            let response = assets.answer("/", &headers(&[("if-none-match", &list)])).unwrap();
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        }
        assert_eq!(
            assets.answer("/", &headers(&[("if-none-match", "\"x\"")])).unwrap().status(),
            StatusCode::OK
        );
    }

    #[test]
    fn without_a_configuration_the_console_is_told_of_the_server_that_serves_it() {
        let own = assets().answer("/config.json", &HeaderMap::new()).unwrap();
        assert_eq!(own.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(own.headers()[header::CACHE_CONTROL], "no-cache");
    }
}

//! Recordings of requests and answers: written beside another transport, replayed without a server.
//!
//! A recording is text that people can read and edit:
//!
//! ```text
//! vi-client recording 1
//!
//! == request POST /sdk
//! soapaction: "urn:vim25/8.0.1.0"
//!
//! <?xml version="1.0" …
//! == answer 200
//! content-type: text/xml
//!
//! <?xml version="1.0" …
//! ```
//!
//! A line of a body that begins with `==` or `\` gets a `\` before it; a body that is not UTF-8 is written in base64
//! and marked by the line `body: base64` among the headers. Passwords, session keys, tickets and cookies are blanked.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Request, Response, StatusCode};

use super::redact::{BLANK, redact};
use super::{Body, BoxFuture, Transport, TransportError};
use crate::bounded::read_file;

const TITLE: &str = "vi-client recording 1";
/// The largest answer that is recorded; each is held in memory meanwhile.
const LARGEST_ANSWER: usize = 1 << 30;

/// Records the requests and answers of another transport to a file, without secrets.
pub struct Recorder<T> {
    inner: T,
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    /// Cookie values seen so far; they are blanked in bodies too.
    cookies: Vec<String>,
}

impl<T: Transport> Recorder<T> {
    /// Records `inner` to the file at `path`, which is overwritten if it exists.
    ///
    /// # Errors
    /// [`TransportError::Recording`] if the file cannot be written.
    pub fn create(inner: T, path: impl Into<PathBuf>) -> Result<Self, TransportError> {
        let path = path.into();
        let file = File::create(&path)
            .and_then(|mut file| writeln!(file, "{TITLE}").map(|()| file))
            .map_err(|error| unusable(&path, error))?;
        Ok(Self {
            inner,
            path,
            state: Mutex::new(State {
                file,
                cookies: Vec::new(),
            }),
        })
    }

    async fn exchange(
        &self,
        mut request: Request<Bytes>,
    ) -> Result<Response<Body>, TransportError> {
        request.headers_mut().remove(ACCEPT_ENCODING); // uncompressed answers are readable
        let mut entry = format!("\n== request {}\n", line(&request));
        write_headers(&mut entry, request.headers());
        let sent = request.body().clone();

        let (parts, body) = self.inner.send(request).await?.into_parts();
        let received = body.collect(LARGEST_ANSWER).await?;

        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cookies.extend(cookie_values(&parts.headers));
        write_body(&mut entry, &sent, &state.cookies);
        entry.push_str(&format!("== answer {}\n", parts.status.as_u16()));
        write_headers(&mut entry, &parts.headers);
        write_body(&mut entry, &received, &state.cookies);
        state
            .file
            .write_all(entry.as_bytes())
            .map_err(|error| unusable(&self.path, error))?;
        Ok(Response::from_parts(parts, Body::from(received)))
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }
}

impl<T> fmt::Debug for Recorder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The most bytes of a recording.
const LARGEST: usize = 1 << 30;

/// Answers from a recording, without a server.
///
/// A request gets the recorded answer to the same HTTP method, path and body; secrets are ignored. Equal requests get
/// their answers in the recorded order, and the last answer repeatedly.
pub struct Replay {
    path: PathBuf,
    answers: Mutex<HashMap<String, VecDeque<Response<Bytes>>>>,
}

impl Replay {
    /// Reads the recording at `path`.
    ///
    /// # Errors
    /// [`TransportError::Recording`] if the file cannot be read or is not a recording; names the line.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TransportError> {
        let path = path.into();
        let bytes = read_file(&path, LARGEST).map_err(|error| unusable(&path, error))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| unusable(&path, io::Error::new(io::ErrorKind::InvalidData, error)))?;
        let answers = parse(&text).map_err(|reason| TransportError::Recording {
            path: path.clone(),
            reason,
            source: None,
        })?;
        Ok(Self {
            path,
            answers: Mutex::new(answers),
        })
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let key = key(&line(request), &blanked(request.body(), &[]));
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = answers.get_mut(&key);
        let next = queue.and_then(|queue| match queue.len() {
            1 => queue.front().cloned(),
            _ => queue.pop_front(),
        });
        next.map(|answer| answer.map(Body::from))
            .ok_or_else(|| TransportError::NotRecorded {
                path: self.path.clone(),
                request: match soap_method(request.body()) {
                    Some(method) => format!("{} ({method})", line(request)),
                    None => line(request),
                },
            })
    }
}

impl Transport for Replay {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move { self.answer(&request) })
    }

    fn is_secure(&self) -> bool {
        true
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn unusable(path: &Path, error: io::Error) -> TransportError {
    TransportError::Recording {
        path: path.to_owned(),
        reason: error.to_string(),
        source: Some(error),
    }
}

/// `POST /sdk`
fn line(request: &Request<Bytes>) -> String {
    format!("{} {}", request.method(), request.uri())
}

fn key(line: &str, body: &str) -> String {
    format!("{line}\n{body}")
}

fn cookie_values(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next()?.split_once('='))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .filter(|value| value.len() > 3)
        .collect()
}

fn write_headers(entry: &mut String, headers: &HeaderMap) {
    for name in ["soapaction", "content-type", "content-encoding", "location"] {
        for value in headers.get_all(name) {
            entry.push_str(&format!(
                "{name}: {}\n",
                String::from_utf8_lossy(value.as_bytes())
            ));
        }
    }
    for cookie in headers.get_all(SET_COOKIE) {
        let cookie = String::from_utf8_lossy(cookie.as_bytes());
        let name = cookie.split('=').next().unwrap_or_default();
        entry.push_str(&format!("set-cookie: {name}=\"{BLANK}\"; Path=/\n"));
    }
}

fn write_body(entry: &mut String, body: &Bytes, cookies: &[String]) {
    if std::str::from_utf8(body).is_err() {
        entry.push_str(&format!("body: base64\n\n{}\n", BASE64.encode(body)));
        return;
    }
    entry.push('\n');
    for line in blanked(body, cookies).split('\n') {
        if line.starts_with("==") || line.starts_with('\\') {
            entry.push('\\');
        }
        entry.push_str(line);
        entry.push('\n');
    }
}

/// The body as text without secrets; base64 when it is not text.
fn blanked(body: &Bytes, cookies: &[String]) -> String {
    let Ok(text) = std::str::from_utf8(body) else {
        return BASE64.encode(body);
    };
    let mut text = redact(text);
    for cookie in cookies {
        if text.contains(cookie) {
            text = text.replace(cookie, BLANK);
        }
    }
    text
}

/// The name of the first element inside the SOAP body.
fn soap_method(body: &Bytes) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, inside) = text.split_once("Body>")?;
    let name = inside.trim_start().strip_prefix('<')?;
    name.split(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .next()
}

fn parse(text: &str) -> Result<HashMap<String, VecDeque<Response<Bytes>>>, String> {
    let mut lines = text.split('\n').enumerate().peekable();
    if lines.next().map(|(_, line)| line.trim_end()) != Some(TITLE) {
        return Err(format!("its first line is not '{TITLE}'"));
    }
    let mut answers: HashMap<String, VecDeque<Response<Bytes>>> = HashMap::new();
    let mut request: Option<String> = None;
    while let Some((number, line)) = lines.next() {
        let at = |what: &str| format!("line {}: {what}", number + 1);
        if line.trim().is_empty() {
            continue;
        }
        let mut headers = HeaderMap::new();
        let mut base64 = false;
        for (number, line) in lines.by_ref() {
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break; // the empty line
            };
            let value = value.trim();
            if name == "body" {
                base64 = value == "base64";
                continue;
            }
            let bad = |what| format!("line {}: {what}", number + 1);
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("not a header's name"))?,
                HeaderValue::from_str(value).map_err(|_| bad("not a header's value"))?,
            );
        }
        let mut body: Vec<&str> = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("==")) {
            body.push(line.strip_prefix('\\').unwrap_or(line));
        }
        if let Some(action) = line.strip_prefix("== request ") {
            request = Some(key(action.trim_end(), &joined(&body)));
        } else if let Some(status) = line.strip_prefix("== answer ") {
            let status = StatusCode::from_bytes(status.trim().as_bytes())
                .map_err(|_| at("not an HTTP status"))?;
            let bytes = if base64 {
                let text: String = body.concat().split_whitespace().collect();
                BASE64
                    .decode(text)
                    .map_err(|_| at("the body is not base64"))?
            } else {
                joined(&body).into_bytes()
            };
            let mut answer = Response::new(Bytes::from(bytes));
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            let request = request
                .take()
                .ok_or_else(|| at("an answer without a request"))?;
            answers.entry(request).or_default().push_back(answer);
        } else {
            return Err(at("neither '== request' nor '== answer'"));
        }
    }
    Ok(answers)
}

/// A body's lines as one text, without the line ends that separate it from the next entry.
fn joined(lines: &[&str]) -> String {
    let mut text = lines.join("\n");
    // `write_body` ends every body with one line end, and an entry begins with one.
    while text.ends_with('\n') {
        text.pop();
    }
    text
}

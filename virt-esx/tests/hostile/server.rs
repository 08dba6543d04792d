//! A server between the command and a simulated host, which answers one request by itself.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress};

use crate::cases::{At, Case};

pub(crate) struct Server(SocketAddr);

impl Server {
    /// Serves until the test ends.
    pub(crate) fn start(behind: SocketAddr, case: &'static Case) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let retrieves = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                let retrieves = retrieves.clone();
                // A client that hangs up is no error.
                thread::spawn(move || serve(stream, behind, case, &retrieves).is_ok());
            }
        });
        Self(address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }
}

/// Serves one connection, with one request unless the case's answer keeps it.
fn serve(
    mut stream: TcpStream,
    behind: SocketAddr,
    case: &Case,
    retrieves: &AtomicUsize,
) -> io::Result<()> {
    let (head, body) = request(&mut stream)?;
    let body_text = String::from_utf8_lossy(&body);
    let method = body_text
        .split_once("Body>")
        .and_then(|(_, call)| call.trim_start().strip_prefix('<'))
        .and_then(|call| call.split([' ', '>', '/']).next())
        .unwrap_or_default();
    let is_asked = match case.at {
        At::Connect => method == "RetrieveServiceContent",
        At::Login => method == "Login",
        // The first one reads the inventory.
        At::List => {
            method.ends_with("RetrievePropertiesEx") && retrieves.fetch_add(1, Ordering::SeqCst) > 0
        }
        At::File => head.starts_with("GET /folder"),
        At::Lookup => {
            method == "RetrievePropertiesEx" && retrieves.fetch_add(1, Ordering::SeqCst) > 0
        }
        At::Task => method == "SuspendVM_Task",
        At::Wait => method == "WaitForUpdatesEx",
        At::TimedConnect => method == "RetrieveServiceContent",
        At::TimedLogin => method == "Login",
    };
    if is_asked {
        let page = retrieves.load(Ordering::SeqCst);
        let mut out = Out {
            method: method.to_owned(),
            page,
            stream,
        };
        (case.answer)(&mut out)?;
        let _ = out.stream.shutdown(Shutdown::Write);
        // Closed at once, the socket would forget what is under way.
        io::copy(&mut out.stream, &mut io::sink())?;
        return Ok(());
    }
    let mut relayed = TcpStream::connect(behind)?;
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    relayed.write_all(head.as_bytes())?;
    relayed.write_all(&body)?;
    io::copy(&mut relayed, &mut stream)?;
    stream.shutdown(Shutdown::Both)
}

fn request(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}

/// Where an answer is written.
pub(crate) struct Out {
    /// The method that was called.
    pub(crate) method: String,
    /// Counts the pages of a list.
    pub(crate) page: usize,
    stream: TcpStream,
}

impl Out {
    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// The same bytes over and over, about so many.
    pub(crate) fn raw_again(&mut self, bytes: &[u8], many: usize) -> io::Result<()> {
        let piece = bytes.repeat(1 + (64 << 10) / bytes.len());
        for _ in 0..=many / piece.len() {
            self.raw(&piece)?;
        }
        Ok(())
    }

    /// Some bytes, and then others over and over, a byte at a time, until the client hangs up.
    pub(crate) fn drip(&mut self, begin: &str, bytes: &str) -> io::Result<()> {
        self.raw(begin)?;
        let mut bytes = bytes.bytes().cycle();
        loop {
            thread::sleep(Duration::from_millis(100));
            match bytes.next() {
                Some(byte) => self.raw([byte])?,
                // Silence: the client says when it is over.
                None => return io::copy(&mut self.stream, &mut io::sink()).map(drop),
            }
        }
    }

    /// A head with these header lines.
    pub(crate) fn head(&mut self, status: &str, lines: &str) -> io::Result<()> {
        self.raw(format!("HTTP/1.1 {status}\r\n{lines}\r\n"))
    }

    /// The head of an answer in chunks.
    pub(crate) fn chunked(&mut self, lines: &str) -> io::Result<()> {
        let lines = format!("Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n{lines}");
        self.head("200 OK", &lines)
    }

    /// A chunk.
    pub(crate) fn chunk(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        self.raw(format!("{:x}\r\n", bytes.len()))?;
        self.raw(bytes)?;
        self.raw("\r\n")
    }

    /// The same text over and over in chunks, about so many bytes.
    pub(crate) fn again(&mut self, text: impl AsRef<[u8]>, bytes: usize) -> io::Result<()> {
        let text = text.as_ref();
        let piece = text.repeat(1 + (64 << 10) / text.len());
        for _ in 0..=bytes / piece.len() {
            self.chunk(&piece)?;
        }
        Ok(())
    }

    /// The last chunk.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.raw("0\r\n\r\n")
    }

    /// The beginning of an answer to the method that was called.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.chunked("")?;
        self.chunk(opening(&self.method))
    }

    /// A whole answer with this text.
    pub(crate) fn whole(&mut self, status: &str, content_type: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        let lines = format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n");
        self.head(status, &lines)?;
        self.raw(body)
    }

    /// The beginning of a compressed answer to the method that was called.
    pub(crate) fn begin_compressed(&mut self) -> io::Result<()> {
        self.chunked("Content-Encoding: gzip\r\n")?;
        self.chunk([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])?;
        let opening = deflated(opening(&self.method).as_bytes());
        self.chunk(opening)
    }

    /// The same text over and over, compressed: 64 KiB become some 100 bytes.
    pub(crate) fn compressed_again(&mut self, text: &str, bytes: usize) -> io::Result<()> {
        let text = text.repeat(1 + (64 << 10) / text.len());
        let piece = deflated(text.as_bytes());
        for _ in 0..=bytes / text.len() {
            self.chunk(&piece)?;
        }
        Ok(())
    }
}

/// All before the content of `returnval`.
pub(crate) fn opening(method: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body><{method}Response xmlns=\"urn:vim25\"><returnval>"
    )
}

/// All behind the content of `returnval`.
pub(crate) fn closing(method: &str) -> String {
    format!("</returnval></{method}Response></e:Body></e:Envelope>")
}

/// A text as a part of a compressed stream that stands for itself.
fn deflated(text: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::fast(), false);
    let mut out = Vec::with_capacity(text.len() + 1000);
    compress
        .compress_vec(text, &mut out, FlushCompress::Full)
        .unwrap();
    out
}

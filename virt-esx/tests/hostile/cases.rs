//! The answers that were tried.

use std::io;

use crate::server::{Out, closing, opening};

/// An answer, and the bounds of what it costs.
pub(crate) struct Case {
    pub(crate) what: &'static str,
    pub(crate) at: At,
    pub(crate) seconds: u64,
    pub(crate) megabytes: u64,
    /// The command's exit code.
    pub(crate) code: i32,
    /// What the command says, among other things; nothing if it succeeds.
    pub(crate) says: &'static str,
    pub(crate) answer: fn(&mut Out) -> io::Result<()>,
}

/// Which request the answer is for.
#[derive(Clone, Copy)]
pub(crate) enum At {
    /// The first one, of the service content.
    Connect,
    Login,
    /// The one of the domains, and those of further pages.
    List,
    /// The one of a VMX file.
    File,
    /// The one of the domain that a command with `--timeout 1` changes.
    Lookup,
    /// The one that starts a task, with `--timeout 1`.
    Task,
    /// Those that wait for a task.
    Wait,
    /// Those like `Connect` and `Login`, with `--timeout 1`.
    TimedConnect,
    TimedLogin,
}

impl At {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "the first request",
            Self::Login => "Login",
            Self::List => "a list",
            Self::File => "a file",
            Self::Lookup => "a look-up, `--timeout 1`",
            Self::Task => "the start of a task, `--timeout 1`",
            Self::Wait => "the wait for a task",
            Self::TimedConnect => "the first request, `--timeout 1`",
            Self::TimedLogin => "Login, `--timeout 1`",
        }
    }
}

impl Case {
    pub(crate) fn command(&self) -> &'static [&'static str] {
        match self.at {
            At::File => &["dumpxml", "1"],
            At::Wait => &["suspend", "1"],
            At::Lookup | At::Task | At::TimedConnect | At::TimedLogin => {
                &["suspend", "1", "--timeout", "1"]
            }
            _ => &["list", "--all"],
        }
    }
}

/// Bytes that never end, in practice.
const ENDLESS: usize = 4 << 30;

/// Within the first MiB, or the limit of an answer.
const SMALL: u64 = 64;
/// With an answer of 16 MiB in memory.
const MIDDLE: u64 = 128;
/// The most that any answer may take.
const LARGE: u64 = 256;

const fn refused(
    what: &'static str,
    at: At,
    megabytes: u64,
    says: &'static str,
    answer: fn(&mut Out) -> io::Result<()>,
) -> Case {
    let seconds = 30;
    Case {
        what,
        at,
        seconds,
        megabytes,
        code: 1,
        says,
        answer,
    }
}

/// An answer that does not come to its end in time.
const fn late(
    what: &'static str,
    at: At,
    code: i32,
    says: &'static str,
    answer: fn(&mut Out) -> io::Result<()>,
) -> Case {
    let mut case = refused(what, at, SMALL, says, answer);
    case.seconds = 10;
    case.code = code;
    case
}

const UNCONNECTED: &str = "there was no connection within 1 s";
const UNSTARTED: &str = "nothing was started";
const UNKNOWN: &str = "whether the host does it is not known";

fn silence(out: &mut Out) -> io::Result<()> {
    out.drip("", "")
}

fn dripping_head(out: &mut Out) -> io::Result<()> {
    out.drip("HTTP/1.1 200 OK\r\n", "X-Header: value\r\n")
}

fn dripping_body(out: &mut Out) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000000\r\n\r\n";
    let begin = format!("{head}{}", opening(&out.method));
    out.drip(&begin, "<key>a</key>")
}

fn continues(out: &mut Out) -> io::Result<()> {
    out.raw_again(b"HTTP/1.1 100 Continue\r\n\r\n", ENDLESS)
}

/// A page with these objects, which is not the last one.
fn more(out: &mut Out, token: &str, objects: &str) -> io::Result<()> {
    out.begin()?;
    out.chunk(format!("<token>{token}</token>{objects}"))?;
    finish(out)
}

/// A fault.
fn fault(out: &mut Out, name: &str) -> io::Result<()> {
    let body = format!(
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body><e:Fault><faultcode>e:Client</faultcode>\
         <faultstring>no</faultstring><detail><{name}Fault xmlns=\"urn:vim25\" xsi:type=\"{name}\"/></detail>\
         </e:Fault></e:Body></e:Envelope>"
    );
    out.whole("500 Internal Server Error", "text/xml", &body)
}

/// An answer that is odd, but can be read.
const fn taken(
    what: &'static str,
    at: At,
    megabytes: u64,
    says: &'static str,
    answer: fn(&mut Out) -> io::Result<()>,
) -> Case {
    let mut case = refused(what, at, megabytes, says, answer);
    case.code = 0;
    case
}

const TOO_LARGE: &str = "the answer is larger than the 16777216 bytes allowed";
const OBJECT: &str = "<objects><obj type=\"VirtualMachine\">1</obj></objects>";

/// A value of the object that a list has first.
fn value(out: &mut Out, ty: &str) -> io::Result<()> {
    out.begin()?;
    out.chunk(format!(
        "<objects><obj type=\"VirtualMachine\">1</obj><propSet><name>name</name><val xsi:type=\"{ty}\">"
    ))
}

fn finish(out: &mut Out) -> io::Result<()> {
    let closing = closing(&out.method);
    out.chunk(closing)?;
    out.end()
}

fn finish_value(out: &mut Out) -> io::Result<()> {
    out.chunk("</val></propSet></objects>")?;
    finish(out)
}

pub(crate) const CASES: &[Case] = &[
    // Other servers.
    refused(
        "an HTML page",
        At::Connect,
        SMALL,
        "this is not a VI server",
        |out| {
            out.whole(
                "200 OK",
                "text/html",
                "<!DOCTYPE html><html><title>nginx</title></html>",
            )
        },
    ),
    refused(
        "nothing",
        At::Connect,
        SMALL,
        "this is not a VI server",
        |out| out.whole("200 OK", "text/xml", ""),
    ),
    refused(
        "JSON",
        At::Connect,
        SMALL,
        "this is not a VI server",
        |out| out.whole("200 OK", "application/json", "{\"error\": 1}"),
    ),
    refused("404", At::Connect, SMALL, "404", |out| {
        out.whole("404 Not Found", "text/html", "<html>not found</html>")
    }),
    refused(
        "a redirect to another server",
        At::Connect,
        SMALL,
        "The server redirects from '/sdk'",
        |out| {
            out.head(
                "302 Found",
                "Location: https://elsewhere/\r\nContent-Length: 0\r\n",
            )
        },
    ),
    refused(
        "a redirect to an address of 100 KB",
        At::Connect,
        SMALL,
        "The server redirects from '/sdk'",
        |out| {
            let to = "a".repeat(100_000);
            out.head(
                "302 Found",
                &format!("Location: /{to}\r\nContent-Length: 0\r\n"),
            )
        },
    ),
    refused(
        "random bytes",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.raw_again(b"\x80\x13\xff\n\x00", ENDLESS),
    ),
    refused(
        "the greeting of SSH",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.raw("SSH-2.0-OpenSSH_9.2p1\r\n"),
    ),
    refused(
        "frames of HTTP/2",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
    ),
    refused(
        "a connection that ends",
        At::Connect,
        SMALL,
        "closed the connection without an answer",
        |_| Ok(()),
    ),
    // Heads.
    refused(
        "a head without an end",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| {
            out.raw("HTTP/1.1 200 OK\r\n")?;
            out.raw_again(b"X-Header: value\r\n", ENDLESS)
        },
    ),
    refused(
        "a header without an end",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| {
            out.raw("HTTP/1.1 200 OK\r\nX-Header: ")?;
            out.raw_again(b"a", ENDLESS)
        },
    ),
    refused(
        "1,000 headers",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.head("200 OK", &"X-Header: value\r\n".repeat(1000)),
    ),
    refused(
        "a status of two digits",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.head("20 OK", ""),
    ),
    refused(
        "two lengths",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.head("200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n"),
    ),
    refused(
        "a length below zero",
        At::Connect,
        SMALL,
        "does not speak HTTP",
        |out| out.head("200 OK", "Content-Length: -1\r\n"),
    ),
    refused(
        "a length of 2 GB",
        At::Connect,
        SMALL,
        "(2000000000 announced)",
        |out| {
            out.head(
                "200 OK",
                "Content-Type: text/xml\r\nContent-Length: 2000000000\r\n",
            )
        },
    ),
    refused(
        "less than the length",
        At::Login,
        SMALL,
        "in the middle of its answer",
        |out| {
            out.head(
                "200 OK",
                "Content-Type: text/xml\r\nContent-Length: 5000\r\n",
            )?;
            out.raw(opening("Login"))
        },
    ),
    refused(
        "more than the length",
        At::Login,
        SMALL,
        "not well-formed XML",
        |out| {
            out.head(
                "200 OK",
                "Content-Type: text/xml\r\nContent-Length: 200\r\n",
            )?;
            out.raw(opening("Login"))?;
            out.raw(closing("Login"))
        },
    ),
    // Bodies.
    refused(
        "a body without a length and without an end",
        At::Connect,
        MIDDLE,
        TOO_LARGE,
        |out| {
            out.head("200 OK", "Content-Type: text/xml\r\n")?;
            out.raw_again(b"<a/>", ENDLESS)
        },
    ),
    refused(
        "chunks without an end",
        At::Login,
        MIDDLE,
        TOO_LARGE,
        |out| {
            out.begin()?;
            out.again("<a/>", ENDLESS)
        },
    ),
    refused(
        "100,000 chunks of one byte",
        At::Login,
        SMALL,
        "expected an element, found",
        |out| {
            out.begin()?;
            out.raw_again(b"1\r\na\r\n", 600_000)?;
            out.end()
        },
    ),
    refused(
        "a chunk of 2^64 bytes",
        At::Login,
        SMALL,
        "closed the connection",
        |out| {
            out.chunked("")?;
            out.raw("10000000000000000\r\n")
        },
    ),
    refused(
        "a chunk's extension without an end",
        At::Login,
        SMALL,
        "closed the connection",
        |out| {
            out.chunked("")?;
            out.raw("5;")?;
            out.raw_again(b"extension", ENDLESS)
        },
    ),
    refused(
        "trailers without an end",
        At::Login,
        SMALL,
        "closed the connection",
        |out| {
            out.begin()?;
            out.raw("0\r\n")?;
            out.raw_again(b"X-Trailer: value\r\n", ENDLESS)
        },
    ),
    refused(
        "an error's page without an end",
        At::List,
        MIDDLE,
        TOO_LARGE,
        |out| {
            out.head("500 Internal Server Error", "Content-Type: text/html\r\n")?;
            out.raw_again(b"<p>", ENDLESS)
        },
    ),
    refused(
        "a file without an end",
        At::File,
        MIDDLE,
        TOO_LARGE,
        |out| {
            out.head("200 OK", "Content-Type: text/plain\r\n")?;
            out.raw_again(b"a = \"b\"\n", ENDLESS)
        },
    ),
    refused(
        "a file of 2 GB",
        At::File,
        SMALL,
        "(2000000000 announced)",
        |out| out.head("200 OK", "Content-Length: 2000000000\r\n"),
    ),
    // Compression.
    refused("4 GB compressed", At::Login, MIDDLE, TOO_LARGE, |out| {
        out.begin_compressed()?;
        out.compressed_again("a", ENDLESS)
    }),
    refused(
        "a text of 4 GB in a list, compressed",
        At::List,
        MIDDLE,
        TOO_LARGE,
        |out| {
            out.begin_compressed()?;
            out.compressed_again("a", ENDLESS)
        },
    ),
    refused(
        "4 GB of objects, compressed",
        At::List,
        LARGE,
        "the server gives more than 100000 objects",
        |out| {
            out.begin_compressed()?;
            out.compressed_again(OBJECT, ENDLESS)
        },
    ),
    refused(
        "more behind the end of what is compressed",
        At::Connect,
        SMALL,
        "there is more behind its end",
        |out| {
            out.chunked("Content-Encoding: gzip\r\n")?;
            // Nothing, compressed.
            out.chunk([
                0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ])?;
            out.chunk("more")?;
            out.end()
        },
    ),
    refused(
        "half of what is compressed",
        At::Connect,
        SMALL,
        "cut short, or changed on its way",
        |out| {
            out.begin_compressed()?;
            out.end()
        },
    ),
    refused(
        "a comment without an end in the head of what is compressed",
        At::Connect,
        MIDDLE,
        "cut short, or changed on its way",
        |out| {
            out.chunked("Content-Encoding: gzip\r\n")?;
            out.chunk([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3])?;
            out.again("comment", ENDLESS)
        },
    ),
    refused(
        "a compression that nobody asked for",
        At::Connect,
        SMALL,
        "this is not a VI server",
        |out| {
            out.chunked("Content-Encoding: br\r\n")?;
            out.chunk([0x8b, 2, 0x80, 0x61, 0x62, 3])?;
            out.end()
        },
    ),
    // XML.
    refused("a text of 900 MB", At::Login, MIDDLE, TOO_LARGE, |out| {
        out.begin()?;
        out.chunk("<key>")?;
        out.again("a", 900 << 20)
    }),
    refused(
        "80,000 attributes",
        At::Login,
        SMALL,
        "there are more than 64 attributes of one element",
        |out| {
            out.begin()?;
            out.chunk("<key")?;
            let attributes: String = (0..80_000).map(|n| format!(" a{n}=\"\"")).collect();
            out.chunk(attributes)?;
            out.chunk("/>")?;
            finish(out)
        },
    ),
    refused(
        "80,000 namespaces",
        At::Login,
        SMALL,
        "there are more than 64 attributes of one element",
        |out| {
            out.begin()?;
            out.chunk("<key")?;
            let attributes: String = (0..80_000).map(|n| format!(" xmlns:a{n}=\"u\"")).collect();
            out.chunk(attributes)?;
            out.chunk("/>")?;
            finish(out)
        },
    ),
    refused(
        "a million levels",
        At::Login,
        SMALL,
        "elements are nested more than 128 deep",
        |out| {
            out.begin()?;
            out.again("<a>", 3 << 20)?;
            out.end()
        },
    ),
    refused(
        "a name of 10 MB",
        At::Login,
        SMALL,
        "not well-formed XML",
        |out| {
            out.begin()?;
            out.chunk("<")?;
            out.again("a", 10 << 20)?;
            out.end()
        },
    ),
    refused(
        "entities of entities",
        At::Login,
        SMALL,
        "document type declaration",
        |out| {
            let dtd = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]>";
            let text =
                opening("Login").replacen("<?xml version=\"1.0\"?>", dtd, 1) + &closing("Login");
            out.whole("200 OK", "text/xml", &text)
        },
    ),
    refused(
        "10 MB that are not UTF-8",
        At::Login,
        MIDDLE,
        "characters are none",
        |out| {
            out.begin()?;
            out.chunk("<key>")?;
            out.again(b"\xff", 10 << 20)?;
            out.chunk("</key>")?;
            finish(out)
        },
    ),
    refused(
        "3 MB of references to nothing",
        At::Login,
        LARGE,
        "UserSession object is missing",
        |out| {
            out.begin()?;
            out.chunk("<key>")?;
            out.again("&#0;", 3 << 20)?;
            out.chunk("</key>")?;
            finish(out)
        },
    ),
    refused(
        "half an answer",
        At::Login,
        SMALL,
        "not well-formed XML",
        |out| {
            let text = opening("Login");
            out.whole("200 OK", "text/xml", &text)
        },
    ),
    refused(
        "the answer to another call",
        At::Login,
        SMALL,
        "it answers with <LogoutResponse>, not to Login",
        |out| {
            let text = opening("Logout") + &closing("Logout");
            out.whole("200 OK", "text/xml", &text)
        },
    ),
    refused(
        "a fault with a text of 10 MB",
        At::Login,
        LARGE,
        "aaaaaaaa",
        |out| {
            out.chunked("")?;
            out.chunk("<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault><faultcode>a</faultcode><faultstring>")?;
            out.again("a", 10 << 20)?;
            out.chunk("</faultstring></e:Fault></e:Body></e:Envelope>")?;
            out.end()
        },
    ),
    // Lists.
    refused(
        "5 million objects",
        At::List,
        LARGE,
        "the server gives more than 100000 objects",
        |out| {
            out.begin()?;
            out.again(OBJECT, 5_000_000 * OBJECT.len())?;
            finish(out)
        },
    ),
    refused(
        "pages without an end",
        At::List,
        LARGE,
        "the server gives more than 100000 objects",
        |out| {
            let token = out.page;
            out.begin()?;
            out.chunk(format!("<token>{token}</token>"))?;
            out.chunk(OBJECT.replace('1', &token.to_string()).repeat(20_000))?;
            finish(out)
        },
    ),
    // Time.
    late("silence", At::TimedConnect, 1, UNCONNECTED, silence),
    late("silence", At::TimedLogin, 1, UNCONNECTED, silence),
    late("silence", At::Lookup, 1, UNSTARTED, silence),
    late("silence", At::Task, 3, UNKNOWN, silence),
    late(
        "a head a byte at a time",
        At::TimedConnect,
        1,
        UNCONNECTED,
        dripping_head,
    ),
    late(
        "a head a byte at a time",
        At::TimedLogin,
        1,
        UNCONNECTED,
        dripping_head,
    ),
    late(
        "a head a byte at a time",
        At::Lookup,
        1,
        UNSTARTED,
        dripping_head,
    ),
    late(
        "a head a byte at a time",
        At::Task,
        3,
        UNKNOWN,
        dripping_head,
    ),
    late(
        "a body a byte at a time",
        At::TimedConnect,
        1,
        UNCONNECTED,
        dripping_body,
    ),
    late(
        "a body a byte at a time",
        At::TimedLogin,
        1,
        UNCONNECTED,
        dripping_body,
    ),
    late(
        "a body a byte at a time",
        At::Lookup,
        1,
        UNSTARTED,
        dripping_body,
    ),
    late(
        "a body a byte at a time",
        At::Task,
        3,
        UNKNOWN,
        dripping_body,
    ),
    late(
        "100 Continue for ever",
        At::Connect,
        1,
        "informational answers",
        continues,
    ),
    late(
        "100 Continue for ever",
        At::Login,
        1,
        "informational answers",
        continues,
    ),
    late(
        "100 Continue for ever",
        At::List,
        1,
        "informational answers",
        continues,
    ),
    late(
        "100 Continue for ever",
        At::Wait,
        3,
        "informational answers",
        continues,
    ),
    // Loops.
    late(
        "the same token and no object, for ever",
        At::List,
        1,
        "gives a page without a new object, 6 times in a row",
        |out| more(out, "1", ""),
    ),
    late(
        "another token and no object, for ever",
        At::List,
        1,
        "gives a page without a new object, 6 times in a row",
        |out| more(out, &out.page.to_string(), ""),
    ),
    late(
        "the same objects, for ever",
        At::List,
        1,
        "gives a page without a new object, 6 times in a row",
        |out| more(out, "1", OBJECT),
    ),
    late(
        "nothing has changed, at once and for ever",
        At::Wait,
        3,
        "answers at once that nothing has changed, 6 times in a row",
        |out| {
            let body = "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
                 <WaitForUpdatesExResponse xmlns=\"urn:vim25\"/></e:Body></e:Envelope>";
            out.whole("200 OK", "text/xml", body)
        },
    ),
    late(
        "the version is forgotten, at every wait",
        At::Wait,
        3,
        "which goes on",
        |out| fault(out, "InvalidCollectorVersion"),
    ),
    late(
        "the session is forgotten, at every wait",
        At::Wait,
        3,
        "which goes on",
        |out| fault(out, "NotAuthenticated"),
    ),
    refused(
        "objects with names of 1 MB, without an end",
        At::List,
        LARGE,
        "bytes of memory can hold",
        |out| {
            out.begin()?;
            loop {
                out.chunk("<objects><obj type=\"VirtualMachine\">1</obj><propSet><name>name</name><val xsi:type=\"xsd:string\">")?;
                out.again("a", 1 << 20)?;
                out.chunk("</val></propSet></objects>")?;
            }
        },
    ),
    refused("a name of 100 MB", At::List, MIDDLE, TOO_LARGE, |out| {
        value(out, "xsd:string")?;
        out.again("a", 100 << 20)?;
        finish_value(out)
    }),
    refused(
        "2 million numbers that are none",
        At::List,
        LARGE,
        "bytes of memory",
        |out| {
            value(out, "ArrayOfInt")?;
            out.again("<int/>", 12 << 20)?;
            finish_value(out)
        },
    ),
    taken(
        "a property 40,000 times",
        At::List,
        LARGE,
        "left out of the list",
        |out| {
            out.begin()?;
            out.chunk("<objects><obj type=\"VirtualMachine\">1</obj>")?;
            out.again(
                "<propSet><name>name</name><val xsi:type=\"xsd:int\">1</val></propSet>",
                3 << 20,
            )?;
            out.chunk("</objects>")?;
            finish(out)
        },
    ),
    taken(
        "30,000 refused properties",
        At::List,
        LARGE,
        "left out of the list",
        |out| {
            out.begin()?;
            out.chunk("<objects><obj type=\"VirtualMachine\">1</obj>")?;
            let missing = "<missingSet><path>name</path><fault><fault xsi:type=\"NoPermission\"/><localizedMessage/></fault></missingSet>";
            out.again(missing, 3 << 20)?;
            out.chunk("</objects>")?;
            finish(out)
        },
    ),
    taken(
        "150,000 elements that nobody knows",
        At::List,
        SMALL,
        "",
        |out| {
            out.begin()?;
            out.again("<new/>", 1 << 20)?;
            finish(out)
        },
    ),
    refused(
        "comments without an end",
        At::List,
        MIDDLE,
        TOO_LARGE,
        |out| {
            out.begin()?;
            out.again("<!-- comment -->", ENDLESS)
        },
    ),
    taken(
        "20,000 machines without properties",
        At::List,
        LARGE,
        "more: left out of the list",
        |out| {
            out.begin()?;
            out.again(OBJECT, 20_000 * OBJECT.len())?;
            finish(out)
        },
    ),
];

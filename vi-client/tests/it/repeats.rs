//! Calls whose answers do not arrive: those that only read are sent again, the others never.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::time::Instant;
use vi_client::retrieve::Retrieve;
use vi_client::{Client, Error, Options};
use vi_types::ManagedObjectReference;
use vi_types::methods::{CurrentTime, PowerOnVmTask};

use crate::vi::{Call, Vi, answer, result};

/// An answer, and what it is called.
type Spoilt = (&'static str, fn() -> Response<Bytes>);

/// Answers that are not the server's, or not whole.
const SPOILT: [Spoilt; 6] = [
    ("503", || answer(503, "text/plain", "Service Unavailable")),
    ("502", || {
        answer(502, "text/html", "<html>Bad Gateway</html>")
    }),
    ("429", || answer(429, "text/plain", "")),
    ("page", || {
        answer(200, "text/html", "<!DOCTYPE html><html>Please log in")
    }),
    ("torn", || {
        let mut torn = result("CurrentTime", "");
        torn.headers_mut().insert("content-length", 9_999.into());
        torn
    }),
    ("damaged", || {
        let mut damaged = answer(200, "text/xml", "no gzip");
        let gzip = http::HeaderValue::from_static("gzip");
        damaged.headers_mut().insert("content-encoding", gzip);
        damaged
    }),
];

/// A server that spoils its answers to `method` from the one with the number `first` on, so many times.
fn spoiling(
    method: &'static str,
    first: usize,
    times: usize,
    spoilt: fn() -> Response<Bytes>,
) -> Arc<Vi> {
    let seen = AtomicUsize::new(0);
    Vi::new("8.0.1.0", move |call| {
        let number = match call.method == method {
            true => seen.fetch_add(1, Ordering::SeqCst) + 1,
            false => return None,
        };
        (first..first.saturating_add(times))
            .contains(&number)
            .then(spoilt)
    })
}

fn clock() -> CurrentTime {
    CurrentTime {
        this: ManagedObjectReference::new("ServiceInstance", "ServiceInstance"),
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_reads_is_sent_again() {
    for (what, spoilt) in SPOILT {
        let vi = spoiling("CurrentTime", 1, 3, spoilt);
        let client = vi.log_in().await;
        client.call(&clock()).await.unwrap();
        assert_eq!(vi.count("CurrentTime"), 4, "{what}");
        client.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn not_for_ever() {
    for (what, spoilt) in SPOILT {
        let vi = spoiling("CurrentTime", 1, usize::MAX, spoilt);
        let client = vi.log_in().await;
        let begun = Instant::now();
        let error = client.call(&clock()).await.unwrap_err();
        assert!(error.is_broken(), "{what}: {error}");
        assert_eq!(vi.count("CurrentTime"), 6, "{what}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{what}");
        client.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn another_program_is_not_taken_for_the_server() {
    let vi = spoiling("CurrentTime", 1, usize::MAX, SPOILT[3].1);
    let client = vi.log_in().await;
    let error = client.call(&clock()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "something other than the VI server, such as a proxy, answered CurrentTime with 200 (OK), text/html, beginning \
         with \"<!DOCTYPE html><html>Please log in\""
    );
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_is_sent_once() {
    for (what, spoilt) in SPOILT {
        let vi = spoiling("PowerOnVM_Task", 1, 1, spoilt);
        let client = vi.log_in().await;
        let start = PowerOnVmTask {
            this: ManagedObjectReference::new("VirtualMachine", "16"),
            ..Default::default()
        };
        let error = client.call(&start).await.unwrap_err();
        assert!(error.is_broken(), "{what}: {error}");
        assert_eq!(vi.count("PowerOnVM_Task"), 1, "{what}");
        client.close().await.unwrap();
    }
}

/// The first answer of all shows whether this is a VI server.
#[tokio::test(start_paused = true)]
async fn a_first_contact_is_quick() {
    for (what, spoilt) in SPOILT {
        let vi = spoiling("RetrieveServiceContent", 1, usize::MAX, spoilt);
        let begun = Instant::now();
        let connected = Client::connect(vi.transport(), Options::default()).await;
        let error = connected.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(1), "{what}");
        let (calls, is_no_vi) = match what {
            "page" => (1, true),
            _ => (2, false),
        };
        assert_eq!(vi.count("RetrieveServiceContent"), calls, "{what}");
        assert_eq!(matches!(error, Error::NotVi { .. }), is_no_vi, "{what}");
    }
}

/// A login is sent again only if the server has not seen the password: accounts are locked after a few wrong ones.
#[tokio::test(start_paused = true)]
async fn logins() {
    for (what, spoilt) in SPOILT {
        let is_unseen = matches!(what, "503" | "502" | "429" | "page");
        let vi = spoiling("Login", 1, 2, spoilt);
        let client = vi.connect().await;
        let logged_in = client.login("root", "s3cret<&>").await;
        assert_eq!(logged_in.is_ok(), is_unseen, "{what}");
        assert_eq!(vi.count("Login"), if is_unseen { 3 } else { 1 }, "{what}");
        // The same when the session has ended; what only reads may begin again.
        let vi = spoiling("Login", 2, 2, spoilt);
        let client = vi.log_in().await;
        vi.expire();
        client.call(&clock()).await.unwrap();
        client.close().await.unwrap();
    }
}

/// A server with 250 machines in pages of 100, which spoils the page that begins there, once.
fn paging(spoilt_page: usize, spoilt: fn(Response<Bytes>) -> Response<Bytes>) -> Arc<Vi> {
    let is_spoilt = AtomicUsize::new(0);
    Vi::new("8.0.1.0", move |call: &Call| {
        let from = match call.method.as_str() {
            "RetrievePropertiesEx" => 0,
            "ContinueRetrievePropertiesEx" => {
                let (_, token) = call.body.split_once("<token")?;
                let (_, token) = token.split_once('>')?;
                token.split('<').next()?.parse().ok()?
            }
            _ => return None,
        };
        let to = (from + 100_usize).min(250);
        let object = |number: usize| {
            format!(
                "<objects><obj type=\"VirtualMachine\">{number}</obj><propSet><name>name</name>\
                 <val xsi:type=\"xsd:string\">vm{number}</val></propSet></objects>"
            )
        };
        let objects: String = (from..to).map(object).collect();
        let token = match to {
            250 => String::new(),
            _ => format!("<token>{to}</token>"),
        };
        let page = format!("<returnval>{token}{objects}</returnval>");
        let page = result(&call.method, &page);
        let is_to_be_spoilt = from == spoilt_page && is_spoilt.fetch_add(1, Ordering::SeqCst) == 0;
        Some(match is_to_be_spoilt {
            true => spoilt(page),
            false => page,
        })
    })
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_lost() {
    let spoilts: [fn(Response<Bytes>) -> Response<Bytes>; 3] = [
        |_| answer(503, "text/plain", ""),
        |_| answer(200, "text/html", "<html>"),
        // Half of the objects have arrived by then.
        |mut page| {
            page.headers_mut().insert("content-length", 99_999.into());
            page.map(|bytes| bytes.slice(..bytes.len() / 2))
        },
    ];
    for page in [0, 100, 200] {
        for (number, spoilt) in spoilts.into_iter().enumerate() {
            let request = Retrieve::from(&ManagedObjectReference::new("Folder", "root"))
                .properties("VirtualMachine", ["name"]);
            let expected: Vec<_> = (0..250).map(|number| number.to_string()).collect();

            let client = paging(page, spoilt).log_in().await;
            let whole = client.retrieve(&request).await.unwrap();
            let mut found: Vec<_> = whole.into_iter().map(|found| found.object.value).collect();
            assert_eq!(found.len(), 250, "page {page} spoilt by {number}");
            found.sort_by_key(|number| number.parse::<u32>().unwrap());
            assert_eq!(found, expected, "page {page} spoilt by {number}");

            let client = paging(page, spoilt).log_in().await;
            let mut objects = client.objects(request);
            let mut found = Vec::new();
            while let Some(object) = objects.next().await.unwrap() {
                found.push(object.object.value);
            }
            assert_eq!(found, expected, "page {page} spoilt by {number}, arriving");
        }
    }
}

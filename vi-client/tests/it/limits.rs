//! What a server may cost in memory: each answer that has no end of its own ends at a limit.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, Response};
use vi_client::retrieve::Retrieve;
use vi_client::{Client, Error, Limits, Options};
use vi_types::ManagedObjectReference;
use vi_types::methods::CurrentTime;

use crate::vi::{Vi, answer, envelope, result};

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn gzipped(body: Vec<u8>) -> Response<Bytes> {
    let mut answer = answer(200, "text/xml", body);
    let encoding = HeaderValue::from_static("gzip");
    answer.headers_mut().insert("content-encoding", encoding);
    answer
}

async fn limited(
    limits: Limits,
    answer: impl Fn() -> Option<Response<Bytes>> + Send + Sync + 'static,
) -> Client {
    let vi = Vi::new("8.0.1.0", move |call| {
        let is_retrieve = call.method.contains("RetrieveProperties");
        is_retrieve.then(&answer).flatten()
    });
    let options = Options::default().limits(limits);
    Client::connect(vi.transport(), options).await.unwrap()
}

fn request() -> Retrieve {
    let root = ManagedObjectReference::new("Folder", "ha-folder-root");
    Retrieve::from(&root).properties("VirtualMachine", ["name"])
}

/// A page of so many objects, always with another token. Servers that continue answer in the continuation's name.
fn page(objects: usize, token: usize, name: &str) -> Response<Bytes> {
    let method = match token {
        0 => "RetrievePropertiesEx",
        _ => "ContinueRetrievePropertiesEx",
    };
    let object = format!(
        "<objects><obj type=\"VirtualMachine\">{token}</obj><propSet><name>name</name>\
         <val xsi:type=\"xsd:string\">{name}</val></propSet></objects>"
    );
    let objects = object.repeat(objects);
    result(
        method,
        &format!("<returnval><token>{token}x</token>{objects}</returnval>"),
    )
}

fn endless(objects: usize, name: &'static str) -> impl Fn() -> Option<Response<Bytes>> {
    let pages = AtomicUsize::new(0);
    move || Some(page(objects, pages.fetch_add(1, Ordering::SeqCst), name))
}

#[tokio::test]
async fn pages_without_end_end_at_each_limit() {
    let generous = || Limits::default();
    let continued = "ContinueRetrievePropertiesEx: the server gives more than";
    for (limits, expected) in [
        (
            generous().objects(1000),
            format!("{continued} 1000 objects"),
        ),
        (
            generous().memory(200_000),
            format!("{continued} 200000 bytes of memory can hold"),
        ),
        (
            generous().largest_retrieve(200_000),
            format!("{continued} 200000 bytes of objects"),
        ),
    ] {
        let client = limited(limits, endless(100, "a")).await;
        let error = client.retrieve(&request()).await.unwrap_err();
        assert!(matches!(error, Error::Excess { .. }), "{error}");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_without_a_new_object_end() {
    let empty = |token: &str| {
        let value = format!("<returnval><token>{token}</token></returnval>");
        result("ContinueRetrievePropertiesEx", &value)
    };
    type Page = Box<dyn Fn(usize) -> Response<Bytes> + Send + Sync>;
    let kinds: [(&str, Page); 3] = [
        ("the same token, no object", Box::new(move |_| empty("x"))),
        (
            "another token, no object",
            Box::new(move |number| empty(&format!("{number}x"))),
        ),
        ("the same objects", Box::new(|_| page(3, 1, "a"))),
    ];
    for (what, next) in kinds {
        let (next, reads) = (Arc::new(next), ["retrieve", "objects", "pages"]);
        for read in reads {
            let (pages, asked) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
            let (counter, next) = (Arc::clone(&asked), Arc::clone(&next));
            let client = limited(Limits::default(), move || {
                counter.fetch_add(1, Ordering::SeqCst);
                Some(match pages.fetch_add(1, Ordering::SeqCst) {
                    0 => page(1, 0, "a"),
                    1 => page(1, 1, "a"),
                    number => next(number),
                })
            })
            .await;
            let begun = tokio::time::Instant::now();
            let result = match read {
                "retrieve" => client.retrieve(&request()).await.map(drop),
                "objects" => {
                    let mut objects = client.objects(request());
                    async {
                        while objects.next().await?.is_some() {}
                        Ok(())
                    }
                    .await
                }
                _ => {
                    let mut pages = client.pages(request());
                    async {
                        while pages.next().await?.is_some() {}
                        Ok(())
                    }
                    .await
                }
            };
            assert_eq!(
                result.unwrap_err().to_string(),
                "ContinueRetrievePropertiesEx: the server gives a page without a new object, 6 times in a row",
                "{what}, {read}"
            );
            // Two pages that had one, and then the budget.
            assert_eq!(asked.load(Ordering::SeqCst), 2 + 6, "{what}, {read}");
            let took = begun.elapsed().as_secs();
            assert!((3..10).contains(&took), "{what}, {read}: {took} s");
        }
    }
}

#[tokio::test]
async fn what_is_not_kept_is_not_counted() {
    let limits = Limits::default().memory(100_000).objects(3000);
    let client = limited(limits.clone(), endless(100, "a")).await;
    let mut objects = client.objects(request());
    let mut count = 0;
    let error = loop {
        match objects.next().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => panic!("it ends after {count}"),
            Err(error) => break error,
        }
    };
    assert!(
        error.to_string().contains("more than 3000 objects"),
        "{error}"
    );
    assert_eq!(count, 3001);

    let client = limited(limits, endless(100, "a")).await;
    let mut pages = client.pages(request());
    for _ in 0..30 {
        assert_eq!(pages.next().await.unwrap().unwrap().len(), 100);
    }
    pages.next().await.unwrap_err();
}

#[tokio::test]
async fn one_object_is_no_larger_than_an_answer() {
    let limits = Limits::default().largest_answer(200_000);
    let long: &'static str = "a".repeat(500_000).leak();
    let client = limited(limits.clone(), move || {
        // Compressed, so that it arrives in pieces.
        Some(gzipped(gzip(page(1, 0, long).body())))
    })
    .await;
    let error = client.retrieve(&request()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer is larger than the 200000 bytes allowed"
    );
    // Many that are smaller may be more together.
    let short: &'static str = "a".repeat(50_000).leak();
    let client = limited(limits, move || {
        let objects = page(10, 0, short).into_body();
        let text = String::from_utf8(objects.to_vec()).unwrap();
        let text = text.replace("<token>0x</token>", "");
        Some(gzipped(gzip(text.as_bytes())))
    })
    .await;
    assert_eq!(client.retrieve(&request()).await.unwrap().len(), 10);
}

#[tokio::test]
async fn the_memory_of_one_answer_is_counted() {
    let limits = Limits::default().memory(1_000_000);
    let client = limited(limits, || {
        let items = "<int/>".repeat(20_000);
        let value = format!("<val xsi:type=\"ArrayOfInt\">{items}</val>");
        let object = format!(
            "<objects><obj type=\"Folder\">1</obj><propSet><name>a</name>{value}</propSet></objects>"
        );
        Some(result("RetrievePropertiesEx", &format!("<returnval>{object}</returnval>")))
    })
    .await;
    let error = client.retrieve(&request()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the values take more than 1000000 bytes of memory"),
        "{error}"
    );
}

/// What the time of a server is that answers so.
async fn time(answer: Response<Bytes>) -> Result<vi_types::DateTime, Error> {
    let vi = Vi::new("8.0.1.0", move |call| {
        (call.method == "CurrentTime").then(|| answer.clone())
    });
    let this = ManagedObjectReference::new("ServiceInstance", "ServiceInstance");
    let clock = CurrentTime {
        this,
        ..Default::default()
    };
    vi.connect().await.call(&clock).await
}

#[tokio::test]
async fn a_compressed_answer_ends_where_it_says() {
    let text = result("CurrentTime", "<returnval>2026-11-21T22:00:00Z</returnval>");
    let whole = gzip(text.body());
    assert!(time(gzipped(whole.clone())).await.is_ok());
    let behind = |more: &[u8]| [&whole[..], more].concat();
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 6;
    wrong_sum[sum] ^= 1;
    // The comment of a head that never ends.
    let head = [
        &[0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3][..],
        &[b'a'; 100_000],
    ]
    .concat();
    for (body, expected) in [
        (behind(b"x"), "there is more behind its end"),
        (behind(&[0; 100_000]), "there is more behind its end"),
        (behind(&whole), "there is more behind its end"),
        (
            whole[..whole.len() / 2].to_vec(),
            "cut short, or changed on its way",
        ),
        (
            whole[..whole.len() - 1].to_vec(),
            "cut short, or changed on its way",
        ),
        (whole[..5].to_vec(), "cut short, or changed on its way"),
        (wrong_sum, "cut short, or changed on its way"),
        (head, "cut short, or changed on its way"),
        (Vec::new(), "cut short, or changed on its way"),
    ] {
        let error = time(gzipped(body)).await.unwrap_err();
        assert!(matches!(error, Error::Compression { .. }), "{error}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[tokio::test]
async fn long_heads_make_no_long_errors() {
    let mut away = answer(302, "text/html", "");
    let to = HeaderValue::from_str(&format!("https://{}/", "a".repeat(100_000))).unwrap();
    away.headers_mut().insert("location", to);
    let mut page = answer(200, "text/html", envelope(""));
    let odd = HeaderValue::from_str(&"x".repeat(100_000)).unwrap();
    page.headers_mut().insert("content-type", odd);
    *page.body_mut() = Bytes::from_static(b"no");
    for answer in [away, page] {
        let error = time(answer).await.unwrap_err().to_string();
        assert!(error.len() < 2000, "{}", error.len());
    }
}

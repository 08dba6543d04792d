//! Starts domains, asks whoever sits at the terminal what the host wants to know, and shows how far each is.
//!
//! ```console
//! $ cargo run -p esx-driver --example start -- 'esx://root@esx1.example.com/?no_verify=1' web01 db01
//! ```
//!
//! The password is in `auth.conf`; with `answers=FILE` in the URI nobody is asked what the file answers.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to its reader"
)]

use std::{error::Error, io, sync::Arc};

use esx_driver::{
    Connect, CreateFlags, EsxUri,
    auth::NoPrompts,
    bulk,
    policy::{Answer, BoxFuture, Policy, Rules},
    question::{Asker, Question},
};
use futures_util::StreamExt as _;

/// Asks at the terminal what no rule answers.
struct Terminal {
    rules: Option<Rules>,
}

impl Answer for Terminal {
    fn answer<'a>(
        &'a self,
        asker: &'a Asker,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let rule = self.rules.as_ref().and_then(|rules| rules.answer(question));
            if let Some(answer) = rule {
                return Some(answer.to_owned());
            }
            println!("{}: {}", asker.name(), question.text);
            println!("  one of {}, or nothing?", question.possible_answers());
            // Reading blocks: not on the thread that waits for the host.
            let read = || io::stdin().lines().next().and_then(Result::ok);
            let line = tokio::task::spawn_blocking(read).await.ok().flatten()?;
            let answer = line.trim().to_owned();
            (!answer.is_empty()).then_some(answer)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let uri: EsxUri = arguments.next().ok_or("usage: URI DOMAIN...")?.parse()?;
    let rules = uri.answers().map(Rules::read).transpose()?;
    let connect = Connect::open(&uri, &NoPrompts).await?;
    let asking = connect.with_policy(Policy::Callback(Arc::new(Terminal { rules })));
    let mut domains = Vec::new();
    for name in arguments {
        domains.push(asking.lookup_by_name(&name).await?);
    }
    let mut results = bulk::run(domains, bulk::DEFAULT_PARALLEL, |domain| {
        let name = domain.name().to_owned();
        domain
            .create(CreateFlags::NONE)
            .on_progress(move |progress| match progress.percent {
                Some(percent) => println!("{name}: {percent} %"),
                None => println!("{name}: {:?}", progress.state),
            })
    });
    while let Some((domain, result)) = results.next().await {
        match result {
            Ok(()) => println!("{}: started", domain.name()),
            Err(error) => {
                eprintln!("{}: {error}", domain.name());
                if let Some(advice) = error.advice() {
                    eprintln!("  {advice}");
                }
            }
        }
    }
    drop(results);
    connect.close().await?;
    Ok(())
}

//! Asking for samples: which objects, in how many requests, and what to do when a server refuses.

use tracing::{debug, warn};
use vi_client::{Client, Error as Cause};
use vi_types::methods::QueryPerf;
use vi_types::objects::{
    InvalidArgument, ManagedObjectNotFound, PerfEntityMetricBase, PerfQuerySpec,
    RestrictedByAdministrator,
};
use vi_types::{DateTime, ManagedObjectReference, Poly};

use super::counters::{self, Catalogue, KEPT_SAMPLES, SAMPLE_SECONDS};
use crate::{Error, Result};

/// What to ask about an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub(super) entity: ManagedObjectReference,
    /// The time of the last known sample, by the host's clock; `None` asks for the newest one only.
    pub(super) after: Option<i64>,
}

/// How much is asked for in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Counters of objects in the question. A server refuses requests of more than 500,000 XML elements, of which each has
    /// three; telegraf asks for 100,000.
    metrics: usize,
    /// Values in the answer, so that it has some ten MB at most.
    values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            metrics: 50_000,
            values: 500_000,
        }
    }
}

/// What was found out about a server by asking it.
#[derive(Debug)]
pub(super) struct Asked {
    /// What the server said, in no particular order; objects without samples are missing.
    pub(super) answers: Vec<Poly<PerfEntityMetricBase>>,
    /// Why answers are missing.
    pub(super) problem: Option<Error>,
    /// The objects that were asked about with success.
    pub(super) answered: Vec<ManagedObjectReference>,
}

/// Asks about `questions`, of which each has `samples` new samples, about. `catalogue` and `limits` are corrected if the
/// server refuses.
pub(super) async fn ask(
    client: &Client,
    questions: Vec<Question>,
    samples: usize,
    catalogue: &mut Catalogue,
    limits: &mut Limits,
) -> Asked {
    let mut asked = Asked {
        answers: Vec::new(),
        problem: None,
        answered: Vec::new(),
    };
    let mut is_narrowed = false;
    let mut open = chunks(questions, samples, catalogue, *limits);
    open.reverse();
    while let Some(mut chunk) = open.pop() {
        let error = match client.call(&request(&chunk, catalogue)).await {
            Ok(answers) => {
                asked.answers.extend(answers);
                asked
                    .answered
                    .extend(chunk.into_iter().map(|question| question.entity));
                continue;
            }
            Err(error) => error,
        };
        match refusal(&error) {
            Refusal::Gone(entity) if remove(&mut chunk, &entity) => open.push(chunk),
            Refusal::TooMuch if chunk.len() > 1 => {
                limits.metrics = metrics(&chunk, catalogue).div_ceil(2);
                debug!(%error, limits.metrics, "asking for fewer counters at a time");
                let rest = open.drain(..).rev().flatten();
                let rest: Vec<_> = chunk.into_iter().chain(rest).collect();
                open = chunks(rest, samples, catalogue, *limits);
                open.reverse();
            }
            Refusal::Counters => {
                if is_narrowed {
                    asked.problem = Some(error.into());
                    continue;
                }
                is_narrowed = true;
                match narrow(client, &chunk, catalogue).await {
                    Ok(()) => open.push(chunk),
                    Err(error) => asked.problem = Some(error),
                }
            }
            // The next chunk would fail as well.
            Refusal::Gone(_) | Refusal::TooMuch | Refusal::Other => {
                warn!(%error, "counters cannot be read");
                asked.problem = Some(error.into());
                break;
            }
        }
    }
    asked
}

fn request(chunk: &[Question], catalogue: &Catalogue) -> QueryPerf {
    let spec = |question: &Question| PerfQuerySpec {
        entity: question.entity.clone(),
        start_time: question.after.map(DateTime::from_epoch_seconds),
        max_sample: Some(match question.after {
            Some(_) => KEPT_SAMPLES,
            None => 1,
        }),
        metric_id: catalogue.wanted(&question.entity).metrics.clone(),
        interval_id: Some(SAMPLE_SECONDS),
        format: Some("csv".to_owned()),
        ..PerfQuerySpec::default()
    };
    QueryPerf {
        query_spec: chunk.iter().map(spec).collect(),
        ..QueryPerf::default()
    }
}

/// The questions in parts that the limits allow, of about the same size. What has no counters is left out.
fn chunks(
    questions: Vec<Question>,
    samples: usize,
    catalogue: &Catalogue,
    limits: Limits,
) -> Vec<Vec<Question>> {
    let most = limits.metrics.min(limits.values / samples.max(1)).max(1);
    let all = metrics(&questions, catalogue);
    let each = all.div_ceil(all.div_ceil(most).max(1));
    let mut chunks = Vec::new();
    let (mut chunk, mut size) = (Vec::new(), 0);
    for question in questions {
        let metrics = catalogue.wanted(&question.entity).metrics.len();
        if metrics == 0 {
            continue;
        }
        if size >= each || size > 0 && size + metrics > most {
            chunks.push(std::mem::take(&mut chunk));
            size = 0;
        }
        chunk.push(question);
        size += metrics;
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

fn metrics(chunk: &[Question], catalogue: &Catalogue) -> usize {
    let metrics = chunk
        .iter()
        .map(|question| catalogue.wanted(&question.entity).metrics.len());
    metrics.sum()
}

/// Why a server refuses.
enum Refusal {
    /// An object does not exist any more.
    Gone(ManagedObjectReference),
    /// Too many counters at a time.
    TooMuch,
    /// A counter that this kind of object does not have. Most servers leave those out.
    Counters,
    Other,
}

fn refusal(error: &Cause) -> Refusal {
    let Some(fault) = error.fault() else {
        return Refusal::Other;
    };
    if let Some(gone) = fault.cast::<ManagedObjectNotFound>() {
        return Refusal::Gone(gone.obj.clone());
    }
    // config.vpxd.stats.maxQueryMetrics of a vCenter, and the limit of its XML parser.
    if error.is_fault::<RestrictedByAdministrator>() || fault.string.contains("element count") {
        return Refusal::TooMuch;
    }
    match error.is_fault::<InvalidArgument>() {
        true => Refusal::Counters,
        false => Refusal::Other,
    }
}

fn remove(chunk: &mut Vec<Question>, entity: &ManagedObjectReference) -> bool {
    let before = chunk.len();
    chunk.retain(|question| question.entity != *entity);
    chunk.len() < before
}

/// Asks only for counters that the first object of each kind has.
async fn narrow(client: &Client, chunk: &[Question], catalogue: &mut Catalogue) -> Result<()> {
    for kind in ["HostSystem", "VirtualMachine"] {
        let mut of_kind = chunk.iter().map(|question| &question.entity);
        if let Some(first) = of_kind.find(|entity| entity.r#type == kind) {
            let available = counters::available(client, first).await?;
            catalogue.wanted_mut(first).narrow(&available);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use vi_types::objects::PerfMetricId;

    use super::*;

    /// A catalogue of so many counters.
    fn catalogue(domains: usize, hosts: usize) -> Catalogue {
        let mut catalogue = Catalogue::default();
        catalogue.domains.metrics = vec![PerfMetricId::default(); domains];
        catalogue.hosts.metrics = vec![PerfMetricId::default(); hosts];
        catalogue
    }

    fn questions(hosts: usize, domains: usize) -> Vec<Question> {
        let question = |ty: &str, number: usize| Question {
            entity: ManagedObjectReference::new(ty, number.to_string()),
            after: None,
        };
        let hosts = (0..hosts).map(|number| question("HostSystem", number));
        let domains = (0..domains).map(|number| question("VirtualMachine", number));
        hosts.chain(domains).collect()
    }

    #[test]
    fn questions_are_asked_in_parts() {
        let limits = Limits::default();
        for (hosts, domains, samples, expected) in [
            (0, 0, 1, vec![]),
            (1, 7, 1, vec![8]),
            (0, 1, 180, vec![1]),
            // Each part about as large as the others.
            (40, 2000, 1, vec![1024, 1016]),
            (0, 1352, 1, vec![676, 676]),
            // Three samples are still little.
            (0, 2000, 3, vec![1000, 1000]),
            // After an hour without the server.
            (0, 225, 180, vec![75, 75, 75]),
        ] {
            let chunks = chunks(
                questions(hosts, domains),
                samples,
                &catalogue(37, 30),
                limits,
            );
            let sizes: Vec<_> = chunks.iter().map(Vec::len).collect();
            assert_eq!(sizes, expected, "{hosts} {domains} {samples}");
        }
        // A server without such counters.
        assert!(chunks(questions(3, 3), 1, &catalogue(0, 0), limits).is_empty());
        // One that takes very little.
        let limits = Limits {
            metrics: 10,
            ..limits
        };
        assert_eq!(
            chunks(questions(0, 3), 1, &catalogue(37, 30), limits).len(),
            3
        );
    }

    #[test]
    fn the_first_time_the_newest_sample_is_asked_for() {
        let mut asked = questions(0, 2);
        asked[1].after = Some(1_700_000_020);
        let request = request(&asked, &catalogue(3, 0));
        let spec = |at: usize| {
            let spec = &request.query_spec[at];
            let start = spec
                .start_time
                .as_ref()
                .map(|time| time.epoch_seconds().unwrap());
            (start, spec.max_sample, spec.metric_id.len())
        };
        assert_eq!(spec(0), (None, Some(1), 3));
        assert_eq!(spec(1), (Some(1_700_000_020), Some(180), 3));
    }
}

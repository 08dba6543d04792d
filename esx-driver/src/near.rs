//! Advice for a name that was not found.

use crate::Error;

/// How alike two names have to be for one to be meant by the other: 0 for nothing in common, 1 for the same.
const ALIKE: f64 = 0.7;

/// The name that is most like a wanted one.
pub(crate) struct Near<'a> {
    wanted: &'a str,
    best: Option<(f64, String)>,
}

impl<'a> Near<'a> {
    /// Nothing is like `wanted` yet.
    pub(crate) fn new(wanted: &'a str) -> Near<'a> {
        Near { wanted, best: None }
    }

    /// Keeps `name` if no other before was more like the wanted name.
    pub(crate) fn consider(&mut self, name: &str) {
        let likeness = strsim::normalized_damerau_levenshtein(
            &name.to_lowercase(),
            &self.wanted.to_lowercase(),
        );
        let best = self.best.as_ref().map_or(ALIKE, |(best, _)| *best);
        if likeness > ALIKE && likeness >= best {
            self.best = Some((likeness, name.to_owned()));
        }
    }

    /// The name that is most alike; `None` if none is alike enough.
    pub(crate) fn best(&self) -> Option<&str> {
        self.best.as_ref().map(|(_, name)| name.as_str())
    }

    /// `error`, with the advice to take the name that is most alike.
    pub(crate) fn advise(self, error: Error) -> Error {
        match self.best() {
            Some(name) => error.advise(format!("did you mean '{name}'?")),
            None => error,
        }
    }
}

use std::collections::BTreeMap;
use std::process::ExitCode;

/// Counts checks and prints those that failed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: BTreeMap<String, usize>,
    failed: usize,
}

impl Report {
    /// A check of `section` that held.
    pub(crate) fn pass(&mut self, section: &str) {
        *self.passed.entry(section.to_owned()).or_default() += 1;
    }

    /// A check that did not hold, with what was found.
    pub(crate) fn fail(&mut self, name: &str, found: &str) {
        self.failed += 1;
        println!("FAIL {name}");
        for line in found.lines() {
            println!("     {line}");
        }
    }

    /// One check.
    pub(crate) fn check(&mut self, section: &str, name: &str, held: bool, found: &str) {
        if held {
            self.pass(section);
        } else {
            self.fail(&format!("{section}: {name}"), found);
        }
    }

    /// The summary, a line a section and the one line of the whole.
    pub(crate) fn finish(self) -> ExitCode {
        for (section, count) in &self.passed {
            println!("{section}: {count} passed");
        }
        let passed: usize = self.passed.values().sum();
        println!("{passed} passed, {} failed", self.failed);
        if self.failed == 0 && passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

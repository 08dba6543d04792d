use std::collections::BTreeMap;
use std::process::ExitCode;

/// Counts checks and prints those that failed or were skipped.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: BTreeMap<String, usize>,
    failed: usize,
    skipped: usize,
}

impl Report {
    /// A passed check of `section`.
    pub(crate) fn pass(&mut self, section: &str) {
        *self.passed.entry(section.to_owned()).or_default() += 1;
    }

    /// A failed check, with its reason.
    pub(crate) fn fail(&mut self, name: &str, found: &str) {
        self.failed += 1;
        println!("FAIL {name}");
        for line in found.lines() {
            println!("     {line}");
        }
    }

    /// A skipped check, with the reason.
    pub(crate) fn skip(&mut self, section: &str, reason: &str) {
        self.skipped += 1;
        println!("SKIP {section}: {reason}");
    }

    /// A remark.
    pub(crate) fn note(&self, section: &str, text: &str) {
        println!("NOTE {section}: {text}");
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
        let skipped = match self.skipped {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        println!("{passed} passed, {} failed{skipped}", self.failed);
        if self.failed == 0 && passed + self.skipped > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

//! The list of libvirt's functions.

use super::ParityError;

/// libvirt's functions by section.
pub(super) struct List {
    pub(super) sections: Vec<Section>,
}

/// A table of the page.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

/// A function, and why the driver does not have it, if it does not.
pub(super) struct Row {
    pub(super) function: String,
    pub(super) absence: Option<String>,
}

impl List {
    /// Reads the list: `== TITLE` begins a section, `FUNCTION` is a row, as is `FUNCTION: WHY NOT`; `#` begins a comment.
    pub(super) fn read(text: &str) -> Result<List, ParityError> {
        let mut sections = Vec::<Section>::new();
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            if let Some(title) = line.strip_prefix("== ") {
                sections.push(Section {
                    title: title.to_owned(),
                    rows: Vec::new(),
                });
                continue;
            }
            let section = sections.last_mut();
            let section = section.ok_or(ParityError::List(number, "a row before a section"))?;
            let (function, absence) = match line.split_once(": ") {
                Some((function, why)) => (function, Some(why.to_owned())),
                None => (line, None),
            };
            if !function.starts_with("vir") || !function.bytes().all(|b| b.is_ascii_alphanumeric())
            {
                return Err(ParityError::List(
                    number,
                    "not the name of a function of libvirt",
                ));
            }
            section.rows.push(Row {
                function: function.to_owned(),
                absence,
            });
        }
        Ok(List { sections })
    }

    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }
}

//! The table of managers, read.

use std::collections::HashMap;
use std::sync::LazyLock;

use vi_types::{Field, ObjectInfo};

use super::outline::no_object;

/// The syntax is described at its beginning.
const TEXT: &str = include_str!("table.txt");

/// Everything that the table says.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

#[derive(Default)]
pub(super) struct Table {
    /// By their names.
    pub(super) types: HashMap<&'static str, Type>,
    pub(super) services: Vec<Service>,
    pub(super) hosts: Vec<OfHost>,
}

/// A type of managed object.
pub(super) struct Type {
    pub(super) info: &'static ObjectInfo,
    base: &'static str,
    /// The values of its own properties: the items of lists, one of others.
    values: HashMap<&'static str, Vec<Item>>,
    /// The content of answers by the names of methods.
    answers: HashMap<&'static str, &'static str>,
}

/// A value of a property, or an item of it.
pub(super) enum Item {
    /// Of this type, with this content.
    Xml(Option<&'static str>, &'static str),
    /// A reference to an object of this type, with this name.
    Reference(&'static str, &'static str),
}

/// A member of `ServiceContent`.
pub(super) struct Service {
    pub(super) member: &'static str,
    pub(super) ty: &'static str,
    pub(super) on_esx: Option<&'static str>,
    pub(super) on_vcenter: Option<&'static str>,
}

/// A member of `HostSystem.configManager`.
pub(super) struct OfHost {
    pub(super) member: &'static str,
    pub(super) ty: &'static str,
    pub(super) name: &'static str,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self::default();
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let mut words = line.split(' ');
            let first = words.next().unwrap_or_default();
            let mut word = || words.next().unwrap_or_default();
            match first {
                "type" => {
                    let mut own = Vec::new();
                    let is_new = |line: &str| {
                        ["", "type", "service", "host"]
                            .contains(&line.split(' ').next().unwrap_or_default())
                    };
                    while let Some(line) = lines.next_if(|line| !is_new(line)) {
                        own.push(line);
                    }
                    let (name, base) = (word(), word());
                    let since = line.split_once(" since ").map_or("", |(_, since)| since);
                    let ty = table.read_type(name, base, since, &own);
                    table.types.insert(name, ty);
                }
                "service" => table.services.push(Service {
                    member: word(),
                    ty: word(),
                    on_esx: Some(word()).filter(|name| *name != "-"),
                    on_vcenter: Some(word()).filter(|name| *name != "-"),
                }),
                "host" => table.hosts.push(OfHost {
                    member: word(),
                    ty: word(),
                    name: word(),
                }),
                _ => {}
            }
        }
        table
    }

    fn read_type(
        &self,
        name: &'static str,
        base: &'static str,
        since: &'static str,
        lines: &[&'static str],
    ) -> Type {
        let mut text = since.to_owned();
        let mut values: HashMap<_, Vec<_>> = HashMap::new();
        let mut answers = HashMap::new();
        let mut property = "";
        let known = self.info(base);
        let inherits = |name: &str| {
            known.is_some_and(|info| info.all_fields().any(|field| field.name == name))
        };
        for line in lines {
            if let Some(answer) = line.strip_prefix("answer ") {
                let (method, content) = answer.split_once(' ').unwrap_or((answer, ""));
                answers.insert(method, content);
            } else if let Some(value) = line.strip_prefix('=') {
                let items = values.entry(property).or_default();
                items.push(Item::read(value.trim()));
            } else {
                property = line.split(' ').nth(1).unwrap_or_default();
                // A property that only gets a value here has its description in the base.
                if !inherits(property) {
                    text.push('\n');
                    text.push_str(line);
                }
            }
        }
        // Read once in a process, and needed as long as it runs.
        let text = Box::leak(text.into_boxed_str());
        let info = Box::leak(Box::new(ObjectInfo::new(name, known, text, no_object)));
        Type {
            info,
            base,
            values,
            answers,
        }
    }

    /// The description of a type of managed object.
    pub(super) fn info(&self, name: &str) -> Option<&'static ObjectInfo> {
        let own = self.types.get(name).map(|ty| ty.info);
        own.or_else(|| vi_types::registry().managed_object(name))
    }

    /// The values of a property, which the type may have from its base.
    pub(super) fn values(&self, ty: &str, field: &Field) -> &[Item] {
        let ancestry = std::iter::successors(self.types.get(ty), |ty| self.types.get(ty.base));
        let mut found = ancestry.filter_map(|ty| ty.values.get(field.name));
        found.next().map_or(&[], Vec::as_slice)
    }

    /// The content of what a method always answers.
    pub(super) fn answer(&self, ty: &str, method: &str) -> Option<&'static str> {
        let mut ancestry = std::iter::successors(self.types.get(ty), |ty| self.types.get(ty.base));
        ancestry.find_map(|ty| ty.answers.get(method).copied())
    }
}

impl Item {
    fn read(text: &'static str) -> Self {
        if let Some((ty, name)) = text.strip_prefix('@').and_then(|text| text.split_once(' ')) {
            return Self::Reference(ty, name);
        }
        let typed = text.strip_prefix('(').and_then(|text| text.split_once(')'));
        match typed {
            Some((ty, content)) => Self::Xml(Some(ty), content.trim()),
            None => Self::Xml(None, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The description of the whole API, as long as the workspace is around.
    fn description() -> Option<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../generator.input");
        std::fs::read_to_string(path).ok()
    }

    /// The API writes the names of primitives with a capital.
    fn in_schema(line: &str) -> String {
        let mut words: Vec<_> = line.split_ascii_whitespace().collect();
        let end = words
            .iter()
            .position(|word| ["to", "priv", "names"].contains(word));
        let since = words.iter().position(|word| *word == "since");
        let since = since.map(|at| words[at..at + 2].join(" "));
        words.truncate(end.unwrap_or(words.len()).min(words.len()));
        let mut text = words[..3.min(words.len())].join(" ");
        for primitive in ["String", "Boolean", "Int", "Byte"] {
            if let Some(rest) = text.strip_prefix(&format!("{primitive} ")) {
                text = format!("{} {rest}", primitive.to_lowercase());
            }
        }
        since.map_or(text.clone(), |since| format!("{text} {since}"))
    }

    #[test]
    fn types_are_described_as_in_the_api() {
        let Some(description) = description() else {
            return;
        };
        let mut blocks = HashMap::new();
        for block in description.split("\nmanaged object ").skip(1) {
            let block = block.split("\nend").next().unwrap();
            let (head, fields) = block.split_once('\n').unwrap_or((block, ""));
            let mut words = head.split_ascii_whitespace();
            let name = words.next().unwrap();
            let rest: Vec<_> = words.collect();
            let fields: Vec<_> = fields.lines().map(in_schema).collect();
            blocks.insert(name.to_owned(), (rest.join(" "), fields));
        }
        for (name, ty) in &TABLE.types {
            let (head, fields) = &blocks[*name];
            let since = ty.info.since();
            let base = ty.info.base.map(|base| format!("extends {} ", base.name));
            let shown = format!(
                "{}since {}",
                base.unwrap_or_default(),
                if since.is_empty() { "2.0" } else { since }
            );
            assert_eq!(&shown, head, "{name}");
            let own: Vec<_> = ty.info.text.lines().skip(1).map(str::to_owned).collect();
            assert_eq!(&own, fields, "{name}");
            for method in ty.answers.keys() {
                let block = format!("\nmethod {method} ");
                assert!(description.contains(&block), "{name}.{method}");
            }
        }
    }

    #[test]
    fn everything_in_the_table_is_understood() {
        let members = vi_types::objects::ServiceContent::default();
        let of_host = vi_types::objects::HostConfigManager::default();
        let has = |object: &dyn vi_types::Object, member: &str| object.property(member).is_some();
        for service in &TABLE.services {
            assert!(has(&members, service.member), "{}", service.member);
            assert!(TABLE.types.contains_key(service.ty), "{}", service.ty);
        }
        for host in &TABLE.hosts {
            assert!(has(&of_host, host.member), "{}", host.member);
            assert!(TABLE.types.contains_key(host.ty), "{}", host.ty);
        }
        let known = TEXT
            .lines()
            .filter(|line| line.starts_with("type "))
            .count();
        assert_eq!(known, TABLE.types.len());
        assert!(known > 60);
    }
}

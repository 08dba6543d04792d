//! Merges a newer description into one that people edit.
//!
//! The kept text stays as it is: its order, sections, families and comments, and every byte of unchanged lines. A changed
//! definition is changed line by line, in its place. A new definition goes to its nearest relative, the first that exists
//! of these:
//!
//! 1. behind its base class, if that has properties of its own; classes without (`DynamicData`, `VimFault`) have too many
//!    descendants to mean anything;
//! 2. a method: behind the last method of its managed object that is in that object's family, or behind the
//!    managed object itself;
//! 3. behind the first definition that uses it;
//! 4. behind the type that its name begins with: `HostCpuInfoState` belongs to `HostCpuInfo`;
//! 5. behind its base class, even one without properties;
//! 6. behind the last definition of the core.
//!
//! If the families forbid that place, the definition moves behind a type that it requires, else behind one that requires
//! it, else to the end of the core. People may move it to a better section: order means nothing, and the next merge leaves
//! it there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::check::check;
use crate::error::{Errors, Mistake, MistakeKind};
use crate::grammar::Keyword;
use crate::model::{Description, Enum, Method, Object, Type};
use crate::parse::parse;

/// The text of a description, and its path for messages.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its path, as mistakes show it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A merged description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its text.
    pub text: String,
    /// The changes.
    pub report: Report,
}

/// The changes of a merge, in the order of the newer description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The new definitions.
    pub added: Vec<Added>,
    /// The changed definitions.
    pub changed: Vec<Changed>,
    /// The removed definitions, as `object VirtualDisk`.
    pub removed: Vec<String>,
    /// The definitions that the newer description lacks and that stay.
    pub kept: Vec<String>,
}

/// A new definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Keyword and name: `object VirtualDisk`.
    pub title: String,
    /// The definition it was put behind; `None` at the beginning.
    pub behind: Option<String>,
    /// The family it is in; `None` in the core.
    pub family: Option<String>,
}

/// A changed definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Keyword and name: `object VirtualDisk`.
    pub title: String,
    /// A line for each difference: `+ Int key r`, `- Int key r` or `~ key: Int r -> Long r`.
    pub differences: Vec<String>,
}

impl Report {
    /// Whether the merge changes nothing.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// The list for people, with counts at the end.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Added {
            title,
            behind,
            family,
        } in &self.added
        {
            let family = family.as_deref().map(|family| format!("family {family}"));
            write!(
                f,
                "added    {title} ({}",
                family.as_deref().unwrap_or("core")
            )?;
            match behind {
                Some(behind) => writeln!(f, ", behind {behind})")?,
                None => writeln!(f, ")")?,
            }
        }
        for Changed { title, differences } in &self.changed {
            writeln!(f, "changed  {title}")?;
            for difference in differences {
                writeln!(f, "    {difference}")?;
            }
        }
        for title in &self.removed {
            writeln!(f, "removed  {title}")?;
        }
        for title in &self.kept {
            writeln!(f, "kept     {title} (not in the newer description)")?;
        }
        if self.is_empty() {
            write!(f, "nothing to do")?;
        } else {
            let (added, changed) = (self.added.len(), self.changed.len());
            write!(
                f,
                "{added} added, {changed} changed, {} removed",
                self.removed.len()
            )?;
        }
        if !self.kept.is_empty() {
            write!(
                f,
                "; {} kept that the newer description doesn't have",
                self.kept.len()
            )?;
        }
        Ok(())
    }
}

/// Merges `newer` into `kept`.
///
/// Definitions that only `kept` has stay, unless `remove` is set. Families, sections and comments of `newer` are ignored,
/// and `newer` may lack definitions.
///
/// # Errors
/// The mistakes of one of the descriptions, or else of the result; each with the path of the description that its line
/// comes from.
pub fn merge(kept: Source<'_>, newer: Source<'_>, remove: bool) -> Result<Merged, Vec<Errors>> {
    let found = [read(kept), read(newer)];
    let [Ok(old), Ok(new)] = found else {
        return Err(found.into_iter().filter_map(Result::err).collect());
    };
    let mut merge = Merge::new(kept, newer, &old, &new);
    merge.change(remove);
    merge.place();
    merge.settle()?;
    Ok(merge.finish())
}

/// A description that says everything once. What it lacks the other one may have.
fn read(source: Source<'_>) -> Result<Description, Errors> {
    let (description, mut mistakes) = parse(source.text);
    mistakes.extend(twice(&description));
    if mistakes.is_empty() {
        return Ok(description);
    }
    Err(Errors::new(source.file, mistakes))
}

/// What is said twice. Only one of the two would be merged, so that this has to be known before.
fn twice(description: &Description) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut definitions = HashMap::new();
    for definition in Definition::all(description) {
        let (line, owner) = (definition.line(), definition.title());
        if let Some(&first) = definitions.get(&definition.key()) {
            let kind = MistakeKind::DefinedTwice { owner, first };
            mistakes.push(Mistake { line, kind });
            continue;
        }
        definitions.insert(definition.key(), line);
        let mut items = HashMap::new();
        for Item { key, line, .. } in definition.items() {
            if let Some(&first) = items.get(key) {
                let (owner, name) = (owner.clone(), key.to_owned());
                let other = owner.clone();
                let kind = match definition {
                    Definition::Enum(_) => MistakeKind::ValueTwice { owner, name, first },
                    _ => MistakeKind::MemberTwice {
                        owner,
                        name,
                        other,
                        first,
                    },
                };
                mistakes.push(Mistake { line, kind });
            }
            items.entry(key).or_insert(line);
        }
    }
    mistakes
}

/// What a definition is found by: types have names of their own, and so have methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'a> {
    Type(&'a str),
    Method(&'a str),
}

/// A definition of any kind.
#[derive(Clone, Copy)]
enum Definition<'a> {
    Enum(&'a Enum),
    Object(&'a Object),
    Method(&'a Method),
}

/// Something a definition says in a line of its own.
#[derive(Debug, PartialEq)]
struct Item<'a> {
    /// What it is about: a property's or a value's name, or one of the following.
    key: &'a str,
    line: usize,
    /// What it says, in one way of writing.
    says: String,
}

/// The lines of a method that are no parameters. There may be a parameter `result`, so these are no names.
const RESULT: &str = "its result";
const FAULTS: &str = "its faults";
const PRIVILEGE: &str = "its privilege";

impl<'a> Definition<'a> {
    /// All definitions, in the order of their lines.
    fn all(description: &'a Description) -> Vec<Self> {
        let objects = description
            .objects
            .iter()
            .chain(&description.managed_objects);
        let mut all: Vec<Self> = objects.map(Self::Object).collect();
        all.extend(description.enums.iter().map(Self::Enum));
        all.extend(description.methods.iter().map(Self::Method));
        all.sort_by_key(Self::line);
        all
    }

    fn line(&self) -> usize {
        match self {
            Self::Enum(definition) => definition.line,
            Self::Object(definition) => definition.line,
            Self::Method(definition) => definition.line,
        }
    }

    fn key(&self) -> Key<'a> {
        match *self {
            Self::Enum(definition) => Key::Type(&definition.name),
            Self::Object(definition) => Key::Type(&definition.name),
            Self::Method(definition) => Key::Method(&definition.name),
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Enum(definition) => definition.title(),
            Self::Object(definition) => definition.title(),
            Self::Method(definition) => definition.title(),
        }
    }

    fn family(&self) -> Option<&'a str> {
        match *self {
            Self::Enum(definition) => definition.family.as_deref(),
            Self::Object(definition) => definition.family.as_deref(),
            Self::Method(definition) => definition.family.as_deref(),
        }
    }

    /// What the first line says, part by part.
    fn header(&self) -> Vec<(&'static str, String)> {
        let since = |since: &Option<String>| ("since", since.clone().unwrap_or_default());
        match self {
            Self::Enum(definition) => {
                vec![
                    ("keyword", Keyword::Enum.to_string()),
                    since(&definition.since),
                ]
            }
            Self::Object(definition) => vec![
                ("keyword", definition.keyword.to_string()),
                ("base class", definition.extends.clone().unwrap_or_default()),
                since(&definition.since),
            ],
            Self::Method(definition) => {
                let returns = definition.returns.as_ref().map(says);
                vec![
                    ("keyword", Keyword::Method.to_string()),
                    ("returns", returns.unwrap_or_default()),
                    since(&definition.since),
                ]
            }
        }
    }

    /// What the other lines say.
    fn items(&self) -> Vec<Item<'a>> {
        match *self {
            Self::Enum(definition) => {
                let values = definition.values.iter();
                values
                    .map(|value| Item {
                        key: &value.name,
                        line: value.line,
                        says: match &value.since {
                            Some(since) => format!("since {since}"),
                            None => String::new(),
                        },
                    })
                    .collect()
            }
            Self::Object(definition) => definition.members.iter().map(member).collect(),
            Self::Method(definition) => {
                let mut items: Vec<_> = definition.parameters.iter().map(member).collect();
                if let Some(result) = &definition.result {
                    items.push(Item {
                        key: RESULT,
                        line: definition.result_line,
                        says: says(result),
                    });
                }
                if let Some(first) = definition.throws.first() {
                    let mut names: Vec<_> = definition
                        .throws
                        .iter()
                        .map(|fault| fault.name.as_str())
                        .collect();
                    // Their order means nothing.
                    names.sort_unstable();
                    items.push(Item {
                        key: FAULTS,
                        line: first.line,
                        says: names.join(", "),
                    });
                }
                if let Some(privilege) = &definition.privilege {
                    items.push(Item {
                        key: PRIVILEGE,
                        line: definition.privilege_line,
                        says: privilege.clone(),
                    });
                }
                items
            }
        }
    }

    /// The types it names, other than its base class, in its order.
    fn uses(&self) -> Vec<&'a str> {
        match *self {
            Self::Enum(_) => Vec::new(),
            Self::Object(definition) => {
                let members = definition.members.iter();
                members.map(|member| member.ty.name.as_str()).collect()
            }
            Self::Method(definition) => {
                let parameters = definition.parameters.iter().map(|parameter| &parameter.ty);
                let types = parameters
                    .chain(&definition.returns)
                    .chain(&definition.result);
                let faults = definition.throws.iter().map(|fault| fault.name.as_str());
                types.map(|ty| ty.name.as_str()).chain(faults).collect()
            }
        }
    }

    fn base(&self) -> Option<&'a str> {
        match *self {
            Self::Object(definition) => definition.extends.as_deref(),
            _ => None,
        }
    }

    /// Whether the other one would be a relative if it were placed.
    fn waits_for(&self, other: &Self) -> bool {
        let Key::Type(name) = self.key() else {
            return self.on().is_some_and(|on| other.key() == Key::Type(on));
        };
        let is_base = self
            .base()
            .is_some_and(|base| other.key() == Key::Type(base));
        let is_owner = matches!(other.key(), Key::Type(other) if name.starts_with(other));
        other.key() != self.key() && (is_base || is_owner || other.uses().contains(&name))
    }

    /// The managed object that a method is on.
    fn on(&self) -> Option<&'a str> {
        match *self {
            Self::Method(definition) => definition.parameters.first()?.ty.annotations.to.as_deref(),
            _ => None,
        }
    }
}

fn member(member: &crate::model::Member) -> Item<'_> {
    Item {
        key: &member.name,
        line: member.line,
        says: says(&member.ty),
    }
}

/// A type with all that is said about it, in one way of writing.
fn says(ty: &Type) -> String {
    let mut text = format!("{} {}", ty.name, ty.occurrence.code());
    let annotations = &ty.annotations;
    let privileges = Some(annotations.privileges.join(",")).filter(|names| !names.is_empty());
    for (word, value) in [
        ("since", &annotations.since),
        ("to", &annotations.to),
        ("link", &annotations.link),
        ("holds", &annotations.holds),
        ("names", &annotations.names),
        ("priv", &privileges),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(" {word} {value}"));
        }
    }
    for (word, said) in [
        ("required", annotations.required),
        ("linkable", annotations.linkable),
        ("secret", annotations.secret),
    ] {
        if said {
            text.push(' ');
            text.push_str(word);
        }
    }
    text
}

/// A line of the result, and where it comes from.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    from: Origin,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    /// This line of the kept description.
    Kept(usize),
    /// This line of the newer one.
    Newer(usize),
}

/// A definition of the result, or what stands between two of them.
struct Block<'a> {
    /// The definition; `None` for what stands between definitions.
    key: Option<Key<'a>>,
    lines: Vec<Line>,
}

struct Merge<'a> {
    kept: Source<'a>,
    newer: Source<'a>,
    newer_lines: Vec<&'a str>,
    old: HashMap<Key<'a>, Definition<'a>>,
    new: Vec<Definition<'a>>,
    new_by_key: HashMap<Key<'a>, Definition<'a>>,
    /// The result so far.
    blocks: Vec<Block<'a>>,
    /// New definitions that were placed, and behind what.
    placed: HashMap<Key<'a>, Option<Key<'a>>>,
    report: Report,
}

impl<'a> Merge<'a> {
    fn new(
        kept: Source<'a>,
        newer: Source<'a>,
        old: &'a Description,
        new: &'a Description,
    ) -> Self {
        let (old, new) = (Definition::all(old), Definition::all(new));
        let by_key = |all: &[Definition<'a>]| {
            all.iter()
                .map(|definition| (definition.key(), *definition))
                .collect()
        };
        Self {
            kept,
            newer,
            newer_lines: newer.text.lines().collect(),
            blocks: blocks(kept.text, &old),
            old: by_key(&old),
            new_by_key: by_key(&new),
            new,
            placed: HashMap::new(),
            report: Report::default(),
        }
    }

    /// What both have, and what only the kept one has.
    fn change(&mut self, remove: bool) {
        let mut changed = HashMap::new();
        let mut gone = Vec::new();
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let Some(key) = block.key else { continue };
            let (Some(old), new) = (self.old.get(&key), self.new_by_key.get(&key)) else {
                continue;
            };
            let Some(new) = new else {
                if remove {
                    gone.push(index);
                    self.report.removed.push(old.title());
                } else {
                    self.report.kept.push(old.title());
                }
                continue;
            };
            let differences = differences(old, new, &self.newer_lines);
            if !differences.is_empty() {
                rewrite(block, old, new, &self.newer_lines);
                let title = new.title();
                changed.insert(key, Changed { title, differences });
            }
        }
        self.report.changed = self
            .new
            .iter()
            .filter_map(|definition| changed.remove(&definition.key()))
            .collect();
        for index in gone.into_iter().rev() {
            self.take_out(index);
        }
    }

    /// Takes a definition out, with the comment right above it and the blank lines behind it.
    fn take_out(&mut self, index: usize) -> Block<'a> {
        let block = self.blocks.remove(index);
        if let Some(before) = index
            .checked_sub(1)
            .and_then(|index| self.blocks.get_mut(index))
            && before.key.is_none()
        {
            while before
                .lines
                .last()
                .is_some_and(|line| is_comment(&line.text))
            {
                before.lines.pop();
            }
        }
        if let Some(behind) = self.blocks.get_mut(index)
            && behind.key.is_none()
        {
            let text = behind
                .lines
                .iter()
                .position(|line| !line.text.trim().is_empty());
            behind.lines.drain(..text.unwrap_or(behind.lines.len()));
        }
        block
    }

    /// Puts every new definition behind its nearest relative.
    fn place(&mut self) {
        let is_new = |definition: &&Definition<'a>| !self.old.contains_key(&definition.key());
        let mut waiting: Vec<_> = self.new.iter().filter(is_new).copied().collect();
        // A relative may be new itself; whoever has none that is there yet waits for it.
        while !waiting.is_empty() {
            let users = self.users();
            let before = waiting.len();
            waiting.retain(|definition| {
                let relative = self.relative(definition, &users);
                if relative.is_some() {
                    self.put(definition, relative);
                }
                relative.is_none()
            });
            if waiting.len() < before {
                continue;
            }
            // Those whom no other one could help begin; if they all wait for each other, the first one.
            let alone: Vec<bool> = waiting
                .iter()
                .map(|definition| !waiting.iter().any(|other| definition.waits_for(other)))
                .collect();
            let anybody = alone.contains(&true);
            let mut index = 0;
            waiting.retain(|definition| {
                let goes = alone[index] || (!anybody && index == 0);
                index += 1;
                if goes {
                    let base = definition.base().map(Key::Type);
                    let base = base.filter(|&base| self.is_there(base));
                    self.put(definition, base.or_else(|| self.end_of_core()));
                }
                !goes
            });
        }
    }

    /// The first definition of the result that uses a type, for all types.
    fn users(&self) -> HashMap<&'a str, Key<'a>> {
        let mut users = HashMap::new();
        for key in self.blocks.iter().filter_map(|block| block.key) {
            for name in self.definition(key).into_iter().flat_map(Definition::uses) {
                users.entry(name).or_insert(key);
            }
        }
        users
    }

    fn relative(
        &self,
        definition: &Definition<'a>,
        users: &HashMap<&'a str, Key<'a>>,
    ) -> Option<Key<'a>> {
        if let Some(managed_object) = definition.on() {
            return self.methods_end(managed_object);
        }
        let Key::Type(name) = definition.key() else {
            return None;
        };
        let base = definition.base().map(Key::Type);
        base.filter(|&base| self.is_there(base))
            .filter(|&base| {
                self.definition(base)
                    .is_some_and(|base| !base.items().is_empty())
            })
            .or_else(|| users.get(name).copied())
            .or_else(|| self.owner_by_name(name))
    }

    /// The type that the name of another one begins with, up to a capital letter.
    fn owner_by_name(&self, name: &'a str) -> Option<Key<'a>> {
        let ends = name
            .char_indices()
            .rev()
            .filter(|(_, letter)| letter.is_ascii_uppercase());
        ends.map(|(end, _)| Key::Type(&name[..end]))
            .find(|&key| self.is_there(key))
    }

    /// The last method on a managed object that is in its family, or the managed object.
    fn methods_end(&self, managed_object: &'a str) -> Option<Key<'a>> {
        let key = Key::Type(managed_object);
        let family = self.is_there(key).then(|| self.family(key))?;
        let keys = self.blocks.iter().rev().filter_map(|block| block.key);
        let mut methods = keys
            .filter(|key| self.definition(*key).and_then(Definition::on) == Some(managed_object));
        Some(
            methods
                .find(|&method| self.family(method) == family)
                .unwrap_or(key),
        )
    }

    /// The last definition of the core; without a core, that of the text.
    fn end_of_core(&self) -> Option<Key<'a>> {
        let mut keys = self.blocks.iter().rev().filter_map(|block| block.key);
        let last = keys.clone().next();
        keys.find(|key| self.family(*key).is_none()).or(last)
    }

    /// A definition of the result, as it will be.
    fn definition(&self, key: Key<'a>) -> Option<&Definition<'a>> {
        self.new_by_key.get(&key).or_else(|| self.old.get(&key))
    }

    fn is_there(&self, key: Key<'a>) -> bool {
        self.old.contains_key(&key) && self.index(key).is_some() || self.placed.contains_key(&key)
    }

    /// The family a definition of the result is in.
    fn family(&self, key: Key<'a>) -> Option<&'a str> {
        let mut key = key;
        while let Some(anchor) = self.placed.get(&key) {
            key = (*anchor)?;
        }
        self.old.get(&key)?.family()
    }

    fn index(&self, key: Key<'a>) -> Option<usize> {
        self.blocks.iter().position(|block| block.key == Some(key))
    }

    /// Puts a new definition behind another one, and behind the new ones that are there already.
    fn put(&mut self, definition: &Definition<'a>, anchor: Option<Key<'a>>) {
        let key = definition.key();
        let anchor_at = anchor.and_then(|anchor| self.index(anchor));
        let mut at = anchor_at.map_or(self.blocks.len(), |index| index + 1);
        while let Some(block) = self.blocks.get(at)
            && let Some(other) = block.key
            && self.placed.contains_key(&other)
        {
            at += 1;
        }
        let lines = self.written(definition, at == 0);
        let block = Block {
            key: Some(key),
            lines,
        };
        // The line before may be the text's last one and have no end.
        if let Some(line) = at
            .checked_sub(1)
            .and_then(|before| self.blocks[before].lines.last_mut())
            && !line.text.ends_with('\n')
        {
            line.text.push('\n');
        }
        self.blocks.insert(at, block);
        self.placed.insert(key, anchor);
    }

    /// A new definition, with the blank lines that part it from the one before.
    fn written(&self, definition: &Definition<'a>, is_first: bool) -> Vec<Line> {
        let first = definition.line() - 1;
        let from = Origin::Newer(definition.line());
        let blank = || Line {
            text: "\n".to_owned(),
            from,
        };
        let mut lines = if is_first {
            Vec::new()
        } else {
            vec![blank(), blank()]
        };
        for (index, text) in self.newer_lines.iter().enumerate().skip(first) {
            let text = code(text).trim_end();
            let is_end = text.trim() == "end";
            if !text.is_empty() {
                lines.push(Line {
                    text: format!("{text}\n"),
                    from: Origin::Newer(index + 1),
                });
            }
            if is_end {
                break;
            }
        }
        lines
    }

    /// Moves new definitions until the families allow it, and checks everything.
    fn settle(&mut self) -> Result<(), Vec<Errors>> {
        let mut tried: HashSet<(Key<'a>, Option<Key<'a>>)> = HashSet::new();
        loop {
            let (description, mut mistakes) = parse(&self.text());
            mistakes.extend(check(&description));
            let mut moved = HashSet::new();
            for mistake in &mistakes {
                if let Some((definition, anchor)) = self.better_place(&mistake.kind, &tried)
                    && moved.insert(definition.key())
                {
                    tried.insert((definition.key(), anchor));
                    self.relocate(&definition, anchor);
                }
            }
            if mistakes.is_empty() {
                return Ok(());
            }
            if moved.is_empty() {
                return Err(self.errors(mistakes));
            }
        }
    }

    fn relocate(&mut self, definition: &Definition<'a>, anchor: Option<Key<'a>>) {
        let key = definition.key();
        if let Some(index) = self.index(key) {
            self.blocks.remove(index);
        }
        // What was put behind it stays where it is, in the family that this leaves.
        let left = self.placed.remove(&key).flatten();
        for behind in self
            .placed
            .values_mut()
            .filter(|behind| **behind == Some(key))
        {
            *behind = left;
        }
        self.put(definition, anchor);
    }

    /// Where a new definition could go so that its family has what it needs.
    fn better_place(
        &self,
        mistake: &MistakeKind,
        tried: &HashSet<(Key<'a>, Option<Key<'a>>)>,
    ) -> Option<(Definition<'a>, Option<Key<'a>>)> {
        let MistakeKind::OutOfFamily { owner, ty, .. } = mistake else {
            return None;
        };
        let mut all = self.old.values().chain(&self.new);
        let owner = *all
            .clone()
            .find(|definition| definition.title() == *owner)?;
        let ty = *all.find(|definition| definition.key() == Key::Type(ty))?;
        let is_new = |definition: &Definition<'a>| self.placed.contains_key(&definition.key());
        let core = self.end_of_core();
        [(owner, Some(ty.key())), (ty, Some(owner.key())), (ty, core)]
            .into_iter()
            .find(|(definition, anchor)| {
                is_new(definition)
                    && *anchor != Some(definition.key())
                    && !tried.contains(&(definition.key(), *anchor))
            })
    }

    /// The mistakes of the result, in the files that their lines come from.
    fn errors(&self, mistakes: Vec<Mistake>) -> Vec<Errors> {
        let lines: Vec<Origin> = self
            .blocks
            .iter()
            .flat_map(|block| &block.lines)
            .map(|line| line.from)
            .collect();
        let mut by_file: BTreeMap<&str, Vec<Mistake>> = BTreeMap::new();
        for mistake in mistakes {
            let (file, line) = match lines.get(mistake.line.saturating_sub(1)) {
                Some(Origin::Newer(line)) => (self.newer.file, *line),
                Some(Origin::Kept(line)) => (self.kept.file, *line),
                None => (self.kept.file, mistake.line),
            };
            let kind = mistake.kind;
            by_file
                .entry(file)
                .or_default()
                .push(Mistake { line, kind });
        }
        by_file
            .into_iter()
            .map(|(file, mistakes)| Errors::new(file, mistakes))
            .collect()
    }

    fn text(&self) -> String {
        let lines = self.blocks.iter().flat_map(|block| &block.lines);
        lines.map(|line| line.text.as_str()).collect()
    }

    fn finish(mut self) -> Merged {
        let titles: HashMap<Key<'a>, String> = self
            .old
            .values()
            .chain(&self.new)
            .map(|definition| (definition.key(), definition.title()))
            .collect();
        let added = self
            .new
            .iter()
            .filter(|definition| self.placed.contains_key(&definition.key()));
        let added: Vec<Added> = added
            .map(|definition| {
                let anchor = self.placed.get(&definition.key()).copied().flatten();
                Added {
                    title: definition.title(),
                    behind: anchor.and_then(|anchor| titles.get(&anchor).cloned()),
                    family: self.family(definition.key()).map(str::to_owned),
                }
            })
            .collect();
        self.report.added = added;
        Merged {
            text: self.text(),
            report: self.report,
        }
    }
}

/// The text in blocks: one for each definition, one for what stands between two.
fn blocks<'a>(text: &str, definitions: &[Definition<'a>]) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut definitions = definitions.iter().peekable();
    let mut is_open = false;
    for (index, text) in text.split_inclusive('\n').enumerate() {
        let line = Line {
            text: text.to_owned(),
            from: Origin::Kept(index + 1),
        };
        let begins = definitions.next_if(|definition| definition.line() == index + 1);
        if let Some(definition) = begins {
            is_open = true;
            blocks.push(Block {
                key: Some(definition.key()),
                lines: vec![line],
            });
            continue;
        }
        let is_end = code(text).trim() == "end";
        match blocks.last_mut() {
            Some(block) if is_open || block.key.is_none() => block.lines.push(line),
            _ => blocks.push(Block {
                key: None,
                lines: vec![line],
            }),
        }
        is_open &= !is_end;
    }
    blocks
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The words of a line, with one blank between two.
fn words(line: &str) -> String {
    code(line).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What two definitions say differently.
fn differences(old: &Definition<'_>, new: &Definition<'_>, newer_lines: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let shown = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text.to_owned()
        }
    };
    let (old_header, new_header) = (old.header(), new.header());
    for part in ["keyword", "base class", "returns", "since"] {
        let say = |header: &[(&str, String)]| {
            let said = header.iter().find(|(name, _)| *name == part);
            said.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        let (before, now) = (say(&old_header), say(&new_header));
        if before != now {
            found.push(format!("~ {part}: {} -> {}", shown(&before), shown(&now)));
        }
    }
    let (old_items, new_items) = (old.items(), new.items());
    for item in &new_items {
        match old_items.iter().find(|old| old.key == item.key) {
            None => found.push(format!("+ {}", words(newer_lines[item.line - 1]))),
            Some(old) if old.says != item.says => {
                let (before, now) = (shown(&old.says), shown(&item.says));
                found.push(format!("~ {}: {before} -> {now}", item.key));
            }
            Some(_) => {}
        }
    }
    let is_gone = |item: &&Item<'_>| new_items.iter().all(|new| new.key != item.key);
    for item in old_items.iter().filter(is_gone) {
        let text = format!("- {} {}", item.key, item.says);
        found.push(text.trim_end().to_owned());
    }
    let keys = |items: &[Item<'_>], others: &[Item<'_>]| -> Vec<String> {
        let both = items
            .iter()
            .filter(|item| others.iter().any(|other| other.key == item.key));
        // Where these stand among the lines of a method means nothing.
        let both = both.filter(|item| ![RESULT, FAULTS, PRIVILEGE].contains(&item.key));
        both.map(|item| item.key.to_owned()).collect()
    };
    let order = keys(&new_items, &old_items);
    if keys(&old_items, &new_items) != order && !matches!(new, Definition::Enum(_)) {
        found.push(format!("~ order: {}", order.join(", ")));
    }
    found
}

/// Makes a definition say what the newer one says, in as many of its own lines as possible.
///
/// A comment on a line of its own stays before the line it stands before, or before what follows that.
fn rewrite(
    block: &mut Block<'_>,
    old: &Definition<'_>,
    new: &Definition<'_>,
    newer_lines: &[&str],
) {
    let start = old.line();
    let old_items = old.items();
    let mut lines = std::mem::take(&mut block.lines).into_iter();
    let mut result = Vec::new();
    if let Some(mut header) = lines.next() {
        if old.header() != new.header() {
            header.text = replaced(&header.text, newer_lines[new.line() - 1]);
            header.from = Origin::Newer(new.line());
        }
        result.push(header);
    }
    // Each line of the old definition with the comments before it.
    let mut by_key: HashMap<&str, (Vec<Line>, Line)> = HashMap::new();
    let mut above = Vec::new();
    let mut indent = "    ".to_owned();
    let mut line_end = "\n";
    let new_items = new.items();
    for (offset, line) in lines.enumerate() {
        let number = start + 1 + offset;
        match old_items.iter().find(|item| item.line == number) {
            Some(item) => {
                let text = &line.text;
                indent = text[..text.len() - text.trim_start().len()].to_owned();
                if text.ends_with("\r\n") {
                    line_end = "\r\n";
                }
                // What stood above a line that is gone stays, above the next one.
                if new_items.iter().any(|new| new.key == item.key) {
                    by_key.insert(item.key, (std::mem::take(&mut above), line));
                }
            }
            None => above.push(line),
        }
    }
    for item in &new_items {
        let newer = newer_lines[item.line - 1];
        let from = Origin::Newer(item.line);
        let Some((comments, mut line)) = by_key.remove(item.key) else {
            let text = format!("{indent}{}{line_end}", code(newer).trim());
            result.push(Line { text, from });
            continue;
        };
        result.extend(comments);
        let before = old_items.iter().find(|old| old.key == item.key);
        if before.is_none_or(|old| old.says != item.says) {
            line.text = replaced(&line.text, newer);
            line.from = from;
        }
        result.push(line);
    }
    result.extend(above);
    block.lines = result;
}

/// A line that says what another one says, with its own indentation and comment.
fn replaced(line: &str, by: &str) -> String {
    let old = code(line);
    let indent = &old[..old.len() - old.trim_start().len()];
    let behind = &line[old.trim_end().len()..];
    format!("{indent}{}{behind}", code(by).trim())
}

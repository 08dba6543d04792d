//! Text to [`Description`].

use crate::error::{Mistake, MistakeKind};
use crate::grammar::{Keyword, Occurrence};
use crate::model::{
    Annotations, Description, Enum, EnumValue, Family, Fault, Member, Method, Object, Section, Type,
};
use crate::names::nearest;

/// Reads a description.
///
/// Returns the valid definitions besides the mistakes, so that these can be checked too. Only the grammar is checked here,
/// not whether names are defined.
pub fn parse(text: &str) -> (Description, Vec<Mistake>) {
    let mut parser = Parser::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            parser.line = index + 1;
            parser.take(line);
        }
    }
    if let Some(owner) = parser.open.as_ref().map(Block::title) {
        parser.line = parser.open_line;
        parser.mistake(MistakeKind::NoEnd { owner });
        parser.close();
    }
    (parser.description, parser.mistakes)
}

#[derive(Default)]
struct Parser {
    line: usize,
    open: Option<Block>,
    open_line: usize,
    description: Description,
    mistakes: Vec<Mistake>,
}

/// A definition whose `end` has not been read.
enum Block {
    Enum(Enum),
    Object(Object),
    Method(Box<Method>),
    /// A definition with a mistake in its first line; its members are skipped.
    Broken(Keyword),
}

impl Block {
    fn title(&self) -> String {
        match self {
            Self::Enum(definition) => definition.title(),
            Self::Object(definition) => definition.title(),
            Self::Method(definition) => definition.title(),
            Self::Broken(keyword) => keyword.to_string(),
        }
    }
}

impl Parser {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        // A lone keyword inside a definition is an enum's value; `object` has no value called so, but could.
        let header = Keyword::split(&words)
            .filter(|(_, rest)| !(rest.is_empty() && matches!(self.open, Some(Block::Enum(_)))));
        if let Some((keyword, rest)) = header {
            return self.begin(line, keyword, rest);
        }
        if let (["family", rest @ ..], None) = (words.as_slice(), &self.open) {
            return self.family(line, rest);
        }
        if let (["section", rest @ ..], None) = (words.as_slice(), &self.open) {
            return self.section(line, rest);
        }
        if words == ["end"] {
            return match self.open {
                Some(_) => self.close(),
                None => self.stray("end"),
            };
        }
        match self.open.take() {
            Some(mut block) => {
                match &mut block {
                    Block::Enum(definition) => self.enum_line(definition, line, &words),
                    Block::Object(definition) => self.object_line(definition, line, &words),
                    Block::Method(definition) => self.method_line(definition, line, &words),
                    Block::Broken(_) => {}
                }
                self.open = Some(block);
            }
            None => self.stray(words[0]),
        }
    }

    fn family(&mut self, line: &str, words: &[&str]) {
        let (name, needs) = match words {
            [name] => (name, &[][..]),
            [name, "needs", needs @ ..] if !needs.is_empty() => (name, needs),
            _ => {
                let found = line.to_owned();
                return self.mistake(MistakeKind::Family { found });
            }
        };
        self.description.families.push(Family {
            line: self.line,
            name: (*name).to_owned(),
            needs: needs.iter().map(|name| (*name).to_owned()).collect(),
        });
    }

    fn section(&mut self, line: &str, words: &[&str]) {
        let [name] = words else {
            let found = line.to_owned();
            return self.mistake(MistakeKind::Section { found });
        };
        self.description.sections.push(Section {
            line: self.line,
            name: (*name).to_owned(),
            family: self.current_family(),
        });
    }

    /// The current section.
    fn current_section(&self) -> Option<String> {
        let section = self.description.sections.last()?;
        (section.family == self.current_family()).then(|| section.name.clone())
    }

    /// The current family.
    fn current_family(&self) -> Option<String> {
        let family = self.description.families.last()?;
        Some(family.name.clone())
    }

    fn stray(&mut self, word: &str) {
        let keywords = [
            "enum", "object", "fault", "managed", "method", "family", "section",
        ];
        let nearest = nearest(word, keywords);
        self.mistake(MistakeKind::NotADefinition {
            found: word.to_owned(),
            nearest,
        });
        // What follows belongs to the definition that was meant; read up to its end without a mistake per line.
        if word != "end" {
            self.open_line = self.line;
            self.open = Some(Block::Broken(Keyword::Object));
        }
    }

    fn begin(&mut self, line: &str, keyword: Keyword, rest: &[&str]) {
        let block = self.header(keyword, rest).unwrap_or_else(|| {
            self.mistake(MistakeKind::Header {
                found: line.to_owned(),
                keyword,
            });
            Block::Broken(keyword)
        });
        if let Some(open) = self.open.as_ref().map(Block::title) {
            let open_line = self.open_line;
            self.mistake(MistakeKind::Nested {
                owner: block.title(),
                open,
                open_line,
            });
            self.close();
        }
        self.open = Some(block);
        self.open_line = self.line;
    }

    fn header(&mut self, keyword: Keyword, words: &[&str]) -> Option<Block> {
        let (name, mut rest) = words.split_first()?;
        let (line, name) = (self.line, (*name).to_owned());
        let (family, section) = (self.current_family(), self.current_section());
        if keyword == Keyword::Method {
            return self.method_header(name, rest);
        }
        let mut extends = None;
        if let ["extends", base, behind @ ..] = rest {
            extends = Some((*base).to_owned());
            rest = behind;
        }
        let since = match rest {
            [] => None,
            ["since", version] => Some((*version).to_owned()),
            _ => return None,
        };
        Some(match keyword {
            Keyword::Enum if extends.is_none() => Block::Enum(Enum {
                line,
                name,
                family,
                section,
                since,
                values: Vec::new(),
            }),
            Keyword::Enum => return None,
            _ => Block::Object(Object {
                line,
                keyword,
                name,
                family,
                section,
                extends,
                since,
                members: Vec::new(),
            }),
        })
    }

    fn method_header(&mut self, name: String, mut rest: &[&str]) -> Option<Block> {
        let owner = format!("{} {name}", Keyword::Method);
        let mut method = Method {
            line: self.line,
            name,
            family: self.current_family(),
            section: self.current_section(),
            since: None,
            returns: None,
            parameters: Vec::new(),
            result: None,
            result_line: 0,
            throws: Vec::new(),
            privilege: None,
            privilege_line: 0,
        };
        if let ["returns", ty, occurrence, behind @ ..] = rest {
            let mut returned = self.ty(
                &owner,
                RETURNED,
                ty,
                occurrence,
                behind,
                &OCCURRENCES_WITHOUT_IGNORED,
            )?;
            method.since = returned.annotations.since.take();
            method.returns = Some(returned);
            return Some(Block::Method(Box::new(method)));
        }
        if let ["since", version, behind @ ..] = rest {
            method.since = Some((*version).to_owned());
            rest = behind;
        }
        rest.is_empty().then(|| Block::Method(Box::new(method)))
    }

    fn enum_line(&mut self, definition: &mut Enum, text: &str, words: &[&str]) {
        let since = match words {
            [_] => None,
            [_, "since", version] => Some((*version).to_owned()),
            _ => {
                let (owner, found) = (definition.title(), text.to_owned());
                return self.mistake(MistakeKind::Value { owner, found });
            }
        };
        definition.values.push(EnumValue {
            line: self.line,
            name: words[0].to_owned(),
            since,
        });
    }

    fn object_line(&mut self, definition: &mut Object, text: &str, words: &[&str]) {
        let owner = definition.title();
        if let Some(member) = self.member(&owner, "property", text, words, &OCCURRENCES) {
            definition.members.push(member);
        }
    }

    fn method_line(&mut self, definition: &mut Method, text: &str, words: &[&str]) {
        let owner = definition.title();
        let line = self.line;
        let found = text.to_owned();
        match words {
            ["throws", rest @ ..] => {
                let names: Vec<_> = rest.iter().flat_map(|word| word.split(',')).collect();
                let names = names
                    .into_iter()
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned);
                let before = definition.throws.len();
                definition
                    .throws
                    .extend(names.map(|name| Fault { line, name }));
                if before != 0 || definition.throws.len() == before {
                    let expected = "throws <fault>, <fault>";
                    self.mistake(MistakeKind::MethodLine {
                        owner,
                        found,
                        expected,
                    });
                }
            }
            ["privilege", privilege] if definition.privilege.is_none() => {
                definition.privilege = Some((*privilege).to_owned());
                definition.privilege_line = line;
            }
            ["privilege", ..] => {
                let expected = "privilege <privilege>";
                self.mistake(MistakeKind::MethodLine {
                    owner,
                    found,
                    expected,
                });
            }
            ["result", ty, occurrence, rest @ ..] if definition.result.is_none() => {
                let possible = &OCCURRENCES_WITHOUT_IGNORED;
                definition.result = self.ty(&owner, "its result", ty, occurrence, rest, possible);
                definition.result_line = line;
            }
            ["result", ..] => {
                let expected = "result <type> <occurrence> [<annotation>...]";
                self.mistake(MistakeKind::MethodLine {
                    owner,
                    found,
                    expected,
                });
            }
            _ => {
                let possible = &OCCURRENCES_WITHOUT_IGNORED;
                if let Some(member) = self.member(&owner, "parameter", text, words, possible) {
                    definition.parameters.push(member);
                }
            }
        }
    }

    fn member(
        &mut self,
        owner: &str,
        what: &'static str,
        text: &str,
        words: &[&str],
        possible: &Occurrences,
    ) -> Option<Member> {
        let [ty, name, occurrence, annotations @ ..] = words else {
            let (owner, found) = (owner.to_owned(), text.to_owned());
            self.mistake(MistakeKind::Member { owner, found, what });
            return None;
        };
        let ty = self.ty(owner, name, ty, occurrence, annotations, possible)?;
        Some(Member {
            line: self.line,
            name: (*name).to_owned(),
            ty,
        })
    }

    fn ty(
        &mut self,
        owner: &str,
        name: &str,
        ty: &str,
        occurrence: &str,
        annotations: &[&str],
        possible: &Occurrences,
    ) -> Option<Type> {
        let parsed = Occurrence::parse(occurrence)
            .filter(|&found| possible.ignored || found != Occurrence::Ignored);
        if parsed.is_none() {
            self.mistake(MistakeKind::Occurrence {
                owner: owner.to_owned(),
                name: name.to_owned(),
                found: occurrence.to_owned(),
                expected: possible.words,
            });
        }
        let annotations = self.annotations(owner, annotations);
        Some(Type {
            name: ty.to_owned(),
            occurrence: parsed?,
            annotations,
        })
    }

    fn annotations(&mut self, owner: &str, mut words: &[&str]) -> Annotations {
        let mut found = Annotations::default();
        while let [word, rest @ ..] = words {
            words = rest;
            let flag = match *word {
                "required" => Some(("required", &mut found.required)),
                "linkable" => Some(("linkable", &mut found.linkable)),
                "secret" => Some(("secret", &mut found.secret)),
                _ => None,
            };
            if let Some((annotation, flag)) = flag {
                if *flag {
                    let owner = owner.to_owned();
                    self.mistake(MistakeKind::AnnotationTwice { owner, annotation });
                }
                *flag = true;
                continue;
            }
            let mut privileges = None;
            let (annotation, value, slot) = match *word {
                "since" => ("since", "version", &mut found.since),
                "to" => ("to", "managed object", &mut found.to),
                "link" => ("link", "object", &mut found.link),
                "holds" => ("holds", "fault", &mut found.holds),
                "names" => (
                    "names",
                    "TypeName, MethodName or PropertyPath",
                    &mut found.names,
                ),
                "priv" => ("priv", "privilege>[,<privilege", &mut privileges),
                _ => {
                    self.mistake(MistakeKind::Annotation {
                        owner: owner.to_owned(),
                        found: (*word).to_owned(),
                        nearest: nearest(word, ANNOTATIONS),
                        expected: ANNOTATIONS.join(", "),
                    });
                    continue;
                }
            };
            let Some((text, rest)) = words.split_first() else {
                let owner = owner.to_owned();
                self.mistake(MistakeKind::AnnotationValue {
                    owner,
                    annotation,
                    value,
                });
                break;
            };
            words = rest;
            let twice = slot.replace((*text).to_owned()).is_some()
                || (privileges.is_some() && !found.privileges.is_empty());
            if twice {
                let owner = owner.to_owned();
                self.mistake(MistakeKind::AnnotationTwice { owner, annotation });
            }
            if let Some(names) = privileges {
                found.privileges = names.split(',').map(str::to_owned).collect();
            }
        }
        found
    }

    fn close(&mut self) {
        match self.open.take() {
            Some(Block::Enum(definition)) => self.description.enums.push(definition),
            Some(Block::Method(definition)) => self.description.methods.push(*definition),
            Some(Block::Object(definition)) if definition.keyword == Keyword::ManagedObject => {
                self.description.managed_objects.push(definition);
            }
            Some(Block::Object(definition)) => self.description.objects.push(definition),
            Some(Block::Broken(_)) | None => {}
        }
    }

    fn mistake(&mut self, kind: MistakeKind) {
        self.mistakes.push(Mistake {
            line: self.line,
            kind,
        });
    }
}

/// What a return value is called in mistakes.
pub(crate) const RETURNED: &str = "its return value";

const ANNOTATIONS: [&str; 9] = [
    "since", "to", "link", "holds", "names", "required", "linkable", "secret", "priv",
];

/// The occurrences that are possible in some place.
struct Occurrences {
    ignored: bool,
    words: &'static str,
}

const OCCURRENCES: Occurrences = Occurrences {
    ignored: true,
    words: "r, o, rl, ol or i",
};

const OCCURRENCES_WITHOUT_IGNORED: Occurrences = Occurrences {
    ignored: false,
    words: "r, o, rl or ol (only an object's property can be ignored with i)",
};

//! Reads YAML 1.2 into a small tree that keeps the text of scalars as written, their style and their places.
//!
//! JSON is YAML here. Anchors, aliases and tags are kept as refusals where they stand, so that whoever walks the
//! tree can name the place; a text without exactly one readable document is an error of its own.

use std::borrow::Cow;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::error::{DocumentError, Position};

/// How long a text may be.
pub const BYTES_MAX: usize = 8 * 1024 * 1024;
/// How deep lists and mappings may be nested.
pub const DEPTH_MAX: usize = 64;
/// How many values and keys a text may hold.
pub const NODES_MAX: usize = 2_000_000;

/// A value and where it begins.
#[derive(Debug)]
pub struct Node {
    /// Where.
    pub position: Position,
    /// What.
    pub content: Content,
}

/// What a value is.
#[derive(Debug)]
pub enum Content {
    /// One value.
    Scalar(Scalar),
    /// Values in order.
    List(Vec<Node>),
    /// Keys with their values, in the order of the text.
    Mapping(Vec<Entry>),
    /// What documents may not use.
    Refused(Refusal),
}

/// A scalar, as written: `000000000101` keeps its zeros.
#[derive(Debug)]
pub struct Scalar {
    /// The text, without quotes.
    pub text: Box<str>,
    /// Neither quoted nor a block.
    pub plain: bool,
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: Node,
    /// Its value.
    pub value: Node,
}

/// Something of YAML that documents may not use.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub remedy: &'static str,
}

impl Node {
    /// Whether the value counts as absent: nothing, `~` or `null`.
    pub fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar(scalar) => scalar.plain && is_null(&scalar.text),
            Content::List(_) | Content::Mapping(_) | Content::Refused(_) => false,
        }
    }
}

/// Whether a plain scalar means that there is no value.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Reads the one document of a text.
///
/// # Errors
/// When it is not one readable document.
pub fn read(text: &str) -> Result<Node, DocumentError> {
    if text.len() > BYTES_MAX {
        let problem = format!("the text has {} bytes", text.len());
        return Err(fatal(BEGINNING, problem, format!("at most {BYTES_MAX} are read")));
    }
    let text = with_joined_surrogates(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        match event {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => {
                let remedy = "correct the YAML or JSON at this place".to_owned();
                return Err(fatal(position(*error.marker()), lower_first(error.info()), remedy));
            }
        }
    }
    builder.root.filter(|root| !root.is_null()).ok_or_else(|| {
        let remedy = "write a mapping of fields, or {} for a document without any".to_owned();
        fatal(BEGINNING, "the text holds no document".to_owned(), remedy)
    })
}

const BEGINNING: Position = Position { line: 1, column: 1 };

/// Builds the tree from events; the open lists and mappings are its stack.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

/// A list or mapping whose end has not come yet.
struct Open {
    position: Position,
    refusal: Option<Refusal>,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Option<Node> },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), DocumentError> {
        let at = position(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.start_document(at),
            Event::Alias(_) => {
                let refusal = Refusal {
                    problem: "aliases are not read".to_owned(),
                    remedy: "write the value out where it is used",
                };
                self.attach(Node { position: at, content: Content::Refused(refusal) })
            }
            Event::Scalar(text, style, anchor, tag) => {
                let content = match refusal(anchor, tag.as_deref()) {
                    Some(refusal) => Content::Refused(refusal),
                    None => Content::Scalar(Scalar { text: text.into(), plain: style == ScalarStyle::Plain }),
                };
                self.attach(Node { position: at, content })
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(at, refusal(anchor, tag.as_deref()), Items::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => self.open(
                at,
                refusal(anchor, tag.as_deref()),
                Items::Mapping { entries: Vec::new(), key: None },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn start_document(&mut self, at: Position) -> Result<(), DocumentError> {
        self.documents += 1;
        if self.documents > 1 {
            let remedy = "keep one document in a text".to_owned();
            return Err(fatal(at, "a second document begins here".to_owned(), remedy));
        }
        Ok(())
    }

    fn open(
        &mut self,
        position: Position,
        refusal: Option<Refusal>,
        items: Items,
    ) -> Result<(), DocumentError> {
        if self.open.len() >= DEPTH_MAX {
            let problem = format!("lists and mappings are nested more than {DEPTH_MAX} deep");
            return Err(fatal(position, problem, "write it flatter".to_owned()));
        }
        self.open.push(Open { position, refusal, items });
        Ok(())
    }

    fn close(&mut self) -> Result<(), DocumentError> {
        let Some(Open { position, refusal, items }) = self.open.pop() else { return Ok(()) };
        let content = match (refusal, items) {
            (Some(refusal), _) => Content::Refused(refusal),
            (None, Items::List(nodes)) => Content::List(nodes),
            (None, Items::Mapping { entries, .. }) => Content::Mapping(entries),
        };
        self.attach(Node { position, content })
    }

    /// Puts a finished value where it belongs: into the open list or mapping, or at the root.
    fn attach(&mut self, node: Node) -> Result<(), DocumentError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let remedy = "split it into smaller documents".to_owned();
            return Err(fatal(node.position, format!("the text holds more than {NODES_MAX} values"), remedy));
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(nodes)) => nodes.push(node),
            Some(Items::Mapping { entries, key }) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push(Entry { key, value: node }),
            },
        }
        Ok(())
    }
}

fn refusal(anchor: usize, tag: Option<&Tag>) -> Option<Refusal> {
    if let Some(tag) = tag {
        let remedy = "remove it, the field itself says the type";
        return Some(Refusal { problem: format!("tags such as `{tag}` are not read"), remedy });
    }
    (anchor != 0).then(|| Refusal {
        problem: "anchors are not read".to_owned(),
        remedy: "remove it and write the value out where it is used",
    })
}

fn fatal(position: Position, problem: String, remedy: String) -> DocumentError {
    DocumentError { position, path: String::new(), problem, remedy }
}

fn position(marker: Marker) -> Position {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: count(marker.line()), column: count(marker.col().saturating_add(1)) }
}

fn lower_first(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Joins the surrogate pairs of JSON escapes, which YAML does not know: `\ud83d\ude00` becomes `\U0001F600`.
fn with_joined_surrogates(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        joined.push_str(before);
        let length = match surrogate_pair(escape) {
            Some(letter) => {
                joined.push_str(&format!("\\U{:08X}", u32::from(letter)));
                SURROGATE_PAIR_LENGTH
            }
            None => {
                // The character after a backslash belongs to it, also when it is a backslash.
                let length = escape.chars().take(2).map(char::len_utf8).sum();
                joined.push_str(&escape[..length]);
                length
            }
        };
        rest = &escape[length..];
    }
    joined.push_str(rest);
    Cow::Owned(joined)
}

const SURROGATE_PAIR_LENGTH: usize = r"\ud83d\ude00".len();

fn surrogate_pair(escape: &str) -> Option<char> {
    let unit = |from: usize| -> Option<u16> {
        let digits = escape.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units = [unit(0)?, unit(6)?];
    let mut letters = char::decode_utf16(units);
    let letter = letters.next()?.ok()?;
    letters.next().is_none().then_some(letter)
}

//! One parsed JSON text: simd-json's tape, with a way back from each value to the text it was written as.
//!
//! The tape is a list of nodes in document order; a nested array or object is followed by its `count` nodes. Strings are
//! unescaped and valid UTF-8. Numbers are 64-bit integers or doubles, which is not all that JSON can write, so the text of a
//! number stays within reach: each node has exactly one of the parser's structural positions as its start.

use std::str;

use simd_json::{Node, StaticNode};

use super::huge_numbers::number_end;

/// A value that holds no other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'a> {
    Boolean(bool),
    Integer(i64),
    /// An integer above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
    /// A number beyond both, as it was written.
    Huge(&'a str),
    Text(&'a str),
}

/// A value by its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Item<'a> {
    Null,
    Scalar(Scalar<'a>),
    Array { length: usize },
    Object { length: usize },
}

/// A parsed JSON text. Node 0 is its root.
pub(super) struct Document<'a> {
    nodes: &'a [Node<'a>],
    /// The text as it came.
    text: &'a [u8],
    /// Where the parser saw brackets, commas, colons and the starts of values.
    structurals: &'a [u32],
    /// Start of each node; if not known, made from `structurals` when first needed.
    starts: &'a mut Vec<u32>,
    /// True when the parser was given zeros in the place of huge numbers.
    has_huge_numbers: bool,
    /// True unless every value is what its node says, and no text holds a NUL character: those of plain records.
    needs_care: bool,
}

impl<'a> Document<'a> {
    /// `starts` is either empty or has the start of each node.
    pub(super) fn new(
        nodes: &'a [Node<'a>],
        text: &'a [u8],
        structurals: &'a [u32],
        starts: &'a mut Vec<u32>,
        has_huge_numbers: bool,
    ) -> Document<'a> {
        // A plain record has no structurals, and no escape, without which JSON cannot write a NUL.
        let needs_care = has_huge_numbers || !structurals.is_empty();
        Document { nodes, text, structurals, starts, has_huge_numbers, needs_care }
    }

    /// Returns the tape. Zeros in it may stand for huge numbers, see [`Document::has_huge_numbers`].
    #[inline]
    pub(super) fn nodes(&self) -> &'a [Node<'a>] {
        self.nodes
    }

    /// Returns whether some zeros of the tape stand for other numbers; [`Document::item`] knows which.
    #[inline]
    pub(super) fn has_huge_numbers(&self) -> bool {
        self.has_huge_numbers
    }

    /// Returns whether a column may take a node's value as it is.
    #[inline]
    pub(super) fn is_direct(&self, node: &Node<'_>) -> bool {
        !self.needs_care || (!self.has_huge_numbers && !holds_nul(node))
    }

    /// Returns the value at a node.
    pub(super) fn item(&mut self, at: usize) -> Item<'a> {
        match self.nodes[at] {
            Node::String(text) => Item::Scalar(Scalar::Text(text)),
            Node::Object { len, .. } => Item::Object { length: len },
            Node::Array { len, .. } => Item::Array { length: len },
            Node::Static(StaticNode::Null) => Item::Null,
            Node::Static(StaticNode::Bool(value)) => Item::Scalar(Scalar::Boolean(value)),
            Node::Static(StaticNode::F64(value)) => Item::Scalar(Scalar::Float(value)),
            Node::Static(StaticNode::I64(value)) => Item::Scalar(Scalar::Integer(value)),
            Node::Static(StaticNode::U64(0)) if self.has_huge_numbers => Item::Scalar(self.zero_or_huge(at)),
            Node::Static(StaticNode::U64(value)) => {
                Item::Scalar(i64::try_from(value).map_or(Scalar::Unsigned(value), Scalar::Integer))
            }
        }
    }

    /// Returns the node after the value at `at`, with all that it holds.
    #[inline]
    pub(super) fn after(&self, at: usize) -> usize {
        at + span(&self.nodes[at])
    }

    /// Returns the text of the number at a node, as it was written.
    pub(super) fn number_text(&mut self, at: usize) -> &'a str {
        let text: &'a [u8] = self.text;
        let start = self.start(at);
        str::from_utf8(&text[start..number_end(text, start)]).expect("numbers are ASCII")
    }

    fn zero_or_huge(&mut self, at: usize) -> Scalar<'a> {
        match self.number_text(at) {
            "0" => Scalar::Integer(0),
            huge => Scalar::Huge(huge),
        }
    }

    fn start(&mut self, at: usize) -> usize {
        if self.starts.is_empty() {
            self.find_starts();
        }
        self.starts[at] as usize
    }
}

impl Document<'_> {
    /// Keeps the structural positions that start a value, without a branch that depends on the text.
    fn find_starts(&mut self) {
        self.starts.resize(self.structurals.len(), 0);
        let mut count = 0;
        for position in self.structurals {
            self.starts[count] = *position;
            count += usize::from(!matches!(self.text[*position as usize], b':' | b',' | b']' | b'}'));
        }
        self.starts.truncate(count);
        debug_assert_eq!(count, self.nodes.len(), "each node has one start");
    }
}

fn holds_nul(node: &Node<'_>) -> bool {
    matches!(node, Node::String(text) if text.as_bytes().contains(&0))
}

/// How many nodes a value takes.
#[inline]
pub(super) fn span(node: &Node<'_>) -> usize {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        Node::String(_) | Node::Static(_) => 1,
    }
}

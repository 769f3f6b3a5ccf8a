//! The digest of `percentileEst`: a binary tree over the bits of LONG values, whose light branches are folded into their
//! parents, so that a rank is wrong by one part in twenty at most.
//!
//! It is kept for the bytes: what `percentileRawEst` gives is what a Pinot client reads, and a BYTES column may hold it.

use datafusion::common::exec_err;
use datafusion::error::Result;

/// The error of ranks that Pinot builds its digests with.
const RANK_ERROR_MAX: f64 = 0.05;
/// A node lighter than this counts as empty.
const WEIGHT_MIN: f64 = 1e-5;
const NONE: u32 = u32::MAX;
const SIGN: u64 = 1 << 63;
const HAS_LEFT: u8 = 1;
const HAS_RIGHT: u8 = 2;

/// A quantile digest of one group.
#[derive(Debug, Clone)]
pub(crate) struct QuantileDigest {
    rank_error: f64,
    nodes: Vec<Node>,
    /// Places in `nodes` that are unused.
    free: Vec<u32>,
    root: u32,
    weight: f64,
    heavy_nodes: usize,
    min: i64,
    max: i64,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// A value below the node, with its sign turned so that bits order as values do.
    bits: u64,
    /// How many low bits are free below the node.
    level: u8,
    weight: f64,
    left: u32,
    right: u32,
}

impl Node {
    fn is_heavy(&self) -> bool {
        self.weight >= WEIGHT_MIN
    }

    fn is_above(&self, bits: u64) -> bool {
        self.level >= 64 || (bits >> self.level) == (self.bits >> self.level)
    }

    fn goes_right(&self, bits: u64) -> bool {
        bits >> (self.level - 1) & 1 == 1
    }

    fn largest(&self) -> i64 {
        let free = if self.level >= 64 { u64::MAX } else { (1 << self.level) - 1 };
        ((self.bits | free) ^ SIGN).cast_signed()
    }
}

impl QuantileDigest {
    pub(crate) fn new() -> QuantileDigest {
        QuantileDigest {
            rank_error: RANK_ERROR_MAX,
            nodes: Vec::new(),
            free: Vec::new(),
            root: NONE,
            weight: 0.0,
            heavy_nodes: 0,
            min: i64::MAX,
            max: i64::MIN,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.root == NONE
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.free.capacity() * size_of::<u32>()
    }

    pub(crate) fn add(&mut self, value: i64) {
        if self.heavy_nodes as f64 > 4.5 * self.factor() {
            self.compress();
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.insert(value.cast_unsigned() ^ SIGN);
    }

    /// Takes in another digest.
    pub(crate) fn merge(&mut self, other: &QuantileDigest) {
        self.root = self.merged(self.root, other, other.root);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.compress();
    }

    /// Returns the value below which a fraction of all values lies.
    pub(crate) fn quantile(&self, fraction: f64) -> Option<i64> {
        if self.is_empty() {
            return None;
        }
        let (mut sum, mut found) = (0.0, self.max);
        self.each_below(self.root, &mut |node| {
            sum += node.weight;
            let is_there = sum > fraction * self.weight;
            if is_there {
                found = node.largest().min(self.max);
            }
            !is_there
        });
        Some(found)
    }

    /// Returns the bytes that Pinot writes: big endian, children before their parent.
    pub(crate) fn to_pinot(&self) -> Vec<u8> {
        let mut nodes = Vec::new();
        let mut count = 0_u32;
        self.each_below(self.root, &mut |node| {
            let left = if node.left == NONE { 0 } else { HAS_LEFT };
            let right = if node.right == NONE { 0 } else { HAS_RIGHT };
            nodes.extend([left | right, node.level]);
            nodes.extend(node.bits.to_be_bytes());
            nodes.extend(node.weight.to_be_bytes());
            count += 1;
            true
        });
        let mut bytes = Vec::with_capacity(44 + nodes.len());
        bytes.extend(self.rank_error.to_be_bytes());
        // Nothing decays here, so the moment from which it would is any.
        bytes.extend(0_f64.to_be_bytes());
        bytes.extend(0_i64.to_be_bytes());
        bytes.extend(self.min.to_be_bytes());
        bytes.extend(self.max.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes.extend(nodes);
        bytes
    }

    /// Reads the bytes of a digest of Pinot.
    ///
    /// # Errors
    /// When they are none.
    pub(crate) fn from_pinot(bytes: &[u8]) -> Result<QuantileDigest> {
        match read(bytes) {
            Some(digest) => Ok(digest),
            None => exec_err!("{} bytes are no serialised quantile digest", bytes.len()),
        }
    }

    /// Returns how many nodes there are for each unit of error.
    fn factor(&self) -> f64 {
        match self.nodes.get(self.root as usize) {
            Some(root) => ((f64::from(root.level) + 1.0) / self.rank_error).trunc().max(1.0),
            None => 1.0,
        }
    }

    fn insert(&mut self, bits: u64) {
        let (mut parent, mut current) = (NONE, self.root);
        while current != NONE {
            let node = self.nodes[current as usize];
            if !node.is_above(bits) {
                let leaf = self.make(bits, 0, 1.0);
                let both = self.siblings(current, leaf);
                return self.hang(parent, bits, both);
            }
            if node.level == 0 {
                self.weigh(current, 1.0);
                return;
            }
            parent = current;
            current = if node.goes_right(bits) { node.right } else { node.left };
        }
        let leaf = self.make(bits, 0, 1.0);
        self.hang(parent, bits, leaf);
    }

    fn hang(&mut self, parent: u32, bits: u64, child: u32) {
        match self.nodes.get_mut(parent as usize) {
            None => self.root = child,
            Some(node) if node.goes_right(bits) => node.right = child,
            Some(node) => node.left = child,
        }
    }

    fn make(&mut self, bits: u64, level: u8, weight: f64) -> u32 {
        let node = Node { bits, level, weight: 0.0, left: NONE, right: NONE };
        let place = match self.free.pop() {
            Some(place) => {
                self.nodes[place as usize] = node;
                place
            }
            None => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len() - 1).expect("a compressed digest has a few thousand nodes")
            }
        };
        self.weigh(place, weight);
        place
    }

    fn weigh(&mut self, place: u32, weight: f64) {
        let node = &mut self.nodes[place as usize];
        let was_heavy = node.is_heavy();
        node.weight += weight;
        self.weight += weight;
        self.heavy_nodes += usize::from(node.is_heavy() && !was_heavy);
    }

    /// Returns a new parent of two nodes neither of which is above the other.
    fn siblings(&mut self, first: u32, second: u32) -> u32 {
        let (one, other) = (self.nodes[first as usize].bits, self.nodes[second as usize].bits);
        let level = u8::try_from(64 - (one ^ other).leading_zeros()).unwrap_or(64);
        let parent = self.make(one, level, 0.0);
        let node = &mut self.nodes[parent as usize];
        (node.left, node.right) = if node.goes_right(other) { (first, second) } else { (second, first) };
        parent
    }

    fn merged(&mut self, place: u32, other: &QuantileDigest, theirs: u32) -> u32 {
        let Some(their) = other.nodes.get(theirs as usize).copied() else { return place };
        let Some(node) = self.nodes.get(place as usize).copied() else { return self.copied(other, theirs) };
        let above = if node.level >= their.level { node } else { their };
        if !above.is_above(node.bits) || !above.is_above(their.bits) {
            let copy = self.copied(other, theirs);
            return self.siblings(place, copy);
        }
        if node.level > their.level {
            let right = node.goes_right(their.bits);
            let child = self.merged(if right { node.right } else { node.left }, other, theirs);
            self.hang(place, their.bits, child);
            return place;
        }
        if node.level < their.level {
            let result = self.make(their.bits, their.level, their.weight);
            let right = their.goes_right(node.bits);
            let (with, without) = if right { (their.right, their.left) } else { (their.left, their.right) };
            let (merged, copied) = (self.merged(place, other, with), self.copied(other, without));
            let made = &mut self.nodes[result as usize];
            (made.left, made.right) = if right { (copied, merged) } else { (merged, copied) };
            return result;
        }
        self.weigh(place, their.weight);
        let left = self.merged(node.left, other, their.left);
        let right = self.merged(node.right, other, their.right);
        let node = &mut self.nodes[place as usize];
        (node.left, node.right) = (left, right);
        place
    }

    fn copied(&mut self, other: &QuantileDigest, theirs: u32) -> u32 {
        let Some(node) = other.nodes.get(theirs as usize).copied() else { return NONE };
        let place = self.make(node.bits, node.level, node.weight);
        let (left, right) = (self.copied(other, node.left), self.copied(other, node.right));
        let made = &mut self.nodes[place as usize];
        (made.left, made.right) = (left, right);
        place
    }

    /// Folds light children into their parents.
    fn compress(&mut self) {
        let light = (self.weight / self.factor()).trunc();
        self.compress_below(self.root, light);
        if self.nodes.get(self.root as usize).is_some_and(|root| !root.is_heavy()) {
            self.root = self.removed(self.root);
        }
    }

    fn compress_below(&mut self, place: u32, light: f64) {
        let Some(node) = self.nodes.get(place as usize).copied() else { return };
        self.compress_below(node.left, light);
        self.compress_below(node.right, light);
        if node.left == NONE && node.right == NONE {
            return;
        }
        let weight_of =
            |digest: &Self, child: u32| digest.nodes.get(child as usize).map_or(0.0, |n| n.weight);
        let (left, right) = (weight_of(self, node.left), weight_of(self, node.right));
        let fold = node.weight + left + right < light;
        if fold || left < WEIGHT_MIN {
            let child = self.removed(node.left);
            self.nodes[place as usize].left = child;
            self.weigh(place, left);
        }
        if fold || right < WEIGHT_MIN {
            let child = self.removed(node.right);
            self.nodes[place as usize].right = child;
            self.weigh(place, right);
        }
    }

    /// Takes a node's weight away, and the node where nothing needs it; returns what stands in its place.
    fn removed(&mut self, place: u32) -> u32 {
        let Some(node) = self.nodes.get_mut(place as usize) else { return NONE };
        self.heavy_nodes -= usize::from(node.is_heavy());
        self.weight -= node.weight;
        node.weight = 0.0;
        let child = match (node.left, node.right) {
            (NONE, child) | (child, NONE) => child,
            _ => return place,
        };
        self.free.push(place);
        child
    }

    /// Shows the nodes below one and it, children first, until `visit` says no.
    fn each_below(&self, place: u32, visit: &mut impl FnMut(&Node) -> bool) -> bool {
        match self.nodes.get(place as usize) {
            None => true,
            Some(node) => {
                self.each_below(node.left, visit) && self.each_below(node.right, visit) && visit(node)
            }
        }
    }
}

fn read(bytes: &[u8]) -> Option<QuantileDigest> {
    let (rank_error, rest) = bytes.split_first_chunk()?;
    let (_, rest) = rest.split_first_chunk::<16>()?;
    let (min, rest) = rest.split_first_chunk()?;
    let (max, rest) = rest.split_first_chunk()?;
    let (count, mut rest) = rest.split_first_chunk()?;
    let mut digest = QuantileDigest::new();
    digest.rank_error = f64::from_be_bytes(*rank_error);
    (digest.min, digest.max) = (i64::from_be_bytes(*min), i64::from_be_bytes(*max));
    if !(digest.rank_error > 0.0 && digest.rank_error <= 1.0) {
        return None;
    }
    let mut subtrees: Vec<u32> = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let ([flags, level], after) = rest.split_first_chunk()?;
        let (bits, after) = after.split_first_chunk()?;
        let (weight, after) = after.split_first_chunk()?;
        rest = after;
        let weight = f64::from_be_bytes(*weight);
        if *level > 64 || !(weight >= 0.0 && weight.is_finite()) {
            return None;
        }
        let right = if flags & HAS_RIGHT == 0 { NONE } else { subtrees.pop()? };
        let left = if flags & HAS_LEFT == 0 { NONE } else { subtrees.pop()? };
        let is_lower = |child: u32| child == NONE || digest.nodes[child as usize].level < *level;
        if !is_lower(left) || !is_lower(right) {
            return None;
        }
        let place = digest.make(u64::from_be_bytes(*bits), *level, weight);
        let node = &mut digest.nodes[place as usize];
        (node.left, node.right) = (left, right);
        subtrees.push(place);
    }
    digest.root = subtrees.pop().unwrap_or(NONE);
    subtrees.is_empty().then_some(digest)
}

//! How a table's columns are stored: the part of the table config that segments act on.

use std::collections::{BTreeMap, BTreeSet};

use crate::index::BloomFilterSize;
use crate::json_flat::FlattenOptions;
use crate::partition_function::PartitionFunction;
use crate::schema::ColumnName;
pub use crate::star_tree::{FunctionPair, PairFunction, StarTreeOptions};
use crate::text_search::WordOptions;

/// Storage choices of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentOptions {
    /// Rows are ordered by this single-value column when a segment is sealed.
    pub sorted_column: Option<ColumnName>,
    /// Columns stored without a dictionary.
    pub no_dictionary_columns: BTreeSet<ColumnName>,
    /// Columns that know the rows of each of their values.
    pub inverted_columns: BTreeSet<ColumnName>,
    /// Columns whose distinct values are kept in order, so that those with a beginning are found, however many there are.
    pub prefix_columns: BTreeSet<ColumnName>,
    /// Columns that know the rows of ranges of their values.
    pub range_columns: BTreeSet<ColumnName>,
    /// Columns that know of most values that they do not hold them, and how much they may take for it.
    pub bloom_columns: BTreeMap<ColumnName, BloomFilterSize>,
    /// Columns that know which partitions their values fall into.
    pub partitioned_columns: BTreeMap<ColumnName, PartitionFunction>,
    /// Columns of JSON that know the rows of the values in their documents, and what is taken of these.
    pub json_columns: BTreeMap<ColumnName, FlattenOptions>,
    /// Columns of text that know the rows of their words, and how these are cut.
    pub text_columns: BTreeMap<ColumnName, WordOptions>,
    /// Aggregates kept beside the rows.
    pub star_trees: Vec<StarTreeOptions>,
}

impl SegmentOptions {
    /// Returns a number that differs between different options. It stands in serving files, so that a file made with
    /// other options is seen and made again.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fingerprint::default();
        hash.texts(&self.sorted_column);
        hash.texts(&self.no_dictionary_columns);
        hash.texts(&self.inverted_columns);
        hash.texts(&self.range_columns);
        hash.texts(self.bloom_columns.keys());
        hash.number(self.star_trees.len());
        for tree in &self.star_trees {
            hash.texts(&tree.dimensions);
            hash.texts(&tree.skip_star_dimensions);
            hash.number(tree.function_pairs.len());
            for pair in &tree.function_pairs {
                hash.bytes(pair.to_string().as_bytes());
            }
            hash.number(tree.leaf_records_max);
        }
        // What is as it was before it could be chosen leaves no trace, so that older files stay as they are.
        for (column, size) in &self.bloom_columns {
            if *size != BloomFilterSize::default() {
                hash.bytes(column.as_bytes());
                hash.bytes(format!("{size:?}").as_bytes());
            }
        }
        for (column, function) in &self.partitioned_columns {
            hash.bytes(column.as_bytes());
            hash.bytes(function.described().as_bytes());
        }
        for (column, options) in &self.json_columns {
            hash.bytes(column.as_bytes());
            let options =
                serde_json::to_vec(options).expect("options are plain structs of numbers and texts");
            hash.bytes(b"json");
            hash.bytes(&options);
        }
        for column in &self.prefix_columns {
            hash.bytes(column.as_bytes());
            hash.bytes(b"prefix");
        }
        for (column, options) in &self.text_columns {
            hash.bytes(column.as_bytes());
            let options = serde_json::to_vec(options).expect("options are plain structs of flags and texts");
            hash.bytes(b"text");
            hash.bytes(&options);
        }
        hash.0
    }
}

/// FNV-1a of 64 bits, over lengths and bytes: the same on every machine and in every release.
struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a ColumnName, IntoIter: Clone>) {
        let texts = texts.into_iter();
        self.number(texts.clone().count());
        for text in texts {
            self.bytes(text.as_bytes());
        }
    }

    fn number(&mut self, number: usize) {
        self.raw(&(number as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.raw(bytes);
    }

    fn raw(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

//! Takes a star-tree apart for a file, and puts it together again without copying. `segment/star-tree.md` is the layout.
//!
//! Bytes from a file are believed in nothing that could panic or loop: children come behind their parents, so a walk
//! ends; every range and number lies inside its column; and where a query groups by a dimension, the records it is given
//! have ids of that dimension, never the star. Whether the aggregated values are right only a checksum can tell.

use std::ops::Range;

use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;
use serde::{Deserialize, Serialize};

use super::metric::MetricColumn;
use super::nodes::{Nodes, STAR};
use super::options::{FunctionPair, PairFunction, StarTreeOptions};
use super::record_ids::RecordIds;
use super::{Dimension, Metric, StarTree};
use crate::ids::Ids;
use crate::index::IndexParts;

/// Buffers in front of those of the dimensions.
const NODE_BUFFERS: usize = 5;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    rows: usize,
    nodes: usize,
    records: usize,
    dimensions: Vec<DimensionHeader>,
    metrics: Vec<MetricHeader>,
    skip_star_dimensions: Vec<String>,
    function_pairs: Vec<String>,
    leaf_records_max: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct DimensionHeader {
    name: String,
    cardinality: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct MetricHeader {
    pair: String,
    form: MetricForm,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MetricForm {
    I64,
    F64,
    Ids,
}

impl StarTree {
    /// Returns the tree as a header and buffers, which share its memory.
    pub fn to_parts(&self) -> IndexParts {
        let dimension = |dimension: &Dimension| DimensionHeader {
            name: dimension.name.to_string(),
            cardinality: dimension.cardinality,
        };
        let metric = |metric: &Metric| MetricHeader {
            pair: metric.pair.to_string(),
            form: match metric.column {
                MetricColumn::I64(_) => MetricForm::I64,
                MetricColumn::F64(_) => MetricForm::F64,
                MetricColumn::Ids(_) => MetricForm::Ids,
            },
        };
        let header = Header {
            rows: self.rows,
            nodes: self.nodes.len(),
            records: self.record_count(),
            dimensions: self.dimensions.iter().map(dimension).collect(),
            metrics: self.metrics.iter().map(metric).collect(),
            skip_star_dimensions: self.options.skip_star_dimensions.iter().map(ToString::to_string).collect(),
            function_pairs: self.options.function_pairs.iter().map(ToString::to_string).collect(),
            leaf_records_max: self.options.leaf_records_max,
        };
        let Nodes { values, first_children, first_records, record_counts, aggregated } = &self.nodes;
        let nodes = [values, first_children, first_records, record_counts, aggregated];
        let ids = self.dimensions.iter().map(|dimension| match &dimension.ids {
            Ids::U8(ids) => ids.inner().clone(),
            Ids::U16(ids) => ids.inner().clone(),
            Ids::U32(ids) => ids.inner().clone(),
        });
        let numbers = self.metrics.iter().flat_map(|metric| match &metric.column {
            MetricColumn::I64(values) => vec![values.inner().clone()],
            MetricColumn::F64(values) => vec![values.inner().clone()],
            MetricColumn::Ids(values) => vec![values.ends.inner().clone(), values.sets.clone()],
        });
        IndexParts {
            header: serde_json::to_value(header).expect("a header holds texts and numbers only"),
            buffers: nodes
                .map(|column| column.inner().clone())
                .into_iter()
                .chain(ids)
                .chain(numbers)
                .collect(),
        }
    }

    /// Puts a tree together that was taken apart, sharing the buffers' memory. `rows` is how many rows the segment has,
    /// `dictionary_len` how many values the dictionary of a column.
    ///
    /// # Errors
    /// What does not hold, in words: the index must be built again.
    pub fn from_parts(
        parts: &IndexParts,
        rows: usize,
        dictionary_len: impl Fn(&str) -> Option<usize>,
    ) -> Result<StarTree, String> {
        let header = Header::deserialize(&parts.header).map_err(|error| error.to_string())?;
        let options = options(&header)?;
        if header.rows != rows {
            return Err("it has another number of rows than its segment".into());
        }
        if header.nodes == 0 || (rows == 0) != (header.records == 0) {
            return Err("it has no root, or rows without records".into());
        }
        let metric_buffers = header.metrics.iter().map(|metric| match metric.form {
            MetricForm::I64 | MetricForm::F64 => 1,
            MetricForm::Ids => 2,
        });
        if parts.buffers.len() != NODE_BUFFERS + header.dimensions.len() + metric_buffers.sum::<usize>() {
            return Err("it has another number of buffers than its header says".into());
        }
        let (node_buffers, columns) = parts.buffers.split_at(NODE_BUFFERS);
        let (id_buffers, number_buffers) = columns.split_at(header.dimensions.len());
        let nodes = Nodes {
            values: numbers(&node_buffers[0], header.nodes)?,
            first_children: numbers(&node_buffers[1], header.nodes.saturating_add(1))?,
            first_records: numbers(&node_buffers[2], header.nodes)?,
            record_counts: numbers(&node_buffers[3], header.nodes)?,
            aggregated: numbers(&node_buffers[4], header.nodes)?,
        };
        let mut dimensions = Vec::with_capacity(header.dimensions.len());
        for (entry, buffer) in header.dimensions.iter().zip(id_buffers) {
            if dictionary_len(&entry.name) != Some(entry.cardinality) {
                return Err(format!("dimension `{}` has another dictionary than its column", entry.name));
            }
            dimensions.push(dimension(entry, buffer, header.records)?);
        }
        let mut metrics = Vec::with_capacity(header.metrics.len());
        let mut metric_buffers = number_buffers.iter();
        for (entry, pair) in header.metrics.iter().zip(options.stored_pairs()) {
            let mut next = || metric_buffers.next().ok_or("a buffer is missing");
            if entry.pair != pair.to_string() {
                return Err(format!("`{pair}` is stored under another name"));
            }
            let is_of_ids = pair.function == PairFunction::DistinctCount;
            let column = match entry.form {
                MetricForm::I64 if !is_of_ids => MetricColumn::I64(numbers(next()?, header.records)?),
                MetricForm::F64 if pair.function == PairFunction::Count => {
                    return Err("counts are stored as doubles".into());
                }
                MetricForm::F64 if !is_of_ids => MetricColumn::F64(numbers(next()?, header.records)?),
                MetricForm::Ids if is_of_ids => {
                    let cardinality = pair.column.as_deref().and_then(&dictionary_len);
                    let cardinality = cardinality.ok_or_else(|| format!("`{pair}` has no dictionary"))?;
                    let (ends, sets) = (numbers(next()?, header.records)?, next()?.clone());
                    MetricColumn::Ids(RecordIds::open(ends, sets, cardinality)?)
                }
                MetricForm::I64 | MetricForm::F64 | MetricForm::Ids => {
                    return Err(format!("`{pair}` is stored in another form"));
                }
            };
            metrics.push(Metric { pair, column });
        }
        let tree = StarTree { options, rows, nodes, dimensions, metrics };
        tree.check_nodes()?;
        Ok(tree)
    }

    /// Checks what a walk relies on; see the head of this file.
    fn check_nodes(&self) -> Result<(), String> {
        let nodes = &self.nodes;
        let in_order = nodes.first_children[0] == 1
            && nodes.first_children.is_sorted()
            && nodes.first_children[nodes.len()] as usize == nodes.len();
        if !in_order {
            return Err("children of its nodes leave others out".into());
        }
        if self.record_count() == 0 {
            return match nodes.len() {
                1 => Ok(()),
                _ => Err("it has nodes and no record".into()),
            };
        }
        let mut places = vec![Place { parent: 0, depth: 0 }; nodes.len()];
        let mut records_left = self.record_count();
        for node in 0..nodes.len() {
            let depth = places[node].depth;
            let children = nodes.children(node);
            self.check_children(node, depth)?;
            for child in children.clone() {
                places[child] = Place { parent: node, depth: depth + 1 };
            }
            let aggregated = nodes.aggregated[node] as usize;
            self.check_way(&places, node, aggregated..aggregated.saturating_add(1))?;
            if children.is_empty() {
                let records = self.leaf_records(node, &mut records_left)?;
                self.check_way(&places, node, records.clone())?;
                self.check_below(depth, records)?;
            }
        }
        Ok(())
    }

    /// Checks that the children of a node at `depth` come behind it and are distinct values of the next dimension.
    fn check_children(&self, node: usize, depth: usize) -> Result<(), String> {
        let children = self.nodes.children(node);
        if children.is_empty() {
            return Ok(());
        }
        let Some(dimension) = self.dimensions.get(depth) else {
            return Err("its nodes lie deeper than it has dimensions".into());
        };
        let values = &self.nodes.values[children.clone()];
        let is_value = |&value: &u32| value == STAR || (value as usize) < dimension.cardinality;
        let distinct = values.windows(2).all(|pair| pair[0] < pair[1]);
        match children.start > node && distinct && values.iter().all(is_value) {
            true => Ok(()),
            false => Err("children of a node are no values of its dimension".into()),
        }
    }

    /// Returns the records of a node without children. Those of different nodes are different, else a few records under
    /// many nodes would keep a walk busy for long.
    fn leaf_records(&self, node: usize, records_left: &mut usize) -> Result<Range<usize>, String> {
        let (first, count) =
            (self.nodes.first_records[node] as usize, self.nodes.record_counts[node] as usize);
        let end = first.checked_add(count).filter(|&end| end <= self.record_count());
        match (end, records_left.checked_sub(count)) {
            (Some(end), Some(left)) if u32::try_from(end).is_ok() => {
                *records_left = left;
                Ok(first..end)
            }
            _ => Err("a node has records that do not exist".into()),
        }
    }

    /// Checks that the records exist and have, in all dimensions on the way to the node, the values of that way.
    fn check_way(&self, places: &[Place], node: usize, records: Range<usize>) -> Result<(), String> {
        if records.end > self.record_count() {
            return Err("a node is aggregated in a record that does not exist".into());
        }
        let mut step = node;
        for dimension in self.dimensions[..places[node].depth].iter().rev() {
            let value = self.nodes.values[step];
            let id = if value == STAR { dimension.star() } else { value };
            if !all_ids(&dimension.ids, records.clone(), |found| found == id) {
                return Err("records of a node are not on its way".into());
            }
            step = places[step].parent;
        }
        Ok(())
    }

    /// Checks that no dimension from `depth` on is the star.
    fn check_below(&self, depth: usize, records: Range<usize>) -> Result<(), String> {
        let mut below = self.dimensions[depth..].iter();
        match below.all(|dimension| all_ids(&dimension.ids, records.clone(), |id| id < dimension.star())) {
            true => Ok(()),
            false => Err("records of a node without children have stars".into()),
        }
    }
}

/// Where a node hangs.
#[derive(Clone, Copy)]
struct Place {
    parent: usize,
    depth: usize,
}

fn options(header: &Header) -> Result<StarTreeOptions, String> {
    let pairs = header.function_pairs.iter().map(|pair| FunctionPair::parse(pair));
    let options = StarTreeOptions {
        dimensions: header.dimensions.iter().map(|dimension| dimension.name.as_str().into()).collect(),
        skip_star_dimensions: header.skip_star_dimensions.iter().map(|name| name.as_str().into()).collect(),
        function_pairs: pairs.collect::<Result<_, _>>()?,
        leaf_records_max: header.leaf_records_max,
    };
    options.check()?;
    match options.stored_pairs().len() == header.metrics.len() {
        true => Ok(options),
        false => Err("it stores other functions than it was asked for".into()),
    }
}

fn dimension(entry: &DimensionHeader, buffer: &Buffer, records: usize) -> Result<Dimension, String> {
    if u32::try_from(entry.cardinality).is_err() {
        return Err(format!("dimension `{}` has more values than ids", entry.name));
    }
    let ids = match Width::of(entry.cardinality + 1) {
        Width::U8 => Ids::U8(numbers(buffer, records)?),
        Width::U16 => Ids::U16(numbers(buffer, records)?),
        Width::U32 => Ids::U32(numbers(buffer, records)?),
    };
    Ok(Dimension { name: entry.name.as_str().into(), cardinality: entry.cardinality, ids })
}

/// The widths that [`Ids::narrow`] chooses from.
enum Width {
    U8,
    U16,
    U32,
}

impl Width {
    fn of(values: usize) -> Width {
        match values {
            _ if values <= 1 << 8 => Width::U8,
            _ if values <= 1 << 16 => Width::U16,
            _ => Width::U32,
        }
    }
}

/// Returns a buffer of exactly `count` numbers, sharing its memory.
fn numbers<T: ArrowNativeType>(buffer: &Buffer, count: usize) -> Result<ScalarBuffer<T>, String> {
    if count.checked_mul(size_of::<T>()) != Some(buffer.len()) {
        return Err("a buffer has another length than the header says".into());
    }
    if buffer.as_ptr().align_offset(align_of::<T>()) != 0 {
        return Err("a buffer is not aligned".into());
    }
    Ok(ScalarBuffer::new(buffer.clone(), 0, count))
}

fn all_ids(ids: &Ids, records: Range<usize>, holds: impl Fn(u32) -> bool) -> bool {
    match ids {
        Ids::U8(ids) => ids[records].iter().all(|&id| holds(id.into())),
        Ids::U16(ids) => ids[records].iter().all(|&id| holds(id.into())),
        Ids::U32(ids) => ids[records].iter().all(|&id| holds(id)),
    }
}

//! Frequent items sketches of Apache DataSketches.

use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::error::Result;
use datasketches::frequencies::FrequentItemsSketch;

use super::sketch::{Item, Sketch};

fn failed(error: datasketches::error::Error) -> DataFusionError {
    exec_datafusion_err!("frequent items sketch: {error}")
}

/// About what an item takes in the sketch's table.
const ITEM_BYTES: usize = 32;

/// Frequent LONG values.
pub(crate) struct FrequentLongs(FrequentItemsSketch<i64>);

impl Sketch for FrequentLongs {
    /// The size of the largest table.
    type Settings = usize;

    fn new(size: &usize) -> Result<FrequentLongs> {
        Ok(FrequentLongs(FrequentItemsSketch::new(*size).map_err(failed)?))
    }

    fn offer(&mut self, item: Item<'_>) {
        match item {
            Item::Int(value) => self.0.update(i64::from(value)),
            Item::Long(value) => self.0.update(value),
            _ => {}
        }
    }

    fn merge(&mut self, _: &usize, bytes: &[u8]) -> Result<()> {
        self.0.merge(&FrequentItemsSketch::deserialize(bytes).map_err(failed)?);
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.serialize()
    }

    fn estimate(&self) -> i64 {
        i64::try_from(self.0.num_active_items()).unwrap_or(i64::MAX)
    }

    fn heap_bytes(&self) -> usize {
        self.0.current_map_capacity() * ITEM_BYTES
    }
}

/// Frequent texts.
pub(crate) struct FrequentTexts(FrequentItemsSketch<String>);

impl Sketch for FrequentTexts {
    /// The size of the largest table.
    type Settings = usize;

    fn new(size: &usize) -> Result<FrequentTexts> {
        Ok(FrequentTexts(FrequentItemsSketch::new(*size).map_err(failed)?))
    }

    fn offer(&mut self, item: Item<'_>) {
        if let Item::Text(text) = item {
            self.0.update_ref(text);
        }
    }

    fn merge(&mut self, _: &usize, bytes: &[u8]) -> Result<()> {
        self.0.merge(&FrequentItemsSketch::deserialize(bytes).map_err(failed)?);
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.serialize()
    }

    fn estimate(&self) -> i64 {
        i64::try_from(self.0.num_active_items()).unwrap_or(i64::MAX)
    }

    fn heap_bytes(&self) -> usize {
        self.0.current_map_capacity() * 2 * ITEM_BYTES
    }
}

//! Theta and CPC sketches of Apache DataSketches, fed as Pinot feeds them.

use std::hash::Hash;

use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::error::Result;
use datasketches::cpc::{CpcSketch, CpcUnion};
use datasketches::hash::value::{canonical_float, raw_bytes};
use datasketches::theta::{
    CompactThetaSketch, ThetaSketch, ThetaSketchBuilder, ThetaUnion, ThetaUnionBuilder,
};

use super::sketch::{Item, Sketch};

fn failed(error: datasketches::error::Error) -> DataFusionError {
    exec_datafusion_err!("sketch: {error}")
}

/// Something that a value's hash is put into.
pub(crate) trait Update {
    fn update(&mut self, value: impl Hash);
}

/// Hands a value on in the form that Java hashes. Empty texts and bytes do not count there.
pub(crate) fn update(sketch: &mut impl Update, item: Item<'_>) {
    match item {
        Item::Int(value) => sketch.update(i64::from(value)),
        Item::Long(value) => sketch.update(value),
        Item::Float(value) => sketch.update(canonical_float::from_f64(f64::from(value))),
        Item::Double(value) => sketch.update(canonical_float::from_f64(value)),
        Item::Text("") | Item::Bytes([]) => {}
        Item::Text(value) => sketch.update(raw_bytes::from_str(value)),
        Item::Bytes(value) => sketch.update(raw_bytes::from_slice(value)),
    }
}

/// A theta sketch: values of its own, and the union of sketches that were merged in.
pub(crate) struct Theta {
    own: ThetaSketch,
    union: Option<Box<ThetaUnion>>,
}

impl Update for ThetaSketch {
    fn update(&mut self, value: impl Hash) {
        ThetaSketch::update(self, value);
    }
}

impl Theta {
    /// Returns what it holds now.
    pub(crate) fn result(&self) -> CompactThetaSketch {
        let Some(union) = &self.union else { return self.own.compact(true) };
        if self.own.is_empty() {
            return union.to_sketch(true);
        }
        let mut all = ThetaUnionBuilder::default()
            .lg_k(self.own.lg_k())
            .build()
            .expect("a sketch of this size was made before");
        let merged = all.update(&self.own).and_then(|()| all.update(&union.to_sketch(true)));
        merged.expect("sketches of one seed can be merged");
        all.to_sketch(true)
    }
}

impl Sketch for Theta {
    /// The logarithm of the nominal entries.
    type Settings = u8;

    fn new(lg_k: &u8) -> Result<Theta> {
        let own = ThetaSketchBuilder::default().lg_k(*lg_k).build().map_err(failed)?;
        Ok(Theta { own, union: None })
    }

    fn offer(&mut self, item: Item<'_>) {
        update(&mut self.own, item);
    }

    fn merge(&mut self, lg_k: &u8, bytes: &[u8]) -> Result<()> {
        let other = CompactThetaSketch::deserialize(bytes).map_err(failed)?;
        let union = match &mut self.union {
            Some(union) => union,
            None => {
                let union = ThetaUnionBuilder::default().lg_k(*lg_k).build().map_err(failed)?;
                self.union.insert(Box::new(union))
            }
        };
        union.update(&other).map_err(failed)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.result().serialize()
    }

    #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
    fn estimate(&self) -> i64 {
        self.result().estimate().round() as i64
    }

    fn heap_bytes(&self) -> usize {
        self.own.estimated_size() + self.union.as_ref().map_or(0, |union| union.estimated_size())
    }
}

/// A CPC sketch: values of its own, and the union of sketches that were merged in.
pub(crate) struct Cpc {
    own: CpcSketch,
    union: Option<Box<CpcUnion>>,
}

impl Update for CpcSketch {
    fn update(&mut self, value: impl Hash) {
        CpcSketch::update(self, value);
    }
}

impl Cpc {
    fn merged(&self) -> Option<CpcSketch> {
        let union = self.union.as_ref()?;
        let mut all = CpcUnion::new(union.lg_k()).ok()?;
        all.update(&union.to_sketch()).ok()?;
        all.update(&self.own).ok()?;
        Some(all.to_sketch())
    }
}

impl Sketch for Cpc {
    /// The logarithm of the nominal entries.
    type Settings = u8;

    fn new(lg_k: &u8) -> Result<Cpc> {
        Ok(Cpc { own: CpcSketch::new(*lg_k).map_err(failed)?, union: None })
    }

    fn offer(&mut self, item: Item<'_>) {
        update(&mut self.own, item);
    }

    fn merge(&mut self, lg_k: &u8, bytes: &[u8]) -> Result<()> {
        let other = CpcSketch::deserialize(bytes).map_err(failed)?;
        let union = match &mut self.union {
            Some(union) => union,
            None => self.union.insert(Box::new(CpcUnion::new(*lg_k).map_err(failed)?)),
        };
        union.update(&other).map_err(failed)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.merged().as_ref().unwrap_or(&self.own).serialize()
    }

    #[expect(clippy::cast_possible_truncation, reason = "Pinot rounds it")]
    fn estimate(&self) -> i64 {
        self.merged().as_ref().unwrap_or(&self.own).estimate().round() as i64
    }

    fn heap_bytes(&self) -> usize {
        self.own.estimated_size() + self.union.as_ref().map_or(0, |union| union.estimated_size())
    }
}

//! A t-digest: values in order, drawn together into centroids that are the smaller the nearer they are to an end.
//!
//! Values are buffered, sorted and merged with the centroids in one pass. Kept are twice as many centroids as the compression
//! says, as Pinot's library keeps them; the form that leaves the process is compressed once more. A centroid may weigh as
//! much as the scale function K1 allows at both of its ends.

use std::f64::consts::PI;

use datafusion::common::exec_err;
use datafusion::error::Result;

use super::order::{Sorter, key_of, value_of};
use crate::aggregate::serial::{Reader, Write};

/// Values buffered before they are merged: as many as sort in the processor's nearest cache.
const BUFFER_VALUES: usize = 4096;
/// The library counts compressions below this as this.
const COMPRESSION_MIN: f64 = 10.0;
/// The code of the encoding that Pinot writes: centroids as pairs of doubles.
const VERBOSE: i32 = 1;
/// The code of the encoding that it also reads: centroids as pairs of floats.
const SMALL: i32 = 2;

/// A t-digest of one group.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    compression: f64,
    centroids: Vec<Centroid>,
    /// The weight of all centroids.
    weight: f64,
    min: f64,
    max: f64,
    /// Values not merged yet, as keys.
    buffer: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Centroid {
    mean: f64,
    weight: f64,
}

/// Room that all digests of one aggregate share.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    sorter: Sorter,
    merged: Vec<Centroid>,
}

impl Digest {
    pub(crate) fn new(compression: f64) -> Digest {
        Digest {
            compression: compression.max(COMPRESSION_MIN),
            centroids: Vec::new(),
            weight: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.centroids.is_empty() && self.buffer.is_empty()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.centroids.capacity() * size_of::<Centroid>() + self.buffer.capacity() * size_of::<u64>()
    }

    /// Adds a value that is not NaN.
    pub(crate) fn add(&mut self, value: f64, scratch: &mut Scratch) {
        if self.buffer.len() == BUFFER_VALUES {
            self.flush(scratch);
        }
        self.buffer.push(key_of(value));
    }

    /// Takes in another digest.
    pub(crate) fn merge(&mut self, mut other: Digest, scratch: &mut Scratch) {
        self.flush(scratch);
        other.flush(scratch);
        if !other.centroids.is_empty() {
            self.min = self.min.min(other.min);
            self.max = self.max.max(other.max);
            self.take_in(other.centroids.iter().copied(), other.weight, 2.0 * self.compression, scratch);
        }
    }

    /// Merges what is buffered.
    fn flush(&mut self, scratch: &mut Scratch) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if let Some(last) = buffer.len().checked_sub(1) {
            scratch.sorter.sort(&mut buffer);
            self.min = self.min.min(value_of(buffer[0]));
            self.max = self.max.max(value_of(buffer[last]));
            let weight = buffer.len() as f64;
            let values = buffer.iter().map(|key| Centroid { mean: value_of(*key), weight: 1.0 });
            self.take_in(values, weight, 2.0 * self.compression, scratch);
            buffer.clear();
        }
        self.buffer = buffer;
    }

    /// Merges centroids in ascending order with those that are here.
    fn take_in(
        &mut self,
        incoming: impl Iterator<Item = Centroid>,
        weight: f64,
        compression: f64,
        scratch: &mut Scratch,
    ) {
        let total = self.weight + weight;
        let mut merger = Merger::new(total, compression, std::mem::take(&mut scratch.merged));
        let mut present = self.centroids.iter().copied().peekable();
        for next in incoming {
            while let Some(earlier) = present.next_if(|centroid| centroid.mean <= next.mean) {
                merger.add(earlier);
            }
            merger.add(next);
        }
        present.for_each(|centroid| merger.add(centroid));
        let mut merged = merger.finish();
        std::mem::swap(&mut self.centroids, &mut merged);
        merged.clear();
        scratch.merged = merged;
        self.weight = total;
    }

    /// Returns the value below which a fraction of all values lies: between the middles of two centroids by their distance,
    /// and the value itself of a centroid that is one value.
    pub(crate) fn quantile(&mut self, fraction: f64, scratch: &mut Scratch) -> Option<f64> {
        self.flush(scratch);
        let (first, last) = (*self.centroids.first()?, *self.centroids.last()?);
        if self.centroids.len() == 1 {
            return Some(first.mean);
        }
        let (index, total) = (fraction * self.weight, self.weight);
        if index < 1.0 {
            return Some(self.min);
        }
        if first.weight > 1.0 && index < first.weight / 2.0 {
            let share = (index - 1.0) / (first.weight / 2.0 - 1.0);
            return Some(self.min + share * (first.mean - self.min));
        }
        if index > total - 1.0 {
            return Some(self.max);
        }
        if last.weight > 1.0 && total - index <= last.weight / 2.0 {
            let share = (total - index - 1.0) / (last.weight / 2.0 - 1.0);
            return Some(self.max - share * (self.max - last.mean));
        }
        let mut middle = first.weight / 2.0;
        for pair in self.centroids.windows(2) {
            let (left, right) = (pair[0], pair[1]);
            let next_middle = middle + (left.weight + right.weight) / 2.0;
            if next_middle > index {
                return Some(between(left, right, index - middle, next_middle - index));
            }
            middle = next_middle;
        }
        Some(self.max)
    }

    /// Writes all of it, for [`Digest::read`].
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, scratch: &mut Scratch) {
        if self.is_empty() {
            return;
        }
        self.flush(scratch);
        out.put_f64(self.min);
        out.put_f64(self.max);
        for centroid in &self.centroids {
            out.put_f64(centroid.mean);
            out.put_f64(centroid.weight);
        }
    }

    /// Reads what was written.
    pub(crate) fn read(compression: f64, written: &[u8]) -> Result<Digest> {
        let mut reader = Reader(written);
        let mut digest = Digest::new(compression);
        digest.min = reader.f64()?;
        digest.max = reader.f64()?;
        while !reader.is_at_end() {
            digest.push(Centroid { mean: reader.f64()?, weight: reader.f64()? });
        }
        Ok(digest)
    }

    fn push(&mut self, centroid: Centroid) {
        self.weight += centroid.weight;
        self.centroids.push(centroid);
    }

    /// Returns the bytes that Pinot's library writes: big endian, weight before mean.
    pub(crate) fn pinot_bytes(&mut self, scratch: &mut Scratch) -> Vec<u8> {
        self.flush(scratch);
        let mut compressed = Digest::new(self.compression);
        let centroids = self.centroids.iter().copied();
        compressed.take_in(centroids, self.weight, self.compression, scratch);
        let mut bytes = Vec::with_capacity(32 + 16 * compressed.centroids.len());
        bytes.extend(VERBOSE.to_be_bytes());
        bytes.extend(self.min.to_be_bytes());
        bytes.extend(self.max.to_be_bytes());
        bytes.extend(self.compression.to_be_bytes());
        bytes.extend(u32::try_from(compressed.centroids.len()).unwrap_or(u32::MAX).to_be_bytes());
        for centroid in &compressed.centroids {
            bytes.extend(centroid.weight.to_be_bytes());
            bytes.extend(centroid.mean.to_be_bytes());
        }
        bytes
    }

    /// Reads the bytes of a digest of Pinot.
    ///
    /// # Errors
    /// When they are none.
    pub(crate) fn from_pinot(bytes: &[u8]) -> Result<Digest> {
        match pinot_digest(bytes) {
            Some(digest) => Ok(digest),
            None => exec_err!("{} bytes are no serialised t-digest", bytes.len()),
        }
    }
}

fn pinot_digest(bytes: &[u8]) -> Option<Digest> {
    let (code, rest) = bytes.split_first_chunk()?;
    let (min, rest) = rest.split_first_chunk()?;
    let (max, rest) = rest.split_first_chunk()?;
    let encoding = i32::from_be_bytes(*code);
    let (compression, count, mut rest) = match encoding {
        VERBOSE => {
            let (compression, rest) = rest.split_first_chunk()?;
            let (count, rest) = rest.split_first_chunk()?;
            (f64::from_be_bytes(*compression), usize::try_from(u32::from_be_bytes(*count)).ok()?, rest)
        }
        SMALL => {
            let (compression, rest) = rest.split_first_chunk()?;
            // The sizes of two buffers, which are the other library's affair.
            let (_, rest) = rest.split_first_chunk::<4>()?;
            let (count, rest) = rest.split_first_chunk()?;
            (f64::from(f32::from_be_bytes(*compression)), usize::from(u16::from_be_bytes(*count)), rest)
        }
        _ => return None,
    };
    let mut digest = Digest::new(compression);
    (digest.min, digest.max) = (f64::from_be_bytes(*min), f64::from_be_bytes(*max));
    for _ in 0..count {
        let (weight, mean);
        if encoding == VERBOSE {
            let (first, after) = rest.split_first_chunk()?;
            let (second, after) = after.split_first_chunk()?;
            (weight, mean, rest) = (f64::from_be_bytes(*first), f64::from_be_bytes(*second), after);
        } else {
            let (first, after) = rest.split_first_chunk()?;
            let (second, after) = after.split_first_chunk()?;
            weight = f64::from(f32::from_be_bytes(*first));
            mean = f64::from(f32::from_be_bytes(*second));
            rest = after;
        }
        if !(weight > 0.0 && weight.is_finite()) || mean.is_nan() {
            return None;
        }
        digest.push(Centroid { mean, weight });
    }
    Some(digest)
}

/// Returns the value between two centroids, so far from their middles.
fn between(left: Centroid, right: Centroid, from_left: f64, from_right: f64) -> f64 {
    let (mut left_room, mut right_room) = (0.0, 0.0);
    if left.weight == 1.0 {
        if from_left < 0.5 {
            return left.mean;
        }
        left_room = 0.5;
    }
    if right.weight == 1.0 {
        if from_right <= 0.5 {
            return right.mean;
        }
        right_room = 0.5;
    }
    let (to_left, to_right) = (from_left - left_room, from_right - right_room);
    let mean = (left.mean * to_right + right.mean * to_left) / (to_left + to_right);
    if mean.is_nan() { left.mean } else { mean.max(left.mean).min(right.mean) }
}

/// Draws centroids that come in ascending order together.
struct Merger {
    merged: Vec<Centroid>,
    total: f64,
    /// The square of twice the sine of half a step of the scale function.
    scale: f64,
    /// The centroid being filled: its first and last mean, the sum of its values, its weight, and how much it may weigh.
    first: f64,
    last: f64,
    sum: f64,
    weight: f64,
    limit: f64,
    /// The weight before the centroid.
    before: f64,
}

impl Merger {
    fn new(total: f64, compression: f64, merged: Vec<Centroid>) -> Merger {
        let step = 2.0 * (PI / compression).sin();
        Merger {
            merged,
            total,
            scale: step * step,
            first: 0.0,
            last: 0.0,
            sum: 0.0,
            weight: 0.0,
            limit: 0.0,
            before: 0.0,
        }
    }

    fn add(&mut self, next: Centroid) {
        let weight = self.weight + next.weight;
        // The last value stays alone, as the first does, so that the ends are exact.
        let is_last = self.before + weight >= self.total;
        if weight <= self.limit && !is_last {
            self.sum += next.mean * next.weight;
            self.weight = weight;
        } else {
            self.close();
            self.first = next.mean;
            self.sum = next.mean * next.weight;
            self.weight = next.weight;
        }
        self.last = next.mean;
    }

    fn close(&mut self) {
        if self.weight > 0.0 {
            // Rounding must not take a mean out of its values, above all where they are all the same.
            let mean = self.sum / self.weight;
            let mean = if mean.is_nan() { self.first } else { mean.max(self.first).min(self.last) };
            self.merged.push(Centroid { mean, weight: self.weight });
            self.before += self.weight;
        }
        self.limit = self.largest_weight();
    }

    /// Returns the largest weight w for which w² ≤ scale·total²·q(1-q) at both ends of the centroid.
    fn largest_weight(&self) -> f64 {
        let (left, right) = (self.before, self.total - self.before);
        let at_left = self.scale * left * right;
        let (square, linear) = (1.0 + self.scale, self.scale * (right - left));
        let at_right = (linear + (linear * linear + 4.0 * square * at_left).sqrt()) / (2.0 * square);
        at_left.sqrt().min(at_right)
    }

    fn finish(mut self) -> Vec<Centroid> {
        self.close();
        self.merged
    }
}

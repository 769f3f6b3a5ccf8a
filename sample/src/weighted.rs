//! Draws an index by weight in constant time (Walker's alias method, in integers).

use crate::random::Random;

/// A set of weights that indexes are drawn by.
pub(crate) struct Weighted {
    slots: Vec<Slot>,
}

/// One of equally likely slots: below `threshold` its own index is drawn, from there on `alias`.
#[derive(Clone, Copy)]
struct Slot {
    threshold: u64,
    alias: usize,
}

/// Thresholds are 32-bit fractions, so `1 << 32` means "always".
const ALWAYS: u64 = 1 << 32;

impl Weighted {
    /// Returns the set of these weights; at least one must be above zero.
    pub(crate) fn new(weights: impl IntoIterator<Item = u32>) -> Weighted {
        let weights: Vec<_> = weights.into_iter().map(u64::from).collect();
        let count = weights.len() as u64;
        let total: u64 = weights.iter().sum();
        assert!(total > 0, "some weight is above zero");

        // A slot holds `total` units; weights are scaled by `count`, so that all together fill the slots exactly.
        let mut left: Vec<_> = weights.iter().map(|weight| weight * count).collect();
        let mut slots: Vec<_> = (0..left.len()).map(|alias| Slot { threshold: ALWAYS, alias }).collect();
        let (mut small, mut large): (Vec<_>, Vec<_>) =
            (0..left.len()).partition(|index| left[*index] < total);
        while let (Some(under), Some(over)) = (small.pop(), large.pop()) {
            slots[under] = Slot { threshold: (left[under] * ALWAYS) / total, alias: over };
            left[over] -= total - left[under];
            if left[over] < total { small.push(over) } else { large.push(over) }
        }
        Weighted { slots }
    }

    /// Returns the set of `count` weights that fall as 1/(rank + `flat`): the larger `flat`, the more alike the first are.
    pub(crate) fn zipf(count: u32, flat: u32) -> Weighted {
        Weighted::new((1..=count).map(|rank| 10_000_000 / (rank + flat)))
    }

    /// Draws an index.
    #[inline]
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let bits = random.next();
        let index = (((bits >> 32) * self.slots.len() as u64) >> 32) as usize;
        let slot = self.slots[index];
        if (bits & 0xffff_ffff) < slot.threshold { index } else { slot.alias }
    }
}

#[cfg(test)]
mod tests;

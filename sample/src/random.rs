//! Random numbers as a pure function of a key, in integers only, so that every machine draws the same.
//!
//! The sequence is SplitMix64: a counter with a fixed step, each value scrambled by a bijection. It starts equally well
//! from any key, which is what one sequence for each event needs.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of random numbers.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// Starts the sequence that belongs to `keys`; another order of the keys is another sequence.
    #[inline]
    pub(crate) fn of<const N: usize>(keys: [u64; N]) -> Random {
        let mut state = STEP;
        for key in keys {
            state = scramble(state.wrapping_add(STEP) ^ key);
        }
        Random { state }
    }

    /// Returns 64 random bits.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        scramble(self.state)
    }

    /// Returns a number in `0..bound`; 0 when the bound is 0.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Returns a number in `low..=high`.
    #[inline]
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        debug_assert!(low <= high);
        let width = high.abs_diff(low) + 1;
        low.wrapping_add_unsigned(self.below(width))
    }

    /// Returns true once in `count` times.
    #[inline]
    pub(crate) fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// Returns one of `items`, which must not be empty.
    #[inline]
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u32::try_from(items.len()).expect("our tables are small");
        items[self.below(count) as usize]
    }

    /// Returns an exponentially distributed number of about this mean.
    ///
    /// It is `-ln(u) * mean` for a uniform `u`, with the logarithm taken to base 2 from the leading zeros and the bits after
    /// them as a straight line between powers of two: at most 6% off, and no floating point.
    #[inline]
    pub(crate) fn exponential(&mut self, mean: u32) -> u32 {
        const LN_2: u64 = 45_426; // in 1/65536
        let uniform = (self.next() >> 32) as u32 | 1;
        let zeros = uniform.leading_zeros();
        let fraction = ((u64::from(uniform) << (zeros + 1)) >> 16) & 0xffff;
        let bits = (u64::from(zeros + 1) << 16) - fraction;
        let scaled = (bits * LN_2) >> 16;
        u32::try_from((scaled * u64::from(mean)) >> 16).unwrap_or(u32::MAX)
    }

    /// Returns the number of an item among about `2^bits_max`, skewed as visitors and customers are: a few are seen all the
    /// time, most hardly ever.
    ///
    /// Each power of two of ranks is equally likely, so a rank's share falls as 1/rank (Zipf). The first `2^bits_min` ranks
    /// are alike, which keeps the largest share at `1 / (2^bits_min * (bits_max - bits_min))`.
    #[inline]
    pub(crate) fn skewed(&mut self, bits_min: u32, bits_max: u32) -> u32 {
        debug_assert!(bits_min < bits_max && bits_max < 32);
        let bits = bits_min + self.below(bits_max - bits_min);
        let first = 1 << bits;
        first + self.below(first) - (1 << bits_min)
    }
}

#[inline]
fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;

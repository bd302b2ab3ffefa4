//! Random numbers that never change: splitmix64, keyed by what they are for.
//!
//! Each stream belongs to one thing (an account, a cost cell, a month) and is found from its key alone, so that any
//! thread can make any row without having made the rows before it. Only integer steps and the four basic operations
//! are used: logarithms and cosines differ between platforms in the last bit, and the sample must not.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// The stream of this key; equal keys give equal streams.
    pub(super) fn keyed(seed: u64, key: &[u64]) -> Self {
        Self { state: hash(seed, key) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A number in 0..1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number in 0..`end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A whole number in `first..=last`, both included; `first` when `last` lies before it.
    pub(super) fn between(&mut self, first: i32, last: i32) -> i32 {
        let width = i64::from(last) - i64::from(first) + 1;
        first + self.below(width.max(1) as u64) as i32
    }

    /// A number with mean 0 and standard deviation 1, never beyond 3.47: four uniform numbers added.
    pub(super) fn normal(&mut self) -> f64 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|quarter| (bits >> (16 * quarter)) & 0xffff).sum();
        (sum as f64 / 65_535.0 - 2.0) * 1.732_050_807_568_877_2
    }

    /// A factor around 1 with this standard deviation.
    pub(super) fn noise(&mut self, deviation: f64) -> f64 {
        1.0 + deviation * self.normal()
    }

    /// The whole number below or above `value`, so that the mean is kept.
    pub(super) fn round(&mut self, value: f64) -> i32 {
        value.floor() as i32 + i32::from(self.chance(value - value.floor()))
    }

    /// One of the items.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }

    /// The place of one of the weights, in proportion to them.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        weights.len() - 1
    }
}

/// One number for a key, as evenly spread as the stream that starts there.
pub(super) fn hash(seed: u64, key: &[u64]) -> u64 {
    key.iter().fold(mix(seed ^ GAMMA), |state, part| {
        mix(state ^ part.wrapping_add(GAMMA)).wrapping_mul(0x9e6c_63d0_676a_9a99)
    })
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_give_equal_streams_and_others_do_not() {
        let first = |key: &[u64]| Random::keyed(7, key).next();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1]), first(&[1, 0]));
    }

    #[test]
    fn the_normal_numbers_have_mean_0_and_deviation_1() {
        let mut random = Random::keyed(1, &[]);
        let values: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn a_range_holds_both_its_ends() {
        let mut random = Random::keyed(1, &[]);
        let values: Vec<i32> = (0..1000).map(|_| random.between(-1, 1)).collect();
        assert_eq!((values.iter().min(), values.iter().max()), (Some(&-1), Some(&1)));
    }
}

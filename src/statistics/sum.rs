//! A running sum that can also give back what it took.

/// A sum that keeps what rounding cuts off, so that it hardly depends on the order and survives taking values out again.
///
/// Two-sum after Knuth, The Art of Computer Programming 2, 4.2.2; without it, 1 would be lost in 1e16 + 1 - 1e16.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    total: f64,
    cut_off: f64,
}

impl Sum {
    /// Takes a value in; its negative takes it out again.
    pub fn add(&mut self, value: f64) {
        let total = self.total + value;
        let taken = total - self.total;
        self.cut_off += (self.total - (total - taken)) + (value - taken);
        self.total = total;
    }

    /// Takes a product in, with what rounding cuts off of it.
    pub fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        self.cut_off += a.mul_add(b, -product);
    }

    /// Takes another sum in, by its parts.
    pub fn merge(&mut self, [total, cut_off]: [f64; 2]) {
        self.add(total);
        self.cut_off += cut_off;
    }

    /// The sum as rounded, and what rounding cut off.
    pub fn parts(self) -> [f64; 2] {
        [self.total, self.cut_off]
    }

    pub fn value(self) -> f64 {
        // Of what is not finite nothing is cut off.
        if self.total.is_finite() { self.total + self.cut_off } else { self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn what_goes_in_and_out_again_leaves_nothing_behind() {
        let mut sum = Sum::default();
        for value in [1e16, 1.0, 0.25, -1e16] {
            sum.add(value);
        }
        assert!((sum.value() - 1.25).abs() < 1e-15, "{}", sum.value());
        sum.add(-1.25);
        assert!(sum.value().abs() < 1e-15, "{}", sum.value());
    }
}

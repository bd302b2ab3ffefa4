//! Where things stand across: labels, axis, and room for the values beside bars.

use super::{Row, Rows};
use crate::output::chart::axis::{self, Tick};
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::{Canvas, Weight};

/// Where things stand across.
pub struct Frame {
    pub left: f64,
    pub right: f64,
    /// The place of zero, where it is a line.
    pub zero: Option<f64>,
}

impl Frame {
    pub fn x(&self, scale: &Scale, value: f64) -> f64 {
        let Some(zero) = self.zero else { return self.left + scale.share(value) * (self.right - self.left) };
        match value {
            value if value < 0.0 && scale.low < 0.0 => zero - (zero - self.left) * (value / scale.low).min(1.0),
            value if value > 0.0 && scale.high > 0.0 => zero + (self.right - zero) * (value / scale.high).min(1.0),
            _ => zero,
        }
    }

    /// Room for labels of this width to the left, and for the values: in a column to the right, or beside the bars.
    pub fn of(rows: &Rows, drawn: &[Row], canvas: &Canvas, label_width: f64) -> Self {
        let scale = &rows.scale;
        let texts = || drawn.iter().filter_map(|row| row.value.as_ref());
        let wide = |text: &str| canvas.wide(text, Weight::Plain);
        let value_width = texts().fold(0.0_f64, |widest, (text, _)| widest.max(wide(text)));
        let left = label_width + canvas.gap();
        let share = if scale.low < 0.0 { -scale.low / (scale.high.max(0.0) - scale.low) } else { 0.0 };
        if !canvas.is_page() {
            let has_line = rows.has_zero && scale.low >= 0.0;
            let left = left + if has_line { 1.0 } else { 0.0 };
            let right = (canvas.width - value_width - 1.0).max(left + 8.0);
            return match rows.has_zero {
                true => {
                    let below = if share > 0.0 { (share * (right - left)).round().max(1.0) } else { 0.0 };
                    Self { left, right, zero: Some(left + below) }
                }
                // Values lie in the middle of their cells.
                false => Self { left: left + 0.5, right: right - 0.5, zero: None },
            };
        }
        let margin = if rows.has_value_column { value_width + 12.0 } else { 0.0 };
        let right = canvas.width - 14.0 - margin;
        let framed = |left: f64, right: f64| {
            let zero = rows.has_zero.then_some(left + share * (right - left));
            Self { left, right, zero }
        };
        let mut frame = framed(left, right);
        if rows.has_value_column {
            return frame;
        }
        // Values stand outside of the bars: room for them is taken from both ends until all fit.
        for _ in 0..4 {
            let over = |value: &(String, f64)| frame.x(scale, value.1) + 6.0 + wide(&value.0) - canvas.width;
            let over = texts().filter(|value| value.1 >= 0.0).map(over).fold(0.0, f64::max);
            let under = |value: &(String, f64)| left + wide(&value.0) + 6.0 - frame.x(scale, value.1);
            let under = texts().filter(|value| value.1 < 0.0).map(under).fold(0.0, f64::max);
            frame = framed(frame.left + under, (frame.right - over).max(frame.left + under + 40.0));
        }
        frame
    }

    /// The ticks of the axis that have room.
    pub fn ticks(&self, rows: &Rows, canvas: &Canvas) -> Vec<Tick> {
        let (step, largest) = (rows.scale.step(), rows.scale.largest());
        let tick = |&value: &f64| Tick { at: self.x(&rows.scale, value), name: rows.form.tick(value, step, largest) };
        axis::thinned(rows.scale.ticks.iter().map(tick).collect(), canvas)
    }

    /// The numbers to hold rows against that are on the axis; names that have no room beside the one before are left out.
    pub fn edges(&self, rows: &Rows, canvas: &Canvas) -> Vec<(f64, String)> {
        let is_on = |value: f64| rows.scale.low < value && value < rows.scale.high;
        let mut edges: Vec<(f64, String)> = (rows.edges.iter())
            .filter(|(value, _)| is_on(*value))
            .map(|(value, name)| (self.x(&rows.scale, *value), name.clone()))
            .collect();
        edges.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut taken = f64::NEG_INFINITY;
        for (x, name) in &mut edges {
            let half = canvas.wide(name, Weight::Plain) / 2.0;
            if *x - half < taken || !canvas.is_page() {
                name.clear();
            } else {
                taken = *x + half + canvas.gap();
            }
        }
        edges
    }
}

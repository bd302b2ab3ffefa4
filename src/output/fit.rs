//! Fits the columns of a table into the width of a terminal.

/// Text columns are not made narrower than this.
const NARROWEST: usize = 12;

/// What stands for the columns that were left out.
pub const ELLIPSIS: &str = "…";

/// Which columns are shown, and how wide.
#[derive(Debug, PartialEq, Eq)]
pub struct Fit {
    /// Index and width of each column shown, left to right.
    pub shown: Vec<(usize, usize)>,
    /// Columns left out; they lie between the `split`-th and the next column shown.
    pub dropped: Vec<usize>,
    pub split: usize,
    /// Whether any column is narrower than its values, or left out.
    pub is_narrowed: bool,
}

/// Fits columns of these natural widths, `gap` apart, into `total`: first text columns become narrower, then middle columns go.
///
/// `may_shrink` says which columns hold text that can be cut; a number is shown whole or not at all.
pub fn fit(widths: &[usize], may_shrink: &[bool], gap: usize, total: Option<usize>) -> Fit {
    let all = Fit {
        shown: widths.iter().copied().enumerate().collect(),
        dropped: Vec::new(),
        split: widths.len(),
        is_narrowed: false,
    };
    let Some(total) = total.filter(|&total| needed(widths, gap) > total) else { return all };

    let mut widths = widths.to_vec();
    shrink(&mut widths, may_shrink, gap, total);
    if needed(&widths, gap) <= total {
        return Fit { shown: widths.into_iter().enumerate().collect(), is_narrowed: true, ..all };
    }
    drop_middle(&widths, gap, total)
}

/// Characters that a line of these columns takes.
fn needed(widths: &[usize], gap: usize) -> usize {
    widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1)
}

/// Takes from the widest text columns until the line fits or none can give more.
fn shrink(widths: &mut [usize], may_shrink: &[bool], gap: usize, total: usize) {
    while needed(widths, gap) > total {
        let widest = (0..widths.len()).filter(|&index| may_shrink[index]).max_by_key(|&index| widths[index]);
        match widest {
            Some(index) if widths[index] > NARROWEST => widths[index] -= 1,
            _ => return,
        }
    }
}

/// Keeps as many columns as fit, taken in turn from the left and the right end; the first always stays.
fn drop_middle(widths: &[usize], gap: usize, total: usize) -> Fit {
    let room = total.saturating_sub(gap + ELLIPSIS.chars().count());
    let (mut left, mut right) = (1, widths.len());
    let mut used = widths[0];
    loop {
        let from_left = left <= widths.len() - right + 1;
        let next = if from_left { left } else { right - 1 };
        if left >= right || used + gap + widths[next] > room {
            break;
        }
        used += gap + widths[next];
        if from_left { left += 1 } else { right -= 1 }
    }
    let shown = (0..left).chain(right..widths.len()).map(|index| (index, widths[index])).collect();
    Fit { shown, dropped: (left..right).collect(), split: left, is_narrowed: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shrinks_before_columns_go() {
        let fitted = fit(&[10, 40, 8], &[true, true, false], 2, Some(40));
        assert_eq!(fitted.shown, [(0, 10), (1, 18), (2, 8)]);
        assert!(fitted.dropped.is_empty());
    }

    #[test]
    fn middle_columns_go_when_nothing_can_shrink() {
        let fitted = fit(&[10; 8], &[false; 8], 2, Some(50));
        assert_eq!(fitted.shown, [(0, 10), (1, 10), (2, 10), (7, 10)]);
        assert_eq!(fitted.dropped, [3, 4, 5, 6]);
        assert_eq!(fitted.split, 3);
    }

    #[test]
    fn without_a_width_everything_is_shown() {
        assert_eq!(fit(&[100, 200], &[true, true], 2, None).shown, [(0, 100), (1, 200)]);
    }
}

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

/// What gives way first where there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    /// The widest text, then the columns in the middle.
    Widest,
    /// The last text, then the last column: what comes first names what the rest is about, and is never cut.
    Last,
}

/// Fits columns of these natural widths, `gap` apart, into `total`: first text columns become narrower, then columns go.
///
/// `may_shrink` says which columns hold text that can be cut; a number is shown whole or not at all.
pub fn fit(widths: &[usize], may_shrink: &[bool], gap: usize, total: Option<usize>, yields: Yields) -> Fit {
    let all = Fit {
        shown: widths.iter().copied().enumerate().collect(),
        dropped: Vec::new(),
        split: widths.len(),
        is_narrowed: false,
    };
    let Some(total) = total.filter(|&total| needed(widths, gap) > total) else { return all };

    let mut widths = widths.to_vec();
    match yields {
        Yields::Widest => shrink(&mut widths, may_shrink, gap, total),
        Yields::Last => shrink_from_last(&mut widths, may_shrink, gap, total),
    }
    if needed(&widths, gap) <= total {
        return Fit { shown: widths.into_iter().enumerate().collect(), is_narrowed: true, ..all };
    }
    match yields {
        Yields::Widest => drop_middle(&widths, gap, total),
        Yields::Last => drop_last(&widths, gap, total),
    }
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

/// Takes from the last text columns, one after the other, until the line fits or only the first is left.
fn shrink_from_last(widths: &mut [usize], may_shrink: &[bool], gap: usize, total: usize) {
    for place in (1..widths.len()).rev().filter(|&place| may_shrink[place]) {
        let excess = needed(widths, gap).saturating_sub(total);
        let least = widths[place].min(NARROWEST);
        widths[place] = widths[place].saturating_sub(excess).max(least);
    }
}

/// Keeps as many columns as fit from the left; the first always stays.
fn drop_last(widths: &[usize], gap: usize, total: usize) -> Fit {
    let room = total.saturating_sub(gap + ELLIPSIS.chars().count());
    let kept = (1..=widths.len()).rev().find(|&kept| needed(&widths[..kept], gap) <= room).unwrap_or(1);
    let shown = widths[..kept].iter().copied().enumerate().collect();
    Fit { shown, dropped: (kept..widths.len()).collect(), split: kept, is_narrowed: true }
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
        let fitted = fit(&[10, 40, 8], &[true, true, false], 2, Some(40), Yields::Widest);
        assert_eq!(fitted.shown, [(0, 10), (1, 18), (2, 8)]);
        assert!(fitted.dropped.is_empty());
    }

    #[test]
    fn middle_columns_go_when_nothing_can_shrink() {
        let fitted = fit(&[10; 8], &[false; 8], 2, Some(50), Yields::Widest);
        assert_eq!(fitted.shown, [(0, 10), (1, 10), (2, 10), (7, 10)]);
        assert_eq!(fitted.dropped, [3, 4, 5, 6]);
        assert_eq!(fitted.split, 3);
    }

    #[test]
    fn in_a_listing_the_last_columns_give_way_and_the_first_stays_whole() {
        let fitted = fit(&[30, 8, 40, 50], &[true, false, true, true], 2, Some(80), Yields::Last);
        assert_eq!(fitted.shown, [(0, 30), (1, 8), (2, 24), (3, 12)]);
        let fitted = fit(&[30, 8, 40, 50], &[true, false, true, true], 2, Some(60), Yields::Last);
        assert_eq!((fitted.shown, fitted.dropped, fitted.split), (vec![(0, 30), (1, 8), (2, 12)], vec![3], 3));
        let fitted = fit(&[30, 8], &[true, false], 2, Some(20), Yields::Last);
        assert_eq!((fitted.shown, fitted.dropped), (vec![(0, 30)], vec![1]));
    }

    #[test]
    fn without_a_width_everything_is_shown() {
        assert_eq!(fit(&[100, 200], &[true, true], 2, None, Yields::Widest).shown, [(0, 100), (1, 200)]);
    }
}

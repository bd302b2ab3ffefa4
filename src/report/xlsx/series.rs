//! What a chart draws as cells: places along its axis, a group beside the other, and the ends of intervals.

use rust_xlsxwriter::ChartRange;

use super::blocks::{Block, Blocks, Cells};
use super::figure::{Column, Figure};
use super::sheet::Placed;
use crate::output::chart::series_colours;

/// Where the cells of a chart come from.
pub struct Source<'a> {
    pub table: &'a Placed,
    pub blocks: &'a mut Blocks,
}

impl Source<'_> {
    /// A column as it is, and its heading: the table's cells where it has them.
    pub fn column(&mut self, column: &Column<'_>, rows: usize) -> (ChartRange, ChartRange) {
        let table = self.table;
        let place = || {
            let place = table.columns.iter().position(|place| *place == column.place)?;
            Some((u16::try_from(place).ok()?, u32::try_from(rows).ok().filter(|rows| *rows <= table.rows)?))
        };
        if let Some((place, rows)) = place() {
            let last = table.first_row + rows.saturating_sub(1);
            let head = table.first_row - 1;
            return (
                ChartRange::new_from_range(&table.sheet, table.first_row, place, last, place),
                ChartRange::new_from_range(&table.sheet, head, place, head, place),
            );
        }
        let values = if column.is_measured() {
            Cells::Numbers(column.numbers.clone())
        } else {
            Cells::Texts(column.labels.clone())
        };
        self.cells(&column.title, values, column.pattern.as_deref())
    }

    pub fn cells(&mut self, heading: &str, values: Cells, pattern: Option<&str>) -> (ChartRange, ChartRange) {
        self.blocks.add(Block { heading: heading.to_owned(), values, pattern: pattern.map(str::to_owned) })
    }

    pub fn numbers(
        &mut self,
        heading: &str,
        numbers: Vec<Option<f64>>,
        pattern: Option<&str>,
    ) -> (ChartRange, ChartRange) {
        self.cells(heading, Cells::Numbers(numbers), pattern)
    }
}

/// Rows of a result as places along an axis, a group beside the other.
pub struct Layout {
    /// Where each row lies along the axis, and in which group.
    places: Vec<usize>,
    groups: Vec<usize>,
    /// The row that names each place.
    named: Vec<usize>,
    pub names: Vec<String>,
}

impl Layout {
    /// A place for each label; for each row where labels share a group, or where rows have places of their own.
    pub fn of(figure: &Figure<'_>, by_row: bool) -> Self {
        let (names, groups) = match &figure.by {
            Some(by) => {
                let (names, groups) = by.distinct();
                (names.into_iter().map(str::to_owned).collect(), groups)
            }
            None => (vec![figure.up.title.clone()], vec![0; figure.rows]),
        };
        let (labels, mut places) = figure.across.distinct();
        let mut seen = std::collections::HashSet::new();
        let is_shared = places.iter().zip(&groups).any(|pair| !seen.insert(pair));
        if by_row || is_shared {
            let rows: Vec<usize> = (0..figure.rows).collect();
            return Self { places: rows.clone(), named: rows, groups, names };
        }
        let mut named: Vec<usize> =
            (0..labels.len()).filter_map(|label| places.iter().position(|place| *place == label)).collect();
        if figure.across.is_measured() {
            // Days and numbers lie in their own order, whichever group has them first.
            let at = |row: usize| figure.across.numbers.get(row).copied().flatten().unwrap_or(f64::NEG_INFINITY);
            let mut order: Vec<usize> = (0..named.len()).collect();
            order.sort_by(|one, other| at(named[*one]).total_cmp(&at(named[*other])));
            let mut moved = vec![0; order.len()];
            for (new, old) in order.iter().enumerate() {
                moved[*old] = new;
            }
            places.iter_mut().for_each(|place| *place = moved[*place]);
            named = order.iter().map(|old| named[*old]).collect();
        }
        Self { places, groups, named, names }
    }

    /// Numbers of rows, by group, in the order of places.
    fn spread(&self, number: impl Fn(usize) -> Option<f64>) -> Vec<Vec<Option<f64>>> {
        let mut spread = vec![vec![None; self.named.len()]; self.names.len()];
        for (row, (place, group)) in self.places.iter().zip(&self.groups).enumerate() {
            if let Some(cell) = spread.get_mut(*group).and_then(|numbers| numbers.get_mut(*place)) {
                *cell = number(row);
            }
        }
        spread
    }
}

/// The series of a chart, before they have a look.
pub struct Series {
    pub across: ChartRange,
    /// Numbers and name of each group.
    pub groups: Vec<(ChartRange, ChartRange)>,
    /// The colour of each group, by its place among those of series.
    pub colours: Vec<usize>,
    /// The ends of each group's intervals, as they are and by how far they are from the numbers.
    pub ends: Vec<Ends>,
    /// Whether each group has a number with no other beside it.
    pub has_lone: Vec<bool>,
    /// Whether each place belongs to one group alone.
    pub is_apart: bool,
}

pub struct Ends {
    pub low: (ChartRange, ChartRange),
    pub high: (ChartRange, ChartRange),
    pub below: ChartRange,
    pub above: ChartRange,
}

pub fn series(figure: &Figure<'_>, source: &mut Source<'_>, by_row: bool) -> Series {
    let layout = Layout::of(figure, by_row);
    let up = &figure.up;
    let is_plain = figure.by.is_none() && layout.named.len() == figure.rows && layout.places.is_sorted();
    let number = |column: &Column<'_>, row: usize| column.numbers.get(row).copied().flatten();
    let pattern = up.pattern.as_deref();
    let spread = layout.spread(|row| number(up, row));
    let has_lone = spread.iter().map(|numbers| has_lone_number(numbers)).collect();
    let (across, groups): (ChartRange, Vec<(ChartRange, ChartRange)>) = if is_plain {
        (source.column(&figure.across, figure.rows).0, vec![source.column(up, figure.rows)])
    } else {
        let across = &figure.across;
        let named = layout.named.iter();
        let values = if across.is_measured() {
            Cells::Numbers(named.map(|row| number(across, *row)).collect())
        } else {
            Cells::Texts(named.filter_map(|row| across.labels.get(*row).cloned()).collect())
        };
        let labels = source.cells(&across.title, values, across.pattern.as_deref()).0;
        let groups = layout.names.iter().zip(spread);
        let groups = groups.map(|(name, numbers)| source.numbers(name, numbers, pattern));
        (labels, groups.collect())
    };
    let mut ends = Vec::new();
    if let (Some(low), Some(high)) = (&figure.low, &figure.high) {
        let of = |other: &dyn Fn(usize) -> Option<f64>| layout.spread(other);
        let lows = of(&|row| number(low, row));
        let highs = of(&|row| number(high, row));
        let below = of(&|row| Some((number(up, row)? - number(low, row)?).max(0.0)));
        let above = of(&|row| Some((number(high, row)? - number(up, row)?).max(0.0)));
        for (name, (((lows, highs), below), above)) in
            layout.names.iter().zip(lows.into_iter().zip(highs).zip(below).zip(above))
        {
            let mut add = |what: &str, numbers| source.numbers(&format!("{name}: {what}"), numbers, pattern);
            ends.push(Ends {
                low: add(&low.title, lows),
                high: add(&high.title, highs),
                below: add("below", below).0,
                above: add("above", above).0,
            });
        }
    }
    let is_apart = layout.named.len() == figure.rows;
    let names: Vec<&str> = layout.names.iter().map(String::as_str).collect();
    Series { across, groups, colours: series_colours(&names), ends, has_lone, is_apart }
}

/// Whether a number has a gap or an end on both sides.
fn has_lone_number(numbers: &[Option<f64>]) -> bool {
    numbers.split(Option::is_none).any(|run| run.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_between_gaps_and_ends_is_alone() {
        for (numbers, expected) in [
            (&[Some(1.0)][..], true),
            (&[Some(1.0), Some(2.0), None, Some(3.0)], true),
            (&[None, Some(1.0), None], true),
            (&[Some(1.0), Some(2.0), None, None, Some(3.0), Some(4.0)], false),
            (&[None, None], false),
        ] {
            assert_eq!(has_lone_number(numbers), expected, "{numbers:?}");
        }
    }
}

//! Groups of rows by a column: told apart by headings where they follow each other, by colours where they are few, else by name.

use crate::output::chart::Kind;
use crate::output::chart::axis::{Entry, Sign};
use crate::output::chart::figure::{COLOURED, Figure};
use crate::output::chart::palette::series_colours;
use crate::output::chart::scene::Paint;

/// How rows with a label each show which group they are of.
pub enum Groups {
    None,
    /// The rows of a group stand below its name.
    Headings,
    /// Each group has a colour: its name and paint, and the paint of each row.
    Coloured {
        key: Vec<Entry>,
        paints: Vec<Paint>,
    },
    /// Each row says it.
    Named,
}

impl Groups {
    pub fn of(figure: &Figure) -> Self {
        let Some(by) = &figure.by else { return Self::None };
        let (names, places) = by.distinct();
        // The total stands alone and needs no group.
        let others: Vec<usize> = (0..figure.rows).filter(|&row| !figure.is_total(row)).collect();
        let runs = others.chunk_by(|one, other| places.get(*one) == places.get(*other)).count();
        let mut known: Vec<usize> = others.iter().filter_map(|&row| places.get(row).copied()).collect();
        known.sort_unstable();
        known.dedup();
        match known.len() {
            0 | 1 => Self::None,
            groups if groups == runs && groups < others.len() => Self::Headings,
            groups if groups <= COLOURED && groups < others.len() => {
                let group = |place: &usize| known.iter().position(|group| group == place).unwrap_or_default();
                let named = known.iter().enumerate();
                let name = |place: &usize| names.get(*place).map_or("", |name| *name);
                let colours = series_colours(&known.iter().map(name).collect::<Vec<&str>>());
                let paint = |group: usize| Paint::Series(colours.get(group).copied().unwrap_or_default());
                Self::Coloured {
                    key: named.map(|(group, place)| Entry::new(name(place), sign(figure, paint(group)))).collect(),
                    paints: places.iter().map(|place| paint(group(place))).collect(),
                }
            }
            _ => Self::Named,
        }
    }
}

/// How the rows of a group look.
fn sign(figure: &Figure, paint: Paint) -> Sign {
    if figure.kind == Kind::Dot { Sign::Dot(paint) } else { Sign::Box(paint) }
}

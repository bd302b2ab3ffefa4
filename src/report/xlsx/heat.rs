//! Heat maps: a grid on a sheet of its own, coloured around its middle, with what is missing hatched and named.

use rust_xlsxwriter::{
    ConditionalFormat3ColorScale, ConditionalFormatType, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use super::figure::{Column, Figure};
use super::refused;
use super::style::{self, Names, Side, fitting};
use crate::error::Result;
use crate::output::chart::Kind;
use crate::output::present::{ColumnStyle, Good};
use crate::report::document::Section;
use crate::report::gather::NO_REASON;

/// Rows above the numbers: title, what it shows, a free one, headings.
const ABOVE: u32 = 4;

/// Writes a sheet for every heat map of a section.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read.
pub fn write(book: &mut Workbook, section: &Section, names: &mut Names) -> Result<()> {
    for figure in Figure::all(section)?.iter().filter(|figure| figure.kind == Kind::Heatmap) {
        let Some(numbers) = &figure.by else { continue };
        let name = names.sheet(&format!("Map {}", figure.title));
        grid(book.add_worksheet(), figure, numbers, &name).map_err(refused)?;
    }
    Ok(())
}

fn grid(sheet: &mut Worksheet, figure: &Figure<'_>, numbers: &Column<'_>, name: &str) -> Result<(), XlsxError> {
    let ((columns, of_column), (rows, of_row)) = (figure.across.distinct(), figure.up.distinct());
    sheet.set_name(name)?;
    sheet.write_string_with_format(0, 0, fitting(&figure.title), &style::title())?;
    sheet.write_string_with_format(1, 0, fitting(&figure.words), &style::muted())?;
    sheet.write_string_with_format(ABOVE - 1, 0, fitting(&figure.up.title), &style::heading(Side::Left, false))?;
    sheet.set_column_width(0, 24)?;
    for (column, label) in (1_u16..).zip(&columns) {
        sheet.set_column_width(column, 15)?;
        sheet.write_string_with_format(ABOVE - 1, column, fitting(label), &style::heading(Side::Right, false))?;
    }
    for (row, label) in (ABOVE..).zip(&rows) {
        sheet.write_string(row, 0, fitting(label))?;
    }
    let number = numbers.pattern.as_deref().map_or_else(Format::new, |pattern| Format::new().set_num_format(pattern));
    // The reason stands in the cell: a grid is looked at and not reckoned with, and the table beside it has the empty cell.
    let gap = style::gap().set_align(FormatAlign::Right).set_shrink();
    let mut cells = vec![vec![None; columns.len()]; rows.len()];
    for (place, (row, column)) in of_row.iter().zip(&of_column).enumerate() {
        if let Some(cell) = cells.get_mut(*row).and_then(|cells| cells.get_mut(*column)) {
            *cell = Some(place);
        }
    }
    for (row, cells) in (ABOVE..).zip(&cells) {
        for (column, cell) in (1_u16..).zip(cells) {
            let value = cell.and_then(|place| numbers.numbers.get(place).copied().flatten());
            let reason = || match cell {
                Some(place) => numbers.reasons.get(*place).map_or(NO_REASON, String::as_str),
                None => "no row",
            };
            match value {
                Some(value) => sheet.write_number_with_format(row, column, value, &number)?,
                None => sheet.write_string_with_format(row, column, fitting(reason()), &gap)?,
            };
        }
    }
    let last_row = ABOVE + u32::try_from(rows.len().saturating_sub(1)).unwrap_or_default();
    let last_column = u16::try_from(columns.len()).unwrap_or(u16::MAX);
    sheet.add_conditional_format(ABOVE, 1, last_row, last_column, &scale(numbers))?;
    sheet.set_freeze_panes(ABOVE, 1)?;
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(ABOVE - 1, ABOVE - 1)?;
    Ok(())
}

/// Colours from one side of the middle to the other. Bands say where the middle is and from where on a colour is full: twice as far
/// from it as the edge of the band.
fn scale(numbers: &Column<'_>) -> ConditionalFormat3ColorScale {
    let [bad, middle, good] = style::TINTS;
    let is_down = numbers.style.and_then(|style| style.good) == Some(Good::Down);
    let (low_colour, high_colour) = if is_down { (good, bad) } else { (bad, good) };
    let scale = ConditionalFormat3ColorScale::new()
        .set_minimum_color(low_colour)
        .set_midpoint_color(middle)
        .set_maximum_color(high_colour);
    match ends(numbers.style, &numbers.numbers) {
        Some([low, middle, high]) => scale
            .set_minimum(ConditionalFormatType::Number, low)
            .set_midpoint(ConditionalFormatType::Number, middle)
            .set_maximum(ConditionalFormatType::Number, high),
        None => scale
            .set_minimum(ConditionalFormatType::Percentile, 5)
            .set_midpoint(ConditionalFormatType::Percentile, 50)
            .set_maximum(ConditionalFormatType::Percentile, 95),
    }
}

/// Where colours are full, and the middle between them: of bands, or of numbers on both sides of zero.
fn ends(style: Option<&ColumnStyle>, numbers: &[Option<f64>]) -> Option<[f64; 3]> {
    if let Some((low, high)) = style.and_then(|style| Some((*style.bands.first()?, *style.bands.last()?)))
        && low < high
    {
        // Ratios lie as far above one as their inverse lies below it.
        let middle = if low > 0.0 && low < 1.0 && high > 1.0 { 1.0 } else { f64::midpoint(low, high) };
        return Some([2.0 * low - middle, middle, 2.0 * high - middle]);
    }
    let present = || numbers.iter().flatten().copied();
    let (low, high) = (present().fold(f64::INFINITY, f64::min), present().fold(f64::NEG_INFINITY, f64::max));
    let reach = low.abs().max(high.abs());
    (low < 0.0 && high > 0.0).then_some([-reach, 0.0, reach])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_full_twice_as_far_from_the_middle_as_the_bands_reach() {
        let style = |bands: &[f64]| ColumnStyle { bands: bands.to_vec(), ..ColumnStyle::default() };
        assert_eq!(ends(Some(&style(&[0.5, 1.5])), &[]), Some([0.0, 1.0, 2.0]));
        assert_eq!(ends(Some(&style(&[50.0, 70.0])), &[]), Some([40.0, 60.0, 80.0]));
        assert_eq!(ends(None, &[Some(-1.0), None, Some(3.0)]), Some([-3.0, 0.0, 3.0]));
        assert_eq!(ends(None, &[Some(1.0), Some(3.0)]), None);
        assert_eq!(ends(None, &[None]), None);
    }
}

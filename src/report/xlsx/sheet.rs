//! The sheet of a section: what a reader must know, the totals, and all rows as a table that can be sorted and filtered.
//!
//! Totals stand above the headings and not below the rows: they stay in sight, follow a filter, and no row is sorted below them.

use arrow::datatypes::DataType;
use rust_xlsxwriter::{
    ConditionalFormatFormula, Format, Formula, IgnoreError, Table, TableColumn, TableStyle, Workbook, Worksheet,
    utility::{column_number_to_name, row_col_to_cell},
};
use unicode_width::UnicodeWidthStr;

use super::refused;
use super::style::{self, LINE_HEIGHT, Names, Side, fitting, lines};
use super::values::{Kind, Value, Values};
use crate::error::Result;
use crate::output::cell::safe;
use crate::output::present::{ColumnStyle, NumberFormat};
use crate::output::total::Total;
use crate::report::cells::totals_name;
use crate::report::document::{Document, Section};
use crate::report::facts::of_section;
use crate::report::tone::Tone;

/// Rows that a table can have: those of a sheet, less those that stand above the table.
const ROWS_MAX: u32 = 1_048_576 - 16;

/// Cells of a table that are held in memory until the workbook is written; those of a larger one wait on the disk.
const CELLS_HELD: u64 = 250_000;

/// Columns that a sheet can have.
const COLUMNS_MAX: usize = 16_384;

/// Rows from which columns take their widths.
const MEASURED: usize = 500;

/// Characters that a column shows at least and at most; longer texts break into lines.
const WIDTHS: std::ops::RangeInclusive<usize> = 8..=60;

/// Characters across which running text above a table goes at least.
const PROSE_WIDTH: usize = 100;

/// Lines of running text that are in sight above a table: what is frozen leaves room for rows.
const PROSE_LINES: usize = 4;

/// Where a section's table lies in the workbook.
#[derive(Debug)]
pub struct Placed {
    pub sheet: String,
    /// Its rows, without headings.
    pub first_row: u32,
    pub rows: u32,
    /// Places in the result of its columns, from the left.
    pub columns: Vec<usize>,
}

/// Why a column stands in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Shown,
    /// Its sum is needed for a total.
    Summed,
    /// It says why values are missing.
    Reason,
}

/// A column of the table.
struct Column<'a> {
    /// In the result.
    place: usize,
    role: Role,
    heading: String,
    kind: Kind,
    style: Option<&'a ColumnStyle>,
    /// Number format.
    pattern: Option<String>,
    width: usize,
    /// Whether its texts break into lines.
    breaks: bool,
    side: Side,
}

impl Column<'_> {
    /// Whether a value that is not there is one that should be.
    fn has_gaps(&self) -> bool {
        self.style.is_some_and(|style| style.missing.is_some())
    }
}

/// Writes the sheet of a section.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read.
pub fn write(book: &mut Workbook, document: &Document, section: &Section, names: &mut Names) -> Result<Placed> {
    let name = names.sheet(&section.title);
    let table = names.table(&section.result.query.name);
    let columns = columns(section)?;
    let is_large = section.result.rows.count.saturating_mul(columns.len() as u64) > CELLS_HELD;
    let sheet =
        if is_large { book.add_worksheet_with_constant_memory().map_err(refused)? } else { book.add_worksheet() };
    sheet.set_name(&name).map_err(refused)?;
    lay_out(sheet, document, section, &columns).map_err(refused)?;
    let mut row = above(sheet, document, section, &columns).map_err(refused)?;
    let placed = |first_row, rows| {
        let columns = columns.iter().map(|column| column.place).collect();
        Placed { sheet: name, first_row, rows, columns }
    };
    let count = section.result.rows.count;
    if count == 0 {
        let nothing = "No rows: nothing in the data is what this section looks for.";
        sheet.write_string(row, 0, nothing).map_err(refused)?;
        return Ok(placed(row, 0));
    }
    let totals_row = section.result.has_totals(&section.columns).then_some(row);
    row += u32::from(totals_row.is_some());
    let rows = u32::try_from(count).map_or(ROWS_MAX, |count| count.min(ROWS_MAX));
    let placed = placed(row + 1, rows);
    if let Some(totals_row) = totals_row {
        totals(sheet, totals_row, section, &columns, &placed).map_err(refused)?;
    }
    headings(sheet, row, &columns, rows, table).map_err(refused)?;
    body(sheet, section, &columns, &placed)?;
    dress(sheet, &columns, &placed).map_err(refused)?;
    sheet.set_freeze_panes(placed.first_row, names_rows(&columns)).map_err(refused)?;
    sheet.set_repeat_rows(row, row).map_err(refused)?;
    Ok(placed)
}

/// Columns that stay in sight when the sheet is moved to the right: the first, where it names the rows.
fn names_rows(columns: &[Column<'_>]) -> u16 {
    u16::from(columns.first().is_some_and(|first| first.kind != Kind::Number && first.width <= 30))
}

/// The columns that the section shows, then those that totals need, then those that say why values are missing.
fn columns(section: &Section) -> Result<Vec<Column<'_>>> {
    let answer = &section.result;
    let schema = &answer.rows.schema;
    let mut wanted: Vec<(usize, Role)> = section.columns.iter().map(|&place| (place, Role::Shown)).collect();
    let styles = || section.column_names().filter_map(|name| answer.present.style(name));
    let totals: Vec<&Total> = styles().filter_map(|style| style.total.as_ref()).collect();
    let summed: Vec<&str> = totals.iter().flat_map(|total| total.columns()).collect();
    let summed_styles = summed.iter().filter_map(|name| answer.present.style(name));
    let reasons: Vec<&str> = styles().chain(summed_styles).filter_map(|style| style.missing.as_deref()).collect();
    let beside =
        summed.iter().map(|name| (*name, Role::Summed)).chain(reasons.iter().map(|name| (*name, Role::Reason)));
    for (name, role) in beside {
        if let Ok(place) = schema.index_of(name)
            && wanted.iter().all(|(known, _)| *known != place)
        {
            wanted.push((place, role));
        }
    }
    wanted.truncate(COLUMNS_MAX);
    let sample = answer.rows.first(MEASURED)?;
    let mut columns: Vec<Column<'_>> = Vec::new();
    for (place, role) in wanted {
        let field = schema.field(place);
        let kind = Kind::of(field.data_type());
        let style = answer.present.style(field.name());
        let values = Values::of(field, sample.column(place), &answer.present)?;
        let texts: Vec<String> = (0..sample.num_rows()).map(|row| values.text(row)).collect();
        let longest = texts.iter().flat_map(|text| text.lines()).map(UnicodeWidthStr::width).max().unwrap_or_default();
        let title = safe(answer.present.title(field.name()));
        let heading = heading(&title, &kind, role, &columns);
        // A heading may break between words and has a button at its side.
        let word = heading.split_whitespace().map(UnicodeWidthStr::width).max().unwrap_or_default() + 3;
        let scale = if let DataType::Decimal128(_, scale) = field.data_type() { Some(*scale) } else { None };
        let side = match (&kind, columns.last()) {
            (Kind::Number, _) => Side::Right,
            (_, Some(before)) if before.side == Side::Right => Side::Indented,
            _ => Side::Left,
        };
        let width = (longest + 2).max(word).clamp(*WIDTHS.start(), *WIDTHS.end());
        columns.push(Column {
            breaks: kind == Kind::Text && (width == *WIDTHS.end() || texts.iter().any(|text| text.contains('\n'))),
            pattern: match kind {
                Kind::Day => Some(style::DAY.to_owned()),
                Kind::Moment(_) => Some(style::MOMENT.to_owned()),
                Kind::Number => style::pattern(style, scale),
                Kind::Flag | Kind::Text => None,
            },
            width,
            place,
            role,
            heading,
            kind,
            style,
            side,
        });
    }
    Ok(columns)
}

/// What a column is called: no two alike, as a table wants it.
fn heading(title: &str, kind: &Kind, role: Role, before: &[Column<'_>]) -> String {
    let mut heading: String = title.chars().take(200).collect();
    if let Kind::Moment(zone) = kind
        && !heading.contains(zone.as_str())
    {
        heading = format!("{heading} ({zone})");
    }
    match role {
        Role::Shown => {}
        Role::Summed => heading.push_str(" (for totals)"),
        Role::Reason => heading.push_str(" (reason)"),
    }
    if heading.trim().is_empty() {
        "Column".clone_into(&mut heading);
    }
    let is_taken = |name: &str| before.iter().any(|other| other.heading.to_lowercase() == name.to_lowercase());
    let mut numbers = (2..).map(|number| format!("{heading} ({number})"));
    if is_taken(&heading) { numbers.find(|name| !is_taken(name)).unwrap_or(heading) } else { heading }
}

/// Widths and formats of columns, and how the sheet is printed.
fn lay_out(
    sheet: &mut Worksheet,
    document: &Document,
    section: &Section,
    columns: &[Column<'_>],
) -> Result<(), rust_xlsxwriter::XlsxError> {
    for (place, column) in (0_u16..).zip(columns) {
        sheet.set_column_width(place, column.width as f64)?;
        let format = if column.breaks { style::prose() } else { style::top() };
        let format = match &column.pattern {
            Some(pattern) => format.set_num_format(pattern),
            None => format,
        };
        sheet.set_column_format(place, &style::beside(format, column.side))?;
    }
    // In what is printed above and below pages this letter begins a code.
    let plain = |text: &str| text.replace('&', "&&");
    sheet.set_header(format!("&L{}&R{}", plain(&document.title), plain(&section.title)));
    sheet.set_footer(format!("&L{} · as of {}&R&P of &N", plain(&document.lake), document.today));
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

/// Writes what stands above the table; gives the row below it.
fn above(
    sheet: &mut Worksheet,
    document: &Document,
    section: &Section,
    columns: &[Column<'_>],
) -> Result<u32, rust_xlsxwriter::XlsxError> {
    let answer = &section.result;
    sheet.write_string_with_format(0, 0, fitting(&safe(&section.title)), &style::title())?;
    let count = answer.rows.count;
    let mut facts = vec![document.lake.clone(), format!("as of {}", document.today)];
    facts.push(if count == 1 { "1 row".to_owned() } else { format!("{count} rows") });
    facts.extend(of_section(section).map(|(name, value)| format!("{name}: {value}")));
    sheet.write_string_with_format(1, 0, fitting(&safe(&facts.join(" · "))), &style::muted())?;
    let about = answer.query.description.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut row = 2;
    let texts = [(document.banner.clone(), style::banner()), (Some(about), style::prose())];
    let notes = notes(section, columns).into_iter().map(|note| (Some(note), style::muted_prose()));
    for (text, format) in texts.into_iter().chain(notes) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        prose(sheet, row, &safe(&text), &format, columns)?;
        row += 1;
    }
    Ok(row)
}

/// What a reader must know of the table to read it rightly.
fn notes(section: &Section, columns: &[Column<'_>]) -> Vec<String> {
    let answer = &section.result;
    let mut notes = Vec::new();
    if answer.rows.count > u64::from(ROWS_MAX) {
        notes.push(format!(
            "A sheet ends before all {} rows: what follows is missing here, and is in the CSV, JSON and Parquet files. Totals are numbers of all rows and no formulas.",
            answer.rows.count
        ));
    }
    if section.columns.len() > COLUMNS_MAX {
        notes.push(format!("A sheet ends before all {} columns; files for programs have them.", section.columns.len()));
    }
    let name = |column: &Column<'_>| answer.rows.schema.field(column.place).name().as_str();
    if let Some(gaps) = answer.gaps_in_words(|told| columns.iter().any(|column| name(column) == told)) {
        let is_why = |column: &&Column<'_>| {
            let named = |style: &ColumnStyle| style.missing.as_deref() == Some(name(column));
            columns.iter().any(|other| other.style.is_some_and(named))
        };
        let why: Vec<String> = columns.iter().filter(is_why).map(|column| format!("\"{}\"", column.heading)).collect();
        notes.push(format!("Hatched cells have no value; {} says why. {gaps}.", why.join(" or ")));
    }
    notes
}

/// Writes text across columns until it has some width; what is more than a few lines high can be read in the cell.
fn prose(
    sheet: &mut Worksheet,
    row: u32,
    text: &str,
    format: &Format,
    columns: &[Column<'_>],
) -> Result<(), rust_xlsxwriter::XlsxError> {
    /// Characters of a column that has no width of its own.
    const USUAL: usize = 9;
    let (mut last, mut width) = (0_u16, columns.first().map_or(USUAL, |column| column.width));
    while width < PROSE_WIDTH {
        last += 1;
        width += columns.get(usize::from(last)).map_or(USUAL, |column| column.width);
    }
    let lines = lines(text, width.saturating_sub(width / 8)).min(PROSE_LINES);
    sheet.set_row_height(row, LINE_HEIGHT * lines as f64)?;
    match last {
        0 => sheet.write_string_with_format(row, 0, fitting(text), format)?,
        _ => sheet.merge_range(row, 0, row, last, &fitting(text), format)?,
    };
    Ok(())
}

/// Writes the totals: formulas that hold our own values, so that who does not reckon sees the same.
fn totals(
    sheet: &mut Worksheet,
    row: u32,
    section: &Section,
    columns: &[Column<'_>],
    placed: &Placed,
) -> Result<(), rust_xlsxwriter::XlsxError> {
    let answer = &section.result;
    let is_whole = u64::from(placed.rows) == answer.rows.count;
    let sum = |name: &str| {
        let place = columns.iter().position(|column| answer.rows.schema.field(column.place).name() == name)?;
        let letters = column_number_to_name(u16::try_from(place).ok()?);
        // Rows that a filter hides do not count.
        Some(format!("SUBTOTAL(109,{letters}{}:{letters}{})", placed.first_row + 1, placed.first_row + placed.rows))
    };
    for (place, column) in (0_u16..).zip(columns) {
        let format = style::total(column.pattern.as_deref());
        let total = match column.role {
            Role::Shown => answer.total(answer.rows.schema.field(column.place).name()),
            _ => None,
        };
        let declared = column.style.and_then(|style| style.total.as_ref());
        // Long numbers are texts, which a formula would leave out.
        let reckons = |total: &&Total| is_whole && !total.columns().into_iter().any(|name| answer.sums.are_long(name));
        let formula = || declared.filter(reckons)?.formula(&sum);
        match (total, formula()) {
            (Some(total), _) if total.is_long() => {
                let text = total.text(column.style.and_then(|style| style.number.as_ref()), &DataType::Int64);
                sheet.write_string_with_format(row, place, text, &format)?
            }
            (Some(total), Some(formula)) if total.number().is_finite() => {
                let formula = Formula::new(format!("=IFERROR({formula},\"\")")).set_result(total.number().to_string());
                sheet.write_formula_with_format(row, place, formula, &format)?
            }
            (Some(total), _) => sheet.write_number_with_format(row, place, total.number(), &format)?,
            (None, _) if place == 0 && column.kind != Kind::Number => {
                let name = if is_whole { "Total of rows in sight".to_owned() } else { totals_name(section) };
                sheet.write_string_with_format(row, place, name, &format)?
            }
            (None, _) => sheet.write_blank(row, place, &format)?,
        };
    }
    Ok(())
}

/// Writes the headings and makes a table of them and the rows below.
fn headings(
    sheet: &mut Worksheet,
    row: u32,
    columns: &[Column<'_>],
    rows: u32,
    name: String,
) -> Result<(), rust_xlsxwriter::XlsxError> {
    let head = |column: &Column<'_>| {
        let format = style::heading(column.side, column.role != Role::Shown);
        TableColumn::new().set_header(&column.heading).set_header_format(format)
    };
    let heads: Vec<TableColumn> = columns.iter().map(head).collect();
    let high = columns.iter().map(|column| lines(&column.heading, column.width.saturating_sub(3))).max();
    sheet.set_row_height(row, LINE_HEIGHT * high.unwrap_or(1).min(5) as f64 + 3.0)?;
    let table = Table::new().set_columns(&heads).set_name(name).set_style(TableStyle::None);
    let last = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.add_table(row, 0, row + rows, last, &table)?;
    Ok(())
}

/// Writes the rows.
fn body(sheet: &mut Worksheet, section: &Section, columns: &[Column<'_>], placed: &Placed) -> Result<()> {
    let answer = &section.result;
    let schema = &answer.rows.schema;
    let gap = style::gap();
    let mut at = placed.first_row;
    for batch in answer.rows.batches()? {
        let batch = batch?;
        let values = columns
            .iter()
            .map(|column| Values::of(schema.field(column.place), batch.column(column.place), &answer.present));
        let values: Vec<Values<'_>> = values.collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            if at >= placed.first_row + placed.rows {
                return Ok(());
            }
            let mut high = 1;
            for (place, (values, column)) in (0_u16..).zip(values.iter().zip(columns)) {
                match values.value(row) {
                    Value::Nothing if column.has_gaps() => sheet.write_blank(at, place, &gap),
                    Value::Nothing => continue,
                    Value::Number(number) | Value::Serial(number) => sheet.write_number(at, place, number),
                    Value::Flag(flag) => sheet.write_boolean(at, place, flag),
                    Value::Text(text) => {
                        let has_lines = text.contains('\n');
                        if column.breaks || has_lines {
                            high = high.max(lines(&text, column.width - 2));
                        }
                        // What the measured rows do not have, the format of the column does not ask for.
                        if has_lines && !column.breaks {
                            let format = style::beside(style::prose(), column.side);
                            sheet.write_string_with_format(at, place, fitting(&text), &format)
                        } else {
                            sheet.write_string(at, place, fitting(&text))
                        }
                    }
                }
                .map_err(refused)?;
            }
            // Not every spreadsheet makes rows as high as their texts.
            if high > 1 {
                sheet.set_row_height(at, LINE_HEIGHT * high as f64).map_err(refused)?;
            }
            at += 1;
        }
    }
    Ok(())
}

/// Colours that follow the values, as the bands of columns say.
fn dress(sheet: &mut Worksheet, columns: &[Column<'_>], placed: &Placed) -> Result<(), rust_xlsxwriter::XlsxError> {
    let (first, last) = (placed.first_row, placed.first_row + placed.rows - 1);
    for (place, column) in (0_u16..).zip(columns) {
        if column.kind == Kind::Text {
            sheet.ignore_error_range(first, place, last, place, IgnoreError::NumberStoredAsText)?;
        }
        let Some(style) = column.style.filter(|_| column.kind == Kind::Number) else { continue };
        let cell = row_col_to_cell(first, place);
        let (below, low, above, high) = if let (Some(low), Some(high)) = (style.bands.first(), style.bands.last()) {
            ("<", *low, ">", *high)
        } else {
            // Without bands the first numbers that are not written as zero are beyond the edges.
            let edge = style.number.as_ref().map_or(0.0, NumberFormat::half_of_last_digit);
            ("<=", -edge, ">=", edge)
        };
        // What is on the far side of each edge, which the page says of such numbers too.
        let sides = [(below, low, Tone::of(low - 1.0, style)), (above, high, Tone::of(high + 1.0, style))];
        for (sign, edge, tone) in sides {
            let Some(tone) = tone else { continue };
            let rule = ConditionalFormatFormula::new()
                .set_rule(format!("=AND(ISNUMBER({cell}),{cell}{sign}{edge})").as_str())
                .set_format(style::toned(tone, column.pattern.as_deref()));
            sheet.add_conditional_format(first, place, last, place, &rule)?;
        }
    }
    Ok(())
}

//! The sheet with the cells that charts draw where a table's own do not do: groups beside each other, steps of waterfalls.

use rust_xlsxwriter::{ChartRange, Format, Workbook, XlsxError};

use super::style::{self, Side, fitting};

/// Rows above the values of a block: what it belongs to, and headings.
const ABOVE: u32 = 2;

/// The cells of charts, side by side.
#[derive(Debug)]
pub struct Blocks {
    sheet: String,
    columns: Vec<(u16, Block)>,
    /// The column that is free.
    free: u16,
}

/// A column of cells.
#[derive(Debug)]
pub struct Block {
    pub heading: String,
    pub values: Cells,
    pub pattern: Option<String>,
}

#[derive(Debug)]
pub enum Cells {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<String>),
}

impl Blocks {
    pub fn new(sheet: &str) -> Self {
        Self { sheet: sheet.to_owned(), columns: Vec::new(), free: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Takes a column in; gives where its values and its heading are.
    pub fn add(&mut self, block: Block) -> (ChartRange, ChartRange) {
        let count = match &block.values {
            Cells::Numbers(numbers) => numbers.len(),
            Cells::Texts(texts) => texts.len(),
        };
        let last = ABOVE + u32::try_from(count.saturating_sub(1)).unwrap_or_default();
        let column = self.free;
        let values = ChartRange::new_from_range(&self.sheet, ABOVE, column, last, column);
        let heading = ChartRange::new_from_range(&self.sheet, ABOVE - 1, column, ABOVE - 1, column);
        self.columns.push((column, block));
        self.free += 1;
        (values, heading)
    }

    /// Leaves a column free, so that the next chart's cells stand apart.
    pub fn part(&mut self) {
        self.free += u16::from(!self.columns.is_empty());
    }

    /// Writes the sheet.
    ///
    /// # Errors
    /// When a sheet cannot have so many columns.
    pub fn write(&self, book: &mut Workbook) -> Result<(), XlsxError> {
        let sheet = book.add_worksheet();
        sheet.set_name(&self.sheet)?;
        sheet.write_string_with_format(0, 0, "Cells that charts draw, beside those of the tables", &style::muted())?;
        for (column, block) in &self.columns {
            let is_number = matches!(block.values, Cells::Numbers(_));
            let side = if is_number { Side::Right } else { Side::Left };
            let heading = fitting(&block.heading);
            sheet.write_string_with_format(ABOVE - 1, *column, heading, &style::heading(side, false))?;
            sheet.set_column_width(*column, if is_number { 13.0 } else { 24.0 })?;
            let format =
                block.pattern.as_deref().map_or_else(Format::new, |pattern| Format::new().set_num_format(pattern));
            match &block.values {
                Cells::Numbers(numbers) => {
                    for (row, number) in (ABOVE..).zip(numbers) {
                        if let Some(number) = number {
                            sheet.write_number_with_format(row, *column, *number, &format)?;
                        }
                    }
                }
                Cells::Texts(texts) => {
                    for (row, text) in (ABOVE..).zip(texts) {
                        sheet.write_string(row, *column, fitting(text))?;
                    }
                }
            }
        }
        sheet.set_freeze_panes(ABOVE, 0)?;
        Ok(())
    }
}

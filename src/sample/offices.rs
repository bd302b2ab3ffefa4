//! The offices: the same 31 at any scale, only their headcount grows.

use super::World;
use super::calendar::{Day, day};
use super::writer::{self, Column, Sink};
use crate::error::Result;

/// A sales region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Na,
    Emea,
    Apac,
}

impl Region {
    /// The name in the data.
    pub fn name(self) -> &'static str {
        ["NA", "EMEA", "APAC"][self as usize]
    }

    fn continent(self) -> &'static str {
        ["North America", "Europe", "Asia"][self as usize]
    }
}

/// One office.
pub(super) struct Office {
    pub(super) name: &'static str,
    pub(super) country: &'static str,
    pub(super) region: Region,
    /// Full-time equivalents at scale 1.
    pub(super) fte: u32,
    pub(super) opened_on: Day,
}

/// How many offices there are.
pub(super) const COUNT: usize = 31;

/// All people at scale 1.
pub(super) const FTE_TOTAL: u32 = 7_800;

const fn office(name: &'static str, country: &'static str, region: Region, fte: u32, opened_on: Day) -> Office {
    Office { name, country, region, fte, opened_on }
}

/// The offices in the order of their ids, which is also the order of the regions.
pub(super) static OFFICES: [Office; COUNT] = [
    office("New York", "US", Region::Na, 620, day(2003, 2, 3)),
    office("Boston", "US", Region::Na, 310, day(2006, 9, 4)),
    office("Chicago", "US", Region::Na, 340, day(2005, 5, 2)),
    office("Austin", "US", Region::Na, 260, day(2012, 3, 5)),
    office("Seattle", "US", Region::Na, 240, day(2011, 6, 6)),
    office("San Francisco", "US", Region::Na, 280, day(2008, 1, 14)),
    office("Atlanta", "US", Region::Na, 230, day(2014, 10, 6)),
    office("Toronto", "CA", Region::Na, 250, day(2009, 4, 6)),
    office("Vancouver", "CA", Region::Na, 130, day(2017, 8, 7)),
    office("London", "GB", Region::Emea, 520, day(2004, 11, 1)),
    office("Manchester", "GB", Region::Emea, 140, day(2015, 2, 2)),
    office("Dublin", "IE", Region::Emea, 180, day(2013, 7, 1)),
    office("Paris", "FR", Region::Emea, 320, day(2007, 3, 5)),
    office("Lyon", "FR", Region::Emea, 110, day(2018, 9, 3)),
    office("Berlin", "DE", Region::Emea, 230, day(2010, 10, 4)),
    office("Munich", "DE", Region::Emea, 190, day(2012, 5, 7)),
    office("Frankfurt", "DE", Region::Emea, 170, day(2014, 1, 6)),
    office("Amsterdam", "NL", Region::Emea, 160, day(2011, 9, 5)),
    office("Madrid", "ES", Region::Emea, 190, day(2013, 4, 1)),
    office("Milan", "IT", Region::Emea, 150, day(2016, 6, 6)),
    office("Stockholm", "SE", Region::Emea, 120, day(2017, 3, 6)),
    office("Warsaw", "PL", Region::Emea, 260, day(2015, 11, 2)),
    office("Singapore", "SG", Region::Apac, 220, day(2008, 8, 4)),
    office("Tokyo", "JP", Region::Apac, 260, day(2010, 4, 1)),
    office("Osaka", "JP", Region::Apac, 110, day(2018, 4, 2)),
    office("Bangalore", "IN", Region::Apac, 560, day(2006, 1, 9)),
    office("Chennai", "IN", Region::Apac, 290, day(2011, 2, 7)),
    office("Delhi", "IN", Region::Apac, 240, day(2012, 8, 6)),
    office("Hyderabad", "IN", Region::Apac, 180, day(2025, 4, 1)),
    office("Mumbai", "IN", Region::Apac, 280, day(2009, 7, 6)),
    office("Pune", "IN", Region::Apac, 260, day(2014, 5, 5)),
];

/// The place of the office with this name.
pub(super) fn office_number(name: &str) -> Option<usize> {
    OFFICES.iter().position(|office| office.name == name)
}

/// The id of the office at this place, such as `O07`.
pub(super) fn office_id(office: usize) -> &'static str {
    const IDS: [&str; COUNT] = [
        "O01", "O02", "O03", "O04", "O05", "O06", "O07", "O08", "O09", "O10", "O11", "O12", "O13", "O14", "O15", "O16",
        "O17", "O18", "O19", "O20", "O21", "O22", "O23", "O24", "O25", "O26", "O27", "O28", "O29", "O30", "O31",
    ];
    IDS[office]
}

/// Makes the rows of the one file.
pub(super) fn generate(sink: &mut Sink<'_, usize>) -> Result<()> {
    (0..COUNT).try_for_each(|office| sink.push(office))
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[usize]) -> Vec<Column> {
    let fte =
        |office: usize| i32::try_from(u64::from(OFFICES[office].fte) * u64::from(world.scale)).unwrap_or(i32::MAX);
    vec![
        writer::text("office_id", rows, |row| office_id(*row)),
        writer::text("office", rows, |row| OFFICES[*row].name),
        writer::text("city", rows, |row| OFFICES[*row].name),
        writer::text("country", rows, |row| OFFICES[*row].country),
        writer::text("continent", rows, |row| OFFICES[*row].region.continent()),
        writer::text("region", rows, |row| OFFICES[*row].region.name()),
        writer::text("currency", rows, |_| super::CURRENCY),
        writer::int("fte", rows, |row| fte(*row)),
        writer::date("opened_on", rows, |row| OFFICES[*row].opened_on),
        writer::date_or_null("closed_on", rows, |_| None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_company_has_7800_people_in_31_offices_14_countries_and_3_continents() {
        let countries: BTreeSet<&str> = OFFICES.iter().map(|office| office.country).collect();
        let continents: BTreeSet<&str> = OFFICES.iter().map(|office| office.region.continent()).collect();
        assert_eq!((OFFICES.len(), countries.len(), continents.len()), (31, 14, 3));
        assert_eq!(OFFICES.iter().map(|office| office.fte).sum::<u32>(), FTE_TOTAL);
    }

    #[test]
    fn an_office_id_is_its_place_in_the_list() {
        for office in 0..COUNT {
            assert_eq!(office_id(office), format!("O{:02}", office + 1));
        }
    }
}

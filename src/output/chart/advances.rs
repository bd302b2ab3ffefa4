//! How wide a text is on a page, at most: of each letter the wider of Noto Sans, which pictures are drawn with, and of Helvetica, as
//! wide as which most pages' fonts are.

use unicode_width::UnicodeWidthChar;

use super::scene::Weight;

/// Pixels of a letter's height, for all text but headings.
pub const SIZE: f64 = 12.0;

/// Pixels of a heading's letters.
pub const HEADING_SIZE: f64 = 14.0;

/// Units of the font in the height of a letter.
const UNITS: f64 = 2048.0;

/// Bold letters by plain ones.
const BOLD: f64 = 1.07;

/// Advances of the letters from space to tilde, in the wider of the two fonts.
const ADVANCES: [u16; 95] = [
    569, 569, 836, 1323, 1171, 1821, 1499, 461, 682, 682, 1128, 1196, 569, 682, 569, 762, 1171, 1171, 1171, 1171, 1171,
    1171, 1171, 1171, 1171, 1171, 569, 569, 1196, 1196, 1196, 1139, 2079, 1366, 1366, 1479, 1495, 1366, 1251, 1593,
    1518, 694, 1024, 1366, 1139, 1858, 1556, 1599, 1366, 1599, 1479, 1366, 1251, 1497, 1366, 1933, 1366, 1366, 1251,
    674, 762, 674, 1171, 1139, 1188, 1149, 1260, 1024, 1260, 1155, 705, 1260, 1266, 528, 528, 1094, 528, 1915, 1266,
    1239, 1260, 1260, 846, 1024, 739, 1266, 1040, 1610, 1083, 1044, 1024, 778, 1128, 778, 1196,
];

/// Advances of what is not among them: a letter of another alphabet, and one that takes two cells of a terminal.
const OTHER: u16 = 1239;
const WIDE: u16 = 2048;

/// Pixels of a text in a line.
pub fn pixels(text: &str, weight: Weight) -> f64 {
    let units: f64 = text.chars().map(|letter| f64::from(advance(letter))).sum();
    match weight {
        Weight::Plain | Weight::Haloed => units / UNITS * SIZE,
        Weight::Strong => units / UNITS * HEADING_SIZE * BOLD,
    }
}

fn advance(letter: char) -> u16 {
    let place = usize::try_from(u32::from(letter)).ok().and_then(|code| code.checked_sub(usize::from(b' ')));
    match place.and_then(|place| ADVANCES.get(place)) {
        Some(&advance) => advance,
        None if letter.width() == Some(2) => WIDE,
        None if letter == '…' => 1620,
        None => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use resvg::usvg::{Options, Tree, fontdb};

    use super::*;

    /// The width that the painter gives a text.
    fn painted(text: &str, weight: &str, size: f64) -> f64 {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
        fonts.load_font_data(notosans::BOLD_TTF.to_vec());
        let options = Options { fontdb: Arc::new(fonts), font_family: "Noto Sans".to_owned(), ..Options::default() };
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='40'><text font-size='{size}' font-weight='{weight}' y='20'>{text}</text></svg>"
        );
        let tree = Tree::from_str(&svg, &options).expect("an SVG");
        f64::from(tree.root().children().first().expect("a text").bounding_box().width())
    }

    #[test]
    fn no_text_is_painted_wider_than_it_is_taken_for() {
        for text in ["San Francisco", "APAC, Enterprise", "size high, relationship low", "+1,234.56 %", "Łódź – Malmö…"]
        {
            let (plain, strong) = (pixels(text, Weight::Plain), pixels(text, Weight::Strong));
            let (painted_plain, painted_strong) = (painted(text, "400", SIZE), painted(text, "700", HEADING_SIZE));
            assert!(painted_plain <= plain + 0.5 && plain <= painted_plain * 1.2, "{text}: {plain}, {painted_plain}");
            assert!(
                painted_strong <= strong + 0.5 && strong <= painted_strong * 1.2,
                "{text}: {strong}, {painted_strong}"
            );
        }
    }
}

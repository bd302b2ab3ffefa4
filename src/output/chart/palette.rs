//! How the colours of charts look, on light and on dark.
//!
//! Blue and vermillion lead, after Okabe and Ito (Color Universal Design, 2008); the other series were chosen by the distance that
//! is left between any two in each kind of colour blindness (Machado, Oliveira and Fernandes, 2009). Series, good and bad have at
//! least 4.5:1 to the surface, so that they carry text; gaps 3:1; ink has at least 4.5:1 to every tint. Tints go from
//! orange over grey to blue. A test reckons all of it.

use super::scene::Paint;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

/// Name of a custom property after `--cx-`, its colour on light and on dark.
const COLOURS: [(&str, &str, &str); 24] = [
    ("ink", "#1b1f24", "#f0f2f4"),
    ("muted", "#5a6169", "#a3abb4"),
    ("grid", "#e3e6ea", "#30363d"),
    ("surface", "#ffffff", "#16191d"),
    ("gap", "#878f98", "#6f7781"),
    ("good", "#0072b2", "#56b4e9"),
    ("bad", "#c04f00", "#f28e4b"),
    ("s1", "#0072b2", "#56b4e9"),
    ("s2", "#c04f00", "#f28e4b"),
    ("s3", "#14532d", "#aef29d"),
    ("s4", "#9236e0", "#a97bff"),
    ("s5", "#806e53", "#e8e04a"),
    ("s6", "#2b1a86", "#ff4d8d"),
    ("s7", "#86005f", "#3df0ea"),
    ("s8", "#332521", "#e6b3c8"),
    ("d-4", "#f0a35e", "#944a00"),
    ("d-3", "#f6bf8d", "#7a4208"),
    ("d-2", "#fad8b8", "#5e3814"),
    ("d-1", "#fdeddd", "#43301f"),
    ("d0", "#f4f5f6", "#2b3036"),
    ("d1", "#deecf8", "#1f3448"),
    ("d2", "#bcd8f0", "#1a4260"),
    ("d3", "#94c0e6", "#12527e"),
    ("d4", "#66a5db", "#08629e"),
];

/// Places of the first series and of the middle tint in [`COLOURS`].
const FIRST_SERIES: usize = 7;
const MIDDLE_TINT: i8 = 19;

/// The name of a paint's custom property, and its colour.
pub fn colour(paint: Paint, theme: Theme) -> (&'static str, &'static str) {
    let place = match paint {
        Paint::Ink => 0,
        Paint::Muted => 1,
        Paint::Grid => 2,
        Paint::Surface => 3,
        Paint::Gap => 4,
        Paint::Good => 5,
        Paint::Bad => 6,
        Paint::Series(place) => FIRST_SERIES + place % Paint::SERIES,
        Paint::Tint(step) => usize::try_from(MIDDLE_TINT + step.clamp(-4, 4)).unwrap_or_default(),
    };
    let (name, light, dark) = COLOURS.get(place).copied().unwrap_or(COLOURS[0]);
    (name, if theme == Theme::Light { light } else { dark })
}

/// Groups that are good or bad news by their name; the first two colours of series look as good and bad do.
const NEWS: [(usize, &[&str]); 2] =
    [(0, &["promoter", "promoters", "healthy"]), (1, &["detractor", "detractors", "at risk"])];

/// The colour of each group, counted as those of [`Paint::Series`]: in their order, but for a name that says which it is.
pub fn series_colours(names: &[&str]) -> Vec<usize> {
    let mut colours: Vec<Option<usize>> = vec![None; names.len()];
    for (colour, words) in NEWS {
        let named = names.iter().position(|name| words.contains(&name.to_lowercase().as_str()));
        if let Some(of_name) = named.and_then(|place| colours.get_mut(place)) {
            *of_name = Some(colour);
        }
    }
    let taken: Vec<usize> = colours.iter().flatten().copied().collect();
    let mut free = (0..).filter(|colour| !taken.contains(colour));
    colours.into_iter().map(|colour| colour.or_else(|| free.next()).unwrap_or_default()).collect()
}

/// The custom properties that charts in a page take their colours from, `--cx-ink`, `--cx-muted`, `--cx-grid`, `--cx-surface`,
/// `--cx-gap`, `--cx-good`, `--cx-bad`, `--cx-s1` to `--cx-s8` and `--cx-d-4` to `--cx-d4`, as a style sheet: for light, and for
/// dark where the reader's screen asks for it. Paper is light.
pub fn palette_css() -> String {
    format!(
        ":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n.cx-chart{{max-width:100%;height:auto}}\n",
        properties(Theme::Light),
        properties(Theme::Dark)
    )
}

/// The custom properties of a theme.
pub fn properties(theme: Theme) -> String {
    let colour = |(name, light, dark): &(&str, &str, &str)| {
        format!("--cx-{name}:{};", if theme == Theme::Light { light } else { dark })
    };
    COLOURS.iter().map(colour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(colour: &str) -> f64 {
        let channel = |from: usize| {
            let value = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).expect("two digits")) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_marks_can_be_told_from_what_they_stand_on() {
        for theme in [Theme::Light, Theme::Dark] {
            let look = |paint| colour(paint, theme).1;
            let surface = look(Paint::Surface);
            let texts = [Paint::Ink, Paint::Muted, Paint::Good, Paint::Bad].into_iter();
            for paint in texts.chain((0..Paint::SERIES).map(Paint::Series)) {
                assert!(contrast(look(paint), surface) >= 4.5, "{paint:?} in {theme:?}");
            }
            assert!(contrast(look(Paint::Gap), surface) >= 3.0, "{theme:?}");
            for step in -4..=4 {
                assert!(contrast(look(Paint::Ink), look(Paint::Tint(step))) >= 4.5, "{step} in {theme:?}");
            }
        }
    }

    #[test]
    fn groups_that_are_good_or_bad_news_have_the_colours_of_it() {
        assert_eq!(series_colours(&["NA", "EMEA", "APAC"]), [0, 1, 2]);
        assert_eq!(series_colours(&["promoter", "passive", "detractor"]), [0, 2, 1]);
        assert_eq!(series_colours(&["watch", "At risk", "unknown", "healthy"]), [2, 1, 3, 0]);
        assert_eq!(series_colours(&["watch", "at risk", "unknown"]), [0, 1, 2]);
        for theme in [Theme::Light, Theme::Dark] {
            let look = |paint| colour(paint, theme).1;
            assert_eq!([0, 1].map(|series| look(Paint::Series(series))), [look(Paint::Good), look(Paint::Bad)]);
        }
    }

    #[test]
    fn each_paint_has_the_property_of_its_name() {
        let name = |paint| colour(paint, Theme::Light).0;
        assert_eq!(
            [
                Paint::Ink,
                Paint::Bad,
                Paint::Series(0),
                Paint::Series(9),
                Paint::Tint(-4),
                Paint::Tint(0),
                Paint::Tint(9)
            ]
            .map(name),
            ["ink", "bad", "s1", "s2", "d-4", "d0", "d4"]
        );
    }
}

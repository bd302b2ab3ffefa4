//! Colours of the prompt, for dark and for light terminals.

use anstyle::{AnsiColor, Style};

/// Variable that names the theme.
const VARIABLE: &str = "CXLAKE_THEME";

/// Variable in which some terminals give the numbers of their colours, `15;0` for white on black.
const OF_TERMINAL: &str = "COLORFGBG";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Dark,
    Light,
}

/// What is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Keyword,
    Text,
    Number,
    Variable,
    Comment,
    Function,
    Table,
    /// A table that is not in the lake.
    UnknownTable,
    /// A bracket that nothing opens, a quote that nothing closes, an unknown command.
    Wrong,
    /// A bracket that is still to be closed.
    Open,
    /// The partner of the bracket at the cursor.
    Partner,
    /// What the history would go on with, and remarks beside candidates.
    Faint,
    Prompt,
}

impl Theme {
    /// The theme that the environment asks for, and a note where it asks for none that there is.
    pub fn of_environment() -> (Self, Option<String>) {
        let named = std::env::var(VARIABLE).unwrap_or_default();
        match named.to_lowercase().as_str() {
            "light" => (Self::Light, None),
            "dark" => (Self::Dark, None),
            "" => (Self::of_background(&std::env::var(OF_TERMINAL).unwrap_or_default()), None),
            _ => {
                let note = format!("note: {VARIABLE} is `{named}`; `light` and `dark` are known");
                (Self::default(), Some(note))
            }
        }
    }

    /// The theme for colours such as `0;15`: the last one is the background.
    fn of_background(colors: &str) -> Self {
        match colors.rsplit(';').next() {
            Some("7" | "9" | "10" | "11" | "12" | "13" | "14" | "15") => Self::Light,
            _ => Self::Dark,
        }
    }

    pub fn style(self, paint: Paint) -> Style {
        use AnsiColor as C;
        let fore =
            |dark: C, light: C| Style::new().fg_color(Some(if self == Self::Dark { dark } else { light }.into()));
        match paint {
            Paint::Keyword => fore(C::BrightBlue, C::Blue).bold(),
            Paint::Text => fore(C::Green, C::Green),
            Paint::Number => fore(C::BrightMagenta, C::Magenta),
            Paint::Variable => fore(C::BrightMagenta, C::Magenta).bold(),
            Paint::Comment | Paint::Faint => fore(C::BrightBlack, C::BrightBlack),
            Paint::Function => fore(C::BrightCyan, C::Cyan),
            Paint::Table => fore(C::BrightYellow, C::Yellow),
            Paint::UnknownTable => fore(C::Red, C::Red).underline(),
            Paint::Wrong => fore(C::BrightRed, C::Red).bold().underline(),
            Paint::Open => fore(C::Yellow, C::Yellow).underline(),
            Paint::Partner => Style::new().bold().invert(),
            Paint::Prompt => Style::new().bold(),
        }
    }

    /// The text in its colours; as wide as before.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        let style = self.style(paint);
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_follows_the_background_that_the_terminal_names() {
        for (colors, expected) in
            [("15;0", Theme::Dark), ("0;15", Theme::Light), ("0;default;7", Theme::Light), ("", Theme::Dark)]
        {
            assert_eq!(Theme::of_background(colors), expected, "{colors}");
        }
    }
}

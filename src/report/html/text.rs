//! Text into HTML: escaped, or Markdown of which nothing reaches outside.

use std::fmt::Write as _;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub use crate::output::html::escaped;

/// Markdown as HTML. Headings start at the third level, below those of the document; HTML in it is shown as it was written,
/// and of a picture only its words, since a report asks nothing of anywhere.
pub fn markdown(text: &str) -> String {
    let lower = |level| match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    };
    let events =
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).filter_map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                Some(Event::Start(Tag::Heading { level: lower(level), id, classes, attrs }))
            }
            Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lower(level)))),
            event => Some(event),
        });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// An element with a text in it.
pub fn element(html: &mut String, tag: &str, text: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(html, "<{tag}>{}</{tag}>", escaped(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_neither_runs_nor_fetches_anything() {
        let html = markdown("# Cost\n\nA *word* <script>alert(1)</script> ![a chart](https://example.com/x.png)\n");
        assert_eq!(html, "<h3>Cost</h3>\n<p>A <em>word</em> &lt;script&gt;alert(1)&lt;/script&gt; a chart</p>\n");
    }
}

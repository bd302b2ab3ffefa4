//! A scene as SVG: numbers in hundredths of a pixel, marks in their order, every text escaped, nothing from outside.

use std::fmt::Write;

use super::Drawing;
use super::advances::{HEADING_SIZE, SIZE};
use super::palette::{Theme, colour, properties};
use super::scene::{Anchor, Mark, Paint, Point, Scene, Shape, Stroke, Weight};

/// Where colours come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    /// Custom properties, of the page or of the file's own style.
    Named,
    /// As they look on light, for what knows no custom properties.
    Fixed,
}

/// How far a text's letters reach below the middle of its line, by their size.
const DROP: f64 = 0.35;

/// Half the size of a dot, of a speck and of an arrow.
const DOT: f64 = 4.5;
const SPECK: f64 = 3.5;
const ARROW: f64 = 3.5;

/// Pixels around a picture that stands alone.
pub const MARGIN: f64 = 12.0;

/// Fonts that a page may have; pictures are drawn with the first.
const FONTS: &str = "Noto Sans,Segoe UI,Roboto,Helvetica,Arial,sans-serif";

/// To stand in a page, which says what its colours are.
pub fn inline(scene: &Scene, id: &str, drawing: &Drawing) -> String {
    whole(scene, drawing, &escaped(id), Colours::Named, 0.0, "")
}

/// A file of its own.
pub fn file(scene: &Scene, drawing: &Drawing) -> String {
    let style = format!(
        "<style>svg{{{}}}@media screen and (prefers-color-scheme:dark){{svg{{{}}}}}</style>\n",
        properties(Theme::Light),
        properties(Theme::Dark)
    );
    whole(scene, drawing, "cx", Colours::Named, MARGIN, &format!("{style}{}", ground(scene, Colours::Named)))
}

/// For a painter that knows no custom properties.
pub fn fixed(scene: &Scene, drawing: &Drawing) -> String {
    whole(scene, drawing, "cx", Colours::Fixed, MARGIN, &ground(scene, Colours::Fixed))
}

/// The ground under a picture that stands alone.
fn ground(scene: &Scene, colours: Colours) -> String {
    let corner = Point::new(-MARGIN, -MARGIN);
    let sides = sides(corner, scene.width + 2.0 * MARGIN, scene.height + 2.0 * MARGIN);
    format!("<rect {sides} fill=\"{}\"/>\n", paint(Paint::Surface, colours))
}

fn whole(scene: &Scene, drawing: &Drawing, id: &str, colours: Colours, margin: f64, before: &str) -> String {
    let (width, height) = (number(scene.width + 2.0 * margin), number(scene.height + 2.0 * margin));
    let corner = number(-margin);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cx-chart\" viewBox=\"{corner} {corner} {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" font-family=\"{FONTS}\" \
         font-size=\"{}\">\n<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{before}",
        number(SIZE),
        escaped(drawing.title()),
        escaped(&drawing.sentence())
    );
    if scene.marks.iter().any(|mark| matches!(mark.shape, Shape::Hatch { .. })) {
        let gap = paint(Paint::Gap, colours);
        let _ = writeln!(
            svg,
            "<defs><pattern id=\"{id}-gap\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><path d=\"M1 0V6\" stroke=\"{gap}\" stroke-width=\"1\"/></pattern></defs>"
        );
    }
    for mark in &scene.marks {
        write_mark(&mut svg, mark, id, colours);
    }
    svg.push_str("</svg>\n");
    svg
}

fn write_mark(svg: &mut String, mark: &Mark, id: &str, colours: Colours) {
    let fill = paint(mark.paint, colours);
    let (name, attributes) = match &mark.shape {
        Shape::Box { at, width, height } => ("rect", format!("{} fill=\"{fill}\"", sides(*at, *width, *height))),
        Shape::Hatch { at, width, height } => {
            ("rect", format!("{} fill=\"url(#{id}-gap)\"", sides(*at, *width, *height)))
        }
        Shape::Line { from, to, stroke } => {
            let (from, to) = (point(*from), point(*to));
            ("path", format!("d=\"M{from}L{to}\" stroke=\"{fill}\"{}", style(*stroke)))
        }
        Shape::Path(points, stroke) => {
            let line = format!("d=\"M{}\" fill=\"none\" stroke=\"{fill}\"", along(points));
            ("path", format!("{line}{} stroke-linejoin=\"round\" stroke-linecap=\"round\"", style(*stroke)))
        }
        Shape::Area(points) => ("path", format!("d=\"M{}Z\" fill=\"{fill}\" fill-opacity=\"0.16\"", along(points))),
        Shape::Dot(at) => {
            let (x, y, radius) = (number(at.x), number(at.y), number(DOT));
            let rim = paint(Paint::Surface, colours);
            ("circle", format!("cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{rim}\""))
        }
        Shape::Speck(at) => {
            let (x, y, radius) = (number(at.x), number(at.y), number(SPECK));
            ("circle", format!("cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\" fill-opacity=\"0.65\""))
        }
        Shape::Touch(at) => {
            let (x, y) = (number(at.x), number(at.y));
            ("circle", format!("cx=\"{x}\" cy=\"{y}\" r=\"8\" fill=\"none\" pointer-events=\"all\""))
        }
        Shape::Arrow { at, is_up } => {
            let (base, top) = if *is_up { (ARROW, -ARROW) } else { (-ARROW, ARROW) };
            let corner = |x: f64, y: f64| Point::new(at.x + x, at.y + y);
            let corners = [corner(-ARROW, base), corner(ARROW, base), corner(0.0, top)];
            ("path", format!("d=\"M{}Z\" fill=\"{fill}\"", along(&corners)))
        }
        Shape::Text { at, text, anchor, weight } => {
            svg.push_str(&text_element(*at, text, *anchor, *weight, &fill, colours));
            return;
        }
    };
    let _ = match &mark.tip {
        Some(tip) => writeln!(svg, "<{name} {attributes}><title>{}</title></{name}>", escaped(tip)),
        None => writeln!(svg, "<{name} {attributes}/>"),
    };
}

fn style(stroke: Stroke) -> &'static str {
    match stroke {
        Stroke::Thin => "",
        Stroke::Thick => " stroke-width=\"2\"",
        Stroke::Dashed => " stroke-dasharray=\"4 3\"",
    }
}

fn text_element(at: Point, text: &str, anchor: Anchor, weight: Weight, fill: &str, colours: Colours) -> String {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let (size, style) = match weight {
        Weight::Plain => (SIZE, String::new()),
        Weight::Haloed => {
            let surface = paint(Paint::Surface, colours);
            let halo =
                format!(" stroke=\"{surface}\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"");
            (SIZE, halo)
        }
        Weight::Strong => (HEADING_SIZE, format!(" font-size=\"{}\" font-weight=\"bold\"", number(HEADING_SIZE))),
    };
    let (x, y) = (number(at.x), number(at.y + size * DROP));
    format!("<text x=\"{x}\" y=\"{y}\" fill=\"{fill}\"{anchor}{style}>{}</text>\n", escaped(text))
}

fn sides(at: Point, width: f64, height: f64) -> String {
    format!(
        "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        number(at.x),
        number(at.y),
        number(width.max(0.0)),
        number(height.max(0.0))
    )
}

fn point(at: Point) -> String {
    format!("{} {}", number(at.x), number(at.y))
}

fn along(points: &[Point]) -> String {
    points.iter().map(|&at| point(at)).collect::<Vec<String>>().join("L")
}

fn paint(paint: Paint, colours: Colours) -> String {
    let (name, light) = colour(paint, Theme::Light);
    match colours {
        Colours::Named => format!("var(--cx-{name},{light})"),
        Colours::Fixed => light.to_owned(),
    }
}

/// Hundredths at most, without zeros that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text as XML takes it, in elements and in attributes; characters that XML does not know are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_digits_at_most_and_no_negative_zero() {
        assert_eq!([1.0, 0.125, -0.001, 10.5, 100.0].map(number), ["1", "0.12", "0", "10.5", "100"]);
    }

    #[test]
    fn what_xml_takes_for_its_own_is_escaped() {
        assert_eq!(escaped("<b a=\"1\">&\u{1}\u{ffff}"), "&lt;b a=&quot;1&quot;&gt;&amp; ");
    }
}

//! A scene as PNG, painted with fonts of our own, so that it looks the same on every machine.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::Drawing;
use super::scene::Scene;
use super::svg;
use crate::error::{Error, Result};

/// Pixels of a side beyond which nothing is painted: such a picture takes a gigabyte.
const SIDE_MAX: u32 = 16_384;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    Arc::new(fonts)
});

/// # Errors
/// `Usage` for a width of nothing or too much; `Internal` when the picture cannot be painted.
pub fn paint(scene: &Scene, drawing: &Drawing, width_px: u32) -> Result<Vec<u8>> {
    let scale = f64::from(width_px) / (scene.width + 2.0 * svg::MARGIN);
    let height_px = ((scene.height + 2.0 * svg::MARGIN) * scale).ceil();
    if width_px == 0 || width_px > SIDE_MAX || height_px > f64::from(SIDE_MAX) {
        return Err(Error::usage(format!("a picture of {width_px} by {height_px} pixels cannot be painted"))
            .hint(format!("its sides can have 1 to {SIDE_MAX} pixels")));
    }
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: "Noto Sans".to_owned(), ..Options::default() };
    let cannot = |error: String| Error::internal(format!("a chart cannot be painted: {error}"));
    let tree = Tree::from_str(&svg::fixed(scene, drawing), &options).map_err(|error| cannot(error.to_string()))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a height that was checked above")]
    let mut pixels = Pixmap::new(width_px, height_px.max(1.0) as u32).ok_or_else(|| cannot("no memory".to_owned()))?;
    #[expect(clippy::cast_possible_truncation, reason = "the painter's own precision")]
    let scale = scale as f32;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| cannot(error.to_string()))
}

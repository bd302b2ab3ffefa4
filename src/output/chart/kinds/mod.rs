//! The kinds of chart: how each lays its columns out, and what it says of them.

mod bar;
mod bullet;
mod dot;
mod groups;
mod heatmap;
mod line;
mod plane;
mod rows;
mod scatter;
mod sparkline;
mod stacked;
mod waterfall;

use super::Kind;
use super::figure::Figure;
use super::scene::{Canvas, Scene};

/// The chart on this canvas.
pub fn lay_out(figure: &Figure, canvas: &Canvas) -> Scene {
    match figure.kind {
        Kind::Bar => rows::lay_out(&bar::rows(figure), canvas),
        Kind::StackedBar => rows::lay_out(&stacked::rows(figure), canvas),
        Kind::Dot => rows::lay_out(&dot::rows(figure), canvas),
        Kind::Bullet => rows::lay_out(&bullet::rows(figure), canvas),
        Kind::Waterfall => rows::lay_out(&waterfall::rows(figure), canvas),
        Kind::Line => line::lay_out(figure, canvas),
        Kind::Scatter => scatter::lay_out(figure, canvas),
        Kind::Heatmap => heatmap::lay_out(figure, canvas),
        Kind::Sparkline => sparkline::lay_out(figure, canvas),
    }
}

/// What the chart shows, in words.
pub fn sentence(figure: &Figure) -> String {
    match figure.kind {
        Kind::Bar => bar::sentence(figure),
        Kind::StackedBar => stacked::sentence(figure),
        Kind::Dot => dot::sentence(figure),
        Kind::Bullet => bullet::sentence(figure),
        Kind::Waterfall => waterfall::sentence(figure),
        Kind::Line | Kind::Sparkline => line::sentence(figure),
        Kind::Scatter => scatter::sentence(figure),
        Kind::Heatmap => heatmap::sentence(figure),
    }
}

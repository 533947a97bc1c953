//! The whole figure on one sheet: title, panels side by side, key.

use super::measure::{LINE_HEIGHT, wrap};
use super::scene::{Anchor, Scene};
use super::{Figure, key, panel};

const TITLE_SIZE: f64 = 15.0;
const EDGE: f64 = 10.0;
/// More panels than this go to a second row.
const PANELS_A_ROW: usize = 3;

pub(super) fn whole(figure: &Figure) -> Scene {
    let columns = figure.panels.len().clamp(1, PANELS_A_ROW);
    let width = columns as f64 * panel::WIDTH;
    let mut sheet = Scene::new(width, 0.0);
    let mut y = EDGE;
    for line in wrap(&figure.title, TITLE_SIZE, width - 2.0 * EDGE) {
        sheet.text((EDGE + 2.0, y + TITLE_SIZE), line, TITLE_SIZE, Anchor::Start);
        y += TITLE_SIZE * LINE_HEIGHT;
    }
    y += 4.0;
    for row in figure.panels.chunks(columns) {
        let mut height = 0.0f64;
        for (i, panel) in row.iter().enumerate() {
            let drawn = panel::draw(panel, figure.colour_bar.as_ref());
            height = height.max(drawn.height);
            sheet.place(drawn, i as f64 * panel::WIDTH, y);
        }
        y += height;
    }
    if let Some(drawn) = key::draw(figure, width) {
        let height = drawn.height;
        sheet.place(drawn, 0.0, y);
        y += height;
    }
    sheet.height = y + 4.0;
    sheet
}

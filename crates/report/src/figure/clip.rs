//! What of a line or an area lies inside the axes: cut by geometry, so that every renderer draws the same.

use super::scene::Place;

/// The rectangle that data may be drawn in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// The pieces of an open line that lie inside (each segment by Liang and Barsky's method, joined where they meet).
pub(super) fn line(places: &[Place], frame: &Frame) -> Vec<Vec<Place>> {
    let mut pieces: Vec<Vec<Place>> = Vec::new();
    for pair in places.windows(2) {
        let Some((a, b)) = segment(pair[0], pair[1], frame) else {
            continue;
        };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&a) => piece.push(b),
            _ => pieces.push(vec![a, b]),
        }
    }
    pieces
}

fn segment(a: Place, b: Place, frame: &Frame) -> Option<(Place, Place)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (along, room) in
        [(-dx, a.0 - frame.left), (dx, frame.right - a.0), (-dy, a.1 - frame.top), (dy, frame.bottom - a.1)]
    {
        if along == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if along < 0.0 {
            enter = enter.max(room / along);
        } else {
            leave = leave.min(room / along);
        }
    }
    let at = |t: f64| {
        if t == 0.0 {
            a
        } else if t == 1.0 {
            b
        } else {
            (a.0 + t * dx, a.1 + t * dy)
        }
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// The part of a closed area that lies inside (Sutherland and Hodgman's method); empty where none does.
pub(super) fn area(places: &[Place], frame: &Frame) -> Vec<Place> {
    type Coordinate = fn(Place) -> f64;
    let sides: [(Coordinate, f64, f64); 4] = [
        (|p| p.0, frame.left, 1.0),
        (|p| p.0, frame.right, -1.0),
        (|p| p.1, frame.top, 1.0),
        (|p| p.1, frame.bottom, -1.0),
    ];
    sides.into_iter().fold(places.to_vec(), |places, (coordinate, edge, sign)| {
        let inside = |p: Place| (coordinate(p) - edge) * sign;
        let mut kept = Vec::with_capacity(places.len() + 4);
        for i in 0..places.len() {
            let (a, b) = (places[i], places[(i + 1) % places.len()]);
            let (da, db) = (inside(a), inside(b));
            if da >= 0.0 {
                kept.push(a);
            }
            if (da >= 0.0) != (db >= 0.0) {
                let t = da / (da - db);
                kept.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            }
        }
        kept
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn line_leaving_and_returning_is_two_pieces() {
        let pieces = line(&[(1.0, 5.0), (1.0, 15.0), (9.0, 15.0), (9.0, 5.0)], &FRAME);
        assert_eq!(pieces, [vec![(1.0, 5.0), (1.0, 10.0)], vec![(9.0, 10.0), (9.0, 5.0)]]);
    }

    #[test]
    fn line_inside_is_kept_as_it_is() {
        let places = [(1.0, 1.0), (2.0, 3.0), (9.0, 9.0)];
        assert_eq!(line(&places, &FRAME), [places.to_vec()]);
        assert!(line(&[(11.0, 0.0), (12.0, 5.0)], &FRAME).is_empty());
    }

    #[test]
    fn area_larger_than_the_frame_becomes_the_frame() {
        let cut = area(&[(-5.0, -5.0), (15.0, -5.0), (15.0, 15.0), (-5.0, 15.0)], &FRAME);
        assert_eq!(cut.len(), 4);
        assert!(cut.iter().all(|p| (p.0 == 0.0 || p.0 == 10.0) && (p.1 == 0.0 || p.1 == 10.0)));
        assert!(area(&[(20.0, 0.0), (30.0, 0.0), (30.0, 5.0)], &FRAME).is_empty());
    }
}

//! Colours that the colour-blind can tell apart and that keep their order in grey.

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    const fn hex(code: u32) -> Self {
        Self((code >> 16) as u8, (code >> 8) as u8, code as u8)
    }

    pub(super) fn to_hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

pub(super) const INK: Rgb = Rgb::hex(0x1a1a1a);
pub(super) const AXIS: Rgb = Rgb::hex(0x4d4d4d);
pub(super) const GRID: Rgb = Rgb::hex(0xe4e4e4);
pub(super) const MUTED: Rgb = Rgb::hex(0x777777);
pub(super) const PAPER: Rgb = Rgb::hex(0xffffff);

/// Okabe and Ito's palette (2008), in an order whose neighbours differ in lightness too; its yellow and light
/// orange are left out because they vanish on white.
const HUES: [Rgb; 6] = [
    Rgb::hex(0x0072b2),
    Rgb::hex(0xd55e00),
    Rgb::hex(0x009e73),
    Rgb::hex(0xcc79a7),
    Rgb::hex(0x56b4e9),
    Rgb::hex(0x6b4c00),
];

/// The n-th colour for things without an order.
pub(super) fn hue(n: usize) -> Rgb {
    HUES[n % HUES.len()]
}

/// matplotlib's viridis with CIE lightness compressed from 15…91 to 15…67, hue kept (chroma reduced where sRGB
/// ends): every stop has contrast ≥ 2.5 with white, and lightness still rises along the whole scale.
const RAMP: [Rgb; 13] = [
    Rgb::hex(0x440154),
    Rgb::hex(0x431a6b),
    Rgb::hex(0x392f77),
    Rgb::hex(0x28437a),
    Rgb::hex(0x145378),
    Rgb::hex(0x036272),
    Rgb::hex(0x046f6c),
    Rgb::hex(0x027c64),
    Rgb::hex(0x058a54),
    Rgb::hex(0x239733),
    Rgb::hex(0x5a9f03),
    Rgb::hex(0x8ea106),
    Rgb::hex(0xb5a505),
];

/// The colour at a place on the ordered scale, 0 to 1 (held at its ends beyond them).
pub(super) fn ramp(share: f64) -> Rgb {
    let at = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let below = (at.floor() as usize).min(RAMP.len() - 2);
    let part = at - below as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (RAMP[below], RAMP[below + 1]);
    Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(colour: Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    }

    #[test]
    fn ramp_in_grey_keeps_its_order_and_contrast() {
        let grey: Vec<f64> = (0..=48).map(|i| luminance(ramp(f64::from(i) / 48.0))).collect();
        assert!(grey.windows(2).all(|pair| pair[1] > pair[0]));
        assert!(grey.iter().all(|l| 1.05 / (l + 0.05) >= 2.5));
    }

    #[test]
    fn ramp_outside_the_scale_is_held_at_its_ends() {
        assert_eq!(ramp(-3.0), RAMP[0]);
        assert_eq!(ramp(7.0), RAMP[12]);
        assert_eq!(ramp(f64::NAN).0, 0);
    }

    #[test]
    fn text_colours_have_contrast_of_four_and_a_half_with_paper() {
        for colour in [INK, AXIS] {
            assert!(1.05 / (luminance(colour) + 0.05) > 4.5);
        }
    }
}

//! Panels: a right operand is copied once, in the order in which a register tile reads it.

use crate::buffer::Buffer;
use crate::gemm::panel_width;
use crate::isa::{Isa, Kind};

/// A `[k, n]` matrix in panels that are as wide as a tile and k rows long. The last panel is padded with zeros. The memory is
/// reused and never shrinks.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    data: Buffer,
    k: usize,
    n: usize,
    width: usize,
}

/// Part of a packed matrix.
#[derive(Clone, Copy, Debug)]
pub struct Panels<'a> {
    packed: &'a Packed,
    row: usize,
    column: usize,
}

impl Panels<'_> {
    /// Rows.
    pub fn k(&self) -> usize {
        self.packed.k - self.row
    }

    /// Columns.
    pub fn n(&self) -> usize {
        self.packed.n - self.column
    }

    /// Columns of a panel.
    pub(crate) fn width(&self) -> usize {
        self.packed.width
    }

    /// Distance between panels.
    pub(crate) fn stride(&self) -> usize {
        self.packed.k * self.packed.width
    }

    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.packed.data[self.column * self.packed.k + self.row * self.packed.width..].as_ptr()
    }
}

/// The memory layout of the matrix to pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Element (p, j) is `data[p * stride + j]`.
    Rows,
    /// Element (p, j) is `data[j * stride + p]`: the transpose lies in memory.
    Columns,
}

impl Packed {
    /// Rows.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Columns.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        4 * self.data.len()
    }

    /// All of it.
    pub fn whole(&self) -> Panels<'_> {
        self.part(0, 0)
    }

    /// The part that begins at a row and a column; the column must begin a panel.
    ///
    /// # Panics
    /// When the place is outside the matrix or inside a panel. That is a mistake in the plan.
    pub fn part(&self, row: usize, column: usize) -> Panels<'_> {
        assert!(
            row < self.k && column < self.n && column.is_multiple_of(self.width),
            "no panel begins there"
        );
        Panels { packed: self, row, column }
    }

    /// Copies a `[k, n]` matrix into panels, reusing the memory of the last one.
    ///
    /// # Panics
    /// When `source` is smaller than the sizes say. That is a mistake in the plan.
    pub fn pack(&mut self, isa: Isa, k: usize, n: usize, source: &[f32], stride: usize, layout: Layout) {
        let width = panel_width(isa);
        (self.k, self.n, self.width) = (k, n, width);
        let panels = n.div_ceil(width);
        self.data.grow(panels * width * k);
        for (p, panel) in self.data.chunks_exact_mut(k * width).take(panels).enumerate() {
            let column = p * width;
            let filled = width.min(n - column);
            match layout {
                Layout::Rows => {
                    for (i, row) in panel.chunks_exact_mut(width).enumerate() {
                        let from = &source[i * stride + column..][..filled];
                        row[..filled].copy_from_slice(from);
                        row[filled..].fill(0.0);
                    }
                }
                Layout::Columns => {
                    pack_columns(isa, k, filled, &source[column * stride..], stride, panel, width)
                }
            }
        }
    }
}

/// Fills one panel from a matrix whose transpose lies in memory, in blocks of eight by eight.
fn pack_columns(
    isa: Isa,
    k: usize,
    filled: usize,
    source: &[f32],
    stride: usize,
    panel: &mut [f32],
    width: usize,
) {
    assert!(source.len() >= (filled - 1) * stride + k && panel.len() >= k * width);
    let (k8, j8) = (k / 8 * 8, filled / 8 * 8);
    for j in (0..j8).step_by(8) {
        for i in (0..k8).step_by(8) {
            transpose8(isa, &source[j * stride + i..], stride, &mut panel[i * width + j..], width);
        }
    }
    for (i, row) in panel.chunks_exact_mut(width).enumerate() {
        let done = if i < k8 { j8 } else { 0 };
        for (j, to) in row[..filled].iter_mut().enumerate().skip(done) {
            *to = source[j * stride + i];
        }
        row[filled..].fill(0.0);
    }
}

/// `to[i, j] = from[j, i]` for eight by eight elements.
#[inline(always)]
fn transpose8(isa: Isa, from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    assert!(from.len() >= 7 * from_stride + 8 && to.len() >= 7 * to_stride + 8);
    match isa.0 {
        Kind::Portable => {
            for i in 0..8 {
                for j in 0..8 {
                    to[i * to_stride + j] = from[j * from_stride + i];
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the bounds were asserted, and both kinds imply AVX2.
        Kind::Avx2 | Kind::Avx512 => unsafe {
            transpose8_avx2(from.as_ptr(), from_stride, to.as_mut_ptr(), to_stride);
        },
    }
}

/// # Safety
/// Each of the eight rows of both operands has eight floats; AVX2 exists.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn transpose8_avx2(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
    use std::arch::x86_64::*;
    // SAFETY: by the contract above.
    let r: [__m256; 8] = std::array::from_fn(|j| unsafe { _mm256_loadu_ps(from.add(j * from_stride)) });
    let pairs: [__m256; 8] = [
        _mm256_unpacklo_ps(r[0], r[1]),
        _mm256_unpackhi_ps(r[0], r[1]),
        _mm256_unpacklo_ps(r[2], r[3]),
        _mm256_unpackhi_ps(r[2], r[3]),
        _mm256_unpacklo_ps(r[4], r[5]),
        _mm256_unpackhi_ps(r[4], r[5]),
        _mm256_unpacklo_ps(r[6], r[7]),
        _mm256_unpackhi_ps(r[6], r[7]),
    ];
    let quads: [__m256; 8] = [
        _mm256_shuffle_ps::<0x44>(pairs[0], pairs[2]),
        _mm256_shuffle_ps::<0xee>(pairs[0], pairs[2]),
        _mm256_shuffle_ps::<0x44>(pairs[1], pairs[3]),
        _mm256_shuffle_ps::<0xee>(pairs[1], pairs[3]),
        _mm256_shuffle_ps::<0x44>(pairs[4], pairs[6]),
        _mm256_shuffle_ps::<0xee>(pairs[4], pairs[6]),
        _mm256_shuffle_ps::<0x44>(pairs[5], pairs[7]),
        _mm256_shuffle_ps::<0xee>(pairs[5], pairs[7]),
    ];
    for i in 0..4 {
        // SAFETY: by the contract above.
        unsafe {
            _mm256_storeu_ps(to.add(i * to_stride), _mm256_permute2f128_ps::<0x20>(quads[i], quads[i + 4]));
            _mm256_storeu_ps(
                to.add((i + 4) * to_stride),
                _mm256_permute2f128_ps::<0x31>(quads[i], quads[i + 4]),
            );
        }
    }
}

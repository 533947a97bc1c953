//! Matrix products for tall activations and small weights: C = start + A·B.
//!
//! **The bit rule.** Every element of C is one sequential chain of fused multiply-adds over k that begins
//! at its start value; each of these multiply-adds is a link of the chain. So the register tile, the chunk of rows and the
//! instruction set do not change a bit, and neither does a product that stops and later continues from C. (Only the choice
//! between two NaNs may differ.)
//!
//! A is read in place, by rows or by columns, so a transpose costs nothing. B is read in place when its rows
//! are contiguous, and from panels ([`crate::pack::Packed`]) otherwise. C is written in place.

#[cfg(target_arch = "x86_64")]
mod avx2;

use crate::isa::{Isa, Kind, for_each_isa};
use crate::lanes::{Apart, Lanes, Portable};
use crate::pack::Panels;
use std::hint::black_box;
use std::mem::MaybeUninit;

/// Sizes of a product: C is `[m, n]`, A is `[m, k]`, B is `[k, n]`.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Length of every chain.
    pub k: usize,
}

/// The left operand, read in place.
#[derive(Clone, Copy, Debug)]
pub enum Left<'a> {
    /// Element (i, p) is `data[i * row + p]`.
    Rows {
        /// The floats.
        data: &'a [f32],
        /// Distance between rows.
        row: usize,
    },
    /// Element (i, p) is `data[p * col + i]`: the transpose lies in memory.
    Columns {
        /// The floats.
        data: &'a [f32],
        /// Distance between columns.
        col: usize,
    },
}

/// The memory layout of the left operand, as a constant of the register tile.
const ROWS: usize = 0;
const COLUMNS: usize = 1;
/// By columns, and packed tile by tile.
const PACKED: usize = 2;

/// The right operand.
#[derive(Clone, Copy, Debug)]
pub enum Right<'a> {
    /// Element (p, j) is `data[p * row + j]`. Whole vectors are read, so `data` must extend
    /// [`SLACK`] floats beyond the last element.
    Rows {
        /// The floats.
        data: &'a [f32],
        /// Distance between rows.
        row: usize,
    },
    /// Panels made by [`Packed::pack`](crate::pack::Packed::pack).
    Panels(Panels<'a>),
}

/// How many floats a buffer that is read as [`Right::Rows`] must have behind its last element.
pub const SLACK: usize = 16;

/// Where the chains of a product begin.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// At zero.
    Zero,
    /// At the value in C.
    C,
    /// Every row at this row.
    Row(&'a [f32]),
    /// At the value in C plus this row.
    CPlusRow(&'a [f32]),
}

/// The operands as the register tiles see them, after all bounds have been checked.
#[derive(Clone, Copy)]
struct Raw {
    size: Size,
    a: *const f32,
    a_layout: usize,
    a_stride: usize,
    b: *const f32,
    b_row: usize,
    /// Distance between panels of B of `panel_width` columns.
    b_panel: usize,
    panel_width: usize,
    c: *mut f32,
    c_row: usize,
    from_c: bool,
    /// Null or `n` floats.
    start_row: *const f32,
}

/// C = start + A·B.
///
/// # Panics
/// When an operand is smaller than the sizes say. That is a mistake in the plan, not in the input.
pub fn gemm(isa: Isa, size: Size, a: Left<'_>, b: Right<'_>, start: Start<'_>, c: &mut [f32], c_row: usize) {
    let Size { m, n, k } = size;
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0, "an empty chain");
    let (a, a_layout, a_stride, a_end) = match a {
        Left::Rows { data, row } => (data, ROWS, row, end(m, row, k)),
        Left::Columns { data, col } => (data, COLUMNS, col, end(k, col, m)),
    };
    assert!(a_end <= a.len(), "A is too small for {size:?}");
    assert!(end(m, c_row, n) <= c.len() && (n <= c_row || m == 1), "C is too small for {size:?}");
    let (b, b_row, b_panel, panel_width) = match b {
        Right::Rows { data, row } => {
            assert!(end(k, row, n + SLACK) <= data.len() + 1, "B is too small for {size:?}");
            (data.as_ptr(), row, panel_width(isa), panel_width(isa))
        }
        Right::Panels(panels) => {
            assert!(k <= panels.k() && n <= panels.n(), "the panels are too small for {size:?}");
            assert!(
                panels.width() <= panel_width(isa),
                "the panels are wider than the tiles of {}",
                isa.name()
            );
            (panels.as_ptr(), panels.width(), panels.stride(), panels.width())
        }
    };
    let (from_c, row) = match start {
        Start::Zero => (false, None),
        Start::C => (true, None),
        Start::Row(row) => (false, Some(row)),
        Start::CPlusRow(row) => (true, Some(row)),
    };
    assert!(row.is_none_or(|row| row.len() >= n), "the start row is too short for {size:?}");
    let raw = Raw {
        size,
        a: a.as_ptr(),
        a_layout,
        a_stride,
        b,
        b_row,
        b_panel,
        panel_width,
        c: c.as_mut_ptr(),
        c_row,
        from_c,
        start_row: row.map_or(std::ptr::null(), <[f32]>::as_ptr),
    };
    if a_layout == COLUMNS && K_BLOCK.min(k) * a_stride > PACK_FROM_FLOATS && n >= PACK_FROM_COLUMNS {
        packed_first(isa, &raw);
    } else if b_row != panel_width && m >= COPY_FROM_ROWS {
        copied(isa, &raw);
    } else {
        in_place(isa, &raw);
    }
}

/// The index behind the last float of `rows` rows of `floats` floats. It saturates, so an impossible distance fails the
/// check of the bounds.
fn end(rows: usize, distance: usize, floats: usize) -> usize {
    (rows - 1).saturating_mul(distance).saturating_add(floats)
}

/// Columns of a panel: two registers.
pub(crate) fn panel_width(isa: Isa) -> usize {
    match isa.0 {
        Kind::Portable => 2 * Portable::N,
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => 16,
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => 32,
    }
}

for_each_isa! {
    /// The product with both operands read in place. Only [`gemm`] may call this: it checks the bounds.
    fn in_place(raw: &Raw) {
        let (no_panel, no_space) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: `gemm` checked the bounds; this is compiled for the instructions of `V`.
        unsafe {
            match raw.a_layout {
                ROWS => by_panels::<V, ROWS>(raw, no_panel, no_space),
                _ => by_panels::<V, COLUMNS>(raw, no_panel, no_space),
            }
        }
    }

    /// The product with copied panels of B. This is a separate function so that only a product with many rows pays for the
    /// stack frame. Only [`gemm`] may call this: it checks the bounds.
    #[inline(never)]
    fn copied(raw: &Raw) {
        let mut panel = Panel([const { MaybeUninit::uninit() }; K_BLOCK * 32]);
        let (panel, no_space) = (panel.0.as_mut_ptr().cast(), std::ptr::null_mut());
        // SAFETY: as above.
        unsafe {
            match raw.a_layout {
                ROWS => by_panels::<V, ROWS>(raw, panel, no_space),
                _ => by_panels::<V, COLUMNS>(raw, panel, no_space),
            }
        }
    }

    /// The product that first packs columns of A, block by block, and copies panels of B. Only [`gemm`] may call this: it
    /// checks the bounds.
    #[inline(never)]
    fn packed_first(raw: &Raw) {
        let mut panel = Panel([const { MaybeUninit::uninit() }; K_BLOCK * 32]);
        let mut space = Space([const { MaybeUninit::uninit() }; A_BLOCK + SLACK]);
        // SAFETY: as above; a block of A has at most A_BLOCK floats, and its last tile extends beyond them by less than a register.
        unsafe { by_panels::<V, PACKED>(raw, panel.0.as_mut_ptr().cast(), space.0.as_mut_ptr().cast()) }
    }
}

/// Steps of k for which a panel is used at a time: 256 rows of B (16 kB) and of a tile of A (6 kB) fit into L1.
const K_BLOCK: usize = 256;

/// From this number of rows of C on, a panel of B is copied before use. The copy is then a hundredth of the work, and
/// it avoids touching as many pages as the panel has rows.
const COPY_FROM_ROWS: usize = 140;

/// Room for a copied panel of B.
#[repr(C, align(64))]
struct Panel([MaybeUninit<f32>; K_BLOCK * 32]);

/// Floats in a block of A: its 160 kB stay in L2 while the panels of B stream through.
const A_BLOCK: usize = 40 * 1024;

/// A block of A that is stored by columns is packed if it spans more floats than this: the processor caches the addresses
/// of some 24 pages beside those of B and C.
const PACK_FROM_FLOATS: usize = 24 * 1024;

/// From this number of columns of C on, a block of A is reused often enough to be worth packing.
const PACK_FROM_COLUMNS: usize = 128;

/// From this number of floats on, panels of B are prefetched. The rest of the plan has evicted so many weights from L2, and
/// the hardware prefetcher starts again in every panel.
const AHEAD_FROM_FLOATS: usize = 32 * 1024;

/// Floats in a cache line.
const LINE: usize = 16;

/// Room for a packed block of A.
#[repr(C, align(64))]
struct Space([MaybeUninit<f32>; A_BLOCK + SLACK]);

/// Rows divided into parts that differ by at most one row.
#[derive(Clone, Copy)]
struct Shares {
    parts: usize,
    least: usize,
    larger: usize,
}

impl Shares {
    /// A single division serves all parts, because a short product takes little longer than a division.
    #[inline(always)]
    fn new(rows: usize, parts: usize) -> Self {
        Self { parts, least: rows / parts, larger: rows % parts }
    }

    /// Rows of one part; the first parts take the remainder, one row each.
    #[inline(always)]
    fn of(self, part: usize) -> usize {
        self.least + usize::from(part < self.larger)
    }
}

/// Computes C by blocks of rows, then by blocks of k, then by panels of B: a panel stays in L1 while the tiles of a block of
/// A use it, and the block stays in L2 while the panels stream through.
///
/// # Safety
/// `raw` describes memory within bounds; the instructions of `V` exist; `panel` is null, or has room for a [`Panel`] of B;
/// `space` has room for a [`Space`] if A is [`PACKED`].
#[inline(always)]
unsafe fn by_panels<V: Lanes, const A: usize>(raw: &Raw, panel: *mut f32, space: *mut f32) {
    let Size { m, n, k } = raw.size;
    let (a_row, a_col) = if A == ROWS { (raw.a_stride, 1) } else { (1, raw.a_stride) };
    // Columns of A that are read in place span few pages, or few panels use them.
    let blocks = if A == COLUMNS { 1 } else { m.div_ceil(A_BLOCK / K_BLOCK.min(k)) };
    let shares = Shares::new(m, blocks);
    let ahead = raw.b_row == raw.panel_width && n * k >= AHEAD_FROM_FLOATS;
    let mut from = 0;
    for block in 0..blocks {
        let m = shares.of(block);
        let heights = Shares::new(m, m.div_ceil(V::TALLEST[1]));
        for first in (0..k).step_by(K_BLOCK) {
            let steps = K_BLOCK.min(k - first);
            let mut a = raw.a.wrapping_add(first * a_col + from * a_row);
            if A == PACKED {
                // SAFETY: the block's columns are inside A; it has at most A_BLOCK floats.
                unsafe { pack_tiles::<V>(m, steps, a, raw.a_stride, space) };
                a = space;
            }
            for column in (0..n).step_by(raw.panel_width) {
                let width = (n - column).min(raw.panel_width);
                let panel_at = first * raw.b_row + column / raw.panel_width * raw.b_panel;
                // SAFETY: the block's first row of this panel is inside B.
                let mut b = unsafe { raw.b.add(panel_at) };
                let mut b_row = raw.b_row;
                if !panel.is_null() {
                    // SAFETY: the tiles would read the same whole registers of B; the copy has room for K_BLOCK rows of two registers.
                    unsafe {
                        if width > V::N {
                            copy_panel::<V, 2>(steps, b, b_row, panel);
                        } else {
                            copy_panel::<V, 1>(steps, b, b_row, panel);
                        }
                    }
                    (b, b_row) = (panel.cast_const(), 2 * V::N);
                }
                let tile = Tile {
                    k: steps,
                    a,
                    a_row: if A == PACKED { steps } else { a_row },
                    a_col: raw.a_stride,
                    b,
                    b_row,
                    c: raw.c.wrapping_add(column + from * raw.c_row),
                    c_row: raw.c_row,
                    from_c: raw.from_c || first > 0,
                    start_row: if raw.start_row.is_null() || first > 0 {
                        std::ptr::null()
                    } else {
                        raw.start_row.wrapping_add(column)
                    },
                    width,
                    // Only a prefetch uses this address, so it may point behind the last panel.
                    next: raw.b.wrapping_add(panel_at + raw.b_panel),
                    next_floats: if ahead { steps.div_ceil(heights.parts) * raw.panel_width } else { 0 },
                };
                // SAFETY: rows 0..m and the panel's columns are inside the operands.
                unsafe {
                    if width > V::N {
                        by_tiles::<V, 2, A>(heights, tile);
                    } else {
                        // Packed tiles have the same height for every panel.
                        let parts = m.div_ceil(V::TALLEST[usize::from(A == PACKED)]);
                        by_tiles::<V, 1, A>(Shares::new(m, parts), tile);
                    }
                }
            }
        }
        from += m;
    }
}

/// Packs columns of A for the tiles of [`by_tiles`], so that the floats of a tile are contiguous.
///
/// # Safety
/// `m` columns of `steps` floats are inside A; at `to` there is room for as many floats and one register more; the
/// instructions of `V` exist.
#[inline(always)]
unsafe fn pack_tiles<V: Lanes>(m: usize, steps: usize, a: *const f32, a_stride: usize, to: *mut f32) {
    let tiles = m.div_ceil(V::TALLEST[1]);
    let heights = Shares::new(m, tiles);
    let mut row = 0;
    for t in 0..tiles {
        let rows = heights.of(t);
        let (mut from, mut to) = (a.wrapping_add(row), to.wrapping_add(row * steps));
        for _ in 0..steps {
            // This stores a whole register; the next store overwrites the excess.
            // SAFETY: by the contract above; no tile is as tall as a register is long.
            unsafe { V::load_partial(from, rows).store(to) };
            (from, to) = (from.wrapping_add(a_stride), to.wrapping_add(rows));
        }
        row += rows;
    }
}

/// Copies NV registers of each of `steps` rows of B to rows of two registers.
///
/// # Safety
/// B is readable and the copy writable that far; the instructions of `V` exist.
#[inline(always)]
unsafe fn copy_panel<V: Lanes, const NV: usize>(steps: usize, b: *const f32, b_row: usize, to: *mut f32) {
    let (mut from, mut to) = (b, to);
    for _ in 0..steps {
        for j in 0..NV {
            // SAFETY: by the contract above.
            unsafe { V::load(from.add(j * V::N)).store(to.add(j * V::N)) }
        }
        // After the last step both pointers are beyond their ends, and nothing reads them.
        (from, to) = (from.wrapping_add(b_row), to.wrapping_add(2 * V::N));
    }
}

/// Computes one column of tiles. Their heights differ by at most one row, so every tile has enough chains to hide the latency
/// of an FMA.
///
/// # Safety
/// As [`tile`] for all rows from `first` on.
#[inline(always)]
unsafe fn by_tiles<V: Lanes, const NV: usize, const A: usize>(heights: Shares, mut first: Tile) {
    for (height, count) in
        [(heights.least + 1, heights.larger), (heights.least, heights.parts - heights.larger)]
    {
        if count > 0 {
            // SAFETY: `count * height` rows from `first` on are inside the operands.
            unsafe { by_height::<V, NV, A>(height, count, first) }
            first = first.after(count, height);
        }
    }
}

#[derive(Clone, Copy)]
struct Tile {
    k: usize,
    a: *const f32,
    /// Distance between rows.
    a_row: usize,
    /// Distance between the links of a row when A is stored by columns.
    a_col: usize,
    b: *const f32,
    b_row: usize,
    c: *mut f32,
    c_row: usize,
    from_c: bool,
    start_row: *const f32,
    width: usize,
    /// The part of the next panel that this tile prefetches.
    next: *const f32,
    /// Floats of the next panel that each tile prefetches, in whole cache lines.
    next_floats: usize,
}

impl Tile {
    /// The tile below `tiles` tiles of this height.
    #[inline(always)]
    fn after(self, tiles: usize, height: usize) -> Self {
        let rows = tiles * height;
        Self {
            a: self.a.wrapping_add(rows * self.a_row),
            c: self.c.wrapping_add(rows * self.c_row),
            next: self.next.wrapping_add(tiles * self.next_floats),
            ..self
        }
    }
}

/// Computes tiles of one height, one below the other.
///
/// # Safety
/// As [`tile`] for `count` tiles; `height` is at most `V::TALLEST[NV - 1]`.
#[inline(always)]
unsafe fn by_height<V: Lanes, const NV: usize, const A: usize>(height: usize, count: usize, first: Tile) {
    #[cfg(target_arch = "x86_64")]
    if V::KIND == Kind::Avx2 && avx2::can::<NV>(height, &first) {
        // SAFETY: passed on.
        return unsafe { avx2::tiles::<NV, A>(height, count, &first) };
    }
    macro_rules! tiles {
        ($($height:literal)*) => {
            match height {
                // SAFETY: passed on.
                $($height => unsafe { V::apart(&Tiles::<$height, NV, A> { first, count }) },)*
                _ => unreachable!("no tile is taller than the tallest"),
            }
        };
    }
    // These conditions are constants, so only the tiles that exist are compiled.
    if V::TALLEST[NV - 1] == 2 {
        tiles!(1 2)
    } else if V::TALLEST[NV - 1] == 6 {
        tiles!(1 2 3 4 5 6)
    } else if V::TALLEST[NV - 1] == 10 {
        tiles!(1 2 3 4 5 6 7 8 9 10)
    } else {
        tiles!(1 2 3 4 5 6 7 8 9 10 11 12)
    }
}

/// Tiles of MR rows and NV registers. They are compiled as a separate function; in one function with the tiles of all other
/// heights, the compiler would keep the addresses of all of them.
struct Tiles<const MR: usize, const NV: usize, const A: usize> {
    first: Tile,
    count: usize,
}

impl<const MR: usize, const NV: usize, const A: usize> Apart for Tiles<MR, NV, A> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(&self) {
        let mut t = self.first;
        for _ in 0..self.count {
            for line in (0..t.next_floats).step_by(LINE) {
                V::prefetch(t.next.wrapping_add(line));
            }
            // SAFETY: passed on.
            unsafe { tile::<V, MR, NV, A>(&t) }
            t = t.after(1, MR);
        }
    }
}

/// The register tile: loads MR rows of NV registers, accumulates along k, and stores them.
///
/// # Safety
/// The operands of `t` are within bounds for MR rows and `t.width` columns (B for whole registers); the
/// instructions of `V` exist.
#[inline(always)]
unsafe fn tile<V: Lanes, const MR: usize, const NV: usize, const A: usize>(t: &Tile) {
    // SAFETY: by the contract above, for every access below.
    unsafe {
        // Columns in the last register; the registers before it are full.
        let last = t.width - (NV - 1) * V::N;
        let mut acc = [[V::splat(0.0); NV]; MR];
        if !t.start_row.is_null() {
            for j in 0..NV {
                let p = t.start_row.add(j * V::N);
                let row = if j + 1 < NV || last == V::N { V::load(p) } else { V::load_partial(p, last) };
                for chains in &mut acc {
                    chains[j] = row;
                }
            }
        }
        if t.from_c {
            for (i, chains) in acc.iter_mut().enumerate() {
                for (j, chain) in chains.iter_mut().enumerate() {
                    let p = t.c.add(i * t.c_row + j * V::N);
                    let c = if j + 1 < NV || last == V::N { V::load(p) } else { V::load_partial(p, last) };
                    *chain = if t.start_row.is_null() { c } else { chain.add(c) };
                }
                // Prefetches the start values of the next tile; its rows may be far apart in memory.
                V::prefetch(t.c.wrapping_add((MR + i) * t.c_row));
            }
        }
        // Where each row of A begins, or each row of Aᵀ, whose distances are constants. `black_box` hides from the compiler
        // that rows are equally far apart: it would compute each address from the one before instead of keeping all of
        // them in registers.
        let rows: [*const f32; MR] = match A {
            ROWS => black_box(std::array::from_fn(|i| t.a.wrapping_add(i * t.a_row))),
            _ => std::array::from_fn(|i| t.a.wrapping_add(i)),
        };
        // The loop is unrolled four times: the addresses of its loads then differ by constants, and it spends its
        // instructions on FMAs.
        let mut p = 0;
        while p + 4 <= t.k {
            for unrolled in 0..4 {
                step::<V, MR, NV, A>(t, &rows, p + unrolled, &mut acc);
            }
            p += 4;
        }
        while p < t.k {
            step::<V, MR, NV, A>(t, &rows, p, &mut acc);
            p += 1;
        }
        for (i, chains) in acc.iter().enumerate() {
            for (j, chain) in chains.iter().enumerate() {
                let p = t.c.add(i * t.c_row + j * V::N);
                if j + 1 < NV || last == V::N {
                    chain.store(p);
                } else {
                    chain.store_partial(p, last);
                }
            }
        }
    }
}

/// One link of every chain: acc += A[.., p]·B[p, ..].
///
/// # Safety
/// As [`tile`], and p < k.
#[inline(always)]
unsafe fn step<V: Lanes, const MR: usize, const NV: usize, const A: usize>(
    t: &Tile,
    rows: &[*const f32; MR],
    p: usize,
    acc: &mut [[V; NV]; MR],
) {
    // SAFETY: by the contract above.
    unsafe {
        let b = t.b.add(p * t.b_row);
        let mut right = [V::splat(0.0); NV];
        for (j, register) in right.iter_mut().enumerate() {
            *register = V::load(b.add(j * V::N));
        }
        let link = match A {
            ROWS => p,
            COLUMNS => p * t.a_col,
            _ => p * MR,
        };
        for (chains, row) in acc.iter_mut().zip(rows) {
            let left = V::splat(*row.add(link));
            for (chain, &register) in chains.iter_mut().zip(&right) {
                *chain = chain.fma(left, register);
            }
        }
    }
}

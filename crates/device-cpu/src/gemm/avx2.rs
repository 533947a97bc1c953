//! Register tiles of AVX2, instruction by instruction.
//!
//! The compiled form of [`super::tile`] loses 25 cycles between two tiles, as many as four links take: twelve stores
//! wait for the ends of their chains, no later instruction retires, and soon no register is free for the links of the next
//! tile. Two measures avoid this. The last four links are computed row by row, so that the first rows are stored while the
//! last ones are still multiplied; and no address is spilled to memory between two tiles. Both depend on the order of the
//! instructions, which only assembly fixes.

use super::{COLUMNS, LINE, ROWS, Tile};
use std::arch::asm;
use std::mem::offset_of;

/// Links in one iteration of the loop, and links that are computed row by row after it.
const LINKS: usize = 4;

/// The values that the tiles read from memory, and `next`, which they advance. Distances are in bytes.
#[repr(C)]
struct Fixed {
    b: *const f32,
    /// Links that do not fill an iteration; they are computed first.
    single: usize,
    turns: usize,
    /// Distance from the end of a tile in A to the beginning of the next one.
    a_next: usize,
    c_next: usize,
    /// Where the chains begin: 0 for zero, or [`AT_C`], [`AT_ROW`] or their sum.
    begins: usize,
    start_row: *const f32,
    /// Cache lines of the next panel that each tile prefetches.
    next_lines: usize,
    /// The first cache line that the next tile prefetches.
    next: *const f32,
}

const AT_C: usize = 1;
const AT_ROW: usize = 2;

/// Whether [`tiles`] can compute these: full registers, enough links for one iteration and the last four, and enough rows to
/// gain from it.
pub(super) fn can<const NV: usize>(height: usize, tile: &Tile) -> bool {
    [6..=10, 4..=6][NV - 1].contains(&height) && tile.width == 8 * NV && tile.k >= 2 * LINKS
}

// The parts of the assembly. A row is a digit, a link one of 0 to 3, a tile one or two registers wide.

/// The register of a row's chains.
#[rustfmt::skip]
macro_rules! chain {
    (two 0 0) => { "ymm0" };
    (two 1 0) => { "ymm2" };
    (two 2 0) => { "ymm4" };
    (two 3 0) => { "ymm6" };
    (two 4 0) => { "ymm8" };
    (two 5 0) => { "ymm10" };
    (two 0 1) => { "ymm1" };
    (two 1 1) => { "ymm3" };
    (two 2 1) => { "ymm5" };
    (two 3 1) => { "ymm7" };
    (two 4 1) => { "ymm9" };
    (two 5 1) => { "ymm11" };
    (one $r:tt 0) => { concat!("ymm", $r) };
}

/// The address of a row's link, relative to the current position in A. By rows, {far} is row 3 and {stride3} the distance of
/// three rows; by columns, {stride3} is the distance of three links.
#[rustfmt::skip]
macro_rules! left {
    (rows 0 $u:tt) => { concat!("[{a} + 4*", $u, "]") };
    (rows 1 $u:tt) => { concat!("[{a} + {stride} + 4*", $u, "]") };
    (rows 2 $u:tt) => { concat!("[{a} + 2*{stride} + 4*", $u, "]") };
    (rows 3 $u:tt) => { concat!("[{far} + 4*", $u, "]") };
    (rows 4 $u:tt) => { concat!("[{far} + {stride} + 4*", $u, "]") };
    (rows 5 $u:tt) => { concat!("[{far} + 2*{stride} + 4*", $u, "]") };
    (rows 6 $u:tt) => { concat!("[{far} + {stride3} + 4*", $u, "]") };
    (rows 7 $u:tt) => { concat!("[{far} + 4*{stride} + 4*", $u, "]") };
    (rows 8 $u:tt) => { concat!("[{a} + 8*{stride} + 4*", $u, "]") };
    (rows 9 $u:tt) => { concat!("[{far} + 2*{stride3} + 4*", $u, "]") };
    (columns $r:tt 0) => { concat!("[{a} + 4*", $r, "]") };
    (columns $r:tt 1) => { concat!("[{a} + {stride} + 4*", $r, "]") };
    (columns $r:tt 2) => { concat!("[{a} + 2*{stride} + 4*", $r, "]") };
    (columns $r:tt 3) => { concat!("[{a} + {stride3} + 4*", $r, "]") };
}

/// The address of a register of B's row for a link, relative to the current position in B.
#[rustfmt::skip]
macro_rules! right {
    (0 $v:tt) => { concat!("[{b} + 32*", $v, "]") };
    (1 $v:tt) => { concat!("[{b} + {b_row} + 32*", $v, "]") };
    (2 $v:tt) => { concat!("[{b} + 2*{b_row} + 32*", $v, "]") };
    (3 $v:tt) => { concat!("[{b} + {b_row3} + 32*", $v, "]") };
}

/// The address of a register of a row of C. {c3} is row 3, and {turns}, which is free at that point, holds the distance of
/// three rows.
#[rustfmt::skip]
macro_rules! c {
    (0 $v:tt) => { concat!("[{c} + 32*", $v, "]") };
    (1 $v:tt) => { concat!("[{c} + {c_row} + 32*", $v, "]") };
    (2 $v:tt) => { concat!("[{c} + 2*{c_row} + 32*", $v, "]") };
    (3 $v:tt) => { concat!("[{c3} + 32*", $v, "]") };
    (4 $v:tt) => { concat!("[{c3} + {c_row} + 32*", $v, "]") };
    (5 $v:tt) => { concat!("[{c3} + 2*{c_row} + 32*", $v, "]") };
    (6 $v:tt) => { concat!("[{c3} + {turns} + 32*", $v, "]") };
    (7 $v:tt) => { concat!("[{c3} + 4*{c_row} + 32*", $v, "]") };
    (8 $v:tt) => { concat!("[{c} + 8*{c_row} + 32*", $v, "]") };
    (9 $v:tt) => { concat!("[{c3} + 2*{turns} + 32*", $v, "]") };
}

/// One instruction for every register of a row.
macro_rules! row {
    ($what:ident $r:tt two) => { concat!(row!($what $r two 0), row!($what $r two 1)) };
    ($what:ident $r:tt one) => { row!($what $r one 0) };
    (zero $r:tt $w:ident $v:tt) => {
        concat!("vxorps ", chain!($w $r $v), ", ", chain!($w $r $v), ", ", chain!($w $r $v), "\n")
    };
    (load $r:tt $w:ident $v:tt) => { concat!("vmovups ", chain!($w $r $v), ", ", c!($r $v), "\n") };
    (copy $r:tt $w:ident $v:tt) => { concat!("vmovaps ", chain!($w $r $v), ", ", shared!($v), "\n") };
    (add $r:tt $w:ident $v:tt) => { concat!("vaddps ", chain!($w $r $v), ", ", shared!($v), ", ", c!($r $v), "\n") };
    (fma $r:tt $w:ident $v:tt) => { concat!("vfmadd231ps ", chain!($w $r $v), ", ymm14, ", shared!($v), "\n") };
    (store $r:tt $w:ident $v:tt) => { concat!("vmovups ", c!($r $v), ", ", chain!($w $r $v), "\n") };
}

/// The registers that hold what all rows share: the start row, or B's row of a link.
macro_rules! shared {
    (0) => {
        "ymm12"
    };
    (1) => {
        "ymm13"
    };
}

/// The start row, at {b}.
macro_rules! start_row {
    (two) => { concat!(start_row!(one), "vmovups ymm13, ", right!(0 1)) };
    (one) => { concat!("vmovups ymm12, ", right!(0 0), "\n") };
}

/// One link of every row.
macro_rules! link {
    ($layout:ident $u:tt ($($r:tt)*) two) => { concat!(
        "vmovups ymm12, ", right!($u 0), "\n",
        "vmovups ymm13, ", right!($u 1), "\n",
        $("vbroadcastss ymm14, ", left!($layout $r $u), "\n", row!(fma $r two),)*
    ) };
    ($layout:ident $u:tt ($($r:tt)*) one) => { concat!(
        "vmovups ymm12, ", right!($u 0), "\n",
        $("vbroadcastss ymm14, ", left!($layout $r $u), "\n", row!(fma $r one),)*
    ) };
}

/// The last four links of a row, and its store.
macro_rules! last {
    ($layout:ident $r:tt two) => { concat!(
        last!($layout $r two 0), last!($layout $r two 1), last!($layout $r two 2), last!($layout $r two 3),
        row!(store $r two),
    ) };
    ($layout:ident $r:tt two $u:tt) => { concat!(
        "vbroadcastss ymm14, ", left!($layout $r $u), "\n",
        "vfmadd231ps ", chain!(two $r 0), ", ymm14, ", right!($u 0), "\n",
        "vfmadd231ps ", chain!(two $r 1), ", ymm14, ", right!($u 1), "\n",
    ) };
    ($layout:ident $r:tt one) => { concat!(
        last!($layout $r one 0), last!($layout $r one 1), last!($layout $r one 2), last!($layout $r one 3),
        row!(store $r one),
    ) };
    ($layout:ident $r:tt one $u:tt) => { concat!(
        "vbroadcastss ymm14, ", left!($layout $r $u), "\n",
        "vfmadd231ps ", chain!(one $r 0), ", ymm14, ymm1", $u, "\n",
    ) };
}

/// Loads the rows of B for the last links of tiles that are one register wide, which leave registers free.
macro_rules! before_last {
    (two) => { "" };
    (one) => { concat!(
        "vmovups ymm10, ", right!(0 0), "\n", "vmovups ymm11, ", right!(1 0), "\n",
        "vmovups ymm12, ", right!(2 0), "\n", "vmovups ymm13, ", right!(3 0), "\n",
    ) };
}

/// Advances the position in A.
macro_rules! on {
    (rows 1) => {
        "add {a}, 4\nadd {far}, 4\n"
    };
    (rows 4) => {
        "add {a}, 16\nadd {far}, 16\n"
    };
    (rows next) => {
        "add {a}, [{fixed} + {A_NEXT}]\nadd {far}, [{fixed} + {A_NEXT}]\n"
    };
    (columns 1) => {
        "add {a}, {stride}\n"
    };
    (columns 4) => {
        "lea {a}, [{a} + 4*{stride}]\n"
    };
    (columns next) => {
        "add {a}, [{fixed} + {A_NEXT}]\n"
    };
}

/// Computes `count` tiles of NV registers, one below the other.
///
/// # Safety
/// As [`super::tile`] for `count` tiles, at least one, for which [`can`] is true; AVX2 and FMA exist.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn tiles<const NV: usize, const A: usize>(height: usize, count: usize, first: &Tile) {
    debug_assert!(count > 0 && can::<NV>(height, first));
    let bytes = |floats: usize| 4 * floats;
    let carried = first.k - LINKS;
    // The distance between rows (or between links, when A is stored by columns), between links, and between tiles of A.
    let (stride, link, below) = match A {
        ROWS => (bytes(first.a_row), 4, bytes(height * first.a_row)),
        COLUMNS => (bytes(first.a_col), bytes(first.a_col), bytes(height)),
        _ => (bytes(height), bytes(height), bytes(height * first.k)),
    };
    let mut fixed = Fixed {
        b: first.b,
        single: carried % LINKS,
        turns: carried / LINKS,
        a_next: below.wrapping_sub(carried * link),
        c_next: bytes(height * first.c_row),
        begins: if first.from_c { AT_C } else { 0 } + if first.start_row.is_null() { 0 } else { AT_ROW },
        start_row: first.start_row,
        next_lines: first.next_floats.div_ceil(LINE),
        next: first.next,
    };

    macro_rules! tiles {
        ($layout:ident $width:tt ($($r:tt)*)) => {
            // SAFETY: the assembly reads and writes the same memory as `super::tile`, within the caller's contract: rows of the
            // tile, links below k (iterations, single links and the last four add up to k), and full registers. `fixed`
            // outlives the assembly and is mutable.
            unsafe {
                asm!(
                    "2:",
                    "lea {c3}, [{c_row} + 2*{c_row}]",
                    "mov {turns}, {c3}",
                    "add {c3}, {c}",
                    "cmp qword ptr [{fixed} + {NEXT_LINES}], 0",
                    "jne 22f",
                    "3:",
                    "cmp qword ptr [{fixed} + {BEGINS}], 0",
                    "jne 23f",
                    $(row!(zero $r $width),)*
                    "4:",
                    "mov {b}, [{fixed} + {B}]",
                    "cmp qword ptr [{fixed} + {SINGLE}], 0",
                    "jne 27f",
                    "5:",
                    "mov {turns}, [{fixed} + {TURNS}]",
                    ".p2align 5",
                    "6:",
                    link!($layout 0 ($($r)*) $width),
                    link!($layout 1 ($($r)*) $width),
                    link!($layout 2 ($($r)*) $width),
                    link!($layout 3 ($($r)*) $width),
                    "lea {b}, [{b} + 4*{b_row}]",
                    on!($layout 4),
                    "dec {turns}",
                    "jnz 6b",
                    "lea {turns}, [{c_row} + 2*{c_row}]",
                    before_last!($width),
                    $(last!($layout $r $width),)*
                    on!($layout next),
                    "add {c}, [{fixed} + {C_NEXT}]",
                    "dec {count}",
                    "jnz 2b",
                    "jmp 29f",
                    "/* {far} {stride3}: not every tile has a use for both */",

                    // Prefetches the tile's part of the next panel.
                    "22:",
                    "mov {turns}, [{fixed} + {NEXT_LINES}]",
                    "mov {b}, [{fixed} + {NEXT}]",
                    "7:",
                    "prefetcht0 [{b}]",
                    "add {b}, {LINE_BYTES}",
                    "dec {turns}",
                    "jnz 7b",
                    "mov [{fixed} + {NEXT}], {b}",
                    "lea {turns}, [{c_row} + 2*{c_row}]",
                    "jmp 3b",

                    // Chains that do not begin at zero.
                    "23:",
                    "cmp qword ptr [{fixed} + {BEGINS}], {AT_ROW}",
                    "jae 24f",
                    $(row!(load $r $width),)*
                    "jmp 26f",
                    "24:",
                    "mov {b}, [{fixed} + {START_ROW}]",
                    start_row!($width),
                    "ja 25f",
                    $(row!(copy $r $width),)*
                    "jmp 4b",
                    "25:",
                    $(row!(add $r $width),)*
                    "26:",
                    // Prefetches the start values of the next tile; its rows may be far apart in memory.
                    "mov {b}, [{fixed} + {C_NEXT}]",
                    "add {c}, {b}",
                    "add {c3}, {b}",
                    $(concat!("prefetcht0 ", c!($r 0)),)*
                    "sub {c}, {b}",
                    "sub {c3}, {b}",
                    "jmp 4b",

                    // Links that do not fill an iteration.
                    "27:",
                    "mov {turns}, [{fixed} + {SINGLE}]",
                    "28:",
                    link!($layout 0 ($($r)*) $width),
                    "add {b}, {b_row}",
                    on!($layout 1),
                    "dec {turns}",
                    "jnz 28b",
                    "jmp 5b",

                    "29:",
                    // Clears the upper halves of the registers. The declarations below name only their lower halves, so the compiler
                    // does not do it, and dirty upper halves slow down SSE code by hundreds of cycles per product.
                    "vzeroupper",
                    fixed = in(reg) &raw mut fixed,
                    a = inout(reg) first.a => _,
                    far = inout(reg) first.a.wrapping_add(3 * first.a_row) => _,
                    stride = in(reg) stride,
                    stride3 = in(reg) 3 * stride,
                    b = out(reg) _,
                    b_row = in(reg) bytes(first.b_row),
                    b_row3 = in(reg) bytes(3 * first.b_row),
                    c = inout(reg) first.c => _,
                    c_row = in(reg) bytes(first.c_row),
                    c3 = out(reg) _,
                    turns = out(reg) _,
                    count = inout(reg) count => _,
                    B = const offset_of!(Fixed, b),
                    SINGLE = const offset_of!(Fixed, single),
                    TURNS = const offset_of!(Fixed, turns),
                    A_NEXT = const offset_of!(Fixed, a_next),
                    C_NEXT = const offset_of!(Fixed, c_next),
                    BEGINS = const offset_of!(Fixed, begins),
                    AT_ROW = const AT_ROW,
                    START_ROW = const offset_of!(Fixed, start_row),
                    NEXT_LINES = const offset_of!(Fixed, next_lines),
                    NEXT = const offset_of!(Fixed, next),
                    LINE_BYTES = const 4 * LINE,
                    out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _,
                    out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                    out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                    options(nostack),
                )
            }
        };
    }
    macro_rules! by_height {
        ($layout:ident $width:tt $($height:literal: $rows:tt)*) => {
            match height {
                $($height => tiles!($layout $width $rows),)*
                _ => unreachable!("it cannot do these"),
            }
        };
    }
    macro_rules! by_width {
        ($layout:ident) => {
            if NV == 2 {
                by_height!($layout two 4: (0 1 2 3) 5: (0 1 2 3 4) 6: (0 1 2 3 4 5))
            } else {
                by_height!($layout one 6: (0 1 2 3 4 5)
                    7: (0 1 2 3 4 5 6) 8: (0 1 2 3 4 5 6 7) 9: (0 1 2 3 4 5 6 7 8) 10: (0 1 2 3 4 5 6 7 8 9))
            }
        };
    }
    if A == ROWS { by_width!(rows) } else { by_width!(columns) }
}

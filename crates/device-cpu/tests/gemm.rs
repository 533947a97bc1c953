//! Matrix products: every path gives the bits of one FMA chain, for every shape, stride and start.

use scalelaw_device_cpu::Isa;
use scalelaw_device_cpu::gemm::{Left, Right, SLACK, Size, Start, gemm};
use scalelaw_device_cpu::pack::{Layout, Packed};

/// Numbers in (-1, 1) that look random.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut x = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

struct Case {
    size: Size,
    a_transposed: bool,
}

fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for (m, n, k) in [
        (1, 1, 1),
        (1, 2, 5),
        (7, 8, 3),
        (6, 16, 9),
        (13, 17, 11),
        (12, 31, 4),
        (25, 33, 2),
        (5, 9, 40),
        (65, 24, 33),
        (7, 20, 270),
        // Beyond every block, and columns of A far enough apart to be packed.
        (170, 129, 270),
        (100, 136, 267),
        (8, 128, 265),
    ] {
        for a_transposed in [false, true] {
            cases.push(Case { size: Size { m, n, k }, a_transposed });
        }
    }
    // Tiles of every height, one, two and three registers wide, and every rest of four links.
    for (m, n, k) in (1..=20).flat_map(|m| [(m, 8, 8), (m, 16, 9), (m, 24, 11), (m, 24, 14)]) {
        for a_transposed in [false, true] {
            cases.push(Case { size: Size { m, n, k }, a_transposed });
        }
    }
    cases
}

#[test]
fn gemm_every_path_shape_and_start_equals_the_scalar_chain_bit_for_bit() {
    for isa in Isa::available() {
        for Case { size: Size { m, n, k }, a_transposed } in cases() {
            let (stride_a, stride_b, stride_c) = (if a_transposed { m.max(96) } else { k } + 3, n + 5, n + 2);
            let a = numbers(stride_a * if a_transposed { k } else { m }, 1);
            let b = numbers(k * stride_b + SLACK, 2);
            let bias = numbers(n, 3);
            let before = numbers(m * stride_c, 4);
            let (row, col) = if a_transposed { (1, stride_a) } else { (stride_a, 1) };
            let mut packed = Packed::default();
            packed.pack(isa, k, n, &b, stride_b, Layout::Rows);
            let mut transposed = vec![0.0; n * (k + 1)];
            for p in 0..k {
                for j in 0..n {
                    transposed[j * (k + 1) + p] = b[p * stride_b + j];
                }
            }
            let mut packed_columns = Packed::default();
            packed_columns.pack(isa, k, n, &transposed, k + 1, Layout::Columns);
            for start in [Start::Zero, Start::C, Start::Row(&bias), Start::CPlusRow(&bias)] {
                for right in [
                    Right::Rows { data: &b, row: stride_b },
                    Right::Panels(packed.whole()),
                    Right::Panels(packed_columns.whole()),
                ] {
                    let mut c = before.clone();
                    let left = if a_transposed {
                        Left::Columns { data: &a, col }
                    } else {
                        Left::Rows { data: &a, row }
                    };
                    gemm(isa, Size { m, n, k }, left, right, start, &mut c, stride_c);
                    for i in 0..m {
                        for j in 0..stride_c {
                            let old = before[i * stride_c + j];
                            let mut want = old;
                            if j < n {
                                want = match start {
                                    Start::Zero => 0.0,
                                    Start::C => old,
                                    Start::Row(bias) => bias[j],
                                    Start::CPlusRow(bias) => bias[j] + old,
                                };
                                for p in 0..k {
                                    want = a[i * row + p * col].mul_add(b[p * stride_b + j], want);
                                }
                            }
                            let got = c[i * stride_c + j];
                            assert_eq!(
                                got.to_bits(),
                                want.to_bits(),
                                "{} ({m}, {n}, {k}) at ({i}, {j})",
                                isa.name()
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn gemm_continued_from_c_equals_one_product_bit_for_bit() {
    let isa = Isa::best();
    let (m, n, k) = (9, 20, 50);
    let (a, b) = (numbers(m * k, 1), numbers(k * n + SLACK, 2));
    let run = |cuts: &[usize]| {
        let mut c = vec![0.0; m * n];
        let mut from = 0;
        for &to in cuts {
            let left = Left::Rows { data: &a[from..], row: k };
            let right = Right::Rows { data: &b[from * n..], row: n };
            gemm(isa, Size { m, n, k: to - from }, left, right, Start::C, &mut c, n);
            from = to;
        }
        c
    };
    assert_eq!(run(&[50]), run(&[1, 17, 32, 50]));
}

#[test]
fn gemm_with_a_part_of_panels_equals_the_product_with_that_part_bit_for_bit() {
    for isa in Isa::available() {
        let (m, n, k) = (7, 70, 9);
        let (a, b) = (numbers(m * k, 1), numbers(k * n + SLACK, 2));
        let mut packed = Packed::default();
        packed.pack(isa, k, n, &b, n, Layout::Rows);
        // Columns begin with a panel of any instruction set.
        let (row, column) = (4, 32);
        let size = Size { m, n: n - column - 1, k: k - row };
        let run = |right: Right<'_>| {
            let mut c = vec![0.0; m * n];
            gemm(isa, size, Left::Rows { data: &a[row..], row: k }, right, Start::Zero, &mut c, n);
            c
        };
        let in_place = Right::Rows { data: &b[row * n + column..], row: n };
        assert_eq!(run(Right::Panels(packed.part(row, column))), run(in_place), "{}", isa.name());
    }
}

#[test]
#[should_panic(expected = "A is too small")]
fn gemm_distance_that_overflows_panics_before_touching_memory() {
    let size = Size { m: 5, n: 4, k: 4 };
    let right = Right::Rows { data: &[0.0; 64], row: 4 };
    let left = Left::Rows { data: &[0.0; 15], row: usize::MAX / 4 + 1 };
    gemm(Isa::best(), size, left, right, Start::Zero, &mut [0.0; 20], 4);
}

#[test]
#[should_panic(expected = "A is too small")]
fn gemm_operand_out_of_bounds_panics_before_touching_memory() {
    let size = Size { m: 4, n: 4, k: 4 };
    let right = Right::Rows { data: &[0.0; 64], row: 4 };
    gemm(Isa::best(), size, Left::Rows { data: &[0.0; 15], row: 4 }, right, Start::Zero, &mut [0.0; 16], 4);
}

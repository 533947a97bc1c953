//! e^x in whole registers for a softmax: replaces a row in place and sums it.

use crate::lanes::Lanes;
use crate::math::{EXP_POLYNOMIAL, EXP_RANGE, LANES, MINUS_LN_2, ROUND, add_lanes};
use std::f32::consts::LOG2_E;
use std::hint::black_box;

/// Registers whose exponentials are computed side by side. One exponential is a chain of dependent instructions; several
/// independent chains keep the multipliers busy.
const TOGETHER: usize = 4;

/// The constants of an exponential, each in a register.
#[derive(Clone, Copy)]
struct Exp<V> {
    least: V,
    log2_e: V,
    round: V,
    minus_ln_2: [V; 2],
    polynomial: [V; 6],
    one: V,
}

impl<V: Lanes> Exp<V> {
    /// # Safety
    /// The instructions of `V` exist.
    #[inline(always)]
    unsafe fn new() -> Self {
        // SAFETY: by the contract above.
        unsafe {
            let mut polynomial = [V::splat(0.0); 6];
            for (register, c) in polynomial.iter_mut().zip(EXP_POLYNOMIAL) {
                *register = V::splat(c);
            }
            // There are more constants than registers. The compiler would load a known constant with a separate instruction
            // at every use; behind `black_box` it becomes a memory operand of the instruction that uses it.
            black_box(Self {
                least: V::splat(EXP_RANGE[0]),
                log2_e: V::splat(LOG2_E),
                round: V::splat(ROUND),
                minus_ln_2: [V::splat(MINUS_LN_2[0]), V::splat(MINUS_LN_2[1])],
                polynomial,
                one: V::splat(1.0),
            })
        }
    }

    /// e^x with the same bits as [`math::exp`](crate::math::exp), for arguments up to its upper bound.
    ///
    /// # Safety
    /// The instructions of `V` exist.
    #[inline(always)]
    unsafe fn of<const N: usize>(&self, x: [V; N]) -> [V; N] {
        // These are loops, because a closure that is not inlined would be compiled without the instructions of `V`.
        let (mut shifted, mut f) = (x, x);
        let [highest, rest @ ..] = self.polynomial;
        let mut p = [highest; N];
        // SAFETY: by the contract above.
        unsafe {
            for i in 0..N {
                f[i] = x[i].at_least(self.least);
                shifted[i] = self.round.fma(f[i], self.log2_e);
                let n = shifted[i].sub(self.round);
                f[i] = f[i].fma(n, self.minus_ln_2[0]).fma(n, self.minus_ln_2[1]);
            }
            for c in rest {
                for i in 0..N {
                    p[i] = c.fma(p[i], f[i]);
                }
            }
            for i in 0..N {
                p[i] = f[i].add(self.one).fma(p[i], f[i].mul(f[i])).times_two_to(shifted[i]);
            }
        }
        p
    }
}

/// Sums of exponentials: lane i mod 16 accumulates element i of a row.
#[derive(Clone, Copy)]
pub(crate) struct ExpSum<V> {
    exp: Exp<V>,
    lanes: [V; 2],
}

impl<V: Lanes> ExpSum<V> {
    /// A sum of zero.
    ///
    /// # Safety
    /// The instructions of `V` exist.
    #[inline(always)]
    pub unsafe fn new() -> Self {
        // SAFETY: by the contract above.
        unsafe { Self { exp: Exp::new(), lanes: [V::splat(0.0); 2] } }
    }

    /// Replaces every x by e^(scale·x + shift) and adds the result to the sum. The length must be a multiple of sixteen, and
    /// no exponent may be above 88.
    ///
    /// # Safety
    /// The instructions of `V` exist.
    #[inline(always)]
    pub unsafe fn map(&mut self, x: &mut [f32], scale: f32, shift: f32) {
        // SAFETY: by the contract above; every chunk holds that many registers.
        unsafe {
            let (scale, shift) = (V::splat(scale), V::splat(shift));
            let mut groups = x.chunks_exact_mut(TOGETHER * V::N);
            for x in &mut groups {
                self.map_registers::<TOGETHER>(x.as_mut_ptr(), scale, shift);
            }
            for x in groups.into_remainder().chunks_exact_mut(LANES) {
                // This condition is a constant.
                if LANES == V::N {
                    self.map_registers::<1>(x.as_mut_ptr(), scale, shift);
                } else {
                    self.map_registers::<2>(x.as_mut_ptr(), scale, shift);
                }
            }
        }
    }

    /// # Safety
    /// The instructions of `V` exist, and `p` points to N registers.
    #[inline(always)]
    unsafe fn map_registers<const N: usize>(&mut self, p: *mut f32, scale: V, shift: V) {
        // SAFETY: by the contract above.
        unsafe {
            let mut x = [shift; N];
            for (i, x) in x.iter_mut().enumerate() {
                *x = shift.fma(V::load(p.add(i * V::N)), scale);
            }
            for (i, e) in self.exp.of(x).into_iter().enumerate() {
                e.store(p.add(i * V::N));
                let lanes = &mut self.lanes[i % (LANES / V::N)];
                *lanes = lanes.add(e);
            }
        }
    }

    /// Returns the accumulated sum and resets it to zero.
    ///
    /// # Safety
    /// The instructions of `V` exist.
    #[inline(always)]
    pub unsafe fn take(&mut self) -> f32 {
        let mut sums = [0.0; LANES];
        for (sums, lanes) in sums.chunks_exact_mut(V::N).zip(&mut self.lanes) {
            // SAFETY: by the contract above; the array has as many floats as lanes.
            unsafe {
                lanes.store(sums.as_mut_ptr());
                *lanes = V::splat(0.0);
            }
        }
        add_lanes(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, for_each_isa};
    use crate::math::exp;

    for_each_isa! {
        fn map_and_sum(x: &mut [f32]) -> f32 {
            // SAFETY: this is compiled for the instructions of `V`.
            unsafe {
                let mut sum = ExpSum::<V>::new();
                let (first, second) = x.split_at_mut(LANES);
                sum.map(first, 1.0, 0.0);
                sum.map(second, 1.0, 0.0);
                sum.take()
            }
        }
    }

    #[test]
    fn exponentials_by_registers_have_the_bits_of_single_ones_and_of_their_sum_in_lanes() {
        for length in [16, 32, 48, 64, 80, 160] {
            let mut x: Vec<f32> = (0..length).map(|i| -100.0 + 188.0 * (i as f32 / length as f32)).collect();
            (x[3], x[length - 1]) = (f32::NEG_INFINITY, 0.0);
            let expected: Vec<f32> = x.iter().map(|&x| exp(x)).collect();
            let mut lanes = [0.0; LANES];
            for (i, e) in expected.iter().enumerate() {
                lanes[i % LANES] += e;
            }
            for isa in Isa::available() {
                let mut x = x.clone();
                let sum = map_and_sum(isa, &mut x);
                assert_eq!(x, expected, "{isa:?}");
                assert_eq!(sum.to_bits(), add_lanes(lanes).to_bits(), "{isa:?}");
                x[5] = f32::NAN;
                assert!(map_and_sum(isa, &mut x).is_nan());
                assert!(x[5].is_nan());
            }
        }
    }
}

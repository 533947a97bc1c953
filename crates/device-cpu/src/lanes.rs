//! A register of f32 lanes: the only part of a matrix product that differs between instruction sets.

use crate::isa::Kind;

/// A vector register. Every operation is lane by lane and exact (`fma` rounds once), so any width gives
/// the same bits.
///
/// # Safety
/// Methods may be called only where the instructions of the implementor exist; `load*` and `store*` need
/// `N` (or `count`) readable or writable floats behind the pointer.
pub(crate) unsafe trait Lanes: Copy {
    /// The instruction set.
    #[allow(dead_code, reason = "asked for on x86-64 only")]
    const KIND: Kind;
    /// Lanes in the register.
    const N: usize;
    /// Rows of the tallest register tiles that are one and two registers wide.
    const TALLEST: [usize; 2];
    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(p: *const f32) -> Self;
    /// The first `count < N` lanes; the rest are zero.
    unsafe fn load_partial(p: *const f32, count: usize) -> Self;
    unsafe fn store(self, p: *mut f32);
    /// The first `count < N` lanes.
    unsafe fn store_partial(self, p: *mut f32, count: usize);
    /// The first `count <= N` lanes; the others are those of `rest`.
    unsafe fn first(self, count: usize, rest: Self) -> Self;
    /// a·b + self, rounded once.
    unsafe fn fma(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    /// `low` where the lane is below it; NaN stays NaN.
    unsafe fn at_least(self, low: Self) -> Self;
    /// self·2^n, with n in the low bits of another register: they are added to the exponent.
    unsafe fn times_two_to(self, n: Self) -> Self;
    /// Prefetches the cache line at this address, which need not be valid.
    fn prefetch(p: *const f32);
    /// Runs work that is compiled as a separate function for these instructions.
    unsafe fn apart<W: Apart>(work: &W);
}

/// Work that is compiled as a separate function and not inlined.
pub(crate) trait Apart {
    /// The work, in registers of V.
    ///
    /// # Safety
    /// The instructions of V exist, and the contract of the work holds.
    unsafe fn run<V: Lanes>(&self);
}

/// Eight lanes without any vector instruction.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 8]);

// SAFETY: plain f32 arithmetic exists everywhere; pointers are used within the trait's contract.
unsafe impl Lanes for Portable {
    const KIND: Kind = Kind::Portable;
    const N: usize = 8;
    // Without a fused multiply-add in the processor, every lane is a function call; small tiles keep the code small.
    const TALLEST: [usize; 2] = [2, 2];
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: eight readable floats, by contract; an array of f32 has the alignment of f32.
        Self(unsafe { p.cast::<[f32; 8]>().read() })
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f32, count: usize) -> Self {
        let mut lanes = [0.0; 8];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: i < count readable floats, by contract.
            *lane = unsafe { p.add(i).read() };
        }
        Self(lanes)
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: eight writable floats, by contract.
        unsafe { p.cast::<[f32; 8]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, count: usize) {
        for (i, lane) in self.0.into_iter().enumerate().take(count) {
            // SAFETY: i < count writable floats, by contract.
            unsafe { p.add(i).write(lane) }
        }
    }
    #[inline(always)]
    unsafe fn first(self, count: usize, rest: Self) -> Self {
        Self(std::array::from_fn(|i| if i < count { self.0[i] } else { rest.0[i] }))
    }
    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| a.0[i].mul_add(b.0[i], self.0[i])))
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + b.0[i]))
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - b.0[i]))
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] * b.0[i]))
    }
    #[inline(always)]
    unsafe fn at_least(self, low: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] < low.0[i] { low.0[i] } else { self.0[i] }))
    }
    #[inline(always)]
    unsafe fn times_two_to(self, n: Self) -> Self {
        Self(std::array::from_fn(|i| {
            f32::from_bits(self.0[i].to_bits().wrapping_add(n.0[i].to_bits() << 23))
        }))
    }
    #[inline(always)]
    fn prefetch(_: *const f32) {}
    #[inline(never)]
    unsafe fn apart<W: Apart>(work: &W) {
        // SAFETY: by the contract of the work.
        unsafe { work.run::<Self>() }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Apart, Lanes};
    use crate::isa::Kind;
    use std::arch::x86_64::*;

    #[inline(always)]
    unsafe fn mask8(count: usize) -> __m256i {
        // A window of -1s followed by zeros.
        const WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: count <= 8, so eight integers from 8 - count on are inside the window.
        unsafe { _mm256_loadu_si256(WINDOW.as_ptr().add(8 - count).cast()) }
    }

    // SAFETY: the instructions are AVX2 and FMA, which the trait's contract demands of the caller.
    unsafe impl Lanes for __m256 {
        const KIND: Kind = Kind::Avx2;
        const N: usize = 8;
        // 12 of 16 registers are accumulators. Tiles one register wide use each row's broadcast only once; there the compiler
        // puts a product into its broadcast's register, which needs a few more, so ten rows are the most. Ten rows'
        // addresses fit into registers too.
        const TALLEST: [usize; 2] = [10, 6];
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: by the trait's contract, here and below.
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: as above.
            unsafe { _mm256_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn load_partial(p: *const f32, count: usize) -> Self {
            // SAFETY: as above; masked lanes are not read.
            unsafe { _mm256_maskload_ps(p, mask8(count)) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: as above.
            unsafe { _mm256_storeu_ps(p, self) }
        }
        #[inline(always)]
        unsafe fn store_partial(self, p: *mut f32, count: usize) {
            // SAFETY: as above; masked lanes are not written.
            unsafe { _mm256_maskstore_ps(p, mask8(count), self) }
        }
        #[inline(always)]
        unsafe fn first(self, count: usize, rest: Self) -> Self {
            // Bitwise operations instead of a blend: the compiler turns a blend that is stored into a masked store, which is
            // slow on some processors.
            // SAFETY: as above.
            unsafe {
                let mask = _mm256_castsi256_ps(mask8(count));
                _mm256_or_ps(_mm256_and_ps(mask, self), _mm256_andnot_ps(mask, rest))
            }
        }
        #[inline(always)]
        unsafe fn fma(self, a: Self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm256_fmadd_ps(a, b, self) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm256_add_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm256_sub_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm256_mul_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn at_least(self, low: Self) -> Self {
            // SAFETY: as above. If either operand is NaN, the result is the second one.
            unsafe { _mm256_max_ps(low, self) }
        }
        #[inline(always)]
        unsafe fn times_two_to(self, n: Self) -> Self {
            // SAFETY: as above.
            unsafe {
                let n = _mm256_slli_epi32::<23>(_mm256_castps_si256(n));
                _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(self), n))
            }
        }
        #[inline(always)]
        fn prefetch(p: *const f32) {
            // SAFETY: a prefetch reads nothing and never faults; SSE is part of every x86-64.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
        }
        #[inline(always)]
        unsafe fn apart<W: Apart>(work: &W) {
            #[target_feature(enable = "avx2,fma")]
            #[inline(never)]
            unsafe fn run<W: Apart>(work: &W) {
                // SAFETY: by the contract of the work.
                unsafe { work.run::<__m256>() }
            }
            // SAFETY: as above.
            unsafe { run(work) }
        }
    }

    // SAFETY: the instructions are AVX-512F, which the trait's contract demands of the caller.
    unsafe impl Lanes for __m512 {
        const KIND: Kind = Kind::Avx512;
        const N: usize = 16;
        // 24 of 32 registers are accumulators.
        const TALLEST: [usize; 2] = [12, 12];
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: by the trait's contract, here and below.
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn load_partial(p: *const f32, count: usize) -> Self {
            // SAFETY: as above; masked lanes are not read.
            unsafe { _mm512_maskz_loadu_ps((1u16 << count) - 1, p) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: as above.
            unsafe { _mm512_storeu_ps(p, self) }
        }
        #[inline(always)]
        unsafe fn store_partial(self, p: *mut f32, count: usize) {
            // SAFETY: as above; masked lanes are not written.
            unsafe { _mm512_mask_storeu_ps(p, (1u16 << count) - 1, self) }
        }
        #[inline(always)]
        unsafe fn first(self, count: usize, rest: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_mask_mov_ps(rest, ((1u32 << count) - 1) as u16, self) }
        }
        #[inline(always)]
        unsafe fn fma(self, a: Self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_fmadd_ps(a, b, self) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_add_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_sub_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_mul_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn at_least(self, low: Self) -> Self {
            // SAFETY: as above. If either operand is NaN, the result is the second one.
            unsafe { _mm512_max_ps(low, self) }
        }
        #[inline(always)]
        unsafe fn times_two_to(self, n: Self) -> Self {
            // SAFETY: as above.
            unsafe {
                let n = _mm512_slli_epi32::<23>(_mm512_castps_si512(n));
                _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self), n))
            }
        }
        #[inline(always)]
        fn prefetch(p: *const f32) {
            // SAFETY: a prefetch reads nothing and never faults; SSE is part of every x86-64.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
        }
        #[inline(always)]
        unsafe fn apart<W: Apart>(work: &W) {
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[inline(never)]
            unsafe fn run<W: Apart>(work: &W) {
                // SAFETY: by the contract of the work.
                unsafe { work.run::<__m512>() }
            }
            // SAFETY: as above.
            unsafe { run(work) }
        }
    }
}

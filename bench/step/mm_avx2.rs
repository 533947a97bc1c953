// The prototype's mm.rs for processors without AVX-512: the same structure (B packed in panels two registers
// wide, A read in place, rows shared out evenly over tiles), with AVX2's best tiles: 6 x 16, or 12 x 8 where
// only one register of columns is left. Same interface, so that the rest of the prototype builds unchanged.
use std::arch::x86_64::*;
pub const NR: usize = 16;
pub struct Pack {
    pub buf: Vec<f32>,
    pub kp: usize,
}
impl Pack {
    pub fn new() -> Self {
        Pack { buf: vec![], kp: 0 }
    }
    #[inline]
    pub unsafe fn pack(&mut self, k: usize, n: usize, b: *const f32, brs: usize, bcs: usize) {
        let np = n.div_ceil(NR);
        self.kp = k;
        let need = np * k * NR + 16;
        if self.buf.len() < need {
            self.buf.resize(need, 0.0);
        }
        for p in 0..np {
            let w = NR.min(n - p * NR);
            let dst = self.buf.as_mut_ptr().add(p * k * NR);
            let src = b.add(p * NR * bcs);
            if bcs == 1 {
                if w == NR {
                    for i in 0..k {
                        let s = src.add(i * brs);
                        let d = dst.add(i * NR);
                        _mm256_storeu_ps(d, _mm256_loadu_ps(s));
                        _mm256_storeu_ps(d.add(8), _mm256_loadu_ps(s.add(8)));
                    }
                } else {
                    for i in 0..k {
                        for j in 0..w {
                            *dst.add(i * NR + j) = *src.add(i * brs + j);
                        }
                        for j in w..NR {
                            *dst.add(i * NR + j) = 0.0;
                        }
                    }
                }
            } else {
                // transposed source: contiguous along k
                let mut i = 0;
                while i + 8 <= k && brs == 1 {
                    let mut j = 0;
                    while j + 8 <= w {
                        tr8(src.add(j * bcs + i), bcs, dst.add(i * NR + j), NR);
                        j += 8;
                    }
                    while j < w {
                        for ii in 0..8 {
                            *dst.add((i + ii) * NR + j) = *src.add(j * bcs + i + ii);
                        }
                        j += 1;
                    }
                    for ii in 0..8 {
                        for j in w..NR {
                            *dst.add((i + ii) * NR + j) = 0.0;
                        }
                    }
                    i += 8;
                }
                while i < k {
                    for j in 0..w {
                        *dst.add(i * NR + j) = *src.add(i * brs + j * bcs);
                    }
                    for j in w..NR {
                        *dst.add(i * NR + j) = 0.0;
                    }
                    i += 1;
                }
            }
        }
    }
}
#[inline(always)]
unsafe fn tr8(s: *const f32, lds: usize, d: *mut f32, ldd: usize) {
    let mut r = [_mm256_setzero_ps(); 8];
    for i in 0..8 {
        r[i] = _mm256_loadu_ps(s.add(i * lds));
    }
    let mut t = [_mm256_setzero_ps(); 8];
    for i in 0..4 {
        t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    for i in 0..2 {
        r[4 * i] = _mm256_shuffle_ps::<0x44>(t[4 * i], t[4 * i + 2]);
        r[4 * i + 1] = _mm256_shuffle_ps::<0xee>(t[4 * i], t[4 * i + 2]);
        r[4 * i + 2] = _mm256_shuffle_ps::<0x44>(t[4 * i + 1], t[4 * i + 3]);
        r[4 * i + 3] = _mm256_shuffle_ps::<0xee>(t[4 * i + 1], t[4 * i + 3]);
    }
    for i in 0..4 {
        _mm256_storeu_ps(d.add(i * ldd), _mm256_permute2f128_ps::<0x20>(r[i], r[i + 4]));
        _mm256_storeu_ps(d.add((i + 4) * ldd), _mm256_permute2f128_ps::<0x31>(r[i], r[i + 4]));
    }
}
#[inline(always)]
unsafe fn mask(w: usize) -> __m256i {
    const WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    _mm256_loadu_si256(WINDOW.as_ptr().add(8 - w).cast())
}
#[inline(always)]
unsafe fn kern<const MR: usize, const NV: usize>(
    k: usize,
    a: *const f32,
    ars: usize,
    acs: usize,
    b: *const f32,
    c: *mut f32,
    ldc: usize,
    acc: bool,
    last: usize,
) {
    let mut r = [[_mm256_setzero_ps(); NV]; MR];
    let mut ap = a;
    let mut bp = b;
    for _ in 0..k {
        let mut bv = [_mm256_setzero_ps(); NV];
        for j in 0..NV {
            bv[j] = _mm256_loadu_ps(bp.add(8 * j));
        }
        for i in 0..MR {
            let x = _mm256_set1_ps(*ap.add(i * ars));
            for j in 0..NV {
                r[i][j] = _mm256_fmadd_ps(x, bv[j], r[i][j]);
            }
        }
        ap = ap.add(acs);
        bp = bp.add(NR);
    }
    if last == 8 {
        for i in 0..MR {
            for j in 0..NV {
                let p = c.add(i * ldc + 8 * j);
                let v = if acc { _mm256_add_ps(r[i][j], _mm256_loadu_ps(p)) } else { r[i][j] };
                _mm256_storeu_ps(p, v);
            }
        }
    } else {
        let m = mask(last);
        for i in 0..MR {
            for j in 0..NV {
                let p = c.add(i * ldc + 8 * j);
                if j + 1 < NV {
                    let v = if acc { _mm256_add_ps(r[i][j], _mm256_loadu_ps(p)) } else { r[i][j] };
                    _mm256_storeu_ps(p, v);
                } else {
                    let v = if acc { _mm256_add_ps(r[i][j], _mm256_maskload_ps(p, m)) } else { r[i][j] };
                    _mm256_maskstore_ps(p, m, v);
                }
            }
        }
    }
}
/// C[m,n] (+)= A[m,k] * packed B (rows k0..k0+k of the packed panel)
#[inline(never)]
pub unsafe fn mmp(
    m: usize,
    n: usize,
    k: usize,
    a: *const f32,
    ars: usize,
    acs: usize,
    pk: &Pack,
    k0: usize,
    c: *mut f32,
    ldc: usize,
    acc: bool,
) {
    let np = n.div_ceil(NR);
    for p in 0..np {
        let w = NR.min(n - p * NR);
        let bp = pk.buf.as_ptr().add(p * pk.kp * NR + k0 * NR);
        // balanced row tiles
        let nt = m.div_ceil(if w > 8 { 6 } else { 12 });
        let mut r0 = 0;
        for t in 0..nt {
            let r1 = m * (t + 1) / nt;
            let mr = r1 - r0;
            let ap = a.add(r0 * ars);
            let cp = c.add(r0 * ldc + p * NR);
            macro_rules! d { ($nv:literal, $last:expr, $($n:literal),*) => { match mr { $($n => kern::<$n, $nv>(k, ap, ars, acs, bp, cp, ldc, acc, $last),)* _ => unreachable!() } } }
            if w > 8 {
                d!(2, w - 8, 1, 2, 3, 4, 5, 6)
            } else {
                d!(1, w, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
            }
            r0 = r1;
        }
    }
}
#[inline]
pub unsafe fn mm(
    pk: &mut Pack,
    m: usize,
    n: usize,
    k: usize,
    a: *const f32,
    ars: usize,
    acs: usize,
    b: *const f32,
    brs: usize,
    bcs: usize,
    c: *mut f32,
    ldc: usize,
    acc: bool,
) {
    const KC: usize = 256;
    let mut k0 = 0;
    while k0 < k {
        let kk = KC.min(k - k0);
        pk.pack(kk, n, b.add(k0 * brs), brs, bcs);
        mmp(m, n, kk, a.add(k0 * acs), ars, acs, pk, 0, c, ldc, acc || k0 > 0);
        k0 += kk;
    }
}

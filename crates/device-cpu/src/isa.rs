//! Which instructions the processor has, and how one body is compiled for each of them.

/// An instruction set that this processor was seen to have.
///
/// Only [`Isa::available`] and friends make one, so holding an `Isa` is the proof that its instructions may
/// be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(pub(crate) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Every instruction set of this processor, slowest first; all give the same bits.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "only x86-64 has more than one")]
        let mut found = vec![Self(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Self(Kind::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                found.push(Self(Kind::Avx512));
            }
        }
        found
    }

    /// The fastest instruction set of this processor.
    pub fn best() -> Self {
        *Self::available().last().expect("the portable path is always there")
    }

    /// The path that needs nothing of the processor: the same bits, slowly.
    pub fn portable() -> Self {
        Self(Kind::Portable)
    }

    /// Its name, for logs.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }
}

/// Defines functions whose one body is compiled for every instruction set and chosen by the first argument.
///
/// The body is `#[inline(always)]`, so inside a shim it is compiled with the shim's features; it may use
/// `f32::mul_add` (exact on every path) and fixed-size inner loops, which become vector code. In it, `V` is the
/// [`Lanes`](crate::lanes::Lanes) of the instruction set.
macro_rules! for_each_isa {
    ($($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
        $vis fn $name(isa: crate::isa::Isa, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            #[allow(clippy::extra_unused_type_parameters, reason = "most need no registers by name")]
            fn body<V: crate::lanes::Lanes>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn avx2($($arg: $ty),*) $(-> $ret)? { body::<std::arch::x86_64::__m256>($($arg),*) }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn avx512($($arg: $ty),*) $(-> $ret)? { body::<std::arch::x86_64::__m512>($($arg),*) }

            match isa.0 {
                crate::isa::Kind::Portable => body::<crate::lanes::Portable>($($arg),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` of this kind exists only where the processor was seen to have AVX2 and FMA.
                crate::isa::Kind::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` of this kind exists only where the processor was seen to have AVX-512F.
                crate::isa::Kind::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    )*};
}
pub(crate) use for_each_isa;

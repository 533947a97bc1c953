//! Loss at a position of the context, a + b·T^−c, and the constant offset of another test set.

use crate::elementary::exp;
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Response, Vars};
use std::borrow::Cow;

/// L(T) = a + b·T^−c.
#[derive(Clone, Copy, Debug)]
pub struct PerPosition;

const PER_POSITION: &[Param] =
    &[Param::linear("a", "a"), Param::linear("b", "b"), Param::exponent("c", "c", "T", EXPONENTS)];

impl Law for PerPosition {
    fn name(&self) -> &str {
        "position"
    }
    fn title(&self) -> &str {
        "Loss against the position in the context"
    }
    fn equation(&self) -> String {
        "L(T) = a + b/T^c".into()
    }
    fn latex(&self) -> String {
        "L(T) = a + b\\,T^{-c}".into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, Figure 20"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("T")] }
    }
    fn params(&self) -> &[Param] {
        PER_POSITION
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let ([a, b, c], [ln_t]) = (p.values(), x.logs());
        let power = exp(-c * ln_t);
        g.copy_from_slice(&[1.0, power, -ln_t * b * power]);
        a + b * power
    }
}

/// L_other = L + offset.
#[derive(Clone, Copy, Debug)]
pub struct TransferOffset;

const OFFSET: &[Param] = &[Param::shape("offset", "\\delta", Domain::Real, &[0.0])];

impl Law for TransferOffset {
    fn name(&self) -> &str {
        "transfer"
    }
    fn title(&self) -> &str {
        "Loss on another test set: a constant offset"
    }
    fn equation(&self) -> String {
        "L_other(L) = L + offset".into()
    }
    fn latex(&self) -> String {
        "L_{\\mathrm{other}}(L) = L + \\delta".into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, section 3.2.2 and Figure 8"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("L")] }
    }
    fn params(&self) -> &[Param] {
        OFFSET
    }
    fn response(&self) -> Response {
        Response::Column
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let ([offset], [l]) = (p.values(), x.values());
        g.copy_from_slice(&[1.0]);
        l + offset
    }
}

//! Loss at a position of the context, a + b·T^−c, and the constant offset of another test set.

use crate::elementary::exp;
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Response, Vars};
use std::borrow::Cow;

/// L(T) = a + b·T^−c.
#[derive(Clone, Copy, Debug)]
pub struct PerPosition;

const PER_POSITION: &[Param] = &[
    Param::amplitude("a", "a"),
    Param::amplitude("b", "b"),
    Param::shape("c", "c", Domain::Positive, EXPONENTS),
];

impl Law for PerPosition {
    fn name(&self) -> &str {
        "position"
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
    fn linear(&self) -> &[usize] {
        &[0, 1]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let power = exp(-p.value[2] * x.ln[0]);
        g[0] = 1.0;
        g[1] = power;
        g[2] = -x.ln[0] * p.value[1] * power;
        p.value[0] + p.value[1] * power
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
        g[0] = 1.0;
        x.value[0] + p.value[0]
    }
}

//! Parsing, printing, evaluating and differentiating.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use scalelaw_expr::{Expr, Function, Op, Value, parse};

fn number_at(text: &str, x: f64) -> f64 {
    let e = parse(text).unwrap();
    match e.eval(&|_| Value::Number(x)).unwrap() {
        Value::Number(v) => v,
        other => panic!("{other:?}"),
    }
}

#[test]
fn arithmetic_follows_the_usual_precedence() {
    assert_eq!(number_at("1 + 2*3^2", 0.0), 19.0);
    assert_eq!(number_at("-x^2", 3.0), -9.0);
    assert_eq!(number_at("2^-1", 0.0), 0.5);
    assert_eq!(number_at("2^3^2", 0.0), 512.0);
    assert_eq!(number_at("8 - 4 - 2", 0.0), 2.0);
    assert_eq!(number_at("1.5B / 3e-2", 0.0), 5e10);
}

#[test]
fn comparison_with_a_missing_number_is_false_both_ways() {
    for text in ["x > 1", "x <= 1", "x == 1", "x != 1"] {
        let e = parse(text).unwrap();
        assert_eq!(e.eval(&|_| Value::Number(f64::NAN)).unwrap(), Value::Truth(false), "{text}");
    }
}

#[test]
fn texts_and_truths_combine() {
    let e = parse("run == 'a''b' and not (n < 3 or n > 9)").unwrap();
    let at =
        |n| e.eval(&move |name| if name == "n" { Value::Number(n) } else { Value::Text("a'b") }).unwrap();
    assert_eq!((at(5.0), at(10.0)), (Value::Truth(true), Value::Truth(false)));
}

#[test]
fn truths_compare_with_the_words_and_numbers_that_tables_write_for_them() {
    let holds = |text: &str, cell: Value<'static>| {
        parse(text).unwrap().eval(&move |_| cell.clone()).map(|value| value == Value::Truth(true))
    };
    for (cell, is) in [
        (Value::Text("False"), true),
        (Value::Text("true"), false),
        (Value::Text(""), false),
        (Value::Number(0.0), true),
        (Value::Number(1.0), false),
        (Value::Number(f64::NAN), false),
    ] {
        assert_eq!(holds("outlier == false", cell.clone()), Ok(is), "{cell:?}");
        assert_eq!(holds("False == outlier", cell.clone()), Ok(is), "{cell:?}");
    }
    assert_eq!(holds("not outlier", Value::Text("FALSE")), Ok(true));
    assert_eq!(holds("x == true and true", Value::Text("TRUE")), Ok(true));
    assert!(holds("x == true", Value::Text("maybe")).is_err());
    assert_eq!(parse("`true` == 1").unwrap().names(), ["true"]);
}

#[test]
fn mistakes_are_said_with_their_place() {
    let message = |t: &str| parse(t).unwrap_err().to_string();
    assert_eq!(message("tokens >"), "expected more at character 9: tokens >▸");
    assert!(message("tokens = 3").starts_with("expected an operator or the end at character 8"));
    assert!(message("foo(3)").contains("no function \"foo\""));
    assert!(message("3x7").contains("cannot read"));
    assert!(message("'abc").contains("no closing '"));
    assert!(message(&"(".repeat(5000)).contains("too deeply nested"));
    let e = parse("'a' > 3").unwrap();
    assert_eq!(
        e.eval(&|_| Value::Number(0.0)).unwrap_err().to_string(),
        "cannot compare a text with a number in 'a' > 3.0"
    );
}

fn expression() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0.0..1e6f64).prop_map(Expr::Number),
        "[a-zA-Z_][a-zA-Z0-9_.]{0,5}".prop_map(Expr::Name),
        "[ -~]{1,6}".prop_map(Expr::Name),
        "[ -~é]{0,6}".prop_map(Expr::Text),
        any::<bool>().prop_map(Expr::Truth),
        Just(Expr::Name("true".into())),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op = proptest::sample::select(vec![
            Op::Or,
            Op::And,
            Op::Equal,
            Op::NotEqual,
            Op::Less,
            Op::LessEqual,
            Op::Greater,
            Op::GreaterEqual,
            Op::Add,
            Op::Subtract,
            Op::Multiply,
            Op::Divide,
            Op::Power,
        ]);
        prop_oneof![
            inner.clone().prop_map(|x| Expr::Negate(Box::new(x))),
            inner.clone().prop_map(|x| Expr::Not(Box::new(x))),
            (op, inner.clone(), inner.clone()).prop_map(|(op, a, b)| Expr::Binary(
                op,
                Box::new(a),
                Box::new(b)
            )),
            inner.clone().prop_map(|x| Expr::Call(Function::Exp, vec![x])),
            (inner.clone(), inner).prop_map(|(a, b)| Expr::Call(Function::Max, vec![a, b])),
        ]
    })
}

proptest! {
    #[test]
    fn printed_expression_parses_back_to_itself(e in expression()) {
        let text = e.to_string();
        prop_assert_eq!(parse(&text).map_err(|e| e.to_string()), Ok(e), "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in "[ -~]{0,40}") {
        if let Ok(e) = parse(&text) {
            let _ = e.eval(&|_| Value::Number(1.0));
        }
    }
}

//! How far a fit's answer moves: under assumed values of a parameter, and without some of the runs.

use scalelaw_core::number::constant;
use scalelaw_fit::{Ahead, FittedLaw};
use scalelaw_lab::assumed::{Floor, Under};
use scalelaw_lab::leave_out::LeftOut;
use std::fmt::Write;

/// That the form of the law decides its floor.
pub(super) fn floor_text(floor: &Floor) -> String {
    let Floor { parameter, value, below, share } = floor;
    format!(
        "{parameter} = {} lies {below:.2} below the lowest loss, {share:.1} times the range of the losses: the form of the law \
         decides it. --fix {parameter}=LO..HI shows the forecast under other values\n",
        constant(*value)
    )
}

/// The law under assumed values of a parameter.
pub(super) fn assumed_text(rows: &[Under]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut out = String::from("\nunder assumed values\n     value   objective");
    for ahead in &first.ahead {
        let _ = write!(out, "{:>26}", format!("{} {}", ahead.variable, constant(ahead.value)));
    }
    for (name, _) in &first.others {
        let _ = write!(out, "{name:>12}");
    }
    out.push('\n');
    for row in rows {
        let _ = write!(out, "{:>10}{:>+11.3}%", constant(row.value), 100.0 * row.excess);
        for ahead in &row.ahead {
            let _ = write!(out, "{:>26}", ahead_text(ahead));
        }
        for (_, value) in &row.others {
            let _ = write!(out, "{:>12}", constant(*value));
        }
        out += if row.rejected { "  rejected at 95%\n" } else { "\n" };
    }
    out
}

/// The law without the runs of each value of a variable.
pub(super) fn left_out_text(law: &FittedLaw, rows: &[LeftOut]) -> String {
    let mut out = format!("\n{:<28}", "without the runs of");
    for (name, _) in &law.params {
        let _ = write!(out, "{name:>12}");
    }
    if let Some(ahead) = rows.iter().find_map(|row| row.ahead.as_ref()) {
        let _ = write!(out, "{:>26}", format!("{} {}", ahead.variable, constant(ahead.value)));
    }
    out.push('\n');
    for row in rows {
        let runs = if row.runs == 1 { "1 run".into() } else { format!("{} runs", row.runs) };
        let _ = write!(out, "{:<28}", format!("{} ({runs})", constant(row.value)));
        for (_, value) in &row.params {
            let _ = write!(out, "{:>12}", constant(*value));
        }
        match &row.ahead {
            Some(ahead) => {
                let _ = writeln!(out, "{:>26}", ahead_text(ahead));
            }
            None => out += if row.params.is_empty() { "  no fit\n" } else { "\n" },
        }
    }
    out
}

/// The loss that a law says, and the optimal size.
fn ahead_text(ahead: &Ahead) -> String {
    let size = ahead.n_opt.map_or_else(String::new, |n| format!(" at N {}", constant(n)));
    format!("{:.4}{size}", ahead.loss)
}

//! The doubt about a law, in the same line as every number that comes from it.

use scalelaw_fit::FitStatus;

/// A status in the words of the file.
pub fn status(status: FitStatus) -> &'static str {
    match status {
        FitStatus::Ok => "ok",
        FitStatus::Remarks => "ok, with remarks",
        FitStatus::Rivals => "RIVAL MINIMA",
        FitStatus::AtBound => "AT BOUND",
        FitStatus::Unidentified => "UNIDENTIFIED",
        FitStatus::NotConverged => "NOT CONVERGED",
    }
}

/// What to write behind a number of a law with this status, so many decades outside its runs; empty where there is nothing
/// to doubt.
pub fn behind(law: Option<FitStatus>, decades: Option<f64>) -> String {
    let law = law.filter(|law| *law >= FitStatus::Rivals).map(|law| format!("law {}", status(law)));
    let far = decades.filter(|far| *far >= 0.05).map(|far| format!("{far:.1} decades outside the runs"));
    let doubts: Vec<String> = law.into_iter().chain(far).collect();
    if doubts.is_empty() { String::new() } else { format!("  [{}]", doubts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_behind_a_number_names_the_status_and_the_distance_and_nothing_of_a_sound_law() {
        assert_eq!(behind(Some(FitStatus::Remarks), Some(0.0)), "");
        assert_eq!(behind(None, None), "");
        assert_eq!(
            behind(Some(FitStatus::Unidentified), Some(2.43)),
            "  [law UNIDENTIFIED; 2.4 decades outside the runs]"
        );
    }
}

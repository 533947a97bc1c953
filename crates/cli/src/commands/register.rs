//! A forecast written down before the run: what, by which law, from which data, when.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// File format.
    pub format: String,
    /// When it was made, UTC.
    pub made: String,
    /// Law file or preset.
    pub law: String,
    /// Digest of the data that the law was fitted to.
    pub data_digest: Option<String>,
    /// Where: the law's variables, such as N and D, by name.
    pub at: BTreeMap<String, f64>,
    /// Forecast loss, nats per token.
    pub loss: f64,
    /// 95% interval of one run.
    pub loss_pi95: Option<[f64; 2]>,
}

/// Writes a forecast down. A file that exists is never overwritten: a forecast is not revised.
///
/// # Errors
/// The file exists or cannot be written.
pub fn register(
    path: &Path,
    law: &str,
    data_digest: Option<String>,
    at: &[(&str, f64)],
    loss: f64,
    loss_pi95: Option<[f64; 2]>,
) -> anyhow::Result<()> {
    let forecast = Forecast {
        format: "scalelaw-forecast/1".into(),
        made: utc(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())),
        law: law.into(),
        data_digest,
        at: at.iter().map(|(name, value)| ((*name).to_string(), *value)).collect(),
        loss,
        loss_pi95,
    };
    let file = std::fs::File::create_new(path)
        .with_context(|| format!("cannot register in {}: a forecast is not overwritten", path.display()))?;
    serde_json::to_writer_pretty(file, &forecast)
        .with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("forecast: {}", path.display());
    Ok(())
}

/// Seconds since 1970 as RFC 3339 (days to a date by Howard Hinnant's algorithm).
fn utc(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let rest = seconds % 86_400;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_of_known_instants_is_their_date() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(utc(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}

//! FLOPs as hours and money.

use super::error::{PlanError, positive};
use serde::{Deserialize, Serialize};

/// What the FLOPs are spent on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    /// Peak FLOP/s of one device.
    pub peak_flops: f64,
    /// Share of the peak that training reaches, up to 1 (model FLOPs utilisation).
    pub mfu: f64,
    /// Devices.
    pub devices: f64,
    /// Price of one device for an hour, in any currency; 0 when it costs nothing.
    pub price_per_hour: f64,
}

/// Time and money.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Hours of all devices together.
    pub device_hours: f64,
    /// Hours that pass.
    pub hours: f64,
    /// Price, in the currency of `price_per_hour`.
    pub price: f64,
}

impl Hardware {
    /// What `flops` cost.
    ///
    /// # Errors
    /// When a number is not positive, or the utilisation above 1.
    pub fn cost(&self, flops: f64) -> Result<Cost, PlanError> {
        if positive("the utilisation (mfu)", self.mfu)? > 1.0 {
            return Err(PlanError::NotAShare { name: "the utilisation (mfu)", value: self.mfu });
        }
        let per_hour = positive("the peak in FLOP/s", self.peak_flops)? * self.mfu * 3600.0;
        let device_hours = flops / per_hour;
        let hours = device_hours / positive("the number of devices", self.devices)?;
        Ok(Cost { device_hours, hours, price: device_hours * self.price_per_hour })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_of_a_known_cluster_is_hours_times_price() {
        // 1e21 FLOPs at 1e15 FLOP/s and 40%: 2.5e6 device-seconds.
        let hardware = Hardware { peak_flops: 1e15, mfu: 0.4, devices: 8.0, price_per_hour: 2.5 };
        let cost = hardware.cost(1e21).unwrap();
        assert!((cost.device_hours - 2.5e6 / 3600.0).abs() < 1e-9);
        assert!((cost.hours - 2.5e6 / 3600.0 / 8.0).abs() < 1e-9);
        assert!((cost.price - 2.5 * 2.5e6 / 3600.0).abs() < 1e-9);
        assert!(Hardware { mfu: 1.4, ..hardware }.cost(1e21).is_err());
    }
}

//! The one place that chooses a device.

use scalelaw_core::spec::DeviceClass;
use scalelaw_device_cpu::CpuDevice;
use scalelaw_graph::Device;

/// The device that executes runs of this class.
pub fn device(class: DeviceClass) -> Box<dyn Device> {
    match class {
        DeviceClass::Cpu => Box::new(CpuDevice::new()),
    }
}

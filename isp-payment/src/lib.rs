#![doc = include_str!("../README.md")]

mod answer;
mod duitku;
mod midtrans;
mod settings;
mod sign;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod snap;
pub mod told;
mod tripay;
mod tripay_open;
mod xendit;

use isp_core::ports::PaymentGateway;

pub use settings::{GatewayKind, GatewaySettings, SettingsError};

/// The gateway of these settings. Connects to nothing.
///
/// # Errors
/// [`SettingsError`] for settings that cannot work.
pub fn gateway(settings: GatewaySettings) -> Result<Box<dyn PaymentGateway>, SettingsError> {
    let kind = settings.kind;
    let client = answer::Client::try_new(settings)?;
    Ok(match kind {
        GatewayKind::Midtrans => Box::new(midtrans::Midtrans(client)),
        GatewayKind::Xendit => Box::new(xendit::Xendit(client)),
        GatewayKind::Tripay => Box::new(tripay::Tripay(client)),
        GatewayKind::TripayOpen => Box::new(tripay_open::TripayOpen(tripay::Tripay(client))),
        GatewayKind::Duitku | GatewayKind::DuitkuPop => Box::new(duitku::Duitku(client)),
    })
}

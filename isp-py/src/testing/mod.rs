//! Simulators on loopback ports, steered from Python.

mod held;
mod router;
mod whatsapp;

pub(crate) use router::SimulatedRouter;
pub(crate) use whatsapp::SimulatedWhatsApp;

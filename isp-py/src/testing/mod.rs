//! Simulators on loopback ports, steered from Python.

mod gateway;
mod held;
mod router;
mod whatsapp;

pub(crate) use gateway::SimulatedGateway;
pub(crate) use router::SimulatedRouter;
pub(crate) use whatsapp::SimulatedWhatsApp;

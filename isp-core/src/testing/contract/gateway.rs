//! The contract of [`PaymentGateway`](crate::ports::PaymentGateway), for adapters before a simulator.

//! The five reports.

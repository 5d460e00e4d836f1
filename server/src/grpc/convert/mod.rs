//! Between the contract and the core.

//! Between the core and what is stored.

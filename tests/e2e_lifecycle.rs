//! Whole lives through gRPC on four partitions: a document, acceptances, usage, a clock that turns, and then
//! invoices, their explanations and the sellers' reports, to the letter.

mod annual;
mod contract;
mod price_change;
mod private_offer;
mod usage;

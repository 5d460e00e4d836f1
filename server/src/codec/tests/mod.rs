//! What was written is read back: random values, batches of the past, and damaged bytes.

mod arbitrary;
mod golden;
mod roundtrip;
mod samples;
mod strict;

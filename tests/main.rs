//! The tests of the whole system, in one binary.

mod drive;
mod e2e_lifecycle;
mod life;
mod plan;
mod prop_rating;
mod tidy;
mod served;
mod vectors;
mod words;

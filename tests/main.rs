//! The tests of the whole system, in one binary.

mod columns;
mod demo;
mod drive;
mod e2e_api;
mod e2e_aws;
mod e2e_bad_input;
mod e2e_durability;
mod e2e_lifecycle;
mod e2e_load;
mod hours;
mod life;
mod plan;
mod prop_contracts;
mod prop_rating;
mod proxy;
mod reach;
mod recorded;
mod rules;
mod scenarios;
mod served;
mod soukd;
mod tidy;
mod vectors;
mod words;

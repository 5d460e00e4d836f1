//! The API as a whole: its services, deadlines and limits, its lists, and sandboxes that know nothing of each other.

mod columns;
mod determinism;
mod faults;
mod following;
mod known_usage;
mod lists;
mod received;
mod resale;
mod sandboxes;
mod services;

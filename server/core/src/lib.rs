//! The rules of Souk: everything that can be argued about in a billing dispute, and nothing else.
//!
//! Read it in this order: [`ids`], [`quantity`], [`money`], [`time`], [`rules`] (values); [`catalog`] and
//! [`terms`] (what sellers publish); [`agreement`] (what buyers accepted); [`metering`] (what was used);
//! [`rating`] and [`invoicing`] (what it costs); [`ledger`] (who owes whom); [`reports`] (what sellers read); [`machine`] (how all of it
//! is decided, stored as events, and replayed). [`earliest`] is how long lists are put together page by page.
//! [`partner_programs`] stands by itself: what AWS's partner programs decide by numbers.
//!
//! The core is pure: no clock, no randomness, no IO, no logging, no floats, no iteration over unordered maps.
//! Time comes in as an argument. A decision may refuse and changes nothing; applying an event may not fail.
//!
//! Invariants, checked by `machine::check` and its tests:
//! - INV-1: a buyer holds at most one live agreement on a product, unless the product allows several.
//! - INV-2: every metered hour is priced by exactly one agreement.
//! - INV-3: an invoice's total is the sum of its lines, each the rounded product of quantity and unit price.
//! - INV-4: the revenue rows of an invoice add up to its total; those of manufacturers stand behind resellers' rows.
//! - INV-5: months close in order, and nothing is metered in a closed one.
//! - INV-6: replaying the events gives the same state.
//! - INV-7: the postings of every entry of the ledger sum to zero.
//! - INV-8: what a reseller owes of a row is what its manufacturer's row behind it bills.

pub mod agreement;
pub mod catalog;
pub mod cow_map;
pub mod earliest;
pub mod ids;
pub mod invoicing;
pub mod ledger;
pub mod machine;
pub mod metering;
pub mod money;
pub mod partner_programs;
pub mod quantity;
pub mod rating;
pub mod rejection;
pub mod reports;
pub mod rules;
pub mod terms;
pub mod time;

//! Money, exact: prices and amounts as integers of a fixed scale, and one rounding.
//!
//! ```text
//! UnitPrice (10^-8)  x  QuantitySum (10^-6)  =  Amount (10^-14)  --round once, half up-->  Money (cents)
//! ```

pub mod amount;
pub mod currency;
pub mod decimal;
pub mod rate;
pub mod rounding;
pub mod unit_price;

pub use amount::{Amount, Money};
pub use currency::Currency;
pub use rate::Rate;
pub use unit_price::{PriceDecimals, UnitPrice};

//! Prints scaled integers as decimals.

use std::fmt;

use super::rounding::div_half_up;

/// Writes `value` x 10^-`scale` with at least `least` decimals and no needless zeros beyond them.
pub fn write_scaled(f: &mut fmt::Formatter<'_>, value: i128, scale: u32, least: usize) -> fmt::Result {
    let one = 10_u128.pow(scale);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let fraction = format!("{:0width$}", magnitude % one, width = scale as usize);
    let needed = fraction.trim_end_matches('0').len().max(least);
    let text = match needed {
        0 => format!("{sign}{}", magnitude / one),
        _ => format!("{sign}{}.{}", magnitude / one, &fraction[..needed]),
    };
    f.pad(&text)
}

/// `value` x 10^-`scale` with exactly `places` decimals, at most as many as it has: rounded half up.
pub fn fixed(value: i128, scale: u32, places: u32) -> String {
    struct Fixed(i128, u32);
    impl fmt::Display for Fixed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_scaled(f, self.0, self.1, self.1 as usize)
        }
    }
    Fixed(div_half_up(value, 10_i128.pow(scale.saturating_sub(places))), places).to_string()
}

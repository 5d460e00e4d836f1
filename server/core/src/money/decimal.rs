//! Prints scaled integers as decimals.

use std::fmt;

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

//! The one rounding: half up, away from zero at the half (B-04).

/// Divides by a positive divisor and rounds half away from zero.
pub fn div_half_up(value: i128, divisor: i128) -> i128 {
    debug_assert!(divisor > 0);
    let (quotient, rest) = (value / divisor, value % divisor);
    match rest.abs() >= divisor - rest.abs() {
        true => quotient + value.signum(),
        false => quotient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-04: 0.005, 0.015, 0.025, 0.0049999 and -0.005 to cents.
    #[test]
    fn b_04_half_goes_away_from_zero() {
        for (value, expected) in [(50_000, 1), (150_000, 2), (250_000, 3), (49_999, 0), (-50_000, -1)] {
            assert_eq!(div_half_up(value, 100_000), expected, "{value}");
        }
    }
}

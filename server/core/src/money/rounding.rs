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

/// `value` times `part` through `of`, rounded as [`div_half_up`] does: exact, however large the product is. A part is no
/// more than all of it, whatever the signs are; of nothing, nothing is a part.
pub fn part_half_up(value: i128, part: i128, of: i128) -> i128 {
    if of == 0 {
        return 0;
    }
    assert!(part.unsigned_abs() <= of.unsigned_abs(), "{part} is no part of {of}");
    if let Some(product) = value.checked_mul(part) {
        return div_half_up(product * of.signum(), of.abs());
    }
    let (value_size, divisor) = (value.unsigned_abs(), of.unsigned_abs());
    let (quotient, rest) = divided(product(value_size, part.unsigned_abs()), divisor);
    let rounded = quotient + u128::from(rest >= divisor - rest);
    // Not more than the size of `value`.
    let size = rounded.cast_signed();
    size * value.signum() * part.signum() * of.signum()
}

/// The high and the low half of a product.
fn product(one: u128, other: u128) -> (u128, u128) {
    const HALF: u32 = 64;
    let low = |number: u128| number & u128::from(u64::MAX);
    let lows = low(one) * low(other);
    let (left, right) = ((one >> HALF) * low(other), low(one) * (other >> HALF));
    let middle = (lows >> HALF) + low(left) + low(right);
    let high = (one >> HALF) * (other >> HALF) + (left >> HALF) + (right >> HALF) + (middle >> HALF);
    (high, low(lows) | (middle << HALF))
}

/// Quotient and rest, bit by bit; the high half is smaller than the divisor, so that the quotient fits. The divisor is
/// below half of the numbers that there are, so that the rest may double.
fn divided((high, low): (u128, u128), divisor: u128) -> (u128, u128) {
    let (mut quotient, mut rest) = (0, high);
    for bit in (0..u128::BITS).rev() {
        rest = (rest << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if rest >= divisor {
            rest -= divisor;
            quotient |= 1;
        }
    }
    (quotient, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_large_amounts_are_exact() {
        let large = i128::MAX / 3;
        for (value, part, of, expected) in [
            (10, 1, 3, 3),
            (10, 2, 3, 7),
            (-10, 2, 3, -7),
            (10, -2, -3, 7),
            (-10, -2, 3, 7),
            (5, 1, 2, 3),
            (-5, 1, 2, -3),
            (7, 0, 0, 0),
            (large, large, large, large),
            (-large, large, large, -large),
            (large, -1_000_000, 1_000_000, -large),
            // 2^100 * 3 * 2^50 / (2^51 * 3) = 2^99.
            (1 << 100, 3 << 50, 3 << 51, 1 << 99),
            // Half of an odd number, and a third.
            ((1 << 100) + 1, 1 << 40, 1 << 41, (1 << 99) + 1),
            (-(1 << 100) - 1, 1 << 40, 1 << 41, -(1 << 99) - 1),
            ((1 << 100) + 1, 1 << 40, 3 << 40, ((1 << 100) - 1) / 3 + 1),
        ] {
            assert_eq!(part_half_up(value, part, of), expected, "{value} * {part} / {of}");
        }
    }

    proptest::proptest! {
        /// The way through products of 256 bits answers what that of 128 bits does.
        #[test]
        fn parts_are_the_same_on_both_ways(value: i64, of in 1..i64::MAX, part: i64) {
            let (value, of) = (i128::from(value), i128::from(of));
            let part = i128::from(part) % (of + 1);
            let plain = div_half_up(value * part, of);
            let (quotient, rest) = divided(product(value.unsigned_abs(), part.unsigned_abs()), of.unsigned_abs());
            let wide = (quotient + u128::from(rest >= of.unsigned_abs() - rest)).cast_signed();
            proptest::prop_assert_eq!(wide * value.signum() * part.signum(), plain);
            proptest::prop_assert_eq!(part_half_up(value, part, of), plain);
            // Scaled together, by as much as fits.
            let scale = 1_i128 << 63;
            proptest::prop_assert_eq!(part_half_up(value, part * scale, of * scale), plain);
        }
    }

    /// B-04: 0.005, 0.015, 0.025, 0.0049999 and -0.005 to cents.
    #[test]
    fn b_04_half_goes_away_from_zero() {
        for (value, expected) in [(50_000, 1), (150_000, 2), (250_000, 3), (49_999, 0), (-50_000, -1)] {
            assert_eq!(div_half_up(value, 100_000), expected, "{value}");
        }
    }
}

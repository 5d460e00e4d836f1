//! Between binary floating point, which only CBOR has, and decimal text.

use super::number::Number;

/// The shortest decimal text that means this double; nothing for what is no number.
pub(super) fn to_number(float: f64) -> Option<Number<'static>> {
    float.is_finite().then(|| Number::parse(float.to_string())).flatten()
}

/// The double nearest to a number.
pub(super) fn from_number(number: &Number<'_>) -> f64 {
    // The grammar of numbers is a part of that of floats, so that this always reads.
    number.as_str().parse().unwrap_or(f64::NAN)
}

/// A half-precision float, widened exactly.
pub(super) fn from_half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if bits & 0x3ff == 0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    sign * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_read_as_the_decimals_their_writers_meant() {
        let rows = [
            (0.1, "0.1"),
            (1_793_536_496.789, "1793536496.789"),
            (-2.0, "-2"),
            (1e21, "1000000000000000000000"),
        ];
        for (float, expected) in rows {
            assert_eq!(to_number(float).unwrap().as_str(), expected);
        }
        for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(to_number(none), None);
        }
    }

    #[test]
    fn halves_widen_exactly() {
        // RFC 8949, appendix A.
        let rows = [
            (0x0000, "0"),
            (0x8000, "-0"),
            (0x3c00, "1"),
            (0x3e00, "1.5"),
            (0x7bff, "65504"),
            (0x0001, "0.000000059604644775390625"),
            (0x0400, "0.00006103515625"),
            (0xc400, "-4"),
        ];
        for (bits, expected) in rows {
            let expected: f64 = expected.parse().unwrap();
            assert_eq!(from_half(bits).to_bits(), expected.to_bits(), "{bits:#06x}");
        }
        assert!(from_half(0x7e00).is_nan());
        assert!(from_half(0x7c00).is_infinite());
    }
}

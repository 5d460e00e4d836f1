//! Arguments of more than one part.

use std::collections::BTreeMap;

use souk_proto::terms::v1::UpfrontRateCard;

/// A dimension and what goes with it: `hosts=17`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<T> {
    /// The dimension's key.
    pub dimension: String,
    /// Its quantity or price.
    pub value: T,
}

/// A price of a duration: `P12M:hosts=700`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpfrontPrice {
    duration: String,
    price: Pair<String>,
}

/// Reads `dimension=quantity`.
pub fn quantity(text: &str) -> Result<Pair<u64>, String> {
    let Pair { dimension, value } = pair(text, "a quantity looks like hosts=17")?;
    let value = value.parse().map_err(|_| "a quantity is a whole number, as in hosts=17".to_owned())?;
    Ok(Pair { dimension, value })
}

/// Reads `dimension=price`.
pub fn price(text: &str) -> Result<Pair<String>, String> {
    let price = pair(text, "a price looks like hosts=0.10")?;
    if is_decimal(&price.value) {
        Ok(price)
    } else {
        Err("a price is a decimal, as in hosts=0.10".to_owned())
    }
}

/// Reads `duration:dimension=price`.
pub fn upfront_price(text: &str) -> Result<UpfrontPrice, String> {
    let shape = || "an upfront price looks like P12M:hosts=700".to_owned();
    let (duration, rest) = text.split_once(':').ok_or_else(shape)?;
    if !duration.starts_with('P') {
        return Err(shape());
    }
    Ok(UpfrontPrice { duration: duration.to_owned(), price: price(rest)? })
}

/// Digits, and more digits after a point: no sign, no exponent.
pub fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Puts pairs into a map; a dimension named twice is the user's mistake.
pub fn to_map<T: Clone>(pairs: &[Pair<T>]) -> Result<BTreeMap<String, T>, String> {
    let mut map = BTreeMap::new();
    for pair in pairs {
        if map.insert(pair.dimension.clone(), pair.value.clone()).is_some() {
            return Err(format!("dimension {} is named twice", pair.dimension));
        }
    }
    Ok(map)
}

/// Gathers upfront prices into one card for each duration.
pub fn to_rate_cards(prices: &[UpfrontPrice]) -> Result<Vec<UpfrontRateCard>, String> {
    let mut cards: BTreeMap<&str, Vec<Pair<String>>> = BTreeMap::new();
    for upfront in prices {
        cards.entry(&upfront.duration).or_default().push(upfront.price.clone());
    }
    let as_card = |(duration, pairs): (&str, Vec<Pair<String>>)| {
        Ok(UpfrontRateCard { duration: duration.to_owned(), prices: to_map(&pairs)? })
    };
    cards.into_iter().map(as_card).collect()
}

/// The last equals sign parts the two: a dimension's key may hold one, a number does not.
fn pair(text: &str, shape: &str) -> Result<Pair<String>, String> {
    match text.rsplit_once('=') {
        Some((dimension, value)) if !dimension.is_empty() && !value.is_empty() => {
            Ok(Pair { dimension: dimension.to_owned(), value: value.to_owned() })
        }
        Some(_) | None => Err(shape.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read() {
        let table = [
            ("hosts=17", Some(("hosts", 17))),
            ("m5.large=0", Some(("m5.large", 0))),
            ("a=b=2", Some(("a=b", 2))),
            ("hosts", None),
            ("=3", None),
            ("hosts=", None),
            ("hosts=1.5", None),
            ("hosts=-1", None),
            ("hosts=99999999999999999999", None),
        ];
        for (text, expected) in table {
            let read = quantity(text).ok();
            assert_eq!(read.as_ref().map(|pair| (pair.dimension.as_str(), pair.value)), expected, "{text}");
        }
    }

    #[test]
    fn prices_stay_text() {
        for (text, right) in [
            ("hosts=0.10", true),
            ("hosts=3", true),
            ("hosts=0.00000001", true),
            ("hosts=1e3", false),
            ("hosts=.5", false),
            ("hosts=5.", false),
            ("hosts=-1", false),
            ("hosts=0,10", false),
        ] {
            assert_eq!(price(text).is_ok(), right, "{text}");
        }
        assert_eq!(price("hosts=0.10").unwrap().value, "0.10");
    }

    #[test]
    fn upfront_prices_are_gathered_by_duration() {
        let read: Vec<_> = ["P12M:a=700", "P1M:a=60", "P12M:b=800"]
            .into_iter()
            .map(|text| upfront_price(text).unwrap())
            .collect();
        let cards = to_rate_cards(&read).unwrap();
        let durations: Vec<_> =
            cards.iter().map(|card| (card.duration.as_str(), card.prices.len())).collect();
        assert_eq!(durations, [("P12M", 2), ("P1M", 1)]);
    }

    #[test]
    fn a_dimension_named_twice_is_refused() {
        let twice = [quantity("a=1").unwrap(), quantity("a=2").unwrap()];
        assert_eq!(to_map(&twice).unwrap_err(), "dimension a is named twice");
    }
}

//! Percentiles in the text form of HdrHistogram, which its plotter and others read. Values are milliseconds.

use std::fmt::Write;

use hdrhistogram::Histogram;

/// Lines of a halving of what is left, as the other implementations write it.
const TICKS_PER_HALVING: u32 = 5;
const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

/// The percentiles of a histogram of nanoseconds.
#[must_use]
pub fn percentiles(histogram: &Histogram<u64>) -> String {
    let ms = |nanoseconds: f64| nanoseconds / NANOSECONDS_PER_MILLISECOND;
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALVING) {
        total += step.count_since_last_iteration();
        let (value, quantile) = (ms(step.value_iterated_to() as f64), step.quantile_iterated_to());
        // Writing to a string cannot fail.
        let _ = match quantile < 1.0 {
            true => writeln!(text, "{value:12.3} {quantile:1.12} {total:10} {:14.2}", 1.0 / (1.0 - quantile)),
            false => writeln!(text, "{value:12.3} {quantile:1.12} {total:10}"),
        };
    }
    let _ = writeln!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        ms(histogram.mean()),
        ms(histogram.stdev())
    );
    let _ = writeln!(
        text,
        "#[Max     = {:12.3}, Total count    = {:12}]",
        ms(histogram.max() as f64),
        histogram.len()
    );
    let _ = writeln!(
        text,
        "#[Buckets = {:12}, SubBuckets     = {:12}]",
        histogram.buckets(),
        histogram.distinct_values() / usize::from(histogram.buckets()).max(1)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_grow_to_the_maximum_and_count_everything() {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 1_000_000_000, 3).unwrap();
        for value in 1..=1_000 {
            histogram.record(value * 1_000_000).unwrap();
        }
        let text = percentiles(&histogram);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|word| word.parse().unwrap()).collect())
            .collect();
        assert!(rows.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1]));
        let median = rows.iter().find(|row| 0.5 <= row[1]).unwrap();
        assert!((499.0..502.0).contains(&median[0]), "{median:?}");
        let last = rows.last().unwrap();
        assert!((999.0..1_001.0).contains(&last[0]) && last[2] as u64 == 1_000, "{last:?}");
        assert!(text.contains("Total count    =         1000]"), "{text}");
    }
}

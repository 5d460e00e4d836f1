//! The course over time as CSV.

use std::fmt::Write;

use super::Report;

/// The columns.
const HEAD: &str = "seconds,warm_up,records_per_second,messages_per_second,due_per_second,skipped,p50_us,p90_us,\
                    p99_us,max_us,client_cores,server_cores";

/// A line for each interval.
#[must_use]
pub fn course(report: &Report) -> String {
    let mut text = format!("{HEAD}\n");
    for point in &report.course {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:.3},{},{:.1},{:.1},{:.1},{},{:.1},{:.1},{:.1},{:.1},{:.3},{}",
            point.time,
            point.warm_up,
            point.records_per_second,
            point.messages_per_second,
            point.due_per_second,
            point.skipped,
            point.p50_us,
            point.p90_us,
            point.p99_us,
            point.max_us,
            point.client_cores,
            point.server_cores.map(|cores| format!("{cores:.3}")).unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_line_has_every_column() {
        let mut report = sample(1_000.0);
        report.course[4].server_cores = None;
        let text = course(&report);
        let columns = HEAD.split(',').count();
        assert_eq!((text.lines().count(), columns), (101, 12));
        assert!(text.lines().all(|line| line.split(',').count() == columns));
        assert!(
            text.contains("\n1.000,true,1014.3,40.0,40.0,0,830.0,1500.0,2700.0,6000.0,0.400,1.150\n"),
            "{text}"
        );
    }
}

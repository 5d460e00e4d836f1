//! Encodes report tables as files; knows no report.

/// RFC 4180 with line feeds, UTF-8 without a byte order mark, the columns first.
pub fn csv(columns: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let rows = vec![
            vec!["plain".to_owned(), "with, comma".to_owned()],
            vec![String::new(), "\"quoted\"".to_owned()],
        ];
        let text = String::from_utf8(csv(&["A", "B"], &rows).unwrap()).unwrap();
        assert_eq!(text, "A,B\nplain,\"with, comma\"\n,\"\"\"quoted\"\"\"\n");
    }
}

//! The product feed: the seller's products.

use super::super::{Asks, Report, ReportInput, Row};
use super::record::Record;
use crate::rejection::Broken;

/// The feed.
pub const PRODUCTS: Report = Report {
    name: "productfeed_v1",
    title: "Product feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "product_id",
        "manufacturer_account_id",
        "product_code",
        "title",
    ],
    asks: Asks::PublishedFeed,
    rows,
};

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut records = Vec::new();
    for product in input.market.products().values().filter(|product| product.seller == input.seller) {
        let at = input.history.published_at(&product.id);
        let at = at.ok_or_else(|| Broken(format!("when {} was published is not known", product.id)))?;
        let cells = [
            product.id.to_string(),
            product.seller.to_string(),
            product.code.to_string(),
            product.title.clone(),
        ];
        records.push(Record::written(product.id.to_string(), at, cells.into()));
    }
    Ok(super::rows(input, records))
}

//! The product feed: the seller's products, and those that it may resell.

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

/// What the seller makes, since it was published; what it is authorized to resell, since it first was.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut records = Vec::new();
    for product in input.market.products().values() {
        let at = match product.seller == input.seller {
            true => {
                let at = input.history.published_at(&product.id);
                at.ok_or_else(|| Broken(format!("when {} was published is not known", product.id)))?
            }
            false => {
                let all = input.market.resale_authorizations().values();
                let mine = all.filter(|a| a.product == product.id && a.reseller == input.seller);
                let Some(at) = mine.map(|authorization| authorization.granted_at).min() else { continue };
                at
            }
        };
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

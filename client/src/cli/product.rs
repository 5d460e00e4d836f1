//! `souk product`: what is sold.

use std::path::PathBuf;

use clap::Subcommand;
use souk_proto::catalog::v1::{AddDimensionsRequest, BilledBy, Dimension, Product};

use super::error::CliError;
use super::json;
use super::output::{Column, View, number, text, word};
use super::session::{Session, read_text};

#[derive(Debug, Subcommand)]
pub enum ProductCommand {
    /// Publishes a product.
    #[command(after_help = "Example:
  souk product create product.json

The file holds the JSON form of souk.catalog.v1.Product:
  {\"title\": \"Fleet Monitor\", \"sellerAccountId\": \"111111111111\", \"productType\": \"PRODUCT_TYPE_SAAS\",
   \"usageCategory\": \"USAGE_CATEGORY_HOSTS\",
   \"dimensions\": [{\"key\": \"hosts\", \"unit\": \"Hosts\", \"types\": [\"DIMENSION_TYPE_EXTERNALLY_METERED\"]}]}")]
    Create {
        /// The product as JSON; `-` reads stdin.
        file: PathBuf,
    },
    /// Adds dimensions to a product, and their prices to its offers.
    #[command(after_help = "Example:
  souk product add-dimensions prod-1 dimensions.json

The file holds the JSON form of souk.catalog.v1.AddDimensionsRequest without sandbox and product:
  {\"dimensions\": [{\"key\": \"big_hosts\", \"types\": [\"DIMENSION_TYPE_EXTERNALLY_METERED\"]}],
   \"prices\": [{\"offerId\": \"offer-1\", \"rateCard\": {\"big_hosts\": \"0.25\"}}]}")]
    AddDimensions {
        /// The product.
        product: String,
        /// The dimensions and their prices as JSON; `-` reads stdin.
        file: PathBuf,
    },
    /// Shows a product with its dimensions.
    #[command(after_help = "Example:
  souk product show prod-1")]
    Show {
        /// The product's id.
        product: String,
    },
    /// Lists the products.
    #[command(after_help = "Example:
  souk product list")]
    List,
}

impl ProductCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        match self {
            ProductCommand::Create { file } => {
                let (origin, text) = read_text(&file)?;
                let product = json::parse(&origin, &text)?;
                let published = session.connect().await?.create_product(&sandbox, product).await?;
                session.show(&one(&published)?)
            }
            ProductCommand::AddDimensions { product, file } => {
                let (origin, text) = read_text(&file)?;
                let added: AddDimensionsRequest = json::parse(&origin, &text)?;
                let client = session.connect().await?;
                let changed =
                    client.add_dimensions(&sandbox, &product, added.dimensions, added.prices).await?;
                session.show(&one(&changed)?)
            }
            ProductCommand::Show { product } => {
                let product = session.connect().await?.get_product(&sandbox, &product).await?;
                session.show(&one(&product)?)
            }
            ProductCommand::List => {
                let products = session.connect().await?.all_products(&sandbox).await?;
                let rows = products.iter().map(row).collect();
                session.show(&View::of_list(columns(), rows, json::of_all(&products)?))
            }
        }
    }
}

fn one(product: &Product) -> Result<View, CliError> {
    let facts = vec![
        ("product_id", product.product_id.clone()),
        ("product_code", product.product_code.clone()),
        ("title", product.title.clone()),
        ("seller_account_id", product.seller_account_id.clone()),
        ("product_type", type_word(product)),
        ("usage_category", word(product.usage_category().as_str_name(), "USAGE_CATEGORY_")),
        ("concurrent_agreements", if product.concurrent_agreements { "yes" } else { "no" }.to_owned()),
    ];
    let dimension_columns = ["dimension", "name", "unit", "types", "description"].map(text).into();
    let dimension_rows = product.dimensions.iter().map(dimension_row).collect();
    Ok(View::of_facts(facts, json::of(product)?).with_sheet("Dimensions", dimension_columns, dimension_rows))
}

fn dimension_row(dimension: &Dimension) -> Vec<String> {
    let mut types: Vec<_> =
        dimension.types().map(|kind| word(kind.as_str_name(), "DIMENSION_TYPE_")).collect();
    if dimension.billed_by() != BilledBy::Unspecified {
        types.push(format!("by {}", word(dimension.billed_by().as_str_name(), "BILLED_BY_")));
    }
    vec![
        dimension.key.clone(),
        dimension.name.clone(),
        dimension.unit.clone(),
        types.join(", "),
        dimension.description.clone(),
    ]
}

fn type_word(product: &Product) -> String {
    word(product.product_type().as_str_name(), "PRODUCT_TYPE_")
}

/// The columns of a list of products.
pub fn columns() -> Vec<Column> {
    let mut columns: Vec<_> =
        ["product_id", "product_code", "title", "seller_account_id", "product_type"].map(text).into();
    columns.push(number("dimensions"));
    columns
}

/// The row of a product.
pub fn row(product: &Product) -> Vec<String> {
    vec![
        product.product_id.clone(),
        product.product_code.clone(),
        product.title.clone(),
        product.seller_account_id.clone(),
        type_word(product),
        product.dimensions.len().to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use souk_proto::catalog::v1::{DimensionType, ProductType, UsageCategory};

    use super::*;

    #[test]
    fn a_dimension_says_by_what_it_is_billed() {
        let dimension = Dimension {
            types: vec![DimensionType::Metered.into()],
            billed_by: BilledBy::Second.into(),
            ..Dimension::default()
        };
        assert_eq!(dimension_row(&dimension)[3], "metered, by second");
    }

    #[test]
    fn a_product_is_shown_with_its_dimensions() {
        let product = Product {
            product_id: "prod-1".to_owned(),
            product_code: "2b4kq0z7xw1m8n5c3v6y9t0r1".to_owned(),
            title: "Fleet Monitor".to_owned(),
            seller_account_id: "111111111111".to_owned(),
            product_type: ProductType::Saas.into(),
            usage_category: UsageCategory::Hosts.into(),
            dimensions: vec![Dimension {
                key: "hosts".to_owned(),
                name: "Hosts".to_owned(),
                unit: "Hosts".to_owned(),
                types: vec![DimensionType::ExternallyMetered.into(), DimensionType::Entitled.into()],
                ..Dimension::default()
            }],
            ..Product::default()
        };
        insta::assert_snapshot!(one(&product).unwrap().to_table(), @r"
        Product id             prod-1
        Product code           2b4kq0z7xw1m8n5c3v6y9t0r1
        Title                  Fleet Monitor
        Seller account id      111111111111
        Product type           saas
        Usage category         hosts
        Concurrent agreements  no

        Dimensions
        Dimension  Name   Unit   Types                         Description
        ---------- ------ ------ ----------------------------- ------------
        hosts      Hosts  Hosts  externally_metered, entitled
        ");
    }
}

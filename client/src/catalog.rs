//! Products and offers.

use std::collections::BTreeMap;

use souk_proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use souk_proto::catalog::v1::{
    AddDimensionsRequest, ChangePricesRequest, CreateOfferRequest, CreateProductRequest, Dimension,
    GetOfferRequest, GetOfferResponse, GetProductRequest, ListOffersRequest, ListProductsRequest, Offer,
    OfferRates, PriceChange, Product,
};
use souk_proto::terms::v1::UpfrontRateCard;
use tonic::transport::Channel;

use crate::client::required;
use crate::{Call, ClientError, MESSAGE_SIZE_MAX, Page, PageRequest, SoukClient, paging};

/// Which offers to list; empty fields take all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferFilter {
    /// The account that looks; empty looks as the operator, who sees all.
    pub account_id: String,
    /// Only of this product.
    pub product_id: String,
}

fn service(channel: Channel) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX)
}

impl SoukClient {
    /// Publishes a product. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn create_product(&self, sandbox: &str, product: Product) -> Result<Product, ClientError> {
        let call = Call::CreateProduct;
        let question = CreateProductRequest { sandbox: sandbox.to_owned(), product: Some(product) };
        let send = |channel, request| async move { service(channel).create_product(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.product, "the product")
    }

    /// Adds dimensions to a product, and their prices to its offers. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn add_dimensions(
        &self,
        sandbox: &str,
        product_id: &str,
        dimensions: Vec<Dimension>,
        prices: Vec<OfferRates>,
    ) -> Result<Product, ClientError> {
        let call = Call::AddDimensions;
        let question = AddDimensionsRequest {
            sandbox: sandbox.to_owned(),
            product_id: product_id.to_owned(),
            dimensions,
            prices,
        };
        let send = |channel, request| async move { service(channel).add_dimensions(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.product, "the product")
    }

    /// Reads a product.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_product(&self, sandbox: &str, product_id: &str) -> Result<Product, ClientError> {
        let call = Call::GetProduct;
        let question = GetProductRequest { sandbox: sandbox.to_owned(), product_id: product_id.to_owned() };
        let send = |channel, request| async move { service(channel).get_product(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.product, "the product")
    }

    /// Lists a page of the products, in the order of their ids.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_products(
        &self,
        sandbox: &str,
        page: PageRequest,
    ) -> Result<Page<Product>, ClientError> {
        let question =
            ListProductsRequest { sandbox: sandbox.to_owned(), page_size: page.size, page_token: page.token };
        let send = |channel, request| async move { service(channel).list_products(request).await };
        let answer = self.unary(Call::ListProducts, question, send).await?;
        Ok(Page { entries: answer.products, next_page_token: answer.next_page_token })
    }

    /// Lists all products.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_products(&self, sandbox: &str) -> Result<Vec<Product>, ClientError> {
        paging::all(Call::ListProducts, |page| self.list_products(sandbox, page)).await
    }

    /// Releases an offer. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn create_offer(&self, sandbox: &str, offer: Offer) -> Result<Offer, ClientError> {
        let call = Call::CreateOffer;
        let question = CreateOfferRequest { sandbox: sandbox.to_owned(), offer: Some(offer) };
        let send = |channel, request| async move { service(channel).create_offer(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.offer, "the offer")
    }

    /// Reads an offer as an account sees it; as the operator, who sees all, when none is named.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn get_offer(
        &self,
        sandbox: &str,
        offer_id: &str,
        account_id: Option<&str>,
    ) -> Result<GetOfferResponse, ClientError> {
        let question = GetOfferRequest {
            sandbox: sandbox.to_owned(),
            offer_id: offer_id.to_owned(),
            account_id: account_id.unwrap_or_default().to_owned(),
        };
        let send = |channel, request| async move { service(channel).get_offer(request).await };
        self.unary(Call::GetOffer, question, send).await
    }

    /// Lists a page of the offers that an account may see, in the order of their ids.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn list_offers(
        &self,
        sandbox: &str,
        filter: &OfferFilter,
        page: PageRequest,
    ) -> Result<Page<Offer>, ClientError> {
        let question = ListOffersRequest {
            sandbox: sandbox.to_owned(),
            account_id: filter.account_id.clone(),
            product_id: filter.product_id.clone(),
            page_size: page.size,
            page_token: page.token,
        };
        let send = |channel, request| async move { service(channel).list_offers(request).await };
        let answer = self.unary(Call::ListOffers, question, send).await?;
        Ok(Page { entries: answer.offers, next_page_token: answer.next_page_token })
    }

    /// Lists all offers that the filter takes.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn all_offers(&self, sandbox: &str, filter: &OfferFilter) -> Result<Vec<Offer>, ClientError> {
        paging::all(Call::ListOffers, |page| self.list_offers(sandbox, filter, page)).await
    }

    /// Changes prices of a public offer. Never repeated by itself.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn change_prices(
        &self,
        sandbox: &str,
        offer_id: &str,
        rate_card: BTreeMap<String, String>,
        upfront_rate_cards: Vec<UpfrontRateCard>,
    ) -> Result<PriceChange, ClientError> {
        let call = Call::ChangePrices;
        let question = ChangePricesRequest {
            sandbox: sandbox.to_owned(),
            offer_id: offer_id.to_owned(),
            rate_card,
            upfront_rate_cards,
        };
        let send = |channel, request| async move { service(channel).change_prices(request).await };
        let answer = self.unary(call, question, send).await?;
        required(call, answer.price_change, "the price change")
    }
}

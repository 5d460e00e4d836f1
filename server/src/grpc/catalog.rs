//! CatalogService.

use souk_core::ids::{AccountId, OfferId, ProductId, ResaleAuthorizationId};
use souk_core::money::PriceDecimals;
use souk_core::rejection::Rejection;
use souk_proto::catalog::v1 as proto;
use souk_proto::catalog::v1::catalog_service_server::CatalogService;
use tonic::{Request, Response, Status};

use super::answer::{name_of, refuse, refuse_within};
use super::convert::catalog::{
    from_proto_dimensions, from_proto_offer, from_proto_prices, from_proto_product, to_proto_offer,
    to_proto_price_change, to_proto_product,
};
use super::convert::page::page;
use super::convert::resale::{from_proto_authorization, to_proto_authorization};
use super::convert::terms::{from_proto_rate_card, from_proto_upfront_cards, to_proto_terms};
use super::convert::time::to_proto_date;
use super::convert::{required, required_text};
use crate::app::Souk;

/// The catalog over gRPC.
pub struct CatalogApi(pub Souk);

/// The account that looks; none is the operator.
fn viewer(text: &str) -> Result<Option<AccountId>, Rejection> {
    (!text.is_empty()).then(|| AccountId::from_field(text, "accountId")).transpose()
}

fn product_id(text: &str) -> Result<ProductId, Status> {
    required_text(text, "productId").map(ProductId::new).map_err(refuse)
}

fn offer_id(text: &str) -> Result<OfferId, Status> {
    required_text(text, "offerId").map(OfferId::new).map_err(refuse)
}

#[tonic::async_trait]
impl CatalogService for CatalogApi {
    async fn create_product(
        &self,
        request: Request<proto::CreateProductRequest>,
    ) -> Result<Response<proto::CreateProductResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let product = required(request.product, "product").map_err(refuse)?;
        let product = from_proto_product(product).map_err(|r| refuse(r.within("product")))?;
        let product = self.0.create_product(&name, product).await.map_err(|e| refuse_within(e, "product"))?;
        Ok(Response::new(proto::CreateProductResponse { product: Some(to_proto_product(&product)) }))
    }

    async fn add_dimensions(
        &self,
        request: Request<proto::AddDimensionsRequest>,
    ) -> Result<Response<proto::AddDimensionsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = product_id(&request.product_id)?;
        let dimensions = from_proto_dimensions(request.dimensions).map_err(refuse)?;
        let prices = from_proto_prices(request.prices).map_err(refuse)?;
        let product = self.0.add_dimensions(&name, id, dimensions, prices).await.map_err(refuse)?;
        Ok(Response::new(proto::AddDimensionsResponse { product: Some(to_proto_product(&product)) }))
    }

    async fn get_product(
        &self,
        request: Request<proto::GetProductRequest>,
    ) -> Result<Response<proto::GetProductResponse>, Status> {
        let request = request.into_inner();
        let market = self.0.market(&name_of(&request.sandbox)?).map_err(refuse)?;
        let id = product_id(&request.product_id)?;
        let product = market.product(&id, "productId").map_err(refuse)?;
        Ok(Response::new(proto::GetProductResponse { product: Some(to_proto_product(product)) }))
    }

    async fn list_products(
        &self,
        request: Request<proto::ListProductsRequest>,
    ) -> Result<Response<proto::ListProductsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let list = format!("products of {name}");
        let products = market.products().values();
        let (products, next_page_token) =
            page(&list, products, |p| p.id.to_string(), request.page_size, &request.page_token)
                .map_err(refuse)?;
        let products = products.into_iter().map(to_proto_product).collect();
        Ok(Response::new(proto::ListProductsResponse { products, next_page_token }))
    }

    async fn create_resale_authorization(
        &self,
        request: Request<proto::CreateResaleAuthorizationRequest>,
    ) -> Result<Response<proto::CreateResaleAuthorizationResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let field = "resaleAuthorization";
        let authorization = required(request.resale_authorization, field).map_err(refuse)?;
        let authorization = from_proto_authorization(authorization).map_err(|r| refuse(r.within(field)))?;
        let granted = self.0.create_resale_authorization(&name, authorization).await;
        let granted = granted.map_err(|e| refuse_within(e, field))?;
        let resale_authorization = Some(to_proto_authorization(&granted));
        Ok(Response::new(proto::CreateResaleAuthorizationResponse { resale_authorization }))
    }

    async fn restrict_resale_authorization(
        &self,
        request: Request<proto::RestrictResaleAuthorizationRequest>,
    ) -> Result<Response<proto::RestrictResaleAuthorizationResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = required_text(&request.resale_authorization_id, "resaleAuthorizationId").map_err(refuse)?;
        let id = ResaleAuthorizationId::new(id);
        let restricted = self.0.restrict_resale_authorization(&name, id).await.map_err(refuse)?;
        let resale_authorization = Some(to_proto_authorization(&restricted));
        Ok(Response::new(proto::RestrictResaleAuthorizationResponse { resale_authorization }))
    }

    async fn list_resale_authorizations(
        &self,
        request: Request<proto::ListResaleAuthorizationsRequest>,
    ) -> Result<Response<proto::ListResaleAuthorizationsResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let viewer = viewer(&request.account_id).map_err(refuse)?;
        let product = (!request.product_id.is_empty()).then(|| ProductId::new(&request.product_id));
        let all = self.0.resale_authorizations(&name, viewer, product.as_ref()).map_err(refuse)?;
        let list = format!("resale authorizations of {name} {} {}", request.account_id, request.product_id);
        let (all, next_page_token) =
            page(&list, all, |a| a.id.to_string(), request.page_size, &request.page_token).map_err(refuse)?;
        let resale_authorizations = all.iter().map(to_proto_authorization).collect();
        Ok(Response::new(proto::ListResaleAuthorizationsResponse { resale_authorizations, next_page_token }))
    }

    async fn create_offer(
        &self,
        request: Request<proto::CreateOfferRequest>,
    ) -> Result<Response<proto::CreateOfferResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let offer = required(request.offer, "offer").map_err(refuse)?;
        let offer = from_proto_offer(offer).map_err(|r| refuse(r.within("offer")))?;
        let offer = self.0.create_offer(&name, offer).await.map_err(|e| refuse_within(e, "offer"))?;
        Ok(Response::new(proto::CreateOfferResponse { offer: Some(to_proto_offer(&offer)) }))
    }

    async fn get_offer(
        &self,
        request: Request<proto::GetOfferRequest>,
    ) -> Result<Response<proto::GetOfferResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let viewer = viewer(&request.account_id).map_err(refuse)?;
        let offer = self.0.offer(&name, &offer_id(&request.offer_id)?, viewer).map_err(refuse)?;
        let paid_listing_due = self.0.paid_listing_due(&name, &offer).map_err(refuse)?;
        let market = self.0.market(&name).map_err(refuse)?;
        let seller = offer.seller(market.product(&offer.product, "offerId").map_err(refuse)?);
        let knows = viewer.is_none_or(|viewer| viewer == seller);
        let wholesale =
            offer.resale.as_ref().filter(|_| knows).map(|resale| to_proto_terms(&resale.wholesale));
        Ok(Response::new(proto::GetOfferResponse {
            offer: Some(to_proto_offer(&offer)),
            offer_visibility: offer.visibility().to_string(),
            price_changes: offer.price_changes.iter().map(to_proto_price_change).collect(),
            paid_listing_due: paid_listing_due.map(to_proto_date).unwrap_or_default(),
            seller_account_id: seller.to_string(),
            wholesale_terms: wholesale.unwrap_or_default(),
        }))
    }

    async fn list_offers(
        &self,
        request: Request<proto::ListOffersRequest>,
    ) -> Result<Response<proto::ListOffersResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let viewer = viewer(&request.account_id).map_err(refuse)?;
        let product = (!request.product_id.is_empty()).then(|| ProductId::new(&request.product_id));
        let offers = self.0.offers(&name, viewer, product.as_ref()).map_err(refuse)?;
        let list = format!("offers of {name} {} {}", request.account_id, request.product_id);
        let (offers, next_page_token) =
            page(&list, offers, |o| o.id.to_string(), request.page_size, &request.page_token)
                .map_err(refuse)?;
        let offers = offers.iter().map(to_proto_offer).collect();
        Ok(Response::new(proto::ListOffersResponse { offers, next_page_token }))
    }

    async fn change_prices(
        &self,
        request: Request<proto::ChangePricesRequest>,
    ) -> Result<Response<proto::ChangePricesResponse>, Status> {
        let request = request.into_inner();
        let name = name_of(&request.sandbox)?;
        let id = offer_id(&request.offer_id)?;
        let usage =
            from_proto_rate_card(&request.rate_card, PriceDecimals::Metered, "rateCard").map_err(refuse)?;
        let upfront =
            from_proto_upfront_cards(&request.upfront_rate_cards, "upfrontRateCards").map_err(refuse)?;
        let change = self.0.change_prices(&name, id, usage, upfront).await.map_err(refuse)?;
        Ok(Response::new(proto::ChangePricesResponse { price_change: Some(to_proto_price_change(&change)) }))
    }
}

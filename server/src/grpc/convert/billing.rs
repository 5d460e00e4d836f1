//! Invoices, their lines, and how each came about.

use std::sync::Arc;

use souk_core::catalog::{CountedIn, Marketplace};
use souk_core::ids::ProductId;
use souk_core::invoicing::payment::Standing;
use souk_core::invoicing::{ChargeType, Explanation, Invoice, InvoiceKind, InvoiceLine, Proration};
use souk_core::metering::Allocation;
use souk_core::rating::{ExplainedHour, ExplainedRecord, RatedSegment};
use souk_proto::billing::v1 as proto;

use super::adjustment::to_proto_reason;
use super::resale::to_proto_resale;
use super::time::to_proto_time;

/// An invoice with its lines and their explanations.
pub fn to_proto_invoice(standing: &Standing, market: &Marketplace) -> proto::Invoice {
    let lines = standing.invoice.lines.iter().zip(1..);
    proto::Invoice {
        lines: lines.map(|(line, number)| to_proto_invoice_line(line, number, market)).collect(),
        ..to_proto_invoice_head(standing)
    }
}

/// An invoice as it stands in a list: without its lines.
pub fn to_proto_invoice_head(standing: &Standing) -> proto::Invoice {
    let Standing { invoice, collected_at, uncollected, .. } = standing;
    proto::Invoice {
        invoice_id: invoice.id.to_string(),
        payer_account_id: invoice.payer.to_string(),
        invoicing_entity: invoice.entity.clone(),
        currency_code: invoice.currency.code().to_owned(),
        kind: to_proto_invoice_kind(invoice.kind).into(),
        billing_period: invoice.month.to_string(),
        issue_time: Some(to_proto_time(invoice.issued_at)),
        total: invoice.total().to_string(),
        lines: Vec::new(),
        corrected_invoice_id: invoice.correction.as_ref().map(|c| c.invoice.to_string()).unwrap_or_default(),
        adjustment_reason: invoice.correction.as_ref().map_or(0, |c| to_proto_reason(c.reason).into()),
        adjustment_description: invoice
            .correction
            .as_ref()
            .map(|c| c.description.clone())
            .unwrap_or_default(),
        due_time: invoice.due_at.map(to_proto_time),
        payment_terms: invoice.payment_terms().unwrap_or_default(),
        collected_time: collected_at.map(to_proto_time),
        uncollected: uncollected.to_string(),
        tax: invoice.tax().to_string(),
        total_with_tax: invoice.total_with_tax().to_string(),
    }
}

/// An invoice that is not issued yet, as it will stand when it is: with its lines, without an id.
pub fn to_proto_preview(invoice: Invoice, market: &Marketplace) -> proto::Invoice {
    let standing = Standing::as_issued(Arc::new(invoice));
    proto::Invoice { invoice_id: String::new(), ..to_proto_invoice(&standing, market) }
}

/// A line with its explanation; `number` counts from 1.
pub fn to_proto_invoice_line(line: &InvoiceLine, number: u32, market: &Marketplace) -> proto::InvoiceLine {
    proto::InvoiceLine {
        line_number: number,
        charge_type: to_proto_charge_type(line.charge_type).into(),
        seller_account_id: line.seller.to_string(),
        buyer_account_id: line.buyer.to_string(),
        product_id: line.product.to_string(),
        product_title: title(&line.product, market),
        offer_id: line.offer.to_string(),
        agreement_id: line.agreement.to_string(),
        dimension: line.dimension.as_ref().map(ToString::to_string).unwrap_or_default(),
        quantity: line.quantity.to_string(),
        unit_price: line.unit_price.to_string(),
        amount: line.amount.to_string(),
        usage_period_start: Some(to_proto_time(line.start)),
        usage_period_end: Some(to_proto_time(line.end)),
        explanation: Some(to_proto_explanation(&line.explanation)),
        resale: to_proto_resale(line, market),
        quantity_unit: to_proto_quantity_unit(line.explanation.counted_in()).into(),
    }
}

/// How a line came about.
pub fn to_proto_explanation(explanation: &Explanation) -> proto::Explanation {
    proto::Explanation {
        exact_amount: explanation.exact.to_string(),
        segments: explanation.segments.iter().map(to_proto_segment).collect(),
        proration: explanation
            .proration
            .map(|Proration { days, of_days }| proto::Proration { days, of_days }),
    }
}

/// A stretch of hours with one price and one cover.
pub fn to_proto_segment(segment: &RatedSegment) -> proto::ExplainedSegment {
    proto::ExplainedSegment {
        start_time: Some(to_proto_time(segment.start.start())),
        end_time: Some(to_proto_time(segment.end.start())),
        metered_hours: segment.metered_hours,
        metered_quantity: segment.metered.to_string(),
        annual_subscriptions: segment.subscriptions.to_string(),
        covered_quantity: segment.covered.to_string(),
        billed_quantity: segment.billed().to_string(),
        price_source: segment.source.to_string(),
        entitled_quantity: segment.entitled.to_string(),
        trial_quantity: segment.trial.to_string(),
    }
}

/// One hour of a line of usage.
pub fn to_proto_explained_hour(hour: &ExplainedHour) -> proto::ExplainedHour {
    proto::ExplainedHour {
        hour: Some(to_proto_time(hour.hour.start())),
        metered_quantity: hour.metered.to_string(),
        annual_subscriptions: hour.subscriptions.to_string(),
        covered_quantity: hour.covered.to_string(),
        billed_quantity: hour.billed().to_string(),
        records: hour.records.iter().map(to_proto_explained_record).collect(),
        entitled_quantity: hour.entitled.to_string(),
        trial_quantity: hour.trial.to_string(),
    }
}

fn to_proto_explained_record(record: &ExplainedRecord) -> proto::ExplainedRecord {
    proto::ExplainedRecord {
        metering_record_id: record.id.to_string(),
        region: record.region.to_string(),
        quantity: record.quantity.to_string(),
        resource: record.resource.as_ref().map(ToString::to_string).unwrap_or_default(),
        allocations: record.allocations.iter().map(to_proto_explained_allocation).collect(),
    }
}

fn to_proto_explained_allocation(allocation: &Allocation) -> proto::ExplainedAllocation {
    proto::ExplainedAllocation {
        quantity: allocation.quantity.to_string(),
        tags: allocation.tags.iter().cloned().collect(),
    }
}

/// The title of a product; products are never deleted, so every line's has one.
fn title(product: &ProductId, market: &Marketplace) -> String {
    market.products().get(product).map(|product| product.title.clone()).unwrap_or_default()
}

/// What an invoice charges.
pub fn to_proto_invoice_kind(kind: InvoiceKind) -> proto::InvoiceKind {
    match kind {
        InvoiceKind::Usage => proto::InvoiceKind::Usage,
        InvoiceKind::Upfront => proto::InvoiceKind::Upfront,
        InvoiceKind::Instalment => proto::InvoiceKind::Instalment,
        InvoiceKind::CreditMemo => proto::InvoiceKind::CreditMemo,
    }
}

fn to_proto_quantity_unit(counted_in: CountedIn) -> proto::QuantityUnit {
    match counted_in {
        CountedIn::Units => proto::QuantityUnit::Units,
        CountedIn::Seconds => proto::QuantityUnit::Seconds,
    }
}

fn to_proto_charge_type(charge_type: ChargeType) -> proto::ChargeType {
    match charge_type {
        ChargeType::Usage => proto::ChargeType::Usage,
        ChargeType::Annual => proto::ChargeType::Annual,
        ChargeType::Contract => proto::ChargeType::Contract,
        ChargeType::Monthly => proto::ChargeType::Monthly,
    }
}

#[cfg(test)]
mod tests {
    use souk_core::catalog::{Change, PriceSource, Product, ProductType};
    use souk_core::ids::{
        AccountId, AgreementId, DimensionKey, InvoiceId, MeteringRecordId, MeteringResource, OfferId,
        ProductCode, Region, SandboxName,
    };
    use souk_core::money::{Currency, Money, PriceDecimals, UnitPrice};
    use souk_core::quantity::{Quantity, QuantitySum};
    use souk_core::rules::{Profile, Rules};
    use souk_core::time::{BillingMonth, Timestamp, UsageHour};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn written(text: &str) -> Option<prost_types::Timestamp> {
        Some(to_proto_time(at(text)))
    }

    fn account(number: u64) -> AccountId {
        AccountId::from_number(number).unwrap()
    }

    fn market() -> Marketplace {
        let rules = Rules::of(Profile::Source);
        let mut market = Marketplace::new(SandboxName::new("s"), String::new(), rules, Timestamp::MIN);
        market.apply(&Change::ProductCreated(Product {
            id: ProductId::new("prod-1"),
            code: ProductCode::new("code"),
            title: "Widgets".to_owned(),
            seller: account(3),
            product_type: ProductType::Ami,
            usage_category: None,
            dimensions: Vec::new(),
            concurrent_agreements: false,
        }));
        market
    }

    fn invoice() -> Invoice {
        let price = UnitPrice::parse("0.335", PriceDecimals::Metered).unwrap();
        let segment = RatedSegment {
            start: UsageHour::containing(at("2025-06-01T00:00:00Z")),
            end: UsageHour::containing(at("2025-06-16T00:00:00Z")),
            metered_hours: 2,
            metered: QuantitySum::whole(6),
            subscriptions: 1,
            entitled: 7,
            trial: QuantitySum::whole(1),
            covered: QuantitySum::whole(2),
            counted_in: CountedIn::Units,
            source: PriceSource::Offer,
        };
        let exact = price.times(segment.billed(), Currency::Usd);
        let line = InvoiceLine {
            charge_type: ChargeType::Usage,
            seller: account(3),
            buyer: account(1),
            product: ProductId::new("prod-1"),
            offer: OfferId::new("offer-1"),
            agreement: AgreementId::new("agmt-1"),
            dimension: Some(DimensionKey::new("m5.large")),
            quantity: segment.billed(),
            unit_price: price,
            amount: exact.round(),
            start: at("2025-06-01T00:00:00Z"),
            end: at("2025-07-01T00:00:00Z"),
            wholesale: None,
            explanation: Explanation { exact, segments: vec![segment], proration: None },
        };
        Invoice {
            id: InvoiceId::new("inv-1"),
            payer: account(2),
            entity: "AWS Inc.".to_owned(),
            currency: Currency::Usd,
            kind: InvoiceKind::Usage,
            month: BillingMonth::parse("2025-06").unwrap(),
            issued_at: at("2025-07-02T00:00:00Z"),
            due_at: Some(at("2025-08-01T00:00:00Z")),
            lines: vec![line.clone(), line],
            revenue: Vec::new(),
            correction: None,
        }
    }

    fn expected_line(line_number: u32) -> proto::InvoiceLine {
        proto::InvoiceLine {
            line_number,
            charge_type: proto::ChargeType::Usage.into(),
            seller_account_id: "000000000003".to_owned(),
            buyer_account_id: "000000000001".to_owned(),
            product_id: "prod-1".to_owned(),
            product_title: "Widgets".to_owned(),
            offer_id: "offer-1".to_owned(),
            agreement_id: "agmt-1".to_owned(),
            dimension: "m5.large".to_owned(),
            quantity: "3".to_owned(),
            unit_price: "0.335".to_owned(),
            amount: "1.01".to_owned(),
            usage_period_start: written("2025-06-01T00:00:00Z"),
            usage_period_end: written("2025-07-01T00:00:00Z"),
            explanation: Some(proto::Explanation {
                exact_amount: "1.005".to_owned(),
                segments: vec![proto::ExplainedSegment {
                    start_time: written("2025-06-01T00:00:00Z"),
                    end_time: written("2025-06-16T00:00:00Z"),
                    metered_hours: 2,
                    metered_quantity: "6".to_owned(),
                    annual_subscriptions: "1".to_owned(),
                    covered_quantity: "2".to_owned(),
                    billed_quantity: "3".to_owned(),
                    price_source: "the offer as released".to_owned(),
                    entitled_quantity: "7".to_owned(),
                    trial_quantity: "1".to_owned(),
                }],
                proration: None,
            }),
            resale: None,
            quantity_unit: proto::QuantityUnit::Units.into(),
        }
    }

    #[test]
    fn an_invoice_goes_out_whole_as_a_head_or_as_a_preview() {
        let head = proto::Invoice {
            invoice_id: "inv-1".to_owned(),
            payer_account_id: "000000000002".to_owned(),
            invoicing_entity: "AWS Inc.".to_owned(),
            currency_code: "USD".to_owned(),
            kind: proto::InvoiceKind::Usage.into(),
            billing_period: "2025-06".to_owned(),
            issue_time: written("2025-07-02T00:00:00Z"),
            total: "2.02".to_owned(),
            lines: Vec::new(),
            corrected_invoice_id: String::new(),
            adjustment_reason: 0,
            adjustment_description: String::new(),
            due_time: written("2025-08-01T00:00:00Z"),
            payment_terms: "Net 30 days".to_owned(),
            collected_time: written("2025-07-20T00:00:00Z"),
            uncollected: "0.00".to_owned(),
            tax: "0.00".to_owned(),
            total_with_tax: "2.02".to_owned(),
        };
        let standing = Standing {
            corrects: None,
            invoice: Arc::new(invoice()),
            collected_at: Some(at("2025-07-20T00:00:00Z")),
            uncollected: Money::zero(Currency::Usd),
        };
        assert_eq!(to_proto_invoice_head(&standing), head);
        let whole = proto::Invoice { lines: vec![expected_line(1), expected_line(2)], ..head };
        assert_eq!(to_proto_invoice(&standing, &market()), whole);
        let preview = proto::Invoice {
            invoice_id: String::new(),
            collected_time: None,
            uncollected: "2.02".to_owned(),
            ..whole
        };
        assert_eq!(to_proto_preview(invoice(), &market()), preview);
    }

    #[test]
    fn a_line_says_what_it_counts() {
        let mut invoice = invoice();
        invoice.lines[0].explanation.segments[0].counted_in = CountedIn::Seconds;
        let line = to_proto_invoice_line(&invoice.lines[0], 1, &market());
        assert_eq!(line.quantity_unit, i32::from(proto::QuantityUnit::Seconds));
    }

    #[test]
    fn every_kind_of_invoice_and_charge_has_its_word() {
        assert_eq!(to_proto_invoice_kind(InvoiceKind::Upfront), proto::InvoiceKind::Upfront);
        for (charge, expected) in [
            (ChargeType::Usage, proto::ChargeType::Usage),
            (ChargeType::Annual, proto::ChargeType::Annual),
            (ChargeType::Contract, proto::ChargeType::Contract),
            (ChargeType::Monthly, proto::ChargeType::Monthly),
        ] {
            assert_eq!(to_proto_charge_type(charge), expected);
        }
    }

    #[test]
    fn an_explained_hour_names_its_records() {
        let id = MeteringRecordId::new(7, 8);
        let allocation = |quantity: &str, tags: &[(&str, &str)]| Allocation {
            quantity: Quantity::parse(quantity).unwrap(),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        let explained = |quantity: &str, tags: &[(&str, &str)]| proto::ExplainedAllocation {
            quantity: quantity.to_owned(),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        let hour = ExplainedHour {
            hour: UsageHour::containing(at("2025-06-01T13:30:00Z")),
            metered: QuantitySum(2_500_000),
            subscriptions: 2,
            entitled: 3,
            trial: QuantitySum::whole(0),
            covered: QuantitySum::whole(2),
            records: vec![ExplainedRecord {
                id,
                region: Region::new("eu-west-1"),
                resource: Some(MeteringResource::new("i-1")),
                quantity: QuantitySum(2_500_000),
                allocations: [allocation("1.5", &[("env", "test"), ("team", "blue")]), allocation("1", &[])]
                    .into(),
            }],
        };
        let expected = proto::ExplainedHour {
            hour: written("2025-06-01T13:00:00Z"),
            metered_quantity: "2.5".to_owned(),
            annual_subscriptions: "2".to_owned(),
            covered_quantity: "2".to_owned(),
            billed_quantity: "0.5".to_owned(),
            records: vec![proto::ExplainedRecord {
                metering_record_id: id.to_string(),
                region: "eu-west-1".to_owned(),
                quantity: "2.5".to_owned(),
                resource: "i-1".to_owned(),
                allocations: vec![
                    explained("1.5", &[("env", "test"), ("team", "blue")]),
                    explained("1", &[]),
                ],
            }],
            entitled_quantity: "3".to_owned(),
            trial_quantity: "0".to_owned(),
        };
        assert_eq!(to_proto_explained_hour(&hour), expected);
    }
}

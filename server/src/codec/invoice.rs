//! Invoices: rounded money beside the exact amounts it came from. Everything on an invoice is in its one
//! currency, which is stored once.

use souk_core::catalog::{CountedIn, PriceSource};
use souk_core::ids::{AccountId, AgreementId, DimensionKey, InvoiceId, OfferId, ProductId};
use souk_core::invoicing::{
    AdjustmentReason, ChargeType, Correction, Explanation, Invoice, InvoiceKind, InvoiceLine, Proration,
    Revenue, Tax,
};
use souk_core::machine::Event;
use souk_core::money::{Amount, Currency, Money, Rate};
use souk_core::quantity::QuantitySum;
use souk_core::rating::RatedSegment;
use souk_core::time::Timestamp;
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::catalog::tax_liability;
use super::resale::{from_journal_row, from_journal_wholesale, to_journal_row};
use super::value::{
    Stored, account, currency, hour, id, integer, list, money, month, price, quantity_sum, required,
    required_time, time,
};

pub(super) fn to_journal_invoice(invoice: &Invoice) -> journal::Invoice {
    let Invoice { id, payer, entity, currency, kind, month, issued_at, due_at, lines, revenue, correction } =
        invoice;
    journal::Invoice {
        invoice_id: id.to_string(),
        payer: Some(payer.number()),
        entity: Some(entity.clone()),
        currency_code: currency.code().to_owned(),
        kind: kind.to_journal(),
        month: Some(month.index()),
        issue_micros: Some(issued_at.micros()),
        lines: lines.iter().map(to_journal_line).collect(),
        revenue: revenue.iter().map(to_journal_revenue).collect(),
        correction: correction.as_ref().map(to_journal_correction),
        due_micros: due_at.map(Timestamp::micros),
    }
}

pub(super) fn to_journal_paid(
    payer: AccountId,
    invoice: &InvoiceId,
    amount: Money,
    at: Timestamp,
) -> journal::InvoicePaid {
    journal::InvoicePaid {
        payer: Some(payer.number()),
        invoice_id: invoice.to_string(),
        currency_code: amount.currency().code().to_owned(),
        amount_minor: amount.minor().to_string(),
        payment_micros: Some(at.micros()),
    }
}

pub(super) fn from_journal_paid(paid: &journal::InvoicePaid) -> Result<Event, CodecError> {
    let currency = currency(&paid.currency_code, "currency_code")?;
    Ok(Event::InvoicePaid {
        payer: account(paid.payer, "payer")?,
        invoice: id(&paid.invoice_id, InvoiceId::new, "invoice_id")?,
        amount: money(&paid.amount_minor, currency, "amount_minor")?,
        at: required_time(paid.payment_micros, "payment_micros")?,
    })
}

pub(super) fn from_journal_invoice(invoice: journal::Invoice) -> Result<Invoice, CodecError> {
    let currency = currency(&invoice.currency_code, "currency_code")?;
    Ok(Invoice {
        id: id(&invoice.invoice_id, InvoiceId::new, "invoice_id")?,
        payer: account(invoice.payer, "payer")?,
        entity: required(invoice.entity, "entity")?,
        currency,
        kind: InvoiceKind::from_journal(invoice.kind, "kind")?,
        month: month(invoice.month, "month")?,
        issued_at: required_time(invoice.issue_micros, "issue_micros")?,
        due_at: invoice.due_micros.map(|micros| time(micros, "due_micros")).transpose()?,
        lines: list(invoice.lines, "lines", |line| from_journal_line(line, currency))?,
        revenue: list(invoice.revenue, "revenue", |revenue| from_journal_revenue(&revenue, currency))?,
        correction: invoice.correction.map(from_journal_correction).transpose()?,
    })
}

fn to_journal_correction(correction: &Correction) -> journal::Correction {
    let Correction { invoice, agreement, reason, description, client_token } = correction;
    journal::Correction {
        invoice_id: invoice.to_string(),
        agreement_id: agreement.to_string(),
        reason: reason.to_journal(),
        description: Some(description.clone()),
        client_token: Some(client_token.clone()),
    }
}

fn from_journal_correction(correction: journal::Correction) -> Result<Correction, CodecError> {
    Ok(Correction {
        invoice: id(&correction.invoice_id, InvoiceId::new, "invoice_id")?,
        agreement: id(&correction.agreement_id, AgreementId::new, "agreement_id")?,
        reason: AdjustmentReason::from_journal(correction.reason, "reason")?,
        description: required(correction.description, "description")?,
        client_token: required(correction.client_token, "client_token")?,
    })
}

fn to_journal_line(line: &InvoiceLine) -> journal::InvoiceLine {
    let InvoiceLine {
        charge_type,
        seller,
        buyer,
        product,
        offer,
        agreement,
        dimension,
        quantity,
        unit_price,
        amount,
        start,
        end,
        wholesale,
        explanation: Explanation { exact, segments, proration },
    } = line;
    journal::InvoiceLine {
        charge_type: charge_type.to_journal(),
        seller: Some(seller.number()),
        buyer: Some(buyer.number()),
        product_id: product.to_string(),
        offer_id: offer.to_string(),
        agreement_id: agreement.to_string(),
        dimension: dimension.as_ref().map(DimensionKey::to_string).unwrap_or_default(),
        quantity_millionths: quantity.0.to_string(),
        scaled_unit_price: Some(unit_price.scaled()),
        amount_minor: amount.minor().to_string(),
        start_micros: Some(start.micros()),
        end_micros: Some(end.micros()),
        scaled_exact_amount: exact.scaled().to_string(),
        segments: segments.iter().map(to_journal_segment).collect(),
        proration: proration.map(|Proration { days, of_days }| journal::Proration {
            days: Some(days),
            of_days: Some(of_days),
        }),
        wholesale_minor: wholesale.map(|wholesale| wholesale.minor().to_string()),
    }
}

fn from_journal_line(line: journal::InvoiceLine, currency: Currency) -> Result<InvoiceLine, CodecError> {
    Ok(InvoiceLine {
        charge_type: ChargeType::from_journal(line.charge_type, "charge_type")?,
        seller: account(line.seller, "seller")?,
        buyer: account(line.buyer, "buyer")?,
        product: id(&line.product_id, ProductId::new, "product_id")?,
        offer: id(&line.offer_id, OfferId::new, "offer_id")?,
        agreement: id(&line.agreement_id, AgreementId::new, "agreement_id")?,
        dimension: (!line.dimension.is_empty()).then(|| DimensionKey::new(&line.dimension)),
        quantity: quantity_sum(&line.quantity_millionths, "quantity_millionths")?,
        unit_price: price(line.scaled_unit_price, "scaled_unit_price")?,
        amount: money(&line.amount_minor, currency, "amount_minor")?,
        start: required_time(line.start_micros, "start_micros")?,
        end: required_time(line.end_micros, "end_micros")?,
        wholesale: from_journal_wholesale(line.wholesale_minor.as_ref(), currency)?,
        explanation: Explanation {
            exact: Amount::new(integer(&line.scaled_exact_amount, "scaled_exact_amount")?, currency),
            segments: list(line.segments, "segments", |segment| from_journal_segment(&segment))?,
            proration: line.proration.map(from_journal_proration).transpose()?,
        },
    })
}

fn from_journal_proration(proration: journal::Proration) -> Result<Proration, CodecError> {
    Ok(Proration {
        days: required(proration.days, "days")?,
        of_days: required(proration.of_days, "of_days")?,
    })
}

fn to_journal_segment(segment: &RatedSegment) -> journal::RatedSegment {
    let RatedSegment {
        start,
        end,
        metered_hours,
        metered,
        subscriptions,
        entitled,
        covered,
        trial,
        counted_in,
        source,
    } = segment;
    journal::RatedSegment {
        start_hour: Some(start.index()),
        end_hour: Some(end.index()),
        metered_hours: Some(*metered_hours),
        metered_millionths: metered.0.to_string(),
        subscriptions: Some(*subscriptions),
        covered_millionths: covered.0.to_string(),
        source: Some(to_journal_source(*source)),
        entitled: (*entitled != 0).then_some(*entitled),
        trial_millionths: (!trial.is_zero()).then(|| trial.0.to_string()),
        counts_seconds: (*counted_in == CountedIn::Seconds).then_some(true),
    }
}

fn from_journal_segment(segment: &journal::RatedSegment) -> Result<RatedSegment, CodecError> {
    Ok(RatedSegment {
        start: hour(segment.start_hour, "start_hour")?,
        end: hour(segment.end_hour, "end_hour")?,
        metered_hours: required(segment.metered_hours, "metered_hours")?,
        metered: quantity_sum(&segment.metered_millionths, "metered_millionths")?,
        subscriptions: required(segment.subscriptions, "subscriptions")?,
        entitled: segment.entitled.unwrap_or(0),
        trial: match &segment.trial_millionths {
            None => QuantitySum::whole(0),
            Some(digits) => quantity_sum(digits, "trial_millionths")?,
        },
        covered: quantity_sum(&segment.covered_millionths, "covered_millionths")?,
        counted_in: match segment.counts_seconds {
            Some(true) => CountedIn::Seconds,
            Some(false) | None => CountedIn::Units,
        },
        source: from_journal_source(required(segment.source, "source")?)?,
    })
}

fn to_journal_source(source: PriceSource) -> journal::rated_segment::Source {
    use journal::rated_segment::Source;
    match source {
        PriceSource::Offer => Source::Offer(journal::OfferAsReleased {}),
        PriceSource::ChangeForNew(notice) => Source::ChangeForNewMicros(notice.micros()),
        PriceSource::ChangeAfterNotice(notice) => Source::ChangeAfterNoticeMicros(notice.micros()),
        PriceSource::ImmediateCut(notice) => Source::ImmediateCutMicros(notice.micros()),
    }
}

fn from_journal_source(source: journal::rated_segment::Source) -> Result<PriceSource, CodecError> {
    use journal::rated_segment::Source;
    match source {
        Source::Offer(journal::OfferAsReleased {}) => Ok(PriceSource::Offer),
        Source::ChangeForNewMicros(at) => Ok(PriceSource::ChangeForNew(time(at, "change_for_new_micros")?)),
        Source::ChangeAfterNoticeMicros(at) => {
            Ok(PriceSource::ChangeAfterNotice(time(at, "change_after_notice_micros")?))
        }
        Source::ImmediateCutMicros(at) => Ok(PriceSource::ImmediateCut(time(at, "immediate_cut_micros")?)),
    }
}

fn to_journal_revenue(revenue: &Revenue) -> journal::Revenue {
    let Revenue {
        charge_type,
        seller,
        buyer,
        product,
        offer,
        dimension,
        billed,
        fee_rate,
        fee,
        refunded,
        fee_refund,
        tax,
        resale,
        agreements,
    } = revenue;
    let unless_zero = |money: &Money| (money.minor() != 0).then(|| money.minor().to_string());
    journal::Revenue {
        charge_type: charge_type.to_journal(),
        seller: Some(seller.number()),
        buyer: Some(buyer.number()),
        product_id: product.to_string(),
        offer_id: offer.to_string(),
        dimension: dimension.as_ref().map(DimensionKey::to_string),
        billed_minor: billed.minor().to_string(),
        fee_rate_hundredths_of_percent: Some(fee_rate.hundredths_of_percent()),
        fee_minor: fee.minor().to_string(),
        refunded_minor: unless_zero(refunded),
        fee_refund_minor: unless_zero(fee_refund),
        tax: tax.map(|Tax { liable, amount }| journal::Tax {
            amount_minor: amount.minor().to_string(),
            seller_is_liable: Some(liable.is_seller()),
        }),
        resale: resale.as_ref().map(to_journal_row),
        agreement_ids: agreements.iter().map(AgreementId::to_string).collect(),
    }
}

fn from_journal_tax(tax: &journal::Tax, currency: Currency) -> Result<Tax, CodecError> {
    Ok(Tax {
        liable: tax_liability(tax.seller_is_liable)?,
        amount: money(&tax.amount_minor, currency, "amount_minor")?,
    })
}

fn from_journal_revenue(revenue: &journal::Revenue, currency: Currency) -> Result<Revenue, CodecError> {
    let fee_rate = required(revenue.fee_rate_hundredths_of_percent, "fee_rate_hundredths_of_percent")?;
    let optional = |digits: &Option<String>, field| match digits {
        None => Ok(Money::zero(currency)),
        Some(digits) => money(digits, currency, field),
    };
    let dimension = revenue.dimension.as_deref().map(|key| id(key, DimensionKey::new, "dimension"));
    Ok(Revenue {
        charge_type: ChargeType::from_journal(revenue.charge_type, "charge_type")?,
        seller: account(revenue.seller, "seller")?,
        buyer: account(revenue.buyer, "buyer")?,
        product: id(&revenue.product_id, ProductId::new, "product_id")?,
        offer: id(&revenue.offer_id, OfferId::new, "offer_id")?,
        dimension: dimension.transpose()?,
        billed: money(&revenue.billed_minor, currency, "billed_minor")?,
        fee_rate: Rate::from_hundredths_of_percent(fee_rate),
        fee: money(&revenue.fee_minor, currency, "fee_minor")?,
        refunded: optional(&revenue.refunded_minor, "refunded_minor")?,
        fee_refund: optional(&revenue.fee_refund_minor, "fee_refund_minor")?,
        tax: revenue.tax.as_ref().map(|tax| from_journal_tax(tax, currency)).transpose()?,
        resale: revenue.resale.as_ref().map(|row| from_journal_row(row, currency)).transpose()?,
        agreements: list(revenue.agreement_ids.iter().collect(), "agreement_ids", |text: &String| {
            id(text, AgreementId::new, "id")
        })?,
    })
}

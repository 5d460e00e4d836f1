//! `balances`: where payers stand, summed over their invoices.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use souk_client::InvoiceFilter;
use souk_proto::billing::v1::{Invoice, InvoiceKind};

use super::Kind;
use crate::scenario::actual::Actual;
use crate::scenario::expected::Items;
use crate::scenario::world::{Looking, World};

pub const KIND: Kind = Kind {
    key: "balances",
    about: "Where each payer stands in each currency, with taxes: charged, givenBack, uncollected, and credit, which is \
            what came back of invoices that were paid before.",
    of: None,
    asks: &[],
    look,
};

/// Of one payer, in one currency.
#[derive(Debug, Default, PartialEq, Eq)]
struct Balance {
    charged: Decimal,
    given_back: Decimal,
    uncollected: Decimal,
    credit: Decimal,
}

fn look<'a>(world: &'a mut World, _: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let invoices = world.client.all_invoices(&world.sandbox, &InvoiceFilter::default()).await?;
        let rows = balances(&invoices).into_iter().map(|((payer, currency), balance)| {
            let money = [
                ("charged", balance.charged),
                ("givenBack", balance.given_back),
                ("uncollected", balance.uncollected),
                ("credit", balance.credit),
            ];
            let names = [("payer", payer), ("currency", currency)].map(|(key, text)| (key, text.to_owned()));
            let cells = names.into_iter().chain(money.map(|(key, sum)| (key, sum.to_string())));
            Actual::Fields(cells.map(|(key, text)| (key.to_owned(), Actual::Text(text))).collect())
        });
        Ok(rows.collect())
    })
}

fn balances(invoices: &[Invoice]) -> BTreeMap<(&str, &str), Balance> {
    let collected: BTreeMap<&str, _> =
        invoices.iter().map(|invoice| (invoice.invoice_id.as_str(), invoice.collected_time)).collect();
    let mut balances: BTreeMap<(&str, &str), Balance> = BTreeMap::new();
    for invoice in invoices {
        // The server writes every amount as a decimal.
        let amount = |text: &str| text.parse::<Decimal>().unwrap_or_default();
        let total = amount(&invoice.total_with_tax);
        let whose = (invoice.payer_account_id.as_str(), invoice.currency_code.as_str());
        let balance = balances.entry(whose).or_default();
        balance.uncollected += amount(&invoice.uncollected);
        if invoice.kind() != InvoiceKind::CreditMemo {
            balance.charged += total;
            continue;
        }
        balance.given_back -= total;
        let paid = collected.get(invoice.corrected_invoice_id.as_str()).copied().flatten();
        let moment = |time: prost_types::Timestamp| (time.seconds, time.nanos);
        if paid.map(moment).is_some_and(|paid| Some(paid) <= invoice.issue_time.map(moment)) {
            balance.credit -= total;
        }
    }
    balances
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn invoice(id: &str, total: &str, issued: i64, collected: Option<i64>, corrects: &str) -> Invoice {
        let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let kind = if corrects.is_empty() { InvoiceKind::Usage } else { InvoiceKind::CreditMemo };
        Invoice {
            invoice_id: id.to_owned(),
            payer_account_id: "111111111111".to_owned(),
            currency_code: "USD".to_owned(),
            kind: kind.into(),
            total_with_tax: total.to_owned(),
            uncollected: if collected.is_some() { "0.00" } else { total }.to_owned(),
            issue_time: time(issued),
            collected_time: collected.and_then(time),
            corrected_invoice_id: corrects.to_owned(),
            ..Invoice::default()
        }
    }

    #[test]
    fn what_comes_back_of_a_paid_invoice_is_credit() {
        let invoices = [
            invoice("a", "100.00", 1, Some(5), ""),
            invoice("b", "30.50", 2, None, ""),
            invoice("c", "-10.00", 4, Some(5), "a"),
            invoice("d", "-20.25", 6, Some(6), "a"),
            invoice("e", "-5.00", 6, None, "b"),
        ];
        let sums = |texts: [&str; 4]| texts.map(|text| text.parse::<Decimal>().unwrap());
        let [charged, given_back, uncollected, credit] = sums(["130.50", "35.25", "25.50", "20.25"]);
        let expected = Balance { charged, given_back, uncollected, credit };
        assert_eq!(balances(&invoices), BTreeMap::from([(("111111111111", "USD"), expected)]));
    }
}

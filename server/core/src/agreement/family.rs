//! A payer's family: the payer and its linked accounts, with their agreements and invoices. Nothing that is
//! priced crosses a family, so all of it lives in one partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Agreement, AgreementStatus, InstalmentState, UpfrontPurchase};
use crate::ids::{AccountId, AgreementId, InvoiceId, LicenseArn, ProductId};
use crate::invoicing::Invoice;
use crate::invoicing::payment::Payment;
use crate::metering::client_token::ClientTokens;
use crate::metering::registration::Registrations;
use crate::metering::series::SeriesHandle;
use crate::rating::Demonstration;
use crate::time::{BillingMonth, Timestamp};

/// A payer and its linked accounts.
#[derive(Debug, Clone)]
pub struct Family {
    /// The payer.
    pub payer: AccountId,
    /// The earliest month that is not closed.
    pub open_month: BillingMonth,
    /// When something becomes due, as the agenda has it.
    pub scheduled: Option<Timestamp>,
    /// The series of its accounts, in the order in which they were opened.
    pub series: Vec<SeriesHandle>,
    /// The calls of its accounts that were named with a token.
    pub client_tokens: ClientTokens,
    /// What its accounts demonstrated in closed months.
    pub demonstrations: Vec<Demonstration>,
    /// The programs that its accounts have registered.
    pub registrations: Registrations,
    agreements: BTreeMap<u32, Agreement>,
    numbers: BTreeMap<AgreementId, u32>,
    invoices: Vec<Arc<Invoice>>,
    invoice_positions: BTreeMap<InvoiceId, usize>,
    payments: BTreeMap<InvoiceId, Payment>,
}

impl Family {
    /// A family whose first agreement begins in `month`.
    pub fn new(payer: AccountId, month: BillingMonth) -> Family {
        Family {
            payer,
            open_month: month,
            scheduled: None,
            series: Vec::new(),
            client_tokens: ClientTokens::default(),
            demonstrations: Vec::new(),
            registrations: Registrations::default(),
            agreements: BTreeMap::new(),
            numbers: BTreeMap::new(),
            invoices: Vec::new(),
            invoice_positions: BTreeMap::new(),
            payments: BTreeMap::new(),
        }
    }

    /// The agreements in the order of their acceptance.
    pub fn agreements(&self) -> impl Iterator<Item = &Agreement> {
        self.agreements.values()
    }

    /// The agreement of this id.
    pub fn agreement(&self, id: &AgreementId) -> Option<&Agreement> {
        self.numbers.get(id).and_then(|number| self.agreements.get(number))
    }

    /// The agreements of a buyer on a product.
    pub fn agreements_of(
        &self,
        buyer: AccountId,
        product: &ProductId,
    ) -> impl Iterator<Item = &Agreement> + Clone {
        self.agreements.values().filter(move |a| a.buyer == buyer && a.product == *product)
    }

    /// The agreements of a licence.
    pub fn agreements_of_licence(&self, licence: &LicenseArn) -> impl Iterator<Item = &Agreement> + Clone {
        self.agreements.values().filter(move |a| a.licence == *licence)
    }

    /// The number of the next agreement.
    pub fn next_agreement_number(&self) -> u32 {
        self.agreements.last_key_value().map_or(1, |(number, _)| number + 1)
    }

    /// The invoices in the order of their issue.
    pub fn invoices(&self) -> &[Arc<Invoice>] {
        &self.invoices
    }

    /// The invoice of this id.
    pub fn invoice(&self, id: &InvoiceId) -> Option<&Arc<Invoice>> {
        self.invoice_positions.get(id).and_then(|&position| self.invoices.get(position))
    }

    /// The number of the next invoice.
    pub fn next_invoice_number(&self) -> u32 {
        self.invoices.len() as u32 + 1
    }

    /// Adds an agreement.
    pub fn add_agreement(&mut self, agreement: Agreement) {
        self.numbers.insert(agreement.id.clone(), agreement.number);
        self.agreements.insert(agreement.number, agreement);
    }

    /// Adds a purchase to an agreement. `renews`: the number of the purchase that it renews, whose
    /// auto-renewal is done with that.
    pub fn add_purchase(&mut self, id: &AgreementId, purchase: UpfrontPurchase, renews: Option<u32>) {
        if let Some(agreement) = self.agreement_mut(id) {
            for old in agreement.purchases.iter_mut().filter(|old| Some(old.number) == renews) {
                old.auto_renew = false;
            }
            agreement.purchases.push(purchase);
        }
    }

    /// Ends an agreement.
    pub fn end_agreement(&mut self, id: &AgreementId, status: AgreementStatus, at: Timestamp) {
        if let Some(agreement) = self.agreement_mut(id) {
            agreement.status = status;
            agreement.ended_at = Some(at);
        }
    }

    /// Notes what became of an instalment.
    pub fn settle_instalment(&mut self, id: &AgreementId, number: u32, state: InstalmentState) {
        let instalments = self.agreement_mut(id).map(|agreement| &mut agreement.instalments);
        if let Some(instalment) = instalments.and_then(|all| all.get_mut(number as usize - 1)) {
            instalment.state = state;
        }
    }

    /// Adds an invoice.
    pub fn add_invoice(&mut self, invoice: Arc<Invoice>) {
        self.invoice_positions.insert(invoice.id.clone(), self.invoices.len());
        self.invoices.push(invoice);
    }

    /// What was paid by invoice, by the invoices.
    pub fn payments(&self) -> impl Iterator<Item = (&InvoiceId, &Payment)> {
        self.payments.iter()
    }

    /// What was paid of an invoice.
    pub fn payment(&self, id: &InvoiceId) -> Option<&Payment> {
        self.payments.get(id)
    }

    /// Notes a payment.
    pub fn add_payment(&mut self, id: InvoiceId, payment: Payment) {
        self.payments.insert(id, payment);
    }

    pub(super) fn agreement_mut(&mut self, id: &AgreementId) -> Option<&mut Agreement> {
        let number = self.numbers.get(id)?;
        self.agreements.get_mut(number)
    }
}

//! Buyers accept offers.

use std::collections::BTreeMap;

use souk_core::agreement::acceptance::{self, Refusal};
use souk_core::agreement::{Agreement, Entitlement, Family, amendment, refund_window};
use souk_core::catalog::Marketplace;
use souk_core::ids::{AccountId, AgreementId, DimensionKey, InvoiceId, OfferId, ProductId, SandboxName};
use souk_core::machine::Event;
use souk_core::rejection::{Broken, Code, Rejection};
use souk_core::terms::configurable_upfront::UpfrontConfiguration;
use souk_core::time::Timestamp;

use super::Souk;
use super::registration_token::RegistrationToken;
use crate::error::AppError;

/// An agreement that was made or changed, with the invoices that this set off.
pub struct Agreed {
    /// The agreement.
    pub agreement: Agreement,
    /// The invoices.
    pub invoices: Vec<InvoiceId>,
}

impl Souk {
    /// A buyer accepts an offer.
    pub async fn accept_offer(
        &self,
        name: &SandboxName,
        offer: OfferId,
        buyer: AccountId,
        configuration: Option<UpfrontConfiguration>,
    ) -> Result<Agreed, AppError> {
        let payer = self.market(name)?.account(buyer, "buyerAccountId")?.payer;
        let target = name.clone();
        let job = move |turn: &mut crate::partition::Turn<'_>| {
            let (sandbox, now) = turn.at_its_time(&target)?;
            let (market, family) = (sandbox.market(), sandbox.family(payer));
            let events =
                acceptance::accept_offer(market, family, &offer, buyer, configuration.as_ref(), now)?;
            let id = events.iter().find_map(|event| match event {
                Event::AgreementAccepted(agreement) => Some(agreement.id.clone()),
                _ => None,
            });
            let id = id.ok_or_else(|| Broken("an acceptance made no agreement".to_owned()))?;
            let invoices = issued(&events);
            turn.apply(&target, events)?;
            agreed(turn.sandbox(&target)?, &id, invoices)
        };
        self.partition(name, payer)?.run(job).await
    }

    /// A buyer buys annual cover on top.
    pub async fn add_annual_subscription(
        &self,
        name: &SandboxName,
        agreement: AgreementId,
        configuration: UpfrontConfiguration,
    ) -> Result<Agreed, AppError> {
        self.on_agreement(name, agreement, move |market, family, agreement, now| {
            acceptance::add_annual_subscription(market, family, agreement, &configuration, now)
        })
        .await
    }

    /// A buyer changes the quantities of an upfront purchase.
    pub async fn amend_agreement(
        &self,
        name: &SandboxName,
        agreement: AgreementId,
        purchase: Option<u32>,
        quantities: BTreeMap<DimensionKey, u64>,
    ) -> Result<Agreed, AppError> {
        self.on_agreement(name, agreement, move |market, family, agreement, now| {
            amendment::amend(market, family, agreement, purchase, &quantities, now)
        })
        .await
    }

    /// A buyer gives an upfront purchase back.
    pub async fn refund_purchase(
        &self,
        name: &SandboxName,
        agreement: AgreementId,
        purchase: Option<u32>,
    ) -> Result<Agreed, AppError> {
        self.on_agreement(name, agreement, move |market, family, agreement, now| {
            refund_window::refund_purchase(market, family, agreement, purchase, now)
        })
        .await
    }

    /// A buyer ends an agreement.
    pub async fn cancel_agreement(
        &self,
        name: &SandboxName,
        agreement: AgreementId,
    ) -> Result<Agreement, AppError> {
        let cancelled = self
            .on_agreement(name, agreement, |_, family, agreement, now| {
                acceptance::cancel(family, agreement, now)
            })
            .await?;
        Ok(cancelled.agreement)
    }

    /// One agreement.
    pub async fn agreement(&self, name: &SandboxName, agreement: AgreementId) -> Result<Agreement, AppError> {
        Ok(self.on_agreement(name, agreement, |_, _, _, _| Ok(Vec::new())).await?.agreement)
    }

    /// A registration token of an agreement, as the buyer's browser carries it.
    pub async fn registration_token(
        &self,
        name: &SandboxName,
        agreement: AgreementId,
    ) -> Result<RegistrationToken, AppError> {
        let market = self.market(name)?;
        let agreement = self.agreement(name, agreement).await?;
        Ok(RegistrationToken::new(agreement.id, &market.rules, self.now(&market)))
    }

    /// Agreements by payer and acceptance.
    pub async fn agreements(
        &self,
        name: &SandboxName,
        buyer: Option<AccountId>,
        product: Option<ProductId>,
    ) -> Result<Vec<Agreement>, AppError> {
        self.market(name)?;
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                let (sandbox, _) = turn.at_its_time(&target)?;
                let all = sandbox.families().values().flat_map(|family| family.agreements());
                let of_buyer = all.filter(|a| buyer.is_none_or(|buyer| a.buyer == buyer));
                let wanted =
                    of_buyer.filter(|a| product.as_ref().is_none_or(|product| a.product == *product));
                Ok(wanted.cloned().collect::<Vec<_>>())
            })
            .await?;
        let mut agreements: Vec<_> = parts.into_iter().flatten().collect();
        agreements.sort_by_key(|agreement| (agreement.payer, agreement.number));
        Ok(agreements)
    }

    /// What the live contracts on a product entitle to, of one buyer or of all, in the order of
    /// [`Entitlement::order`]; `scheduled`: with what begins later.
    pub async fn entitlements(
        &self,
        name: &SandboxName,
        product: ProductId,
        buyer: Option<AccountId>,
        scheduled: bool,
    ) -> Result<Vec<Entitlement>, AppError> {
        self.market(name)?.product(&product, "productId")?;
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                let (sandbox, now) = turn.at_its_time(&target)?;
                let mut found = Vec::new();
                for family in sandbox.families().values() {
                    found.extend(Entitlement::of_family(family, buyer, &product, now));
                    if scheduled {
                        found.extend(Entitlement::scheduled(family, buyer, &product, now));
                    }
                }
                Ok(found)
            })
            .await?;
        let mut entitlements: Vec<_> = parts.into_iter().flatten().collect();
        entitlements.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(entitlements)
    }

    async fn on_agreement(
        &self,
        name: &SandboxName,
        id: AgreementId,
        decide: impl FnOnce(&Marketplace, &Family, &Agreement, Timestamp) -> Result<Vec<Event>, Refusal>
        + Send
        + 'static,
    ) -> Result<Agreed, AppError> {
        self.market(name)?;
        let payer = self.payer_of(name, &id).ok_or_else(|| unknown(name, &id))?;
        let target = name.clone();
        let job = move |turn: &mut crate::partition::Turn<'_>| {
            let (sandbox, now) = turn.at_its_time(&target)?;
            let (family, agreement) = sandbox.agreement(&id).ok_or_else(|| unknown(&target, &id))?;
            let events = decide(sandbox.market(), family, agreement, now)?;
            let invoices = issued(&events);
            turn.apply(&target, events)?;
            agreed(turn.sandbox(&target)?, &id, invoices)
        };
        self.partition(name, payer)?.run(job).await
    }
}

fn agreed(
    sandbox: &souk_core::machine::Sandbox,
    id: &AgreementId,
    invoices: Vec<InvoiceId>,
) -> Result<Agreed, AppError> {
    let found = sandbox.agreement(id).map(|(_, agreement)| agreement.clone());
    let agreement = found.ok_or_else(|| Broken(format!("agreement {id} is gone")))?;
    Ok(Agreed { agreement, invoices })
}

fn issued(events: &[Event]) -> Vec<InvoiceId> {
    let ids = events.iter().filter_map(|event| match event {
        Event::InvoiceIssued(invoice) => Some(invoice.id.clone()),
        _ => None,
    });
    ids.collect()
}

fn unknown(name: &SandboxName, id: &AgreementId) -> Rejection {
    let message = format!("sandbox \"{name}\" has no agreement \"{id}\": list its agreements");
    Rejection::new(Code::AgreementUnknown, "agreementId", message)
}

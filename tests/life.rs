//! What becomes of a plan's agreements, told a second time: who holds what, what ends, falls back and renews.
//! The facts that it gathers are what the bills are computed from.

use std::collections::BTreeMap;

use chrono::{Days, Months};
use souk_tests::naive::{Agreement, Change, Market, Offer, Prices, Product, Purchase, Time, hour_of};
use souk_tests::publish::public_offer;

use super::plan::{AMI, CONTRACT, EXTRA, PRODUCTS, Plan, SAAS, SEATS};

/// The sellers' invoicing entities, by product.
pub const ENTITIES: [&str; 3] = ["AWS Inc.", "AWS EMEA SARL", "AWS Inc."];

/// The offer on which the instance types are shown for free, and what it would cost there.
pub const SHOWN_OFFER: &str = "offer-shown";
/// Its price of every type.
pub const SHOWN_PRICE: &str = "7.00";

/// A plan's marketplace as it stands.
pub struct Life {
    /// The facts.
    pub market: Market,
    sold: BTreeMap<String, Sold>,
    /// What is still to come of each agreement, in the order of the facts.
    futures: Vec<Future>,
}

/// What the bills need not know of an offer.
#[derive(Default)]
struct Sold {
    buyers: Vec<String>,
    validity_days: Option<u64>,
    /// Upfront prices by the months they are for.
    upfront: BTreeMap<u32, Prices>,
    upfront_changes: Vec<(Time, Prices)>,
    renewable: bool,
}

/// What is still to come of an agreement.
struct Future {
    product: usize,
    live: bool,
    planned_end: Option<Time>,
    terms: Vec<Term>,
}

/// The term of an upfront purchase: cover may end before it.
struct Term {
    months: u32,
    end: Time,
    auto_renew: bool,
}

/// What a buyer wants upfront.
pub struct Wanted {
    /// Of what.
    pub dimension: String,
    /// How much.
    pub units: u64,
    /// For how many months.
    pub months: u32,
    /// Renews itself.
    pub auto_renew: bool,
}

/// What is due; ends come before renewals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    End(usize),
    Renewal(usize, usize),
}

impl Life {
    /// The marketplace of a plan before anybody subscribes.
    pub fn new(plan: &Plan) -> Life {
        let mut market = Market { decreases_immediate: plan.decreases_immediate, ..Market::default() };
        market.payers = plan.accounts().into_iter().collect();
        let products = PRODUCTS.iter().zip(ENTITIES).enumerate();
        market.products = products
            .map(|(number, (id, entity))| {
                ((*id).to_owned(), Product { entity: entity.to_owned(), server: number == AMI })
            })
            .collect();
        let mut life = Life { market, sold: BTreeMap::new(), futures: Vec::new() };
        let dimensions = plan.dimensions(AMI);
        let hourly =
            dimensions.iter().cloned().zip(plan.types.iter().map(|(hourly, _)| hourly.clone())).collect();
        let annual =
            dimensions.into_iter().zip(plan.types.iter().map(|(_, annual)| annual.clone())).collect();
        let [month, year, extra] = plan.contract.clone();
        let seats = |price: String| Prices::from([(SEATS.to_owned(), price)]);
        let publics = [
            (hourly, BTreeMap::from([(12, annual)])),
            (plan.dimensions(SAAS).into_iter().zip(plan.units.clone()).collect(), BTreeMap::new()),
            (
                Prices::from([(EXTRA.to_owned(), extra)]),
                BTreeMap::from([(1, seats(month)), (12, seats(year))]),
            ),
        ];
        for (product, (usage, upfront)) in PRODUCTS.into_iter().zip(publics) {
            let sold = Sold { upfront, renewable: true, ..Sold::default() };
            life.offer(public_offer(product), product, usage, sold);
        }
        let shown = plan.dimensions(AMI).into_iter().map(|key| (key, SHOWN_PRICE.to_owned())).collect();
        life.offer(SHOWN_OFFER.to_owned(), PRODUCTS[AMI], shown, Sold::default());
        for (number, private) in plan.privates.iter().enumerate() {
            let usage = plan.private_usage(number);
            let buyers = vec![plan.account(private.buyer)];
            let validity_days = (private.product != CONTRACT).then_some(u64::from(private.days));
            let sold =
                Sold { buyers, validity_days, upfront: plan.private_upfront(number), ..Sold::default() };
            life.offer(private_offer(number), PRODUCTS[private.product], usage, sold);
        }
        life
    }

    fn offer(&mut self, id: String, product: &str, usage: Prices, sold: Sold) {
        let (private, free) = (!sold.buyers.is_empty(), id == SHOWN_OFFER);
        let offer = Offer { product: product.to_owned(), private, free, usage, changes: vec![] };
        self.market.offers.insert(id.clone(), offer);
        self.sold.insert(id, sold);
    }

    /// Whether a record of a buyer's use at a moment is metered. Instances count by the hour: an agreement at its
    /// start takes them, or one that begins in it.
    pub fn takes(&self, buyer: &str, product: &str, at: Time) -> bool {
        let mut mine = self.market.agreements.iter().filter(|a| a.buyer == buyer);
        let hour = hour_of(at);
        mine.any(|a| {
            let sells = self.market.offers[&a.offer].product == product;
            let covers = |moment| a.start <= moment && a.end.is_none_or(|end| moment < end);
            let in_time = match product {
                "prod-ami" => covers(hour) || hour_of(a.start) == hour,
                _ => covers(at),
            };
            sells && in_time
        })
    }

    /// Whether a buyer holds anything on a product.
    pub fn holds(&self, buyer: &str, product: usize) -> bool {
        self.live(buyer, product).is_some()
    }

    fn live(&self, buyer: &str, product: usize) -> Option<usize> {
        let pairs = self.futures.iter().zip(&self.market.agreements);
        pairs.into_iter().position(|(future, a)| future.live && future.product == product && a.buyer == buyer)
    }

    /// A buyer accepts an offer; answers whether it may.
    pub fn accept(&mut self, offer: &str, buyer: &str, wanted: Option<&Wanted>, now: Time) -> bool {
        let (facts, sold) = (&self.market.offers[offer], &self.sold[offer]);
        let product = PRODUCTS.iter().position(|id| *id == facts.product).expect("a product of the plan");
        let seen = |account: &String| *account == buyer || *account == self.market.payers[buyer];
        if facts.private && !sold.buyers.iter().any(seen) {
            return false;
        }
        let held = self.live(buyer, product);
        if held.is_some_and(|held| !facts.private || self.market.agreements[held].offer == offer) {
            return false;
        }
        let bought = match wanted {
            None if product == CONTRACT => return false,
            None => None,
            Some(wanted) => match self.buys(offer, wanted, now) {
                None => return false,
                Some(bought) => Some(bought),
            },
        };
        let contract_end = bought.as_ref().filter(|_| product == CONTRACT).map(|(_, term)| term.end);
        let validity_end = sold.validity_days.map(|days| now + Days::new(days));
        if let Some(held) = held {
            self.ended(held, now);
            // A new private offer deactivates the units bought on an old one at once (E2); public cover stays
            // for its twelve months (row 23).
            let agreement = &mut self.market.agreements[held];
            if self.market.offers[&agreement.offer].private {
                agreement.purchases.iter_mut().for_each(|purchase| purchase.end = purchase.end.min(now));
            }
        }
        self.begins(offer, buyer, product, contract_end.or(validity_end), bought, now);
        true
    }

    /// A buyer adds annual cover to what it holds; answers whether it may.
    pub fn annual(&mut self, buyer: &str, wanted: &Wanted, now: Time) -> bool {
        let held = self.live(buyer, AMI).expect("something is held");
        let offer = self.market.agreements[held].offer.clone();
        let Some((purchase, term)) = self.buys(&offer, wanted, now) else { return false };
        self.market.agreements[held].purchases.push(purchase);
        self.futures[held].terms.push(term);
        true
    }

    /// A buyer cancels what it holds.
    pub fn cancel(&mut self, buyer: &str, product: usize, now: Time) {
        let held = self.live(buyer, product).expect("something is held");
        self.ended(held, now);
    }

    /// A public offer changes prices; answers whether it may: an annual price does every 90 days (A8).
    pub fn reprice(&mut self, offer: &str, usage: Prices, annual: Prices, now: Time) -> bool {
        let sold = self.sold.get_mut(offer).expect("a public offer");
        let last =
            |key: &String| sold.upfront_changes.iter().rev().find(|(_, prices)| prices.contains_key(key));
        let soon = |key| last(key).is_some_and(|(at, _)| now.date_naive() < at.date_naive() + Days::new(90));
        if annual.keys().any(soon) {
            return false;
        }
        if !annual.is_empty() {
            sold.upfront_changes.push((now, annual));
        }
        self.market
            .offers
            .get_mut(offer)
            .expect("a public offer")
            .changes
            .push(Change { notice: now, usage });
        true
    }

    /// Does what becomes due until a moment.
    pub fn advance(&mut self, now: Time) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            match due {
                Due::End(number) => self.end(number, at),
                Due::Renewal(number, position) => {
                    let renewed = self.renewed(number, position, at);
                    self.futures[number].terms[position].auto_renew = false;
                    self.market.agreements[number].purchases.push(renewed.0);
                    self.futures[number].terms.push(renewed.1);
                }
            }
        }
    }

    fn next_due(&self) -> Option<(Time, Due)> {
        let live = self.futures.iter().enumerate().filter(|(_, future)| future.live);
        let all = live.flat_map(|(number, future)| {
            let end = future.planned_end.map(|at| (at, Due::End(number)));
            let annual =
                future.terms.iter().enumerate().filter(|(_, t)| t.auto_renew && future.product == AMI);
            end.into_iter()
                .chain(annual.map(move |(position, term)| (term.end, Due::Renewal(number, position))))
        });
        all.min()
    }

    /// An agreement reaches its end: a contract renews itself or expires, usage falls back to the public offer.
    fn end(&mut self, number: usize, at: Time) {
        self.ended(number, at);
        let Agreement { buyer, offer, .. } = self.market.agreements[number].clone();
        let product = self.futures[number].product;
        if product != CONTRACT {
            let public = public_offer(PRODUCTS[product]);
            self.begins(&public, &buyer, product, None, None, at);
        } else if self.futures[number].terms[0].auto_renew {
            let renewed = self.renewed(number, 0, at);
            self.begins(&offer, &buyer, product, Some(renewed.1.end), Some(renewed), at);
        }
    }

    fn ended(&mut self, number: usize, at: Time) {
        self.futures[number].live = false;
        self.market.agreements[number].end = Some(at);
    }

    fn begins(
        &mut self,
        offer: &str,
        buyer: &str,
        product: usize,
        planned_end: Option<Time>,
        bought: Option<(Purchase, Term)>,
        start: Time,
    ) {
        let payer = &self.market.payers[buyer];
        let family = self.market.agreements.iter().filter(|a| self.market.payers[&a.buyer] == *payer);
        let id = agreement_name(payer, family.count() + 1);
        let (purchases, terms) = bought.into_iter().unzip();
        let (buyer, offer) = (buyer.to_owned(), offer.to_owned());
        self.market.agreements.push(Agreement { id, buyer, offer, start, end: None, purchases });
        self.futures.push(Future { product, live: true, planned_end, terms });
    }

    /// What is bought on an offer, if it sells it: at the price of the last change.
    fn buys(&self, offer: &str, wanted: &Wanted, now: Time) -> Option<(Purchase, Term)> {
        let sold = &self.sold[offer];
        if wanted.auto_renew && !sold.renewable {
            return None;
        }
        let price = sold.upfront.get(&wanted.months)?.get(&wanted.dimension)?;
        let changed =
            sold.upfront_changes.iter().filter_map(|(_, prices)| prices.get(&wanted.dimension)).next_back();
        Some(purchase(wanted, changed.unwrap_or(price).clone(), now))
    }

    /// A purchase once more: at a changed price only if that came 90 days before (A10), or was paid already.
    fn renewed(&self, number: usize, position: usize, at: Time) -> (Purchase, Term) {
        let agreement = &self.market.agreements[number];
        let (sold, old) = (&self.sold[&agreement.offer], &agreement.purchases[position]);
        let months = self.futures[number].terms[position].months;
        let (dimension, units) = old.quantities.first_key_value().expect("a purchase of something");
        let counts =
            |notice: &Time| *notice <= old.start || notice.date_naive() + Days::new(90) <= at.date_naive();
        let changes = sold.upfront_changes.iter().filter(|(notice, _)| counts(notice));
        let changed = changes.filter_map(|(_, prices)| prices.get(dimension)).next_back();
        let price = changed.unwrap_or_else(|| &sold.upfront[&months][dimension]).clone();
        let wanted = Wanted { dimension: dimension.clone(), units: *units, months, auto_renew: true };
        purchase(&wanted, price, at)
    }
}

fn purchase(wanted: &Wanted, price: String, start: Time) -> (Purchase, Term) {
    let end = start + Months::new(wanted.months);
    let dimension = wanted.dimension.clone();
    let purchase = Purchase {
        start,
        end,
        covers: dimension != SEATS,
        quantities: BTreeMap::from([(dimension.clone(), wanted.units)]),
        unit_prices: BTreeMap::from([(dimension, price)]),
    };
    (purchase, Term { months: wanted.months, end, auto_renew: wanted.auto_renew })
}

/// How the facts name the agreement of this number in a payer's family.
pub fn agreement_name(payer: &str, number: usize) -> String {
    format!("{payer}#{number}")
}

/// The id of a plan's private offer.
pub fn private_offer(number: usize) -> String {
    format!("offer-{number}")
}

impl Plan {
    /// The usage prices of a private offer.
    pub fn private_usage(&self, number: usize) -> Prices {
        let private = &self.privates[number];
        self.dimensions(private.product).into_iter().zip(private.prices.iter().cycle().cloned()).collect()
    }

    /// The upfront prices of a private offer by months: contracts have one always, instance types may.
    pub fn private_upfront(&self, number: usize) -> BTreeMap<u32, Prices> {
        let private = &self.privates[number];
        let price = private.upfront.clone();
        match private.product {
            AMI => {
                let all = |price: String| {
                    self.dimensions(AMI).into_iter().map(|key| (key, price.clone())).collect()
                };
                price.map(|price| (12, all(price))).into_iter().collect()
            }
            SAAS => BTreeMap::new(),
            _ => {
                let price = price.unwrap_or_else(|| "99.999".to_owned());
                BTreeMap::from([(self.private_months(number), Prices::from([(SEATS.to_owned(), price)]))])
            }
        }
    }

    /// For how many months a private offer sells.
    pub fn private_months(&self, number: usize) -> u32 {
        let private = &self.privates[number];
        if private.product == CONTRACT && private.days.is_multiple_of(2) { 1 } else { 12 }
    }
}

//! The (Y-X) rule: who runs Y instances in an hour and has X annual subscriptions pays for max(0, Y-X).
//!
//! A family shares its cover: it goes first to the account that bought it, then to the payer's other
//! accounts by account number; what no cover is left for is overflow of the account that ran it (Q11). What a
//! contract entitles to serves its own agreement alone (P8).

use std::ops::Range;

use crate::ids::AccountId;
use crate::quantity::MILLIONTHS;

/// What an hour is counted in: whole units in 64 bits, or millionths in 128. Neither wraps: cells hold 32 and 64
/// bits, and a sum is one of far fewer than 2^32 of them.
pub trait Count: Copy + Ord + Default {
    /// So many whole units.
    fn units(units: u64) -> Self;
    /// So many millionths, which whole units count in full alone.
    fn of_millionths(millionths: u64) -> Self;
    /// How many millionths it is.
    fn millionths(self) -> u128;
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// The difference; the other is no more than this.
    #[must_use]
    fn minus(self, other: Self) -> Self;
}

impl Count for u64 {
    fn units(units: u64) -> u64 {
        units
    }

    fn of_millionths(millionths: u64) -> u64 {
        millionths / MILLIONTHS
    }

    fn millionths(self) -> u128 {
        u128::from(self) * u128::from(MILLIONTHS)
    }

    fn plus(self, other: u64) -> u64 {
        self.wrapping_add(other)
    }

    fn minus(self, other: u64) -> u64 {
        self.wrapping_sub(other)
    }
}

impl Count for u128 {
    fn units(units: u64) -> u128 {
        u128::from(units) * u128::from(MILLIONTHS)
    }

    fn of_millionths(millionths: u64) -> u128 {
        millionths.into()
    }

    fn millionths(self) -> u128 {
        self
    }

    fn plus(self, other: u128) -> u128 {
        self + other
    }

    fn minus(self, other: u128) -> u128 {
        self - other
    }
}

/// The cover of a group of meters, the same for some hours.
#[derive(Debug, Clone, Default)]
pub struct SharedCover {
    /// By the account that bought it: which meters are its own, and how many units.
    owned: Vec<(Range<usize>, u64)>,
    /// Units of accounts that have no meter.
    spare: u64,
    /// What is never shared: which meters an agreement prices, and how many units it entitles them to.
    entitled: Vec<(Vec<usize>, u64)>,
    /// Meters whose use is free anyway: they take nothing.
    free: Vec<usize>,
}

impl SharedCover {
    /// Cover of accounts, in units, for meters whose buyers are in the order of their account numbers.
    pub fn new(buyers: &[AccountId], bought: impl IntoIterator<Item = (AccountId, u64)>) -> SharedCover {
        let mut cover = SharedCover::default();
        let mut bought: Vec<_> = bought.into_iter().collect();
        bought.sort_by_key(|(owner, _)| *owner);
        for purchases in bought.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((owner, _)) = purchases.first() else { continue };
            let units = purchases.iter().map(|(_, units)| units).sum();
            let first = buyers.partition_point(|buyer| buyer < owner);
            let end = buyers.partition_point(|buyer| buyer <= owner);
            match first < end {
                true => cover.owned.push((first..end, units)),
                false => cover.spare += units,
            }
        }
        cover
    }

    /// Entitles the meters that one agreement prices to so many units, in their order.
    pub fn entitle(&mut self, meters: Vec<usize>, units: u64) {
        self.entitled.push((meters, units));
    }

    /// What a meter's agreement entitles it to, in units.
    pub fn entitled(&self, meter: usize) -> u64 {
        self.entitled.iter().filter(|(meters, _)| meters.contains(&meter)).map(|(_, units)| units).sum()
    }

    /// Leaves a meter out: all of its use is free.
    pub fn leave_out(&mut self, meter: usize) {
        self.free.push(meter);
    }

    /// What each meter ran in an hour is covered by how much.
    pub fn cover_hour<C: Count>(&self, runs: &[C], covered: &mut [C]) {
        if self.free.is_empty() {
            return self.share_out(runs, covered);
        }
        let mut runs = runs.to_vec();
        for &meter in &self.free {
            if let Some(run) = runs.get_mut(meter) {
                *run = C::default();
            }
        }
        self.share_out(&runs, covered);
    }

    fn share_out<C: Count>(&self, runs: &[C], covered: &mut [C]) {
        covered.fill(C::default());
        let mut left_over = C::units(self.spare);
        for (meters, bought) in &self.owned {
            let mut left = C::units(*bought);
            let slots = covered.get_mut(meters.clone()).unwrap_or(&mut []).iter_mut();
            for (slot, &run) in slots.zip(runs.get(meters.clone()).unwrap_or(&[])) {
                *slot = left.min(run);
                left = left.minus(*slot);
            }
            left_over = left_over.plus(left);
        }
        for (meters, units) in &self.entitled {
            let mut left = C::units(*units);
            for &meter in meters {
                if let (Some(slot), Some(&run)) = (covered.get_mut(meter), runs.get(meter)) {
                    let taken = left.min(run.minus(*slot));
                    *slot = slot.plus(taken);
                    left = left.minus(taken);
                }
            }
        }
        for (slot, &run) in covered.iter_mut().zip(runs) {
            if left_over == C::default() {
                return;
            }
            let taken = left_over.min(run.minus(*slot));
            *slot = slot.plus(taken);
            left_over = left_over.minus(taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(runs: &[(u64, u64)], owned: &[(u64, u64)]) -> Vec<u64> {
        let account = |number: u64| AccountId::from_number(number).unwrap();
        let buyers: Vec<_> = runs.iter().map(|(number, _)| account(*number)).collect();
        let cover = SharedCover::new(&buyers, owned.iter().map(|&(number, units)| (account(number), units)));
        let units: Vec<u64> = runs.iter().map(|(_, run)| *run).collect();
        let mut covered = vec![77; runs.len()];
        cover.cover_hour(&units, &mut covered);
        let millionths: Vec<_> = units.iter().map(|&run| u128::from(run) * 1_000_000).collect();
        let mut wide = vec![77; runs.len()];
        cover.cover_hour(&millionths, &mut wide);
        assert_eq!(wide, covered.iter().map(|&c| u128::from(c) * 1_000_000).collect::<Vec<_>>());
        covered
    }

    #[test]
    fn overflow_is_never_negative_and_never_carried_over() {
        for (y, x, expected) in [(5, 3, 3), (3, 5, 3), (4, 4, 4), (0, 4, 0), (4, 0, 0)] {
            assert_eq!(covered(&[(1, y)], &[(1, x)]), [expected], "Y {y}, X {x}");
        }
    }

    #[test]
    fn a_15_ten_units_on_two_contracts_leave_eight() {
        assert_eq!(covered(&[(1, 10)], &[(1, 2)]), [2]);
        assert_eq!(covered(&[(1, 10)], &[(1, 2), (1, 3)]), [5]);
    }

    #[test]
    fn cover_goes_to_its_buyer_first_and_then_by_account_number() {
        // Account 2 bought 3; accounts 1 and 3 get what it leaves, in order.
        assert_eq!(covered(&[(1, 4), (2, 1), (3, 4)], &[(2, 3)]), [2, 1, 0]);
        assert_eq!(covered(&[(1, 1), (2, 4), (3, 4)], &[(2, 3)]), [0, 3, 0]);
        // Two owners: each keeps its own before anything is shared.
        assert_eq!(covered(&[(1, 5), (2, 5)], &[(1, 2), (2, 6)]), [3, 5]);
    }

    #[test]
    fn meters_of_one_account_take_its_cover_in_their_order() {
        assert_eq!(covered(&[(1, 4), (2, 3), (2, 4), (3, 9)], &[(2, 5)]), [0, 3, 2, 0]);
    }

    #[test]
    fn c_02_an_entitlement_serves_its_own_agreement_alone() {
        // Three meters; the agreement that prices the first and the last entitles to ten units.
        for (runs, expected) in [
            ([12, 9, 0], [10, 0, 0]),
            ([8, 9, 3], [8, 0, 2]),
            ([0, 9, 15], [0, 0, 10]),
            ([10, 10, 10], [10, 0, 0]),
        ] {
            let mut cover = SharedCover::default();
            cover.entitle(vec![0, 2], 10);
            let mut covered = [77_u64; 3];
            cover.cover_hour(&runs, &mut covered);
            assert_eq!(covered, expected, "{runs:?}");
            assert_eq!([0, 1, 2].map(|meter| cover.entitled(meter)), [10, 0, 10]);
        }
    }

    #[test]
    fn cover_of_an_account_that_ran_nothing_is_shared() {
        assert_eq!(covered(&[(5, 2)], &[(9, 1)]), [1]);
        assert_eq!(covered(&[(5, 2), (7, 2)], &[(9, 1), (6, 2), (7, 1)]), [2, 2]);
    }
}

//! The (Y-X) rule: who runs Y instances in an hour and has X annual subscriptions pays for max(0, Y-X).
//!
//! A family shares its cover: it goes first to the account that bought it, then to the payer's other
//! accounts by account number; what no cover is left for is overflow of the account that ran it (Q11).

use crate::ids::AccountId;

/// Cover of one hour, by the account that bought it, in millionths of an instance.
pub type OwnedCover = [(AccountId, u128)];

/// What each meter ran in the hour is covered by how much. `runs` is ordered by account; `covered` gets one
/// entry for each of them.
pub fn cover_hour(runs: &[(AccountId, u128)], owned: &OwnedCover, covered: &mut Vec<u128>) {
    covered.clear();
    covered.resize(runs.len(), 0);
    let mut left_over: u128 = 0;
    for &(owner, units) in owned {
        let mut left = units;
        for (slot, &(account, run)) in covered.iter_mut().zip(runs) {
            if account == owner {
                let taken = left.min(run - *slot);
                *slot += taken;
                left -= taken;
            }
        }
        left_over += left;
    }
    for (slot, &(_, run)) in covered.iter_mut().zip(runs) {
        let taken = left_over.min(run - *slot);
        *slot += taken;
        left_over -= taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(runs: &[(u64, u128)], owned: &[(u64, u128)]) -> Vec<u128> {
        let accounts = |list: &[(u64, u128)]| -> Vec<(AccountId, u128)> {
            list.iter().map(|&(n, units)| (AccountId::from_number(n).unwrap(), units)).collect()
        };
        let mut covered = Vec::new();
        cover_hour(&accounts(runs), &accounts(owned), &mut covered);
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
    fn cover_of_an_account_that_ran_nothing_is_shared() {
        assert_eq!(covered(&[(5, 2)], &[(9, 1)]), [1]);
    }
}

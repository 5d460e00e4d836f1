//! What AWS's partner programs decide by numbers: credits of Activate, referrals of ACE, tiers of the partner network.
//! Nothing of it depends on a marketplace: every answer follows from its question.

pub mod activate;
pub mod referrals;
pub mod tiers;

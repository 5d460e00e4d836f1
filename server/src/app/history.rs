//! What happened in a sandbox.

use souk_core::ids::SandboxName;
use souk_core::machine::history::{Happening, HistoryFilter, HistoryWalk, Position};

use super::Souk;
use crate::error::AppError;

impl Souk {
    /// The first `limit` things that happened behind `after`. Partitions are asked one after another and in small
    /// parts: other jobs run in between.
    pub async fn history(
        &self,
        name: &SandboxName,
        filter: HistoryFilter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Position, Happening)>, AppError> {
        let market = self.market(name)?;
        for (account, field) in [(filter.buyer, "buyerAccountId"), (filter.payer, "payerAccountId")] {
            if let Some(account) = account {
                market.account(account, field)?;
            }
        }
        let mut walk = HistoryWalk::new(filter, after, limit);
        walk.published(&market);
        let walk = self.walk(name, walk, HistoryWalk::begin, HistoryWalk::go_on).await?;
        Ok(walk.into_entries().collect())
    }
}

//! What happened in a sandbox.

use souk_core::ids::SandboxName;
use souk_core::machine::history::{Happening, HistoryFilter, HistoryWalk, Position};

use super::Souk;
use crate::error::AppError;

/// Things that one job looks at: about a millisecond.
const STEPS: usize = 5_000;

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
        for partition in self.partitions.iter() {
            walk.begin();
            let mut finished = false;
            while !finished {
                let target = name.clone();
                let part = move |turn: &mut crate::partition::Turn<'_>| {
                    let (sandbox, _) = turn.at_its_time(&target)?;
                    let finished = walk.go_on(sandbox, STEPS);
                    Ok((walk, finished))
                };
                (walk, finished) = partition.run(part).await?;
            }
        }
        Ok(walk.into_entries().collect())
    }
}

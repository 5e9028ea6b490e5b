//! Tracks what sharing commands has gained and lost, and limits the possible loss.
//!
//! The unit of account is one compile. A shared compile that answers five questions gains four. One
//! that answers none loses one, because each question then runs alone. Nobody can tell in advance
//! which it will be, so every shared compile is a stake: the first few must gain before more are
//! tried. Recompiling a unit without the questions that failed is likely to gain, and needs no
//! stake.

use std::cell::Cell;

use tokio::sync::Notify;

use crate::compiler::dialect::Stage;
use crate::plan::Plan;
use crate::plan::question::Question;

/// The share of the plan's cost without sharing, in thousandths, that sharing may lose.
const PER_MILLE: usize = 20;

/// The cost of a link, in compiles.
pub(crate) const LINK: usize = 2;

/// The cost of answering a question alone, in compiles.
pub(crate) fn cost(question: &Question) -> usize {
    match question.subject.stage() {
        Stage::Preprocess | Stage::Compile => 1,
        Stage::Link | Stage::Run => 1 + LINK,
    }
}

/// The gains, losses and stakes of one run.
#[derive(Debug)]
pub(crate) struct Ledger {
    allowed: usize,
    gained: Cell<usize>,
    lost: Cell<usize>,
    staked: Cell<usize>,
    settled: Notify,
}

impl Ledger {
    /// A ledger for the questions of a plan.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        Ledger::new(plan.questions.iter().map(cost).sum())
    }

    /// A ledger for questions that cost this many compiles alone. One compile may always be lost;
    /// otherwise nothing could be tried.
    fn new(cost_alone: usize) -> Self {
        let allowed = 1 + cost_alone * PER_MILLE / 1000;
        Ledger {
            allowed,
            gained: Cell::default(),
            lost: Cell::default(),
            staked: Cell::default(),
            settled: Notify::new(),
        }
    }

    /// Stakes up to `wanted` compiles and returns how many may run now; 0 means that no more may.
    /// Half of all gains may be lost again. Waits while other batches have staked everything. The
    /// caller must [`Ledger::settle`] the stake.
    pub(crate) async fn stake(&self, wanted: usize) -> usize {
        loop {
            if wanted == 0 || self.is_exhausted() {
                return 0;
            }
            let free = self.loss_limit().saturating_sub(self.lost.get() + self.staked.get());
            if free > 0 {
                // Leave the rest to batches that run at the same time.
                let staked = wanted.min(free.div_ceil(2));
                self.staked.set(self.staked.get() + staked);
                return staked;
            }
            self.settled.notified().await;
        }
    }

    /// Releases a stake and records how many compiles ran and how many they saved. `tried` also
    /// counts compiles that ran without a stake because they were likely to gain.
    pub(crate) fn settle(&self, staked: usize, tried: usize, saved: usize) {
        self.staked.set(self.staked.get() - staked);
        self.gained.set(self.gained.get() + saved);
        self.spend(tried);
        self.settled.notify_waiters();
    }

    /// Deducts compiles from the gains, and counts those that exceed the gains as lost.
    pub(crate) fn spend(&self, compiles: usize) {
        let gained = self.gained.get();
        self.gained.set(gained.saturating_sub(compiles));
        self.lose(compiles.saturating_sub(gained));
    }

    /// Records compiles that gained nothing.
    pub(crate) fn lose(&self, compiles: usize) {
        self.lost.set(self.lost.get() + compiles);
    }

    /// Whether the loss limit is reached, so that nothing more may be staked.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.lost.get() >= self.loss_limit()
    }

    /// The most compiles that may be lost by now.
    fn loss_limit(&self) -> usize {
        self.allowed + self.gained.get() / 2
    }
}

/// Whether recompiling the remaining `left` of `of` questions is likely to gain: at most half have
/// failed.
pub(crate) fn is_likely(left: usize, of: usize) -> bool {
    2 * left >= of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_is_lost_than_is_allowed() {
        for (alone, most) in [(3, 1), (100, 3), (1000, 21)] {
            let ledger = Ledger::new(alone);
            let mut lost = 0;
            while let staked @ 1.. = ledger.stake(5).await {
                ledger.settle(staked, staked, 0);
                lost += staked;
            }
            assert_eq!(lost, most, "of {alone}");
        }
    }

    #[tokio::test]
    async fn gains_let_more_be_tried() {
        let ledger = Ledger::new(300);
        assert_eq!([ledger.stake(20).await, ledger.stake(20).await], [4, 2]);
        ledger.settle(2, 2, 0);
        ledger.settle(4, 4, 34);
        assert_eq!(ledger.stake(100).await, 10, "half of what may be lost");
        ledger.spend(32);
        assert!(!ledger.is_exhausted());
    }

    #[tokio::test]
    async fn a_stake_waits_while_everything_is_staked() {
        let ledger = Ledger::new(3);
        assert_eq!(ledger.stake(2).await, 1);
        let other = async {
            tokio::task::yield_now().await;
            ledger.settle(1, 1, 3);
        };
        assert_eq!(tokio::join!(ledger.stake(2), other).0, 1);
    }
}

//! What sharing commands has gained and lost, so that it never costs much more than it may gain.
//!
//! The unit is a compile. A shared one that answers five questions gains four; one that answers none
//! loses one, because its questions are asked again. Nobody knows beforehand which it will be, so each
//! shared compile is a stake: few are tried at first, and more when those have gained. What is left of one
//! without the questions that failed is likely to gain, and need not wait for that.

use std::cell::Cell;

use tokio::sync::Notify;

use crate::compiler::dialect::Stage;
use crate::plan::Plan;
use crate::plan::question::Question;

/// The share of what all questions cost alone, in thousandths, that may be spent for nothing.
const PER_MILLE: usize = 25;

/// What a link costs, in compiles.
pub(crate) const LINK: usize = 2;

/// What a question costs alone, in compiles.
pub(crate) fn cost(question: &Question) -> usize {
    match question.subject.stage() {
        Stage::Preprocess | Stage::Compile => 1,
        Stage::Link | Stage::Run => 1 + LINK,
    }
}

/// The account of one run.
#[derive(Debug)]
pub(crate) struct Ledger {
    allowed: usize,
    gained: Cell<usize>,
    lost: Cell<usize>,
    staked: Cell<usize>,
    settled: Notify,
}

impl Ledger {
    /// The account of a plan.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        Ledger::new(plan.questions.iter().map(cost).sum())
    }

    /// The account of questions that cost so much alone. One compile may always be lost, or nothing
    /// could be tried.
    fn new(alone: usize) -> Self {
        let allowed = 1 + alone * PER_MILLE / 1000;
        Ledger {
            allowed,
            gained: Cell::default(),
            lost: Cell::default(),
            staked: Cell::default(),
            settled: Notify::new(),
        }
    }

    /// How many of these compiles may be tried now; each is staked until [`Ledger::settle`]. Half of
    /// what was gained may be lost again. Waits while others have staked all.
    pub(crate) async fn stake(&self, wanted: usize) -> usize {
        loop {
            if wanted == 0 || self.is_exhausted() {
                return 0;
            }
            let free = self.may_lose().saturating_sub(self.lost.get() + self.staked.get());
            if free > 0 {
                // The rest is for whoever runs at the same time.
                let staked = wanted.min(free.div_ceil(2));
                self.staked.set(self.staked.get() + staked);
                return staked;
            }
            self.settled.notified().await;
        }
    }

    /// Takes stakes back when it is known what the compiles that were tried have saved: these, and
    /// others that were likely to gain.
    pub(crate) fn settle(&self, staked: usize, tried: usize, saved: usize) {
        self.staked.set(self.staked.get() - staked);
        self.gained.set(self.gained.get() + saved);
        self.spend(tried);
        self.settled.notify_waiters();
    }

    /// Counts what was spent, or saved only seemingly: less is gained, or else it is lost.
    pub(crate) fn spend(&self, compiles: usize) {
        let gained = self.gained.get();
        self.gained.set(gained.saturating_sub(compiles));
        self.lose(compiles.saturating_sub(gained));
    }

    /// Counts compiles that were for nothing.
    pub(crate) fn lose(&self, compiles: usize) {
        self.lost.set(self.lost.get() + compiles);
    }

    /// Whether nothing more may be tried.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.lost.get() >= self.may_lose()
    }

    fn may_lose(&self) -> usize {
        self.allowed + self.gained.get() / 2
    }
}

/// Whether the questions that are left of these are likely to be answered together: most have not
/// failed.
pub(crate) fn is_likely(left: usize, of: usize) -> bool {
    2 * left >= of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_is_lost_than_is_allowed() {
        for (alone, most) in [(3, 1), (100, 3), (1000, 26)] {
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
        let ledger = Ledger::new(240);
        assert_eq!([ledger.stake(20).await, ledger.stake(20).await], [4, 2]);
        ledger.settle(2, 2, 0);
        ledger.settle(4, 4, 34);
        assert_eq!(ledger.stake(100).await, 10, "half of what may be lost");
        ledger.spend(32);
        assert!(!ledger.is_exhausted());
    }

    #[tokio::test]
    async fn who_finds_all_staked_waits_for_the_outcome() {
        let ledger = Ledger::new(3);
        assert_eq!(ledger.stake(2).await, 1);
        let other = async {
            tokio::task::yield_now().await;
            ledger.settle(1, 1, 3);
        };
        assert_eq!(tokio::join!(ledger.stake(2), other).0, 1);
    }
}

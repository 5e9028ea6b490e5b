//! The state that all checks of a run share.

use std::rc::Rc;

use super::links::KnownLinks;
use super::recall::{Memory, Recall};
use super::toolchain_probe::ToolchainProbe;
use crate::exec::process::Runner;
use crate::exec::scratch::Scratch;
use crate::plan::Plan;
use crate::plan::ids::{Table, ToolchainId};
use crate::protocol::code::Reason;
use crate::protocol::response::Answer;

/// The state that all checks of a run share.
pub(crate) struct Context {
    /// The checks and questions.
    pub plan: Plan,
    /// Runs commands.
    pub runner: Runner,
    /// The directory for temporary files, or why there is none.
    pub scratch: Rc<Result<Scratch, Reason>>,
    /// Hears of results and notices.
    pub observer: Rc<dyn Observer>,
    /// The store, if answers are kept.
    pub recall: Option<Recall>,
    /// Links that are known to succeed.
    pub links: KnownLinks,
    /// Held while a program runs in a directory of the caller.
    pub(super) shared_dirs: tokio::sync::Mutex<()>,
    /// Whether each toolchain works.
    pub(crate) probes: Table<ToolchainId, ToolchainProbe>,
}

/// Receives results and notices while a run is in progress.
pub trait Observer {
    /// A result is final.
    fn answered(&self, answer: &Answer);
    /// Something that the user should know.
    fn notice(&self, notice: &str);
}

impl Context {
    /// The context of a plan's run.
    pub(crate) fn new(
        plan: Plan,
        runner: Runner,
        scratch: Rc<Result<Scratch, Reason>>,
        observer: Rc<dyn Observer>,
        memory: Option<Rc<Memory>>,
    ) -> Self {
        let probes = plan.toolchains.map(|_| ToolchainProbe::default());
        let links = KnownLinks::default();
        let shared_dirs = tokio::sync::Mutex::default();
        let recall = match (memory, &*scratch) {
            (Some(memory), Ok(scratch)) => Some(Recall::new(memory, scratch.path())),
            _ => None,
        };
        Context { plan, runner, scratch, observer, recall, links, shared_dirs, probes }
    }
}

/// An observer that ignores everything.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn answered(&self, _: &Answer) {}
    fn notice(&self, _: &str) {}
}

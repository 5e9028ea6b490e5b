//! What all checks of a run share.

use std::rc::Rc;

use super::links::KnownLinks;
use super::probe::ToolchainProbe;
use crate::exec::process::Runner;
use crate::exec::scratch::Scratch;
use crate::plan::Plan;
use crate::plan::ids::{Table, ToolchainId};
use crate::protocol::code::Reason;
use crate::protocol::response::Answer;

/// What all parts of a run share.
pub(crate) struct Context {
    /// What is to be asked.
    pub plan: Plan,
    /// What runs commands.
    pub runner: Runner,
    /// Where they run, or why there is no such place.
    pub scratch: Result<Scratch, Reason>,
    /// What is told while it happens.
    pub observer: Rc<dyn Observer>,
    /// KnownLinks that need not be run again.
    pub links: KnownLinks,
    /// Held while a program runs in a directory that is not its own.
    pub(super) shared_dirs: tokio::sync::Mutex<()>,
    /// Whether each toolchain works.
    pub(crate) probes: Table<ToolchainId, ToolchainProbe>,
}

/// Who is told what happens during a run.
pub trait Observer {
    /// A result is final.
    fn answered(&self, answer: &Answer);
    /// Something that people should know.
    fn notice(&self, notice: &str);
}

impl Context {
    /// A run of a plan.
    pub(crate) fn new(
        plan: Plan,
        runner: Runner,
        scratch: Result<Scratch, Reason>,
        observer: Rc<dyn Observer>,
    ) -> Self {
        let probes = plan.toolchains.map(|_| ToolchainProbe::default());
        let links = KnownLinks::kept_in(plan.known_links.clone());
        let shared_dirs = tokio::sync::Mutex::default();
        Context { plan, runner, scratch, observer, links, shared_dirs, probes }
    }
}

/// An observer that looks at nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn answered(&self, _: &Answer) {}
    fn notice(&self, _: &str) {}
}

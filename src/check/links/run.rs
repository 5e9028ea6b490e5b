//! Takes the inventory of a link command.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::check::context::Context;
use crate::check::links::inventory::{Inventory, Libraries};
use crate::check::links::{Link, Taken};
use crate::check::{CheckRun, Command};
use crate::compiler::dialect::Stage;
use crate::compiler::object_file;
use crate::compiler::verdict::Verdict;
use crate::deps::sight::Seen;
use crate::os::OutputMode;
use crate::plan::template::Template;
use crate::plan::toolchain;
use crate::store::Key;

impl CheckRun<'_> {
    /// Whether a link is known to succeed.
    pub(crate) fn knows(&self, link: &Link) -> bool {
        let known = self.context.links.known(link).or_else(|| self.recalled_link(link));
        self.rests_also_on(known.as_deref());
        known.is_some()
    }

    /// Remembers a link that succeeded without output.
    pub(crate) fn learn(&self, link: Link) {
        let seen = self.seen().unwrap_or_default();
        self.keep_fact(&self.key_of_link(&link), &[], &seen);
        self.context.links.learn(link, seen);
    }

    fn recalled_link(&self, link: &Link) -> Option<Rc<Seen>> {
        let (_, seen) = self.recalled_fact(&self.key_of_link(link))?;
        self.context.links.learn(link.clone(), seen.clone());
        Some(seen)
    }

    fn key_of_link(&self, link: &Link) -> Key {
        Key::of("link", (link.words(), link.object()))
    }

    fn key_of_inventory(&self, link: &Link) -> Key {
        Key::of("inventory", link.words())
    }

    /// What the store has of a link command, and what that rests on.
    fn recalled_fact(&self, key: &Key) -> Option<(Rc<[u8]>, Rc<Seen>)> {
        let Context { plan, recall, links, .. } = self.context;
        recall.as_ref().filter(|_| !links.is_distrusted())?.find_fact(
            plan,
            self.question.toolchain,
            key,
        )
    }

    fn keep_fact(&self, key: &Key, fact: &[u8], seen: &Rc<Seen>) {
        let Context { plan, recall, .. } = self.context;
        if let Some(recall) = recall {
            recall.keep_fact(plan, self.question.toolchain, *key, fact, seen);
        }
    }

    /// The inventory of a link's command, if this run or the store has it.
    fn known_inventory(&self, link: &Link) -> Option<Taken> {
        let links = &self.context.links;
        if let Some(taken) = links.inventory(link) {
            return Some(taken);
        }
        let (fact, seen) = self.recalled_fact(&self.key_of_inventory(link))?;
        let mut inventory: Inventory = postcard::from_bytes(&fact).ok()?;
        inventory.seen = seen;
        links.learn_inventory(link, Some(Rc::new(inventory)));
        links.inventory(link)
    }

    /// Whether an object file is known to link because the libraries of its command export
    /// everything that it wants.
    pub(crate) async fn inventory_suffices(
        &self,
        link: &Link,
        template: &Template,
        program: &Path,
    ) -> bool {
        let Some(wants) = object_file::wants(link.object()) else { return false };
        let links = &self.context.links;
        let inventory = match self.known_inventory(link) {
            Some(taken) => taken.inspect(|inventory| self.rests_also_on(Some(&inventory.seen))),
            // An inventory takes as long as a few links, and there may not be that many.
            None if !links.has_linked(link, MIN_LINKS) || links.is_begun(link) => return false,
            None => self.inventory(link, template, program).await,
        };
        inventory.is_some_and(|inventory| inventory.suffices(&wants))
    }

    /// The inventory of a link's command, taken now if nobody has taken it yet. `None` if it cannot
    /// be taken, or the command has not linked anything.
    pub(crate) async fn inventory(
        &self,
        link: &Link,
        template: &Template,
        program: &Path,
    ) -> Option<Rc<Inventory>> {
        let links = &self.context.links;
        while links.is_begun(link) {
            links.wait().await;
        }
        if let Some(taken) = self.known_inventory(link) {
            return taken.inspect(|inventory| self.rests_also_on(Some(&inventory.seen)));
        }
        let sample = links.begin_inventory(link)?;
        let inventory = self.take_inventory(&sample, template, program).await.map(Rc::new);
        if let Some(inventory) = &inventory
            && let Ok(fact) = postcard::to_stdvec(&**inventory)
        {
            self.keep_fact(&self.key_of_inventory(link), &fact, &inventory.seen);
        }
        links.learn_inventory(link, inventory.clone());
        inventory.inspect(|inventory| self.rests_also_on(Some(&inventory.seen)))
    }

    /// Takes an inventory by linking an object file that the command has linked without output.
    async fn take_inventory(
        &self,
        sample: &[u8],
        template: &Template,
        program: &Path,
    ) -> Option<Inventory> {
        let properties = object_file::wants(sample)?.properties;
        // Use another directory: the object file of the check is in its own.
        let dir = self.context.scratch.as_ref().as_ref().ok()?.check_dir().ok()?;
        let mut toolchain = self.toolchain.clone();
        // This program reads the linker's messages.
        toolchain::set(&mut toolchain.env, "LC_ALL", "C");
        let seen = RefCell::default();
        let run = CheckRun { dir, toolchain: &toolchain, seen, ..*self };
        let object = toolchain.dialect.product(Stage::Compile)?;
        std::fs::write(run.dir.path().join(&object), sample).ok()?;
        let listed = run.linker_output(template, program, &["-Wl,-t"]).await?;
        let libraries = Libraries::listed_in(&listed, &object)?;
        std::fs::write(run.dir.path().join(RESPONSE_FILE), libraries.response_file()).ok()?;
        let more = ["-Wl,-t".to_string(), format!("-Wl,@{RESPONSE_FILE}")];
        let output = run.linker_output(template, program, &[&more[0], &more[1]]).await?;
        let mut inventory = libraries.inventory(&output, &object, properties)?;
        inventory.seen = Rc::new(run.seen.take());
        Some(inventory)
    }

    /// The linker's output with more arguments at the end of its command; `None` if the link fails.
    async fn linker_output(
        &self,
        template: &Template,
        program: &Path,
        more: &[&str],
    ) -> Option<String> {
        let mut argv = self.argv(template, "".as_ref());
        argv.extend(more.iter().map(Into::into));
        let product = self.product_path(Stage::Link);
        let reads = self.toolchain.dialect.product(Stage::Compile).map(Into::into);
        let reads = reads.into_iter().collect();
        let (what, mode) = ("the linker", OutputMode::Merged);
        let command = Command { what, program, argv, reads, product, mode };
        let attempt = self.attempt(command, "".as_ref()).await;
        (attempt.verdict == Verdict::Yes && !attempt.cut).then_some(attempt.messages)
    }
}

/// How many object files a command must have linked before an inventory pays off for a single one.
const MIN_LINKS: usize = 4;

/// The response file with the names to ask about.
const RESPONSE_FILE: &str = "names";

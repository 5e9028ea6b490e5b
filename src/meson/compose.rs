//! From what the wrapper says to checks of raw sources, and how each outcome is to be read.

use std::path::PathBuf;
use std::rc::Rc;

use crate::compiler::dialect::Stage;
use crate::compiler::language::Language;
use crate::protocol::{Check, Kind, Location, Request, Toolchain};

use super::arguments::{arguments, of_trial};
use super::source;
use super::version::Version;
use super::words::{Batch, Item, Method};

/// How Meson's answer is made from the outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Yes is true, no is false.
    Bool,
    /// The same, where the exit status alone counts: the argument that is asked about may keep the
    /// compiler from writing a file, as `-fsyntax-only` does. It is a no if the compiler says this.
    Accepted {
        /// What it says of an argument that is another language's.
        unless: Option<&'static str>,
    },
    /// The number that the program printed; -1 if there is no program.
    Printed,
    /// The same, but a program is a must.
    PrintedAlways,
    /// The value, or -1 for a no.
    Constant,
    /// The text of a macro, empty if it is not defined.
    Macro,
    /// As tryall answers it.
    Own {
        /// The kind of the check.
        kind: Kind,
        /// Whether the answer must be yes.
        required: bool,
    },
}

/// Whose answer it is.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// An item's, by its index in the batch.
    Item(usize),
    /// That of a request file's check, by its id.
    Own(String),
}

/// An answer that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The index of the batch.
    pub batch: usize,
    /// Whose it is.
    pub subject: Subject,
    /// How its check is read.
    pub reading: Reading,
    /// The index of the check.
    pub check: usize,
    /// The check to turn to if the answer is no.
    pub alternative: Option<usize>,
}

/// A request, and what its outcomes mean.
#[derive(Debug, Default)]
pub(crate) struct Composed {
    /// The request.
    pub request: Request,
    /// Where each of its checks comes from, and the directory of the request file that it is in.
    pub origins: Vec<(Location, Option<Rc<PathBuf>>)>,
    /// The answers.
    pub entries: Vec<Entry>,
}

impl Composed {
    /// Adds a check for something of this name, which messages have; its index.
    pub(crate) fn push(&mut self, mut check: Check, name: &str) -> usize {
        let index = self.request.checks.len();
        // Unique, and still readable. An argument may hold what no id may.
        check.id = format!("{} ({index})", name.replace(char::is_control, " "));
        self.request.checks.push(check);
        self.origins.push((Location::flag(name), None));
        index
    }
}

/// The compiler without a cache, as Meson runs it for sources that it wrote itself.
pub(crate) fn compiler(batch: &Batch, version: &Version) -> Toolchain {
    let is_cache = |word: &&String| {
        let name = word.rsplit('/').next().unwrap_or_default();
        batch.command.len() > 1 && ["ccache", "sccache"].contains(&name)
    };
    let caches = batch.command.first().filter(is_cache).iter().count();
    let [trial_args, trial_link_args] = of_trial(batch, version);
    Toolchain {
        language: Some(batch.language),
        command: Some(batch.command[caches..].to_vec()),
        env: [("CCACHE_DISABLE".into(), "1".into())].into(),
        trial_args,
        trial_link_args,
        ..Toolchain::default()
    }
}

/// Makes the checks of a batch.
pub(crate) struct Composer<'a> {
    index: usize,
    batch: &'a Batch,
    version: &'a Version,
    toolchain: String,
}

impl<'a> Composer<'a> {
    /// The composer of the batch with this index, whose compiler goes to the request.
    pub(crate) fn new(
        index: usize,
        batch: &'a Batch,
        version: &'a Version,
        to: &mut Composed,
    ) -> Self {
        let wanted = compiler(batch, version);
        // Each is tried with the empty program, and so is not to be there twice.
        let same = |(_, other): &(_, &Toolchain)| format!("{other:?}") == format!("{wanted:?}");
        let known = to.request.toolchains.iter().find(same).map(|(name, _)| name.clone());
        let toolchain = known.unwrap_or_else(|| index.to_string());
        to.request.toolchains.insert(toolchain.clone(), wanted);
        Composer { index, batch, version, toolchain }
    }

    /// Adds the checks of an item, and its answer. A second chance is another way to say yes.
    pub(crate) fn compose(
        &self,
        item: &Item,
        place: usize,
        second_chance: bool,
        to: &mut Composed,
    ) {
        let Item { method, subject, .. } = item;
        let prefix = self.prefix(&item.headers);
        let fortran = self.batch.language == Language::Fortran;
        // Its last header is the one that a symbol is looked for in.
        let (header, before) = item
            .headers
            .split_last()
            .map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let before_header = self.prefix(before);
        let source = |stage, text| self.source(stage, text);
        let mut alternative = None;
        let (check, reading) = match method {
            Method::HasHeader if fortran => {
                let text = source::has_fortran_header(&prefix, subject);
                (source(Stage::Preprocess, text), Reading::Bool)
            }
            Method::HasHeader => {
                (source(Stage::Preprocess, source::has_header(&prefix, subject)), Reading::Bool)
            }
            Method::CheckHeader => {
                (source(Stage::Compile, source::check_header(&prefix, subject)), Reading::Bool)
            }
            Method::HasHeaderSymbol => {
                if self.batch.language.is_cxx() {
                    let text = source::has_class(&before_header, header, subject);
                    alternative = Some(source(Stage::Compile, text));
                }
                let text = source::has_header_symbol(&before_header, header, subject);
                (source(Stage::Compile, text), Reading::Bool)
            }
            Method::HasFunction => {
                alternative = Some(source(Stage::Link, source::has_builtin(&prefix, subject)));
                (source(Stage::Link, source::has_function(&prefix, subject)), Reading::Bool)
            }
            Method::HasType => {
                let text = source::has_type(self.version, &prefix, subject);
                (source(Stage::Compile, text), Reading::Bool)
            }
            Method::HasMember => {
                let (of, member) = subject.split_once('.').unwrap_or((subject, ""));
                let text = source::has_member(self.version, &prefix, of, member);
                (source(Stage::Compile, text), Reading::Bool)
            }
            Method::Sizeof => {
                self.integer(&prefix, &format!("sizeof({subject})"), to, Some(subject))
            }
            Method::ComputeInt => self.integer(&prefix, subject, to, None),
            Method::Alignment => self.alignment(&prefix, subject, to),
            Method::GetDefine => (self.define(&prefix, subject), Reading::Macro),
            Method::Compiles => (source(Stage::Compile, subject.clone()), Reading::Bool),
            Method::KnownLinks => (source(Stage::Link, subject.clone()), Reading::Bool),
            Method::Runs => (source(Stage::Run, subject.clone()), Reading::Bool),
            Method::HasArgument => self.accepted(self.argument(subject)),
            Method::HasLinkArgument => self.accepted(self.link_argument(subject)),
        };
        let name = if item.id.is_empty() { subject } else { &item.id };
        let check = to.push(check, name);
        let alternative = alternative.filter(|_| second_chance).map(|mut other| {
            other.alternative_to = Some(to.request.checks[check].id.clone());
            to.push(other, name)
        });
        let (batch, subject) = (self.index, Subject::Item(place));
        to.entries.push(Entry { batch, subject, reading, check, alternative });
    }

    /// The batch's prefix, and an item's own headers behind it.
    pub(crate) fn prefix(&self, headers: &[String]) -> String {
        let includes = headers.iter().map(|header| format!("#include <{header}>"));
        let mut lines: Vec<_> = includes.collect();
        if !self.batch.prefix.is_empty() || lines.is_empty() {
            lines.insert(0, self.batch.prefix.clone());
        }
        lines.join("\n")
    }

    /// A check of a source with Meson's arguments and those of the batch.
    pub(crate) fn source(&self, stage: Stage, text: String) -> Check {
        let own = [self.batch.builtin_args.as_slice(), &self.batch.args].concat();
        self.source_with(stage, text, &own)
    }

    /// The same without what options become, where Meson gives it no such.
    pub(crate) fn plain(&self, stage: Stage, text: String) -> Check {
        self.source_with(stage, text, &self.batch.args)
    }

    fn source_with(&self, stage: Stage, text: String, own: &[String]) -> Check {
        let kind = match stage {
            Stage::Preprocess => Kind::Preprocesses,
            Stage::Compile => Kind::Compiles,
            Stage::Link => Kind::Links,
            Stage::Run => Kind::Runs,
        };
        let mut check = Check::new(String::new(), kind);
        check.source = Some(text);
        let all = arguments(self.batch, self.version, stage, own);
        if stage >= Stage::Link {
            check.link_args = all;
        } else {
            check.args = all;
        }
        if stage == Stage::Preprocess {
            // Meson has the lines without marks of where they come from.
            check.args.insert(0, "-P".into());
            if self.batch.language == Language::Fortran {
                check.args.insert(0, "-cpp".into());
                check.extension = Some("f90".into());
            }
        }
        check.toolchain = Some(self.toolchain.clone());
        check
    }

    /// An integer: printed by a program, or a constant when cross-compiling. Of a type the size
    /// is asked then only if it can have a variable.
    fn integer(
        &self,
        prefix: &str,
        expression: &str,
        to: &mut Composed,
        of: Option<&String>,
    ) -> (Check, Reading) {
        if !self.batch.cross {
            let text = source::print_integer(self.version, prefix, expression);
            return (self.source(Stage::Run, text), Reading::Printed);
        }
        let before = source::before_constant(self.version, prefix);
        let mut check = self.constant(before, expression, true);
        if let Some(name) = of {
            let gate = self.source(Stage::Compile, source::variable(self.version, prefix, name));
            check.needs = vec![self.gate(gate, to)];
        }
        (check, Reading::Constant)
    }

    fn alignment(&self, prefix: &str, name: &str, to: &mut Composed) -> (Check, Reading) {
        if !self.batch.cross {
            let text = source::print_alignment(self.version, prefix, name);
            // Meson has no options here.
            return (self.plain(Stage::Run, text), Reading::PrintedAlways);
        }
        let text = source::variable(self.version, prefix, name);
        let gate = self.plain(Stage::Compile, text);
        let (before, constant) = source::alignment_constant(self.version, prefix, name);
        let mut check = self.constant(before, constant, false);
        check.needs = vec![self.gate(gate, to)];
        (check, Reading::Constant)
    }

    /// Adds a check without an answer of its own; its id.
    fn gate(&self, gate: Check, to: &mut Composed) -> String {
        let index = to.push(gate, "(type)");
        to.request.checks[index].id.clone()
    }

    fn constant(&self, before: String, expression: &str, with_options: bool) -> Check {
        let builtin = if with_options { self.batch.builtin_args.as_slice() } else { &[] };
        let own = [builtin, &self.batch.args].concat();
        let mut check = Check::new(String::new(), Kind::ComputeInt);
        check.prefix = before;
        check.expression = Some(expression.into());
        check.args = arguments(self.batch, self.version, Stage::Compile, &own);
        check.toolchain = Some(self.toolchain.clone());
        check
    }

    /// A check of what a macro expands to behind a text.
    pub(crate) fn define(&self, prefix: &str, name: &str) -> Check {
        let own = [self.batch.builtin_args.as_slice(), &self.batch.args].concat();
        let mut check = Check::new(String::new(), Kind::Define);
        check.prefix = prefix.into();
        check.name = Some(name.into());
        check.args = arguments(self.batch, self.version, Stage::Preprocess, &own);
        check.toolchain = Some(self.toolchain.clone());
        check
    }

    fn argument(&self, argument: &str) -> Check {
        let own: Vec<_> =
            self.version.positive_form(argument).into_iter().chain([argument.into()]).collect();
        let text = match self.batch.language {
            Language::Fortran => source::FORTRAN_PROGRAM,
            _ => source::DECLARATION,
        };
        self.source_with(Stage::Compile, text.into(), &own)
    }

    fn link_argument(&self, argument: &str) -> Check {
        let own = ["-Wl,--fatal-warnings".into(), argument.into()];
        let text = match self.batch.language {
            Language::Fortran => source::FORTRAN_PROGRAM,
            _ => source::PROGRAM,
        };
        self.source_with(Stage::Link, text.into(), &own)
    }

    /// GCC takes arguments that are another language's, and says so.
    fn accepted(&self, mut check: Check) -> (Check, Reading) {
        let unless = match self.batch.language {
            _ if self.batch.compiler_id != "gcc" => None,
            Language::Cxx | Language::ObjCxx => Some("is valid for C/ObjC"),
            Language::C | Language::ObjC => Some("is valid for C++/ObjC++"),
            Language::Fortran => None,
        };
        check.fail_patterns = unless.map(regex_lite::escape).into_iter().collect();
        (check, Reading::Accepted { unless })
    }
}

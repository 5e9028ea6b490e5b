//! Turns items into checks of raw sources, and records how to interpret the result of each.

use std::path::PathBuf;
use std::rc::Rc;

use crate::compiler::dialect::Stage;
use crate::protocol::language::Language;
use crate::protocol::{Check, Kind, Location, Request, Toolchain};

use super::arguments::{arguments, probe_arguments};
use super::source;
use super::version::Version;
use super::words::{Item, MesonBatch, Method};

/// How to turn the result of a check into Meson's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Yes is true, no is false.
    Bool,
    /// Yes if the exit status is 0, even without an output file: arguments such as `-fsyntax-only`
    /// suppress it.
    Accepted {
        /// No if the output contains this message about an argument for another language.
        unless: Option<&'static str>,
    },
    /// The number that the program printed; -1 if there is no program.
    Printed,
    /// The same, but an error if there is no program.
    PrintedAlways,
    /// The value, or -1 for a no.
    Constant,
    /// The text of a macro, empty if it is not defined.
    Macro,
    /// tryall's own answer to a check of a request file.
    RequestCheck {
        /// The kind of the check.
        kind: Kind,
        /// Whether the answer must be yes.
        required: bool,
    },
}

/// What an answer belongs to.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// An item, by its index in the batch.
    Item(usize),
    /// A check of a request file, by its id.
    RequestCheck(String),
}

/// How to get one answer.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The index of the batch.
    pub batch: usize,
    /// What it belongs to.
    pub subject: Subject,
    /// How to interpret the check.
    pub reading: Reading,
    /// The index of the check.
    pub check: usize,
    /// The check that decides if this one is a no.
    pub alternative: Option<usize>,
}

/// A request, and how to interpret its results.
#[derive(Debug, Default)]
pub(crate) struct Composed {
    /// The request.
    pub request: Request,
    /// Where each check comes from, and the directory of its request file, if any.
    pub origins: Vec<(Location, Option<Rc<PathBuf>>)>,
    /// The answers.
    pub entries: Vec<Entry>,
}

impl Composed {
    /// Adds a check and returns its index. Messages use the name.
    pub(crate) fn push(&mut self, mut check: Check, name: &str) -> usize {
        let index = self.request.checks.len();
        // Make the id unique and valid: an argument may contain control characters.
        check.id = format!("{} ({index})", name.replace(char::is_control, " "));
        self.request.checks.push(check);
        self.origins.push((Location::flag(name), None));
        index
    }
}

/// The compiler without ccache or sccache: Meson, too, removes them for its own sources.
pub(crate) fn compiler(batch: &MesonBatch, version: &Version) -> Toolchain {
    let is_cache = |word: &&String| {
        let name = word.rsplit('/').next().unwrap_or_default();
        batch.command.len() > 1 && ["ccache", "sccache"].contains(&name)
    };
    let caches = batch.command.first().filter(is_cache).iter().count();
    let [trial_args, trial_link_args] = probe_arguments(batch, version);
    Toolchain {
        language: Some(batch.language),
        command: Some(batch.command[caches..].to_vec()),
        env: [("CCACHE_DISABLE".into(), "1".into())].into(),
        trial_args,
        trial_link_args,
        ..Toolchain::default()
    }
}

/// Composes the checks of a batch.
pub(crate) struct Composer<'a> {
    index: usize,
    batch: &'a MesonBatch,
    version: &'a Version,
    toolchain: String,
}

impl<'a> Composer<'a> {
    /// Creates the composer of a batch and adds its compiler to the request.
    pub(crate) fn new(
        index: usize,
        batch: &'a MesonBatch,
        version: &'a Version,
        to: &mut Composed,
    ) -> Self {
        let wanted = compiler(batch, version);
        // Share equal toolchains: the engine probes each with an empty program.
        let same = |(_, other): &(_, &Toolchain)| format!("{other:?}") == format!("{wanted:?}");
        let known = to.request.toolchains.iter().find(same).map(|(name, _)| name.clone());
        let toolchain = known.unwrap_or_else(|| index.to_string());
        to.request.toolchains.insert(toolchain.clone(), wanted);
        Composer { index, batch, version, toolchain }
    }

    /// Adds the checks and the entry of an item. `try_alternative` adds Meson's second source, if
    /// the method has one.
    pub(crate) fn compose(
        &self,
        item: &Item,
        place: usize,
        try_alternative: bool,
        to: &mut Composed,
    ) {
        let Item { method, subject, .. } = item;
        let prefix = self.prefix(&item.headers);
        let fortran = self.batch.language == Language::Fortran;
        // has_header_symbol() checks the last header.
        let (header, others) = item
            .headers
            .split_last()
            .map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
        let other_headers = self.prefix(others);
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
                    let text = source::has_class(&other_headers, header, subject);
                    alternative = Some(source(Stage::Compile, text));
                }
                let text = source::has_header_symbol(&other_headers, header, subject);
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
            Method::Links => (source(Stage::Link, subject.clone()), Reading::Bool),
            Method::Runs => (source(Stage::Run, subject.clone()), Reading::Bool),
            Method::HasArgument => self.accepted(self.argument(subject)),
            Method::HasLinkArgument => self.accepted(self.link_argument(subject)),
        };
        let name = if item.id.is_empty() { subject } else { &item.id };
        let check = to.push(check, name);
        let alternative = alternative.filter(|_| try_alternative).map(|mut other| {
            other.alternative_to = Some(to.request.checks[check].id.clone());
            to.push(other, name)
        });
        let (batch, subject) = (self.index, Subject::Item(place));
        to.entries.push(Entry { batch, subject, reading, check, alternative });
    }

    /// The batch's prefix, followed by the item's headers.
    pub(crate) fn prefix(&self, headers: &[String]) -> String {
        let includes = headers.iter().map(|header| format!("#include <{header}>"));
        let mut lines: Vec<_> = includes.collect();
        if !self.batch.prefix.is_empty() || lines.is_empty() {
            lines.insert(0, self.batch.prefix.clone());
        }
        lines.join("\n")
    }

    /// A check of a source with Meson's arguments, its builtin options and the batch's arguments.
    pub(crate) fn source(&self, stage: Stage, text: String) -> Check {
        let own = [self.batch.builtin_args.as_slice(), &self.batch.args].concat();
        self.source_with(stage, text, &own)
    }

    /// The same without the arguments of builtin options, which Meson omits for some methods.
    pub(crate) fn source_without_options(&self, stage: Stage, text: String) -> Check {
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
            // Meson preprocesses without line markers.
            check.args.insert(0, "-P".into());
            if self.batch.language == Language::Fortran {
                check.args.insert(0, "-cpp".into());
                check.extension = Some("f90".into());
            }
        }
        check.toolchain = Some(self.toolchain.clone());
        check
    }

    /// An integer: printed by a program, or a constant when cross-compiling. In that case the size
    /// of a type also requires that a variable of the type compiles.
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
            // Meson omits the builtin options here.
            return (self.source_without_options(Stage::Run, text), Reading::PrintedAlways);
        }
        let text = source::variable(self.version, prefix, name);
        let gate = self.source_without_options(Stage::Compile, text);
        let (before, constant) = source::alignment_constant(self.version, prefix, name);
        let mut check = self.constant(before, constant, false);
        check.needs = vec![self.gate(gate, to)];
        (check, Reading::Constant)
    }

    /// Adds a check that another one needs, and returns its id.
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

    /// A check for the expansion of a macro after a prefix.
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

    /// GCC accepts arguments for other languages with a warning.
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

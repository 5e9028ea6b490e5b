//! Makes a plan from a request: validates every check, merges equal questions, and resolves needs.
//!
//! Nothing runs before the whole request has been found valid.

pub(crate) mod absolute_paths;
mod explicit_commands;
mod graph;
pub(crate) mod ids;
pub(crate) mod question;
pub(crate) mod template;
pub(crate) mod toolchain;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use regex_lite::{Regex, RegexBuilder};

use crate::protocol::code::Code;
use crate::protocol::language::Language;
use crate::protocol::{
    BadRequest, Check, Fault, Kind, Location, Request, Seconds, command_line, fragment,
};
use toolchain::{Environment, Toolchain};

use ids::{CheckId, Id, QuestionId, Table, ToolchainId};
use question::{PathResolver, Question, each, product, subject, variant};

/// The time limit of a check if neither the request nor an option sets one.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes that a compiled pattern may take. A search takes time proportional to this times
/// the length of the text, and no time limit ends it.
const LARGEST_PATTERN: usize = 32 << 10;

/// What to run.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The toolchains that checks use.
    pub toolchains: Table<ToolchainId, Toolchain>,
    /// The questions, each once, in the order of their first occurrence in the request.
    pub questions: Table<QuestionId, Question>,
    /// The checks, in the order of the request.
    pub checks: Table<CheckId, PlannedCheck>,
    /// Where each check and its arguments were given.
    pub given: Table<CheckId, Given>,
    /// The compiled regular expressions of all questions.
    pub patterns: HashMap<String, Regex>,
}

/// A check of the plan.
#[derive(Debug)]
pub(crate) struct PlannedCheck {
    /// Its id.
    pub id: String,
    /// Its kind, on which the output formats depend.
    pub kind: Kind,
    /// Its question.
    pub question: QuestionId,
    /// The checks that must have answered yes.
    pub needs: Vec<CheckId>,
    /// The one of `needs` that must have answered no instead.
    pub alternative_to: Option<CheckId>,
    /// Whether it must answer yes.
    pub required: bool,
}

/// Where a check and its arguments were given.
#[derive(Debug)]
pub(crate) struct Given {
    /// The check's place.
    pub origin: Origin,
    /// How many of its question's arguments come from its `include_dirs`. They precede those from
    /// its `args`.
    pub include_dirs: usize,
    /// The check as it was given.
    pub check: Check,
}

/// Where a check came from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Its location in the request or on the command line.
    pub path: Location,
    /// The directory that its relative paths start from.
    pub base: Rc<PathBuf>,
    /// The command-line option, if it came from one.
    pub option: Option<command_line::Place>,
}

impl Origin {
    /// The origins of a request's checks, whose relative paths start from `base`.
    pub(crate) fn of_request(request: &Request, base: &Rc<PathBuf>) -> Vec<Self> {
        let place = |index| Location::root().key("checks").index(index);
        let origin = |index| Origin { path: place(index), base: base.clone(), option: None };
        (0..request.checks.len()).map(origin).collect()
    }

    /// The origin of a toolchain.
    pub(crate) fn of_toolchain(name: &str) -> Self {
        let path = Location::root().key("toolchains").key(name);
        Origin { path, base: Rc::default(), option: None }
    }

    /// The origin of a check from the command line.
    pub(crate) fn of_option(option: command_line::Place, base: Rc<PathBuf>) -> Self {
        Origin { path: option.path(), base, option: Some(option) }
    }

    /// The location of a field of the check, or of an element of that field.
    pub(crate) fn of_field(&self, field: &str, element: Option<usize>) -> Location {
        if let Some(option) = &self.option {
            return option.of_field(field, element);
        }
        let path = self.path.clone().key(field);
        element.into_iter().fold(path, Location::index)
    }

    /// The error for a fault of the check. `text` is the text of the request, if it has one.
    pub(crate) fn complaint(&self, fault: Fault, text: Option<&str>) -> BadRequest {
        let path = match fault.field {
            Some((field, element)) => self.of_field(field, element),
            None => self.path.clone(),
        };
        BadRequest::at(fault.code, fault.message, &path, text)
    }
}

/// What a plan is made from.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// The request. Checks from the command line come last.
    pub request: Request,
    /// Where each check came from.
    pub origins: Vec<Origin>,
    /// The text of the request, for line and column of errors.
    pub text: Option<&'a str>,
    /// The directory that relative paths of toolchains start from.
    pub base: &'a std::path::Path,
    /// A time limit that overrides the request's.
    pub timeout: Option<Seconds>,
    /// The environment.
    pub environment: &'a Environment,
}

/// Makes the plan. Fails with what is wrong with the request, and where.
pub(crate) fn plan(input: Input<'_>) -> Result<Plan, BadRequest> {
    let mut planner = Planner {
        request: &input.request,
        input: &input,
        toolchains: Table::default(),
        by_name: HashMap::new(),
        patterns: HashMap::new(),
    };
    planner.validate_toolchains()?;
    let ids = planner.index_ids()?;

    let mut questions = Table::<QuestionId, _>::default();
    let mut known = HashMap::new();
    let mut products = HashMap::new();
    let mut checks = Table::<CheckId, _>::default();
    for (index, check) in input.request.checks.iter().enumerate() {
        let at = |fault| complaint(&input, index, fault);
        let question = planner.question(index, check).map_err(at)?;
        let mut needs = needs(check, &ids).map_err(at)?;
        let alternative_to = check.alternative_to.as_ref().map(|id| CheckId::at(ids[id.as_str()]));
        needs.extend(alternative_to);
        let question = *known
            .entry(question)
            .or_insert_with_key(|question: &Question| questions.push(question.clone()));
        if let Some(product) = &questions[question].product {
            let (other, first) = *products.entry(product.clone()).or_insert((question, index));
            if other != question {
                let (product, first) = (product.display(), &input.origins[first].path);
                let message = format!("the product of {first} is already copied to {product}");
                return Err(at(Fault::of(Code::ProductTaken, "product", message)));
            }
        }
        checks.push(PlannedCheck {
            id: check.id.clone(),
            kind: check.kind,
            question,
            needs,
            alternative_to,
            required: check.required,
        });
    }
    if let Some(cycle) = graph::cycle(&checks) {
        let names: Vec<_> = cycle.iter().map(|&index| checks[index].id.as_str()).collect();
        let message = format!("these checks need each other in a circle: {}", names.join(" -> "));
        return Err(complaint(
            &input,
            cycle[0].place(),
            Fault::of(Code::NeedsCycle, "needs", message),
        ));
    }
    let Planner { toolchains, patterns, .. } = planner;
    let given = std::iter::zip(input.origins, &input.request.checks)
        .map(|(origin, check)| {
            let include_dirs = check.include_dirs.len();
            Given { origin, include_dirs, check: check.clone() }
        })
        .collect();
    Ok(Plan { toolchains, questions, checks, given, patterns })
}

/// Resolves checks into questions.
struct Planner<'a> {
    request: &'a Request,
    input: &'a Input<'a>,
    toolchains: Table<ToolchainId, Toolchain>,
    /// Resolved toolchains, by name and language.
    by_name: HashMap<(Option<String>, Language), ToolchainId>,
    patterns: HashMap<String, Regex>,
}

/// The error for a fault of the check at this position in the request.
fn complaint(input: &Input<'_>, index: usize, fault: Fault) -> BadRequest {
    input.origins[index].complaint(fault, input.text)
}

/// The checks that a check needs.
fn needs(check: &Check, ids: &HashMap<&str, usize>) -> Result<Vec<CheckId>, Fault> {
    let find = |(position, need): (usize, &String)| {
        ids.get(need.as_str()).copied().map(CheckId::at).ok_or_else(|| {
            let known = crate::protocol::nearest::nearest(need, ids.keys().copied());
            let remedy = known.map_or(String::new(), |known| format!("; did you mean {known:?}?"));
            let message = format!("no check has the id {need:?}{remedy}");
            Fault { code: Code::UnknownNeed, ..Fault::of_element("needs", position, message) }
        })
    };
    check.needs.iter().enumerate().map(find).collect()
}

impl<'a> Planner<'a> {
    /// The position of each id. Fails if an id is invalid or not unique.
    fn index_ids(&self) -> Result<HashMap<&'a str, usize>, BadRequest> {
        let mut ids: HashMap<&str, usize> = HashMap::new();
        for (index, check) in self.request.checks.iter().enumerate() {
            let at = |code, message| complaint(self.input, index, Fault::of(code, "id", message));
            fragment::id(&check.id).map_err(|why| at(Code::InvalidValue, why))?;
            if let Some(first) = ids.insert(&check.id, index) {
                let first = &self.input.origins[first].path;
                let option = self.input.origins[index].option.as_ref();
                let remedy = option.map_or(String::new(), |it| format!(", as in {}", it.renamed()));
                let message = format!(
                    "{first} already has the id {:?}; ids must be unique, so give this check \
                     another one{remedy}",
                    check.id
                );
                return Err(at(Code::DuplicateId, message));
            }
        }
        Ok(ids)
    }

    /// Validates all toolchains, even unused ones.
    fn validate_toolchains(&self) -> Result<(), BadRequest> {
        for (name, toolchain) in &self.request.toolchains {
            let path = Location::root().key("toolchains").key(name);
            let at = |code, field: &str, message: String| {
                BadRequest::at(code, message, &path.clone().key(field), self.input.text)
            };
            let invalid = |field: &str, message| at(Code::InvalidValue, field, message);
            if toolchain
                .command
                .as_ref()
                .is_some_and(|command| command.first().is_none_or(String::is_empty))
            {
                return Err(invalid(
                    "command",
                    "it is empty; remove it to use the environment's compiler".into(),
                ));
            }
            if let (Some(own), Some(language)) = (Language::from_name(name), toolchain.language)
                && own != language
            {
                let message = format!("a toolchain named {name:?} is for checks in {}", own.name());
                return Err(at(Code::ConflictingFields, "language", message));
            }
            let lists = [
                ("command", toolchain.command.as_deref().unwrap_or_default()),
                ("args", &toolchain.args),
                ("link_args", &toolchain.link_args),
                ("emulator", &toolchain.emulator),
                ("launcher", &toolchain.launcher),
                ("compile", toolchain.compile.as_deref().unwrap_or_default()),
                ("link", toolchain.link.as_deref().unwrap_or_default()),
            ];
            for (field, words) in lists {
                each(field, words, fragment::argument)
                    .map_err(|fault| invalid(field, fault.message))?;
            }
            explicit_commands::validate(toolchain)
                .map_err(|(code, field, message)| at(code, field, message))?;
            for (variable, value) in &toolchain.env {
                if variable.is_empty() || variable.contains(['=', '\0']) || value.contains('\0') {
                    let message = format!("{variable:?} cannot be set in an environment");
                    return Err(invalid("env", message));
                }
            }
        }
        Ok(())
    }

    /// The question of a check.
    fn question(&mut self, index: usize, check: &Check) -> Result<Question, Fault> {
        let base = self.input.origins[index].base.clone();
        let toolchain = self.toolchain(check)?;
        let language = self.toolchains[toolchain].language;
        let is_explicit = self.toolchains[toolchain].commands.is_some();
        let absolute_args = |args: &[String]| match is_explicit {
            // What goes into an explicit command is as final as the command itself.
            true => args.iter().map(OsString::from).collect(),
            false => absolute_paths::absolute_args(args, &base),
        };
        let paths = PathResolver { args: &absolute_args, path: &|path| base.join(path) };

        each("headers", &check.headers, fragment::header)?;
        if check.prefix.contains('\0') {
            return Err(Fault::of_value("prefix", "it contains a NUL byte"));
        }
        for (field, args) in [
            ("args", &check.args),
            ("link_args", &check.link_args),
            ("include_dirs", &check.include_dirs),
            ("definitions", check.definitions.as_ref().unwrap_or(&Vec::new())),
        ] {
            each(field, args, fragment::argument)?;
        }
        self.compile_patterns(check)?;
        let subject = subject(check, language, &paths)?;
        let dialect = self.toolchains[toolchain].dialect;
        let definitions = check.definitions.as_deref().unwrap_or_default();
        match &self.toolchains[toolchain].commands {
            Some(commands) => explicit_commands::fits(check, commands)?,
            None if !definitions.is_empty() => {
                let message = "only a toolchain with \"compile\" has a placeholder for it; use \
                               \"args\" instead";
                return Err(Fault::of(Code::ConflictingFields, "definitions", message));
            }
            None => {}
        }
        let include_dirs =
            check.include_dirs.iter().map(|dir| dialect.include_dir(&base.join(dir)));
        Ok(Question {
            toolchain,
            subject,
            headers: check.headers.clone(),
            prefix: check.prefix.clone(),
            args: include_dirs.chain(absolute_args(&check.args)).collect(),
            link_args: absolute_args(&check.link_args),
            definitions: definitions.iter().map(OsString::from).collect(),
            product: product(check, &paths)?,
            product_is_data: check.product_is_data.unwrap_or(false),
            variant: variant(check, language)?,
            fail_patterns: check.fail_patterns.clone(),
            timeout: self.timeout(check),
        })
    }

    /// Compiles the fail patterns of a check.
    fn compile_patterns(&mut self, check: &Check) -> Result<(), Fault> {
        for (position, pattern) in check.fail_patterns.iter().enumerate() {
            if !self.patterns.contains_key(pattern) {
                let mut builder = RegexBuilder::new(&format!("(?s){pattern}"));
                let compiled = builder.size_limit(LARGEST_PATTERN).build().map_err(|error| {
                    let message =
                        format!("{pattern:?} cannot be used as a regular expression: {error}");
                    Fault::of_element("fail_patterns", position, message)
                })?;
                self.patterns.insert(pattern.clone(), compiled);
            }
        }
        Ok(())
    }

    fn timeout(&self, check: &Check) -> Duration {
        let given = check.timeout.or(self.input.timeout).or(self.request.timeout);
        given.map_or(DEFAULT_TIMEOUT, Seconds::duration)
    }

    /// The toolchain that a check names, or else that of its language.
    fn toolchain(&mut self, check: &Check) -> Result<ToolchainId, Fault> {
        let found = self.request.toolchain_of(check);
        let (name, given, language) = match &check.toolchain {
            Some(name) => {
                let (_, given) = found.ok_or_else(|| {
                    let names: Vec<_> =
                        self.request.toolchains.keys().map(String::as_str).collect();
                    let known = match names.as_slice() {
                        [] => "the request gives none in \"toolchains\"".into(),
                        names => format!("known: {}", names.join(", ")),
                    };
                    let message = format!("no toolchain has the name {name:?}; {known}");
                    Fault::of(Code::UnknownToolchain, "toolchain", message)
                })?;
                let language = given.language.or(Language::from_name(name)).unwrap_or_default();
                if check.language.is_some_and(|wanted| wanted != language) {
                    let message = format!("the toolchain {name:?} is for {}", language.name());
                    return Err(Fault::of(Code::ConflictingFields, "language", message));
                }
                (Some(name.clone()), Some(given), language)
            }
            None => {
                let language = check.language.unwrap_or_default();
                (found.map(|(name, _)| name.clone()), found.map(|(_, given)| given), language)
            }
        };
        let key = (name, language);
        if let Some(&known) = self.by_name.get(&key) {
            return Ok(known);
        }
        let resolved =
            toolchain::resolve(language, given, self.input.base, self.input.environment)?;
        let id = self.toolchains.push(resolved);
        self.by_name.insert(key, id);
        Ok(id)
    }
}

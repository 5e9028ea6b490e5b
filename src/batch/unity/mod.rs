//! Unity batches: a few commands answer many questions, each exactly as it would be answered alone.
//!
//! Each question becomes a part of a unit. A unit is one source file with the headers and the
//! prefix that its parts have in common. Each part repeats the text of the question's own source
//! inside a function of its own. One command compiles all units of a batch to one object file each;
//! a second command links the units that contain link questions. [`eligibility`] decides which
//! questions may take part, [`source`] writes the units, [`evidence`] reads the diagnostics, and
//! [`run`] drives the commands. A question that the output does not prove runs alone: a batch may
//! leave questions unanswered, but it never gives a different answer. Sources of the caller that
//! differ in one word share a source in another way, see [`crate::batch::variants`].
//!
//! # Why a yes of the compiler holds alone
//!
//! If a unit compiles without diagnostics, the compiler has accepted each of its parts. Only other
//! parts stand between the headers and a part, and no part changes the meaning of a later one:
//!
//! * The text of a part is balanced and closed ([`crate::protocol::fragment`]). If the text
//!   contains macros, their expansion is balanced and closed too: the object file of a unit with
//!   several parts records it. None of our own words around the text is a macro. Every name that a
//!   part declares either contains the number of its question or stays in the block of its
//!   function. `sizeof(struct x *)` declares `struct x`, but only in that block. Text that could
//!   declare more (braces, quotes, one of our own names) is not eligible. In C++, naming a type may
//!   instantiate templates and thereby change the size of another type, so C++ units contain only
//!   functions that nothing declares.
//! * Alone, a prototype and the struct for an alignment stand at file scope. In a part they stand
//!   in a block, because at file scope the next part would see them: as another prototype of the
//!   function, or as a tag. A block accepts everything that file scope accepts, and three things
//!   more, all of which are excluded: specifiers such as `typedef` and `static`; a word that is not
//!   a type, which would turn the declaration into a call (`extern` in front prevents that); and a
//!   type that depends on a variable (its size must also be valid as an enumerator).
//! * Macros that expand to a position (`__LINE__`, `__FILE__`, `__COUNTER__`, `__func__`) would
//!   expand differently. A unit with several parts undefines them, so text that uses them does not
//!   compile. The unit also disables `_Pragma`, with which a macro can change another macro.
//! * The part of a symbol turns a warning into an error. No other part may see that, so parts of
//!   symbols come last.
//! * If the headers end in the middle of a construct, the next text does not compile: it is valid
//!   only where a declaration may begin (after a dangling `unsigned` it is not). The unit's own
//!   first function follows. An open comment, brace or function fails there, or shows by the
//!   absence of that function in the object file.
//!
//! # Why a no of the compiler holds alone
//!
//! The batch accepts two kinds of no. The first is a unit with a single part in which every error
//! is on a line that the question's own source also contains. The text before those lines differs
//! from the question's own source by one function only. This does not apply if a word of the
//! question is a macro, which may expand to its line number (a yes does not count then either), or
//! if one of our own words is a macro. The second is a compile that ended at a line of the headers
//! or the prefix, as it does if a header is missing: those are the first lines of the question's
//! own source. Any other error decides nothing, because a parser that recovers from one error may
//! report others that do not exist. The question then runs alone, and the rest of the unit is
//! compiled again without it and must produce no diagnostics.
//!
//! # Why a yes of the linker holds alone
//!
//! The linker traces each name (`-y`). The unit's object file refers to the name, so no header has
//! given the function another name. Only shared libraries define the name. Those libraries are also
//! on the command line of a link alone, and the linker searches them for every reference. A
//! definition in an archive proves nothing: another question may have pulled in the archive member,
//! or whatever that member needs. Neither does a definition in an object file. A symbol that is a
//! macro refers to no name; a mark in the object file records that it is a macro. Its link alone is
//! that of the empty program.
//!
//! # Why a no of the linker holds alone
//!
//! No file defines the name, and the linker reports it as undefined in the function of the
//! question. The files of a link alone are a subset of the files of this link: the objects of the
//! units add references, and references can only pull in more files. So if none of the files of
//! this link defines the name, none of the files of a link alone does. The linker reports undefined
//! names as warnings (`--warn-unresolved-symbols`), so that one link lists all of them and still
//! shows that nothing else is wrong with it: the link must succeed, and every line of its output
//! must be understood. Each unit also refers, after all its parts, to a name that does not exist.
//! The linker must report that name too, which proves that it does report undefined names and did
//! not stop early.

pub(crate) mod eligibility;
pub(crate) mod evidence;
pub(crate) mod part;
pub(crate) mod run;
pub(crate) mod source;

use std::collections::HashMap;
use std::ffi::OsString;

use crate::batch::unity::part::{DecidedBy, Part};
use crate::plan::Plan;
use crate::plan::ids::{QuestionId, ToolchainId};

/// The fewest questions for which a batch pays off.
pub(crate) const MIN_QUESTIONS: usize = 3;

/// The most parts in one unit: the linker command lists all their names.
const MAX_PARTS: usize = 200;

/// A question that may share a unit.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// The question.
    pub question: QuestionId,
    /// Its part of the unit.
    pub part: Part,
}

impl Candidate {
    /// Whether the linker decides the question.
    pub(crate) fn links(&self) -> bool {
        matches!(self.part.decided_by, DecidedBy::Links { .. })
    }
}

/// Units that share commands. Each unit lists the candidates that share its source.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The toolchain of all its questions.
    pub toolchain: ToolchainId,
    /// The units.
    pub units: Vec<Vec<Candidate>>,
}

impl Batch {
    /// All questions of the batch.
    pub(crate) fn questions(&self) -> impl Iterator<Item = QuestionId> {
        self.units.iter().flatten().map(|candidate| candidate.question)
    }
}

/// Groups candidates into at most `width` batches for each combination of toolchain and arguments,
/// and returns the questions for which a batch does not pay off. `others` is the number of other
/// sources that wait to be compiled.
pub(crate) fn batches(
    plan: &Plan,
    candidates: Vec<Candidate>,
    width: usize,
    others: usize,
) -> (Vec<Batch>, Vec<QuestionId>) {
    // The toolchain and the arguments.
    type Command<'a> = (ToolchainId, &'a [OsString]);
    let mut alike: Vec<(Command<'_>, Vec<Vec<Candidate>>)> = Vec::new();
    let mut places = HashMap::new();
    let mut units: HashMap<_, usize> = HashMap::new();
    for candidate in candidates {
        let question = &plan.questions[candidate.question];
        let command = (question.toolchain, question.args.as_slice());
        let place = *places.entry(command).or_insert_with(|| {
            alike.push((command, Vec::new()));
            alike.len() - 1
        });
        let shares = eligibility::shares_units(plan, candidate.question);
        let key = (place, candidate.part.before.clone(), (!shares).then_some(candidate.question));
        let known = &mut alike[place].1;
        match units.get(&key) {
            Some(&unit) if known[unit].len() < MAX_PARTS => {
                known[unit].push(candidate);
            }
            _ => {
                units.insert(key, known.len());
                known.push(vec![candidate]);
            }
        }
    }
    let (mut made, mut alone) = (Vec::new(), Vec::new());
    let sources = others + alike.iter().map(|(_, units)| units.len()).sum::<usize>();
    for ((toolchain, _), units) in alike {
        let (mut units, without): (Vec<_>, Vec<_>) =
            units.into_iter().partition(|unit: &Vec<Candidate>| has_gain(unit));
        if without.len() <= width && units.len() >= MIN_QUESTIONS {
            // They are too few for a batch of their own.
            units.extend(without);
        } else {
            alone.extend(without.into_iter().flatten().map(|candidate| candidate.question));
        }
        let count = units.iter().map(Vec::len).sum::<usize>();
        if count < MIN_QUESTIONS {
            alone.extend(units.into_iter().flatten().map(|candidate| candidate.question));
            continue;
        }
        // A batch costs a link, which is as much as two units, and often a second compile. So make
        // only one, unless it exceeds one core's share of all remaining work.
        let shares = (units.len() * width).div_ceil(sources);
        let batches = (units.len() / 3).min(shares).clamp(1, width);
        let mut split = vec![Vec::new(); batches];
        for (index, unit) in units.into_iter().enumerate() {
            split[index % batches].push(unit);
        }
        made.extend(split.into_iter().map(|units| Batch { toolchain, units }));
    }
    alone.sort_unstable();
    (made, alone)
}

/// Whether a unit pays off. A unit with a single part only gains by sharing a link: its compile
/// costs as much as the question alone.
pub(crate) fn has_gain(unit: &[Candidate]) -> bool {
    unit.len() > 1 || unit.iter().any(Candidate::links)
}

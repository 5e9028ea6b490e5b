//! Fusing: many questions answered by few commands, each exactly as it would be alone.
//!
//! Questions become parts of units. A unit is a source with the headers and the prefix that its
//! parts have in common, and each part is the same text as in the question's own source, in a
//! function of its own. All units of a batch are compiled by one command to an object file each,
//! and those with something to link are linked by a second one. [`guard`] says what may take
//! part, [`unit`] writes the sources, [`evidence`] reads what the compiler says; `run::fused` runs
//! it. What is not proved by what was read is asked alone: a batch may answer nothing, but never
//! something else. Sources of the caller's that differ in one word share one, too ([`siblings`]).
//!
//! # Why a yes of the compiler is the single one
//!
//! A unit that compiles without a word has compiled each of its parts. Between the headers and a
//! part stand only other parts, and none of them changes what a later one means:
//!
//! * Its words are balanced and closed ([`crate::protocol::fragment`]), and so is what they come to
//!   where they are macros: the object file of a unit of several parts tells it. No word of ours
//!   that stands around them is a macro. All names that it
//!   declares are its own, with the question's number in them, or stay in the block of its
//!   function. `sizeof(struct x *)` declares `struct x`, but in that block. What could declare more
//!   (braces, quotes, a name of ours) is kept out, and C++, where naming a type may instantiate
//!   templates and so change the size of another, shares units only for functions that nothing
//!   declares.
//! * Alone, a prototype and the struct of an alignment stand outside of functions, and in a part
//!   in a block, which forgets them: another prototype of the function, or a tag, would be there for
//!   the next. A block takes all that the outside takes, and three things more, which are
//!   kept out: specifiers such as `typedef` and `static`, a word that is no type and makes a call of the
//!   declaration (`extern` stands before it), and a type that depends on a variable (its size
//!   must also be an enumerator).
//! * Macros that tell the place (`__LINE__`, `__FILE__`, `__COUNTER__`, `__func__`) would tell
//!   another one. In a unit of several parts they are taken away, so that what uses them does not
//!   compile; and so is `_Pragma`, by which a macro can change another one.
//! * A symbol's part turns on an error that others have not; it stands behind those.
//! * What the headers leave open meets words that compile only where a declaration begins (after
//!   `unsigned` they do not), and then the unit's own first function: an open comment, brace or
//!   function fails there or shows by that function's absence in the object file.
//!
//! # Why a no of the compiler is the single one
//!
//! Only two are taken. In a unit with one part, all errors stand in the words of that part that
//! stand in its own source as well, and what is before them differs by one function. Not where one
//! of the question's words is a macro, which may tell its line; that is no yes either. Nor where
//! a word of ours is one. Or the compile ended at a
//! line of the headers and the prefix, the first lines of the question's own source, as it does
//! when a header is not there. Any other error decides nothing, because a parser that recovers
//! from one may see others that are none: the question is asked alone, and the rest of the unit is
//! compiled again without it and has to be silent.
//!
//! # Why a yes of the linker is the single one
//!
//! The linker traces each name (`-y`). The unit's object file refers to the name, so no header
//! has given the function another one; and the only files that define it are shared libraries.
//! Those are on the command line of a single link, too, and are searched there for every
//! reference. A definition in an archive proves nothing: its member may have been found, or may
//! have found what it needs, because of another question; nor does one in an object file. A symbol
//! that is a macro refers to nothing, and leaves a mark in the object file that says so; its
//! link alone is that of the empty program.
//!
//! # Why a no of the linker is the single one
//!
//! No file defines the name, and the linker says, of the function that asks for it, that it is
//! undefined. The files of a single link are among those of this one, for the objects of the units
//! bring more references and so can only bring in more; what none of these defines, none of those
//! does. It is said as a warning (`--warn-unresolved-symbols`), so that one link names all of
//! them and still shows that nothing else is wrong with it: it must succeed, and every line that it
//! writes must be understood. Each unit refers to a name that does not exist, behind all its parts,
//! and that must be missed as well: so the linker does miss names, and did not stop before.

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

/// With fewer questions, a batch has no gain.
pub(crate) const MIN_QUESTIONS: usize = 3;

/// So many parts have one unit at most: the names are on one command line.
const MAX_PARTS: usize = 200;

/// A question that may be fused.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// The question.
    pub question: QuestionId,
    /// Its part.
    pub part: Part,
}

impl Candidate {
    /// Whether it asks the linker.
    pub(crate) fn links(&self) -> bool {
        matches!(self.part.decided_by, DecidedBy::Links { .. })
    }
}

/// Questions that share their commands: units, each with the candidates that share a source.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The toolchain in the plan.
    pub toolchain: ToolchainId,
    /// The units.
    pub units: Vec<Vec<Candidate>>,
}

impl Batch {
    /// All questions of it.
    pub(crate) fn questions(&self) -> impl Iterator<Item = QuestionId> {
        self.units.iter().flatten().map(|candidate| candidate.question)
    }
}

/// Makes batches of candidates, up to so many for each toolchain and its arguments, and hands
/// back those that have no gain from it. `others` is how many sources are to be compiled besides.
pub(crate) fn batches(
    plan: &Plan,
    candidates: Vec<Candidate>,
    width: usize,
    others: usize,
) -> (Vec<Batch>, Vec<QuestionId>) {
    // By toolchain and arguments.
    type Command<'a> = (ToolchainId, &'a [OsString]);
    let mut alike: Vec<(Command<'_>, Vec<Vec<Candidate>>)> = Vec::new();
    let mut places = HashMap::new();
    let mut units = HashMap::new();
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
            Some(&unit) if known[unit as usize].len() < MAX_PARTS => {
                known[unit as usize].push(candidate);
            }
            _ => {
                units.insert(key, known.len() as u32);
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
            // Too few to share a command by themselves.
            units.extend(without);
        } else {
            alone.extend(without.into_iter().flatten().map(|candidate| candidate.question));
        }
        let count = units.iter().map(Vec::len).sum::<usize>();
        if count < MIN_QUESTIONS {
            alone.extend(units.into_iter().flatten().map(|candidate| candidate.question));
            continue;
        }
        // A batch costs a link, which is as much as two units, and often a second compile. So there
        // is one, unless it were more than a core's share of all that is to be done.
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

/// A lone part is compiled as it would be alone, so that it gains only by a shared link.
pub(crate) fn has_gain(unit: &[Candidate]) -> bool {
    unit.len() > 1 || unit.iter().any(Candidate::links)
}

//! Chains: programs that do nothing behind more and more headers, compiled as one source.
//!
//! Many projects include every header that they have found before the one that they look for. The
//! sources of these checks are the same empty `main`, and each begins with the includes of the one
//! before. Together they become one source: the includes of the longest one, and behind those of each
//! source its `main`. All of them but the last one get other names by `#define`.
//!
//! # Why the answers hold alone
//!
//! The group accepts only a yes, and only for all of its sources at once: the shared source compiled
//! without any message, its object file is plain, and it contains each `main` and no other name. Then
//! each source compiles alone, and links, without a message:
//!
//! * *The headers are the same text.* A source alone includes exactly what stands before its `main` in
//!   the shared one, in the same order and once. Between two headers there is one more function, whose
//!   name nobody writes. No other name is declared, and no macro stays defined. The function does
//!   nothing that a header could notice: it does not count, contains no pragma, and calls nothing.
//! * *The state behind the headers is the same.* Each `main` is compiled where it would stand alone,
//!   under the pragmas and macros of these headers. None of its words may be a macro there: there is an
//!   `#error` for each of them.
//! * *Nothing is left open.* A header may end in the middle of a declaration, which what follows would
//!   complete. A pragma stands before each `main`, and GCC accepts one only where a declaration may
//!   begin. In a function around it, `main` would not be a global name.
//! * *`main` may be declared only as it is.* The last source keeps the name. A declaration of any header
//!   still counts there, as do attributes and pragmas that rename it: then the object file lacks `main`.
//! * *What GCC finds out at the end of a source, it would find out in each.* A later header can complete
//!   what an earlier one left open: a variable without a complete type, an alias without its target, a
//!   function without a body. So the compiler is told to keep unused variables
//!   (`-fno-toplevel-reorder`), and there may be no names from headers; and GCC's list of functions
//!   (`-aux-info`) shows none that one header declares and a later one defines. For a function or
//!   variable that is not used there is only a warning, and none in a header of the system. So all
//!   headers must be of the system: `-MMD` lists all others.
//! * *The assembler gets nothing from headers.* Its listing would show a mark of GCC.
//!
//! Warnings must not be errors, and directives that only take effect at the end of a source (OpenMP's)
//! must be off. Clang does not understand the options, and so has no chains.

mod eligibility;
mod functions;
pub(crate) mod run;

use std::collections::HashMap;

use crate::batch::linked::source;
use crate::plan::Plan;
use crate::plan::ids::QuestionId;
use crate::source::words::no_macros;

pub(crate) use eligibility::candidates;

/// The fewest sources for which a chain pays off.
const MIN_LINKS: usize = 3;
/// The most sources in a chain.
const MAX_LINKS: usize = 200;

/// Sources that begin with each other.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// The questions, the one with the longest source first.
    pub questions: Vec<QuestionId>,
}

/// A source that may be in a chain.
struct Text<'a> {
    /// All lines up to the last `#include`.
    head: Vec<&'a str>,
    /// The rest, which is an empty `main`.
    body: &'a str,
}

impl<'a> Text<'a> {
    /// Parses a source. `None` if it is not only includes and an empty `main`.
    fn of(source: &'a str) -> Option<Self> {
        let ends: Vec<_> = source.match_indices('\n').map(|(at, _)| at + 1).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let lines = std::iter::zip(starts, &ends).map(|(start, &end)| &source[start..end]);
        let lines: Vec<_> = lines.collect();
        let count = lines.iter().rposition(|line| is_include(line))? + 1;
        let (head, rest) = lines.split_at(count);
        let is_head = |line: &&str| is_include(line) || ["", "/* */"].contains(&line.trim());
        let body = &source[head.iter().map(|line| line.len()).sum()..];
        let is_empty_main = EMPTY_MAINS.contains(&without_spaces(body).as_str());
        (is_empty_main && !rest.is_empty() && head.iter().all(is_head))
            .then_some(Text { head: head.to_vec(), body })
    }
}

/// Sources that do nothing, without spaces.
const EMPTY_MAINS: [&str; 2] = ["intmain(void){return0;}", "intmain(){return0;}"];

/// The words in them.
const WORDS: [&str; 4] = ["int", "main", "void", "return"];

fn without_spaces(text: &str) -> String {
    text.split([' ', '\t', '\n']).collect()
}

/// Whether a line includes a header by its name in angle brackets, and does nothing else.
fn is_include(line: &str) -> bool {
    let name = line.trim().strip_prefix("#include <").and_then(|rest| rest.strip_suffix('>'));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    name.is_some_and(|name| {
        !name.is_empty()
            && name.chars().all(is_plain)
            && !name.contains("..")
            && !name.contains("//")
    })
}

/// The chains among these questions, and the questions that are in none.
pub(crate) fn chains(plan: &Plan, questions: Vec<QuestionId>) -> (Vec<Chain>, Vec<QuestionId>) {
    let mut places = HashMap::new();
    let mut alike: Vec<Vec<(Vec<&str>, QuestionId)>> = Vec::new();
    let mut alone = Vec::new();
    for index in questions {
        let question = &plan.questions[index];
        let toolchain = &plan.toolchains[question.toolchain];
        let Some((text, commands)) =
            source(question).and_then(Text::of).zip(toolchain.commands.as_ref())
        else {
            alone.push(index);
            continue;
        };
        let link = commands.link.as_ref().map(|(link, program)| (link, program));
        let words = (&question.args, &question.link_args, &question.definitions);
        let key = (&commands.compile, link, &toolchain.env, words, text.body);
        let place = *places.entry(key).or_insert_with(|| {
            alike.push(Vec::new());
            alike.len() - 1
        });
        alike[place].push((text.head, index));
    }
    let mut chains = Vec::new();
    for mut open in alike {
        // The longest first; those that are not its beginnings may be in another chain.
        open.sort_by_key(|(head, _)| std::cmp::Reverse(head.len()));
        while let Some((longest, _)) = open.first().cloned() {
            let mut last = longest.len() + 1;
            let mut questions = Vec::new();
            open.retain(|(head, index)| {
                let fits =
                    head.len() < last && longest.starts_with(head) && questions.len() < MAX_LINKS;
                if fits {
                    last = head.len();
                    questions.push(*index);
                }
                !fits
            });
            match questions.len() < MIN_LINKS {
                true => alone.extend(questions),
                false => chains.push(Chain { questions }),
            }
        }
    }
    (chains, alone)
}

/// The name of `main` of the source at this place; the longest source has place 0.
fn main_at(place: usize) -> String {
    if place == 0 { "main".into() } else { format!("tryall_{place}_main") }
}

/// The source that these sources share, the longest one first; and the line with which each of them
/// begins to differ from the one before, the shortest one first.
fn shared_source(sources: &[&str]) -> Option<(String, Vec<usize>)> {
    let mut starts = Vec::new();
    let mut whole = String::from(
        "#if !defined __GNUC__ || defined __clang__ || defined __INTEL_COMPILER\n\
         #error \"not GCC\"\n#endif\n",
    );
    let mut done = 0;
    for (place, source) in sources.iter().enumerate().rev() {
        let Text { head, body } = Text::of(source)?;
        starts.push(whole.lines().count() + 1);
        whole.extend(head[done..].iter().copied());
        done = head.len();
        whole.push_str(&no_macros(WORDS));
        let name = main_at(place);
        // `main` needs no prototype, but under another name it does.
        whole.push_str(
            "#pragma GCC diagnostic push\n\
             #pragma GCC diagnostic ignored \"-Wmissing-prototypes\"\n\
             #pragma GCC diagnostic ignored \"-Wmissing-declarations\"\n",
        );
        if place > 0 {
            whole.push_str(&format!("#define main {name}\n"));
        }
        whole.push_str(body);
        whole.push_str(if place > 0 { "#undef main\n" } else { "" });
        whole.push_str("#pragma GCC diagnostic pop\n");
    }
    Some((whole, starts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_includes_and_an_empty_main_are_in_chains() {
        for good in [
            "/* */\n#include <a.h>\n#include <sys/b.h>\n\n\nint main(void){return 0;}\n",
            "#include <a.h>\nint main()\n{\n\treturn 0;\n}\n",
        ] {
            assert!(Text::of(good).is_some(), "{good}");
        }
        for bad in [
            "int main(void){return 0;}\n",
            "#include \"a.h\"\nint main(void){return 0;}\n",
            "#include <../a.h>\nint main(void){return 0;}\n",
            "#include A\n#include <a.h>\nint main(void){return 0;}\n",
            "#define X\n#include <a.h>\nint main(void){return 0;}\n",
            "/* \n#include <a.h>\n*/\nint main(void){return 0;}\n",
            "#include <a.h> \\\n#include <b.h>\nint main(void){return 0;}\n",
            "#include <a.h>\nint main(void){return 1;}\n",
            "#include <a.h>\nlong main(void){return 0;}\n",
            "#include <a.h>\nint main(void){return 0;}",
            "#include <a.h>\n",
        ] {
            assert!(Text::of(bad).is_none(), "{bad}");
        }
    }
}

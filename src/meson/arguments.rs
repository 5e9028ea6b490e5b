//! The compiler arguments of Meson's checks, in Meson's order.

use crate::compiler::dialect::Stage;
use crate::protocol::language::Language;

use super::version::Version;
use super::words::MesonBatch;

/// All arguments after the source file: those of every Meson check, those from options, and `own`,
/// the arguments of the method and the project. Excludes the option that selects the stage (`-c`,
/// `-E`).
pub(crate) fn arguments(
    batch: &MesonBatch,
    version: &Version,
    stage: Stage,
    own: &[String],
) -> Vec<String> {
    let always = ["-D_FILE_OFFSET_BITS=64".to_string()];
    let mut all = List::default();
    all.add(&always);
    let (compile, link) = options(batch, stage, &always);
    // Meson builds these as a separate list and then adds that list to the first.
    let mut rest = List::default();
    rest.add(&compile);
    rest.add(&check_arguments(batch, version, stage));
    rest.add(own);
    rest.add(&link);
    all.add(&rest.0);
    match is_gnu_like(&batch.linker_id) {
        true => grouped(all.0),
        false => all.0,
    }
}

/// The arguments before and after the source of the toolchain probe: only those from options, to
/// distinguish a broken compiler from unknown arguments.
pub(crate) fn probe_arguments(batch: &MesonBatch, version: &Version) -> [Vec<String>; 2] {
    [Stage::Preprocess, Stage::Link].map(|stage| arguments(batch, version, stage, &[]))
}

/// Whether a linker accepts `--start-group` and `--fatal-warnings`.
pub(crate) fn is_gnu_like(linker_id: &str) -> bool {
    ["ld.bfd", "ld.gold", "ld.lld", "ld.mold"].contains(&linker_id)
}

/// The arguments from options, for the compiler and for the linker.
fn options(batch: &MesonBatch, stage: Stage, always: &[String]) -> (Vec<String>, Vec<String>) {
    if batch.language == Language::Fortran {
        return (batch.option_args.clone(), batch.option_link_args.clone());
    }
    let compile = without_linker_arguments(&batch.option_args);
    let mut link = Vec::new();
    let mut linker = None;
    if stage >= Stage::Link {
        let repeated = |arg: &&String| !compile.contains(arg);
        link.extend(batch.option_link_args.iter().filter(repeated).cloned());
        // A project can see the linker's id, but not the argument that selected it. The default
        // linker of GCC and Clang needs no argument.
        let chosen = batch.linker_id.strip_prefix("ld.").filter(|name| *name != "bfd");
        linker = chosen.map(|name| format!("-fuse-ld={name}"));
    }
    (compile.into_iter().chain(linker).chain(always.iter().cloned()).collect(), link)
}

/// Removes linker arguments from CFLAGS, as Meson does.
fn without_linker_arguments(args: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-L" | "-framework" => {
                args.next();
            }
            "-headerpad_max_install_names" => {}
            arg if arg.starts_with("-Wl,") || arg.starts_with("-L") => {}
            _ => kept.push(arg.clone()),
        }
    }
    kept
}

/// The arguments that Meson adds so that the compiler's exit status is the answer.
fn check_arguments(batch: &MesonBatch, version: &Version, stage: Stage) -> Vec<String> {
    let mut args = vec!["-O0"];
    args.extend(version.undefines_fortify().then_some("-U_FORTIFY_SOURCE"));
    if batch.compiler_id == "clang" {
        args.push("-Werror=implicit-function-declaration");
        if stage == Stage::Compile {
            args.extend([
                "-Werror=unknown-warning-option",
                "-Werror=unused-command-line-argument",
                "-Werror=ignored-optimization-argument",
            ]);
        }
    }
    args.extend(batch.language.is_cxx().then_some("-fpermissive"));
    args.into_iter().map(String::from).collect()
}

/// Which of several equal arguments Meson keeps.
#[derive(PartialEq)]
enum Kept {
    /// All of them.
    All,
    /// The first.
    First,
    /// The last, or the first of the arguments that are prepended.
    Last,
}

fn kept_duplicates(arg: &str) -> Kept {
    let last = ["-I", "-isystem", "-L", "-D", "-U"];
    let first = ["-l", "-Wl,-l", "-Wl,-rpath,", "-Wl,-rpath-link,"];
    if last.contains(&arg) || first.contains(&arg) {
        return Kept::All;
    }
    if last.iter().any(|prefix| arg.starts_with(prefix)) {
        return Kept::Last;
    }
    let whole = ["-c", "-S", "-E", "-pipe", "-pthread", "-Wl,--export-dynamic"];
    let files = [".lib", ".dll", ".so", ".dylib", ".a"];
    if whole.contains(&arg)
        || first.iter().any(|prefix| arg.starts_with(prefix))
        || files.iter().any(|suffix| arg.ends_with(suffix))
        || is_versioned_library(arg)
    {
        return Kept::First;
    }
    Kept::All
}

/// `path/libfoo.so.1.2.3`.
fn is_versioned_library(arg: &str) -> bool {
    let name = arg.rsplit('/').next().unwrap_or_default();
    name.starts_with("lib") && has_version_after_so(name)
}

fn has_version_after_so(name: &str) -> bool {
    let Some((_, numbers)) = name.rsplit_once(".so.") else { return name.ends_with(".so") };
    let numbers: Vec<_> = numbers.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    numbers.len() <= 3 && numbers.iter().all(is_number)
}

/// Adds arguments as Meson does: later arguments override earlier ones. Search paths are therefore
/// prepended, because the compiler uses the first match.
#[derive(Default)]
struct List(Vec<String>);

impl List {
    fn add(&mut self, args: &[String]) {
        let (mut front, mut back): (Vec<String>, Vec<String>) = Default::default();
        for arg in args {
            let is_there = |list: &[String]| list.contains(arg);
            if kept_duplicates(arg) == Kept::First
                && (is_there(&self.0) || is_there(&front) || is_there(&back))
            {
                continue;
            }
            if arg.starts_with("-I") || arg.starts_with("-L") {
                front.push(arg.clone());
            } else {
                back.push(arg.clone());
            }
        }
        let last_counts = |arg: &String| kept_duplicates(arg) == Kept::Last;
        let again = |arg: &String, others: &[String]| last_counts(arg) && others.contains(arg);
        let in_front = (0..front.len()).filter(|&at| !again(&front[at], &front[..at]));
        let in_back = (0..back.len()).filter(|&at| !again(&back[at], &back[at + 1..]));
        let kept = self.0.iter().filter(|arg| !again(arg, &front) && !again(arg, &back));
        self.0 = in_front
            .map(|at| &front[at])
            .chain(kept)
            .chain(in_back.map(|at| &back[at]))
            .cloned()
            .collect();
    }
}

/// Puts everything from the first to the last library into a linker group, if there are several.
fn grouped(mut args: Vec<String>) -> Vec<String> {
    let is_library = |arg: &String| {
        arg.starts_with("-l")
            || arg.starts_with("-Wl,-l")
            || arg.ends_with(".a")
            || !arg.starts_with("-Wl,") && arg.contains(".so") && has_version_after_so(arg)
    };
    let first = args.iter().position(is_library);
    let last = args.iter().rposition(is_library);
    if let (Some(first), Some(last)) = (first, last)
        && first < last
    {
        args.insert(last + 1, "-Wl,--end-group".into());
        args.insert(first, "-Wl,--start-group".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &str) -> Vec<String> {
        words.split_whitespace().map(String::from).collect()
    }

    fn added(lists: &[&str]) -> String {
        let mut list = List::default();
        lists.iter().for_each(|words| list.add(&strings(words)));
        list.0.join(" ")
    }

    // The expected values are those of Meson 1.12's CLikeCompilerArgs.
    #[test]
    fn later_arguments_override_earlier_ones() {
        assert_eq!(added(&["-Ia -Ib -O0", "-Ic -Id -Wall"]), "-Ic -Id -Ia -Ib -O0 -Wall");
        assert_eq!(added(&["-DA -DB", "-UA -DA"]), "-DB -UA -DA");
        assert_eq!(added(&["-Ia -Ib", "-Ib"]), "-Ib -Ia");
        assert_eq!(added(&["-lm -pthread", "-pthread -lm -lx"]), "-lm -pthread -lx");
        assert_eq!(added(&["-D A -D B"]), "-D A -D B");
        assert_eq!(added(&["a/libx.so.1", "a/libx.so.1 y.o y.o"]), "a/libx.so.1 y.o y.o");
    }

    #[test]
    fn several_libraries_form_a_group() {
        assert_eq!(
            grouped(strings("-O0 -lb x.o liba.a -g")).join(" "),
            "-O0 -Wl,--start-group -lb x.o liba.a -Wl,--end-group -g"
        );
        assert_eq!(grouped(strings("-O0 -lm")).join(" "), "-O0 -lm");
        assert_eq!(
            grouped(strings("/x/libz.so.1.2 -lm")).join(" "),
            "-Wl,--start-group /x/libz.so.1.2 -lm -Wl,--end-group"
        );
    }

    #[test]
    fn linker_arguments_are_separated_from_options() {
        let batch = MesonBatch {
            compiler_id: "gcc".into(),
            linker_id: "ld.gold".into(),
            option_args: strings("-g -Wl,-z,now -Lx -DA"),
            option_link_args: strings("-g -Wl,-z,now"),
            ..MesonBatch::default()
        };
        let version = Version::parse("1.12").unwrap();
        let at = |stage| arguments(&batch, &version, stage, &strings("-DB")).join(" ");
        let start = "-g -DA";
        let end = "-D_FILE_OFFSET_BITS=64 -O0 -U_FORTIFY_SOURCE -DB";
        assert_eq!(at(Stage::Compile), format!("{start} {end}"));
        assert_eq!(at(Stage::Link), format!("{start} -fuse-ld=gold {end} -Wl,-z,now"));
    }
}

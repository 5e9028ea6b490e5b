//! CMake's own tests of its check modules, `try_compile` and `try_run`, from the sources of CMake
//! 3.25.1, run by that CMake with and without cmake/TryallDropIn.cmake in every project. Tests that
//! pass without it must pass with it.

#[allow(dead_code, reason = "each part has use for some of it")]
mod cmake_harness;
#[path = "../support/frames.rs"]
mod frames;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use regex_lite::Regex;

use cmake_harness::*;
use frames::without_frames;
use support::*;

const CMAKE: &str = "/usr/bin/cmake";
const TESTS: &str = "cmake-3.25.1/Tests";

/// The options that inject the drop-in.
fn injection() -> [String; 2] {
    let drop_in = root().join("cmake/TryallDropIn.cmake");
    [
        format!("-DCMAKE_PROJECT_INCLUDE={}", drop_in.display()),
        format!("-DTRYALL_EXECUTABLE={TRYALL}"),
    ]
}

fn cmake(args: impl IntoIterator<Item = String>, directory: &Path) -> (bool, String) {
    let output = Command::new(CMAKE)
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("PATH", path_with_ninja())
        .env("HOME", std::env::var_os("HOME").unwrap_or_default())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned());
    (output.status.success(), said.concat())
}

/// The compiler's version, as CMake reports it.
fn version() -> String {
    let output = Command::new(need("gcc")).arg("-dumpfullversion").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Whether each case passed, and the output if not.
type Cases = BTreeMap<String, Result<(), String>>;

/// Runs one group of cases. Returns whether each passed, and the output if not.
fn run(group: &str, generator: &str, options: &[String]) -> Cases {
    let own = fetched(TESTS).join("RunCMake");
    let ours = root().join("tests/drop_in/cmake_own");
    let work = tempfile::tempdir().unwrap();
    // Messages of some cases contain the end of this path.
    let build = work.path().join("Tests/RunCMake").join(group);
    let make = if generator == "Ninja" { venv("ninja") } else { which::which("make").unwrap() };
    let define = |name: &str, value: &str| format!("-D{name}={value}");
    let args = [
        define("CMAKE_MODULE_PATH", &format!("{};{}", ours.display(), own.display())),
        define("RunCMake_GENERATOR", generator),
        define("RunCMake_MAKE_PROGRAM", make.to_str().unwrap()),
        define("RunCMake_SOURCE_DIR", own.join(group).to_str().unwrap()),
        define("RunCMake_BINARY_DIR", build.to_str().unwrap()),
        define("RunCMake_INJECTION", &options.join(";")),
        define("CMAKE_SYSTEM_NAME", "Linux"),
        define("CMAKE_C_COMPILER_ID", "GNU"),
        define("CMAKE_CXX_COMPILER_ID", "GNU"),
        define("CMAKE_Fortran_COMPILER_ID", "GNU"),
        define("CMAKE_C_COMPILER_VERSION", &version()),
        define("CMAKE_CXX_COMPILER_VERSION", &version()),
        define("CMAKE_C_STANDARD_DEFAULT", "17"),
        define("CMAKE_CXX_STANDARD_DEFAULT", "17"),
        "-P".into(),
        own.join(group).join("RunCMakeTest.cmake").to_str().unwrap().into(),
    ];
    let (_, said) = cmake(args, work.path());
    let cases = cases(&said);
    assert!(!cases.is_empty(), "{group}: {said}");
    cases
}

/// The result of each case in RunCMake.cmake's output. A case that runs more than once is numbered.
fn cases(said: &str) -> Cases {
    let line = Regex::new(r"(?m)^(?:-- (\S.*) - PASSED|  (\S.*) - FAILED:)$").unwrap();
    let mut cases = BTreeMap::new();
    for found in line.captures_iter(said) {
        let name = found.get(1).or(found.get(2)).unwrap().as_str();
        let names = (1..).map(|n| if n == 1 { name.into() } else { format!("{name} ({n})") });
        let name = names.into_iter().find(|name: &String| !cases.contains_key(name)).unwrap();
        let rest = &said[found.get(0).unwrap().start()..];
        let text = rest.split("\nCMake Error at ").next().unwrap();
        let passed = if found.get(1).is_some() { Ok(()) } else { Err(text.into()) };
        cases.insert(name, passed);
    }
    cases
}

/// The cases of a group, of which there are `count`, must pass with the drop-in. In the cases in `framed`,
/// messages may have different stack frames, because calls go through functions of the drop-in.
/// Without these frames they must be as expected. If anything is amiss, the cases run alone, too.
fn passes(group: &str, generator: &str, count: usize, framed: &[&str]) {
    let mut generators = vec![generator];
    if std::env::var_os("TRYALL_EVERY_SETUP").is_some() {
        generators = vec!["Ninja", "Unix Makefiles"];
    }
    let mut wrong = Vec::new();
    let mut unused = framed.to_vec();
    for generator in generators {
        let with = run(group, generator, &injection());
        let mut failed = with.len() != count;
        for (case, passed) in &with {
            // A name covers all runs of its case.
            let name = case.split(" (").next().unwrap();
            match passed {
                Err(said) if framed.contains(&name) && differs_in_frames(said) => {
                    unused.retain(|framed| *framed != name);
                }
                Err(said) => {
                    wrong.push(format!("{generator}, {case}: {said}"));
                    failed = true;
                }
                Ok(()) => {}
            }
        }
        if failed {
            wrong.extend(differs_from_alone(group, generator, &with));
        }
    }
    wrong.extend(unused.iter().map(|name| format!("{name} does not differ any more")));
    assert!(wrong.is_empty(), "{group}: {}", wrong.join("\n"));
}

/// What is already wrong without the drop-in, and what does not run with it.
fn differs_from_alone(group: &str, generator: &str, with: &Cases) -> Vec<String> {
    let harness = read("tests/drop_in/cmake_own/RunCMake.cmake");
    let key = key(group, Path::new(CMAKE), generator, harness);
    let alone = kept(&key, || run(group, generator, &[]));
    let mut wrong = Vec::new();
    for (case, passed) in &alone {
        if let Err(said) = passed {
            wrong.push(format!("{case} fails without tryall: {said}"));
        } else if !with.contains_key(case) {
            wrong.push(format!("{case} did not run with tryall"));
        }
    }
    wrong
}

/// Whether only standard error differs, and is as expected after removing the drop-in's frames.
fn differs_in_frames(said: &str) -> bool {
    let others = ["Result is [", "stdout does not match", "check failed", "did not terminate"];
    if others.iter().any(|other| said.contains(other)) {
        return false;
    }
    let lines = |prefix: &str| {
        let found = said.lines().filter_map(|line| line.trim_start().strip_prefix(prefix));
        found.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>()
    };
    let expected = Regex::new(&lines("expect-err>").join("\n")).expect("CMake's are of this kind");
    let actual = without_frames(&lines("actual-err>"));
    expected.is_match(actual.trim_end())
}

#[test]
fn cmakes_tests_of_its_check_modules_pass() {
    passes("CheckModules", "Ninja", 18, &[]);
}

#[test]
fn cmakes_tests_of_check_source_compiles_pass() {
    passes("CheckSourceCompiles", "Unix Makefiles", 8, &[]);
}

#[test]
fn cmakes_tests_of_check_source_runs_pass() {
    passes("CheckSourceRuns", "Ninja", 8, &[]);
}

#[test]
fn cmakes_tests_of_check_compiler_flag_pass() {
    passes("CheckCompilerFlag", "Unix Makefiles", 7, &[]);
}

#[test]
fn cmakes_tests_of_check_linker_flag_pass() {
    passes("CheckLinkerFlag", "Ninja", 3, &[]);
}

#[test]
fn cmakes_tests_of_try_compile_pass() {
    passes(
        "try_compile",
        "Ninja",
        84,
        &[
            "BadLinkLibraries",
            "BadSources1",
            "BadSources2",
            "BinDirEmpty",
            "BinDirRelative",
            "CMP0056",
            "CMP0066",
            "CMP0067",
            "CStandard",
            "CopyFileErrorNoCopyFile",
            "CxxStandard",
            "EmptyValueArgs",
            "NoArgs",
            "NoCStandard",
            "NoCopyFile",
            "NoCopyFile2",
            "NoCopyFileError",
            "NoOutputVariable",
            "NoOutputVariable2",
            "NoSources",
            "NonSourceCompileDefinitions",
            "NonSourceCopyFile",
            "OldProjectBinDirEmpty",
            "OldProjectSrcDirEmpty",
            "OneArg",
            "PlatformVariables",
            "ProjectBinDirEmpty",
            "ProjectCopyFile",
            "ProjectSrcDirEmpty",
            "ProjectSrcDirMissing",
            "SourceFromBadFile",
            "SourceFromBadName",
            "SourceFromOneArg",
            "SourceFromThreeArgs",
            "TargetTypeInvalid",
            "TryRunArgs",
            "TwoArgs",
            "WarnDeprecated",
        ],
    );
}

#[test]
fn cmakes_tests_of_try_run_pass() {
    passes(
        "try_run",
        "Unix Makefiles",
        22,
        &[
            "BadLinkLibraries",
            "BinDirEmpty",
            "BinDirRelative",
            "NoCompileOutputVariable",
            "NoOutputVariable",
            "NoRunOutputVariable",
            "NoRunStdErrVariable",
            "NoRunStdOutVariable",
            "NoWorkingDirectory",
        ],
    );
}

/// The projects of Tests/CMakeOnly must configure; they verify answers of modules themselves.
#[test]
fn cmakes_projects_with_checks_configure() {
    let own = fetched(TESTS).join("CMakeOnly");
    for project in [
        "CheckCXXCompilerFlag",
        "CheckCXXSymbolExists",
        "CheckLanguage",
        "CheckOBJCCompilerFlag",
        "CheckStructHasMember",
        "CheckSymbolExists",
    ] {
        let configure = |options: &[String]| {
            let build = tempfile::tempdir().unwrap();
            let source = own.join(project).to_str().unwrap().to_owned();
            let args = [source, "-G".into(), "Ninja".into()];
            cmake(args.into_iter().chain(options.to_vec()), build.path())
        };
        let (configured, said) = configure(&injection());
        assert!(configured, "{project}: {said}\nand alone: {:?}", configure(&[]));
    }
}

#[test]
fn results_of_cmakes_tests_are_parsed() {
    let said = "-- One - PASSED\nCMake Error at RunCMake.cmake:219 (message):\n  Two - FAILED:\n\n  \
                Result is [1]\n\n-- One - PASSED\n";
    let cases = cases(said);
    let passed: Vec<_> = cases.iter().map(|(name, case)| (name.as_str(), case.is_ok())).collect();
    assert_eq!(passed, [("One", true), ("One (2)", true), ("Two", false)]);
    assert!(cases["Two"].as_ref().unwrap_err().contains("Result is [1]"));
}

/// The options must reach every case, so that a broken drop-in is detected.
#[test]
fn the_injected_code_reaches_cmakes_tests() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = write(dir.path(), "wrong.cmake", "message(SEND_ERROR wrong)\n");
    let options = [format!("-DCMAKE_PROJECT_INCLUDE={}", wrong.display())];
    let cases = run("CheckLinkerFlag", "Ninja", &options);
    assert!(cases.len() == 3 && cases.values().all(Result::is_err), "{cases:?}");
}

#[test]
fn stack_frames_of_the_drop_in_are_removed() {
    let said = "CMake Error at /x/cmake/tryall/Policies.cmake:26:EVAL:5 (__try_run):\n  No.\nCall \
                Stack (most recent call first):\n  /x/cmake/tryall/Policies.cmake:26 \
                (cmake_language)\n  A.cmake:5 (try_run)\n  CMakeLists.txt:3 (include)\n";
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        without_frames(&lines),
        "CMake Error at A.cmake:5 (try_run):\n  No.\nCall Stack (most recent call first):\n  \
         CMakeLists.txt:3 (include)\n"
    );
}

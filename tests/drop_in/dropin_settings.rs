//! Settings affect checks with the drop-in as without: toolchain files, standards, policies, flags
//! and directory names.

use crate::dropin::*;
use crate::support::*;

/// The names can be followed by a number.
const CHECKS: &str = "check_include_file(unistd.h HAVE_A%)\ncheck_include_file(nope.h HAVE_B%)\n\
    check_type_size(long SIZE%)\ncheck_function_exists(fork FORK%)\ncheck_c_source_runs(\"int main(void) { return 3; }\" RUNS%)\n\
    check_c_source_runs(\"int main(void) { return 0; }\" RUNS_0%)\ncheck_c_compiler_flag(-Wall WALL%)\n\
    message(\"${HAVE_A%} ${HAVE_B%} ${SIZE%} ${FORK%} ${RUNS%} ${RUNS%_EXITCODE} ${RUNS_0%} ${WALL%}\")\n";

fn checks() -> String {
    CHECKS.replace('%', "")
}

#[test]
fn directories_may_have_any_name() {
    for (source, build) in [
        ("a source", "a build"),
        ("it's", "a \"build\""),
        ("[source]", "(build)"),
        ("søurce", "bülď"),
        ("a$b", "b$c"),
        ("a+b", "b&c"),
    ] {
        let lists = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(p C)\n{ALL_MODULES}\n{}",
            checks()
        );
        for cmake in cmakes() {
            Project::named(source, build, &lists).same_with(&cmake, &[]);
        }
    }
}

#[test]
fn flags_standards_and_policies_have_the_same_effect() {
    let asks = [
        ("STRICT", "#ifndef __STRICT_ANSI__"),
        ("NEW", "#if __STDC_VERSION__ < 201710L"),
        ("FLAG", "#ifndef FLAG"),
    ];
    let ask = |(name, condition): (&str, &str)| {
        let source = format!("{condition}\\n#error\\n#endif\\nint main(void) {{ return 0; }}");
        format!("check_c_source_compiles(\"{source}\" {name}%_${{n}})\n")
    };
    let asks = asks.map(ask).concat();
    // In each environment, CMake runs the first check and tryall the second.
    let ask = format!(
        "foreach(n 1 2)\n{asks}endforeach()\ncheck_include_file(nope.h HAVE_B%)\n\
         check_c_source_runs(\"int main(void) {{ return 3; }}\" RUNS%)\ncheck_c_compiler_flag(-Wall WALL%)\n"
    );
    let all_settings = [
        "set(CMAKE_C_STANDARD 99)",
        "set(CMAKE_C_STANDARD 99)\nset(CMAKE_C_EXTENSIONS OFF)",
        "cmake_policy(SET CMP0067 OLD)\nset(CMAKE_C_STANDARD 99)",
        "if(POLICY CMP0128)\ncmake_policy(SET CMP0128 NEW)\nendif()\nset(CMAKE_C_EXTENSIONS OFF)",
        "set(CMAKE_TRY_COMPILE_CONFIGURATION Release)\nset(CMAKE_C_FLAGS_RELEASE -DFLAG)",
        "cmake_policy(SET CMP0066 OLD)\nset(CMAKE_TRY_COMPILE_CONFIGURATION Release)\nset(CMAKE_C_FLAGS_RELEASE -DFLAG)",
        "set(CMAKE_C_FLAGS \"-DFLAG='a b' -DX=\\\\\\\"y\\\\\\\"\")",
        "set(CMAKE_C_FLAGS \"-DFLAG -O2\")",
        "set(CMAKE_EXE_LINKER_FLAGS -Wl,--nope)",
        "cmake_policy(SET CMP0083 NEW)\nset(CMAKE_POSITION_INDEPENDENT_CODE ON)",
        "cmake_policy(SET CMP0083 NEW)\nset(CMAKE_POSITION_INDEPENDENT_CODE OFF)\ninclude(CheckPIESupported)\ncheck_pie_supported()",
        "cmake_policy(SET CMP0075 NEW)\nset(CMAKE_REQUIRED_LIBRARIES nope)",
        "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)",
        "set(CMAKE_MODULE_PATH /nonexistent)",
        "set(CMAKE_BUILD_TYPE Release)\nset(CMAKE_C_FLAGS_RELEASE -DFLAG)",
        "add_definitions(-DFLAG)\ninclude_directories(/nonexistent)\nadd_compile_options(-nope)",
    ];
    // Each in its own directory, which limits its settings.
    let numbers = || 0..all_settings.len();
    let enter = numbers().map(|n| format!("add_subdirectory(s{n})\n")).collect::<String>();
    let mut project = Project::new("C", &enter);
    for (number, settings) in all_settings.iter().enumerate() {
        let ask = ask.replace('%', &number.to_string());
        let lists = format!("message(\"settings {number}\")\n{settings}\n{ask}");
        project = project.file(&format!("s{number}/CMakeLists.txt"), &lists);
    }
    for cmake in cmakes() {
        let (_, ours) = project.same_with(&cmake, &[]);
        assert!(ours.succeeded, "{}", ours.text);
        // Settings affect checks: the standard, its extensions, and a configuration's flags.
        let values = ["STRICT0_2", "STRICT1_2", "NEW1_2", "FLAG0_2", "FLAG4_2"];
        assert_eq!(values.map(|name| ours.value(name)), ["", "1", "", "", "1"]);
        for number in numbers() {
            assert!(ours.cache.contains_key(&format!("WALL{number}")), "{}", ours.text);
        }
    }
}

#[test]
fn other_policies_in_a_directory_have_the_same_effect() {
    for cmake in cmakes() {
        let lists = format!("set(CMAKE_C_STANDARD 99)\nadd_subdirectory(sub)\n{}", checks());
        let sub = "cmake_policy(SET CMP0067 OLD)\ninclude(CheckCSourceCompiles)\n\
            foreach(n 1 2)\ncheck_c_source_compiles(\"#if __STDC_VERSION__ < 201710L\\n#error\\n#endif\\nint main(void) { return 0; }\" OLD_${n})\nendforeach()\n\
            cmake_policy(SET CMP0067 NEW)\nforeach(n 1 2)\ncheck_c_source_compiles(\"#if __STDC_VERSION__ < 201710L\\n#error\\n#endif\\nint main(void) { return 0; }\" NEW_${n})\nendforeach()\n";
        let project = Project::new("C", &lists).file("sub/CMakeLists.txt", sub);
        project.same_with(&cmake, &[]);
    }
}

#[test]
fn cross_compiling_answers_the_same() {
    let emulator = need("qemu-aarch64");
    for (with_emulator, checks) in [
        (true, checks().as_str()),
        (
            false,
            "check_include_file(unistd.h HAVE_A)\ncheck_type_size(long SIZE)\ncheck_function_exists(fork FORK)\n\
                 check_c_source_runs(\"int main(void) { return 0; }\" RUNS_0)\nmessage(\"${RUNS_0}\")\n",
        ),
    ] {
        let mut toolchain = format!(
            "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\nset(CMAKE_C_COMPILER {})\n",
            need("aarch64-linux-gnu-gcc")
        );
        if with_emulator {
            toolchain += &format!(
                "set(CMAKE_CROSSCOMPILING_EMULATOR {emulator} -L /usr/aarch64-linux-gnu)\n"
            );
        }
        let project = Project::new("C", checks).file("toolchain.cmake", &toolchain);
        let file = format!(
            "-DCMAKE_TOOLCHAIN_FILE={}",
            project.source().join("toolchain.cmake").display()
        );
        // CMake 3.25 itself ends with std::bad_alloc at try_run(SOURCE_FROM_VAR) without an
        // emulator.
        let newest = vec![(venv("cmake"), "Ninja")];
        for cmake in if with_emulator { cmakes() } else { newest } {
            if with_emulator {
                let (_, ours) = project.same_with(&cmake, &[&file]);
                assert!(ours.by_tryall() > 0, "{}", ours.text);
                continue;
            }
            // CMake leaves files with names of its own invention.
            let stock = project.configure(&cmake, &[&file]);
            let ours = project.drop_in(&cmake, &[&file]);
            assert_eq!(stock.cache, ours.cache);
            assert!(ours.by_tryall() > 0, "{}", ours.text);
        }
    }
}

/// A preset with the drop-in among its cache variables, and a toolchain file, which CMake also
/// reads for each try_compile project.
#[test]
fn presets_answer_the_same() {
    let [_, include, program] = drop_in_args().map(|arg| arg.split_once('=').unwrap().1.to_owned());
    let presets = serde_json::json!({"version": 3, "configurePresets": [
        {"name": "stock", "toolchainFile": "toolchain.cmake", "environment": {"CPATH": "$penv{PWD_OF_TEST}/inc"},
         "cacheVariables": {"CMAKE_TRY_COMPILE_CONFIGURATION": "Release"}},
        {"name": "tryall", "inherits": "stock", "cacheVariables": {
            "CMAKE_PROJECT_INCLUDE": {"type": "FILEPATH", "value": include}, "TRYALL_EXECUTABLE": program}}
    ]});
    let toolchain =
        "set(CMAKE_C_FLAGS_INIT \"-DFLAG=1\")\nset(CMAKE_C_FLAGS_RELEASE_INIT -DRELEASE=1)\n";
    let lists = format!(
        "check_c_source_compiles(\"#if FLAG != 1 || RELEASE != 1\\n#error\\n#endif\\nint main(void) {{ return 0; }}\" FLAGS)\n\
         check_include_file(in_preset.h IN_PRESET)\ncheck_include_file(nope.h NOT_THERE)\n{}",
        checks()
    );
    let project = Project::new("C", &lists)
        .file("CMakePresets.json", &presets.to_string())
        .file("toolchain.cmake", toolchain)
        .file("inc/in_preset.h", "");
    for cmake in cmakes() {
        let with = |preset: &str, is_first: bool| {
            if is_first {
                let _ = std::fs::remove_dir_all(project.build());
            }
            project.again_with(&cmake, &["--preset", preset], |command| {
                command.env("PWD_OF_TEST", project.source());
            })
        };
        let stock = with("stock", true);
        assert_eq!(
            ["FLAGS", "IN_PRESET", "NOT_THERE"].map(|name| stock.value(name)),
            ["1", "1", ""]
        );
        let stock_again = with("stock", false);
        let mut ours = with("tryall", true);
        assert!(ours.by_tryall() > 5, "{}", ours.text);
        // CMake prints the variables of a preset.
        let is_new = |line: &&str| {
            !line.starts_with("  CMAKE_PROJECT_INCLUDE:")
                && !line.starts_with("  TRYALL_EXECUTABLE=")
        };
        let said = &mut ours.whole.stdout;
        *said = said.lines().filter(is_new).map(|line| format!("{line}\n")).collect();
        stock.assert_same_as(&ours);
        // Once more, with the cache.
        let again = with("tryall", false);
        assert_eq!((again.succeeded, again.by_tryall()), (true, 0), "{}", again.text);
        assert_eq!(again.cache, stock_again.cache);
    }
}

//! What one recipe stands for: words that a call inserts into commands that are known already. Each
//! test counts the checks that are left to CMake, and compares all answers with CMake's own.

use std::path::PathBuf;

use crate::dropin::*;

/// Asks whether an empty program builds, under these settings.
fn builds(name: &str, settings: &str) -> String {
    format!("{settings}\ncheck_c_source_compiles(\"int main(void) {{ return 0; }}\" {name})\n")
}

/// Configures with CMake alone and with tryall, of which nothing runs ahead; all must be the same.
fn in_turn(project: &Project, cmake: &(PathBuf, &str)) -> Configured {
    let [_, cold, _] = project.thrice_with(cmake, &[], |command| {
        command.env("TRYALL_SCOUT", "off");
    });
    cold
}

/// Configures in all ways. Asserts how many checks were left to CMake, and the answers: `1` or
/// nothing.
fn assert_left(project: &Project, by_cmake: u32, answers: &[(&str, &str)]) {
    for cmake in cmakes() {
        let ours = in_turn(project, &cmake);
        for (name, answer) in answers {
            assert_eq!(ours.value(name), *answer, "{name}: {}", ours.text);
        }
        assert_eq!(ours.by_cmake(), by_cmake, "{cmake:?}: {}", ours.text);
    }
}

#[test]
fn link_options_stand_in_a_place() {
    let option = |name: &str, option: &str| builds(name, &format!("set(O {option})"));
    let lists = "set(CMAKE_REQUIRED_LINK_OPTIONS ${O})\n";
    let ask =
        |name: &str, options: &str| option(name, options).replacen('\n', &format!("\n{lists}"), 1);
    let lists = ask("FIRST", "-Wl,-z,now")
        + &ask("NONE", "")
        + &ask("NOPE", "-Wl,--nope")
        // One word with a space in it, which the compiler takes as two.
        + &ask("SPACE", "\"-z noexecstack\"")
        + &ask("TWO", "-Wl,-z,now -Wl,-O1")
        + &ask("RDYNAMIC", "-rdynamic")
        + "check_linker_flag(C -Wl,--nope-again FLAG)\n";
    let answers = [
        ("FIRST", "1"),
        ("NONE", "1"),
        ("NOPE", ""),
        ("SPACE", "1"),
        ("TWO", "1"),
        ("RDYNAMIC", "1"),
        ("FLAG", ""),
    ];
    assert_left(&Project::new("C", &lists), 1, &answers);
}

/// CMake reads these, or drops one: each needs a recipe of its own.
#[test]
fn link_options_that_cmake_reads_have_none() {
    let ask = |name: &str, options: &str| {
        builds(name, &format!("set(CMAKE_REQUIRED_LINK_OPTIONS {options})"))
    };
    let lists = ask("FIRST", "-Wl,-z,now")
        + &ask("LINKER", "LINKER:-z,nope=x,--nope")
        + &ask("SHELL", "\"SHELL:-z noexecstack\"")
        + &ask("TWICE", "-z noexecstack -z now")
        + &ask("GENEX", "$<1:-Wl,--nope>")
        // The next word is its value.
        + &builds("LAST", "set(CMAKE_REQUIRED_LINK_OPTIONS -nostartfiles)\n\
            set(CMAKE_EXE_LINKER_FLAGS -e)");
    let answers = [("FIRST", "1"), ("LINKER", ""), ("SHELL", "1"), ("TWICE", ""), ("GENEX", "")];
    assert_left(&Project::new("C", &lists), 6, &answers);
}

#[test]
fn directories_of_headers_stand_in_a_place() {
    let ask = |name: &str, dirs: &str, header: &str| {
        format!("set(CMAKE_REQUIRED_INCLUDES {dirs})\ncheck_include_file({header} {name})\n")
    };
    let here = "${CMAKE_CURRENT_SOURCE_DIR}";
    let lists = ask("FIRST", "", "stdio.h")
        + &ask("ONE", &format!("{here}/a"), "of_a.h")
        + &ask("OTHER", &format!("{here}/b"), "of_a.h")
        + &ask("BOTH", &format!("{here}/b {here}/a {here}/b /no/such/dir"), "of_a.h")
        // The compiler looks there anyway, and in this order.
        + &ask("IMPLICIT", &format!("/usr/include {here}/b"), "limits.h");
    let lists = lists
        + "check_c_source_compiles(\"#include <limits.h>\\n#ifndef OF_B\\n#error\\n#endif\\n\
           int main(void) { return 0; }\" SHADOWED)\n";
    let project = Project::new("C", &lists)
        .file("a/of_a.h", "")
        .file("b/limits.h", "#define OF_B\n#include_next <limits.h>\n");
    let answers = [
        ("FIRST", "1"),
        ("ONE", "1"),
        ("OTHER", ""),
        ("BOTH", "1"),
        ("IMPLICIT", "1"),
        ("SHADOWED", "1"),
    ];
    assert_left(&project, 1, &answers);
}

#[test]
fn other_names_of_such_directories_have_none() {
    let ask = |name: &str, dirs: &str| {
        format!(
            "set(CMAKE_REQUIRED_INCLUDES {dirs})\n\
             check_c_source_compiles(\"#include <limits.h>\\n#ifndef OF_B\\n#error\\n#endif\\n\
             int main(void) {{ return 0; }}\" {name})\n"
        )
    };
    let lists = builds("FIRST", "")
        + &ask("LINK", "${CMAKE_CURRENT_SOURCE_DIR}/usr/include ${CMAKE_CURRENT_SOURCE_DIR}/b")
        + &ask("SLASH", "${CMAKE_CURRENT_SOURCE_DIR}/b/")
        + &ask("UP", "${CMAKE_CURRENT_SOURCE_DIR}/b/../b")
        + &ask("RELATIVE", "b")
        + "set(ENV{CPATH} /usr/include)\n"
        + &ask("BY_PATH", "/usr/include ${CMAKE_CURRENT_SOURCE_DIR}/b");
    let project =
        Project::new("C", &lists).file("b/limits.h", "#define OF_B\n#include_next <limits.h>\n");
    std::os::unix::fs::symlink("/usr", project.source().join("usr")).unwrap();
    for cmake in cmakes() {
        let ours = in_turn(&project, &cmake);
        assert_eq!(ours.value("SLASH"), "1", "{}", ours.text);
        assert!(ours.by_cmake() >= 5, "{}", ours.text);
    }
}

#[test]
fn libraries_and_options_stand_in_a_place() {
    let ask = |name: &str, libraries: &str| {
        builds(name, &format!("set(CMAKE_REQUIRED_LIBRARIES {libraries})"))
    };
    let lists = builds("FIRST", "")
        + &ask("M", "m")
        + &ask("NOPE", "nope")
        + &ask("OPTION", "-pthread")
        + &ask("NOPE_OPTION", "m -Wl,--nope")
        + &ask("MIXED", "-Wl,--start-group m -ldl -Wl,--end-group pthread")
        + &ask("SCRIPT", "-Wl,--version-script,${CMAKE_CURRENT_SOURCE_DIR}/map")
        + &builds("NONE", "set(CMAKE_REQUIRED_LIBRARIES)")
        + "check_library_exists(m cos \"\" IN_M)\n\
           try_compile(BY_VARIABLE ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
             CMAKE_FLAGS \"-DLINK_LIBRARIES:STRING=m;-Wl,--nope\")\n\
           try_compile(BY_KEYWORD ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
             LINK_LIBRARIES \" m\" -Wl,-O1)\n";
    let project = Project::new("C", &lists)
        .file("main.c", "int main(void) { return 0; }\n")
        .file("map", "{ local: *; };\n");
    let answers = [
        ("FIRST", "1"),
        ("M", "1"),
        ("NOPE", ""),
        ("OPTION", "1"),
        ("NOPE_OPTION", ""),
        ("MIXED", "1"),
        ("SCRIPT", "1"),
        ("NONE", "1"),
        ("IN_M", "1"),
        ("BY_VARIABLE", "FALSE"),
        ("BY_KEYWORD", "TRUE"),
    ];
    assert_left(&project, 1, &answers);
}

/// An option that stands before a mark would take it as its value.
#[test]
fn marks_are_no_values_of_options() {
    for lists in [
        // The object is the value, and the program has no main.
        builds("A", "set(CMAKE_EXE_LINKER_FLAGS -Xlinker)"),
        builds("A", "set(CMAKE_REQUIRED_LINK_OPTIONS -Xlinker)"),
        builds("A", "set(CMAKE_REQUIRED_LIBRARIES -Xlinker)"),
        builds("A", "set(CMAKE_REQUIRED_LIBRARIES m -u)"),
    ] {
        let project = Project::new("C", &lists);
        for cmake in cmakes() {
            in_turn(&project, &cmake);
        }
    }
}

#[test]
fn flags_of_the_linker_stand_in_a_place() {
    let ask =
        |name: &str, flags: &str| builds(name, &format!("set(CMAKE_EXE_LINKER_FLAGS {flags})"));
    let old = "cmake_policy(PUSH)\ncmake_policy(VERSION 3.5)\n";
    let lists = ask("FIRST", "\"-Wl,-z,now -Wl,-O1\"")
        + &ask("NOPE", "-Wl,--nope")
        + &ask("NONE", "\"\"")
        + "set(CMAKE_EXE_LINKER_FLAGS -Wl,--nope)\n\
           try_compile(GIVEN ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
             CMAKE_FLAGS -DEXE_LINKER_FLAGS:STRING=-Wl,-O1)\n\
           set(CMAKE_EXE_LINKER_FLAGS -Wl,-z,now)\n\
           try_compile(NOPE_GIVEN ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
             CMAKE_FLAGS -DEXE_LINKER_FLAGS:STRING=-Wl,--nope)\n\
           check_c_source_runs(\"int main(void) { return 0; }\" RUNS)\n";
    let project = Project::new("C", &lists).file("main.c", "int main(void) { return 0; }\n");
    let answers = [
        ("FIRST", "1"),
        ("NOPE", ""),
        ("NONE", "1"),
        ("GIVEN", "FALSE"),
        ("NOPE_GIVEN", "FALSE"),
        ("RUNS", "1"),
    ];
    assert_left(&project, 1, &answers);
    // They are the caller's only if the caller's policy says so.
    let honoured = |text: &str| {
        format!(
            "{text}\nset(CMAKE_EXE_LINKER_FLAGS -Wl,--nope)\n\
             foreach(n 1 2)\ntry_compile(A${{n}} ${{CMAKE_BINARY_DIR}} ${{CMAKE_CURRENT_SOURCE_DIR}}/main.c)\n\
             endforeach()\n"
        )
    };
    let lists = honoured("") + &honoured(old).replace("(A", "(B") + "cmake_policy(POP)\n";
    let project = Project::new("C", &lists).file("main.c", "int main(void) { return 0; }\n");
    for cmake in cmakes() {
        in_turn(&project, &cmake);
    }
}

/// Modules of other languages decide nothing, but one that CMake finds for this one does.
#[test]
fn modules_of_other_languages_are_not_read() {
    let lists = "set(CMAKE_MODULE_PATH ${CMAKE_CURRENT_SOURCE_DIR}/modules)\n".to_owned()
        + &builds("A", "")
        + &builds("B", "set(CMAKE_REQUIRED_LIBRARIES m)");
    let project = Project::new("C", &lists)
        .file("modules/Platform/Linux-gdc.cmake", "")
        .file("modules/Compiler/GNU-Ada.cmake", "")
        .file("modules/CMakeAdaInformation.cmake", "");
    assert_left(&project, 1, &[("A", "1"), ("B", "1")]);
    let of_c = format!("modules/Platform/Linux-GNU-C-{}.cmake", std::env::consts::ARCH);
    let project = project.file(&of_c, "link_libraries(no_such_library)\n");
    assert_left(&project, 2, &[("A", ""), ("B", "")]);
}

/// Neither the place of a project nor that of a source decides about commands.
#[test]
fn places_of_files_need_no_recipe() {
    let lists = builds("FIRST", "")
        + &builds("MODULES", "set(CMAKE_MODULE_PATH ${CMAKE_CURRENT_SOURCE_DIR}/modules /no/such)")
        + "foreach(name CMakeFiles/CMakeTmp/temporary.c other.c)\n\
           file(WRITE ${CMAKE_BINARY_DIR}/${name} \"int main(void) { return 0; }\")\n\
           string(MAKE_C_IDENTIFIER ${name} variable)\n\
           try_compile(${variable} ${CMAKE_BINARY_DIR} ${CMAKE_BINARY_DIR}/${name})\nendforeach()\n"
        + &builds("PROGRAM", "set(CMAKE_TRY_COMPILE_TARGET_TYPE EXECUTABLE)")
        + "enable_language(CXX)\n"
        + &builds("AFTERWARDS", "");
    let project = Project::new("C", &lists).file("modules/FindNothing.cmake", "");
    let answers = [
        ("FIRST", "1"),
        ("MODULES", "1"),
        ("CMakeFiles_CMakeTmp_temporary_c", "TRUE"),
        ("other_c", "TRUE"),
        ("PROGRAM", "1"),
        ("AFTERWARDS", "1"),
    ];
    assert_left(&project, 1, &answers);
}

#[test]
fn several_configurations_answer_the_same() {
    let lists = "set(CMAKE_C_FLAGS_DEBUG \"-g -DIN_DEBUG\")\n\
        set(CMAKE_C_FLAGS_RELEASE \"-O2 -DIN_RELEASE\")\n\
        set(source \"#ifndef IN_DEBUG\\n#error\\n#endif\\nint main(void) { return 0; }\")\n\
        check_c_source_compiles(\"${source}\" DEBUG)\n\
        check_include_file(nope.h NOPE)\n\
        check_type_size(long LONG)\n\
        check_c_source_runs(\"int main(void) { return 0; }\" RUNS)\n\
        check_c_source_runs(\"int main(void) { return 1; }\" RUNS_NOT)\n\
        check_c_source_runs(\"nope\" BUILDS_NOT)\n\
        set(CMAKE_REQUIRED_DEFINITIONS -DA=1 -DZ=2 -DCMAKE_I -DCMAKE_J)\n\
        check_c_source_compiles(\"int a[A + Z == 3];\\n${source}\" DEFINED)\n\
        set(CMAKE_TRY_COMPILE_CONFIGURATION Release)\n\
        check_c_source_compiles(\"${source}\\n\" NOT_DEBUG)\n\
        string(REPLACE DEBUG RELEASE source \"${source}\")\n\
        check_c_source_runs(\"${source}\" RELEASE)\n\
        try_run(RAN BUILT ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/name.c\n\
          RUN_OUTPUT_VARIABLE name)\nmessage(\"runs in ${name}\")\n";
    let project = Project::new("C", lists).file(
        "name.c",
        "#include <stdio.h>\n#include <string.h>\n\
         int main(int c, char **v) { (void)c; puts(strstr(v[0], \"Release/cmTC\") ? \"Release\" : \"?\"); return 0; }\n",
    );
    for (cmake, _) in cmakes() {
        let ours = in_turn(&project, &(cmake, "Ninja Multi-Config"));
        let names =
            ["DEBUG", "NOPE", "LONG", "RUNS", "RUNS_NOT", "DEFINED", "NOT_DEBUG", "RELEASE"];
        let values = names.map(|name| ours.value(name));
        assert_eq!(values, ["1", "", "8", "1", "", "1", "", "1"], "{}", ours.text);
        assert!(ours.text.contains("runs in Release"), "{}", ours.text);
        // One for each configuration, and one whose source did not compile.
        assert!(ours.by_cmake() <= 3, "{}", ours.text);
    }
}

#[test]
fn assembler_that_is_preprocessed_has_recipes() {
    let source = "#include \"of.h\"\n#ifdef GOOD\n.globl main\nmain:\nret\n\
        #ifdef __ELF__\n.section .note.GNU-stack,\"\",%progbits\n#endif\n#else\nnope nope\n#endif\n";
    let lists = "foreach(n 1 2)\n\
        try_compile(GOOD_${n} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/a.S\n\
          COMPILE_DEFINITIONS -DGOOD=${n})\n\
        try_compile(BAD_${n} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/a.S)\n\
        try_compile(PLAIN_${n} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/b.s)\n\
        endforeach()\n";
    let project = Project::new("ASM C", lists)
        .file("a.S", source)
        .file("of.h", "")
        .file("b.s", ".globl main\nmain:\nret\n");
    for cmake in cmakes() {
        let ours = in_turn(&project, &cmake);
        let names = ["GOOD_1", "GOOD_2", "BAD_1", "BAD_2", "PLAIN_1"];
        let values = names.map(|name| ours.value(name));
        assert_eq!(values, ["TRUE", "TRUE", "FALSE", "FALSE", "TRUE"], "{}", ours.text);
        // The first, and what is not preprocessed.
        assert_eq!(ours.by_cmake(), 3, "{}", ours.text);
    }
}

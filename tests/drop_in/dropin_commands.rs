//! Direct calls of try_compile and try_run: same results, same errors.

use crate::dropin::*;
use crate::support::venv;

const FILES: [(&str, &str); 3] = [
    ("good.c", "int main(void) { return 0; }\n"),
    ("bad.c", "nope\n"),
    ("runs.c", "#include <stdio.h>\nint main(void) { puts(\"out\"); return 6; }\n"),
];

fn project(lists: &str) -> Project {
    let lists = format!("set(B ${{CMAKE_BINARY_DIR}}/try)\nset(S ${{CMAKE_SOURCE_DIR}})\n{lists}");
    let mut project = Project::new("C", &lists);
    for (name, text) in FILES {
        project = project.file(name, text);
    }
    project
}

/// Like libarchive: the source includes a neighbouring file in a directory that CMake cleans up.
#[test]
fn sources_in_cmakes_scratch_directory_see_their_neighbours() {
    let ran = project(
        r##"
set(tmp ${CMAKE_BINARY_DIR}/CMakeFiles/CMakeTmp)
foreach(number 1 2 3 4)
  file(WRITE ${tmp}/beside.h "#define NUMBER ${number}\n")
  file(WRITE ${tmp}/deep/er.h "")
  file(WRITE ${tmp}/source.c "#include \"beside.h\"\n#include <beside.h>\nint ok[NUMBER < 4 ? 1 : -1];\nint main(void) { return 0; }\n")
  try_compile(IS_${number} ${CMAKE_BINARY_DIR} ${tmp}/source.c
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES:STRING=${S};${tmp}")
  file(GLOB_RECURSE left ${tmp}/*)
  message("${number} ${IS_${number}} '${left}'")
  file(WRITE ${tmp}/source.c "#include <beside.h>\nint main(void) { return 0; }\n")
  try_compile(WITHOUT_${number} ${CMAKE_BINARY_DIR} ${tmp}/source.c)
  message("${WITHOUT_${number}}")
endforeach()
"##,
    )
    .same(&[]);
    assert_eq!(ran.by_tryall(), 7);
}

#[test]
fn source_signatures_answer_the_same() {
    project(
        r##"
foreach(name good bad good bad)
  try_compile(R_${name} ${B} ${S}/${name}.c)
  message("${name} ${R_${name}}")
  unset(R_${name} CACHE)
  try_compile(R_${name} ${B} SOURCES ${S}/${name}.c OUTPUT_VARIABLE output)
  message("${name} ${R_${name}}")
  if(R_${name} AND NOT output)
    message("no output")
  endif()
endforeach()
try_compile(SEVERAL ${B} SOURCES ${S}/good.c ${S}/runs.c)
try_compile(COPIED ${B} ${S}/good.c COPY_FILE ${B}/copies/copied COPY_FILE_ERROR failed)
try_compile(COPIED_2 ${B} ${S}/good.c COPY_FILE ${B}/copies/copied2)
execute_process(COMMAND ${B}/copies/copied RESULT_VARIABLE status)
execute_process(COMMAND ${B}/copies/copied2 RESULT_VARIABLE status2)
message("copies ${status} ${status2} '${failed}'")
try_compile(NOT_COPIED ${B} ${S}/bad.c COPY_FILE ${B}/copies/not COPY_FILE_ERROR failed)
try_compile(LIBRARY ${B} ${S}/good.c LINK_LIBRARIES m)
try_compile(NO_LIBRARY ${B} ${S}/good.c LINK_LIBRARIES nope)
try_compile(OPTION ${B} ${S}/good.c LINK_OPTIONS -Wl,-z,now)
try_compile(DEFINED_X ${B} ${S}/good.c COMPILE_DEFINITIONS -Dmain=nope)
try_compile(DEFINED_Y ${B} ${S}/good.c CMAKE_FLAGS -DCOMPILE_DEFINITIONS=-Dmain=nope)
try_compile(EMPTY ${B} ${S}/good.c COMPILE_DEFINITIONS "" LINK_LIBRARIES "")
add_library(imported INTERFACE IMPORTED)
set_target_properties(imported PROPERTIES INTERFACE_COMPILE_DEFINITIONS main=nope)
try_compile(TARGET_LIBRARY ${B} ${S}/good.c LINK_LIBRARIES imported)
foreach(time 1 2)
  try_run(RAN_${time} BUILT_${time} ${B} ${S}/runs.c RUN_OUTPUT_VARIABLE ran COMPILE_OUTPUT_VARIABLE built)
  message("${RAN_${time}} ${BUILT_${time}} ${ran}")
  try_run(RAN_BAD_${time} BUILT_BAD_${time} ${B} ${S}/bad.c)
  message("${RAN_BAD_${time}} ${BUILT_BAD_${time}}")
endforeach()
try_run(RAN_ARGS BUILT_ARGS ${B} ${S}/runs.c ARGS a b)
function(scoped)
  try_compile(SCOPED ${B} ${S}/good.c OUTPUT_VARIABLE in_scope)
endfunction()
scoped()
message("scope ${SCOPED} '${in_scope}'")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
try_compile(STATIC ${B} ${S}/good.c)
try_compile(NO_STATIC ${B} ${S}/bad.c)
"##,
    )
    .same_in(two_cmakes(), &[]);
}

#[test]
fn newer_signatures_answer_the_same() {
    let project = project(
        r##"
foreach(time 1 2)
  try_compile(A_${time} SOURCE_FROM_CONTENT a.c "int main(void) { const char *s = \"a;b[\"; return !s; }" LOG_DESCRIPTION hello)
  set(text "int main(void) { return 0; }")
  try_compile(B_${time} SOURCE_FROM_VAR b.c text)
  try_compile(C_${time} SOURCE_FROM_FILE c.c ${S}/good.c NO_LOG)
  try_compile(D_${time} SOURCE_FROM_CONTENT d.c nope NO_CACHE)
  try_compile(E_${time} SOURCE_FROM_CONTENT d.c "#include \"own.h\"\nint main(void) { return 0; }" SOURCE_FROM_CONTENT own.h "")
  message("${A_${time}} ${B_${time}} ${C_${time}} ${D_${time}} ${E_${time}}")
  try_run(R_${time} K_${time} SOURCE_FROM_CONTENT r.c "int main(void) { return 2; }" NO_CACHE)
  message("${R_${time}} ${K_${time}}")
endforeach()
"##,
    );
    let (_, ours) = project.same_with(&(venv("cmake"), "Ninja"), &[]);
    assert!(ours.by_tryall() >= 4, "{}", ours.text);
}

#[test]
fn bad_arguments_give_cmakes_own_errors() {
    let calls = [
        "try_compile(X)",
        "try_compile(X ${B} ${S}/not-there.c)",
        "try_compile(X ${B} ${S}/good.unknown)",
        "try_compile(X ${B} SOURCES)",
        "try_compile(X ${B} ${S}/good.c OUTPUT_VARIABLE)",
        "try_compile(X ${B} ${S}/good.c COPY_FILE)",
        "try_compile(X ${B} ${S}/good.c COPY_FILE_ERROR x)",
        "try_compile(X ${B} ${S}/good.c NONSENSE)",
        "try_compile(X ${B} ${S}/good.c LINK_LIBRARIES Nope::Nope)",
        "try_compile(X ${B} ${S}/good.c C_STANDARD 12)",
        "try_compile(X relative ${S}/good.c)",
        "try_run(X)",
        "try_run(X Y ${B} ${S}/not-there.c)",
        "try_run(X Y ${B} ${S}/good.c OUTPUT_VARIABLE a RUN_OUTPUT_VARIABLE)",
    ];
    // The first call is learned, so that tryall could answer the others.
    let mut lists = "unset(WARM CACHE)\ntry_compile(WARM ${B} ${S}/good.c)\n".to_string();
    for (number, call) in calls.iter().enumerate() {
        lists += &format!("if(CALL EQUAL {number})\n{call}\nendif()\n");
    }
    let project = project(&format!("{lists}message(\"X is ${{X}}\")"));
    for cmake in cmakes() {
        // All calls one way and then the other, so that compilers are detected only once each.
        let drop_in = drop_in_args();
        let ways = [vec![], drop_in.iter().map(String::as_str).collect::<Vec<_>>()];
        let [stock, ours] = ways.map(|way| {
            assert!(project.configure(&cmake, &way).succeeded);
            let each = (0..calls.len())
                .map(|number| project.again(&cmake, &["-UX", "-UY", &format!("-DCALL={number}")]));
            each.collect::<Vec<_>>()
        });
        for ((call, stock), ours) in calls.iter().zip(&stock).zip(&ours) {
            assert_eq!(stock.succeeded, ours.succeeded, "{call}: {}\n{}", stock.text, ours.text);
            stock.assert_same_as(ours);
        }
    }
}

/// An archiver takes other options than a linker, and may fail where the compiler does not.
#[test]
fn a_static_library_needs_its_archiver() {
    let lists = "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n\
        foreach(n 1 2 3)\n\
        check_c_source_compiles(\"int x${n};\" COMPILES_${n})\n\
        check_linker_flag(C -Wl,-z,no${n} LINKS_${n})\nendforeach()\n";
    let project = Project::new("C", lists).file("bad-ar.cmake", "set(CMAKE_AR /bin/false)\n");
    let toolchain = format!("-DCMAKE_TOOLCHAIN_FILE={}/bad-ar.cmake", project.source().display());
    for (cmake, answer) in cmakes().iter().flat_map(|it| [(it, "1"), (it, "")]) {
        let args: &[&str] = if answer == "1" { &[] } else { &[&toolchain] };
        let (_, ours) = project.same_with(cmake, args);
        let values = [1, 2, 3].map(|n| ours.value(&format!("COMPILES_{n}")).to_owned());
        assert_eq!(values, [answer; 3], "{}", ours.text);
        let values = [1, 2, 3].map(|n| ours.value(&format!("LINKS_{n}")).to_owned());
        assert_eq!(values, [""; 3], "{}", ours.text);
        // All that ask for options of the linker, and the first; or all that end at the archiver.
        let expected = if answer == "1" { 4 } else { 6 };
        assert_eq!(ours.by_cmake(), expected, "{}", ours.text);
    }
}

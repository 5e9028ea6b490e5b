//! Every check_* command of CMake's modules, with positive and negative answers: the drop-in
//! changes neither the cache nor the output.

use crate::dropin::*;

#[test]
fn checks_in_c_answer_the_same() {
    let configured = Project::new(
        "C",
        r##"
check_include_file(unistd.h C_HEADER)
check_include_file(nope.h C_NO_HEADER)
check_include_file(unistd.h C_HEADER_FLAG -DX=1)
check_include_files("sys/types.h;sys/stat.h" C_HEADERS)
check_include_files("stdio.h;nope.h" C_NO_HEADERS)
check_include_files("stdio.h;unistd.h" C_HEADERS_IN LANGUAGE C)
check_symbol_exists(EAGAIN errno.h C_MACRO)
check_symbol_exists(printf "stdio.h;stdlib.h" C_SYMBOL)
check_symbol_exists(nope stdio.h C_NO_SYMBOL)
check_function_exists(fork C_FUNCTION)
check_function_exists(kqueue C_NO_FUNCTION)
check_variable_exists(stdin C_VARIABLE)
check_variable_exists(nope C_NO_VARIABLE)
check_library_exists(m cos "" C_LIBRARY)
check_library_exists(m nope "" C_NO_FUNCTION_IN_LIBRARY)
check_library_exists(nope cos "/nonexistent" C_NO_LIBRARY)
check_prototype_definition(getpid "pid_t getpid(void)" 0 "unistd.h;sys/types.h" C_PROTOTYPE)
check_prototype_definition(getpid "char *getpid(int x)" NULL "unistd.h" C_NO_PROTOTYPE)
check_type_size(long C_LONG)
check_type_size("struct stat" C_STAT)
set(CMAKE_EXTRA_INCLUDE_FILES sys/stat.h)
check_type_size("struct stat" C_STAT_WITH)
unset(CMAKE_EXTRA_INCLUDE_FILES)
check_type_size(nope_t C_NO_TYPE)
check_type_size(int C_BUILTIN BUILTIN_TYPES_ONLY LANGUAGE C)
check_struct_has_member("struct stat" st_mtim sys/stat.h C_MEMBER)
check_struct_has_member("struct stat" st_nope sys/stat.h C_NO_MEMBER LANGUAGE C)
check_c_source_compiles("int main(void) { return 0; }" C_COMPILES)
check_c_source_compiles("nope \"x\" \\ ; [[ ${x} @x@" C_NO_COMPILES)
check_c_source_compiles("#warning hello\nint main(void) { return 0; }" C_FAIL_REGEX FAIL_REGEX "hello")
check_source_compiles(C "int main(void) { return 0; }" C_SOURCE_COMPILES)
check_source_compiles(C "int main(void) { return 0; }" C_SOURCE_EXT SRC_EXT c)
check_c_source_runs("int main(void) { return 0; }" C_RUNS)
check_c_source_runs("int main(void) { return 7; }" C_NO_RUNS)
check_c_source_runs("nope" C_RUNS_NO_COMPILE)
check_source_runs(C "#include <stdlib.h>\nint main(void) { abort(); }" C_ABORTS)
check_c_compiler_flag(-Wall C_FLAG)
check_c_compiler_flag(-nope C_NO_FLAG)
check_c_compiler_flag("-Wall -Wextra" C_FLAGS)
check_compiler_flag(C -fno-rtti C_OTHER_FLAG)
check_linker_flag(C -Wl,-z,now C_LINKER_FLAG)
check_linker_flag(C -Wl,--nope-nope C_NO_LINKER_FLAG)
test_big_endian(C_BIG)
message("codes ${C_LONG_CODE} ${C_NO_TYPE_CODE} ${C_LONG-NOTFOUND}")
message("runs ${C_RUNS_EXITCODE} ${C_NO_RUNS_EXITCODE} ${C_RUNS_NO_COMPILE_EXITCODE} ${C_ABORTS_EXITCODE}")
"##,
    )
    .same_in(two_cmakes(), &[]);
    assert_eq!(configured.value("C_HEADER"), "1");
    assert_eq!(configured.value("C_NO_HEADER"), "");
    assert_eq!(configured.value("C_LONG"), "8");
    assert_eq!(configured.value("C_NO_RUNS_EXITCODE"), "7");
    assert!(configured.by_tryall() > 30, "{}", configured.text);
}

#[test]
fn required_settings_have_the_same_effect() {
    Project::new(
        "C",
        r##"
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_FLAGS "-DA=1 -Wall")
set(CMAKE_REQUIRED_DEFINITIONS -DB=2 -DC=\"x\;y\" -O1)
set(CMAKE_REQUIRED_INCLUDES ${CMAKE_SOURCE_DIR}/inc)
set(CMAKE_REQUIRED_LIBRARIES m)
set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,-z,now)
check_c_source_compiles("#include <own.h>\n#if A != 1 || B != 2 || OWN != 3\n#error\n#endif\nint main(void) { return 0; }" WITH)
check_symbol_exists(cos math.h COS)
check_include_file(own.h OWN)
set(CMAKE_REQUIRED_QUIET ON)
check_function_exists(sin SIN)
cmake_pop_check_state()
check_c_source_compiles("#include <own.h>\nint main(void) { return 0; }" WITHOUT)
check_function_exists(sin NO_SIN)
set(CMAKE_REQUIRED_FLAGS -Werror)
check_symbol_exists(printf stdio.h WERROR)
check_c_compiler_flag(-Wnope-nope NOPE)
set(CMAKE_REQUIRED_FLAGS "")
set(CMAKE_C_FLAGS "${CMAKE_C_FLAGS} -DLATER")
check_c_source_compiles("#ifndef LATER\n#error\n#endif\nint main(void) { return 0; }" LATER)
"##,
    )
    .file("inc/own.h", "#define OWN 3\n")
    .same(&[]);
}

#[test]
fn checks_in_cxx_answer_the_same() {
    Project::new(
        "C CXX",
        r##"
check_include_file_cxx(vector X_HEADER)
check_include_file_cxx(nope X_NO_HEADER)
check_include_files("vector;map" X_HEADERS LANGUAGE CXX)
check_cxx_symbol_exists(std::printf cstdio X_SYMBOL)
check_cxx_symbol_exists(nope cstdio X_NO_SYMBOL)
check_cxx_source_compiles("#include <vector>\nint main() { std::vector<int> v{1}; return v[0]; }" X_COMPILES)
check_cxx_source_compiles("nope" X_NO_COMPILES)
check_source_compiles(CXX "int main() { return 0; }" X_SOURCE)
check_cxx_source_runs("int main() { return 0; }" X_RUNS)
check_cxx_source_runs("int main() { return 1; }" X_NO_RUNS)
check_source_runs(CXX "int main() { return 0; }" X_SOURCE_RUNS)
check_cxx_compiler_flag(-fno-rtti X_FLAG)
check_cxx_compiler_flag(-Wstrict-prototypes X_C_FLAG)
check_compiler_flag(CXX -std=c++17 X_STD)
check_linker_flag(CXX -Wl,-O1 X_LINKER_FLAG)
set(CMAKE_EXTRA_INCLUDE_FILES string)
check_type_size(std::string X_STRING LANGUAGE CXX)
unset(CMAKE_EXTRA_INCLUDE_FILES)
check_struct_has_member(std::string nope string X_NO_MEMBER LANGUAGE CXX)
set(CMAKE_CXX_STANDARD 20)
check_cxx_source_compiles("#include <concepts>\nint main() { return !std::integral<int>; }" X_CONCEPTS)
"##,
    )
    .same_in(two_cmakes(), &[]);
}

#[test]
fn checks_in_fortran_and_objective_c_answer_the_same() {
    crate::support::need("gfortran");
    for cmake in two_cmakes() {
        let project = Project::of(
            r##"cmake_minimum_required(VERSION 3.16)
project(p C Fortran OBJC)
include(CheckFortranFunctionExists)
include(CheckFortranSourceCompiles)
include(CheckFortranSourceRuns)
include(CheckFortranCompilerFlag)
include(CheckOBJCSourceCompiles)
include(CheckOBJCCompilerFlag)
include(CheckOBJCSourceRuns)
check_fortran_function_exists(nope F_NO_FUNCTION)
check_fortran_source_compiles("program a\nend program\n" F_COMPILES SRC_EXT f90)
check_fortran_source_compiles("nope\nend\n" F_NO_COMPILES SRC_EXT f90)
check_fortran_source_compiles("      program a\n      end program\n" F_FIXED SRC_EXT f)
check_fortran_source_compiles("#ifdef __GFORTRAN__\nprogram a\nend program\n#else\nnope\n#endif\n" F_CPP SRC_EXT F90)
check_fortran_source_runs("program a\nstop 3\nend program\n" F_RUNS SRC_EXT f90)
check_fortran_compiler_flag(-fbackslash F_FLAG)
check_fortran_compiler_flag(-nope F_NO_FLAG)
check_objc_source_compiles("@interface X\n@end\nint main(void) { return 0; }" O_COMPILES)
check_objc_source_compiles("nope" O_NO_COMPILES)
check_objc_source_runs("int main(void) { return 4; }" O_RUNS)
check_objc_compiler_flag(-Wall O_FLAG)
"##,
        );
        let (_, ours) = project.same_with(&cmake, &[]);
        assert!(ours.by_tryall() > 4, "{}", ours.text);
    }
}

#[test]
fn checks_in_objective_cxx_answer_the_same() {
    for cmake in two_cmakes() {
        let project = Project::of(
            r##"cmake_minimum_required(VERSION 3.16)
project(p CXX OBJCXX)
include(CheckOBJCXXSourceCompiles)
include(CheckOBJCXXCompilerFlag)
include(CheckOBJCXXSourceRuns)
include(CheckIncludeFiles)
check_objcxx_source_compiles("@interface X\n@end\ntemplate <class T> T f(T x) { return x; }\nint main() { return f(0); }" MIXED)
check_objcxx_source_compiles("nope" NO_COMPILES)
check_objcxx_source_compiles("#ifndef __cplusplus\n#error\n#endif\n#ifndef __OBJC__\n#error\n#endif\nint main() {}" BOTH)
check_objcxx_source_runs("int main() { return 4; }" NO_RUNS)
check_objcxx_source_runs("#include <vector>\nint main() { return std::vector<int>(3).size() - 3; }" RUNS)
check_objcxx_compiler_flag(-Wall FLAG)
check_objcxx_compiler_flag(-Wstrict-prototypes C_FLAG)
check_include_files(vector HEADER LANGUAGE CXX)
message("${NO_RUNS_EXITCODE}")
"##,
        );
        let (_, ours) = project.same_with(&cmake, &[]);
        assert!(ours.by_tryall() > 3, "{}", ours.text);
        assert_eq!(
            ["MIXED", "BOTH", "RUNS", "NO_COMPILES"].map(|n| ours.value(n)),
            ["1", "1", "1", ""]
        );
    }
}

//! CMake 3.20, the oldest version that the drop-in supports, and 3.22. Their modules write sources
//! to try_compile's own directory.

use crate::dropin::*;
use crate::support::*;

#[test]
fn the_oldest_cmake_answers_the_same() {
    answers_the_same("venv-old", "3.20.", "Unix Makefiles");
}

#[test]
fn cmake_3_22_answers_the_same() {
    answers_the_same("venv-3.22", "3.22.", "Ninja");
}

fn answers_the_same(place: &str, version: &str, generator: &str) {
    let cmake = root().join("target").join(place).join("bin/cmake");
    assert!(cmake.exists(), "CMake {version} is missing; run tests/install");
    let said = std::process::Command::new(&cmake).arg("--version").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with(&format!("cmake version {version}")), "{said}");
    let project = Project::new(
        "C CXX",
        r##"
foreach(header stdio.h nope.h unistd.h sys/epoll.h windows.h)
  string(MAKE_C_IDENTIFIER HAVE_${header} variable)
  check_include_file(${header} ${variable})
endforeach()
foreach(function fork epoll_create kqueue strlcpy)
  check_function_exists(${function} HAVE_${function})
endforeach()
check_symbol_exists(EAGAIN errno.h HAVE_EAGAIN)
check_symbol_exists(ENOPE errno.h HAVE_ENOPE)
check_include_file_cxx(vector HAVE_VECTOR)
check_include_file_cxx(nope HAVE_NOPE)
check_include_files("stdio.h;nope.h" HAVE_NEITHER)
check_type_size(long SIZEOF_LONG)
check_type_size(nope_t SIZEOF_NOPE)
check_c_source_compiles("int main(void) { return 0; }" COMPILES)
check_c_source_compiles("nope" NO_COMPILES)
check_c_source_runs("int main(void) { return 3; }" RUNS_3)
check_c_source_runs("int main(void) { return 0; }" RUNS)
check_cxx_source_compiles("int main() { return 0; }" CXX_COMPILES)
check_c_compiler_flag(-Wall FLAG)
check_c_compiler_flag(-Wnopenope NO_FLAG)
check_struct_has_member("struct stat" st_mtim sys/stat.h MEMBER)
message("${SIZEOF_LONG_CODE} ${SIZEOF_NOPE_CODE} ${RUNS_3_EXITCODE} ${RUNS_EXITCODE}")
"##,
    );
    let (_, ours) = project.same_with(&(cmake, generator), &[]);
    assert!(ours.by_tryall() > 12, "{}", ours.text);
}

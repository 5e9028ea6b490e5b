//! The names of what decides about a check: variables of CMake, policies, environment variables.

use super::reply::Script;

/// The variables that `try_compile` reads for each language, with `<LANG>` in place of its name,
/// and `<CONFIG>` in place of the configuration that it builds. From `cmCoreTryCompile.cxx` of CMake
/// 3.20 to 4.4.
pub(super) const OF_LANGUAGE: &[&str] = &[
    "CMAKE_<LANG>_ABI_COMPILED",
    "CMAKE_<LANG>_COMPILER",
    "CMAKE_<LANG>_COMPILER_EXTERNAL_TOOLCHAIN",
    "CMAKE_<LANG>_COMPILER_TARGET",
    "CMAKE_<LANG>_EXTENSIONS",
    "CMAKE_<LANG>_FLAGS",
    "CMAKE_<LANG>_FLAGS_<CONFIG>",
    "CMAKE_<LANG>_IMPLICIT_LINK_LIBRARIES",
    "CMAKE_<LANG>_LINK_FLAGS",
    "CMAKE_<LANG>_LINK_FLAGS_<CONFIG>",
    "CMAKE_<LANG>_LINK_NO_PIE_SUPPORTED",
    "CMAKE_<LANG>_LINK_PIE_SUPPORTED",
    "CMAKE_<LANG>_SOURCE_FILE_EXTENSIONS",
    "CMAKE_<LANG>_STANDARD",
    "CMAKE_<LANG>_STANDARD_REQUIRED",
    "CMAKE_<LANG>_USING_LINKER_<TYPE>",
    "CMAKE_<LANG>_USING_LINKER_MODE",
    "CMAKE_USER_MAKE_RULES_OVERRIDE_<LANG>",
];

/// The variables that `try_compile` reads for all languages; and where in the list files it is called.
pub(super) const OF_ALL: &[&str] = &[
    "CMAKE_APPLE_ARCH_SYSROOTS",
    "CMAKE_BINARY_DIR",
    "CMAKE_CROSSCOMPILING",
    "CMAKE_CROSSCOMPILING_EMULATOR",
    "CMAKE_CURRENT_LIST_FILE",
    "CMAKE_CXX_COMPILER_CLANG_SCAN_DEPS",
    "CMAKE_CXX_SCAN_FOR_MODULES",
    "CMAKE_CXX_STDLIB_MODULES_JSON",
    "CMAKE_ENABLE_EXPORTS",
    "CMAKE_EXECUTABLE_ENABLE_EXPORTS",
    "CMAKE_EXE_LINKER_FLAGS",
    "CMAKE_EXPERIMENTAL_CXX_IMPORT_STD",
    "CMAKE_GENERATOR",
    "CMAKE_HOME_DIRECTORY",
    "CMAKE_LINKER_TYPE",
    "CMAKE_LINK_SEARCH_END_STATIC",
    "CMAKE_LINK_SEARCH_START_STATIC",
    "CMAKE_MAKE_PROGRAM",
    "CMAKE_MODULE_PATH",
    "CMAKE_OSX_ARCHITECTURES",
    "CMAKE_OSX_DEPLOYMENT_TARGET",
    "CMAKE_OSX_SYSROOT",
    "CMAKE_PLATFORM_INFO_DIR",
    "CMAKE_POLICY_WARNING_CMP0056",
    "CMAKE_POLICY_WARNING_CMP0066",
    "CMAKE_POLICY_WARNING_CMP0067",
    "CMAKE_POLICY_WARNING_CMP0126",
    "CMAKE_POSITION_INDEPENDENT_CODE",
    "CMAKE_SHARED_LIBRARY_ENABLE_EXPORTS",
    "CMAKE_SYSROOT",
    "CMAKE_SYSROOT_COMPILE",
    "CMAKE_SYSROOT_LINK",
    "CMAKE_TRY_COMPILE_CONFIGURATION",
    "CMAKE_TRY_COMPILE_NO_PLATFORM_VARIABLES",
    "CMAKE_TRY_COMPILE_OSX_ARCHITECTURES",
    "CMAKE_TRY_COMPILE_PLATFORM_VARIABLES",
    "CMAKE_TRY_COMPILE_TARGET_TYPE",
    "CMAKE_USER_MAKE_RULES_OVERRIDE",
];

/// Variables that `try_compile` reads, too, and that decide about nothing here. CMake warns of those on its
/// command line that nobody reads.
pub(super) const OF_NOTHING: &[&str] = &[
    "CMAKE_CUDA_ARCHITECTURES",
    "CMAKE_CUDA_RUNTIME_LIBRARY",
    "CMAKE_GENERATOR_INSTANCE",
    "CMAKE_GENERATOR_PLATFORM",
    "CMAKE_GENERATOR_TOOLSET",
    "CMAKE_HIP_ARCHITECTURES",
    "CMAKE_HIP_RUNTIME_LIBRARY",
    "CMAKE_ISPC_HEADER_SUFFIX",
    "CMAKE_ISPC_INSTRUCTION_SETS",
    "CMAKE_MAXIMUM_RECURSION_DEPTH",
    "CMAKE_MSVC_DEBUG_INFORMATION_FORMAT",
    "CMAKE_MSVC_RUNTIME_LIBRARY",
    "CMAKE_WATCOM_RUNTIME_LIBRARY",
];

/// Of those that decide, those that say what is asked or where, and do not decide about CMake's commands.
pub(super) const OF_REQUEST: &[&str] = &[
    "CMAKE_<LANG>_ABI_COMPILED",
    "CMAKE_<LANG>_FLAGS",
    "CMAKE_<LANG>_IMPLICIT_LINK_LIBRARIES",
    "CMAKE_<LANG>_SOURCE_FILE_EXTENSIONS",
    "CMAKE_BINARY_DIR",
    "CMAKE_CROSSCOMPILING",
    "CMAKE_CROSSCOMPILING_EMULATOR",
    "CMAKE_CURRENT_LIST_FILE",
    "CMAKE_EXE_LINKER_FLAGS",
    "CMAKE_HOME_DIRECTORY",
    "CMAKE_PLATFORM_INFO_DIR",
    "CMAKE_POLICY_WARNING_CMP0056",
    "CMAKE_POLICY_WARNING_CMP0066",
    "CMAKE_POLICY_WARNING_CMP0067",
    "CMAKE_POLICY_WARNING_CMP0126",
];

/// The environment variables that decide about the commands of the test project: those that CMake
/// or the build tool reads.
pub(super) const OF_RECIPES: &[&str] = &[
    "CFLAGS",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CMAKE_BUILD_TYPE",
    "CMAKE_COLOR_DIAGNOSTICS",
    "CMAKE_CONFIGURATION_TYPES",
    "CMAKE_CXX_COMPILER_LAUNCHER",
    "CMAKE_CXX_LINKER_LAUNCHER",
    "CMAKE_C_COMPILER_LAUNCHER",
    "CMAKE_C_LINKER_LAUNCHER",
    "CMAKE_Fortran_COMPILER_LAUNCHER",
    "CMAKE_Fortran_LINKER_LAUNCHER",
    "CMAKE_OBJCXX_COMPILER_LAUNCHER",
    "CMAKE_OBJCXX_LINKER_LAUNCHER",
    "CMAKE_OBJC_COMPILER_LAUNCHER",
    "CMAKE_OBJC_LINKER_LAUNCHER",
    "CXXFLAGS",
    "FFLAGS",
    "LDFLAGS",
    "NINJA_STATUS",
    "OBJCFLAGS",
    "OBJCXXFLAGS",
    "VERBOSE",
];

/// The environment variables that GCC, Clang, their assemblers and linkers, and the C library read.
/// Of what else a compiler turns out to read, the session asks CMake.
pub(super) const OF_COMPILERS: &[&str] = &[
    "AS_SECURE_LOG_FILE",
    "BINUTILS_ROOT",
    "CCC_OVERRIDE_OPTIONS",
    "CC_LOG_DIAGNOSTICS",
    "CC_PRINT_HEADERS",
    "CC_PRINT_OPTIONS",
    "CC_PRINT_PROC_STAT",
    "COLLECT_GCC",
    "COLLECT_GCC_OPTIONS",
    "COLLECT_NO_DEMANGLE",
    "COMPILER_PATH",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "C_INCLUDE_PATH",
    "DEB_BUILD_OPTIONS",
    "DEPENDENCIES_OUTPUT",
    "FORCE_CLANG_DIAGNOSTICS_CRASH",
    "G++_ROOT",
    "GCC_COMPARE_DEBUG",
    "GCC_EXEC_PREFIX",
    "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
    "GCC_ROOT",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "GNUTARGET",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ADDRESS",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
    "LDEMULATION",
    "LD_ASSUME_KERNEL",
    "LD_AUDIT",
    "LD_BIND_NOT",
    "LD_BIND_NOW",
    "LD_DEBUG",
    "LD_DEBUG_OUTPUT",
    "LD_DYNAMIC_WEAK",
    "LD_HWCAP_MASK",
    "LD_LIBRARY_PATH",
    "LD_ORIGIN_PATH",
    "LD_POINTER_GUARD",
    "LD_PREFER_MAP_32BIT_EXEC",
    "LD_PRELOAD",
    "LD_PROFILE",
    "LD_PROFILE_OUTPUT",
    "LD_RUN_PATH",
    "LD_SHOW_AUXV",
    "LD_TRACE_LOADED_OBJECTS",
    "LD_USE_LOAD_BIAS",
    "LD_VERBOSE",
    "LD_WARN",
    "LIBCTF_DEBUG",
    "LIBRARY_PATH",
    "LLVM_OVERRIDE_PRODUCER",
    "LOCPATH",
    "LPATH",
    "MALLOC_ARENA_MAX",
    "MALLOC_ARENA_TEST",
    "MALLOC_CHECK_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_PERTURB_",
    "MALLOC_TCACHE_COUNT",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "NLSPATH",
    "OBJCPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "OUTPUT_CHARSET",
    "PATH",
    "POSIXLY_CORRECT",
    "ROCM_PATH",
    "SOURCE_DATE_EPOCH",
    "SUNPRO_DEPENDENCIES",
    "TEMP",
    "TEMPDIR",
    "TERM",
    "TMP",
    "TZ",
    "TZDIR",
];

/// What the scout's sandbox sets.
pub(super) const OF_SANDBOX: &[&str] = &["TEMP", "TMP", "TMPDIR"];

/// What the engine sets for each command, whatever CMake's environment has.
pub(super) const OF_ENGINE: &[&str] = &["MAKEFLAGS", "PWD", "TMPDIR"];

/// Whether CMake's language can name an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The script that tells CMake the names.
pub(super) fn script() -> String {
    let mut script = Script::default();
    let environment: Vec<_> = OF_RECIPES.iter().chain(OF_COMPILERS).copied().collect();
    for (name, names) in [
        ("_TRYALL_OF_LANGUAGE", OF_LANGUAGE),
        ("_TRYALL_OF_ALL", OF_ALL),
        ("_TRYALL_OF_NOTHING", OF_NOTHING),
        ("_TRYALL_ENVIRONMENT", &environment),
    ] {
        let head = ["GLOBAL", "PROPERTY", name];
        let args: Vec<_> = head.iter().chain(names).copied().collect();
        script.call("set_property", &args);
    }
    script.into_text()
}

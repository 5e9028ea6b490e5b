//! When checks can share a recipe learned from one call of stock CMake: settings that cannot affect
//! a command need no separate recipe, all others do.

use crate::dropin::*;

/// Builds a shared library with `int lib_answer(void)` outside the system's search paths.
const MAKE_LIBRARY: &str = "set(directory ${CMAKE_CURRENT_SOURCE_DIR}/lib)\n\
    set(lib ${directory}/libanswer.so)\n\
    file(WRITE ${directory}/answer.c \"int lib_answer(void) { return 0; }\")\n\
    execute_process(COMMAND ${CMAKE_C_COMPILER} -shared -fPIC -o ${lib} ${directory}/answer.c)\n\
    set(source \"int lib_answer(void); int main(void) { return lib_answer(); }\")\n\
    file(WRITE ${directory}/main.c \"${source}\")\n";

/// Configures both ways. Asserts that one check is left to stock CMake.
fn assert_one_by_cmake(project: &Project) {
    for cmake in cmakes() {
        let (_, ours) = project.same_with(&cmake, &[]);
        assert_eq!(ours.by_cmake(), 1, "{}", ours.text);
    }
}

#[test]
fn settings_without_effect_on_commands_need_no_recipe() {
    let lists = "check_include_file(stdio.h HAVE_STDIO)\n\
        check_symbol_exists(EOF stdio.h HAVE_EOF)\n\
        set(CMAKE_SKIP_RPATH OFF)\ncheck_symbol_exists(BUFSIZ stdio.h HAVE_BUFSIZ)\n\
        try_compile(EMPTY ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c CMAKE_FLAGS\n\
          -DLINK_DIRECTORIES:STRING= -DINCLUDE_DIRECTORIES:STRING= -DLINK_LIBRARIES:STRING=)\n\
        set(CMAKE_C_FLAGS_DEBUG -nope)\ncheck_symbol_exists(NOPE stdio.h HAVE_NOPE)\n";
    let project = Project::new("C", lists).file("main.c", "int main(void) { return 0; }\n");
    assert_one_by_cmake(&project);
}

/// A recipe has two commands, which are learned separately.
#[test]
fn each_command_is_learned_separately() {
    let lists = "set(CMAKE_REQUIRED_INCLUDES ${CMAKE_CURRENT_SOURCE_DIR}/a)\n\
        check_include_file(in_a.h A)\n\
        set(CMAKE_REQUIRED_INCLUDES)\nset(CMAKE_REQUIRED_LIBRARIES m ${lib})\n\
        check_include_file(in_a.h B)\n\
        # Both of these are made up of what is known.
        set(CMAKE_REQUIRED_LIBRARIES)\ncheck_include_file(stdio.h C)\n\
        set(CMAKE_REQUIRED_INCLUDES ${CMAKE_CURRENT_SOURCE_DIR}/a)\n\
        set(CMAKE_REQUIRED_LIBRARIES m ${lib})\n\
        check_include_file(in_a.h D)\ncheck_include_file(nope.h E)\n\
        # A directory that is named twice is one, and a list is its elements.
        set(CMAKE_REQUIRED_INCLUDES ${CMAKE_CURRENT_SOURCE_DIR}/a ${CMAKE_CURRENT_SOURCE_DIR}/a)\n\
        check_include_file(in_a.h F)\n\
        set(dirs ${CMAKE_CURRENT_SOURCE_DIR}/a)\nset(libs m ${lib})\n\
        try_compile(G ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
          CMAKE_FLAGS \"-DINCLUDE_DIRECTORIES:STRING=${dirs}\"\n\
          \"-DLINK_LIBRARIES:STRING=${libs}\")\n\
        # The last counts.
        foreach(n 1 2)\n\
        try_compile(H${n} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
          CMAKE_FLAGS \"-DINCLUDE_DIRECTORIES:STRING=${dirs}\" -DINCLUDE_DIRECTORIES:STRING=)\n\
        try_compile(I${n} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
          CMAKE_FLAGS -DINCLUDE_DIRECTORIES:STRING= \"-DINCLUDE_DIRECTORIES:STRING=${dirs}\")\n\
        # Without a word behind it, the keyword puts the variable aside.
        try_compile(J${n} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
          CMAKE_FLAGS \"-DINCLUDE_DIRECTORIES:STRING=${dirs}\" -DLINK_LIBRARIES:STRING=/no/such.a\n\
          LINK_LIBRARIES)\nendforeach()\n\
        try_compile(K ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
          CMAKE_FLAGS \"-DINCLUDE_DIRECTORIES:STRING=${dirs}\"\n\
          -DLINK_LIBRARIES:STRING=/no/such.a)\n";
    let project = Project::new("C", &format!("{MAKE_LIBRARY}{lists}"))
        .file("a/in_a.h", "")
        .file("main.c", "#include <in_a.h>\nint main(void) { return 0; }\n");
    for cmake in cmakes() {
        let (_, ours) = project.same_with(&cmake, &[]);
        let names = ["A", "B", "C", "D", "E", "F", "G", "H1", "H2", "I1", "I2", "J1", "J2", "K"];
        let values = names.map(|name| ours.value(name));
        let expected = [
            "1", "", "1", "1", "", "1", "TRUE", "FALSE", "FALSE", "TRUE", "TRUE", "TRUE", "TRUE",
            "FALSE",
        ];
        assert_eq!(values, expected, "{}", ours.text);
        // A, B, and C for its link command; H, I, J and K.
        assert!((3..=8).contains(&ours.by_cmake()), "{}", ours.text);
    }
}

#[test]
fn a_library_name_covers_all_libraries() {
    let ask = |names: &[&str]| {
        let ask = |name| format!("check_library_exists({name} sqrt \"\" IN_{name})\n");
        names.iter().map(ask).collect::<String>()
    };
    let lists = ask(&["nope", "m", "other_nope", "dl", "z"])
        + "set(CMAKE_REQUIRED_LIBRARIES m)\ncheck_function_exists(sqrt WITH_M)\n\
           try_compile(BY_VARIABLE ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
             CMAKE_FLAGS -DLINK_LIBRARIES:STRING=m)\n\
           try_compile(OTHER ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/main.c\n\
             CMAKE_FLAGS -DLINK_LIBRARIES:STRING=dl)\n";
    let main = "double sqrt(double); int main(int n, char **s) { return sqrt(n) > 2; }\n";
    let project = Project::new("C", &lists).file("main.c", main);
    for cmake in cmakes() {
        let (_, ours) = project.same_with(&cmake, &[]);
        let names = ["IN_nope", "IN_m", "IN_dl", "WITH_M", "BY_VARIABLE", "OTHER"];
        let values = names.map(|name| ours.value(name));
        assert_eq!(values, ["", "1", "", "1", "TRUE", "FALSE"], "{}", ours.text);
        assert_eq!(ours.by_cmake(), 1, "{}", ours.text);
    }
    // The name may occur in the command for another reason, too.
    let twice = format!(
        "set(CMAKE_EXE_LINKER_FLAGS -lm)\n{}set(CMAKE_EXE_LINKER_FLAGS \"-lm -Wl,-O1\")\n{}",
        ask(&["m", "dl"]),
        ask(&["z", "pthread"]),
    );
    assert_one_by_cmake(&Project::new("C", &twice));
    // CMake's keywords and targets, a target of the project, libraries that the compiler links
    // anyway, and names with a meaning.
    let mine = "add_library(mine INTERFACE)\n".to_owned();
    let special = ask(&["m", "edit_cache", "gcc", "mine", "libm.a", "-lm", "PRIVATE", "dl"]);
    let fatal = ask(&["m", "debug"]);
    for cmake in cmakes() {
        let (_, ours) = Project::new("C", &(mine.clone() + &special)).same_with(&cmake, &[]);
        // All except edit_cache and dl have their own recipes, or none.
        assert!((3..=6).contains(&ours.by_cmake()), "{}", ours.text);
        let stock = Project::new("C", &fatal).same_with(&cmake, &[]).0;
        assert!(stock.text.contains("must be followed by a library"), "{}", stock.text);
    }
}

#[test]
fn a_run_time_path_needs_its_own_recipe() {
    let ask = |n: u32, skip: &str| {
        format!(
            "set(CMAKE_SKIP_RPATH {skip})\nset(CMAKE_REQUIRED_LIBRARIES ${{lib}})\n\
             check_c_source_runs(\"${{source}}\" RUNS{n})\n"
        )
    };
    for (skips, expected) in [
        (["OFF", "TRUE", "NO", "1"], ["1", "", "1", ""]),
        (["ON", "", "y", "n"], ["", "1", "", "1"]),
    ] {
        let lists = (0..4).map(|n| ask(n, skips[n as usize])).collect::<String>();
        let project = Project::new("C", &format!("{MAKE_LIBRARY}{lists}"));
        for cmake in cmakes() {
            let (_, ours) = project.same_with(&cmake, &[]);
            let values = [0, 1, 2, 3].map(|n| ours.value(&format!("RUNS{n}")).to_owned());
            assert_eq!(values, expected, "{}", ours.text);
        }
    }
}

/// Files other than CMake's can depend on a variable in any way; here, on whether it is set.
#[test]
fn settings_that_generators_read_need_their_own_recipe() {
    let asks = format!(
        "{MAKE_LIBRARY}foreach(n 1 2)\n\
         try_compile(SILENT${{n}} ${{CMAKE_BINARY_DIR}} ${{directory}}/main.c)\n\
         try_compile(EMPTY${{n}} ${{CMAKE_BINARY_DIR}} ${{directory}}/main.c\n\
           CMAKE_FLAGS -DLINK_LIBRARIES:STRING=)\nendforeach()\nfile(REMOVE ${{lib}})\n"
    );
    let others = "set(lib ${CMAKE_CURRENT_LIST_DIR})\n\
        string(REGEX REPLACE \"/mods.*\" /lib/libanswer.so lib ${lib})\n\
        if(EXISTS ${lib})\nset(LINK_LIBRARIES ${lib} CACHE STRING \"\")\nendif()\n";
    let processor = std::env::consts::ARCH;
    for (file, set) in [
        ("mods/toolchain.cmake", ""),
        (
            &*format!("mods/Platform/Linux-GNU-C-{processor}.cmake"),
            "set(CMAKE_MODULE_PATH ${CMAKE_CURRENT_SOURCE_DIR}/mods)\n",
        ),
        (
            "mods/rules.cmake",
            "set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_SOURCE_DIR}/mods/rules.cmake)\n",
        ),
    ] {
        let project = Project::new("C", &format!("{set}{asks}")).file(file, others);
        let toolchain = format!("-DCMAKE_TOOLCHAIN_FILE={}", project.source().join(file).display());
        let args = [toolchain.as_str()];
        for cmake in cmakes() {
            let (_, ours) = project.same_with(&cmake, if set.is_empty() { &args } else { &[] });
            let values = ["SILENT1", "SILENT2", "EMPTY1", "EMPTY2"].map(|name| ours.value(name));
            assert_eq!(values, ["TRUE", "TRUE", "FALSE", "FALSE"], "{file}: {}", ours.text);
        }
    }
}

#[test]
fn flags_of_a_configuration_matter_only_with_a_configuration() {
    let ask = "foreach(n 1 2)\nset(CMAKE_C_FLAGS_DEBUG -DFLAG=${n})\n\
        set(source \"int a[FLAG == ${n} ? 1 : -1]; int main(void) { return 0; }\")\n\
        check_c_source_compiles(\"${source}\" FLAG%${n})\nendforeach()\n";
    let with = format!("set(CMAKE_TRY_COMPILE_CONFIGURATION Debug)\n{}", ask.replace('%', "A"));
    let project = Project::new("C", &(ask.replace('%', "B") + &with));
    for cmake in cmakes() {
        let (_, ours) = project.same_with(&cmake, &[]);
        let values = ["FLAGA1", "FLAGA2", "FLAGB1", "FLAGB2"].map(|name| ours.value(name));
        assert_eq!(values, ["1", "1", "", ""], "{}", ours.text);
        // Projects read it from the environment, but no try_compile project does.
        let in_debug = |args: &[&str]| {
            let _ = std::fs::remove_dir_all(project.build());
            project.again_with(&cmake, args, |command| {
                command.env("CMAKE_BUILD_TYPE", "Debug");
            })
        };
        let stock = in_debug(&[]);
        let [_, include, program] = drop_in_args();
        stock.assert_same_as(&in_debug(&[&include, &program]));
    }
}

#[test]
fn a_source_is_named_as_cmake_names_it() {
    let text = "char name[sizeof __FILE__ == LENGTH ? 1 : -1];\nint main(void) { return 0; }\n";
    let ask = "check_include_file(stdio.h HAVE_STDIO)\n\
        foreach(path ${CMAKE_CURRENT_SOURCE_DIR}/main.c ${CMAKE_CURRENT_SOURCE_DIR}/a/../main.c\n\
          ${CMAKE_CURRENT_SOURCE_DIR}//main.c ${CMAKE_CURRENT_SOURCE_DIR}/link/main.c\n\
          ${REAL}/main.c ${CMAKE_CURRENT_SOURCE_DIR}/a:b.c \"${CMAKE_CURRENT_SOURCE_DIR}/a b.c\"\n\
          # CMake does not write this one as it should, and fails.
          \"${CMAKE_CURRENT_SOURCE_DIR}/a\\\"b.c\")\n\
        string(LENGTH \"${path}\" length)\nmath(EXPR length \"${length} + 1\")\n\
        string(MAKE_C_IDENTIFIER \"${path}\" name)\n\
        try_compile(IS_${name} \"${CMAKE_BINARY_DIR}\" \"${path}\"\n\
          COMPILE_DEFINITIONS -DLENGTH=${length})\n\
        endforeach()\n";
    let mut project = Project::new("C", ask);
    for name in ["main.c", "a/main.c", "a:b.c", "a b.c", "a\"b.c"] {
        project = project.file(name, text);
    }
    let real = project.source().join("a");
    std::os::unix::fs::symlink(&real, project.source().join("link")).unwrap();
    for cmake in cmakes() {
        let configure = |args: &[&str]| {
            let _ = std::fs::remove_dir_all(project.build());
            let place = format!("-DREAL={}", real.display());
            let args: Vec<_> = args.iter().copied().chain([place.as_str()]).collect();
            project.again_with(&cmake, &args, |command| {
                // CMake up to 3.x names the directory as the shell does.
                command.current_dir(&real).env("PWD", project.source().join("link"));
            })
        };
        let stock = configure(&[]);
        let [_, include, program] = drop_in_args();
        let ours = configure(&[&include, &program]);
        stock.assert_same_as(&ours);
        assert!(stock.text.contains("Failed to configure"), "{}", stock.text);
    }
}

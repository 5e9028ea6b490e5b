//! Mistakes in the wrapper's lists, to which Meson's methods would answer no, stop Meson with a
//! message that names the list, the entry and the remedy.

use std::fs;
use std::path::Path;

use crate::meson::{mesons, project, set_up, with_path};
use crate::support::*;

/// Asserts that Meson stops with this message.
fn refused(meson: &Path, settings: &str, wanted: &str) {
    let dir = project(&format!("{settings}\nsubdir('tryall')\n"));
    let (succeeded, said) = set_up(meson, dir.path());
    assert!(!succeeded && said.contains(wanted), "{settings}\nwanted: {wanted}\n{said}");
}

/// Configures a project and returns Meson's output.
fn accepted(meson: &Path, settings: &str) -> String {
    let text = "subdir('tryall')\nmessage('found:', tryall_answers, tryall_supported_arguments)\n";
    let dir = project(&format!("{settings}\n{text}"));
    let (succeeded, said) = set_up(meson, dir.path());
    assert!(succeeded, "{settings}\n{said}");
    said
}

#[test]
fn entries() {
    for (list, entry, remedy) in [
        ("headers", "<stdio.h>", "write the header as stdio.h"),
        ("headers", "\"own.h\"", "write the header as own.h"),
        ("headers", "#include <stdio.h>", "write the header as stdio.h"),
        ("headers", "stdio.h,stdlib.h", "make each header a separate entry"),
        ("headers", "stdio.h ", "remove the spaces around \"stdio.h\""),
        ("headers", "", "the entry is empty; fill it in or remove it"),
        ("usable_headers", "<stdio.h>", "write the header as stdio.h"),
        ("functions", "fork()", "write it as fork"),
        ("functions", "int fork(void)", "give only the name"),
        ("functions", "-lm", "give only the name"),
        ("functions", "FORK=", "the entry is empty"),
        ("functions", "MY-FORK=fork", "the name before = may contain only letters, digits and _"),
        ("functions", "unistd.h@fork", "put the header after the name"),
        ("functions", "fork@", "put a header after the @, or remove the @"),
        ("functions", "fork@sys/types.h@unistd.h", "put commas between headers"),
        ("functions", "fork@<unistd.h>", "write the header as unistd.h"),
        ("functions", "fork@sys/types.h, unistd.h", "write the header as unistd.h"),
        ("symbols", "EOF", "add the header of \"EOF\""),
        ("symbols", "stdio.h@EOF", "put the header after the name"),
        ("symbols", "fork()@unistd.h", "write it as fork"),
        ("types", "int;", "remove the semicolon"),
        ("types", "size_t.h", "put the header after the type"),
        ("members", "st_mtim@sys/stat.h", "write TYPE.MEMBER, as in"),
        ("members", "sys/stat.h", "put the header after the member"),
        ("sizes", "long;", "remove the semicolon"),
        ("defines", "INT_MAX()@limits.h", "write it as INT_MAX"),
        ("defines", "#define X", "give only the name"),
        ("defines", "-DX", "give only the name"),
        ("integers", "X=INT_MAX;", "remove the semicolon"),
        ("compiles", "X=check.c", "give the text of the source"),
        ("arguments", "-Wall -Wextra", "make each argument a separate entry"),
        ("arguments", " -Wall", "remove the spaces around it"),
        ("arguments", "Wall", "an argument must start with -"),
        ("link_arguments", "-Wl,-z,now -Wl,-z,relro", "make each argument a separate entry"),
        ("link_arguments", "lm", "an argument must start with -"),
        ("args", "-Wall -Werror", "make each argument a separate entry"),
        ("prefix", "<stdio.h>", "put #include before the header"),
        ("prefix", "stdio.h", "put #include before the header"),
        ("prefix", "#include <a.h> #include <b.h>", "put each directive on its own line"),
    ] {
        let dir = project(&format!("tryall_{list} = ['{entry}']\nsubdir('tryall')\n"));
        let (succeeded, said) = set_up(&mesons()[0], dir.path());
        let message = said.split_once(&format!("tryall: \"{entry}\" in tryall_{list}: "));
        assert!(!succeeded && message.is_some_and(|(_, it)| it.starts_with(remedy)), "{said}");
    }
    // In stock mode, and in a batch.
    for settings in [
        "tryall_stock = true\ntryall_headers = ['<stdio.h>']",
        "tryall_batches = [{}, {'headers': '<stdio.h>'}]",
    ] {
        refused(&mesons()[1], settings, "write the header as stdio.h");
    }
    refused(
        &mesons()[0],
        "tryall_batches = [{}, {'headers': '<stdio.h>'}]",
        "\"<stdio.h>\" in \"headers\" of tryall_batches[1]: ",
    );
}

#[test]
fn a_missing_struct_keyword() {
    for meson in mesons() {
        for (settings, wanted) in [
            ("tryall_members = ['stat.st_mtim@sys/stat.h']", "write struct stat"),
            ("tryall_stock = true\ntryall_members = ['tm.tm_sec@time.h']", "write struct tm"),
            ("tryall_prefix = '#include <time.h>'\ntryall_sizes = ['timespec']", "struct timespec"),
            // The size of a function with that name is 1.
            ("tryall_sizes = ['stat@sys/stat.h']", "\"stat@sys/stat.h\" in tryall_sizes"),
            (
                "tryall_language = 'cpp'\ntryall_members = ['stat.st_size@sys/stat.h']",
                "struct stat",
            ),
        ] {
            let languages = format!("add_languages('cpp')\n{settings}");
            refused(&meson, &languages, wanted);
        }
    }
}

#[test]
fn entries_that_only_look_like_mistakes_are_accepted() {
    for meson in mesons() {
        let said = accepted(
            &meson,
            "tryall_members = ['div_t.quot@stdlib.h', 'FILE.no@stdio.h', 'struct stat.h@sys/stat.h']\n\
         tryall_sizes = ['char', 'NO=no@stdio.h', 'void *']\n\
         tryall_types = ['void (*)(int)']\n\
         tryall_integers = ['EQUAL=1 == 1', 'LETTER=\\'a\\'']\n\
         tryall_arguments = ['-DX=a -b', '/W4', '-Wall']\n\
         tryall_args = ['-DY=a -b', '-include', 'stdio.h']\n\
         tryall_prefix = ['#define A', '#include <stdlib.h>']\n\
         tryall_compiles = ['SOURCE=int a;']",
        );
        for wanted in [
            "'HAVE_DIV_T_QUOT' : true",
            "'HAVE_FILE_NO' : false",
            "'HAVE_STRUCT_STAT_H' : false",
            "'SIZEOF_CHAR' : 1",
            "'NO' : -1",
            "'HAVE_VOID__P__INT_' : true",
            "'EQUAL' : 1",
            "'LETTER' : 97",
            "'SOURCE' : true",
            "['-DX=a -b', '-Wall']",
        ] {
            assert!(said.contains(wanted), "{wanted}: {said}");
        }
    }
}

#[test]
fn names() {
    for meson in mesons() {
        for (settings, wanted) in [
            (
                "tryall_headers = ['stdio.h', 'stdlib.h']\ntryall_required = ['HAVE_STDLB_H']",
                "\"HAVE_STDLB_H\" is required but is not the name of an answer; did you mean HAVE_STDLIB_H?",
            ),
            (
                "tryall_headers = ['stdio.h']\ntryall_required = 'have_stdio_h'",
                "did you mean HAVE_STDIO_H?",
            ),
            (
                "tryall_headers = ['stdio.h']\ntryall_required = 'FORK'",
                "is not the name of an answer; answers: HAVE_STDIO_H",
            ),
            (
                "tryall_header = ['stdio.h']",
                "there is no list tryall_header; did you mean tryall_headers?",
            ),
            ("tryall_include_directory = []", "did you mean tryall_include_directories?"),
            (
                "tryall_functions = ['fork', 'FORK=fork', 'FORK=vfork']",
                "two checks have the name FORK: \"FORK=fork\" in tryall_functions and \"FORK=vfork\" in tryall_functions",
            ),
        ] {
            refused(&meson, settings, wanted);
        }
    }
}

#[test]
fn types() {
    for meson in mesons() {
        for (settings, wanted) in [
            ("tryall_headers = 5", "tryall_headers may contain only strings"),
            ("tryall_headers = files('meson.build')", "tryall_headers may contain only strings"),
            ("tryall_prefix = {'a': 'b'}", "tryall_prefix may contain only strings"),
            ("tryall_required = [true]", "tryall_required may contain only strings"),
            ("tryall_native = 'yes'", "tryall_native must be true or false"),
            ("tryall_stock = 'yes'", "tryall_stock must be true or false"),
            ("tryall_batches = ['stdio.h']", "tryall_batches must be a list of dictionaries"),
            (
                "tryall_batches = [{'name': 5}]",
                "\"name\" of tryall_batches[0] may contain only strings",
            ),
            ("tryall_request = 'checks.json'", "write files('...')"),
        ] {
            refused(&meson, settings, wanted);
        }
    }
}

/// The wrapper reads answers line by line.
#[test]
fn an_argument_may_contain_any_character() {
    for meson in mesons() {
        let said = accepted(
            &meson,
            "tryall_arguments = ['-DA=a\\tb', '-DB=\\\\n\\\\\\\\', '-DC=\"d\\\\te\"']\n\
             assert(tryall_arguments.length() == 3)\nasked = tryall_arguments\n\
             tryall_headers = ['stdio.h']",
        );
        assert!(said.contains(r"['-DA=a	b', '-DB=\n\\', '-DC="), "{said}");
    }
}

#[test]
fn a_different_program_with_that_name_is_not_used() {
    let tools = tempfile::tempdir().unwrap();
    let text = "tryall_functions = ['fork', 'no_such']\nsubdir('tryall')\n\
                assert(tryall_answers['HAVE_FORK'] and not tryall_answers['HAVE_NO_SUCH'])\n";
    for meson in mesons() {
        for script in ["exit 0", "echo 'try all 1.0'", "echo 'no such option' >&2; exit 2"] {
            let other = write(tools.path(), "tryall", &format!("#!/bin/sh\n{script}\n"));
            fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .unwrap();
            let dir = project(text);
            let (succeeded, said) = with_path(&meson, tools.path(), dir.path());
            let wanted =
                format!("{} is not used, because it is a different program", other.display());
            assert!(succeeded && said.contains(&wanted), "{script}: {said}");
            assert!(said.contains("all run by Meson"), "{script}: {said}");
        }
        // A program that claims to be tryall but does not print all answers.
        for (script, wanted) in [
            ("exit 0", "did not print all answers"),
            (
                "printf 'batch\\t\\t\\nbool\\tHAVE_FORK\\ttrue\\nanswers\\t2\\t\\n'",
                "did not print all answers",
            ),
            ("exit 9", "ended with status 9"),
            ("kill -KILL $$", "ended with status -9"),
        ] {
            let script = format!(
                "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'tryall 0.1.0'; exit; fi\n{script}\n"
            );
            write(tools.path(), "tryall", &script);
            let dir = project(text);
            let (succeeded, said) = with_path(&meson, tools.path(), dir.path());
            assert!(!succeeded && said.contains(wanted), "{script}: {said}");
        }
        write(tools.path(), "tryall", "#!/bin/sh\nkill -KILL $$\n");
        let dir = project(text);
        let (succeeded, said) = with_path(&meson, tools.path(), dir.path());
        assert!(!succeeded && said.contains("ended with status -9"), "{said}");
    }
}

/// Required checks of a request file that were not found.
#[test]
fn required_answers_of_a_request_file() {
    let text = "tryall_request = files('checks.json')\nsubdir('tryall')\nmessage('found:', tryall_answers)\n";
    for meson in mesons() {
        for (check, wanted) in [
            (
                r#""kind": "header", "header": "no/such.h", "required": true"#,
                "X is required and was not found",
            ),
            (
                r#""kind": "sizeof", "type": "no_such_t", "required": true"#,
                "X is required and was not found",
            ),
            (
                r#""kind": "header", "header": "stdio.h", "required": true, "needs": ["NO"]"#,
                "X is required and was not found",
            ),
            (
                r#""kind": "runs", "source": "int main(void) { for (;;) ; }", "timeout": 0.3, "required": true"#,
                "X has no answer",
            ),
        ] {
            let dir = project(text);
            let request = format!(
                r#"{{"checks": [{{"id": "NO", "kind": "header", "header": "no/such.h"}}, {{"id": "X", {check}}}]}}"#
            );
            write(dir.path(), "checks.json", &request);
            let (succeeded, said) = set_up(&meson, dir.path());
            assert!(!succeeded && said.contains(wanted), "{check}: {said}");
        }
        let dir = project(&format!(
            "{text}assert(tryall_answers['SIZE'] == -1 and tryall_answers['ALIGN'] == -1)\n\
             assert(tryall_answers['INT'] == -1 and tryall_answers['SKIPPED'] == -1)\n\
             assert(tryall_answers['DEFINE'] == '' and tryall_answers['THERE'])\n"
        ));
        let request = r#"{"checks": [
            {"id": "SIZE", "kind": "sizeof", "type": "no_such_t"},
            {"id": "ALIGN", "kind": "alignment", "type": "no_such_t"},
            {"id": "INT", "kind": "compute_int", "expression": "NO_SUCH"},
            {"id": "DEFINE", "kind": "define", "name": "NO_SUCH"},
            {"id": "SKIPPED", "kind": "sizeof", "type": "int", "needs": ["SIZE"]},
            {"id": "THERE", "kind": "header", "header": "stdio.h", "required": true}]}"#;
        write(dir.path(), "checks.json", request);
        let (succeeded, said) = set_up(&meson, dir.path());
        assert!(succeeded, "{said}");
    }
}

//! The known differences from Meson's answers, which are caused by side effects of Meson's own
//! checks. docs/meson.md lists them.

use crate::meson::{mesons, project, says, with_tryall};
use crate::support::*;

/// Configures a project that asserts both tryall's and Meson's answers.
fn holds(text: &str, change: impl Fn(&mut std::process::Command), mesons: &[std::path::PathBuf]) {
    for meson in mesons {
        let dir = project(&format!("cc = meson.get_compiler('c')\n{text}"));
        let mut command = with_tryall(meson);
        change(command.args(["setup", "build"]).current_dir(dir.path()));
        let (succeeded, said) = says(&mut command);
        assert!(succeeded && said.contains("checks with /"), "{said}");
    }
}

#[test]
fn cross_compiled_integers_with_warnings_as_errors() {
    need("aarch64-linux-gnu-gcc");
    let text = "tryall_integers = ['TWO=1 + 1', 'NOTHING=no_such_name']\n\
                tryall_sizes = ['long']\n\
                subdir('tryall')\n\
                assert(tryall_answers['TWO'] == 2 and cc.compute_int('1 + 1') == -1)\n\
                assert(tryall_answers['NOTHING'] == -1)\n\
                assert(tryall_answers['SIZEOF_LONG'] == cc.sizeof('long'))\n";
    let cross = root().join("tests/meson/aarch64.ini");
    let change = |command: &mut std::process::Command| {
        command.arg("-Dc_args=-Wall -Werror").arg("--cross-file").arg(&cross).env_remove("CC");
    };
    holds(text, change, &mesons());
}

#[test]
fn a_missing_linker_when_another_was_selected() {
    let text = "tryall_link_arguments = ['-fuse-ld=no-such-linker', '-fuse-ld=gold']\n\
                subdir('tryall')\n\
                assert(tryall_supported_link_arguments == ['-fuse-ld=gold'])\n\
                assert(cc.has_link_argument('-fuse-ld=no-such-linker'))\n";
    let change = |command: &mut std::process::Command| {
        command.env("CC", need("clang")).env("CC_LD", "gold");
    };
    holds(text, change, &mesons());
}

#[test]
fn a_missing_newline_at_the_end_of_the_source() {
    let asked = "tryall_headers = ['stdio.h']\ntryall_functions = ['fork']\nsubdir('tryall')\n\
                 assert(tryall_answers['HAVE_STDIO_H'] and tryall_answers['HAVE_FORK'])\n";
    let change = |command: &mut std::process::Command| {
        command.env("CC", need("clang")).args(["-Dc_args=-Wnewline-eof -Werror"]);
    };
    let [new, old] = mesons();
    let text = format!("{asked}assert(cc.has_header('stdio.h') and cc.has_function('fork'))\n");
    holds(&text, change, &[new]);
    let text =
        format!("{asked}assert(not cc.has_header('stdio.h') and not cc.has_function('fork'))\n");
    holds(&text, change, &[old]);
}

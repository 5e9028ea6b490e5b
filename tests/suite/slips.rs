//! Likely mistakes: on the command line and in files, they are refused with a correction, or the
//! answer mentions what may be wrong with the check.

use crate::bad_input::assert_refused_at;
use crate::support::*;

#[test]
fn mistakes_on_the_command_line_are_refused() {
    for (args, place, told) in [
        (
            &["--compiler-flag=-Wall -Wextra"][..],
            "--compiler-flag -Wall -Wextra",
            "\"-Wall\", \"-Wextra\"",
        ),
        (&["--compiler-flag=Wall"], "--compiler-flag Wall", "write \"-Wall\""),
        (&["--compiler-flag=std=c11"], "--compiler-flag std=c11", "write \"-std=c11\""),
        (&["--library=libm.so"], "--library libm.so", "write \"m\""),
        (&["--library=-lm"], "--library -lm", "write \"m\""),
        (&["--library=libm.so:cos"], "--library libm.so:cos", "write \"m\""),
        (&["--compute-int=X==1"], "--compute-int X==1", "--compute-int NAME=X==1"),
        (&["--header=<stdio.h>"], "--header <stdio.h>", "write \"stdio.h\""),
        (
            &["--header-presence=#include <a.h>"],
            "--header-presence #include <a.h>",
            "write \"a.h\"",
        ),
        (&["--symbol=fork@<unistd.h>"], "--symbol fork@<unistd.h>", "write \"unistd.h\""),
        (&["--header=sys\\stat.h"], "--header sys\\stat.h", "write \"sys/stat.h\""),
        (&["--function=fork@a.h@b.h"], "--function fork@a.h@b.h", "write fork@a.h,b.h"),
        (&["--compute-int==1"], "--compute-int =1", "--compute-int NAME=1"),
        (&["--function=fork()"], "--function fork()", "write \"fork\""),
        (&["--member=struct stat"], "--member struct stat", "expected TYPE.MEMBER"),
        (&["--sizeof=sizeof(int)"], "--sizeof sizeof(int)", "write \"int\""),
        (&["--endian", "--arg=-O2 -g"], "--arg -O2 -g", "\"-O2\", \"-g\""),
        (&["--endian", "--arg=-I include"], "--arg -I include", "\"-I\", \"include\""),
        (&["--endian", "--link-arg=-lm -lrt"], "--link-arg -lm -lrt", "\"-lm\", \"-lrt\""),
        (&["--endian", "--include-dir=-Isrc"], "--include-dir -Isrc", "write \"src\""),
        (&["--endian", "--include=<a.h>"], "--include <a.h>", "write \"a.h\""),
    ] {
        let refusal = Call::new([&["check"], args].concat()).run().refusal();
        let message = refusal["message"].as_str().unwrap();
        assert!(message.contains(told), "{args:?}: {message}");
        assert_eq!(refusal["path"], place, "{args:?}");
    }
}

#[test]
fn mistakes_in_files_are_refused() {
    for (fields, path, told) in [
        ("\"kind\": \"header\", \"header\": ¦\"<a.h>\"", "header", "write \"a.h\""),
        ("\"kind\": \"endian\", \"headers\": [¦\"<a.h>\"]", "headers[0]", "write \"a.h\""),
        ("\"kind\": \"symbol\", \"symbol\": ¦\"fork unistd.h\"", "symbol", "more than one name"),
        ("\"kind\": \"function\", \"function\": ¦\"f()\"", "function", "write \"f\""),
        ("\"kind\": \"library\", \"library\": ¦\"libz.a\"", "library", "write \"z\""),
        ("\"kind\": \"sizeof\", \"type\": ¦\"sizeof(int)\"", "type", "write \"int\""),
        (
            "\"kind\": \"member\", \"type\": \"struct s\", \"member\": ¦\".m\"",
            "member",
            "write \"m\"",
        ),
        ("\"kind\": \"compute_int\", \"expression\": ¦\"=1\"", "expression", "equals sign"),
        ("\"kind\": \"compiler_flag\", \"flags\": [¦\"-O2 -g\"]", "flags[0]", "\"-O2\", \"-g\""),
        ("\"kind\": \"compiler_flag\", \"flags\": [¦\"O2\"]", "flags[0]", "write \"-O2\""),
        ("\"kind\": \"endian\", \"args\": [\"-O2\", ¦\"-O2 -g\"]", "args[1]", "\"-O2\", \"-g\""),
        ("\"kind\": \"endian\", \"link_args\": [¦\"-l m\"]", "link_args[0]", "\"-l\", \"m\""),
        ("\"kind\": \"endian\", \"include_dirs\": [¦\"-Ia\"]", "include_dirs[0]", "write \"a\""),
    ] {
        let text = format!("{{\"checks\": [{{\"id\": \"A\",\n {fields}}}]}}");
        assert_refused_at(&text, Some(&format!("checks[0].{path}")), told);
    }
    assert_refused_at(
        "{\"toolchains\": {\"x\": {\"args\": [¦\"-O2 -g\"]}}, \"checks\": []}",
        Some("toolchains.x.args[0]"),
        "\"-O2\", \"-g\"",
    );
}

#[test]
fn values_that_only_look_like_mistakes_are_accepted() {
    need("gcc");
    let ran = Call::new([
        "check",
        "--compiler=gcc",
        "--library=FILE=:libc.so.6",
        "--library=IN_FILE=:libm.so.6:cos",
        "--compute-int=A=1==1",
        "--compute-int=N=X",
        "--compiler-flag=HAVE_C11=-std=c11",
        "--arg=-DX=1 + 2",
    ])
    .run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    for id in ["FILE", "IN_FILE", "A", "N", "HAVE_C11"] {
        assert_eq!(ran.answer(id), "yes", "{ran:?}");
    }
}

#[test]
fn a_no_without_any_header_mentions_that() {
    need("gcc");
    let ran = Call::new([
        "check",
        "--compiler=gcc",
        "--symbol=fork",
        "--symbol=__GNUC__",
        "--symbol=NOT_THERE=fork@stdio.h",
        "--type=size_t",
    ])
    .run();
    assert_eq!(ran.code(), 0, "{ran:?}");
    for id in ["HAVE_FORK", "HAVE_SIZE_T"] {
        let result = ran.result(id);
        assert_eq!(result["status"], "no", "{result}");
        assert!(result["reason"].as_str().unwrap().starts_with("no header was given"), "{result}");
    }
    assert_eq!(ran.stderr, "", "the results have told it");
    let checks = ["check", "--compiler=gcc", "--symbol=fork", "--symbol=NO=fork@stdio.h"];
    let typed = Call::new(checks).args(&["--format", "keyval"]).run();
    assert_eq!(typed.stdout, "HAVE_FORK=0\nNO=0\n");
    assert!(typed.stderr.starts_with("tryall: HAVE_FORK: no header was given"), "{typed:?}");
    assert_eq!(typed.stderr.lines().count(), 1, "{typed:?}");
    assert_eq!(ran.answer("HAVE___GNUC__"), "yes");
    let other = ran.result("NOT_THERE")["reason"].to_string();
    assert!(!other.contains("no header"), "{other}");
}

#[test]
fn conflicting_ids_come_with_a_remedy() {
    for (args, told) in [
        (["--symbol=fork@unistd.h", "--function=fork"], "as in --function NAME=fork"),
        (["--function=fork", "--symbol=fork@unistd.h"], "as in --symbol NAME=fork@unistd.h"),
        (["--endian", "--endian"], "as in --endian NAME"),
        (["--endian=A", "--sizeof=A=int"], "as in --sizeof NAME=int"),
    ] {
        let refusal = Call::new([&["check"][..], &args].concat()).run().refusal();
        let message = refusal["message"].as_str().unwrap();
        assert!(message.ends_with(told), "{message}");
    }
}

#[test]
fn a_call_without_a_command_gets_a_suggestion() {
    for (args, told) in [
        (&["--header", "stdio.h"][..], "'tryall check --header stdio.h'"),
        (&["batch.json"], "'tryall check batch.json'"),
        (&["-j4", "batch.json"], "'tryall check -j4 batch.json'"),
        (&["Cargo.toml", "--format", "header"], "'tryall check Cargo.toml --format header'"),
        (&["chek"], "exists: 'check'\n"),
        (&["chek", "batch.json"], "exists: 'check'\n"),
    ] {
        let ran = Call::new(args).run();
        assert_eq!((ran.code(), ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("schema"), "{args:?}: {}", ran.stderr);
    }
    let refusal = Call::new(["check", "stdio.h"]).run().refusal();
    assert!(refusal["message"].as_str().unwrap().ends_with("write --header stdio.h"), "{refusal}");
    let unknown = Call::new(["nothing-like-it"]).run();
    assert!(!unknown.stderr.contains("tip"), "{unknown:?}");
}

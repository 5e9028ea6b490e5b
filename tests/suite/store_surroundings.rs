//! Answers that rest on more than files: errors, permissions, open files, directories, the clock.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::store::{Place, of, of_gcc, program};
use crate::support::*;

/// A check for a program with these arguments.
fn compiles(args: &[&str]) -> Value {
    json!({"id": "A", "kind": "compiles", "source": "int main(void) { return 0; }", "args": args})
}

fn pair(answer: &Value) -> [&str; 2] {
    ["status", "how"].map(|field| answer[field].as_str().unwrap())
}

#[test]
fn file_in_the_place_of_a_missing_directory_is_a_change() {
    let place = Place::new();
    let parent = place.path("x");
    let dir = format!("-I{}", parent.join("y").display());
    // A missing directory is ignored, but not one below a file.
    assert_eq!(pair(&place.ask_one(compiles(&[&dir]))), ["yes", "run"]);
    assert_eq!(pair(&place.ask_one(compiles(&[&dir]))), ["yes", "stored"]);
    write(place.path("").as_path(), "x", "");
    assert_eq!(pair(&place.ask_one(compiles(&[&dir]))), ["no", "run"]);
}

#[test]
fn umask_is_part_of_the_question() {
    let place = Place::new();
    let wrapper = program(
        &place.path("cc"),
        &format!(
            "#!/bin/sh\n[ \"$(umask)\" = 0077 ] && exec {0} \"$@\"\nexec {0} -DX \"$@\"\n",
            need("gcc")
        ),
    );
    let product = place.path("product");
    let request = json!({"toolchains": {"c": {"command": [wrapper]}}, "checks": [
        {"id": "X", "kind": "compute_int", "expression": "X + 0"},
        {"id": "P", "kind": "links", "source": "int main(void) { return 0; }",
         "product": product},
    ]});
    let file = write(place.path("").as_path(), "request.json", &request.to_string());
    let ask = |mask: &str| {
        let call = format!("umask {mask} && exec {} check {}", TRYALL, file.display());
        let output =
            Command::new("sh").args(["-c", &call]).env("TRYALL_STORE", place.store()).output();
        let response: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&product).unwrap().permissions().mode() & 0o777;
        (response["results"][0]["status"].clone(), mode)
    };
    assert_eq!(ask("022"), (json!("yes"), 0o755));
    fs::remove_file(&product).unwrap();
    assert_eq!(ask("077"), (json!("no"), 0o700));
    fs::remove_file(&product).unwrap();
    assert_eq!(ask("022"), (json!("yes"), 0o755));
}

#[test]
fn what_an_open_file_says_is_not_kept() {
    let place = Place::new();
    let check = json!({"id": "A", "kind": "compute_int", "expression": "ONE", "args": ["-include", "/dev/fd/9"]});
    let file = write(place.path("").as_path(), "request.json", &of_gcc(&[check]).to_string());
    for value in [1, 2] {
        let header = write(
            place.path("").as_path(),
            &format!("{value}.h"),
            &format!("#define ONE {value}\n"),
        );
        let call = format!("exec {} check {} 9<{}", TRYALL, file.display(), header.display());
        let output =
            Command::new("sh").args(["-c", &call]).env("TRYALL_STORE", place.store()).output();
        let response: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        assert_eq!(response["results"][0]["value"], value, "{response}");
    }
    assert!(place.why().contains("open file"), "{}", place.why());
}

#[test]
fn answers_do_not_depend_on_the_callers_directory() {
    let place = Place::new();
    let ask = |name: &str| {
        let dir = place.path(name);
        fs::create_dir(&dir).unwrap();
        let request = of_gcc(&[compiles(&["-g"])]).to_string();
        let call = place.call(&["check", "-"]).env("PWD", &dir).env("OLDPWD", place.path(""));
        call.dir(&dir).run_with(request.as_bytes()).result("A")
    };
    assert_eq!(pair(&ask("one")), ["yes", "run"]);
    assert_eq!(pair(&ask("two")), ["yes", "stored"]);
}

#[test]
fn program_that_is_only_called_gcc_may_read_any_variable() {
    let place = Place::new();
    let source = format!(
        "#include <string.h>\n#include <unistd.h>\nextern char **environ;\n\
         int main(int n, char **v)\n{{\n  char *all[99] = {{\"gcc\"}};\n  int at = 1;\n\
           for (char **e = environ; *e; e++) if (!strncmp(*e, \"FLAG=\", 5)) all[at++] = *e + 5;\n\
           for (int i = 1; i < n; i++) all[at++] = v[i];\n  return execvp(\"{}\", all);\n}}\n",
        need("gcc")
    );
    let file = write(place.path("").as_path(), "gcc.c", &source);
    let wrapper = place.path("gcc");
    let built = Command::new(need("gcc")).arg(file).arg("-o").arg(&wrapper).status().unwrap();
    assert!(built.success());
    let check = json!({"id": "A", "kind": "compute_int", "expression": "X + 0"});
    let request = of(&[wrapper.to_str().unwrap()], check).to_string();
    let ask = |flag: &str| {
        place.call(&["check", "-"]).env("FLAG", flag).run_with(request.as_bytes()).result("A")
    };
    let first = ask("-DX=1");
    assert_eq!(first["value"], 1, "{first}");
    let second = ask("-DX=2");
    assert_eq!(second["value"], 2, "{second}");
    assert_eq!(pair(&ask("-DX=1")), ["yes", "stored"]);
}

#[test]
fn program_that_asks_for_the_time_is_not_believed_later() {
    let place = Place::new();
    let wrapper = program(
        &place.path("cc"),
        &format!(
            "#!/bin/sh\nset -- -DDAY=$(date +%j | sed s/^0*//) \"$@\"\nexec {} \"$@\"\n",
            need("gcc")
        ),
    );
    let check = json!({"id": "A", "kind": "compute_int", "expression": "DAY"});
    for _ in 0..2 {
        assert_eq!(pair(&place.ask(&of(&[&wrapper], check.clone())).result("A")), ["yes", "run"]);
    }
    assert!(place.why().contains("asks for the time"), "{}", place.why());
}

//! The store of answers: what is kept, what is not, and when an answer no longer holds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::processes::starts;
use crate::support::*;

/// A store of its own, with a directory for the files of a test beside it.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(place.path("tmp")).unwrap();
        place
    }

    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// A path beside the store.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `tryall` with this store.
    pub fn call(&self, args: &[&str]) -> Call {
        // Shells look at the directories above their own.
        Call::new(args).env("TRYALL_STORE", self.store()).env("TMPDIR", self.path("tmp"))
    }

    /// Runs a request.
    pub fn ask(&self, request: &Value) -> Ran {
        self.call(&["check", "-"]).run_with(request.to_string().as_bytes())
    }

    /// Runs one check called A, with gcc.
    pub fn ask_one(&self, check: Value) -> Value {
        self.ask(&of_gcc(&[check])).result("A")
    }

    /// `tryall store` with these arguments.
    pub fn tool(&self, args: &[&str]) -> Ran {
        self.call(&["store"]).args(args).run()
    }

    /// What `tryall why A` says.
    pub fn why(&self) -> String {
        let ran = self.call(&["why", "A"]).run();
        assert_eq!(ran.code(), 0, "{ran:?}");
        ran.stdout
    }
}

/// A request for gcc.
pub fn of_gcc(checks: &[Value]) -> Value {
    json!({"timeout": PATIENCE, "toolchains": {"c": {"command": [need("gcc")]}}, "checks": checks})
}

/// A request with one check of another compiler.
pub fn of(compiler: &[&str], check: Value) -> Value {
    json!({"timeout": PATIENCE, "toolchains": {"c": {"command": compiler}}, "checks": [check]})
}

/// A check for the size of a type.
pub fn size() -> Value {
    json!({"id": "A", "kind": "sizeof", "type": "long"})
}

/// Writes a program.
pub fn program(path: &Path, text: &str) -> String {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().into()
}

/// Everything of an answer that does not depend on when it was given.
fn lasting(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for field in ["how", "duration_ms"] {
        answer.as_object_mut().unwrap().remove(field);
    }
    answer
}

#[test]
fn second_time_no_compiler_is_started() {
    let place = Place::new();
    let request: Value = serde_json::from_str(&read("examples/posix.json")).unwrap();
    let [first, second] = [(); 2].map(|()| place.ask(&request).json());
    assert_eq!(first["summary"]["stored"], 0);
    // Only the compiled programs run again.
    let checks = request["checks"].as_array().unwrap();
    let programs = checks.iter().filter(|check| check["kind"] == "runs").count();
    assert_eq!(second["summary"]["processes"], programs);
    let results = |response: &Value| response["results"].as_array().unwrap().clone();
    let mut stored = 0;
    for (was, is) in std::iter::zip(results(&first), results(&second)) {
        assert_eq!(lasting(&was), lasting(&is));
        let check = checks.iter().find(|check| check["id"] == is["id"]).unwrap();
        if check["kind"] != "runs" && is["status"] != "skipped" {
            assert_eq!(is["how"], "stored", "{is}");
            stored += 1;
        }
    }
    assert!(stored > 150);
    assert_eq!(second["summary"]["stored"], stored);
}

#[test]
fn equal_checks_and_needs_work_with_stored_answers() {
    let place = Place::new();
    let header = |id: &str, name: &str| json!({"id": id, "kind": "header", "header": name});
    let mut skipped = header("SKIPPED", "stdio.h");
    skipped["needs"] = json!(["NO"]);
    let mut needed = header("NEEDED", "stdlib.h");
    needed["needs"] = json!(["YES"]);
    let checks = [
        header("YES", "stdio.h"),
        header("SAME", "stdio.h"),
        header("NO", "no/such.h"),
        skipped,
        needed,
    ];
    let [first, second] = [(); 2].map(|()| place.ask(&of_gcc(&checks)));
    for id in ["YES", "SAME", "NO", "SKIPPED", "NEEDED"] {
        assert_eq!(lasting(&first.result(id)), lasting(&second.result(id)));
    }
    for id in ["YES", "NO", "NEEDED"] {
        assert_eq!(second.result(id)["how"], "stored");
    }
    assert_eq!(second.json()["summary"]["processes"], 0);
}

#[test]
fn without_a_store_nothing_is_kept() {
    let place = Place::new();
    let request = of_gcc(&[size()]);
    for _ in 0..2 {
        for (args, store) in [(&["--no-store"][..], None), (&[], Some("off"))] {
            let mut call = place.call(&["check", "-"]).args(args);
            if let Some(store) = store {
                call = call.env("TRYALL_STORE", store);
            }
            let ran = call.run_with(request.to_string().as_bytes());
            assert_eq!(ran.result("A")["how"], "run");
            assert!(!place.store().exists());
        }
    }
    let ran = Call::new(["store", "stats"]).env("TRYALL_STORE", "off").run();
    assert_eq!(
        (ran.code(), ran.stderr.as_str()),
        (2, "tryall: there is no store: it is turned off\n")
    );
}

#[test]
fn verify_asks_the_compiler() {
    let place = Place::new();
    let request = of_gcc(&[size()]).to_string();
    let verified = || place.call(&["check", "-", "--verify"]).run_with(request.as_bytes());
    for ran in [verified(), verified()] {
        assert_eq!(ran.code(), 0, "{ran:?}");
        assert_ne!(ran.json()["summary"]["processes"], 0);
    }
}

#[test]
fn errors_are_not_kept() {
    let place = Place::new();
    let log = place.path("log");
    let logged = format!("--fake-log={}", log.display());
    for request in ["--fake-crash", "--fake-signal=11", "--fake-hang", "--fake-lie", "--fake-fill"]
    {
        let check = json!({"id": "A", "kind": "compiles", "source": "x", "args": [request, logged],
                           "timeout": 3});
        for _ in 0..2 {
            let before = starts(&log);
            let ran = place.ask(&of(&[&fakecc()], check.clone()));
            assert_eq!(ran.answer("A"), "error", "{ran:?}");
            assert_ne!(ran.result("A")["how"], "stored");
            assert!(starts(&log) > before, "{request}");
        }
    }
}

#[test]
fn sources_of_a_time_or_place_are_not_kept() {
    for word in ["__FILE__", "__DATE__", "__TIME__", "__TIMESTAMP__", "__BASE_FILE__"] {
        let place = Place::new();
        let source = format!("const char *a = {word};\n");
        let file = place.path("source.c");
        fs::write(&file, &source).unwrap();
        for check in [
            json!({"id": "A", "kind": "compiles", "source": source}),
            json!({"id": "A", "kind": "compiles", "file": file}),
        ] {
            for _ in 0..2 {
                let answer = place.ask_one(check.clone());
                assert_eq!((&answer["status"], &answer["how"]), (&json!("yes"), &json!("run")));
            }
            let why = place.why();
            assert!(why.contains(&format!("not kept   its source contains {word}")), "{why}");
        }
    }
}

/// Writes a file again, so that it is another one.
fn write_again(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    fs::write(path, text).unwrap();
}

#[test]
fn source_files_count_by_their_contents() {
    let place = Place::new();
    let file = place.path("it.c");
    let ask = |text: &str| {
        write_again(&file, text);
        let answer = place.ask_one(json!({"id": "A", "kind": "compiles", "file": &file}));
        let text = |field: &str| answer[field].as_str().unwrap().to_owned();
        (text("status"), text("how"))
    };
    let is = |status: &str, how: &str| (status.to_owned(), how.to_owned());
    let (good, bad) = ("#include \"it.h\"\nint one;\n", "#include \"it.h\"\nint 1;\n");
    assert_eq!(ask(good), is("no", "run"));
    // What the file includes is looked for beside it.
    fs::write(place.path("it.h"), "").unwrap();
    for how in ["run", "stored", "stored"] {
        assert_eq!(ask(good), is("yes", how));
        assert_eq!(ask(bad), is("no", how));
    }
    // The file has the contents of the second answer now.
    let verified = place.tool(&["verify"]).stdout;
    assert!(verified.starts_with("1 answers asked again, 0 differ"), "{verified}");
    let why = place.why();
    assert!(
        ["was changed", "is another file"].iter().any(|it| why.contains(&format!("it.c {it}"))),
        "{why}"
    );
    fs::write(place.path("it.h"), "int two = 1 +;").unwrap();
    assert_eq!(ask(good), is("no", "run"));
}

#[test]
fn scripts_may_compare_the_times_of_source_files() {
    let place = Place::new();
    let file = place.path("it.c");
    let script = format!("#!/bin/sh\n[ {0} -nt {0}.old ]; exec gcc \"$@\"\n", file.display());
    let compiler = program(&place.path("cc"), &script);
    let request = of(&[&compiler], json!({"id": "A", "kind": "compiles", "file": &file}));
    write_again(&file, "int one;\n");
    for how in ["run", "stored"] {
        assert_eq!(place.ask(&request).result("A")["how"], how);
    }
    write_again(&file, "int one;\n");
    assert_eq!(place.ask(&request).result("A")["how"], "run");
}

#[test]
fn caches_and_servers_before_the_compiler_are_not_kept() {
    let place = Place::new();
    let gcc = need("gcc");
    for name in ["ccache", "sccache", "distcc"] {
        let launcher = program(&place.path(name), "#!/bin/sh\nexec \"$@\"\n");
        for _ in 0..2 {
            let ran = place.ask(&of(&[&launcher, &gcc], size()));
            assert_eq!(ran.result("A")["how"], "run", "{ran:?}");
        }
        let why = place.why();
        assert!(why.contains("not kept") && why.contains(name), "{why}");
    }
}

#[test]
fn static_compilers_are_not_kept() {
    let place = Place::new();
    let source = "#include <unistd.h>\n\
                  int main(int c, char **v) { (void)c; v[0] = \"gcc\"; execvp(\"gcc\", v); return 1; }\n";
    fs::write(place.path("cc.c"), source).unwrap();
    let compiler = place.path("static-cc");
    let mut gcc = Command::new(need("gcc"));
    gcc.arg("-static").arg(place.path("cc.c")).arg("-o").arg(&compiler);
    assert!(gcc.status().unwrap().success());
    for _ in 0..2 {
        let ran = place.ask(&of(&[compiler.to_str().unwrap()], size()));
        assert_eq!((ran.answer("A").as_str(), &ran.result("A")["how"]), ("yes", &json!("run")));
    }
    let why = place.why();
    assert!(why.contains("not kept") && why.contains("static"), "{why}");
}

#[test]
fn scripts_rest_on_the_whole_environment() {
    let place = Place::new();
    let text = "#!/bin/sh\nexec gcc -DVALUE=\"${CHOSEN:-1}\" \"$@\"\n";
    let wrapper = program(&place.path("cc"), text);
    let check = json!({"id": "A", "kind": "compute_int", "expression": "VALUE"});
    let request = of(&[&wrapper], check).to_string();
    let ask = |chosen: Option<&str>| {
        let mut call = place.call(&["check", "-"]);
        if let Some(chosen) = chosen {
            call = call.env("CHOSEN", chosen);
        }
        let answer = call.run_with(request.as_bytes()).result("A");
        (answer["value"].as_i64().unwrap(), answer["how"].as_str().unwrap().to_owned())
    };
    assert_eq!(ask(None), (1, "run".into()));
    assert_eq!(ask(Some("2")), (2, "run".into()));
    // Both are kept.
    assert_eq!(ask(None), (1, "stored".into()));
    assert_eq!(ask(Some("2")), (2, "stored".into()));
    program(&place.path("cc"), &text.replace(":-1", ":-3"));
    assert_eq!(ask(None), (3, "run".into()));
}

/// A script of bash asks for the names of the machine, and what the system knows of the user.
#[test]
fn scripts_of_bash_are_kept() {
    let place = Place::new();
    let text = "#!/bin/bash\nargs=(-DVALUE=\"${CHOSEN:-1}\" \"$@\")\nexec gcc \"${args[@]}\"\n";
    let wrapper = program(&place.path("cc"), text);
    let check = json!({"id": "A", "kind": "compute_int", "expression": "VALUE"});
    let request = of(&[&wrapper], check).to_string();
    let ask = |chosen: &str| {
        let call = place.call(&["check", "-"]).env("CHOSEN", chosen);
        let answer = call.run_with(request.as_bytes()).result("A");
        (answer["value"].as_i64().unwrap(), answer["how"].as_str().unwrap().to_owned())
    };
    assert_eq!(ask("1"), (1, "run".into()));
    assert_eq!(ask("2"), (2, "run".into()));
    assert_eq!(ask("1"), (1, "stored".into()), "{}", place.why());
    let files = place.call(&["why", "--full", "A"]).run().stdout;
    assert!(files.contains("  the name or kernel of the machine\n"), "{files}");
    assert!(files.contains("  the variable CHOSEN\n"), "{files}");
    program(&place.path("cc"), &text.replace("gcc", "gcc -DOTHER"));
    assert_eq!(ask("1"), (1, "run".into()));
}

/// A catalog of messages with one of them, in the format of gettext.
fn catalog(text: u8, translated: u8) -> Vec<u8> {
    // After the number of messages: where the texts and their translations are.
    let head: [u32; 11] = [0x9504_12de, 0, 1, 28, 36, 0, 44, 1, 44, 1, 46];
    let head = head.iter().flat_map(|word| word.to_ne_bytes());
    head.chain([text, 0, translated, 0]).collect()
}

#[test]
fn messages_that_are_installed_later_are_found() {
    let place = Place::new();
    let dir = place.path("languages");
    let text = format!(
        "#!/bin/bash\nTEXTDOMAIN=own\nTEXTDOMAINDIR={}\nexec gcc -DVALUE=$\"1\" \"$@\"\n",
        dir.display()
    );
    let wrapper = program(&place.path("cc"), &text);
    let mut request =
        of(&[&wrapper], json!({"id": "A", "kind": "compute_int", "expression": "VALUE"}));
    request["toolchains"]["c"]["env"] = json!({"LC_ALL": "en_US.UTF-8", "LANGUAGE": "xx:yy"});
    let ask = || {
        let answer = place.ask(&request).result("A");
        (answer["value"].as_i64().unwrap(), answer["how"].as_str().unwrap().to_owned())
    };
    let install = |language: &str, value: u8| {
        let dir = dir.join(language).join("LC_MESSAGES");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("own.mo"), catalog(b'1', value)).unwrap();
        // What has just changed could change again unnoticed.
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert_eq!(ask(), (1, "run".into()));
    assert_eq!(ask(), (1, "stored".into()), "{}", place.why());
    install("yy", b'2');
    assert_eq!(ask(), (2, "run".into()), "tests/install makes the locale en_US.UTF-8");
    assert_eq!(ask(), (2, "stored".into()), "{}", place.why());
    install("xx", b'3');
    assert_eq!(ask(), (3, "run".into()));
    install("xx", b'4');
    assert_eq!(ask(), (4, "run".into()));
    assert_eq!(ask(), (4, "stored".into()), "{}", place.why());
}

#[test]
fn products_come_from_the_store() {
    let place = Place::new();
    let source = "#include <stdio.h>\nint main(void) { return puts(\"made\") < 0; }\n";
    let product = place.path("product");
    for kind in ["links", "compiles"] {
        let check = json!({"id": "A", "kind": kind, "source": source, "product": product});
        let of_file = || {
            let mode = fs::metadata(&product).unwrap().permissions().mode();
            (fs::read(&product).unwrap(), mode)
        };
        assert_eq!(place.ask_one(check.clone())["how"], "run");
        let made = of_file();
        fs::remove_file(&product).unwrap();
        assert_eq!(place.ask_one(check.clone())["how"], "stored");
        assert_eq!(of_file(), made);
        // Over another file, and by another name.
        fs::write(&product, "old").unwrap();
        assert_eq!(place.ask_one(check.clone())["how"], "stored");
        assert_eq!(of_file().0, made.0);
        let mut elsewhere = check.clone();
        elsewhere["product"] = json!(place.path("elsewhere"));
        assert_eq!(place.ask_one(elsewhere)["how"], "stored");
        assert_eq!(fs::read(place.path("elsewhere")).unwrap(), made.0);
        // Without a product, it is another question.
        let mut without = check;
        without.as_object_mut().unwrap().remove("product");
        assert_eq!(place.ask_one(without)["status"], "yes");
        fs::remove_file(&product).unwrap();
    }
}

#[test]
fn product_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    let mut check = json!({"id": "A", "kind": "compiles", "source": "int a;\n",
                           "product": place.path("product")});
    assert_eq!(place.ask_one(check.clone())["status"], "yes");
    check["product"] = json!(place.path("no/such/directory"));
    let answer = place.ask_one(check);
    assert_eq!(
        (&answer["status"], &answer["code"]),
        (&json!("error"), &json!("product_not_copied"))
    );
}

#[test]
fn programs_are_kept_and_run_each_time() {
    let place = Place::new();
    let side = place.path("runs");
    let source = format!(
        "#include <stdio.h>\nint main(void) {{\n  FILE *f = fopen(\"{}\", \"a\");\n  \
         fputs(\"run\\n\", f);\n  return fclose(f);\n}}\n",
        side.display()
    );
    let compiler = need("gcc");
    let check = json!({"id": "A", "kind": "runs", "source": source});
    for times in 1..=3 {
        let ran = place.ask(&of(&[&compiler], check.clone()));
        assert_eq!(ran.answer("A"), "yes", "{ran:?}");
        assert_eq!(fs::read_to_string(&side).unwrap().lines().count(), times);
        if times > 1 {
            // The program, and nothing else.
            assert_eq!(ran.json()["summary"]["processes"], 1, "{ran:?}");
            assert_eq!(ran.result("A")["value"]["exit_status"], 0);
        }
    }
    // A program that does not compile is not run.
    let broken = json!({"id": "A", "kind": "runs", "source": "no C\n"});
    for how in ["run", "stored"] {
        let answer = place.ask(&of(&[&compiler], broken.clone())).result("A");
        assert_eq!((&answer["status"], &answer["how"]), (&json!("no"), &json!(how)));
    }
}

#[test]
fn what_is_installed_later_is_found() {
    let place = Place::new();
    let dir = place.path("include");
    let check = json!({"id": "A", "kind": "header", "header": "later.h", "include_dirs": [dir]});
    let ask = || {
        let answer = place.ask_one(check.clone());
        (answer["status"].as_str().unwrap().to_owned(), answer["how"].as_str().unwrap().to_owned())
    };
    let is = |status: &str, how: &str| (status.to_owned(), how.to_owned());
    assert_eq!(ask(), is("no", "run"));
    assert_eq!(ask(), is("no", "stored"));
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("later.h"), "").unwrap();
    assert_eq!(ask(), is("yes", "run"));
    assert_eq!(ask(), is("yes", "stored"));
    fs::remove_file(dir.join("later.h")).unwrap();
    assert_eq!(ask().0, "no");
    // Where it was missing from the beginning, the first answer is true again.
    fs::remove_dir(&dir).unwrap();
    assert_eq!(ask(), is("no", "stored"));
}

#[test]
fn a_stored_no_needs_arguments_that_still_work() {
    let place = Place::new();
    let map = place.path("map");
    fs::write(&map, "V { local: *; };\n").unwrap();
    // The check itself never gets to the linker, but the empty program does.
    let script = format!("-Wl,--version-script={}", map.display());
    let check = json!({"id": "A", "kind": "symbol", "symbol": "x", "headers": ["no/such.h"],
                       "link_args": [script]});
    assert_eq!(place.ask_one(check.clone())["status"], "no");
    let again = place.ask(&of_gcc(std::slice::from_ref(&check)));
    assert_eq!((again.answer("A").as_str(), &again.result("A")["how"]), ("no", &json!("stored")));
    assert_eq!(again.json()["summary"]["processes"], 0);
    fs::write(&map, "nonsense\n").unwrap();
    let broken = place.ask_one(check.clone());
    assert_eq!((&broken["code"], &broken["how"]), (&json!("arguments_refused"), &json!("run")));
    fs::write(&map, "V { local: *; };\n").unwrap();
    assert_eq!(place.ask_one(check)["status"], "no");
}

#[test]
fn a_stored_no_needs_a_toolchain_that_still_works() {
    let place = Place::new();
    fs::create_dir(place.path("tools")).unwrap();
    let linker = place.path("tools/ld");
    program(&linker, "#!/bin/sh\nexec ld \"$@\"\n");
    let dir = format!("-B{}/", place.path("tools").display());
    let check = json!({"id": "A", "kind": "symbol", "symbol": "x", "headers": ["no/such.h"]});
    let ask = || place.ask(&of(&["gcc", &dir], check.clone())).result("A");
    assert_eq!(ask()["status"], "no");
    assert_eq!(ask()["how"], "stored");
    program(&linker, "#!/bin/sh\nexit 1\n");
    assert_eq!(ask()["code"], "toolchain_broken");
    program(&linker, "#!/bin/sh\nexec ld \"$@\"\n");
    assert_eq!(ask()["status"], "no");
}

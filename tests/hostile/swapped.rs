//! Compilers that are replaced or deleted while the batch runs, and files that are not compilers.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::batch::*;
use crate::call::Workspace;
use crate::processes::comes_true;
use crate::sandbox;
use crate::support::*;
use crate::table::{Fault, Row};

const fn fault(name: &'static str, make: fn(&mut Row)) -> Fault {
    Fault::new("compiler", name, "shell", make)
}

/// Their part of the table.
pub const FAULTS: &[Fault] = &[
    fault("replaced while the batch runs by one that refuses all", |row| {
        replaced(row, "#!/bin/sh\necho 'conftest.c:1:1: error: nope'\nexit 1\n");
    }),
    fault("replaced while the batch runs by one that takes all", |row| replaced(row, TAKES_ALL)),
    fault("written over while the batch runs", overwritten),
    fault("deleted while the batch runs", deleted),
    fault("a script without a shebang", |row| no_compiler(row, "exit 1\n", 0o755)),
    fault("a script whose interpreter is missing", |row| {
        no_compiler(row, "#!/no/such/interpreter\n", 0o755);
    }),
    fault("not executable", |row| no_compiler(row, "#!/bin/sh\nexit 0\n", 0o644)),
    fault("an empty file", |row| no_compiler(row, "", 0o755)),
    fault("not there", |row| {
        row_of(row, &Workspace::new(), Path::new("/no/such/compiler"));
    }),
    fault("a directory", |row| {
        let workspace = Workspace::new();
        let path = workspace.own("");
        row_of(row, &workspace, &path);
    }),
    fault("a link that leads nowhere, or in a circle", |row| {
        for target in ["/no/such/compiler", "cc"] {
            let workspace = Workspace::new();
            let path = workspace.own("cc");
            symlink(target, &path).unwrap();
            row_of(row, &workspace, &path);
        }
    }),
];

const TAKES_ALL: &str = "#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -o) printf '#!/bin/sh\\nexit 0\\n' >\"$2\"; chmod +x \"$2\";;
    -E) echo tryall_expanded;;
  esac
  shift
done
";

/// A compiler that runs gcc, a little slower, and records that it has started.
fn script(workspace: &Workspace) -> PathBuf {
    let path = workspace.own("cc");
    let log = workspace.own("begun");
    let text = format!("#!/bin/sh\necho >>'{}'\nsleep 0.02\nexec gcc \"$@\"\n", log.display());
    fs::write(&path, text).unwrap();
    sandbox::open_to_all(&path, 0o755);
    path
}

/// Runs batches whose compiler is replaced after this many starts.
fn meanwhile(row: &mut Row, change: &dyn Fn(&Workspace, &Path)) {
    let alone = [1, 5, 12].map(|after| (&["-j3", "--no-fuse"][..], after));
    // There are fewer starts if checks share commands.
    let shared = [1, 3].map(|after| (&["-j3"][..], after));
    for (args, after) in [&alone[..], &shared].concat() {
        let workspace = Workspace::new();
        let compiler = script(&workspace);
        let mut call = workspace.check(args);
        let child = call.start(small_request(compiler.to_str().unwrap()).to_string().as_bytes());
        let begun = || fs::read(workspace.own("begun")).map_or(0, |text| text.len());
        assert!(comes_true(|| begun() >= after));
        change(&workspace, &compiler);
        let ended = crate::call::wait(child, call.bound);
        row.look(&workspace, &ended, right_of_small());
    }
}

fn replaced(row: &mut Row, other: &str) {
    meanwhile(row, &|workspace, compiler| {
        let new = workspace.own("new");
        fs::write(&new, other).unwrap();
        sandbox::open_to_all(&new, 0o755);
        fs::rename(new, compiler).unwrap();
    });
}

fn overwritten(row: &mut Row) {
    meanwhile(row, &|_, compiler| {
        let other = "#!/bin/sh\necho 'conftest.c:1:1: error: nope'\nexit 1\n";
        // Not in the moment in which it is started.
        assert!(comes_true(|| fs::write(compiler, other).is_ok()));
    });
}

fn deleted(row: &mut Row) {
    meanwhile(row, &|_, compiler| fs::remove_file(compiler).unwrap());
}

fn no_compiler(row: &mut Row, text: &str, mode: u32) {
    let workspace = Workspace::new();
    let path = workspace.own("cc");
    fs::write(&path, text).unwrap();
    sandbox::open_to_all(&path, mode);
    row_of(row, &workspace, &path);
}

/// Every check is an error, except those of a working compiler.
fn row_of(row: &mut Row, workspace: &Workspace, compiler: &Path) {
    let mut request = small_request(compiler.to_str().unwrap());
    let works = json!({"language": "c", "command": [need("gcc")]});
    request["toolchains"]["works"] = works;
    for check in request["checks"].as_array_mut().unwrap() {
        if check["id"].as_str().unwrap().ends_with("_F") {
            check["toolchain"] = json!("works");
        }
    }
    let ended = workspace.check(&["-j2"]).ask(&request);
    let before = row.right;
    row.look(workspace, &ended, right_of_small());
    if row.right - before != right_of_small().len() / 2 {
        row.wrong.push(format!("not the others alone were answered: {ended:?}"));
    }
}

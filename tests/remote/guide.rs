//! The commands of docs/fleet.md, as they stand there.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::machine::PATIENT;
use crate::servers::{free_port, wait_until};
use crate::support::{TRYALL, need, root, tools};

/// The blocks of a kind in the guide.
fn blocks(kind: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let start = format!("```{kind}\n");
    let blocks = text.split(&start).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Runs commands in a project, on a machine with this home.
fn run(commands: &str, project: &Path, home: &Path) -> String {
    let _ = fs::remove_dir_all(project.join("build"));
    let bin = Path::new(TRYALL).parent().unwrap();
    let path = format!("{}:{}:/usr/sbin:/usr/bin:/bin", bin.display(), tools().display());
    let mut command = Command::new("sh");
    command.args(["-ec", commands]).current_dir(project).env_clear().env("PATH", path);
    command.env("HOME", home).env("CMAKE_GENERATOR", "Ninja").env("TRYALL_REMOTE_WAIT", PATIENT);
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
    assert!(output.status.success(), "{commands}\n{text}");
    text
}

#[test]
fn a_fleet_comes_to_a_store_in_five_minutes() {
    need("redis-server");
    let project = tempfile::tempdir().unwrap();
    let list = "cmake_minimum_required(VERSION 3.20)\nproject(guide C)\n\
                include(CheckFunctionExists)\ncheck_function_exists(fork HAVE_FORK)\n";
    fs::write(project.path().join("CMakeLists.txt"), list).unwrap();
    let port = free_port().to_string();
    let commands = blocks("sh");
    let [server, writes, reads] = [0, 1, 2].map(|at| commands[at].replace("7000", &port));
    let home = tempfile::tempdir().unwrap();
    let pid = project.path().join("redis.pid");
    let server = format!("{} --pidfile {}", server.trim_end(), pid.display());
    run(&server, project.path(), home.path());
    wait_until("the server is there", || pid.exists());
    // The job that writes has made its first check itself.
    for _ in 0..2 {
        run(&writes, project.path(), home.path());
    }
    wait_until("another machine is given answers", || {
        let fresh = tempfile::tempdir().unwrap();
        run(&reads, project.path(), fresh.path()).contains("answers came from redis://localhost")
    });
    let pid: i32 = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
}

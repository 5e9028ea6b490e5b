//! Real, unmodified projects, configured with and without cmake/TryallDropIn.cmake: the cache, all
//! generated files and the output must be the same.

#[allow(dead_code, reason = "each part has use for some of it")]
mod cmake_harness;
#[path = "../support/summary.rs"]
mod summary;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "the suite uses all of it")]
mod support;

use std::path::{Path, PathBuf};

use cmake_harness::*;
use summary::Summary;
use support::*;

/// A project downloaded by tests/fetch. Its options are in tests/projects.json.
struct Project {
    name: &'static str,
    /// Whether CMake 3.25 can configure it.
    has_old: bool,
    /// Whether tryall answers any of its checks.
    has_known_checks: bool,
    /// Allowed differences. Each must occur with at least one CMake.
    explained: &'static [Explained],
}

/// An allowed difference.
struct Explained {
    place: Place,
    /// The name of the difference; a trailing `*` matches anything.
    name: &'static str,
    why: &'static str,
}

impl Explained {
    fn explains(&self, difference: &Difference) -> bool {
        self.place == difference.place
            && match self.name.strip_suffix('*') {
                Some(start) => difference.name.starts_with(start),
                None => difference.name == self.name,
            }
    }
}

fn drop_in() -> PathBuf {
    root().join("cmake/TryallDropIn.cmake")
}

fn is_configured_alike(project: &Project) {
    let name = project.name;
    let source = fetched(name);
    let options = listed().projects[name].clone();
    let new = venv("cmake");
    let old = PathBuf::from("/usr/bin/cmake");
    // One for each project: the old CMake if it can, so that both are used. tests/projects runs all
    // combinations.
    let mut setups = match project.has_old {
        true => vec![(&old, "Unix Makefiles")],
        false => vec![(&new, "Ninja")],
    };
    if std::env::var_os("TRYALL_EVERY_SETUP").is_some() {
        setups = vec![(&new, "Ninja"), (&new, "Unix Makefiles")];
        if project.has_old {
            setups.extend([(&old, "Ninja"), (&old, "Unix Makefiles")]);
        }
    }

    let mut wrong = Vec::new();
    let mut unused: Vec<_> = project.explained.iter().collect();
    for (cmake, generator) in setups {
        let setup = Setup { name, source: &source, options: &options, cmake, generator };
        let ours = setup.injected(&drop_in());
        let title = format!("{name}, {}, {generator}", cmake.display());
        match Summary::of(&ours.stdout) {
            Some(summary) if (summary.answered() > 0) == project.has_known_checks => {
                println!("{title}: {summary:?}");
            }
            other => wrong.push(format!("{title}: nothing went through tryall: {other:?}")),
        }
        for difference in differences(&setup.stock(), &ours) {
            if project.explained.iter().any(|explained| explained.explains(&difference)) {
                unused.retain(|explained| !explained.explains(&difference));
            } else {
                wrong.push(format!("{title}: {difference}"));
            }
        }
    }
    let unused = unused.iter().map(|explained| {
        let Explained { place, name: what, why } = explained;
        format!("{name}: {place:?} {what} does not differ any more ({why})")
    });
    wrong.extend(unused);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libarchive_configures_the_same() {
    is_configured_alike(&Project {
        name: "libarchive-3.6.2",
        has_old: true,
        has_known_checks: true,
        explained: &[],
    });
}

#[test]
fn c_ares_configures_the_same() {
    is_configured_alike(&Project {
        name: "c-ares-1.34.9",
        has_old: false,
        has_known_checks: true,
        explained: &[],
    });
}

#[test]
fn curl_configures_the_same() {
    is_configured_alike(&Project {
        name: "curl-7.88.1",
        has_old: true,
        has_known_checks: true,
        explained: &[],
    });
}

#[test]
fn zlib_ng_configures_the_same() {
    is_configured_alike(&Project {
        name: "zlib-ng-2.3.3",
        has_old: false,
        has_known_checks: true,
        explained: &[],
    });
}

#[test]
fn lapack_configures_the_same() {
    is_configured_alike(&Project {
        name: "lapack-3.11.0",
        has_old: false,
        has_known_checks: false,
        explained: &[],
    });
}

/// C and Fortran, with programs that run.
#[test]
fn hdf5_configures_the_same() {
    is_configured_alike(&Project {
        name: "hdf5-1.10.8+repack1",
        has_old: true,
        has_known_checks: true,
        explained: &[],
    });
}

/// The differences caused by including a file in a small project.
fn made_different(injected: &str, cmake: &Path) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "in.h", "#cmakedefine HAVE_STDIO_H\n");
    write(
        dir.path(),
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.20)\nproject(p C)\ninclude(CheckIncludeFile)\n\
         check_include_file(stdio.h HAVE_STDIO_H)\nconfigure_file(in.h config.h)\n\
         set(ENTRY one CACHE STRING \"help\")\n",
    );
    // CMake warns about an unused variable on its command line.
    let used = "set(_tryall_used \"${TRYALL_EXECUTABLE}\")\n";
    let file = write(dir.path(), "injected.cmake", &format!("{used}{injected}"));
    let name = "small";
    let setup = Setup { name, source: dir.path(), options: &[], cmake, generator: "Ninja" };
    let found = differences(&setup.alone(), &setup.injected(&file));
    found.iter().map(|difference| format!("{:?} {}", difference.place, difference.name)).collect()
}

#[test]
fn the_comparison_finds_exactly_the_differences() {
    for cmake in [venv("cmake"), "/usr/bin/cmake".into()] {
        assert_eq!(made_different("message(STATUS \"tryall: none\")\n", &cmake), [""; 0]);
        assert_eq!(
            made_different("set(ENTRY two CACHE STRING \"help\")\n", &cmake),
            ["Cache ENTRY"]
        );
        assert_eq!(
            made_different("set(ENTRY one CACHE STRING \"other\")\n", &cmake),
            ["Cache ENTRY"]
        );
        assert_eq!(
            made_different(
                "set(HAVE_STDIO_H \"\" CACHE INTERNAL \"Have include stdio.h\")\n",
                &cmake
            ),
            [
                "Cache HAVE_STDIO_H",
                "File config.h",
                "Stdout -- Looking for stdio.h",
                "Stdout -- Looking for stdio.h - found"
            ]
        );
        let failed = made_different("message(SEND_ERROR no)\n", &cmake);
        assert!(failed.contains(&"Status ".into()), "{failed:?}");
    }
}

#[test]
fn a_message_that_moved_is_found() {
    let saying = |stdout: &str| Configured { stdout: stdout.into(), ..Configured::default() };
    let stock = saying("-- one\n-- two\n-- Configuring done (0.1s)\n");
    let found = |ours: &str| differences_in_order(&stock, &saying(ours)).len();
    assert_eq!(found("-- one\n-- tryall: 2 checks\n-- two\n-- Configuring done (0.2s)\n"), 0);
    assert_eq!(found("-- two\n-- one\n-- Configuring done (0.1s)\n"), 1);
}

#[test]
fn the_summary_is_parsed() {
    let parsed = |line: &str| Summary::of(&format!("-- Looking for tryall\n{line}\n-- Done\n"));
    let counts = |[checks, stored, foreseen, asked, by_cmake]: [u32; 5]| {
        Some(Summary { checks, stored, foreseen, asked, by_cmake })
    };
    let all = "-- tryall: 164 checks: 120 stored, 30 foreseen, 12 asked, 2 by CMake; 1.2 s";
    assert_eq!(parsed(all), counts([164, 120, 30, 12, 2]));
    assert_eq!(parsed("-- tryall: 1 check: 1 stored; 0.1 s"), counts([1, 1, 0, 0, 0]));
    assert_eq!(parsed(""), None);
}

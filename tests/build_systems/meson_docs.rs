//! Every Meson snippet in docs/meson.md and README.md configures a project.

use std::fs;
use std::path::Path;

use crate::meson::{mesons, project, set_up};
use crate::support::*;

/// The code blocks of a document with a given word in their fence.
fn blocks(document: &str, mark: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, behind)) = rest.split_once(&format!("\n```{mark}\n")) {
        let (block, behind) = behind.split_once("\n```\n").expect("every block has an end");
        found.push(format!("{block}\n"));
        rest = behind;
    }
    found
}

#[test]
fn snippets_configure() {
    let request = &blocks("docs/meson.md", "json request")[0];
    let all = [("docs/meson.md", 5), ("README.md", 1)];
    for (document, at_least) in all {
        let snippets = blocks(document, "meson");
        assert!(snippets.len() >= at_least, "{document} has {} snippets", snippets.len());
        for snippet in snippets {
            for meson in mesons() {
                let dir = project(&snippet);
                write(dir.path(), "checks.json", request);
                let (succeeded, said) = set_up(&meson, dir.path());
                assert!(succeeded, "{document}: {snippet}{said}");
                check_header(dir.path());
            }
        }
    }
}

/// The result of a snippet that generates a config.h.
fn check_header(dir: &Path) {
    if let Ok(header) = fs::read_to_string(dir.join("build/config.h")) {
        assert!(header.contains("#define HAVE_SYS_EPOLL_H"), "{header}");
    }
}

#[test]
fn the_documented_wrap_is_tested() {
    let wraps = blocks("docs/meson.md", "ini");
    assert_eq!(wraps, ["[wrap-file]\ndirectory = tryall\n\n[provide]\nprogram_names = tryall\n"]);
}

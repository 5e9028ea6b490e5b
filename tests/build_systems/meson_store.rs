//! The Meson wrapper takes answers from the store.

use std::path::Path;

use crate::meson::{good, mesons, project, with_tryall};
use crate::support::*;

/// The line of `tryall store stats` that begins with a word.
fn stats(store: &Path, word: &str) -> String {
    let ran = Call::new(["store", "stats"]).env("TRYALL_STORE", store).run();
    let line = ran.stdout.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("{ran:?}")).trim().into()
}

#[test]
fn another_build_directory_learns_nothing_new() {
    let project = project(
        "tryall_functions = ['fork', 'kqueue']\ntryall_headers = ['unistd.h', 'no/such.h']\n\
         subdir('tryall')\nmessage('@0@'.format(tryall_answers))\n",
    );
    for meson in mesons() {
        let store = tempfile::tempdir().unwrap();
        let answers = |build: &str| {
            let mut command = with_tryall(&meson);
            command.args(["setup", build]).current_dir(project.path());
            let text = good(command.env("TRYALL_STORE", store.path()));
            text.lines().find(|line| line.starts_with("Message: {")).unwrap().to_string()
        };
        let name = |n: u32| format!("build-{n}-{}", meson.display().to_string().len());
        let first = answers(&name(1));
        let kept = stats(store.path(), "answers");
        assert!(kept.parse::<u32>().unwrap() >= 4, "{kept}");
        assert_eq!(answers(&name(2)), first);
        assert_eq!(
            (stats(store.path(), "answers"), stats(store.path(), "not kept")),
            (kept, "0".into())
        );
    }
}

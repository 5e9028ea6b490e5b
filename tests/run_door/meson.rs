//! Meson as it is.

use std::fs;
use std::path::Path;

use crate::stage::{Files, Stage, assert_same, ended, files};
use crate::support::{root, venv};

const PROJECT: &str = "project('p', 'c', 'cpp', version: '1')
cc = meson.get_compiler('c')
conf = configuration_data()
foreach f : ['fork', 'nosuchfn', 'strlcpy', 'epoll_create1']
  conf.set10('HAVE_' + f.to_upper(), cc.has_function(f))
endforeach
foreach h : ['unistd.h', 'no_such.h', 'sys/epoll.h']
  conf.set10('HAVE_' + h.underscorify().to_upper(), cc.has_header(h) and cc.check_header(h))
endforeach
conf.set('SIZEOF_LONG', cc.sizeof('long'))
conf.set('SIZEOF_NO', cc.sizeof('no_t'))
conf.set('ALIGN', cc.alignment('double'))
conf.set('VALUE', cc.compute_int('sizeof(int) * 3'))
conf.set('GNUC', cc.get_define('__GNUC__'))
conf.set10('COMPILES', cc.compiles('int main(void) { return 0; }'))
conf.set10('LINKS', cc.links('int f(void); int main(void) { return f(); }'))
conf.set10('VECTOR', meson.get_compiler('cpp').has_header('vector'))
ran = cc.run('#include <stdio.h>\\nint main(void) { printf(\"hi\"); return 3; }')
conf.set_quoted('RAN', ran.stdout() + '@0@'.format(ran.returncode()))
conf.set('M', cc.find_library('m').found().to_string())
conf.set('NO', cc.find_library('nolib', required: false).found().to_string())
add_project_arguments(cc.get_supported_arguments('-Wall', '-Wno-such', '-fno-such'), language: 'c')
configure_file(output: 'config.h', configuration: conf)
executable('x', 'x.c')
";

/// The files that a build needs.
fn build_files(dir: &Path) -> Files {
    let mut files = files(dir);
    files.retain(|name, _| ["build.ninja", "config.h", "compile_commands.json"].contains(&&**name));
    assert_eq!(files.len(), 3);
    files
}

#[test]
fn the_same_build_files_are_written() {
    for meson in [venv("meson"), root().join("target/venv-meson-1.0/bin/meson")] {
        let stage = Stage::new();
        let source = stage.work("source");
        fs::write(source.join("meson.build"), PROJECT).unwrap();
        fs::write(source.join("x.c"), "int main(void) { return 0; }\n").unwrap();
        let work = stage.dir.path().join("work");
        let meson = meson.to_str().unwrap();
        let stock = |name: &str| {
            let output =
                stage.command(meson, &work).args(["setup", name, "source"]).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            let left = build_files(&work.join(name));
            fs::remove_dir_all(work.join(name)).unwrap();
            left
        };
        for (name, is_warm) in [("build", false), ("build", true), ("other-directory", true)] {
            let alone = stock(name);
            let setup = [meson, "setup", name, "source"];
            let under = ended(stage.tryall(&[], &work).args(setup).output().unwrap());
            assert!(under.output.status.success(), "{under:?}");
            assert_same(&alone, &build_files(&work.join(name)), name);
            assert!(under.stored + under.asked > 30, "{}", under.summary);
            assert_eq!((under.passed, under.asked == 0), (0, is_warm), "{}", under.summary);
            // The build directory is one as any other.
            let again = stage
                .command(meson, &work)
                .args(["setup", "--reconfigure", name, "source"])
                .output()
                .unwrap();
            assert!(again.status.success(), "{again:?}");
            assert_same(&alone, &build_files(&work.join(name)), "reconfigured");
            fs::remove_dir_all(work.join(name)).unwrap();
        }
        stage.assert_clean();
    }
}

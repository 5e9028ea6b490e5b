//! Why the wrapper's items do not use the engine's own kinds: the kinds of a request file answer
//! differently from Meson's methods. docs/design/meson.md lists the reasons.

use crate::meson::{good, mesons, project, with_tryall};
use crate::support::*;

const CHECKS: &str = r#"{"checks": [
    {"id": "KIND_VARIABLE", "kind": "type", "type": "optind", "headers": ["unistd.h"]},
    {"id": "KIND_ENUMERATOR", "kind": "symbol", "symbol": "P_ALL", "headers": ["sys/wait.h"]},
    {"id": "KIND_BUILTIN", "kind": "function", "function": "alloca"},
    {"id": "KIND_STANDARD_HEADER", "kind": "sizeof", "type": "FILE"}]}"#;

const STRICT: &str = r#"{"checks": [{"id": "KIND_INT", "kind": "type", "type": "int"}]}"#;

/// Each assertion has Meson's answer, the one of the wrapper's item, and the one of the kind.
const PROJECT: &str = "
cc = meson.get_compiler('c')
strict = ['-Wmissing-prototypes', '-Werror']
tryall_types = ['VARIABLE=optind@unistd.h']
tryall_symbols = ['ENUMERATOR=P_ALL@sys/wait.h']
tryall_functions = ['BUILTIN=alloca']
tryall_sizes = ['STANDARD_HEADER=FILE']
tryall_request = files('checks.json')
tryall_batches = [
  {'name': 'strict', 'args': strict, 'types': ['INT=int'], 'request': files('strict.json')},
]
subdir('tryall')
# sizeof also accepts a variable.
assert(cc.has_type('optind', prefix: '#include <unistd.h>'))
assert(tryall_answers['VARIABLE'] and not tryall_answers['KIND_VARIABLE'])
# A symbol is any expression that compiles.
assert(cc.has_header_symbol('sys/wait.h', 'P_ALL'))
assert(tryall_answers['ENUMERATOR'] and not tryall_answers['KIND_ENUMERATOR'])
# A compiler builtin is a function.
assert(cc.has_function('alloca'))
assert(tryall_answers['BUILTIN'] and not tryall_answers['KIND_BUILTIN'])
# A program that prints a size includes <stdio.h>.
assert(cc.sizeof('FILE') > 0 and tryall_answers['STANDARD_HEADER'] == cc.sizeof('FILE'))
assert(tryall_answers['KIND_STANDARD_HEADER'] == -1)
# With -Werror, warnings about Meson's own source are a no.
assert(not cc.has_type('int', args: strict))
assert(not tryall_answers_of['strict']['INT'] and tryall_answers_of['strict']['KIND_INT'])
";

#[test]
fn the_engines_kinds_answer_differently() {
    for meson in mesons() {
        let dir = project(PROJECT);
        write(dir.path(), "checks.json", CHECKS);
        write(dir.path(), "strict.json", STRICT);
        let mut command = with_tryall(&meson);
        let said = good(command.args(["setup", "build"]).current_dir(dir.path()));
        assert!(said.contains(&format!("checks with {TRYALL}")), "{said}");
    }
}

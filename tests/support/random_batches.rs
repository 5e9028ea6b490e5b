//! Random batches out of what exists and what does not, whose fused answers are compared with
//! those of each check alone. The suite runs some, and `cargo bench --bench campaign` any number.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// xorshift64*: the same batches for the same seed, everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const COMPILERS: [(&str, &str); 4] =
    [("c", "gcc"), ("c", "clang"), ("c++", "g++"), ("c++", "clang++")];

const ARGS: [&[&str]; 6] = [
    &[],
    &[],
    &["-D_GNU_SOURCE"],
    &["-O2", "-Wall", "-Wextra"],
    &["-std=c11", "-g"],
    &["-fPIC", "-pedantic"],
];

const SURROUNDINGS: [(&[&str], &str); 11] = [
    (&[], ""),
    (&[], ""),
    (&["stdio.h"], ""),
    (&["stdlib.h", "string.h"], ""),
    (&["sys/types.h", "sys/stat.h"], ""),
    (&["math.h"], ""),
    (&["pthread.h", "errno.h"], ""),
    (&["no/such.h"], ""),
    (&[], "struct own { int x; char y[3]; };\ntypedef struct own own_t;\nextern int own_var;\n"),
    (&["stdio.h"], "#define own_t FILE\n#define PLACE __LINE__\n#pragma GCC poison getc\n"),
    (&["time.h"], "static inline int own(void) { return 1; }\n#pragma weak nope\n"),
];

const NAMES: [&str; 44] = [
    "fork",
    "getpid",
    "nope",
    "missing",
    "strlcpy",
    "pledge",
    "memcpy",
    "abort",
    "exit",
    "atexit",
    "gets",
    "stdout",
    "environ",
    "errno",
    "EOF",
    "unix",
    "int",
    "main",
    "own",
    "own_t",
    "own_var",
    "stat",
    "fstat",
    "lstat64",
    "cos",
    "isnan",
    "signgam",
    "pthread_create",
    "sched_yield",
    "etext",
    "_exit",
    "_Exit",
    "__fork",
    "FILE",
    "printf",
    "putchar_unlocked",
    "getc",
    "lchmod",
    "gtty",
    "kqueue",
    "timegm",
    "setjmp",
    "alloca",
    "strnlen",
];

const TYPES: [&str; 24] = [
    "int",
    "long",
    "long long",
    "nope",
    "struct nope",
    "struct nope *",
    "FILE",
    "size_t",
    "off_t",
    "struct stat",
    "struct own",
    "own_t",
    "pthread_t",
    "void",
    "void *",
    "char[3]",
    "int (*)(int)",
    "struct tm",
    "unsigned",
    "div_t",
    "time_t",
    "char[PLACE]",
    "struct timespec",
    "double",
];

const HEADERS: [&str; 14] = [
    "stdio.h",
    "unistd.h",
    "nope.h",
    "no/such.h",
    "net/if_arp.h",
    "sys/kd.h",
    "linux/if_pppox.h",
    "resolv.h",
    "assert.h",
    "tgmath.h",
    "immintrin.h",
    "float.h",
    "linux/btrfs.h",
    "rpc/rpc.h",
];

const MACROS: [&str; 12] = [
    "EOF",
    "NULL",
    "__LINE__",
    "__COUNTER__",
    "PLACE",
    "nope",
    "assert",
    "__FILE__",
    "own_t",
    "BUFSIZ",
    "__DATE__",
    "errno",
];

/// Sources that are right, wrong in many ways, and that look for their neighbours.
const SOURCES: [&str; 30] = [
    "int main(void) { return 0; }",
    "int main(void) { return nope; }",
    "int main(void) { nope(); return 0; }",
    "int main(void) { return 0;",
    "/* open",
    "#error \"no\"\n",
    "#warning \"careful\"\nint main(void) { return 0; }",
    "#include <nope.h>\nint main(void) { return 0; }",
    "#include \"confte00.c\"\n",
    "#include \"conftest.c\"\nint x;\n",
    "#include __FILE__\n",
    "int of[sizeof(__FILE__) == 11 ? 1 : -1];",
    "#line 7 \"other.c\"\nint main(void) { return nope; }",
    "# 7 \"confte01.c\"\nint main(void) { return nope; }",
    "__asm__(\".error \\\"no\\\"\"); int x;",
    "__asm__(\"nonsense\"); int x;",
    "__asm__(\".incbin \\\"confte00.c\\\"\"); int x;",
    "int unused(int x) { int y; return x; }",
    "static int unused;",
    "int f(void) { return __COUNTER__; } int of[__COUNTER__ == 1 ? 1 : -1];",
    "int of[__LINE__ == 1 ? 1 : -1];",
    "#pragma GCC poison nope\nint x;",
    "#pragma GCC error \"no\"\n",
    "_Pragma(\"GCC error \\\"no\\\"\") int x;",
    "typedef int t; t x = (t){1}; int *p = 1;",
    "int x = 1 / 0;",
    "void *p = (void)0;",
    "char large[0x7fffffffffffffff];",
    "int tryall_part_0(void); int tryall_part_0(void) { return 0; }",
    "\"a string\"",
];

const MEMBERS: [&str; 6] = ["x", "y", "st_size", "tm_gmtoff", "nope", "tv_nsec"];

const EXPRESSIONS: [&str; 10] = [
    "1",
    "-1",
    "EOF",
    "PLACE",
    "sizeof(int) * 3",
    "1 / 0",
    "nope",
    "CLOCK_MONOTONIC",
    "0x7fffffff",
    "18446744073709551615u",
];

/// A batch.
pub fn batch(random: &mut Random) -> Value {
    let (language, compiler) = random.pick(&COMPILERS);
    let count = 3 + random.below(22);
    let (few, args) = (random.below(2) == 0, random.pick(&ARGS));
    let (headers, prefix) = random.pick(&SURROUNDINGS);
    let checks = (0..count).map(|index| {
        let (headers, prefix) = match few {
            true => (headers, prefix),
            false => random.pick(&SURROUNDINGS),
        };
        let mut check = match random.below(17) {
            10 => json!({"kind": "alignment", "type": random.pick(&TYPES)}),
            11 => json!({"kind": "header", "header": random.pick(&HEADERS)}),
            12 => json!({"kind": "define", "name": random.pick(&MACROS)}),
            13 => {
                json!({"kind": "prototype", "function": random.pick(&NAMES), "return_type": "int",
                         "arguments": random.pick(&[&[][..], &["void *"], &["const char *"]])})
            }
            14 => json!({"kind": "endian"}),
            15..=16 => json!({"kind": "compiles", "source": random.pick(&SOURCES)}),
            0..=3 => json!({"kind": "function", "function": random.pick(&NAMES)}),
            4..=5 => json!({"kind": "symbol", "symbol": random.pick(&NAMES)}),
            6 => json!({"kind": "type", "type": random.pick(&TYPES)}),
            7 => json!({"kind": "sizeof", "type": random.pick(&TYPES)}),
            8 => json!({"kind": "member", "type": random.pick(&TYPES),
                        "member": random.pick(&MEMBERS)}),
            _ => json!({"kind": "compute_int", "expression": random.pick(&EXPRESSIONS)}),
        };
        check["id"] = json!(format!("{index}"));
        check["headers"] = json!(headers);
        check["prefix"] = json!(prefix);
        check["args"] = json!(args);
        check["language"] = json!(language);
        check
    });
    let checks: Vec<Value> = checks.collect();
    json!({"toolchains": {language: {"language": language, "command": [compiler]}}, "checks": checks})
}

/// The single answers that are known already, by the check and its compiler.
#[derive(Default)]
pub struct Alone(HashMap<String, (Value, Value)>);

/// What comparing a batch has told.
pub struct Compared {
    /// How many answers there were, and how many of them were fused.
    pub answers: usize,
    pub fused: usize,
}

/// Compares the fused answers of a batch with those of each check alone. An error tells the
/// check, both answers and both commands.
pub fn compare(tryall: &str, batch: &Value, alone: &mut Alone) -> Result<Compared, String> {
    let results = run(tryall, batch, &["-j2"])?;
    let checks = batch["checks"].as_array().expect("there are checks");
    let key = |check: &Value| {
        let mut check = check.clone();
        check["id"] = Value::Null;
        format!("{}{check}", batch["toolchains"])
    };
    let fused: Vec<_> =
        std::iter::zip(checks, &results).filter(|(_, result)| result["how"] == "fused").collect();
    let mut unknown = batch.clone();
    unknown["checks"] = fused
        .iter()
        .map(|(check, _)| *check)
        .filter(|c| !alone.0.contains_key(&key(c)))
        .cloned()
        .collect();
    if unknown["checks"] != json!([]) {
        let singles = run(tryall, &unknown, &["-j2", "--no-fuse"])?;
        for (check, single) in std::iter::zip(unknown["checks"].as_array().expect("it is"), singles)
        {
            let answer = json!([single["status"], single["value"]]);
            alone.0.insert(key(check), (answer, single));
        }
    }
    for (check, result) in &fused {
        let (answer, single) = &alone.0[&key(check)];
        if json!([result["status"], result["value"]]) != *answer {
            return Err(format!("{check}\nfused: {result:#}\nalone: {single:#}\nbatch: {batch}"));
        }
    }
    Ok(Compared { answers: results.len(), fused: fused.len() })
}

fn run(tryall: &str, request: &Value, args: &[&str]) -> Result<Vec<Value>, String> {
    let mut command = Command::new(tryall);
    command.args(["check", "-"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(request.to_string().as_bytes()).map_err(|error| error.to_string())?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let response: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!("{error}: {}\n{request}", String::from_utf8_lossy(&output.stderr))
    })?;
    response["results"].as_array().cloned().ok_or_else(|| format!("{response}\n{request}"))
}

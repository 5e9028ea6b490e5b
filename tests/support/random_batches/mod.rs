//! Random batches of checks for things that exist and things that don't. Compares shared answers
//! with those of single checks. The suite runs some, and `cargo bench --bench campaign` any number.
//!
//! For each compiler, arguments and prefix a pool of checks is generated, and batches are drawn
//! from the pool. Checks recur in different combinations, so single answers are computed only once.
//! The pools are regenerated periodically.

#[path = "../random.rs"]
pub mod random;

pub mod alone;
pub mod pools;

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use pools::*;
use random::Random;

impl Random {
    /// An element of a list, with a preference for those before an index.
    fn pick_rather<T: Copy>(&mut self, from: &[T], before: usize) -> T {
        if self.one_in(3) { self.pick(from) } else { self.pick(&from[..before]) }
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// An element of either list.
    fn pick_of<T: Copy>(&mut self, first: &[T], second: &[T]) -> T {
        match self.below(first.len() + second.len()) {
            index if index < first.len() => first[index],
            index => second[index - first.len()],
        }
    }
}

/// A batch.
pub struct Batch {
    /// The compiler.
    pub compiler: &'static str,
    /// The number of jobs, which decides how checks are divided into batches.
    pub jobs: &'static str,
    /// The checks.
    pub request: Value,
}

/// The arguments of a check.
struct Args {
    words: &'static [&'static str],
    /// Whether the odd headers can be found.
    has_odd_headers: bool,
}

/// The headers and the prefix of a check.
struct Surroundings {
    headers: Vec<String>,
    prefix: String,
}

/// The pool from which batches are drawn during an era.
struct Era {
    args: Vec<Args>,
    surroundings: Vec<Surroundings>,
    /// The generated checks, by arguments and prefix.
    shelves: HashMap<(usize, usize), Vec<Value>>,
}

/// The number of batches in an era.
const ERA: usize = 1000;

/// The index of the first odd arguments, which are rarer.
const RARE: usize = 2;

/// The number of checks per arguments and prefix in an era.
const SHELF: usize = 24;

/// Generates batches.
pub struct Batches {
    random: Random,
    odd_headers: String,
    /// By compiler.
    eras: Vec<Era>,
    made: usize,
}

impl Batches {
    /// Writes the headers that do more than declare to a permanent directory, so that a request can
    /// be repeated.
    pub fn new(seed: u64, dir: &Path) -> Self {
        let odd_headers = dir.join("odd-headers");
        std::fs::create_dir_all(&odd_headers).expect("the directory can be made");
        for (number, text) in ODD.iter().enumerate() {
            let path = odd_headers.join(odd_header(number));
            // Another process may be reading it.
            if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
                let new = path.with_extension(std::process::id().to_string());
                std::fs::write(&new, text).expect("headers can be written");
                std::fs::rename(&new, &path).expect("headers can be written");
            }
        }
        let odd_headers = odd_headers.to_str().expect("it is Unicode").into();
        let random = Random::seeded(seed);
        Batches { random, odd_headers, eras: Vec::new(), made: 0 }
    }

    fn era(&mut self, language: &str) -> Era {
        let random = &mut self.random;
        let args = (0..3).map(|place| Args {
            words: match place == RARE && random.one_in(2) {
                true => random.pick(&ODD_ARGS),
                false => random.pick(if language == "c" { &ARGS } else { &CXX_ARGS }),
            },
            has_odd_headers: !random.one_in(3),
        });
        let args = args.collect();
        let surroundings = (0..5).map(|place| match place {
            0..=1 => {
                let number = random.below(ODD.len());
                match random.one_in(3) {
                    true => Surroundings { headers: Vec::new(), prefix: ODD[number].into() },
                    false => Surroundings {
                        headers: vec![odd_header(number)],
                        prefix: random.pick(&SURROUNDINGS).1.into(),
                    },
                }
            }
            _ => {
                let cxx = if language == "c" { &[][..] } else { &CXX_SURROUNDINGS };
                let (headers, prefix) = random.pick_of(&SURROUNDINGS, cxx);
                let headers = headers.iter().copied().map(String::from).collect();
                Surroundings { headers, prefix: prefix.into() }
            }
        });
        let surroundings = surroundings.collect();
        Era { args, surroundings, shelves: HashMap::new() }
    }

    /// The next batch.
    pub fn next(&mut self) -> Batch {
        if self.made.is_multiple_of(ERA) {
            self.eras = COMPILERS.iter().map(|(language, _)| self.era(language)).collect();
        }
        self.made += 1;
        let place = self.random.pick(&SHARES);
        let (language, compiler) = COMPILERS[place];
        let count = 3 + self.random.below(22);
        let (few, mixed) = (self.random.one_in(2), self.random.one_in(8));
        let surrounded = self.eras[place].surroundings.len();
        let of_args = |random: &mut Random| random.pick(&[0, 0, 1, 1, RARE]);
        let of_surroundings = |random: &mut Random| random.below(surrounded);
        let (args, surroundings) = (of_args(&mut self.random), of_surroundings(&mut self.random));
        let checks = (0..count).map(|index| {
            let args = if mixed { of_args(&mut self.random) } else { args };
            let surroundings = if few { surroundings } else { of_surroundings(&mut self.random) };
            let mut check = self.check(place, (args, surroundings));
            check["id"] = json!(index.to_string());
            check
        });
        let mut checks: Vec<_> = checks.collect();
        if self.random.one_in(2) {
            self.have_some_wait(&mut checks);
        }
        let toolchain = json!({"language": language, "command": [compiler]});
        let request = json!({"toolchains": {compiler: toolchain}, "checks": checks});
        Batch { compiler, jobs: self.random.pick(&["-j1", "-j2", "-j2", "-j4"]), request }
    }

    /// Makes some checks need an earlier check for a header.
    fn have_some_wait(&mut self, checks: &mut [Value]) {
        let mut header = None;
        for check in checks {
            if check["kind"] == "header" && self.random.one_in(2) {
                header = Some(check["id"].clone());
            } else if let Some(header) = &header
                && !self.random.one_in(3)
            {
                check["needs"] = json!([header]);
            }
        }
    }

    /// A check from a shelf, which is filled on demand.
    fn check(&mut self, place: usize, of: (usize, usize)) -> Value {
        let known = self.eras[place].shelves.get(&of).map(Vec::len).unwrap_or_default();
        let number = self.random.below(SHELF);
        if number < known && !self.random.one_in(40) {
            return self.eras[place].shelves[&of][number].clone();
        }
        let check = self.new_check(place, of);
        if number >= known {
            self.eras[place].shelves.entry(of).or_default().push(check.clone());
        }
        check
    }

    fn new_check(&mut self, place: usize, (args, surroundings): (usize, usize)) -> Value {
        let (language, compiler) = COMPILERS[place];
        let random = &mut self.random;
        let era = &self.eras[place];
        let args = &era.args[args];
        let surroundings = &era.surroundings[surroundings];
        let is_cxx = language != "c";
        let types = if is_cxx { &CXX_TYPES[..] } else { &[] };
        let symbols = if is_cxx { &CXX_SYMBOLS[..] } else { &[] };
        let mut check = match random.below(18) {
            10 => json!({"kind": "alignment", "type": random.pick_of(&TYPES, types)}),
            11 => {
                let odd = odd_header(random.below(ODD.len()));
                let is_odd = args.has_odd_headers && random.one_in(4);
                let header = if is_odd { odd.as_str() } else { random.pick(&HEADERS) };
                json!({"kind": "header", "header": header})
            }
            13 => {
                json!({"kind": "prototype", "function": random.pick(&NAMES),
                       "return_type": random.pick(&RETURNS), "arguments": random.pick(&ARGUMENTS)})
            }
            14 => json!({"kind": "endian"}),
            0..=3 if random.one_in(60) => json!({"kind": "function", "function": "x".repeat(1500)}),
            0..=3 => {
                let name = random.pick_rather(&NAMES, PLAIN_NAMES);
                json!({"kind": "function", "function": name})
            }
            4..=5 => json!({"kind": "symbol", "symbol": random.pick_of(&NAMES, symbols)}),
            6 => json!({"kind": "type", "type": random.pick_of(&TYPES, types)}),
            7 | 17 => json!({"kind": "sizeof", "type": random.pick_of(&TYPES, types)}),
            8 => json!({"kind": "member", "type": random.pick_of(&TYPES, types),
                        "member": random.pick(&MEMBERS)}),
            _ => json!({"kind": "compute_int", "expression": random.pick(&EXPRESSIONS)}),
        };
        // Most functions have no headers.
        if check["kind"] != "function" || random.one_in(2) {
            check["headers"] = json!(surroundings.headers);
            check["prefix"] = json!(surroundings.prefix);
        }
        check["args"] = json!(args.words);
        if args.has_odd_headers {
            check["include_dirs"] = json!([self.odd_headers]);
        }
        check["toolchain"] = json!(compiler);
        check
    }
}

/// The number of checks added to a batch that certainly gain from sharing.
const BALLAST: usize = 80;

/// The same request with functions at its end that share their commands. While sharing has gained
/// nothing, the engine tries it rarely, so without these functions a few bad checks would soon stop
/// it.
pub fn with_ballast(request: &Value) -> Value {
    let mut request = request.clone();
    let toolchain = request["checks"][0]["toolchain"].clone();
    let language = request["checks"][0]["language"].clone();
    let checks = request["checks"].as_array_mut().expect("it is a list");
    checks.extend((0..BALLAST).map(|number| {
        let name = format!("ballast_{number}");
        let mut check = json!({"id": name, "kind": "function", "function": name});
        for (field, value) in [("toolchain", &toolchain), ("language", &language)] {
            if !value.is_null() {
                check[field] = value.clone();
            }
        }
        check
    }));
    request
}

fn odd_header(number: usize) -> String {
    format!("odd{number:02}.h")
}

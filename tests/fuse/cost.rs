//! Sharing that fails to answer checks costs little more than running each check alone.

use super::*;

/// The number of sources compiled for a request, in all commands.
fn compiles(request: &Value, options: &[&str]) -> usize {
    let is_source = |word: &&str| word.ends_with(".c") || word.ends_with(".cpp");
    let commands = commands(request, options);
    commands.iter().flat_map(|command| command.split(' ')).filter(is_source).count()
}

/// The commands of a request.
fn commands(request: &Value, options: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace.json");
    let (call, stdin) = Call::check(request);
    let call = call.arg("-j2").args(options).arg("--trace").arg(&trace);
    let ran = call.run_with(&stdin);
    assert_eq!(ran.json()["summary"]["error"], 0, "{ran:?}");
    let trace: Value = serde_json::from_str(&std::fs::read_to_string(&trace).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().iter();
    let complete = events.filter(|event| event["ph"] == "X");
    complete.map(|event| event["name"].as_str().unwrap().into()).collect()
}

/// One unity source per prefix, each with these checks.
fn in_units(units: usize, of_unit: &[Value]) -> Value {
    let checks = (0..units).flat_map(|unit| {
        of_unit.iter().enumerate().map(move |(n, check)| {
            let mut check = check.clone();
            check["id"] = format!("c{unit}_{n}").into();
            check["prefix"] = format!("#define UNIT {unit}\n").into();
            check
        })
    });
    checks.collect()
}

/// One more compile than without sharing, plus 3 %.
fn assert_costs_no_more(language: &str, compiler: &str, checks: Value) {
    let toolchain = json!({"language": language, "command": [need(compiler)]});
    let checks = with_language(language, checks);
    let request = json!({"toolchains": {language: toolchain}, "checks": checks});
    let (together, alone) = (compiles(&request, &[]), compiles(&request, &["--no-fuse"]));
    assert!(together <= alone + 1 + alone * 3 / 100, "{compiler}: {together}, alone {alone}");
}

#[test]
fn failing_checks_cost_no_more_together() {
    let integers = ["NO_A", "NO_B", "NO_C", "sizeof(struct no)", "1 / 0", "no()"]
        .map(|expression| json!({"kind": "compute_int", "expression": expression}));
    let types = ["no_a", "struct no_b", "no_c *", "union no_d"]
        .map(|of| json!({"kind": "type", "type": of}));
    let one_is_good = ["NO_A", "NO_B", "NO_C", "7", "sizeof(struct no)", "8"]
        .map(|expression| json!({"kind": "compute_int", "expression": expression}));
    for compiler in ["gcc", "clang"] {
        assert_costs_no_more("c", compiler, in_units(15, &integers));
        assert_costs_no_more("c", compiler, in_units(15, &types));
        assert_costs_no_more("c", compiler, in_units(15, &one_is_good));
    }
    for compiler in ["g++", "clang++"] {
        assert_costs_no_more("c++", compiler, in_units(5, &integers));
    }
}

#[test]
fn batches_with_few_failures_still_gain() {
    let checks = ["int", "no_b", "long", "char *", "short", "double"]
        .map(|of| json!({"kind": "type", "type": of}));
    for compiler in ["gcc", "clang"] {
        let toolchain = json!({"c": {"command": [need(compiler)]}});
        let request = json!({"toolchains": toolchain, "checks": in_units(12, &checks)});
        let (together, alone) = (compiles(&request, &[]), compiles(&request, &["--no-fuse"]));
        assert!(together * 3 < alone * 2, "{compiler}: {together}, alone {alone}");
    }
}

/// Without a limit, Clang could spend more time on diagnostics than on the checks themselves.
#[test]
fn clangs_error_limit_is_set_to_the_number_of_checks() {
    let types: Vec<_> =
        (0..30).map(|n| json!({"kind": "type", "type": format!("no_{n}")})).collect();
    let toolchain = json!({"c": {"command": [need("clang")]}});
    let request = json!({"toolchains": toolchain, "checks": in_units(1, &types)});
    for command in commands(&request, &[]) {
        let limits = command.split(' ').filter_map(|word| word.strip_prefix("-ferror-limit="));
        for limit in limits {
            assert!((20..=30).contains(&limit.parse().unwrap()), "{command}");
        }
    }
}

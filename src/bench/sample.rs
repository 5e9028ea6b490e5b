//! Sample reports for the tests of tables and plots.

use super::result::{Bench, Limit, Machine, Report, Round, Row, RowKind, Spread};

/// A report of these benches.
pub(crate) fn report(benches: Vec<Bench>) -> Report {
    let command = "tryall bench -n 8 gfortran flang-new-16 gcc";
    Report {
        version: 1,
        tryall: "0.1.0".into(),
        command: command.split(' ').map(String::from).collect(),
        machine: Machine {
            system: "linux x86_64".into(),
            processor: Some("Intel(R) Xeon(R) Processor @ 2.80GHz".into()),
            cores: 2,
        },
        benches,
        interrupted: false,
    }
}

/// A row of five rounds, before [`bench`] compares it.
pub(crate) fn row(name: &str, kind: RowKind, median: f64) -> Row {
    let walls = [0.97, 1.0, 1.01, 0.99, 1.06].map(|part| part * median);
    let about = match kind {
        RowKind::Strategy => "the same commands run differently",
        RowKind::Engine => "the engine, each check once",
        RowKind::Peer => "version 3.25.1",
    };
    let round = |wall_s| Round { wall_s, cpu_s: wall_s * 1.5, processes: Some(128) };
    Row {
        name: name.into(),
        kind,
        about: about.into(),
        missing: None,
        rounds: walls.map(round).to_vec(),
        wall_s: Spread::of(walls),
        cpu_s: Spread::of(walls.map(|wall| wall * 1.5)),
        speedup: Spread::default(),
        share_of_limit: 0.0,
    }
}

/// A row without figures.
pub(crate) fn missing(name: &str, why: &str) -> Row {
    let row = row(name, RowKind::Peer, 0.0);
    let none = Spread::default();
    Row { missing: Some(why.into()), rounds: Vec::new(), wall_s: none, cpu_s: none, ..row }
}

/// A bench of these rows, with the limit in the given wall time of two cores at most.
pub(crate) fn bench(compiler: &str, jobs: usize, limit: f64, mut rows: Vec<Row>) -> Bench {
    let serial = rows[0].wall_s.median;
    for row in rows.iter_mut().filter(|row| row.missing.is_none()) {
        row.speedup = Spread::of(row.rounds.iter().map(|round| serial / round.wall_s));
        row.share_of_limit = limit / row.wall_s.median;
    }
    Bench {
        suite: if compiler == "gcc" { "posix" } else { "fortran" }.into(),
        compiler: vec![compiler.into()],
        compiler_version: match compiler {
            "gcc" => "gcc (Debian 12.2.0-14+deb12u1) 12.2.0",
            "gfortran" => "GNU Fortran (Debian 12.2.0-14+deb12u1) 12.2.0",
            _ => "Debian flang-new version 16.0.6 (15~deb12u1)",
        }
        .into(),
        checks: 16,
        repeat: 8,
        jobs,
        commands: Vec::new(),
        rows,
        limit: Limit { cpu_s: limit * jobs.min(2) as f64, wall_s: limit },
        warnings: Vec::new(),
    }
}

/// Nine rows, the strategies at about the limit where they can.
pub(crate) fn nine_rows(compiler: &str, jobs: usize, serial: f64) -> Bench {
    let width = jobs.min(2) as f64;
    let all = |part: f64| serial * part / width;
    let strategy = |name, part| row(name, RowKind::Strategy, all(part));
    bench(
        compiler,
        jobs,
        all(0.97),
        vec![
            row("serial", RowKind::Strategy, serial),
            strategy("threads", 1.05),
            strategy("processes", 1.12),
            strategy("async", 1.02),
            strategy("async-unbounded", 1.09),
            row("tryall", RowKind::Engine, all(0.21)),
            row("cmake", RowKind::Peer, serial * 1.4),
            missing("meson", "meson is not on PATH"),
            row("python", RowKind::Peer, all(1.18)),
        ],
    )
}

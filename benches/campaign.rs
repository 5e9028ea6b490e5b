//! Compares the fused answers of random batches with those of each check alone:
//! `cargo bench --bench campaign -- BATCHES [SEED]`. It ends at the first difference.

#[path = "../tests/support/random_batches.rs"]
mod random_batches;

use std::process::ExitCode;

use random_batches::{Alone, Random, batch, compare};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let batches = numbers.next().unwrap_or(1000);
    let seed = numbers.next().unwrap_or(1);
    let mut random = Random::new(seed);
    let mut alone = Alone::default();
    let (mut answers, mut fused) = (0, 0);
    for number in 1..=batches {
        match compare(env!("CARGO_BIN_EXE_tryall"), &batch(&mut random), &mut alone) {
            Ok(compared) => {
                answers += compared.answers;
                fused += compared.fused;
            }
            Err(difference) => {
                println!("batch {number} of seed {seed}: {difference}");
                return ExitCode::FAILURE;
            }
        }
        if number % 100 == 0 || number == batches {
            println!("{number} batches, {answers} answers, {fused} of them fused, no difference");
        }
    }
    ExitCode::SUCCESS
}

//! The `tryall` executable. The library does everything.

fn main() -> std::process::ExitCode {
    tryall::cli::main()
}

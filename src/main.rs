//! The `tryall` executable. Everything is in the library; see its table of contents.

fn main() -> std::process::ExitCode {
    tryall::cli::main()
}

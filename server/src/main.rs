//! The meunier binary: the allocator, and the way into the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    meunier_allocator::configure();
    meunier_server::cli::main()
}

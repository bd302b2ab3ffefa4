//! The binary: allocator, command line, exit code.

use std::process::ExitCode;

// Built without huge pages: a call that lives for a tenth of a second would spend a third of it on zeroing them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cxlake::cli::run()
}

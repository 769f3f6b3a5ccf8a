//! The allocator of the binaries: mimalloc for Rust and, by taking the place of `malloc`, for the C libraries.
//!
//! librdkafka allocates a buffer of a megabyte for each fetch and one for each compressed batch. glibc gives such memory back to the
//! system at once, and every fetch pays for zeroed pages again.
#![expect(unsafe_code, reason = "options of mimalloc are set by a C function")]

use std::ffi::c_long;

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// Costs less across threads than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, which the bindings leave out.
const PURGE_DELAY: mi_option_t = 15;

/// Freed memory stays with the process for so long. A sealed segment's memory is used again by those after it, unless they fill
/// more slowly than this; with mimalloc's own delay of 1 s a quarter of ingestion's CPU time went into zeroing pages.
const KEPT_MS: c_long = 30_000;

/// Sets the allocator up. Called once, first of all in `main`.
pub fn configure() {
    // SAFETY: sets a number that the allocator reads; the option exists in every version of mimalloc since 2.
    unsafe { mi_option_set(PURGE_DELAY, KEPT_MS) };
}

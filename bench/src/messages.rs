//! Messages held in memory, to measure steps that come after the fetch without it.

use std::mem;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use simd_json::{Buffers, INPUT_PADDING, Tape};

use crate::measurement::{Cost, Stopwatch, thread_cpu_time};

/// Messages parsed between two looks at the clock: a thousand stay within a core's cache, as a fetch's do.
const BATCH: usize = 1024;

/// Payloads, one after the other.
#[derive(Default)]
pub(crate) struct Messages {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Messages {
    pub(crate) fn push(&mut self, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    /// Parses each message from where it lies: the parser writes into its text and reads beyond its end, so each is copied to
    /// one buffer first, as every consumer must that does not own the message. All of it is on the clock.
    pub(crate) fn copy_and_parse(&self) -> Result<Cost> {
        let mut buffers = Buffers::new(4096);
        let mut kept: Tape<'static> = Tape(Vec::new());
        let mut copy = Vec::new();
        let stopwatch = Stopwatch::start();
        for payload in self.iter() {
            copy.clear();
            copy.extend_from_slice(payload);
            copy.resize(payload.len() + INPUT_PADDING, 0);
            let mut tape = mem::replace(&mut kept, Tape(Vec::new())).reset();
            simd_json::fill_tape_padded(&mut copy, payload.len(), &mut buffers, &mut tape)
                .context("the events are JSON")?;
            kept = tape.reset();
        }
        Ok(stopwatch.stop())
    }

    /// Parses each message to simd-json's tape, in place, with reused buffers, and throws the tape away. Only the parser is
    /// on the clock; that the messages are copied to where it may write is not.
    pub(crate) fn parse_only(&self) -> Result<Cost> {
        let mut buffers = Buffers::new(4096);
        let mut kept: Tape<'static> = Tape(Vec::new());
        let mut cpu = Duration::ZERO;
        let began = Instant::now();
        let payloads: Vec<&[u8]> = self.iter().collect();
        for batch in payloads.chunks(BATCH) {
            let mut copies: Vec<u8> = Vec::new();
            for payload in batch {
                copies.extend_from_slice(payload);
                copies.resize(copies.len() + INPUT_PADDING, 0);
            }
            let mut rest: &mut [u8] = &mut copies;
            let start = thread_cpu_time();
            for payload in batch {
                let (text, others) = mem::take(&mut rest).split_at_mut(payload.len() + INPUT_PADDING);
                rest = others;
                let mut tape = mem::replace(&mut kept, Tape(Vec::new())).reset();
                simd_json::fill_tape_padded(text, payload.len(), &mut buffers, &mut tape)
                    .context("the events are JSON")?;
                kept = tape.reset();
            }
            cpu += thread_cpu_time() - start;
        }
        Ok(Cost { cpu, wall: began.elapsed() })
    }
}

//! Prints how fast one core decodes the sample clickstream, next to how fast simd-json alone parses the same messages.
//!
//! `cargo run --release -p meunier-ingest --example decode_rate [STREAM [SECONDS]]`
//!
//! Parse-only is the faster of two ways, each with reused buffers: a copy and `fill_tape_padded` (what the decoder itself
//! does), and a copy and `fill_tape`. The rounds of all take turns, so that a change of the clock's speed hits all alike;
//! medians are printed, of the time that the thread ran, so that a busy machine does not matter much. Messages fit in the
//! second-level cache, as those of a fetch do.

#![expect(clippy::print_stdout, reason = "it reports to its user")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meunier_ingest::decode::{DecodeLimits, JsonDecoder, RecordRef};
use meunier_sample::{Generator, Stream};
use meunier_segment::offset_range::Offset;
use meunier_segment::schema::Schema;
use simd_json::{Buffers, INPUT_PADDING, Tape};

const MESSAGES: u64 = 2_000;
/// Times the messages are gone through in one round.
const PASSES: usize = 50;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "clickstream".to_string());
    let seconds = arguments.next().map_or(6, |text| text.parse().expect("SECONDS is a whole number"));
    let stream = Stream::from_name(&name).expect("STREAM is the name of a sample stream");
    let messages = messages(stream);
    let schema = Schema::parse(stream.schema_json()).expect("the sample's schema is valid").schema;
    let bytes = messages.iter().map(Vec::len).sum::<usize>() / messages.len();
    println!("{name}: {} columns, {bytes} bytes a message", schema.fields().len());

    let mut decoder = JsonDecoder::new(Arc::new(schema), DecodeLimits::default());
    let [mut padded, mut plain, mut decoded] = [Vec::new(), Vec::new(), Vec::new()];
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        padded.push(timed(|| parse_padded(&messages)));
        decoded.push(timed(|| decode(&mut decoder, &messages)));
        plain.push(timed(|| parse_plain(&messages)));
    }
    let [padded, plain, decoded] = [padded, plain, decoded].map(|rounds| rate(rounds, messages.len()));
    let parse_only = padded.max(plain);
    println!("parse only, fill_tape_padded {padded:.3} M/s, fill_tape {plain:.3} M/s");
    println!("decode to columns            {decoded:.3} M/s, {:.0} MB/s", decoded * bytes as f64);
    println!("ratio {:.3}", decoded / parse_only);
}

fn messages(stream: Stream) -> Vec<Vec<u8>> {
    let generator = Generator::new(stream, 7);
    let mut message = Vec::new();
    let event = |seq| {
        generator.write_event(
            0,
            seq,
            1_760_000_000_000 + i64::try_from(seq).expect("a small number"),
            &mut message,
        );
        message.clone()
    };
    (0..MESSAGES).map(event).collect()
}

fn decode(decoder: &mut JsonDecoder, messages: &[Vec<u8>]) {
    for _ in 0..PASSES {
        for (offset, message) in (0..).zip(messages) {
            let record = RecordRef {
                offset: Offset(offset),
                timestamp_ms: Some(offset),
                key: None,
                payload: Some(message),
                headers: &[],
            };
            decoder.push(&record);
        }
        let batch = decoder.take();
        assert_eq!(batch.rows.len(), messages.len(), "{:?}", batch.rejects.first());
        black_box(batch);
    }
}

fn parse_padded(messages: &[Vec<u8>]) {
    let mut copy = vec![0; 1 << 16];
    let mut buffers = Buffers::new(1 << 16);
    let mut spare = Tape(Vec::new());
    for _ in 0..PASSES {
        for message in messages {
            let mut tape = spare.reset();
            copy[..message.len()].copy_from_slice(message);
            let end = message.len() + INPUT_PADDING;
            simd_json::fill_tape_padded(&mut copy[..end], message.len(), &mut buffers, &mut tape)
                .expect("is JSON");
            black_box(&tape);
            spare = tape.reset();
        }
    }
}

fn parse_plain(messages: &[Vec<u8>]) {
    let mut copy = vec![0; 1 << 16];
    let mut buffers = Buffers::new(1 << 16);
    let mut spare = Tape(Vec::new());
    for _ in 0..PASSES {
        for message in messages {
            let mut tape = spare.reset();
            copy[..message.len()].copy_from_slice(message);
            simd_json::fill_tape(&mut copy[..message.len()], &mut buffers, &mut tape).expect("is JSON");
            black_box(&tape);
            spare = tape.reset();
        }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let (wall, ran) = (Instant::now(), time_run());
    work();
    time_run().zip(ran).map_or_else(|| wall.elapsed(), |(end, start)| end - start)
}

/// How long this thread has run, where Linux tells.
fn time_run() -> Option<Duration> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split(' ').next()?.parse().map(Duration::from_nanos).ok()
}

/// Millions of messages a second in the median round.
fn rate(mut rounds: Vec<Duration>, messages: usize) -> f64 {
    rounds.sort_unstable();
    (messages * PASSES) as f64 / rounds[rounds.len() / 2].as_secs_f64() / 1e6
}

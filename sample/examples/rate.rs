//! Measures how fast each stream is generated on one core: `cargo run --release -p meunier-sample --example rate`.

use std::io::{self, Write};
use std::time::Instant;

use meunier_sample::{Generator, Stream};

const EVENTS: u64 = 3_000_000;
const NOW_MS: i64 = 1_800_000_000_000;

fn main() -> io::Result<()> {
    for stream in Stream::ALL {
        let generator = Generator::new(stream, 1);
        let mut event = Vec::new();
        let mut bytes = 0;
        let start = Instant::now();
        for seq in 0..EVENTS {
            generator.write_event(0, seq, NOW_MS + seq.cast_signed(), &mut event);
            bytes += event.len();
        }
        let seconds = start.elapsed().as_secs_f64();
        let (rate, size) = (EVENTS as f64 / seconds, bytes as f64 / EVENTS as f64);
        writeln!(io::stdout(), "{:15} {rate:>10.0} events/s  {size:>6.1} bytes an event", stream.name())?;
        writeln!(io::stdout(), "{}", String::from_utf8_lossy(&event))?;
    }
    Ok(())
}

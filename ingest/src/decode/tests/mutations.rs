//! Damaged messages among sound ones: nothing panics, every sound one gives its row, and what a second parser finds
//! malformed is never a row.

use meunier_sample::{Generator, Stream};
use serde_json::Value as Json;

use super::*;

/// Xorshift: enough to choose damage by, and the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("below a usize")
    }
}

fn damage(message: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut damaged = message.to_vec();
    let at = random.below(damaged.len());
    match random.below(9) {
        0 => damaged[at] ^= 1 << random.below(8),
        1 => damaged.truncate(at),
        2 => drop(damaged.splice(at.., other[random.below(other.len())..].iter().copied())),
        3 => drop(damaged.drain(at..(at + 1 + random.below(20)).min(message.len()))),
        4 => damaged[at] = u8::try_from(random.below(256)).expect("below 256"),
        5 => damaged.insert(at, *b"{}[],:\"\\ 0123456789-+.eEtfn\0\n".get(random.below(30)).unwrap_or(&b'x')),
        6 => drop(damaged.splice(at..at, std::iter::repeat_n(b'[', 1 + random.below(100_000)))),
        7 => damaged.extend_from_slice(other),
        _ => (0..20).for_each(|_| {
            let at = random.below(message.len());
            damaged[at] ^= 1 << random.below(8);
        }),
    }
    damaged
}

fn check(stream: Stream, mutations: usize) {
    let generator = Generator::new(stream, 1);
    let mut random = Random(0x2545_f491_4f6c_dd1d ^ mutations as u64);
    let mut sound = vec![Vec::new(); mutations + 1];
    for (seq, message) in (0..).zip(&mut sound) {
        generator.write_event(0, seq, 1_760_000_000_000, message);
    }
    let damaged: Vec<_> =
        (0..mutations).map(|i| damage(&sound[i], &sound[random.below(mutations)], &mut random)).collect();

    let mut decoder = JsonDecoder::new(parse_schema(stream.schema_json()), DecodeLimits::default());
    let rows_alone = outcomes(&decode_all(&mut decoder, &sound));
    assert!(rows_alone.iter().all(|(_, row)| !row.starts_with('✗')), "{stream:?}: sound messages are rows");

    // Even offsets are sound, odd ones damaged.
    let mixed: Vec<&[u8]> = (0..2 * mutations + 1)
        .map(|i| if i % 2 == 0 { &sound[i / 2][..] } else { &damaged[i / 2][..] })
        .collect();
    let batch = decode_all(&mut decoder, &mixed);
    assert!(batch.offsets.is_sorted() && batch.rejects.is_sorted_by_key(|reject| reject.offset));
    let outcomes = outcomes(&batch);
    assert_eq!(outcomes.len(), mixed.len(), "{stream:?}: each record is a row or a reject");
    for ((offset, outcome), payload) in outcomes.iter().zip(&mixed) {
        let index = usize::try_from(*offset).expect("offsets start at 0");
        if index % 2 == 0 {
            assert_eq!(*outcome, rows_alone[index / 2].1, "{stream:?}: the sound message at {offset}");
        } else {
            check_damaged(payload, outcome);
        }
    }
}

fn check_damaged(payload: &[u8], outcome: &str) {
    let is_malformed = outcome.starts_with("✗ malformed_json") || outcome.starts_with("✗ too_deep -:");
    match serde_json::from_slice::<Json>(payload) {
        Ok(_) => assert!(!is_malformed, "{outcome} {}", String::from_utf8_lossy(payload)),
        Err(error) if error.to_string().contains("number out of range") => {}
        Err(error) => assert!(is_malformed, "{error} {}", String::from_utf8_lossy(payload)),
    }
}

#[test]
fn damaged_messages_do_not_touch_their_neighbours() {
    for stream in Stream::ALL {
        check(stream, 2_000);
    }
}

//! Vectors of Pinot's and Kafka's own tests: ten values of seven bytes from Java's generator with seed 100.

use super::*;

/// `java.util.Random`, as its documentation states it.
struct JavaRandom(u64);

impl JavaRandom {
    fn new(seed: u64) -> JavaRandom {
        JavaRandom((seed ^ 0x0005_deec_e66d) & ((1 << 48) - 1))
    }

    fn next_int(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(0x0005_deec_e66d).wrapping_add(0xb) & ((1 << 48) - 1);
        u32::try_from(self.0 >> 16).unwrap()
    }

    fn next_bytes(&mut self) -> [u8; 7] {
        let (first, second) = (self.next_int().to_le_bytes(), self.next_int().to_le_bytes());
        [first[0], first[1], first[2], first[3], second[0], second[1], second[2]]
    }
}

fn values() -> Vec<[u8; 7]> {
    let mut random = JavaRandom::new(100);
    (0..10).map(|_| random.next_bytes()).collect()
}

fn check(hash: PartitionHash, expected: [u32; 10]) {
    let function = PartitionFunction::new(hash, 5).unwrap();
    let partitions = values().into_iter().map(|value| {
        let text = String::from_utf8_lossy(&value).into_owned();
        function.partition_of(&Value::String(text.into())).unwrap()
    });
    assert_eq!(partitions.collect::<Vec<_>>(), expected, "{hash:?}");
}

#[test]
fn hashes_are_kafkas() {
    let expected = [
        -1_044_832_774,
        -594_851_693,
        1_441_878_663,
        1_766_739_604,
        1_034_724_141,
        -296_671_913,
        443_511_156,
        1_483_601_453,
        1_819_695_080,
        -931_669_296,
    ];
    let hashes: Vec<i32> = values().iter().map(|value| murmur2(value).cast_signed()).collect();
    assert_eq!(hashes, expected);
    // Vectors of the reference implementation of Murmur 3.
    assert_eq!(murmur3(b"", 0), 0);
    assert_eq!(murmur3(b"", 1), 0x514e_28b7);
    assert_eq!(murmur3(b"test", 0), 0xba6b_d213);
    assert_eq!(murmur3(b"The quick brown fox jumps over the lazy dog", 0x9747_b28c), 0x2fa8_26cd);
    assert_eq!(java_hash_of_text("hello"), 99_162_322);
    assert_eq!(java_hash_of_bytes(&[1, 2, 0xff]), ((31 + 1) * 31 + 2) * 31 - 1);
}

#[test]
fn partitions_are_pinots() {
    check(PartitionHash::Murmur, [1, 4, 4, 1, 1, 2, 0, 4, 2, 3]);
    check(PartitionHash::Murmur3 { seed: 0 }, [4, 3, 3, 2, 3, 4, 0, 3, 1, 4]);
    check(PartitionHash::Murmur3 { seed: 9001 }, [2, 1, 3, 2, 2, 1, 1, 4, 4, 2]);
    check(PartitionHash::ByteArray, [1, 3, 2, 0, 0, 4, 4, 1, 2, 4]);
}

#[test]
fn numbers_are_hashed_as_their_texts() {
    for hash in [PartitionHash::Murmur, PartitionHash::HashCode, PartitionHash::ByteArray] {
        let function = PartitionFunction::new(hash, 7).unwrap();
        for number in [0, -1, i32::MIN, i32::MAX, 42] {
            let of_text = function.partition_of(&Value::String(number.to_string().into()));
            assert_eq!(function.partition_of(&Value::Int(number)), of_text);
            assert_eq!(function.partition_of(&Value::Long(number.into())), of_text);
        }
    }
}

#[test]
fn modulo_is_never_negative() {
    let function = PartitionFunction::new(PartitionHash::Modulo, 4).unwrap();
    let partition = |value: Value| function.partition_of(&value);
    assert_eq!(partition(Value::Int(-1)), Some(3));
    assert_eq!(partition(Value::Long(i64::MIN)), Some(0));
    assert_eq!(partition(Value::String("-6".into())), Some(2));
    assert_eq!(partition(Value::String("six".into())), None);
    assert_eq!(partition(Value::Double(1.0)), None);
}

#[test]
fn functions_are_named_in_any_case() {
    assert_eq!(PartitionFunction::hash_named("mURMUR3"), Some(PartitionHash::Murmur3 { seed: 0 }));
    assert_eq!(PartitionFunction::hash_named("BoundedColumnValue"), None);
    assert_eq!(PartitionFunction::new(PartitionHash::Murmur, 0), None);
    assert_eq!(PartitionFunction::new(PartitionHash::Murmur, u32::MAX), None);
}

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
    let function = PartitionFunction::new(hash.clone(), 5).unwrap();
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
    // Infinispan's, of the same values as texts, as Pinot's tests have them.
    let texts: Vec<String> =
        values().iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    let hashes = |seed| texts.iter().map(|text| murmur3_x64(text.as_bytes(), seed)).collect::<Vec<i32>>();
    let expected = [
        -930_531_654,
        1_010_637_996,
        -1_251_084_035,
        -1_551_293_561,
        1_591_443_335,
        181_872_103,
        1_308_755_538,
        -432_310_401,
        -701_537_488,
        674_867_586,
    ];
    assert_eq!(hashes(0), expected);
    let expected = [
        1_558_697_417,
        933_581_816,
        1_071_120_824,
        1_964_512_897,
        1_629_803_052,
        2_037_246_152,
        -1_867_319_466,
        -1_003_065_762,
        -275_998_120,
        1_386_652_858,
    ];
    assert_eq!(hashes(9001), expected);
    assert_eq!(java_hash_of_text("hello"), 99_162_322);
    assert_eq!(java_hash_of_bytes(&[1, 2, 0xff]), ((31 + 1) * 31 + 2) * 31 - 1);
}

#[test]
fn partitions_are_pinots() {
    check(PartitionHash::Murmur, [1, 4, 4, 1, 1, 2, 0, 4, 2, 3]);
    check(PartitionHash::Murmur3 { seed: 0 }, [4, 3, 3, 2, 3, 4, 0, 3, 1, 4]);
    check(PartitionHash::Murmur3 { seed: 9001 }, [2, 1, 3, 2, 2, 1, 1, 4, 4, 2]);
    check(PartitionHash::Murmur3X64 { seed: 0 }, [4, 1, 3, 2, 0, 3, 3, 2, 0, 1]);
    check(PartitionHash::Murmur3X64 { seed: 9001 }, [2, 1, 4, 2, 2, 2, 2, 1, 3, 3]);
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
    assert_eq!(PartitionFunction::hash_named("murmur2"), Some(PartitionHash::Murmur));
    assert_eq!(PartitionFunction::hash_named("BoundedColumnValue"), None);
    assert_eq!(PartitionFunction::new(PartitionHash::Murmur, 0), None);
    assert_eq!(PartitionFunction::new(PartitionHash::Murmur, u32::MAX), None);
}

/// The vectors that Fowler, Noll and Vo published.
#[test]
fn fnv_is_as_published() {
    for (text, fnv1, fnv1a) in
        [("", 0x811c_9dc5, 0x811c_9dc5), ("a", 0x050c_5d7e, 0xe40c_292c), ("abc", 0x439c_2f4b, 0x1a47_e90b)]
    {
        assert_eq!((fnv1_32(text.as_bytes()), fnv1a_32(text.as_bytes())), (fnv1, fnv1a), "{text}");
    }
    for (text, fnv1, fnv1a) in [
        ("", 0xcbf2_9ce4_8422_2325, 0xcbf2_9ce4_8422_2325),
        ("a", 0xaf63_bd4c_8601_b7be, 0xaf63_dc4c_8601_ec8c),
        ("ab", 0x0832_6707_b4eb_37b8, 0x089c_4407_b545_986a),
        ("abc", 0xd8dc_ca18_6baf_adcb, 0xe71f_a219_0541_574b),
    ] {
        assert_eq!((fnv1_64(text.as_bytes()), fnv1a_64(text.as_bytes())), (fnv1, fnv1a), "{text}");
    }
    let partition = |variant, normalizer| {
        let function = PartitionFunction::new(PartitionHash::Fnv(variant), 16).unwrap();
        function.normalized(normalizer).partition_of(&Value::String("".into())).unwrap()
    };
    let basis = 0x811c_9dc5_u32.cast_signed();
    assert_eq!(partition(FnvVariant::Fnv1aOf32, PartitionNormalizer::Mask), 5);
    assert_eq!(partition(FnvVariant::Fnv1aOf32, PartitionNormalizer::Abs), (basis % 16).unsigned_abs());
    assert_eq!(partition(FnvVariant::Fnv1aOf64, PartitionNormalizer::Mask), 5);
    assert_eq!(partition(FnvVariant::Fnv1aOf64, PartitionNormalizer::Abs), 11);
}

/// Made by another implementation, in integers without bounds.
const REFERENCE_X64: [i32; 3] = [-1_811_735_039, 387_387_406, 1_350_842_431];

#[test]
fn the_x64_murmur_takes_full_blocks_and_keeps_signs_behind_them() {
    let long: Vec<u8> = (0..31).map(|byte| byte * 8 + 7).collect();
    assert_eq!(murmur3_x64(b"", 0), REFERENCE_X64[0]);
    assert_eq!(murmur3_x64(b"0123456789abcdef", 7), REFERENCE_X64[1]);
    assert_eq!(murmur3_x64(&long, -1), REFERENCE_X64[2]);
}

#[test]
fn raw_bytes_are_hashed_themselves() {
    for hash in [PartitionHash::Murmur, PartitionHash::Fnv(FnvVariant::Fnv1Of64)] {
        let function = PartitionFunction::new(hash, 5).unwrap().of_raw_bytes(true);
        let of_bytes = function.partition_of(&Value::Bytes([1, 2, 3, 0xf4].into()));
        assert!(of_bytes.is_some());
        assert_eq!(function.partition_of(&Value::String("010203F4".into())), of_bytes);
        assert_eq!(function.partition_of(&Value::String("no digits".into())), None);
    }
}

#[test]
fn bounded_values_have_their_places() {
    let values = ["Maths", "English", "straße"].map(str::to_owned);
    let function = PartitionFunction::new(PartitionHash::BoundedColumnValue(values.into()), 4).unwrap();
    let partition = |text: &str| function.partition_of(&Value::String(text.into()));
    assert_eq!(partition("maths"), Some(1));
    assert_eq!(partition("ENGLISH"), Some(2));
    assert_eq!(partition("STRAßE"), Some(3));
    assert_eq!(partition("Chemistry"), Some(0));
    assert_eq!(function.partition_of(&Value::Int(5)), Some(0));
    let none = PartitionHash::BoundedColumnValue([].into());
    assert_eq!(PartitionFunction::new(none, 4), None);
}

#[test]
fn a_negative_hash_becomes_a_partition_as_it_is_asked_to() {
    let partition = |normalizer: PartitionNormalizer, hashed| normalizer.partition(hashed, 7);
    let expected = [Some(2), Some(5), Some((i32::MAX - 4).cast_unsigned() % 7), Some(5), None];
    for (normalizer, expected) in PartitionNormalizer::ALL.into_iter().zip(expected) {
        assert_eq!(partition(normalizer, Hashed::Int(-5)), expected, "{normalizer:?}");
    }
    assert_eq!(partition(PartitionNormalizer::PreModuloAbs, Hashed::Int(i32::MIN)), Some(0));
    assert_eq!(partition(PartitionNormalizer::PreModuloAbs, Hashed::Long(i64::MIN)), Some(0));
    assert_eq!(partition(PartitionNormalizer::NoOp, Hashed::Int(6)), Some(6));
    assert_eq!(partition(PartitionNormalizer::NoOp, Hashed::Int(7)), None);
}

use super::Random;

fn mean(count: u32, mut draw: impl FnMut(&mut Random) -> u32) -> f64 {
    let mut random = Random::of([7]);
    (0..count).map(|_| f64::from(draw(&mut random))).sum::<f64>() / f64::from(count)
}

#[test]
fn sequence_depends_on_every_key_and_their_order() {
    let first = |keys: [u64; 3]| Random::of(keys).next();
    assert_eq!(first([1, 2, 3]), first([1, 2, 3]));
    assert_ne!(first([1, 2, 3]), first([3, 2, 1]));
    assert_ne!(first([1, 2, 3]), first([1, 2, 4]));
    assert_ne!(first([0, 0, 0]), first([0, 0, 1]));
}

#[test]
fn numbers_stay_below_their_bound_and_reach_all_of_it() {
    let mut random = Random::of([1]);
    let mut seen = [false; 7];
    (0..1_000).for_each(|_| seen[random.below(7) as usize] = true);
    assert_eq!(seen, [true; 7]);
    assert_eq!(random.below(0), 0);
    assert_eq!(random.between(i32::MIN, i32::MIN), i32::MIN);
    assert!((0..1_000).all(|_| (-5..=5).contains(&random.between(-5, 5))));
}

#[test]
fn exponential_has_its_mean() {
    let mean = mean(200_000, |random| random.exponential(10_000));
    assert!((9_400.0..10_600.0).contains(&mean), "mean {mean}");
    let mut random = Random::of([2]);
    assert!((0..1_000).all(|_| random.exponential(u32::MAX) > 0));
}

#[test]
fn skewed_numbers_prefer_the_first_and_reach_far() {
    let mut random = Random::of([3]);
    let ranks: Vec<_> = (0..100_000).map(|_| random.skewed(4, 14)).collect();
    let head = ranks.iter().filter(|rank| **rank < 16).count();
    assert!((9_000..11_000).contains(&head), "{head} of 100000 in the first 16");
    assert!(ranks.iter().all(|rank| *rank < (1 << 14) - 16));
    assert!(ranks.iter().any(|rank| *rank > 12_000));
}

use super::Weighted;
use crate::random::Random;

fn check(weights: &[u32]) {
    let weighted = Weighted::new(weights.iter().copied());
    let mut random = Random::of([11]);
    let mut drawn = vec![0_u32; weights.len()];
    let draws = 200_000;
    (0..draws).for_each(|_| drawn[weighted.draw(&mut random)] += 1);

    let total: u32 = weights.iter().sum();
    for (index, weight) in weights.iter().enumerate() {
        let expected = f64::from(draws) * f64::from(*weight) / f64::from(total);
        let difference = (f64::from(drawn[index]) - expected).abs();
        assert!(
            difference <= expected * 0.1 + 10.0,
            "{weights:?}: {index} drawn {} of {expected}",
            drawn[index]
        );
    }
}

#[test]
fn draws_in_proportion_to_the_weights() {
    check(&[1]);
    check(&[1, 1, 1]);
    check(&[700, 200, 100]);
    check(&[0, 5, 0, 1_000, 37, 1]);
}

#[test]
fn zipf_weights_fall_with_the_rank() {
    let weighted = Weighted::zipf(100, 0);
    let mut random = Random::of([12]);
    let mut drawn = [0; 100];
    (0..100_000).for_each(|_| drawn[weighted.draw(&mut random)] += 1);
    assert!(drawn[0] > drawn[1] && drawn[1] > drawn[4] && drawn[4] > drawn[40], "{drawn:?}");
}

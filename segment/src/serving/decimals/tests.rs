use super::*;

fn check<F: Float>(values: &[F], exponent: Option<u8>) {
    let decimals = to_decimals(values);
    assert_eq!(decimals.as_ref().map(|decimals| decimals.exponent), exponent);
    if let Some(decimals) = decimals {
        let float = from_decimals::<F>(decimals.exponent).unwrap();
        for (integer, value) in decimals.integers.iter().zip(values) {
            assert!(float(*integer).is_same(*value), "{integer} is not {}", value.to_f64());
        }
    }
}

#[test]
fn decimals_come_back_bit_for_bit() {
    check(&[1.5, 2.25, -3.0, 1e9], Some(2));
    check(&[0.1, 0.2, 0.3, 12_345.67], Some(2));
    check(&[0.1_f32, 16.05, -7.125], Some(3));
    check(&[1e-15, 1.0], Some(15));
    check::<f64>(&[], Some(0));
    // The last digits stand where the sample does not look.
    let mut values = vec![1.0; 1_000];
    values[999] = 0.001;
    check(&values, Some(3));
}

#[test]
fn other_floats_stay_as_they_are() {
    for odd in
        [f64::NAN, -0.0, f64::INFINITY, 0.1 + 0.2, 1e300, f64::from_bits(1), std::f64::consts::PI / 10.0]
    {
        check(&[1.5, odd], None);
        let mut values = vec![1.5; 1_000];
        values[999] = odd;
        check(&values, None);
    }
    check(&[f32::NAN, 1.0], None);
    check(&[-0.0_f32], None);
}

#[test]
fn an_exponent_too_large_is_refused() {
    assert!(from_decimals::<f64>(16).is_err());
}

#[test]
fn every_number_of_two_decimals_comes_back() {
    for integer in (0..30_000_000_i64).step_by(977) {
        let value: f64 = format!("{}.{:02}", integer / 100, integer % 100).parse().unwrap();
        check(&[value, 0.25], Some(2));
    }
}

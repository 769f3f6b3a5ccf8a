//! Numbers, bits, logic and vectors. Facts are of Pinot's tests and of mathematics.

use super::{check_all, refused};

#[test]
fn computes_numbers() {
    check_all(&[
        ("abs(-9)", "9"),
        ("abs(-9.5)", "9.5"),
        ("abs('-9.5')", "9.5"),
        ("ceil(9.1)", "10.0"),
        ("\"floor\"(-9.1)", "-10.0"),
        ("cbrt(27.0)", "3.0"),
        ("exp2(3)", "8.0"),
        ("exp10(-1)", "0.1"),
        ("log1p(1e-15)", "9.999999999999995e-16"),
        ("log10(1000)", "3.0"),
        ("sign(-0.5)", "-1.0"),
        ("sign(0)", "0.0"),
        ("power(2, 10)", "1024.0"),
        ("hypot(3, 4)", "5.0"),
        ("div(1, 0, -1)", "-1.0"),
        ("intDiv(1.0, '0.0001')", "10000"),
        ("intDiv(-7, 2)", "-4"),
        ("intDivOrZero(1, 0)", "0"),
        ("moduloOrZero(9, 0)", "0"),
        ("positiveModulo(-9, 5)", "1"),
        ("positiveModulo(-9.5, 5)", "0.5"),
        ("gcd(9, 6)", "3"),
        ("gcd(9, 0)", "9"),
        ("lcm(-4, 6)", "12"),
        ("widthBucket(100.0, 0.0, 10.0, 5)", "6"),
        ("widthBucket(-1.0, 0.0, 10.0, 1)", "0"),
        ("widthBucket(5.0, 0.0, 10.0, 4)", "3"),
        ("factorial(20)", "2432902008176640000"),
        ("isFinite('-Infinity')", "0"),
        ("isNaN('NaN')", "1"),
        ("ifNotFinite('Infinity', 1)", "1.0"),
        ("roundDecimal(9.5, 0)", "10.0"),
        ("roundDecimal(2.675, 2)", "2.68"),
        ("roundDecimal(-2.675, 2)", "-2.68"),
        ("roundDecimal(1250, -2)", "1300.0"),
        ("roundDecimal(9.6)", "10.0"),
        ("roundDecimal('-Infinity', 2)", "-inf"),
        ("truncate(9.99, 1)", "9.9"),
        ("truncate(-9.5)", "-9.0"),
        ("asinh(1.1752011936438014)", "1.0"),
        ("roundDecimal(cot(atan(0.5)), 9)", "2.0"),
        ("degrees(pi())", "180.0"),
        ("rand(42) = rand(42)", "true"),
        ("sigmoid(0)", "0.5"),
        ("sqrt(NULL)", "null"),
    ]);
    refused("factorial(21)", "no LONG");
    refused("sqrt('x')", "'x' is not a DOUBLE");
    refused("sqrt(1, 2)", "cannot take 2 arguments");
}

#[test]
fn computes_bits() {
    check_all(&[
        ("bitAnd(6, 3)", "2"),
        ("bitOr(6, 3)", "7"),
        ("bitXor(6, 3)", "5"),
        ("bitNot(0)", "-1"),
        ("bitMask(63)", "-9223372036854775808"),
        ("bitMask(64)", "0"),
        ("bitShiftLeft(1, 65)", "2"),
        ("bitShiftRight(-8, 2)", "-2"),
        ("bitShiftRightUnsigned(-8, 2)", "4611686018427387902"),
        ("bitExtract(5, 2)", "1"),
        ("bitExtract(5, 64)", "0"),
        ("bitCount(-1)", "64"),
        ("byteswapInt(305419896)", "2018915346"),
        ("byteswapLong(1)", "72057594037927936"),
    ]);
}

#[test]
fn compares_with_nulls() {
    check_all(&[
        ("isTrue(NULL)", "false"),
        ("isNotTrue(NULL)", "true"),
        ("isFalse(1 = 2)", "true"),
        ("isNotFalse(NULL)", "true"),
        ("isDistinctFrom(NULL, NULL)", "false"),
        ("isDistinctFrom(1, NULL)", "true"),
        ("isDistinctFrom(1, 1.0)", "false"),
        ("isNotDistinctFrom('a', 'a')", "true"),
        ("\"between\"(2, 1, 3)", "true"),
        ("\"between\"('b', 'c', 'd')", "false"),
    ]);
}

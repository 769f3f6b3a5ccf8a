//! Arrays and vectors. Facts are of Pinot's tests.

use super::{ask, check_all, refused};

const INTS: &str = "arrayValueConstructor(3, 2, 10, 6, 1, 12)";

fn over_ints(facts: &[(&str, &str)]) {
    let facts: Vec<_> =
        facts.iter().map(|(call, expected)| (call.replace("ints", INTS), *expected)).collect();
    let facts: Vec<_> = facts.iter().map(|(call, expected)| (call.as_str(), *expected)).collect();
    check_all(&facts);
}

#[test]
fn computes_arrays() {
    over_ints(&[
        ("arrayLength(ints)", "6"),
        ("cardinality(arrayValueConstructor())", "0"),
        ("arrayMin(ints)", "1"),
        ("arrayMax(ints)", "12"),
        ("arrayMax(split('a,c,b', ','))", "c"),
        ("arrayMin(arrayValueConstructor())", "null"),
        ("arraySum(ints)", "34.0"),
        ("arrayAverage(ints)", "5.666666666666667"),
        ("arraySumInt(ints)", "34"),
        ("arrayReverseInt(ints)", "[12, 1, 6, 10, 2, 3]"),
        ("arrayReverseString(ints)", "[12, 1, 6, 10, 2, 3]"),
        ("arraySortInt(ints)", "[1, 2, 3, 6, 10, 12]"),
        ("arraySortString(ints)", "[1, 10, 12, 2, 3, 6]"),
        ("arrayIndexOfInt(ints, 2)", "1"),
        ("arrayIndexOfInt(ints, 4)", "-1"),
        ("arrayIndexesOfLong(arrayUnionInt(ints, ints), 10)", "[2]"),
        ("arrayContainsString(ints, '2')", "true"),
        ("arraySliceLong(ints, 1, 3)", "[2, 10]"),
        ("arrayDistinctInt(arrayConcatInt(ints, ints))", "[3, 2, 10, 6, 1, 12]"),
        ("arrayRemoveInt(ints, 2)", "[3, 10, 6, 1, 12]"),
        ("arrayPushBackInt(ints, 7)", "[3, 2, 10, 6, 1, 12, 7]"),
        ("arrayPushFrontString(ints, 'x')", "[x, 3, 2, 10, 6, 1, 12]"),
        ("arrayElementAtInt(ints, 1)", "3"),
        ("arrayElementAtInt(ints, 7)", "0"),
        ("intersectIndices(arrayValueConstructor(1, 2, 4), arrayValueConstructor(2, 4, 5))", "[2, 4]"),
        ("arraysOverlap(ints, arrayValueConstructor(9, 12))", "true"),
        ("valueIn(ints, 12, 3, 4)", "[3, 12]"),
        ("valueIn(split('a,b,a', ','), 'a')", "[a, a]"),
        ("mapValue(split('k1,k2', ','), 'k2', arrayValueConstructor(1, 2))", "2"),
        ("mapValue(split('k1,k2', ','), 'k3', arrayValueConstructor(1, 2))", "null"),
        ("generateIntArray(1, 7, 3)", "[1, 4, 7]"),
        ("generateLongArray(3, 1, -1)", "[3, 2, 1]"),
        ("generateDoubleArray(0, 1, 0.5)", "[0.0, 0.5, 1.0]"),
        ("arrayValueConstructor(1, 2.5)", "[1.0, 2.5]"),
        ("arrayValueConstructor('a', 1)", "[a, 1]"),
        ("toEpochDaysMV(arrayValueConstructor(0, 86400000))", "[0, 1]"),
        ("year(arrayValueConstructor(0, 1612296732123), 'UTC')", "[1970, 2021]"),
    ]);
    refused("generateIntArray(1, 2000000000, 1)", "at most 4194304 are allowed");
    refused("generateIntArray(1, 2, 0)", "the step is 0");
    refused("upper(arrayValueConstructor('a'))", "cannot take (List");
}

#[test]
fn computes_vectors() {
    let (first, second) =
        ("arrayValueConstructor(0.1, 0.2, 0.3, 0.4, 0.5)", "arrayValueConstructor(0.6, 0.7, 0.8, 0.9, 1.0)");
    let zero = "arrayValueConstructor(0.0, 0.0, 0.0, 0.0, 0.0)";
    for (expression, expected) in [
        (format!("innerProduct({first}, {second})"), "1.2999999970197678"),
        (format!("l2Distance({first}, {zero})"), "0.741619857751291"),
        (format!("vectorNorm({zero})"), "0.0"),
        (format!("vectorDims({first})"), "5"),
        (format!("cosineDistance({first}, {zero}, 0)"), "0.0"),
    ] {
        assert_eq!(ask(&format!("SELECT {expression}")), Ok(vec![expected.to_owned()]), "{expression}");
    }
    refused(&format!("l1Distance({first}, arrayValueConstructor(1))"), "5 and 1 dimensions");
}

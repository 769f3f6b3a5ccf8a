//! Places and shapes. Facts are of Pinot's tests.

use super::{ask, check_all, refused};

#[test]
fn reads_and_writes_shapes() {
    let shapes = [
        "POINT EMPTY",
        "MULTIPOLYGON EMPTY",
        "GEOMETRYCOLLECTION EMPTY",
        "POINT (1 2)",
        "MULTIPOINT ((1 2), (3 4))",
        "LINESTRING (0 0, 1 2, 3 4)",
        "MULTILINESTRING ((1 1, 5 1), (2 4, 4 4))",
        "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))",
        "POLYGON ((0 0, 0 3, 3 3, 3 0, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))",
        "MULTIPOLYGON (((1 1, 1 3, 3 3, 3 1, 1 1)), ((2 4, 2 6, 6 6, 6 4, 2 4)))",
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 2, 3 4), POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0)))",
    ];
    for shape in shapes {
        for (from, wkb) in [("ST_GeomFromText", "ST_GeomFromWKB"), ("ST_GeogFromText", "ST_GeogFromWKB")] {
            let (from, wkb) = (from.replace('_', ""), wkb.replace('_', ""));
            let sql = format!("SELECT stAsText({wkb}(stAsBinary({from}('{shape}'))))");
            assert_eq!(ask(&sql), Ok(vec![shape.to_owned()]), "{sql}");
        }
    }
    check_all(&[
        // Pinot's form: the kind, with the highest bit on earth, and two big-endian numbers.
        ("stPoint(1, 2)", "003ff00000000000004000000000000000"),
        ("stPoint(1, 2, 1 = 1)", "803ff00000000000004000000000000000"),
        ("toGeometry(stPoint(1, 2, 1 = 1))", "003ff00000000000004000000000000000"),
        (
            "stGeomFromText('LINESTRING (0 0, 1 2)')",
            "020000000100000002000000000000000000000000\
             00000000000000003ff00000000000004000000000000000",
        ),
        ("stGeometryType(stPolygon('POLYGON ((0 0, 0 1, 1 1, 0 0))'))", "Polygon"),
        (
            r#"stAsGeoJSON(stGeogFromGeoJSON('{"type":"LineString","coordinates":[[0.0,0.0],[1,2],[3.5,4]]}'))"#,
            r#"{"type":"LineString","coordinates":[[0.0,0.0],[1,2],[3.5,4]],"crs":{"type":"name","properties":{"name":"EPSG:4326"}}}"#,
        ),
        ("stAsText(NULL)", "null"),
    ]);
    refused("stGeomFromText('POINT (1)')", "no shape in WKT");
    refused("stAsText('00')", "the bytes are no shape");
    refused("stPolygon('POINT (1 2)')", "no polygon");
}

fn of_shapes(function: &str, geography: bool, first: &str, second: &str) -> Result<Vec<String>, String> {
    let from = if geography { "stGeogFromText" } else { "stGeomFromText" };
    ask(&format!("SELECT {function}({from}('{first}'), {from}('{second}'))"))
}

#[test]
fn measures_distances() {
    for (first, second, expected) in [
        ("POINT (50 100)", "POINT (150 150)", 111.80339887498948),
        ("MULTIPOINT (50 100, 50 200)", "Point (50 100)", 0.0),
        ("LINESTRING (50 100, 50 200)", "LINESTRING (10 10, 20 20)", 85.44003745317531),
        ("MULTILINESTRING ((1 1, 5 1), (2 4, 4 4))", "LINESTRING (10 20, 20 50)", 17.08800749063506),
        (
            "POLYGON ((1 1, 1 3, 3 3, 3 1, 1 1))",
            "POLYGON ((4 4, 4 5, 5 5, 5 4, 4 4))",
            std::f64::consts::SQRT_2,
        ),
    ] {
        near(&of_shapes("stDistance", false, first, second), expected);
    }
    for (first, second, expected) in [
        ("POINT(-86.67 36.12)", "POINT(-118.40 33.94)", 2_886_448.973_436_701_6),
        ("POINT(-71.0589 42.3601)", "POINT(-71.2290 42.4430)", 16_734.697_434_573_83),
        ("POINT(-86.67 36.12)", "POINT(-86.67 36.12)", 0.0),
    ] {
        near(&of_shapes("stDistance", true, first, second), expected);
    }
    refused("stDistance(stPoint(1, 2), stPoint(1, 2, 1 = 1))", "one on earth");
}

fn near(answer: &Result<Vec<String>, String>, expected: f64) {
    let value: f64 = answer.as_ref().expect("an answer")[0].parse().expect("a number");
    assert!((value - expected).abs() <= expected.abs() * 1e-9, "{value}, not {expected}");
}

#[test]
fn measures_areas() {
    for (shape, geography, expected) in [
        ("POLYGON ((2 2, 2 6, 6 6, 6 2, 2 2))", false, 16.0),
        ("LINESTRING (1 4, 2 5)", false, 0.0),
        ("POINT EMPTY", false, 0.0),
        (
            "GEOMETRYCOLLECTION (POINT (8 8), POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0)), POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1)))",
            false,
            8.0,
        ),
        ("POLYGON((0 0, 0 1, 1 1, 1 0, 0 0))", true, 1.236_403_656_707_641_6e10),
        ("POLYGON((90 0, 0 0, 0 90, 90 0))", true, 6.375_825_913_974_856e13),
        ("POLYGON((90 0, 0 0, 0 90, 90 0), (89 1, 1 1, 1 89, 89 1))", true, 3.480_423_348_045_961e12),
    ] {
        let from = if geography { "stGeogFromText" } else { "stGeomFromText" };
        near(&ask(&format!("SELECT stArea({from}('{shape}'))")), expected);
    }
}

#[test]
fn relates_shapes() {
    for (first, second, expected) in [
        ("POINT (20 20)", "POINT (25 25)", "0"),
        ("MULTIPOINT (20 20, 25 25)", "POINT (25 25)", "1"),
        ("LINESTRING (20 20, 30 30)", "POINT (25 25)", "1"),
        ("LINESTRING (20 20, 30 30)", "MULTIPOINT (25 25, 31 31)", "0"),
        ("LINESTRING (20 20, 30 30)", "LINESTRING (25 25, 27 27)", "1"),
        ("POLYGON ((0 0, 0 4, 4 4, 4 0, 0 0))", "POLYGON ((1 1, 1 2, 2 2, 2 1, 1 1))", "1"),
        ("POLYGON ((0 0, 0 4, 4 4, 4 0, 0 0))", "POLYGON ((-1 -1, -1 2, 2 2, 2 -1, -1 -1))", "0"),
        ("LINESTRING (20 20, 30 30)", "POLYGON ((0 0, 0 4, 4 4, 4 0, 0 0))", "0"),
        ("LINESTRING EMPTY", "POLYGON ((0 0, 0 4, 4 4, 4 0, 0 0))", "0"),
    ] {
        assert_eq!(
            of_shapes("stContains", false, first, second),
            Ok(vec![expected.to_owned()]),
            "{first} {second}"
        );
        assert_eq!(
            of_shapes("stWithin", true, second, first),
            Ok(vec![expected.to_owned()]),
            "{first} {second}"
        );
    }
    let (square, turned) = ("POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))", "POLYGON ((1 1, 1 0, 0 0, 0 1, 1 1))");
    assert_eq!(of_shapes("stEquals", false, square, turned), Ok(vec!["1".to_owned()]));
    assert_eq!(of_shapes("stEquals", false, square, "POINT (0 0)"), Ok(vec!["0".to_owned()]));
}

#[test]
fn finds_cells_and_hashes() {
    check_all(&[
        // H3's own example: 8928308280fffff at 37.775938728915946, -122.41795063018799.
        ("longToHexDecimal(geoToH3(-122.41795063018799, 37.775938728915946, 9))", "8928308280fffff"),
        (
            "geoToH3(stPoint(-122.41795063018799, 37.775938728915946), 9) = hexDecimalToLong('8928308280fffff')",
            "true",
        ),
        ("arrayLength(gridDisk(hexDecimalToLong('8928308280fffff'), 1))", "7"),
        ("gridDistance(hexDecimalToLong('8928308280fffff'), hexDecimalToLong('8928308280bffff'))", "1"),
        ("roundDecimal(decodeGeoHashLatitude('gcpvj0eu'), 3)", "51.507"),
        ("roundDecimal(decodeGeoHashLon('u4pruydqqvj'), 4)", "10.4074"),
        // The example of the geohash's inventor.
        ("encodeGeoHash(57.64911, 10.40744, 11)", "u4pruydqqvj"),
    ]);
    refused("encodeGeoHash(1, 1, 13)", "1 to 12 letters");
    refused("decodeGeoHash('a')", "no geohash");
    refused("gridDisk(1, 1)", "no cell");
}

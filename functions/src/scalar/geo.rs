//! Functions of places and shapes on earth.
//!
//! Shapes are BYTES in Pinot's form ([`binary`]), with a bit that says whether they lie on a plane or on the earth's sphere.

mod binary;
mod cells;
mod geojson;
mod hash;
mod measure;
mod shape;
mod text;
mod union;

use super::call::Fault;
use super::function::Function;
use super::rows::{Bool, Bytes, Double, Text, fault, row1, row2, row3};
use crate::description::FunctionGroup::Geo;
use shape::{Geometry, Point, Shape};
pub(crate) use union::union;

/// Returns the functions of places and shapes.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [constructors(), writers(), measures(), cells::functions(), hash::functions()];
    themes.into_iter().flatten().collect()
}

fn bytes(shape: Shape, geography: bool) -> Vec<u8> {
    binary::write(&Geometry { shape, geography })
}

fn constructors() -> Vec<Function> {
    vec![
        Function::new(
            Geo,
            &["ST_Point"],
            "ST_Point(x, y[, isGeography])",
            "The point at two coordinates: x is the longitude, y the latitude.",
            [
                row2::<Double, Double, _>(|x, y| bytes(Shape::Point(Some(Point { x, y })), false)),
                row3::<Double, Double, Bool, _>(|x, y, geography| {
                    bytes(Shape::Point(Some(Point { x, y })), geography)
                }),
            ],
        ),
        Function::new(
            Geo,
            &["ST_Polygon"],
            "ST_Polygon(text)",
            "The polygon that a text in WKT says.",
            [row1::<Text, _>(|text| match text::parse(text)? {
                shape @ Shape::Polygon(_) => Ok(bytes(shape, false)),
                _ => fault("the shape is no polygon"),
            })],
        ),
        Function::new(
            Geo,
            &["ST_GeomFromText"],
            "ST_GeomFromText(text)",
            "The shape on a plane that a text in WKT says, as `POINT (1 2)`.",
            [row1::<Text, _>(|text| Ok::<_, Fault>(bytes(text::parse(text)?, false)))],
        ),
        Function::new(
            Geo,
            &["ST_GeogFromText"],
            "ST_GeogFromText(text)",
            "The shape on earth that a text in WKT says.",
            [row1::<Text, _>(|text| Ok::<_, Fault>(bytes(text::parse(text)?, true)))],
        ),
        Function::new(
            Geo,
            &["ST_GeomFromWKB"],
            "ST_GeomFromWKB(bytes)",
            "The shape on a plane that bytes in WKB say.",
            [row1::<Bytes, _>(|wkb| Ok::<_, Fault>(bytes(binary::read_wkb(wkb)?, false)))],
        ),
        Function::new(
            Geo,
            &["ST_GeogFromWKB"],
            "ST_GeogFromWKB(bytes)",
            "The shape on earth that bytes in WKB say.",
            [row1::<Bytes, _>(|wkb| Ok::<_, Fault>(bytes(binary::read_wkb(wkb)?, true)))],
        ),
        Function::new(
            Geo,
            &["ST_GeomFromGeoJSON"],
            "ST_GeomFromGeoJSON(text)",
            "The shape on a plane that a text in GeoJSON says.",
            [row1::<Text, _>(|text| Ok::<_, Fault>(bytes(geojson::parse(text)?, false)))],
        ),
        Function::new(
            Geo,
            &["ST_GeogFromGeoJSON"],
            "ST_GeogFromGeoJSON(text)",
            "The shape on earth that a text in GeoJSON says.",
            [row1::<Text, _>(|text| Ok::<_, Fault>(bytes(geojson::parse(text)?, true)))],
        ),
        Function::new(
            Geo,
            &["toSphericalGeography"],
            "toSphericalGeography(shape)",
            "The shape on earth.",
            [row1::<Bytes, _>(|shape| Ok::<_, Fault>(bytes(binary::read(shape)?.shape, true)))],
        ),
        Function::new(
            Geo,
            &["toGeometry"],
            "toGeometry(shape)",
            "The shape on a plane.",
            [row1::<Bytes, _>(|shape| Ok::<_, Fault>(bytes(binary::read(shape)?.shape, false)))],
        ),
    ]
}

fn writers() -> Vec<Function> {
    vec![
        Function::new(
            Geo,
            &["ST_AsText"],
            "ST_AsText(shape)",
            "The shape in WKT.",
            [row1::<Bytes, _>(|shape| Ok::<_, Fault>(text::write(&binary::read(shape)?.shape)))],
        ),
        Function::new(
            Geo,
            &["ST_AsBinary"],
            "ST_AsBinary(shape)",
            "The shape in WKB.",
            [row1::<Bytes, _>(|shape| Ok::<_, Fault>(binary::write_wkb(&binary::read(shape)?.shape)))],
        ),
        Function::new(
            Geo,
            &["ST_AsGeoJSON"],
            "ST_AsGeoJSON(shape)",
            "The shape in GeoJSON.",
            [row1::<Bytes, _>(|shape| Ok::<_, Fault>(geojson::write(&binary::read(shape)?)))],
        ),
        Function::new(
            Geo,
            &["ST_GeometryType"],
            "ST_GeometryType(shape)",
            "The kind of shape, as `Point`.",
            [row1::<Bytes, _>(|shape| Ok::<_, Fault>(binary::read(shape)?.shape.kind().to_owned()))],
        ),
    ]
}

fn measures() -> Vec<Function> {
    vec![
        Function::new(
            Geo,
            &["ST_Distance"],
            "ST_Distance(first, second)",
            "The distance of two shapes on a plane, or in metres of two points on earth.",
            [row2::<Bytes, Bytes, _>(|first, second| {
                measure::distance(&binary::read(first)?, &binary::read(second)?)
            })],
        ),
        Function::new(
            Geo,
            &["ST_Area"],
            "ST_Area(shape)",
            "The area of a shape on a plane, or in square metres of a polygon on earth.",
            [row1::<Bytes, _>(|shape| measure::area(&binary::read(shape)?))],
        ),
        Function::new(
            Geo,
            &["ST_Contains"],
            "ST_Contains(first, second)",
            "1 when no point of the second shape lies outside of the first, else 0.",
            [row2::<Bytes, Bytes, _>(|first, second| {
                measure::contains(&binary::read(first)?, &binary::read(second)?).map(i32::from)
            })],
        ),
        Function::new(
            Geo,
            &["ST_Within"],
            "ST_Within(first, second)",
            "1 when no point of the first shape lies outside of the second, else 0.",
            [row2::<Bytes, Bytes, _>(|first, second| {
                measure::contains(&binary::read(second)?, &binary::read(first)?).map(i32::from)
            })],
        ),
        Function::new(
            Geo,
            &["ST_Equals"],
            "ST_Equals(first, second)",
            "1 when two shapes have the same points, else 0.",
            [row2::<Bytes, Bytes, _>(|first, second| {
                Ok::<_, Fault>(i32::from(measure::equal(
                    &binary::read(first)?.shape,
                    &binary::read(second)?.shape,
                )))
            })],
        ),
    ]
}

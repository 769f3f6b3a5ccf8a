//! Shapes in GeoJSON.

use serde_json::Value;

use super::shape::{DEPTH_MAX, Geometry, Line, Point, Shape};
use crate::scalar::call::Fault;
use crate::scalar::rows::fault;
use crate::time::unit::unknown;

/// Reads a shape.
pub(super) fn parse(text: &str) -> Result<Shape, Fault> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => shape(&value, 0),
        Err(_) => fault("the text is no JSON"),
    }
}

fn shape(value: &Value, depth: usize) -> Result<Shape, Fault> {
    let Some(kind) = value.get("type").and_then(Value::as_str) else { return bad() };
    if kind == "GeometryCollection" && depth < DEPTH_MAX {
        let shapes = list(value.get("geometries"), |value| shape(value, depth + 1))?;
        return Ok(Shape::Collection(shapes));
    }
    let coordinates = value.get("coordinates");
    Ok(match kind {
        "Point" => match coordinates {
            Some(Value::Array(numbers)) if numbers.is_empty() => Shape::Point(None),
            Some(numbers) => Shape::Point(Some(point(numbers)?)),
            None => return bad(),
        },
        "MultiPoint" => Shape::MultiPoint(list(coordinates, point)?),
        "LineString" => Shape::LineString(list(coordinates, point)?),
        "MultiLineString" => Shape::MultiLineString(list(coordinates, |line| list(Some(line), point))?),
        "Polygon" => Shape::Polygon(list(coordinates, |ring| list(Some(ring), point))?),
        "MultiPolygon" => {
            Shape::MultiPolygon(list(coordinates, |rings| list(Some(rings), |ring| list(Some(ring), point)))?)
        }
        other => return fault(unknown("kind of shape", other, Shape::KINDS)),
    })
}

fn bad<T>() -> Result<T, Fault> {
    fault("the text is no shape in GeoJSON")
}

fn list<T>(value: Option<&Value>, each: impl Fn(&Value) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    match value {
        Some(Value::Array(items)) => items.iter().map(each).collect(),
        _ => bad(),
    }
}

fn point(value: &Value) -> Result<Point, Fault> {
    let number = |place: usize| value.get(place).and_then(Value::as_f64);
    match (number(0), number(1)) {
        (Some(x), Some(y)) => Ok(Point { x, y }),
        _ => bad(),
    }
}

/// Writes a shape, with its reference system as Pinot does.
pub(super) fn write(geometry: &Geometry) -> String {
    let system = if geometry.geography { 4326 } else { 0 };
    let crs = format!(r#","crs":{{"type":"name","properties":{{"name":"EPSG:{system}"}}}}}}"#);
    let mut text = body(&geometry.shape);
    text.pop();
    text + &crs
}

fn body(shape: &Shape) -> String {
    let coordinates = match shape {
        Shape::Point(point) => point.as_ref().map_or("[]".to_owned(), coordinates),
        Shape::MultiPoint(points) | Shape::LineString(points) => all(points, coordinates),
        Shape::MultiLineString(lines) | Shape::Polygon(lines) => all(lines, |line| all(line, coordinates)),
        Shape::MultiPolygon(polygons) => {
            all(polygons, |rings| all(rings, |line: &Line| all(line, coordinates)))
        }
        Shape::Collection(shapes) => {
            return format!(r#"{{"type":"GeometryCollection","geometries":{}}}"#, all(shapes, body));
        }
    };
    format!(r#"{{"type":"{}","coordinates":{coordinates}}}"#, shape.kind())
}

fn all<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(","))
}

/// Zero has a fraction in what Pinot's library writes, other whole numbers have not.
fn coordinates(point: &Point) -> String {
    let number = |value: f64| if value == 0.0 { "0.0".to_owned() } else { value.to_string() };
    format!("[{},{}]", number(point.x), number(point.y))
}

//! How far shapes are from each other, how large they are, and which lies in which.

use std::f64::consts::{PI, TAU};

use geo::{Area, Distance, Euclidean, Relate};
use geo::{Coord, LineString, MultiLineString, MultiPoint, MultiPolygon, Polygon};

use super::shape::{Geometry, Line, Point, Rings, Shape};
use crate::scalar::call::Fault;
use crate::scalar::rows::fault;

/// The earth's radius in metres, as Pinot takes it.
const EARTH_RADIUS: f64 = 6_371_010.0;

/// Both shapes lie on a plane, or both on earth.
fn check_alike(first: &Geometry, second: &Geometry) -> Result<(), Fault> {
    match first.geography == second.geography {
        true => Ok(()),
        false => fault("one shape lies on a plane and one on earth"),
    }
}

/// Returns the distance of two shapes.
pub(super) fn distance(first: &Geometry, second: &Geometry) -> Result<f64, Fault> {
    check_alike(first, second)?;
    if first.geography {
        return match (&first.shape, &second.shape) {
            (Shape::Point(Some(first)), Shape::Point(Some(second))) => on_earth(*first, *second),
            _ => fault("on earth the distance of points is known only"),
        };
    }
    match (planar(&first.shape), planar(&second.shape)) {
        (Some(first), Some(second)) => Ok(Euclidean.distance(&first, &second)),
        _ => Ok(f64::NAN),
    }
}

fn on_earth(first: Point, second: Point) -> Result<f64, Fault> {
    for point in [first, second] {
        if !(-90.0..=90.0).contains(&point.y) || !(-180.0..=180.0).contains(&point.x) {
            return fault("latitudes lie between -90 and 90, longitudes between -180 and 180");
        }
    }
    let (sin1, cos1) = first.y.to_radians().sin_cos();
    let (sin2, cos2) = second.y.to_radians().sin_cos();
    let (sin, cos) = (first.x.to_radians() - second.x.to_radians()).sin_cos();
    let across = (cos2 * sin).hypot(cos1 * sin2 - sin1 * cos2 * cos);
    Ok(across.atan2(sin1 * sin2 + cos1 * cos2 * cos) * EARTH_RADIUS)
}

/// Returns the area of a shape.
pub(super) fn area(geometry: &Geometry) -> Result<f64, Fault> {
    if !geometry.geography {
        return Ok(planar_area(&geometry.shape));
    }
    let Shape::Polygon(rings) = &geometry.shape else {
        return fault("on earth the area of polygons is known only");
    };
    let mut excess = 0.0;
    for (place, ring) in rings.iter().enumerate() {
        let of_ring = spherical_excess(ring)?.abs();
        excess += if place == 0 { of_ring } else { -of_ring };
    }
    Ok((excess * EARTH_RADIUS * EARTH_RADIUS).abs())
}

/// Parts that overlap count each.
fn planar_area(shape: &Shape) -> f64 {
    match shape {
        Shape::Collection(shapes) => shapes.iter().map(planar_area).sum(),
        Shape::MultiPolygon(polygons) => polygons.iter().map(|rings| polygon(rings).unsigned_area()).sum(),
        other => planar(other).map_or(0.0, |geometry| geometry.unsigned_area()),
    }
}

/// Returns by how much the angles of a ring on the unit sphere pass those of one on a plane: its area.
///
/// Each edge adds the area between it and the equator. A ring around a pole is told by the courses of its edges, which turn
/// once around less: then the area is that of the cap on the pole's side.
fn spherical_excess(ring: &[Point]) -> Result<f64, Fault> {
    let Some(last) = ring.last() else { return fault("a ring has no points") };
    if ring.len() < 3 {
        return fault("a ring has less than three points");
    }
    let (mut excess, mut turned) = (0.0, 0.0);
    let mut courses: Vec<(f64, f64)> = Vec::with_capacity(ring.len());
    let mut from = *last;
    for to in ring.iter().skip(1) {
        if from == *to {
            return fault("two points of a ring that follow each other are the same");
        }
        let (latitude, next) = (from.y.to_radians(), to.y.to_radians());
        let across = to.x.to_radians() - from.x.to_radians();
        let (tan, next_tan) = ((latitude / 2.0).tan(), (next / 2.0).tan());
        excess += 2.0 * ((across / 2.0).tan() * (tan + next_tan)).atan2(1.0 + tan * next_tan);
        let ((sin, cos), (next_sin, next_cos)) = (latitude.sin_cos(), next.sin_cos());
        let (sin_across, cos_across) = across.sin_cos();
        let begins = (sin_across * next_cos).atan2(cos * next_sin - sin * next_cos * cos_across);
        let ends = (-sin_across * cos).atan2(sin * next_cos - cos * next_sin * cos_across) + PI;
        courses.push(((begins + TAU) % TAU, ends % TAU));
        from = *to;
    }
    let turn = |from: f64, to: f64| (to - from + 3.0 * PI) % TAU - PI;
    for (place, (begins, ends)) in courses.iter().enumerate() {
        let next = courses.get(place + 1).unwrap_or(&courses[0]).0;
        turned += turn(*begins, *ends) + turn(*ends, next);
    }
    Ok(if turned.abs() < PI / 4.0 { excess.abs() - TAU } else { excess })
}

/// Returns whether no point of the second shape lies outside of the first.
pub(super) fn contains(first: &Geometry, second: &Geometry) -> Result<bool, Fault> {
    check_alike(first, second)?;
    Ok(match (planar(&first.shape), planar(&second.shape)) {
        (Some(first), Some(second)) => first.relate(&second).is_contains(),
        _ => false,
    })
}

/// Returns whether two shapes have the same points.
pub(super) fn equal(first: &Shape, second: &Shape) -> bool {
    match (planar(first), planar(second)) {
        (Some(first), Some(second)) => first.relate(&second).is_equal_topo(),
        (None, None) => true,
        _ => false,
    }
}

/// Returns a shape in the library's form, which has no empty ones.
fn planar(shape: &Shape) -> Option<geo::Geometry> {
    if shape.is_empty() {
        return None;
    }
    Some(match shape {
        Shape::Point(point) => geo::Geometry::Point(coordinate(&(*point)?).into()),
        Shape::MultiPoint(points) => {
            MultiPoint::new(points.iter().map(|point| coordinate(point).into()).collect()).into()
        }
        Shape::LineString(points) => line(points).into(),
        Shape::MultiLineString(lines) => MultiLineString::new(lines.iter().map(line).collect()).into(),
        Shape::Polygon(rings) => polygon(rings).into(),
        Shape::MultiPolygon(polygons) => MultiPolygon::new(polygons.iter().map(polygon).collect()).into(),
        Shape::Collection(shapes) => {
            let shapes = shapes.iter().filter_map(planar).collect();
            geo::Geometry::GeometryCollection(geo::GeometryCollection::new_from(shapes))
        }
    })
}

fn coordinate(point: &Point) -> Coord {
    Coord { x: point.x, y: point.y }
}

pub(super) fn line(points: &Line) -> LineString {
    LineString::new(points.iter().map(coordinate).collect())
}

pub(super) fn polygon(rings: &Rings) -> Polygon {
    let mut rings = rings.iter().map(line);
    let outer = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
    Polygon::new(outer, rings.collect())
}

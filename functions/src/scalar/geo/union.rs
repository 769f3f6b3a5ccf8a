//! The union of shapes on a plane, as `stUnion` aggregates them.

use geo::{BooleanOps, Coord, Intersects, LineString, MultiLineString, MultiPolygon, Polygon, unary_union};

use super::binary;
use super::measure::{line, polygon};
use super::shape::{Geometry, Line, Point, Rings, Shape};
use crate::scalar::call::Fault;
use crate::scalar::rows::fault;

/// The parts of several shapes by kind.
#[derive(Default)]
struct Parts {
    points: Vec<Point>,
    lines: Vec<Line>,
    polygons: Vec<Rings>,
}

impl Parts {
    fn add(&mut self, shape: Shape) {
        match shape {
            Shape::Point(point) => self.points.extend(point),
            Shape::MultiPoint(points) => self.points.extend(points),
            Shape::LineString(line) => self.lines.push(line),
            Shape::MultiLineString(lines) => self.lines.extend(lines),
            Shape::Polygon(rings) => self.polygons.push(rings),
            Shape::MultiPolygon(polygons) => self.polygons.extend(polygons),
            Shape::Collection(shapes) => shapes.into_iter().for_each(|shape| self.add(shape)),
        }
    }

    fn all_points(&self) -> impl Iterator<Item = &Point> {
        let lines = self.lines.iter().chain(self.polygons.iter().flatten());
        self.points.iter().chain(lines.flatten())
    }
}

/// Returns the union of shapes in Pinot's form; each is there once, however often it came.
pub(crate) fn union(shapes: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
    let (mut parts, mut geography) = (Parts::default(), false);
    for bytes in shapes {
        let read = binary::read(bytes)?;
        geography |= read.geography;
        parts.add(read.shape);
    }
    if parts.all_points().any(|point| !point.x.is_finite() || !point.y.is_finite()) {
        return fault("a shape has a coordinate that is no finite number");
    }
    Ok(binary::write(&Geometry { shape: united(parts), geography }))
}

fn united(parts: Parts) -> Shape {
    let polygons: Vec<Polygon> =
        parts.polygons.iter().filter(|rings| !rings.is_empty()).map(polygon).collect();
    let area = if polygons.is_empty() { MultiPolygon::new(Vec::new()) } else { unary_union(&polygons) };
    let mut lines: Vec<LineString> = Vec::new();
    for points in parts.lines.iter().filter(|points| points.len() > 1) {
        let line = line(points);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    // What lies in an area is part of it already.
    if !area.0.is_empty() {
        lines = area.clip(&MultiLineString::new(lines), true).0;
    }
    let mut points = parts.points;
    points.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
    points.dedup();
    points.retain(|point| {
        let place = geo::Point::new(point.x, point.y);
        !area.intersects(&place) && !lines.iter().any(|line| line.intersects(&place))
    });
    let mut shapes = Vec::new();
    match &points[..] {
        [] => {}
        [point] => shapes.push(Shape::Point(Some(*point))),
        _ => shapes.push(Shape::MultiPoint(points)),
    }
    let mut lines: Vec<Line> = lines.iter().map(points_of).collect();
    match lines.len() {
        0 => {}
        1 => shapes.extend(lines.pop().map(Shape::LineString)),
        _ => shapes.push(Shape::MultiLineString(lines)),
    }
    let mut polygons: Vec<Rings> = area.0.iter().map(rings_of).collect();
    match polygons.len() {
        0 => {}
        1 => shapes.extend(polygons.pop().map(Shape::Polygon)),
        _ => shapes.push(Shape::MultiPolygon(polygons)),
    }
    match shapes.len() {
        1 => shapes.swap_remove(0),
        _ => Shape::Collection(shapes),
    }
}

fn points_of(line: &LineString) -> Line {
    line.0.iter().map(|Coord { x, y }| Point { x: *x, y: *y }).collect()
}

fn rings_of(polygon: &Polygon) -> Rings {
    std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(points_of).collect()
}

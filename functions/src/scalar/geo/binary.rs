//! Shapes as bytes: in Pinot's own form, and in WKB.
//!
//! Pinot's form, all numbers big-endian: a byte with the kind's number, its highest bit for a geography; then
//!
//! | kind | what follows |
//! |---|---|
//! | point | x, y; NaN for none |
//! | multi-point | count (4 bytes), points |
//! | lines, polygons | count of parts, count of points, where each part begins, points |
//! | collection | shapes in this form, to the end |
//!
//! The parts of polygons are rings: outer ones go clockwise, those that are cut out the other way.

use super::shape::{DEPTH_MAX, Geometry, Line, Point, Rings, Shape};
use crate::scalar::call::Fault;
use crate::scalar::rows::fault;

const GEOGRAPHY: u8 = 0x80;

/// Writes a shape in Pinot's form.
pub(super) fn write(geometry: &Geometry) -> Vec<u8> {
    let mut out = Vec::new();
    push(&geometry.shape, geometry.geography, &mut out);
    out
}

fn push(shape: &Shape, geography: bool, out: &mut Vec<u8>) {
    out.push(shape.number() | if geography { GEOGRAPHY } else { 0 });
    match shape {
        Shape::Point(point) => push_point(point.unwrap_or(Point { x: f64::NAN, y: f64::NAN }), out),
        Shape::MultiPoint(points) => {
            push_count(points.len(), out);
            points.iter().for_each(|point| push_point(*point, out));
        }
        Shape::LineString(line) => {
            let lines = if line.is_empty() { Vec::new() } else { vec![line.clone()] };
            push_parts(&lines, out);
        }
        Shape::MultiLineString(lines) => push_parts(lines, out),
        Shape::Polygon(rings) => push_parts(&directed(rings), out),
        Shape::MultiPolygon(polygons) => {
            let rings: Vec<_> = polygons.iter().flat_map(directed).collect();
            push_parts(&rings, out);
        }
        Shape::Collection(shapes) => shapes.iter().for_each(|shape| push(shape, geography, out)),
    }
}

fn push_count(count: usize, out: &mut Vec<u8>) {
    out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn push_point(point: Point, out: &mut Vec<u8>) {
    out.extend(point.x.to_be_bytes());
    out.extend(point.y.to_be_bytes());
}

fn push_parts(lines: &[Line], out: &mut Vec<u8>) {
    push_count(lines.len(), out);
    push_count(lines.iter().map(Vec::len).sum(), out);
    let mut begin = 0;
    for line in lines {
        push_count(begin, out);
        begin += line.len();
    }
    lines.iter().flatten().for_each(|point| push_point(*point, out));
}

/// Returns the rings with the outer one clockwise and the others not.
fn directed(rings: &Rings) -> Rings {
    let turned = |(place, ring): (usize, &Line)| {
        let mut ring = ring.clone();
        if is_clockwise(&ring) != (place == 0) {
            ring.reverse();
        }
        ring
    };
    rings.iter().enumerate().map(turned).collect()
}

fn is_clockwise(ring: &[Point]) -> bool {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(from, to)| (to.x - from.x) * (to.y + from.y)).sum::<f64>() > 0.0
}

/// Reads a shape in Pinot's form.
pub(super) fn read(bytes: &[u8]) -> Result<Geometry, Fault> {
    let mut reader = Reader { rest: bytes, big: true };
    let geography = bytes.first().is_some_and(|byte| byte & GEOGRAPHY != 0);
    let shape = read_shape(&mut reader, 0)?;
    Ok(Geometry { shape, geography })
}

fn read_shape(reader: &mut Reader<'_>, depth: usize) -> Result<Shape, Fault> {
    if depth > DEPTH_MAX {
        return bad();
    }
    Ok(match reader.byte()? & !GEOGRAPHY {
        0 => {
            let point = reader.point()?;
            Shape::Point((!point.x.is_nan() && !point.y.is_nan()).then_some(point))
        }
        1 => {
            let count = reader.count()?;
            Shape::MultiPoint(reader.points(count)?)
        }
        2 => Shape::LineString(read_parts(reader)?.into_iter().next().unwrap_or_default()),
        3 => Shape::MultiLineString(read_parts(reader)?),
        4 => Shape::Polygon(grouped(read_parts(reader)?).into_iter().next().unwrap_or_default()),
        5 => Shape::MultiPolygon(grouped(read_parts(reader)?)),
        6 => {
            let mut shapes = Vec::new();
            while !reader.rest.is_empty() {
                shapes.push(read_shape(reader, depth + 1)?);
            }
            Shape::Collection(shapes)
        }
        _ => return bad(),
    })
}

fn read_parts(reader: &mut Reader<'_>) -> Result<Vec<Line>, Fault> {
    let parts = reader.count()?;
    // Pinot writes no more for a shape without parts, but for lines it writes the count of points.
    if parts == 0 {
        if reader.rest.len() >= 4 {
            reader.count()?;
        }
        return Ok(Vec::new());
    }
    let points = reader.count()?;
    if parts > points {
        return bad();
    }
    let mut begins = Vec::new();
    for _ in 0..parts {
        begins.push(reader.count()?);
    }
    begins.push(points);
    let mut lines = Vec::new();
    for pair in begins.windows(2) {
        let Some(length) = pair[1].checked_sub(pair[0]) else { return bad() };
        lines.push(reader.points(length)?);
    }
    Ok(lines)
}

/// Puts the rings that are cut out to the outer ones before them.
fn grouped(rings: Vec<Line>) -> Vec<Rings> {
    let mut polygons: Vec<Rings> = Vec::new();
    for ring in rings {
        match polygons.last_mut() {
            Some(last) if !is_clockwise(&ring) => last.push(ring),
            _ => polygons.push(vec![ring]),
        }
    }
    polygons
}

fn bad<T>() -> Result<T, Fault> {
    fault("the bytes are no shape")
}

struct Reader<'a> {
    rest: &'a [u8],
    big: bool,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else { return bad() };
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take::<1>()?[0])
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let bytes = self.take()?;
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Reads how many of something follow; each takes a byte at least.
    fn count(&mut self) -> Result<usize, Fault> {
        match usize::try_from(self.number()?) {
            Ok(count) if count <= self.rest.len() => Ok(count),
            _ => bad(),
        }
    }

    fn double(&mut self) -> Result<f64, Fault> {
        let bytes = self.take()?;
        Ok(if self.big { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) })
    }

    fn point(&mut self) -> Result<Point, Fault> {
        Ok(Point { x: self.double()?, y: self.double()? })
    }

    fn points(&mut self, count: usize) -> Result<Line, Fault> {
        if count > self.rest.len() / 16 {
            return bad();
        }
        (0..count).map(|_| self.point()).collect()
    }
}

/// The numbers of kinds in WKB, by Pinot's.
const WKB_KINDS: [u32; 7] = [1, 4, 2, 5, 3, 6, 7];

/// Writes a shape in WKB, big-endian.
pub(super) fn write_wkb(shape: &Shape) -> Vec<u8> {
    let mut out = Vec::new();
    push_wkb(shape, &mut out);
    out
}

fn push_wkb(shape: &Shape, out: &mut Vec<u8>) {
    out.push(0);
    out.extend(WKB_KINDS[usize::from(shape.number())].to_be_bytes());
    match shape {
        Shape::Point(point) => push_point(point.unwrap_or(Point { x: f64::NAN, y: f64::NAN }), out),
        Shape::MultiPoint(points) => push_all(points.iter().map(|point| Shape::Point(Some(*point))), out),
        Shape::LineString(line) => push_line(line, out),
        Shape::MultiLineString(lines) => push_all(lines.iter().cloned().map(Shape::LineString), out),
        Shape::Polygon(rings) => {
            push_count(rings.len(), out);
            rings.iter().for_each(|ring| push_line(ring, out));
        }
        Shape::MultiPolygon(polygons) => push_all(polygons.iter().cloned().map(Shape::Polygon), out),
        Shape::Collection(shapes) => push_all(shapes.iter().cloned(), out),
    }
}

fn push_all(shapes: impl ExactSizeIterator<Item = Shape>, out: &mut Vec<u8>) {
    push_count(shapes.len(), out);
    shapes.for_each(|shape| push_wkb(&shape, out));
}

fn push_line(line: &[Point], out: &mut Vec<u8>) {
    push_count(line.len(), out);
    line.iter().for_each(|point| push_point(*point, out));
}

/// Reads a shape in WKB, of either byte order, also with the number of a reference system.
pub(super) fn read_wkb(bytes: &[u8]) -> Result<Shape, Fault> {
    read_wkb_shape(&mut Reader { rest: bytes, big: true }, 0)
}

fn read_wkb_shape(reader: &mut Reader<'_>, depth: usize) -> Result<Shape, Fault> {
    const WITH_SYSTEM: u32 = 0x2000_0000;
    if depth > DEPTH_MAX {
        return bad();
    }
    reader.big = reader.byte()? == 0;
    let kind = reader.number()?;
    if kind & WITH_SYSTEM != 0 {
        reader.number()?;
    }
    let shapes = |reader: &mut Reader<'_>| -> Result<Vec<Shape>, Fault> {
        let count = reader.count()?;
        (0..count).map(|_| read_wkb_shape(reader, depth + 1)).collect()
    };
    let line = |reader: &mut Reader<'_>| -> Result<Line, Fault> {
        let count = reader.count()?;
        reader.points(count)
    };
    Ok(match kind & !WITH_SYSTEM {
        1 => {
            let point = reader.point()?;
            Shape::Point((!point.x.is_nan() && !point.y.is_nan()).then_some(point))
        }
        2 => Shape::LineString(line(reader)?),
        3 => {
            let count = reader.count()?;
            Shape::Polygon((0..count).map(|_| line(reader)).collect::<Result<_, _>>()?)
        }
        4 => {
            let points = shapes(reader)?.into_iter().map(|shape| match shape {
                Shape::Point(Some(point)) => Ok(point),
                _ => bad(),
            });
            Shape::MultiPoint(points.collect::<Result<_, _>>()?)
        }
        5 => {
            let lines = shapes(reader)?.into_iter().map(|shape| match shape {
                Shape::LineString(line) => Ok(line),
                _ => bad(),
            });
            Shape::MultiLineString(lines.collect::<Result<_, _>>()?)
        }
        6 => {
            let polygons = shapes(reader)?.into_iter().map(|shape| match shape {
                Shape::Polygon(rings) => Ok(rings),
                _ => bad(),
            });
            Shape::MultiPolygon(polygons.collect::<Result<_, _>>()?)
        }
        7 => Shape::Collection(shapes(reader)?),
        _ => return bad(),
    })
}

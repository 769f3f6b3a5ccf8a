//! Shapes in WKT, as `POLYGON ((0 0, 0 1, 1 1, 0 0))`.

use super::shape::{DEPTH_MAX, Line, Point, Shape};
use crate::scalar::call::Fault;
use crate::scalar::kind::shortened;

/// Reads a shape.
pub(super) fn parse(text: &str) -> Result<Shape, Fault> {
    let mut reader = Reader { text, rest: text };
    let shape = reader.shape(0)?;
    if reader.rest.trim().is_empty() { Ok(shape) } else { Err(reader.bad()) }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn bad(&self) -> Fault {
        let place = shortened(self.rest);
        Fault::Arguments(format!("'{}' is no shape in WKT: it fails at '{place}'", shortened(self.text)))
    }

    fn take(&mut self, mark: char) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(mark) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        let rest = self.rest.trim_start();
        let length = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        self.rest = after;
        word.to_ascii_uppercase()
    }

    fn shape(&mut self, depth: usize) -> Result<Shape, Fault> {
        if depth > DEPTH_MAX {
            return Err(self.bad());
        }
        Ok(match self.word().as_str() {
            "POINT" => match self.line()?.as_slice() {
                [] => Shape::Point(None),
                [point] => Shape::Point(Some(*point)),
                _ => return Err(self.bad()),
            },
            "MULTIPOINT" => Shape::MultiPoint(self.list(|reader| {
                // Each point may stand in brackets of its own.
                let bracketed = reader.take('(');
                let point = reader.point()?;
                if bracketed && !reader.take(')') { Err(reader.bad()) } else { Ok(point) }
            })?),
            "LINESTRING" | "LINEARRING" => Shape::LineString(self.line()?),
            "MULTILINESTRING" => Shape::MultiLineString(self.list(Reader::line)?),
            "POLYGON" => Shape::Polygon(self.list(Reader::ring)?),
            "MULTIPOLYGON" => Shape::MultiPolygon(self.list(|reader| reader.list(Reader::ring))?),
            "GEOMETRYCOLLECTION" => Shape::Collection(self.list(|reader| reader.shape(depth + 1))?),
            _ => return Err(self.bad()),
        })
    }

    fn list<T>(&mut self, each: impl Fn(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        if !self.take('(') {
            return if self.word() == "EMPTY" { Ok(Vec::new()) } else { Err(self.bad()) };
        }
        let mut items = vec![each(self)?];
        while self.take(',') {
            items.push(each(self)?);
        }
        if self.take(')') { Ok(items) } else { Err(self.bad()) }
    }

    fn line(&mut self) -> Result<Line, Fault> {
        self.list(Reader::point)
    }

    /// A ring ends where it begins.
    fn ring(&mut self) -> Result<Line, Fault> {
        let ring = self.line()?;
        if ring.len() >= 4 && ring.first() == ring.last() { Ok(ring) } else { Err(self.bad()) }
    }

    fn point(&mut self) -> Result<Point, Fault> {
        Ok(Point { x: self.number()?, y: self.number()? })
    }

    fn number(&mut self) -> Result<f64, Fault> {
        let rest = self.rest.trim_start();
        let is_part = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
        let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let number = rest[..length].parse().map_err(|_| self.bad())?;
        self.rest = &rest[length..];
        Ok(number)
    }
}

/// Writes a shape.
pub(super) fn write(shape: &Shape) -> String {
    let name = shape.kind().to_ascii_uppercase();
    let parts = match shape {
        Shape::Point(point) => point.iter().map(coordinates).collect(),
        Shape::MultiPoint(points) => points.iter().map(|point| format!("({})", coordinates(point))).collect(),
        Shape::LineString(points) => points.iter().map(coordinates).collect(),
        Shape::MultiLineString(lines) | Shape::Polygon(lines) => {
            lines.iter().map(|line| bracketed(line)).collect()
        }
        Shape::MultiPolygon(polygons) => {
            let rings =
                |rings: &Vec<Line>| rings.iter().map(|line| bracketed(line)).collect::<Vec<_>>().join(", ");
            polygons.iter().map(|polygon| format!("({})", rings(polygon))).collect()
        }
        Shape::Collection(shapes) => shapes.iter().map(write).collect::<Vec<String>>(),
    };
    if parts.is_empty() { format!("{name} EMPTY") } else { format!("{name} ({})", parts.join(", ")) }
}

fn coordinates(point: &Point) -> String {
    format!("{} {}", point.x, point.y)
}

fn bracketed(line: &[Point]) -> String {
    format!("({})", line.iter().map(coordinates).collect::<Vec<_>>().join(", "))
}

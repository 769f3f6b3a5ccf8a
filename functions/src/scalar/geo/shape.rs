//! Shapes: points, lines, polygons, and several of them.

/// A shape on a plane or on earth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Geometry {
    pub(super) shape: Shape,
    /// Whether it lies on the earth's sphere.
    pub(super) geography: bool,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Points that follow each other.
pub(super) type Line = Vec<Point>;
/// A closed line around an area, and those around what is cut out of it.
pub(super) type Rings = Vec<Line>;

/// A shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Point(Option<Point>),
    MultiPoint(Line),
    LineString(Line),
    MultiLineString(Vec<Line>),
    Polygon(Rings),
    MultiPolygon(Vec<Rings>),
    Collection(Vec<Shape>),
}

/// Deepest nesting of collections.
pub(super) const DEPTH_MAX: usize = 16;

impl Shape {
    /// The kinds, in the order of Pinot's numbers for them.
    pub(super) const KINDS: [&'static str; 7] = [
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    ];

    /// Returns Pinot's number of the kind.
    pub(super) fn number(&self) -> u8 {
        match self {
            Shape::Point(_) => 0,
            Shape::MultiPoint(_) => 1,
            Shape::LineString(_) => 2,
            Shape::MultiLineString(_) => 3,
            Shape::Polygon(_) => 4,
            Shape::MultiPolygon(_) => 5,
            Shape::Collection(_) => 6,
        }
    }

    /// Returns the name of the kind.
    pub(super) fn kind(&self) -> &'static str {
        Shape::KINDS[usize::from(self.number())]
    }

    /// Returns whether it has no point.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Shape::Point(point) => point.is_none(),
            Shape::MultiPoint(points) | Shape::LineString(points) => points.is_empty(),
            Shape::MultiLineString(lines) | Shape::Polygon(lines) => lines.iter().all(Vec::is_empty),
            Shape::MultiPolygon(polygons) => polygons.iter().flatten().all(Vec::is_empty),
            Shape::Collection(shapes) => shapes.iter().all(Shape::is_empty),
        }
    }

    /// Returns the first point.
    pub(super) fn first(&self) -> Option<Point> {
        match self {
            Shape::Point(point) => *point,
            Shape::MultiPoint(points) | Shape::LineString(points) => points.first().copied(),
            Shape::MultiLineString(lines) | Shape::Polygon(lines) => lines.iter().flatten().next().copied(),
            Shape::MultiPolygon(polygons) => polygons.iter().flatten().flatten().next().copied(),
            Shape::Collection(shapes) => shapes.iter().find_map(Shape::first),
        }
    }
}

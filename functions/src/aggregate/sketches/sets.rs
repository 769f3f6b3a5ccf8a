//! Expressions of sets such as `SET_INTERSECT($1, SET_DIFF($2, $0))` over theta sketches, and the operations themselves.

use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::error::Result;
use datasketches::theta::{CompactThetaSketch, ThetaANotB, ThetaIntersection, ThetaUnionBuilder};

use crate::canonical;

/// How deep sets stand in each other.
const DEPTH_MAX: usize = 32;

/// What is made of several sketches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetExpression {
    /// The sketch of a number: 0 of all rows, others of a filter.
    Sketch(usize),
    Union(Vec<SetExpression>),
    Intersection(Vec<SetExpression>),
    Difference(Box<[SetExpression; 2]>),
}

impl SetExpression {
    /// Reads an expression over the sketches of so many filters.
    pub(crate) fn parse(text: &str, filters: usize) -> std::result::Result<SetExpression, String> {
        let mut parser = Parser { rest: text.trim_start(), filters };
        let expression = parser.expression(0)?;
        match parser.rest {
            "" => Ok(expression),
            rest => Err(format!("`{rest}` stands behind the expression of sets")),
        }
    }

    pub(crate) fn evaluate(&self, sketches: &[CompactThetaSketch], lg_k: u8) -> Result<CompactThetaSketch> {
        let all = |parts: &[SetExpression]| -> Result<Vec<CompactThetaSketch>> {
            parts.iter().map(|part| part.evaluate(sketches, lg_k)).collect()
        };
        match self {
            SetExpression::Sketch(number) => Ok(sketches[*number].clone()),
            SetExpression::Union(parts) => union(&all(parts)?, lg_k),
            SetExpression::Intersection(parts) => intersection(&all(parts)?),
            SetExpression::Difference(parts) => {
                let parts = all(&parts[..])?;
                difference(&parts[0], &parts[1])
            }
        }
    }
}

fn failed(error: datasketches::error::Error) -> DataFusionError {
    exec_datafusion_err!("theta sketch: {error}")
}

/// Returns the union of sketches.
pub(crate) fn union(sketches: &[CompactThetaSketch], lg_k: u8) -> Result<CompactThetaSketch> {
    let mut union = ThetaUnionBuilder::default().lg_k(lg_k).build().map_err(failed)?;
    for sketch in sketches {
        union.update(sketch).map_err(failed)?;
    }
    Ok(union.to_sketch(true))
}

/// Returns the intersection of sketches, of which there is one at least.
pub(crate) fn intersection(sketches: &[CompactThetaSketch]) -> Result<CompactThetaSketch> {
    let mut intersection = ThetaIntersection::default();
    for sketch in sketches {
        intersection.update(sketch).map_err(failed)?;
    }
    intersection.to_sketch(true).ok_or_else(|| exec_datafusion_err!("there is no sketch to intersect"))
}

/// Returns what is in one sketch and not in another.
pub(crate) fn difference(all: &CompactThetaSketch, less: &CompactThetaSketch) -> Result<CompactThetaSketch> {
    ThetaANotB::default().compute(all, less, true).map_err(failed)
}

struct Parser<'a> {
    rest: &'a str,
    filters: usize,
}

impl<'a> Parser<'a> {
    fn expression(&mut self, depth: usize) -> std::result::Result<SetExpression, String> {
        if depth > DEPTH_MAX {
            return Err(format!("sets stand in each other more than {DEPTH_MAX} deep"));
        }
        let word = self.word();
        if let Some(number) = word.strip_prefix('$') {
            return match number.parse() {
                Ok(number) if number <= self.filters => Ok(SetExpression::Sketch(number)),
                _ => Err(format!("`{word}` is no sketch from $0 to ${}", self.filters)),
            };
        }
        let name = canonical(word);
        if !self.takes('(') {
            return Err(format!("`{word}` is neither a sketch such as $1 nor a call"));
        }
        let mut parts = vec![self.expression(depth + 1)?];
        while self.takes(',') {
            parts.push(self.expression(depth + 1)?);
        }
        if !self.takes(')') {
            return Err(format!("`{word}` is not closed"));
        }
        match (name.as_str(), parts.len()) {
            ("setunion", 2..) => Ok(SetExpression::Union(parts)),
            ("setintersect", 2..) => Ok(SetExpression::Intersection(parts)),
            ("setdiff", 2) => match <[SetExpression; 2]>::try_from(parts) {
                Ok(parts) => Ok(SetExpression::Difference(Box::new(parts))),
                Err(_) => Err("`SET_DIFF` takes two sets".into()),
            },
            ("setunion" | "setintersect" | "setdiff", found) => {
                Err(format!("`{word}` cannot take {found} sets"))
            }
            _ => Err(format!("`{word}` is none of SET_UNION, SET_INTERSECT, SET_DIFF")),
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        word
    }

    fn takes(&mut self, letter: char) -> bool {
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }
}

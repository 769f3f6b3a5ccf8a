//! What a star-tree is to hold: Pinot's `starTreeIndexConfigs`, checked.

use std::fmt;

use crate::schema::ColumnName;

/// Pinot's bound on the records under one leaf, where a table config names none.
pub const LEAF_RECORDS_MAX_DEFAULT: usize = 10_000;
/// A tree is at most so deep: it is walked by recursion.
pub const DIMENSIONS_MAX: usize = 64;

/// Between function and column in a pair's name.
const SEPARATOR: &str = "__";
/// The column of COUNT.
const ALL_COLUMNS: &str = "*";
/// Functions Pinot's star-tree knows and ours does not, as Pinot compares them: upper case, no underscores.
const NOT_BUILT: [&str; 5] =
    ["DISTINCTCOUNTTUPLESKETCH", "PERCENTILEEST", "PERCENTILETDIGEST", "SUMPRECISION", "SUMMV"];
/// Functions whose answer is one of the distinct values alone, as Pinot compares their names. All are answered from the values
/// themselves, which a sketch takes in when it is asked for.
const OF_DISTINCT_VALUES: [&str; 12] = [
    "DISTINCTCOUNTBITMAP",
    "DISTINCTCOUNTHLL",
    "DISTINCTCOUNTRAWHLL",
    "DISTINCTCOUNTHLLPLUS",
    "DISTINCTCOUNTRAWHLLPLUS",
    "DISTINCTCOUNTULL",
    "DISTINCTCOUNTRAWULL",
    "DISTINCTCOUNTTHETASKETCH",
    "DISTINCTCOUNTRAWTHETASKETCH",
    "DISTINCTCOUNTCPCSKETCH",
    "DISTINCTCOUNTRAWCPCSKETCH",
    "DISTINCTCOUNTOFFHEAP",
];

/// One star-tree of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarTreeOptions {
    /// The columns that queries filter and group by, in the order in which the tree splits on them. Pinot calls it
    /// `dimensionsSplitOrder`.
    pub dimensions: Vec<ColumnName>,
    /// Dimensions that get no star: nearly every query names them. Pinot calls it
    /// `skipStarNodeCreationForDimensions`.
    pub skip_star_dimensions: Vec<ColumnName>,
    /// What is aggregated. Pinot calls it `functionColumnPairs`.
    pub function_pairs: Vec<FunctionPair>,
    /// A node with more records than this is split and given a star, whatever it costs. Lower: fewer records a query,
    /// more in the tree. Pinot calls it `maxLeafRecords`.
    pub leaf_records_max: usize,
}

impl Default for StarTreeOptions {
    fn default() -> StarTreeOptions {
        StarTreeOptions {
            dimensions: Vec::new(),
            skip_star_dimensions: Vec::new(),
            function_pairs: vec![FunctionPair { function: PairFunction::Count, column: None }],
            leaf_records_max: LEAF_RECORDS_MAX_DEFAULT,
        }
    }
}

impl StarTreeOptions {
    /// Says what is wrong with the options, if anything is; whether the columns exist is not known here.
    ///
    /// # Errors
    /// The fault in words.
    pub fn check(&self) -> Result<(), String> {
        if self.dimensions.is_empty() {
            return Err("a star-tree needs a dimension".into());
        }
        if self.dimensions.len() > DIMENSIONS_MAX {
            return Err(format!("a star-tree has at most {DIMENSIONS_MAX} dimensions"));
        }
        for (index, dimension) in self.dimensions.iter().enumerate() {
            if self.dimensions[..index].contains(dimension) {
                return Err(format!("dimension `{dimension}` is named twice in the split order"));
            }
        }
        for skipped in &self.skip_star_dimensions {
            if !self.dimensions.contains(skipped) {
                return Err(format!("`{skipped}` is to have no star, but is not in the split order"));
            }
        }
        if self.function_pairs.is_empty() {
            return Err("a star-tree needs a function and column to aggregate".into());
        }
        for pair in &self.function_pairs {
            if pair.column.is_none() && pair.function != PairFunction::Count {
                return Err(format!("star-tree function `{}` needs a column", pair.function.name()));
            }
        }
        if self.leaf_records_max == 0 {
            return Err("the records under a leaf of a star-tree must be at least 1".into());
        }
        Ok(())
    }

    /// Returns whether the dimension gets no star.
    pub(super) fn skips_star(&self, dimension: usize) -> bool {
        self.skip_star_dimensions.contains(&self.dimensions[dimension])
    }

    /// Returns what must be stored for all pairs: counts, sums, minima, maxima and distinct values, each once.
    pub(super) fn stored_pairs(&self) -> Vec<FunctionPair> {
        let mut stored = Vec::new();
        for pair in self.function_pairs.iter().flat_map(FunctionPair::stored) {
            if !stored.contains(&pair) {
                stored.push(pair);
            }
        }
        stored
    }
}

/// A function and what it aggregates, as `SUM__bytes`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionPair {
    /// The function.
    pub function: PairFunction,
    /// The column; `None` for COUNT, which counts rows whatever column it names.
    pub column: Option<ColumnName>,
}

impl FunctionPair {
    /// Returns the pair of a function and a column; COUNT forgets its column.
    pub fn new(function: PairFunction, column: &str) -> FunctionPair {
        let column = (function != PairFunction::Count).then(|| column.into());
        FunctionPair { function, column }
    }

    /// Reads a pair as Pinot writes it: `COUNT__*`, `SUM__bytes`.
    ///
    /// # Errors
    /// The fault in words: no such function, or one that is not built.
    pub fn parse(text: &str) -> Result<FunctionPair, String> {
        let Some((function, column)) = text.split_once(SEPARATOR) else {
            return Err(format!("`{text}` is no function and column, as `SUM{SEPARATOR}bytes` is"));
        };
        let function = PairFunction::parse(function)?;
        let names_a_column = !column.is_empty() && column != ALL_COLUMNS;
        if !names_a_column && function != PairFunction::Count {
            return Err(format!("`{text}` names no column"));
        }
        Ok(FunctionPair::new(function, column))
    }

    /// Returns the pairs that are stored to answer this one, each of COUNT, SUM, MIN, MAX or DISTINCTCOUNT.
    pub fn stored(&self) -> Vec<FunctionPair> {
        let of = |function| FunctionPair { function, column: self.column.clone() };
        let count = || FunctionPair { function: PairFunction::Count, column: None };
        match self.function {
            PairFunction::Count => vec![count()],
            PairFunction::Sum | PairFunction::Min | PairFunction::Max | PairFunction::DistinctCount => {
                vec![self.clone()]
            }
            PairFunction::Avg => vec![of(PairFunction::Sum), count()],
            PairFunction::MinMaxRange => vec![of(PairFunction::Min), of(PairFunction::Max)],
        }
    }
}

impl fmt::Display for FunctionPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_deref().unwrap_or(ALL_COLUMNS);
        write!(formatter, "{}{SEPARATOR}{column}", self.function.name())
    }
}

/// An aggregate that a star-tree answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairFunction {
    /// Rows.
    Count,
    /// Sum.
    Sum,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Mean; stored as sum and count.
    Avg,
    /// Largest less smallest value; stored as both.
    MinMaxRange,
    /// The distinct values, for all functions of them alone.
    DistinctCount,
}

impl PairFunction {
    /// All functions.
    pub const ALL: [PairFunction; 7] = [
        PairFunction::Count,
        PairFunction::Sum,
        PairFunction::Min,
        PairFunction::Max,
        PairFunction::Avg,
        PairFunction::MinMaxRange,
        PairFunction::DistinctCount,
    ];

    /// Returns the function's name in a pair.
    pub fn name(self) -> &'static str {
        match self {
            PairFunction::Count => "COUNT",
            PairFunction::Sum => "SUM",
            PairFunction::Min => "MIN",
            PairFunction::Max => "MAX",
            PairFunction::Avg => "AVG",
            PairFunction::MinMaxRange => "MINMAXRANGE",
            PairFunction::DistinctCount => "DISTINCTCOUNT",
        }
    }

    /// Reads a function's name as Pinot does: case and single underscores do not matter.
    ///
    /// # Errors
    /// The fault in words: no such function, or one that is not built.
    pub fn parse(text: &str) -> Result<PairFunction, String> {
        let name = text.replace('_', "").to_ascii_uppercase();
        if let Some(function) = PairFunction::ALL.into_iter().find(|function| function.name() == name) {
            return Ok(function);
        }
        if OF_DISTINCT_VALUES.contains(&name.as_str()) {
            return Ok(PairFunction::DistinctCount);
        }
        let built = PairFunction::ALL.map(PairFunction::name).join(", ");
        match NOT_BUILT.contains(&name.as_str()) {
            true => Err(format!("star-tree function `{text}` is not built here; those that are: {built}")),
            false => Err(format!("`{text}` is no star-tree function; there are {built}")),
        }
    }
}

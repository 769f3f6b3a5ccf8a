//! Plans of statements that were asked before, found by their shape.
//!
//! A dashboard asks the same statements over and over, often with other constants. For one that took the short path, all
//! that depends on its shape is kept; asked again, its parameters are given their values and the table's segments are
//! looked up anew. A plan is used only while its table and the table's schema are the ones it was made for, and a statement
//! whose meaning depends on the clock is not kept at all.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::tokenizer::Token;
use meunier_segment::schema::Schema;
use meunier_segment::table_snapshot::LiveTable;
use parking_lot::Mutex;

use crate::engine::QueryRequest;
use crate::options::QueryOptions;
use crate::response::OutputColumn;
use crate::shape::{Parameter, Shape};
use crate::short_path::ShortPlan;
use crate::tables::{QueryTable, SearchOptions, Tables};

/// So many shapes are kept at least, and twice as many at most. Higher: more dashboards without planning; a plan takes some
/// kilobytes.
const SHAPES_KEPT: usize = 1024;
/// Plans of one shape, which differ in constants that are no parameters. Higher: more of them without planning, and more to
/// look through.
const PLANS_A_SHAPE: usize = 8;
/// Statements of more tokens are not kept.
const TOKENS_MAX: usize = 4096;
/// Words of functions that read the clock. A statement that has them in any other place is planned each time, too.
const CLOCK_WORDS: [&str; 2] = ["now", "ago"];

/// What statements share whose plans may be the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    tokens: Vec<Token>,
    options: String,
    multistage: bool,
}

/// A statement's plan and what is told of its answer.
#[derive(Debug)]
pub(crate) struct KnownPlan {
    pub(crate) options: QueryOptions,
    /// The table's name as the statement uses it.
    pub(crate) table_name: String,
    /// The table itself, which is not kept open by a plan.
    pub(crate) live: Weak<LiveTable>,
    pub(crate) null_handling_enabled: bool,
    pub(crate) search: Arc<SearchOptions>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) plan: ShortPlan,
    pub(crate) columns: Vec<OutputColumn>,
    pub(crate) implicit_limit: Option<u64>,
    pub(crate) multistage: bool,
    pub(crate) token_count: usize,
    /// The constants of the statement; those that are no parameters belong to the plan.
    pub(crate) constants: Vec<Token>,
    pub(crate) parameters: Vec<Parameter>,
}

/// A plan with values for its parameters.
#[derive(Debug)]
pub(crate) struct PlannedCall {
    pub(crate) known: Arc<KnownPlan>,
    /// The values of `$1`, `$2`, ….
    pub(crate) parameters: Vec<Option<ScalarValue>>,
    pub(crate) table: QueryTable,
}

type Plans = Vec<Arc<KnownPlan>>;

/// The plans in two generations: when the younger is full, it takes the place of the older.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Asked, Plans>,
    old: HashMap<Asked, Plans>,
}

impl PlanCache {
    /// Returns the plan of a request and its table, if the plan is known and the table is as it was.
    pub(crate) fn get(&self, request: &QueryRequest, shape: &Shape, tables: &Tables) -> Option<PlannedCall> {
        let asked = Asked::of(request, shape)?;
        let plans = {
            let mut generations = self.generations.lock();
            match generations.young.get(&asked) {
                Some(plans) => plans.clone(),
                None => {
                    let plans = generations.old.remove(&asked)?;
                    generations.insert(asked, plans.clone());
                    plans
                }
            }
        };
        let (known, parameters) = plans.into_iter().find_map(|known| {
            let parameters = known.values(shape)?;
            Some((known, parameters))
        })?;
        let table = tables.get(&known.table_name)?;
        // The plan's reference keeps the address from being used again.
        let is_same = std::ptr::eq(Arc::as_ptr(&table.live), known.live.as_ptr())
            && table.null_handling_enabled == known.null_handling_enabled
            && table.search == known.search
            && Arc::ptr_eq(&table.live.schema(), &known.schema);
        is_same.then_some(PlannedCall { known, parameters, table })
    }

    /// Keeps the plan of a request.
    pub(crate) fn insert(&self, request: &QueryRequest, shape: &Shape, plan: Arc<KnownPlan>) {
        let Some(asked) = Asked::of(request, shape) else { return };
        let mut generations = self.generations.lock();
        let mut plans = match generations.young.remove(&asked) {
            Some(plans) => plans,
            None => generations.old.remove(&asked).unwrap_or_default(),
        };
        // A plan that answers the same statement was made for a table that is no more as it was.
        plans.retain(|known| known.values(shape).is_none());
        if plans.len() >= PLANS_A_SHAPE {
            plans.pop();
        }
        plans.insert(0, plan);
        generations.insert(asked, plans);
    }
}

impl KnownPlan {
    /// Returns the values of the parameters in a statement of this plan's shape, or nothing when its other constants are
    /// not the plan's, or a value is none of its column's.
    fn values(&self, shape: &Shape) -> Option<Vec<Option<ScalarValue>>> {
        values_of(&self.parameters, shape, |number, constant| self.constants[number] == *constant)
    }
}

/// Returns the values of the parameters by the numbers of their constants, if all other constants are as `expected`.
pub(crate) fn values_of(
    parameters: &[Parameter],
    shape: &Shape,
    expected: impl Fn(usize, &Token) -> bool,
) -> Option<Vec<Option<ScalarValue>>> {
    let mut values = Vec::with_capacity(shape.constants.len());
    for (number, (constant, _)) in shape.constants.iter().enumerate() {
        values.push(match parameters.iter().find(|parameter| parameter.constant == number) {
            Some(parameter) => Some(parameter.value(constant)?),
            None if expected(number, constant) => None,
            None => return None,
        });
    }
    Some(values)
}

impl Generations {
    fn insert(&mut self, asked: Asked, plans: Plans) {
        if self.young.len() >= SHAPES_KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(asked, plans);
    }
}

impl Asked {
    fn of(request: &QueryRequest, shape: &Shape) -> Option<Asked> {
        let QueryRequest { sql: _, options, multistage, trace: _, explain: _ } = request;
        if shape.tokens.len() > TOKENS_MAX || shape.tokens.iter().any(reads_the_clock) {
            return None;
        }
        Some(Asked { tokens: shape.tokens.clone(), options: options.clone(), multistage: *multistage })
    }
}

fn reads_the_clock(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    let plain = word.value.bytes().filter(|letter| *letter != b'_').map(|letter| letter.to_ascii_lowercase());
    let plain: Vec<u8> = plain.collect();
    CLOCK_WORDS.iter().any(|clock| clock.as_bytes() == plain)
}

//! Plans of statements that were asked before, found by their text.
//!
//! A dashboard asks the same statements over and over. For one that took the short path, all that depends on its text is
//! kept; asked again, only the table's segments are looked up anew. A plan is used only while its table and the table's
//! schema are the ones it was made for, and a statement whose meaning depends on the clock is not kept at all.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use meunier_segment::schema::Schema;
use meunier_segment::table_snapshot::LiveTable;
use parking_lot::Mutex;

use crate::engine::QueryRequest;
use crate::options::QueryOptions;
use crate::response::OutputColumn;
use crate::short_path::ShortPlan;
use crate::tables::{QueryTable, Tables};

/// So many plans are kept at least, and twice as many at most. Higher: more dashboards without planning; a plan takes some
/// kilobytes.
const PLANS_KEPT: usize = 1024;
/// Longer statements are not kept.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Words of functions that read the clock. A statement that has them in any other place is planned each time, too.
const CLOCK_WORDS: [&str; 2] = ["now", "ago"];

/// What a plan depends on besides its table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    sql: String,
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
    pub(crate) schema: Arc<Schema>,
    pub(crate) plan: ShortPlan,
    pub(crate) columns: Vec<OutputColumn>,
    pub(crate) implicit_limit: Option<u64>,
    pub(crate) multistage: bool,
}

/// The plans in two generations: when the younger is full, it takes the place of the older.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Asked, Arc<KnownPlan>>,
    old: HashMap<Asked, Arc<KnownPlan>>,
}

impl PlanCache {
    /// Returns the plan of a request and its table, if the plan is known and the table is as it was.
    pub(crate) fn get(
        &self,
        request: &QueryRequest,
        tables: &Tables,
    ) -> Option<(Arc<KnownPlan>, QueryTable)> {
        let asked = Asked::of(request)?;
        let known = {
            let mut generations = self.generations.lock();
            match generations.young.get(&asked) {
                Some(known) => Arc::clone(known),
                None => {
                    let known = generations.old.remove(&asked)?;
                    generations.insert(asked, Arc::clone(&known));
                    known
                }
            }
        };
        let table = tables.get(&known.table_name)?;
        // The plan's reference keeps the address from being used again.
        let is_same = std::ptr::eq(Arc::as_ptr(&table.live), known.live.as_ptr())
            && table.null_handling_enabled == known.null_handling_enabled
            && Arc::ptr_eq(&table.live.schema(), &known.schema);
        is_same.then_some((known, table))
    }

    /// Keeps the plan of a request.
    pub(crate) fn insert(&self, request: &QueryRequest, plan: KnownPlan) {
        if let Some(asked) = Asked::of(request) {
            self.generations.lock().insert(asked, Arc::new(plan));
        }
    }
}

impl Generations {
    fn insert(&mut self, asked: Asked, plan: Arc<KnownPlan>) {
        if self.young.len() >= PLANS_KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(asked, plan);
    }
}

impl Asked {
    fn of(request: &QueryRequest) -> Option<Asked> {
        let QueryRequest { sql, options, multistage, trace: _ } = request;
        if sql.len() + options.len() > TEXT_BYTES_MAX || reads_the_clock(sql) {
            return None;
        }
        Some(Asked { sql: sql.clone(), options: options.clone(), multistage: *multistage })
    }
}

fn reads_the_clock(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    CLOCK_WORDS
        .iter()
        .any(|word| bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())))
}

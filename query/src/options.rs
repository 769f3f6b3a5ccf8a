//! The options of one query, from the three places that may set them.
//!
//! `SET` before the statement wins over `OPTION(…)` after it, which wins over the request's `queryOptions`. Names match
//! whatever their case. Names that mean nothing here are let through, as Pinot does, unless they are a slip of one that does.

use meunier_segment::nearest::is_slip;

use crate::error::QueryError;

/// What the options say, defaults filled in where they are not about the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueryOptions {
    /// `timeoutMs`.
    pub(crate) timeout_ms: Option<u64>,
    /// `useMultistageEngine`.
    pub(crate) multistage: bool,
    /// `enableNullHandling`.
    pub(crate) null_handling: bool,
    /// `maxExecutionThreads`.
    pub(crate) threads_max: Option<usize>,
    /// `maxQueryResponseSizeBytes`.
    pub(crate) response_bytes_max: Option<u64>,
    /// `clientQueryId`.
    pub(crate) client_query_id: Option<String>,
    /// Which ways of saving work are used.
    pub(crate) rules: Rules,
}

/// Ways of saving work. Each can be switched off, and no answer may change when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// `useSegmentPruning`: segments that cannot hold a matching row are not read.
    pub(crate) segment_pruning: bool,
    /// `useFilterPushdown`: filters are answered by the scan.
    pub(crate) filter_pushdown: bool,
    /// `useDictionaryFilter`: a filter on one dictionary column is evaluated once a distinct value.
    pub(crate) dictionary_filter: bool,
    /// `usePredicateCache`: rows that a filter selected before are not looked for again.
    pub(crate) predicate_cache: bool,
    /// `useSegmentAggregation`: groups are made from dictionary ids, segment by segment.
    pub(crate) segment_aggregation: bool,
    /// `useAggregationBelowJoins`: rows are grouped before they are joined.
    pub(crate) aggregation_below_joins: bool,
    /// `useJoinKeyFilter`: rows are not read whose keys the smaller side of a join does not have.
    pub(crate) join_key_filter: bool,
    /// `useStarTree`: groups come from star-trees where they hold them.
    pub(crate) star_tree: bool,
    /// `useSegmentTopRows`: the first rows in an order are found segment by segment.
    pub(crate) segment_top_rows: bool,
    /// `useShortPath`: plans of one table are run without the general planner.
    pub(crate) short_path: bool,
    /// `useMetadataAggregation`: counts, minima and maxima come from metadata where it has them.
    pub(crate) metadata_aggregation: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            segment_pruning: true,
            filter_pushdown: true,
            dictionary_filter: true,
            predicate_cache: true,
            segment_aggregation: true,
            aggregation_below_joins: true,
            join_key_filter: true,
            star_tree: true,
            segment_top_rows: true,
            short_path: true,
            metadata_aggregation: true,
        }
    }
}

impl QueryOptions {
    /// Takes one option as written; a later one of the same name wins.
    ///
    /// # Errors
    /// When the name is a setting of the engine inside, or the value is not of the option's kind.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        if name.contains('.') {
            return Err(QueryError::invalid(format!("`{name}` is not a query option")));
        }
        match name.to_ascii_lowercase().as_str() {
            "timeoutms" => self.timeout_ms = Some(positive(name, value)?),
            "usemultistageengine" => self.multistage = boolean(name, value)?,
            "enablenullhandling" => self.null_handling = boolean(name, value)?,
            "maxexecutionthreads" => self.threads_max = usize::try_from(positive(name, value)?).ok(),
            "maxqueryresponsesizebytes" => self.response_bytes_max = Some(positive(name, value)?),
            "clientqueryid" => self.client_query_id = Some(value.to_owned()),
            "usesegmentpruning" => self.rules.segment_pruning = boolean(name, value)?,
            "usefilterpushdown" => self.rules.filter_pushdown = boolean(name, value)?,
            "usedictionaryfilter" => self.rules.dictionary_filter = boolean(name, value)?,
            "usepredicatecache" => self.rules.predicate_cache = boolean(name, value)?,
            "usesegmentaggregation" => self.rules.segment_aggregation = boolean(name, value)?,
            "useaggregationbelowjoins" => self.rules.aggregation_below_joins = boolean(name, value)?,
            "usejoinkeyfilter" => self.rules.join_key_filter = boolean(name, value)?,
            "usestartree" => self.rules.star_tree = boolean(name, value)?,
            "usesegmenttoprows" => self.rules.segment_top_rows = boolean(name, value)?,
            "useshortpath" => self.rules.short_path = boolean(name, value)?,
            "usemetadataaggregation" => self.rules.metadata_aggregation = boolean(name, value)?,
            other => return refuse_slip(other, name),
        }
        Ok(())
    }

    /// Takes the request's `queryOptions`: `name=value` pairs between semicolons.
    ///
    /// # Errors
    /// When a part is no such pair, or as in [`QueryOptions::set`].
    pub(crate) fn set_all(&mut self, pairs: &str) -> Result<(), QueryError> {
        for pair in pairs.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(QueryError::invalid(format!("query option `{pair}` has no `=`")));
            };
            self.set(name.trim(), value.trim())?;
        }
        Ok(())
    }
}

/// Pinot lets every name through. One that is a known one with a slip would be ignored in silence, so it is refused.
fn refuse_slip(folded: &str, name: &str) -> Result<(), QueryError> {
    let known = || OURS.iter().chain(&PINOTS);
    if known().any(|known| known.eq_ignore_ascii_case(folded)) {
        return Ok(());
    }
    match known().find(|known| is_slip(folded, known)) {
        Some(meant) => {
            Err(QueryError::invalid(format!("query option `{name}` does not exist; did you mean `{meant}`?")))
        }
        None => Ok(()),
    }
}

/// The options that have an effect here.
const OURS: [&str; 17] = [
    "timeoutMs",
    "useMultistageEngine",
    "enableNullHandling",
    "maxExecutionThreads",
    "maxQueryResponseSizeBytes",
    "clientQueryId",
    "useSegmentPruning",
    "useFilterPushdown",
    "useDictionaryFilter",
    "usePredicateCache",
    "useSegmentAggregation",
    "useAggregationBelowJoins",
    "useJoinKeyFilter",
    "useStarTree",
    "useSegmentTopRows",
    "useShortPath",
    "useMetadataAggregation",
];

/// Options of Pinot's that are near enough to others to be taken for a slip, or likely to be misspelt.
const PINOTS: [&str; 24] = [
    "numGroupsLimit",
    "minSegmentGroupTrimSize",
    "minServerGroupTrimSize",
    "minBrokerGroupTrimSize",
    "groupTrimThreshold",
    "maxRowsInJoin",
    "maxRowsInWindow",
    "maxRowsInDistinct",
    "joinOverflowMode",
    "windowOverflowMode",
    "skipUpsert",
    "skipUpsertView",
    "skipIndexes",
    "skipPlannerRules",
    "usePlannerRules",
    "useScanReorderOpt",
    "useBrokerPruning",
    "useLiteMode",
    "useSpools",
    "maxServerResponseSizeBytes",
    "numReplicaGroupsToQuery",
    "streamStats",
    "stageParallelism",
    "cursorNumRows",
];

fn boolean(name: &str, value: &str) -> Result<bool, QueryError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(QueryError::invalid(format!("query option `{name}` is true or false, not `{value}`"))),
    }
}

fn positive(name: &str, value: &str) -> Result<u64, QueryError> {
    match value.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(QueryError::invalid(format!(
            "query option `{name}` is a whole number above 0, not `{value}`"
        ))),
    }
}

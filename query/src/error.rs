//! What can go wrong with a query, in Pinot's codes.
//!
//! Every message says which text, table, column or function is meant; the answer puts the code's name before it. No error
//! of DataFusion leaves this crate as it is.

mod words;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use meunier_functions::TextQueryFault;
use meunier_segment::nearest::did_you_mean;

use words::detail_of;

/// Pinot's error codes that this store answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryErrorCode {
    /// The request's JSON cannot be read.
    JsonParsing,
    /// The text is not SQL, or not a query.
    SqlParsing,
    /// No such table.
    TableDoesNotExist,
    /// The table is disabled.
    TableIsDisabled,
    /// The query ran and failed.
    QueryExecution,
    /// Too many queries wait already.
    ServerOutOfCapacity,
    /// The query waited too long for its turn.
    QuerySchedulingTimeout,
    /// The query needs more memory, rows or bytes than it may have.
    ServerResourceLimitExceeded,
    /// The query ran too long.
    ExecutionTimeout,
    /// A bug on this side.
    Internal,
    /// Someone ended the query.
    QueryCancellation,
    /// The SQL is well formed but means nothing here.
    QueryValidation,
    /// No such column.
    UnknownColumn,
    /// The multi-stage planner cannot plan it.
    QueryPlanning,
}

impl QueryErrorCode {
    /// Returns the number.
    pub fn number(self) -> i32 {
        match self {
            QueryErrorCode::JsonParsing => 100,
            QueryErrorCode::SqlParsing => 150,
            QueryErrorCode::TableDoesNotExist => 190,
            QueryErrorCode::TableIsDisabled => 191,
            QueryErrorCode::QueryExecution => 200,
            QueryErrorCode::ServerOutOfCapacity => 211,
            QueryErrorCode::QuerySchedulingTimeout => 240,
            QueryErrorCode::ServerResourceLimitExceeded => 245,
            QueryErrorCode::ExecutionTimeout => 250,
            QueryErrorCode::Internal => 450,
            QueryErrorCode::QueryCancellation => 503,
            QueryErrorCode::QueryValidation => 700,
            QueryErrorCode::UnknownColumn => 710,
            QueryErrorCode::QueryPlanning => 720,
        }
    }

    /// Returns the name that begins each message.
    pub fn name(self) -> &'static str {
        match self {
            QueryErrorCode::JsonParsing => "JsonParsingError",
            QueryErrorCode::SqlParsing => "SQLParsingError",
            QueryErrorCode::TableDoesNotExist => "TableDoesNotExistError",
            QueryErrorCode::TableIsDisabled => "TableIsDisabledError",
            QueryErrorCode::QueryExecution => "QueryExecutionError",
            QueryErrorCode::ServerOutOfCapacity => "ServerOutOfCapacity",
            QueryErrorCode::QuerySchedulingTimeout => "QuerySchedulingTimeoutError",
            QueryErrorCode::ServerResourceLimitExceeded => "ServerResourceLimitExceededError",
            QueryErrorCode::ExecutionTimeout => "ExecutionTimeoutError",
            QueryErrorCode::Internal => "InternalError",
            QueryErrorCode::QueryCancellation => "QueryCancellationError",
            QueryErrorCode::QueryValidation => "QueryValidationError",
            QueryErrorCode::UnknownColumn => "UnknownColumnError",
            QueryErrorCode::QueryPlanning => "QueryPlanningError",
        }
    }

    /// Returns the HTTP status for clients that ask for real ones.
    pub fn http_status(self) -> u16 {
        match self {
            QueryErrorCode::JsonParsing
            | QueryErrorCode::SqlParsing
            | QueryErrorCode::QueryValidation
            | QueryErrorCode::UnknownColumn
            | QueryErrorCode::QueryPlanning => 400,
            QueryErrorCode::TableDoesNotExist | QueryErrorCode::TableIsDisabled => 404,
            QueryErrorCode::QuerySchedulingTimeout | QueryErrorCode::ExecutionTimeout => 408,
            QueryErrorCode::QueryExecution | QueryErrorCode::Internal => 500,
            QueryErrorCode::ServerOutOfCapacity
            | QueryErrorCode::ServerResourceLimitExceeded
            | QueryErrorCode::QueryCancellation => 503,
        }
    }
}

/// A query's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The text does not follow the grammar.
    #[error("line {line}, column {column}: {detail}")]
    Syntax {
        /// Line of the text, from 1.
        line: u64,
        /// Column of the line, from 1.
        column: u64,
        /// What was expected and what was found.
        detail: String,
    },
    /// The text is not exactly one query.
    #[error("{detail}")]
    NotAQuery {
        /// What it is instead.
        detail: String,
    },
    /// The text is too long or too deeply nested.
    #[error("the statement has {found} {what}, at most {max} are allowed")]
    StatementTooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// No such table.
    #[error("table `{table}` does not exist{hint}")]
    TableMissing {
        /// The name as written.
        table: String,
        /// The nearest name, as the end of a sentence.
        hint: String,
    },
    /// The table is out of use.
    #[error(
        "table `{table}` is disabled: enable it with PUT /tables/{table}/state?state=enable&type=realtime"
    )]
    TableDisabled {
        /// The name as written.
        table: String,
    },
    /// No such column.
    #[error("column `{column}` does not exist in {place}{hint}")]
    ColumnMissing {
        /// The name as written.
        column: String,
        /// Where it was looked for.
        place: String,
        /// The nearest name, as the end of a sentence.
        hint: String,
    },
    /// No such function.
    #[error("function `{function}` does not exist{hint}")]
    FunctionMissing {
        /// The name as written.
        function: String,
        /// The nearest name, as the end of a sentence.
        hint: String,
    },
    /// The query of a TEXT_MATCH does not follow its syntax.
    #[error("`textMatch`: {detail}")]
    TextQuery {
        /// What is wrong with it, and where.
        detail: String,
    },
    /// The query means nothing, or nothing that is supported.
    #[error("{detail}")]
    Invalid {
        /// Why.
        detail: String,
    },
    /// The query cannot be planned.
    #[error("{detail}")]
    Planning {
        /// Why.
        detail: String,
    },
    /// A value made the query fail while it ran, or a segment could not be read.
    #[error("{detail}")]
    Execution {
        /// Why.
        detail: String,
    },
    /// It ran too long.
    #[error(
        "the query did not end within {timeout_ms} ms; raise it with `SET timeoutMs = …;` or narrow the query"
    )]
    TimedOut {
        /// The time it had.
        timeout_ms: u64,
    },
    /// It waited too long.
    #[error("the query waited {timeout_ms} ms for its turn behind {running} running ones")]
    WaitedTooLong {
        /// The time it had.
        timeout_ms: u64,
        /// How many may run at once.
        running: usize,
    },
    /// Too many wait.
    #[error("{waiting} queries wait already, which is the most that may")]
    QueueFull {
        /// How many.
        waiting: usize,
    },
    /// It needs more memory than it may have.
    #[error("{detail}")]
    Memory {
        /// Which limit, and who asked.
        detail: String,
    },
    /// It has more rows or bytes than an answer may have.
    #[error("the answer was cut at {max} {what}; add a LIMIT or narrow the query")]
    AnswerTooLarge {
        /// Rows or bytes.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// Someone ended it.
    #[error("the query was cancelled by a request")]
    Cancelled,
    /// A bug on this side.
    #[error("{detail}")]
    Internal {
        /// What happened.
        detail: String,
    },
}

impl QueryError {
    /// Returns Pinot's code.
    pub fn code(&self) -> QueryErrorCode {
        match self {
            QueryError::Syntax { .. } | QueryError::NotAQuery { .. } | QueryError::TextQuery { .. } => {
                QueryErrorCode::SqlParsing
            }
            QueryError::TableMissing { .. } => QueryErrorCode::TableDoesNotExist,
            QueryError::TableDisabled { .. } => QueryErrorCode::TableIsDisabled,
            QueryError::ColumnMissing { .. } => QueryErrorCode::UnknownColumn,
            QueryError::FunctionMissing { .. }
            | QueryError::Invalid { .. }
            | QueryError::StatementTooLarge { .. } => QueryErrorCode::QueryValidation,
            QueryError::Planning { .. } => QueryErrorCode::QueryPlanning,
            QueryError::Execution { .. } => QueryErrorCode::QueryExecution,
            QueryError::TimedOut { .. } => QueryErrorCode::ExecutionTimeout,
            QueryError::WaitedTooLong { .. } => QueryErrorCode::QuerySchedulingTimeout,
            QueryError::QueueFull { .. } => QueryErrorCode::ServerOutOfCapacity,
            QueryError::Memory { .. } | QueryError::AnswerTooLarge { .. } => {
                QueryErrorCode::ServerResourceLimitExceeded
            }
            QueryError::Cancelled => QueryErrorCode::QueryCancellation,
            QueryError::Internal { .. } => QueryErrorCode::Internal,
        }
    }

    /// Returns the message as the answer shows it: the code's name, then what is wrong.
    pub fn message(&self) -> String {
        format!("{}: {self}", self.code().name())
    }

    /// Returns an error that says why the query means nothing.
    pub(crate) fn invalid(detail: impl Into<String>) -> QueryError {
        QueryError::Invalid { detail: detail.into() }
    }

    /// Turns an error met while planning into ours.
    pub(crate) fn from_planning(error: &DataFusionError, multistage: bool) -> QueryError {
        match found_inside(error) {
            Some(own) => own,
            None if multistage => QueryError::Planning { detail: detail_of(error) },
            None => QueryError::Invalid { detail: detail_of(error) },
        }
    }

    /// Turns an error met while running into ours.
    pub(crate) fn from_execution(error: &DataFusionError) -> QueryError {
        found_inside(error).unwrap_or_else(|| QueryError::Execution { detail: detail_of(error) })
    }
}

/// Begins DataFusion's message on values that no type of theirs lets be compared by BETWEEN.
const NO_COMMON_TYPE: &str = "Failed to coerce types ";
/// Stands in DataFusion's message on a call whose arguments fit no signature.
const NO_SIGNATURE: &str = "failed to match any signature, errors: ";

/// Returns the error of ours that DataFusion carries, or the one that its kind stands for.
fn found_inside(error: &DataFusionError) -> Option<QueryError> {
    match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<TextQueryFault>() {
            Some(fault) => Some(QueryError::TextQuery { detail: fault.to_string() }),
            None => inner.downcast_ref::<QueryError>().cloned(),
        },
        DataFusionError::ResourcesExhausted(detail) => Some(QueryError::Memory { detail: detail.clone() }),
        DataFusionError::Internal(detail) if is_of_the_statement(detail) => None,
        DataFusionError::Internal(detail) => Some(QueryError::Internal { detail: detail.clone() }),
        DataFusionError::SchemaError(error, _) => match &**error {
            SchemaError::FieldNotFound { field, valid_fields } => Some(QueryError::ColumnMissing {
                column: field.flat_name(),
                place: "what the query reads".into(),
                hint: did_you_mean(&field.name, valid_fields.iter().map(|valid| valid.name.as_str())),
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether what DataFusion calls an internal error is a fault of what was written.
fn is_of_the_statement(detail: &str) -> bool {
    const BEGINNINGS: [&str; 2] = [NO_COMMON_TYPE, "Cannot run range queries on datatype"];
    BEGINNINGS.iter().any(|beginning| detail.starts_with(beginning)) || detail.contains(NO_SIGNATURE)
}

impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> DataFusionError {
        DataFusionError::External(Box::new(error))
    }
}

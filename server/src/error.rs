//! What a client is told when a request fails: Pinot's error object, and the one place where kinds become statuses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use meunier_catalog::{CatalogError, ErrorKind};
use meunier_ingest::{IngestError, SourceError};
use meunier_segment::json_reader::JsonProblem;
use serde_json::{Value, json};
use tracing::error;

/// A failed request, in words for the client.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    status: StatusCode,
    message: String,
    problems: Vec<JsonProblem>,
}

impl ApiError {
    /// Returns an error of this status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> ApiError {
        ApiError { status, message: message.into(), problems: Vec::new() }
    }

    /// Returns a refusal of what was sent.
    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, message)
    }

    /// Returns a refusal because what was named does not exist.
    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, message)
    }

    /// Returns a refusal because of what exists already.
    pub fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, message)
    }

    /// Returns a refusal of a document, with every problem and its place.
    pub fn invalid_document(what: &str, problems: Vec<JsonProblem>) -> ApiError {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let message = match lines.as_slice() {
            [line] => format!("invalid {what}: {line}"),
            lines => format!("invalid {what}, {} problems: {}", lines.len(), lines.join("; ")),
        };
        ApiError { status: StatusCode::BAD_REQUEST, message, problems }
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the answer's body: Pinot's two fields, and the list of problems where a document was refused.
    pub fn to_json(&self) -> Value {
        let mut body = json!({"code": self.status.as_u16(), "error": self.message});
        if !self.problems.is_empty() {
            body["problems"] = problems_json(&self.problems);
        }
        body
    }
}

/// Returns problems as a list of `{path, message}`.
pub(crate) fn problems_json(problems: &[JsonProblem]) -> Value {
    problems.iter().map(|problem| json!({"path": problem.path, "message": problem.message})).collect()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.to_json())).into_response()
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> ApiError {
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Unavailable | ErrorKind::Restart => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Corrupt | ErrorKind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        };
        answer_for(status, &error)
    }
}

impl From<SourceError> for ApiError {
    fn from(error: SourceError) -> ApiError {
        answer_for(StatusCode::BAD_REQUEST, &error)
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> ApiError {
        match error {
            IngestError::Catalog(error) => error.into(),
            IngestError::Source(error) => error.into(),
            IngestError::NoStream { .. } | IngestError::Transform { .. } => {
                answer_for(StatusCode::BAD_REQUEST, &error)
            }
            IngestError::TableExists { .. } => answer_for(StatusCode::CONFLICT, &error),
            IngestError::Segment(_) | IngestError::Thread(_) => {
                answer_for(StatusCode::INTERNAL_SERVER_ERROR, &error)
            }
        }
    }
}

/// Tells the client the whole chain; a fault on our side is logged too, as the client can do nothing about it.
fn answer_for(status: StatusCode, error: &dyn std::error::Error) -> ApiError {
    let message = chain(error);
    if status.is_server_error() {
        error!(error = message, "request failed");
    }
    ApiError::new(status, message)
}

/// Returns an error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

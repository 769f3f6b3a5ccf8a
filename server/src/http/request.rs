//! Reads what a request carries, with limits, and says in Pinot's error shape what is wrong with it.

use std::str::FromStr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use tokio::time::timeout;

use crate::app::AppState;
use crate::cursors::Reached;
use crate::error::ApiError;

/// A request's body as text, whole: of a form with a file, the file.
///
/// The content type is not asked for otherwise, as `curl -d` sends a wrong one.
pub(crate) struct BodyText(pub(crate) String);

impl FromRequest<Arc<AppState>> for BodyText {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<BodyText, ApiError> {
        let (parts, body) = request.into_parts();
        let limits = &state.limits;
        check_headers(&parts.headers, limits.body_bytes_max)?;
        let reading = read_all(body, limits.body_bytes_max);
        let Ok(read) = timeout(limits.body_timeout, reading).await else {
            let message = format!("the body did not arrive within {} s", limits.body_timeout.as_secs());
            return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, message));
        };
        let bytes = match form_boundary(&parts.headers)? {
            Some(boundary) => first_file(read?, boundary).await?,
            None => read?,
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            ApiError::bad_request(format!("the body is not UTF-8: {}", error.utf8_error()))
        })?;
        Ok(BodyText(text))
    }
}

fn check_headers(headers: &HeaderMap, bytes_max: usize) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        let message = "compressed bodies are not read: send the JSON uncompressed";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let announced = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > bytes_max as u64) { Err(too_large(bytes_max)) } else { Ok(()) }
}

/// Returns what stands between the parts of a form, where the body is one.
fn form_boundary(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Ok(None);
    }
    multer::parse_boundary(kind).map(Some).map_err(|error| {
        let message = format!("only forms of type multipart/form-data are read: {error}");
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })
}

/// Returns the first part of a form, which holds the document whatever its name, as in Pinot.
async fn first_file(body: Vec<u8>, boundary: String) -> Result<Vec<u8>, ApiError> {
    let broken = |error: multer::Error| ApiError::bad_request(format!("the form cannot be read: {error}"));
    let whole = futures::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut form = multer::Multipart::new(whole, boundary);
    match form.next_field().await.map_err(broken)? {
        Some(part) => Ok(part.bytes().await.map_err(broken)?.to_vec()),
        None => Err(ApiError::bad_request("the form has no part: send the JSON as its first one")),
    }
}

async fn read_all(body: Body, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    let mut read = Vec::new();
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| ApiError::bad_request(format!("the body broke off: {error}")))?;
        if read.len() + part.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        read.extend_from_slice(&part);
    }
    Ok(read)
}

fn too_large(bytes_max: usize) -> ApiError {
    let message =
        format!("the body is larger than {bytes_max} bytes, the limit set by `http.body_bytes_max`");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

/// The one name in a path such as `/tables/{name}`.
pub(crate) struct PathName(pub(crate) String);

impl FromRequestParts<Arc<AppState>> for PathName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<PathName, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(PathName(name)),
            Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
        }
    }
}

/// The two names in a path such as `/segments/{table}/{segment}/metadata`.
pub(crate) struct PathNames(pub(crate) String, pub(crate) String);

impl FromRequestParts<Arc<AppState>> for PathNames {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<PathNames, ApiError> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(PathNames(first, second)),
            Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
        }
    }
}

impl FromRequestParts<Arc<AppState>> for Reached {
    type Rejection = ApiError;

    /// The address that the client wrote is the one that works for it, through mapped ports and proxies too.
    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Reached, ApiError> {
        let written = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = written.and_then(|host| host.parse::<Authority>().ok());
        Ok(match authority {
            Some(authority) => {
                Reached { host: authority.host().to_owned(), port: authority.port_u16().unwrap_or(HTTP_PORT) }
            }
            None => Reached { host: state.address.ip().to_string(), port: state.address.port() },
        })
    }
}

/// The port of an address that names none.
const HTTP_PORT: u16 = 80;

/// The parameters behind the question mark. Names are Pinot's, case-sensitive; unknown ones are ignored, as Pinot does.
pub(crate) struct Parameters(Vec<(String, String)>);

impl FromRequestParts<Arc<AppState>> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Parameters, ApiError> {
        match Query::<Vec<(String, String)>>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Parameters(parameters)),
            Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
        }
    }
}

impl Parameters {
    /// Returns a parameter that is there and not empty; the first where it is there more than once.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.0.iter().filter(move |(key, text)| key == name && !text.is_empty());
        of_name.map(|(_, text)| text.as_str())
    }

    /// Reads a boolean parameter; false when it is not there.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => {
                Err(ApiError::bad_request(format!("parameter `{name}` is true or false, not `{text}`")))
            }
        }
    }

    /// Reads a number; nothing when it is not there.
    ///
    /// # Errors
    /// When it is none, or none of this type.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let read = |text: &str| {
            text.parse().map_err(|_| {
                ApiError::bad_request(format!("parameter `{name}` is a whole number, not `{text}`"))
            })
        };
        self.get(name).map(read).transpose()
    }

    /// Reads a list, with commas between or as parameters of one name; empty when it is not there.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.all(name)
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect()
    }
}

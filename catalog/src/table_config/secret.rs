//! Which values must never be shown: passwords, keys, login texts. Known by the name of their key.

use serde_json::{Map, Value};

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "*****";

/// Parts of key names, lower case, that make their value a secret.
const SECRET_PARTS: [&str; 14] = [
    "password",
    "passphrase",
    "secret",
    "jaas",
    "token",
    "credential",
    "accesskey",
    "key.pem",
    "private.key",
    "keystore.key",
    "client.key",
    "oauthbearer.config",
    "user.info",
    "apikey",
];

/// Keys that hold such a part and yet no secret.
const HARMLESS: [&str; 3] = ["token.endpoint.url", "credentials.source", "key.algorithm"];

/// Returns whether the value of this key must not be shown.
pub(super) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let harmless = HARMLESS.iter().any(|end| key.ends_with(end));
    !harmless && SECRET_PARTS.iter().any(|part| key.contains(part))
}

/// Returns the document with every secret hidden.
pub(super) fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(redacted_map(map)),
        Value::Array(items) => Value::Array(items.iter().map(redacted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Returns the map with every secret hidden; its keys may also be pointers.
pub(super) fn redacted_map(map: &Map<String, Value>) -> Map<String, Value> {
    let hidden = |key: &str, value: &Value| {
        let secret = is_secret_key(key) && !value.is_object() && !value.is_array() && !value.is_null();
        if secret { HIDDEN.into() } else { redacted(value) }
    };
    map.iter().map(|(key, value)| (key.clone(), hidden(key, value))).collect()
}

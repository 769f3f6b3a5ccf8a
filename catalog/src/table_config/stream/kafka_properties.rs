//! Properties of the Kafka client: from a Java client's names to librdkafka's, and none that is dangerous.
//!
//! Only names on librdkafka's own list are passed on, so nothing unknown reaches it. Off the list are those that load code,
//! run commands or upset the process (refused), and those that the ledger and the consumer rest on (set by the server).

mod names;
mod security;

use std::collections::BTreeMap;

use meunier_segment::json_reader::Findings;
use meunier_segment::nearest::did_you_mean;

use super::Property;
use names::{FORBIDDEN, JAVA_ONLY, PASSED, RENAMED, SET_BY_SERVER};

/// Returns whether a bare key of the stream map is a Kafka property, and not one of Pinot's.
pub(super) fn is_property(key: &str) -> bool {
    let security = key.starts_with("sasl.") || key.starts_with("ssl.") || key == "security.protocol";
    security
        || PASSED.contains(&key)
        || SET_BY_SERVER.contains(&key)
        || forbidden(key).is_some()
        || RENAMED.iter().any(|(java, _)| *java == key)
        || JAVA_ONLY.iter().any(|(java, _)| *java == key)
}

/// Translates and checks the properties; what cannot be passed on is told in `findings`.
pub(super) fn read(
    properties: Vec<Property<'_>>,
    tls: &[Property<'_>],
    findings: &mut Findings,
) -> BTreeMap<String, String> {
    let mut passed = BTreeMap::new();
    let (security, other): (Vec<_>, Vec<_>) =
        properties.into_iter().partition(|p| security::is_translated(p.name));
    security::translate(&security, tls, &mut passed, findings);
    for property in other {
        read_one(&property, &mut passed, findings);
    }
    security::check(&security, &mut passed, findings);
    passed
}

fn read_one(property: &Property<'_>, passed: &mut BTreeMap<String, String>, findings: &mut Findings) {
    let Property { path, name, value } = property;
    if let Some(reason) = forbidden(name) {
        findings.problem(path, format!("`{name}` is not allowed, as it {reason}: remove it"));
    } else if SET_BY_SERVER.contains(name) {
        check_set_by_server(property, findings);
    } else if let Some((_, renamed)) = RENAMED.iter().find(|(java, _)| java == name) {
        passed.entry((*renamed).to_string()).or_insert_with(|| value.clone());
    } else if let Some((_, instead)) = JAVA_ONLY.iter().find(|(java, _)| java == name) {
        findings.warning(path, format!("`{name}` is of Java clients only, ignored: {instead}"));
    } else if PASSED.contains(name) {
        passed.insert((*name).to_string(), value.clone());
    } else {
        let hint = did_you_mean(name, PASSED.iter().copied());
        findings
            .warning(path, format!("`{name}` is no property of this server's Kafka client, ignored{hint}"));
    }
}

/// Returns what a forbidden property does.
fn forbidden(name: &str) -> Option<&'static str> {
    if name.starts_with("test.mock.") {
        return Some("puts a mock in place of the brokers");
    }
    if name.ends_with("_cb") {
        return Some("is an address in the process");
    }
    FORBIDDEN.iter().find(|(forbidden, _)| *forbidden == name).map(|(_, reason)| *reason)
}

fn check_set_by_server(property: &Property<'_>, findings: &mut Findings) {
    let Property { path, name, value } = property;
    match *name {
        // Read elsewhere: the place to begin and the isolation.
        "auto.offset.reset" | "isolation.level" => {}
        "enable.auto.commit" | "auto.commit.enable" | "enable.auto.offset.store" => {
            if !value.eq_ignore_ascii_case("false") {
                let message =
                    "offsets are committed together with segments and never by the client: remove it";
                findings.problem(path, format!("`{name}` cannot be `{value}`, as {message}"));
            }
        }
        "bootstrap.servers" | "metadata.broker.list" => {
            findings
                .warning(path, format!("`{name}` is ignored: `stream.kafka.broker.list` names the brokers"));
        }
        _ => findings.warning(path, format!("`{name}` is ignored, as the server sets it: remove it")),
    }
}

#[cfg(test)]
mod tests;

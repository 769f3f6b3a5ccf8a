//! TLS and SASL: from a Java client's settings, or Pinot's own TLS keys, to librdkafka's.
//!
//! Values are often secrets, so no message here repeats one, except protocol and mechanism names.

use std::collections::BTreeMap;

use meunier_segment::json_reader::Findings;
use meunier_segment::nearest::did_you_mean;

use super::Property;
use crate::table_config::stream::jaas;

/// Java's properties that are translated here and not passed on under their own name.
const TRANSLATED: [&str; 17] = [
    "security.protocol",
    "sasl.jaas.config",
    "sasl.mechanism",
    "sasl.mechanisms",
    "ssl.truststore.location",
    "ssl.truststore.type",
    "ssl.truststore.password",
    "ssl.truststore.certificates",
    "ssl.keystore.location",
    "ssl.keystore.type",
    "ssl.keystore.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.endpoint.identification.algorithm",
    "ssl.protocol",
    "ssl.enabled.protocols",
    "ssl.secure.random.implementation",
];

/// Texts under which librdkafka's TLS takes certificates and keys as PEM.
const PEM_NAMES: [(&str, &str); 3] = [
    ("ssl.truststore.certificates", "ssl.ca.pem"),
    ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    ("ssl.keystore.key", "ssl.key.pem"),
];

const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

pub(super) fn is_translated(name: &str) -> bool {
    TRANSLATED.contains(&name)
}

/// Puts the translations of `properties` and of Pinot's TLS keys into `passed`.
pub(super) fn translate(
    properties: &[Property<'_>],
    tls: &[Property<'_>],
    passed: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    for property in tls {
        translate_pinot_tls(property, passed, findings);
    }
    for property in properties {
        translate_one(property, passed, findings);
    }
    translate_trust_store(properties, passed, findings);
    translate_key_store(properties, passed, findings);
}

fn translate_one(property: &Property<'_>, passed: &mut BTreeMap<String, String>, findings: &mut Findings) {
    let Property { path, name, value } = property;
    let mut pass = |name: &str, value: String| passed.insert(name.to_string(), value);
    match *name {
        "security.protocol" => {
            let protocol = value.trim().to_ascii_lowercase();
            if PROTOCOLS.contains(&protocol.as_str()) {
                pass(name, protocol);
            } else {
                let hint = did_you_mean(value, PROTOCOLS);
                findings.problem(
                    path,
                    format!("`{value}` is no protocol: write one of {}{hint}", PROTOCOLS.join(", ")),
                );
            }
        }
        "sasl.mechanism" | "sasl.mechanisms" => {
            let mechanism = value.trim().to_ascii_uppercase();
            if MECHANISMS.contains(&mechanism.as_str()) {
                pass("sasl.mechanism", mechanism);
            } else {
                let names = MECHANISMS.join(", ");
                findings.problem(
                    path,
                    format!("the login mechanism `{value}` is not supported: write one of {names}"),
                );
            }
        }
        "sasl.jaas.config" => translate_jaas(property, passed, findings),
        "ssl.endpoint.identification.algorithm" => {
            let algorithm =
                if value.trim().is_empty() { "none".to_string() } else { value.to_ascii_lowercase() };
            pass(name, algorithm);
        }
        "ssl.protocol" | "ssl.enabled.protocols" | "ssl.secure.random.implementation" => {
            findings.warning(
                path,
                format!("`{name}` is of Java clients only, ignored: TLS 1.2 and 1.3 are used"),
            );
        }
        _ => {
            if let Some((_, renamed)) = PEM_NAMES.iter().find(|(java, _)| java == name) {
                pass(renamed, value.clone());
            }
        }
    }
}

fn translate_jaas(property: &Property<'_>, passed: &mut BTreeMap<String, String>, findings: &mut Findings) {
    const INSTEAD: &str = "write `sasl.mechanism`, `sasl.username` and `sasl.password`";
    let Some(login) = jaas::parse(&property.value) else {
        findings.problem(&property.path, format!("the login text cannot be read: {INSTEAD}"));
        return;
    };
    let mechanism = match login.module.as_str() {
        "PlainLoginModule" => Some("PLAIN"),
        "ScramLoginModule" => None,
        module => {
            findings
                .problem(&property.path, format!("the login module `{module}` is not supported: {INSTEAD}"));
            return;
        }
    };
    let (Some(username), Some(password)) = (login.username, login.password) else {
        findings.problem(&property.path, format!("the login text lacks username or password: {INSTEAD}"));
        return;
    };
    passed.entry("sasl.username".to_string()).or_insert(username);
    passed.entry("sasl.password".to_string()).or_insert(password);
    if let Some(mechanism) = mechanism {
        passed.entry("sasl.mechanism".to_string()).or_insert_with(|| mechanism.to_string());
    }
}

fn find<'a>(properties: &'a [Property<'a>], name: &str) -> Option<&'a Property<'a>> {
    properties.iter().find(|property| property.name == name)
}

fn is_pem(properties: &[Property<'_>], type_name: &str, location: &str) -> bool {
    let said = find(properties, type_name).is_some_and(|property| property.value.eq_ignore_ascii_case("PEM"));
    said || [".pem", ".crt", ".cer"].iter().any(|end| location.to_ascii_lowercase().ends_with(end))
}

fn translate_trust_store(
    properties: &[Property<'_>],
    passed: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let Some(location) = find(properties, "ssl.truststore.location") else { return };
    if is_pem(properties, "ssl.truststore.type", &location.value) {
        passed.entry("ssl.ca.location".to_string()).or_insert_with(|| location.value.clone());
    } else {
        let message = "a Java trust store cannot be read, ignored: export its certificates as PEM (keytool -exportcert \
                       -rfc) and write their file as `ssl.ca.location`";
        findings.warning(&location.path, message);
    }
}

fn translate_key_store(
    properties: &[Property<'_>],
    passed: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let Some(location) = find(properties, "ssl.keystore.location") else { return };
    let store_type =
        find(properties, "ssl.keystore.type").map(|property| property.value.to_ascii_uppercase());
    if is_pem(properties, "ssl.keystore.type", &location.value) {
        for name in ["ssl.certificate.location", "ssl.key.location"] {
            passed.entry(name.to_string()).or_insert_with(|| location.value.clone());
        }
    } else if store_type.as_deref() == Some("JKS") || location.value.to_ascii_lowercase().ends_with(".jks") {
        let message = "a Java key store cannot be read, ignored: convert it to PKCS#12 (keytool -importkeystore \
                       -deststoretype PKCS12) and name that file here";
        findings.warning(&location.path, message);
    } else {
        for name in ["ssl.keystore.location", "ssl.keystore.password"] {
            if let Some(property) = find(properties, name) {
                passed.insert(name.to_string(), property.value.clone());
            }
        }
    }
}

/// Pinot's own TLS keys hold certificates and keys as base64 of their DER form, which PEM wraps in two lines.
fn translate_pinot_tls(
    property: &Property<'_>,
    passed: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let Property { path, name, value } = property;
    let (renamed, label) = match *name {
        "server.certificate" => ("ssl.ca.pem", "CERTIFICATE"),
        "client.certificate" => ("ssl.certificate.pem", "CERTIFICATE"),
        "client.key" => ("ssl.key.pem", "PRIVATE KEY"),
        "certificate.type" | "client.key.algorithm" | "keystore.type" | "truststore.type" => return,
        _ => {
            findings.warning(path, format!("unknown key `stream.kafka.ssl.{name}`, ignored"));
            return;
        }
    };
    let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", value.trim());
    passed.insert(renamed.to_string(), pem);
}

/// Checks that what is left makes a login possible.
pub(super) fn check(
    properties: &[Property<'_>],
    passed: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let Some(protocol) = find(properties, "security.protocol") else {
        if let Some(login) =
            find(properties, "sasl.jaas.config").or_else(|| find(properties, "sasl.mechanism"))
        {
            findings.warning(
                &login.path,
                "has no effect without `security.protocol`: write SASL_SSL or SASL_PLAINTEXT",
            );
        }
        return;
    };
    let wants_login = passed.get("security.protocol").is_some_and(|protocol| protocol.starts_with("sasl_"));
    let refused =
        find(properties, "sasl.mechanism").or_else(|| find(properties, "sasl.mechanisms")).is_some();
    if wants_login && !passed.contains_key("sasl.mechanism") && !refused {
        let message = format!("needs `sasl.mechanism` beside it: write one of {}", MECHANISMS.join(", "));
        findings.problem(&protocol.path, message);
    }
    let by_password = passed.get("sasl.mechanism").is_some_and(|mechanism| mechanism != "OAUTHBEARER");
    let has_login = passed.contains_key("sasl.username") && passed.contains_key("sasl.password");
    let broken_text = find(properties, "sasl.jaas.config").is_some();
    if wants_login && by_password && !has_login && !broken_text {
        findings.problem(&protocol.path, "needs `sasl.username` and `sasl.password` beside it");
    }
}

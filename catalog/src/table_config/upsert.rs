//! `upsertConfig` and `dedupConfig`: checked for faults, otherwise kept raw, as nothing acts on them yet.

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::Schema;

use super::columns::check_column;

const MODES: [&str; 3] = ["FULL", "PARTIAL", "NONE"];

const STRATEGIES: [&str; 8] =
    ["APPEND", "IGNORE", "INCREMENT", "MAX", "MIN", "OVERWRITE", "FORCE_OVERWRITE", "UNION"];

/// Whether `document` asks for upsert.
pub(super) fn wants_upsert(document: &JsonObject<'_>) -> bool {
    let mode = document.get("upsertConfig").and_then(|config| config.get("mode"));
    mode.and_then(|mode| mode.as_str()).is_some_and(|mode| !mode.eq_ignore_ascii_case("NONE"))
}

/// Whether `document` asks for deduplication.
pub(super) fn wants_dedup(document: &JsonObject<'_>) -> bool {
    let Some(config) = document.get("dedupConfig") else { return false };
    let enabled = config.get("dedupEnabled").and_then(meunier_segment::json_reader::scalar_text);
    enabled.is_none_or(|text| !text.eq_ignore_ascii_case("false"))
}

pub(super) fn check(
    document: &JsonObject<'_>,
    schema: Option<&Schema>,
    null_handling: bool,
    findings: &mut Findings,
) {
    if let Some(config) = document.object("upsertConfig", findings) {
        check_upsert(&config, schema, null_handling, findings);
    }
    if let Some(config) = document.object("dedupConfig", findings) {
        let _ = config.boolean("dedupEnabled", findings);
        if let Some(column) = config.text_or_empty("dedupTimeColumn", findings) {
            check_column(&column, &config.place("dedupTimeColumn"), schema, findings);
        }
    }
    let (upsert, dedup) = (wants_upsert(document), wants_dedup(document));
    if upsert && dedup {
        findings.problem("/dedupConfig", "a table cannot have both upsert and dedup: remove one");
    }
    let key_place = if upsert { "/upsertConfig" } else { "/dedupConfig" };
    let no_key = schema.is_some_and(|schema| schema.primary_key_columns().is_empty());
    if (upsert || dedup) && no_key {
        findings.problem(key_place, "needs a primary key: write `primaryKeyColumns` into the schema");
    }
}

fn check_upsert(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    null_handling: bool,
    findings: &mut Findings,
) {
    let Some(mode) = config.required_text("mode", "FULL, PARTIAL or NONE", findings) else { return };
    if !MODES.contains(&mode.to_ascii_uppercase().as_str()) {
        let message =
            format!("`{mode}` is no upsert mode: write FULL, PARTIAL or NONE{}", did_you_mean(&mode, MODES));
        findings.problem(config.place("mode"), message);
    }
    let by_column = schema.is_some_and(Schema::column_based_null_handling);
    if mode.eq_ignore_ascii_case("PARTIAL") && schema.is_some() && !null_handling && !by_column {
        findings.problem(
            config.place("mode"),
            "PARTIAL needs `\"nullHandlingEnabled\": true` in `tableIndexConfig`",
        );
    }
    for column in config.texts("comparisonColumns", findings) {
        check_column(&column.text, &column.path, schema, findings);
    }
    for key in ["comparisonColumn", "deleteRecordColumn", "outOfOrderRecordColumn"] {
        if let Some(column) = config.text_or_empty(key, findings) {
            check_column(&column, &config.place(key), schema, findings);
        }
    }
    check_strategies(config, schema, findings);
}

fn check_strategies(config: &JsonObject<'_>, schema: Option<&Schema>, findings: &mut Findings) {
    let Some(strategies) = config.object("partialUpsertStrategies", findings) else { return };
    for (column, _) in strategies.entries() {
        check_column(column, &strategies.place(column), schema, findings);
        let Some(strategy) = strategies.text(column, findings) else { continue };
        if !STRATEGIES.contains(&strategy.to_ascii_uppercase().as_str()) {
            let hint = did_you_mean(&strategy, STRATEGIES);
            let message =
                format!("`{strategy}` is no strategy: write one of {}{hint}", STRATEGIES.join(", "));
            findings.problem(strategies.place(column), message);
        }
    }
}

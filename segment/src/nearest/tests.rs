use super::*;

#[test]
fn finds_slips_of_the_keyboard() {
    let known = ["dimensionFieldSpecs", "metricFieldSpecs", "dateTimeFieldSpecs", "schemaName"];
    for (written, meant) in [
        ("dimensionFieldSpec", "dimensionFieldSpecs"),
        ("metricsFieldSpecs", "metricFieldSpecs"),
        ("SCHEMANAME", "schemaName"),
        ("shcemaName", "schemaName"),
    ] {
        assert_eq!(nearest(written, known), Some(meant), "{written}");
    }
}

#[test]
fn offers_nothing_for_a_different_word() {
    assert_eq!(nearest("cardinality", ["name", "dataType", "maxLength"]), None);
    assert_eq!(nearest("ab", ["ac"]), None);
    assert_eq!(nearest(&"x".repeat(10_000), ["x"]), None);
}

#[test]
fn prefers_the_smaller_number_of_edits() {
    assert_eq!(nearest("country_cod", ["county_codes", "country_code"]), Some("country_code"));
}

#[test]
fn counts_a_swap_as_one_edit() {
    let letters = |word: &str| word.chars().collect::<Vec<_>>();
    assert_eq!(edit_distance(&letters("name"), &letters("naem")), 1);
    assert_eq!(edit_distance(&letters(""), &letters("abc")), 3);
}

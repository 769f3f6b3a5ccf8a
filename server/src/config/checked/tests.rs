use expect_test::{Expect, expect};

use super::super::raw::{Flags, variable_of};
use super::*;

fn load(file: &str, environment: &[(&str, &str)], flags: &Flags) -> Result<Config, Vec<ConfigProblem>> {
    let environment = environment.iter().map(|(name, text)| (name.to_string(), text.to_string()));
    let (raw, _) = RawConfig::gather(Some(("meunier.toml", file)), environment, flags)?;
    Config::try_from(&raw)
}

fn check_refused(file: &str, expected: Expect) {
    let problems = load(file, &[], &Flags::default()).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn defaults_are_complete_and_valid() {
    let config = load("", &[], &Flags::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8099");
    assert_eq!(config.data_dir, None);
    assert_eq!(config.http.header_timeout, Duration::from_secs(10));
    assert_eq!(config.http.body_bytes_max, 1 << 20);
}

#[test]
fn environment_overrides_the_file_and_flags_override_both() {
    let file =
        "listen = \"127.0.0.1:1\"\ndata_dir = \"file\"\n[http]\nconnections_max = 7\nbody_timeout = \"1m\"";
    let environment =
        [("MEUNIER_LISTEN", "127.0.0.1:2"), ("MEUNIER_HTTP_CONNECTIONS_MAX", "8"), ("HOME", "/x")];
    let flags = Flags { listen: Some("127.0.0.1:3".into()), data_dir: None };
    let config = load(file, &environment, &flags).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.http.connections_max, 8);
    assert_eq!(config.http.body_timeout, Duration::from_secs(60));
    assert_eq!(config.data_dir, Some("file".into()));
}

#[test]
fn every_unknown_key_is_named_with_its_nearest() {
    check_refused(
        "lisen = 1\n[http]\nconection_max = 2\n[nothing]\nx = 1",
        expect![[r#"
            meunier.toml holds the unknown key `http.conection_max`; did you mean `http.connections_max`?
            meunier.toml holds the unknown key `lisen`; did you mean `listen`?
            meunier.toml holds the unknown key `nothing`"#]],
    );
}

#[test]
fn every_wrong_value_is_named_with_its_origin() {
    check_refused(
        "listen = \"localhost\"\n[http]\nheader_timeout = 10\nbody_bytes_max = \"1XB\"\nconnections_max = 0\n[log]\nformat = \"xml\"",
        expect![[r#"
            `listen` in meunier.toml is `localhost`: write an address and port such as 127.0.0.1:8099
            `log.format` in meunier.toml is `xml`: write text or json
            `http.connections_max` in meunier.toml is `0`: write a whole number from 1
            `http.header_timeout` in meunier.toml is `10`: write a duration such as 10s or 5m
            `http.body_bytes_max` in meunier.toml is `1XB`: write a size such as 64MiB"#]],
    );
}

#[test]
fn a_list_where_a_text_belongs_is_refused() {
    check_refused(
        "listen = [1]",
        expect!["`listen` in meunier.toml is array: write a text, a number or a boolean"],
    );
}

#[test]
fn a_misspelt_variable_is_a_warning_as_orchestrators_set_variables_of_their_own() {
    let environment =
        [("MEUNIER_LISTN", "x"), ("MEUNIER_SERVICE_HOST", "10.0.0.1"), ("MEUNIER_SERVER", "http://x")];
    let environment = environment.map(|(name, text)| (name.to_string(), text.to_string()));
    let (_, warnings) = RawConfig::gather(None, environment, &Flags::default()).unwrap();
    expect![[r#"
        [
            "the environment variable MEUNIER_LISTN means nothing here; did you mean `MEUNIER_LISTEN`?",
        ]
    "#]]
    .assert_debug_eq(&warnings);
}

#[test]
fn the_reference_page_has_every_key_with_its_default() {
    let page = include_str!("../../../../docs/reference/configuration.md");
    for key in KEYS {
        assert!(
            page.contains(&format!("| `{}` |", key.path)),
            "docs/reference/configuration.md lacks `{}`",
            key.path
        );
        assert!(
            page.contains(&variable_of(key.path)),
            "docs/reference/configuration.md lacks {}",
            variable_of(key.path)
        );
        assert!(page.contains(key.default));
    }
}

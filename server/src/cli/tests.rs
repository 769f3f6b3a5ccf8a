use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Command, clap::Error> {
    Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command)
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_of_the_readme_parses() {
    for line in [
        "meunier quickstart",
        "meunier quickstart --stream orders --rate 50 --listen 127.0.0.1:1 --data-dir x",
        "meunier serve --data-dir ./data --config x.toml",
        "meunier table create --schema a --table b --brokers k:9092 --topic t --if-not-exists --force",
        "meunier table list --server http://x:1",
        "meunier table show t --config",
        "meunier table pause t --comment why",
        "meunier table resume t --from smallest",
        "meunier table seal t",
        "meunier table delete t --yes",
        "meunier query SELECT",
        "meunier query --file - --format csv",
        "meunier produce --stream clickstream --brokers b --topic t --rate 200 --count 5 --property a=b=c",
        "meunier health --server http://127.0.0.1:8099",
        "meunier version",
    ] {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "meunier",
        "meunier nothing",
        "meunier quickstart --stream none",
        "meunier quickstart --rate 0",
        "meunier table create --schema a",
        "meunier produce --stream clickstream --brokers b --topic t --property novalue",
        "meunier query SELECT --file x",
        "meunier query --format xml",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn every_sample_stream_can_be_named() {
    let names: Vec<_> =
        SampleStream::value_variants().iter().map(|stream| meunier_sample::Stream::from(*stream)).collect();
    assert_eq!(names, meunier_sample::Stream::ALL);
    for stream in SampleStream::value_variants() {
        let name = stream.to_possible_value().expect("none is hidden");
        assert_eq!(name.get_name(), meunier_sample::Stream::from(*stream).name());
    }
}

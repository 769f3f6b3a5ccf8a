//! From flags, environment and file to checked settings, with every fault in one block.

use std::fs;

use super::SettingsArgs;
use super::failure::Failure;
use super::terminal::note;
use crate::config::checked::DATA_DIR_DEFAULT;
use crate::config::{Config, ConfigProblem, Flags, RawConfig};

/// What the settings are for; some defaults differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A server on the user's Kafka.
    Serve,
    /// A demonstration: quiet, and on temporary data.
    Quickstart,
}

pub(super) fn load(args: &SettingsArgs, purpose: Purpose) -> Result<Config, Failure> {
    let file = match &args.config {
        None => None,
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| {
                Failure::new(format!("cannot read the settings file {}", path.display()))
                    .detail(error.to_string())
                    .next("check --config, or the variable MEUNIER_CONFIG")
            })?;
            Some((path.display().to_string(), text))
        }
    };
    let flags = Flags { listen: args.listen.clone(), data_dir: args.data_dir.clone() };
    let file = file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    // Variables that are not UTF-8 are none of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let (raw, warnings) = RawConfig::gather(file, environment, &flags).map_err(failure)?;
    for warning in warnings {
        note(&format!("warning: {warning}"));
    }
    let mut config = Config::try_from(&raw).map_err(failure)?;
    match purpose {
        Purpose::Serve => {
            config.data_dir.get_or_insert_with(|| DATA_DIR_DEFAULT.into());
        }
        Purpose::Quickstart if raw.get("log.filter").is_none() => config.log.filter = "warn".to_owned(),
        Purpose::Quickstart => {}
    }
    Ok(config)
}

fn failure(problems: Vec<ConfigProblem>) -> Failure {
    let block = problems
        .iter()
        .fold(Failure::new("the settings are not right"), |f, problem| f.detail(problem.to_string()));
    block.next("docs/reference/configuration.md lists all keys")
}

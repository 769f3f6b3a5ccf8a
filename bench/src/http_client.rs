//! HTTP to a meunier server, over connections that stay open.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use ureq::Agent;

/// Longest wait for an answer. Creating a table asks the brokers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A server by its address.
#[derive(Clone)]
pub(crate) struct HttpClient {
    base: String,
    agent: Agent,
}

impl HttpClient {
    pub(crate) fn new(address: &str) -> HttpClient {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .proxy(None);
        HttpClient { base: format!("http://{address}"), agent: config.build().into() }
    }

    /// Returns the rows that a statement answers.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let answer = self.post("/query/sql", &json!({"sql": sql}))?;
        if let Some(exception) = answer["exceptions"].get(0) {
            bail!("`{sql}`: {}", exception["message"].as_str().unwrap_or("refused without a word"));
        }
        let rows = answer["resultTable"]["rows"]
            .as_array()
            .with_context(|| format!("`{sql}`: no rows in {answer}"))?;
        let cells = |row: &Value| row.as_array().cloned().context("a row is an array");
        rows.iter().map(cells).collect()
    }

    /// Returns the one value that a statement answers, a number.
    pub(crate) fn query_number(&self, sql: &str) -> Result<f64> {
        let rows = self.query(sql)?;
        let value = rows.first().and_then(|row| row.first()).and_then(Value::as_f64);
        value.with_context(|| format!("`{sql}` answers {rows:?}, not a number"))
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request =
            self.agent.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        let mut answer = request.send(body.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string()?;
        ensure!((200..300).contains(&status), "POST {path}: status {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Returns whether the process answers at all.
    pub(crate) fn is_alive(&self) -> bool {
        self.agent.get(format!("{}/health", self.base)).call().is_ok_and(|answer| answer.status() == 200)
    }
}

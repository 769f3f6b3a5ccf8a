//! The commands' side of HTTP: one request, one answer, and a readable failure when there is none.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::failure::Failure;

/// A server that does not take the connection within this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Creating a table asks the brokers, and a query may take its minute.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A server, by its URL.
pub(super) struct ServerClient {
    base: String,
    agent: Agent,
}

/// What a server answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl ServerClient {
    pub(super) fn new(url: &str) -> Result<ServerClient, Failure> {
        let base = url.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") || base.len() <= "http://".len() {
            return Err(Failure::new(format!("`{url}` is no URL of a server"))
                .next("write it as http://HOST:PORT, such as http://127.0.0.1:8099"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT))
            .proxy(None)
            .build();
        Ok(ServerClient { base, agent: config.into() })
    }

    pub(super) fn url(&self) -> &str {
        &self.base
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.read(self.agent.get(self.at(path)).call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let request = self.agent.post(self.at(path)).header("content-type", "application/json");
        self.read(request.send(body.to_string()))
    }

    pub(super) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.read(self.agent.delete(self.at(path)).call())
    }

    /// Returns the text of an answer that is not JSON.
    pub(super) fn get_text(&self, path: &str) -> Result<String, Failure> {
        let mut response = self.agent.get(self.at(path)).call().map_err(|error| self.unreachable(&error))?;
        let text = response.body_mut().read_to_string().map_err(|error| self.unreachable(&error))?;
        match response.status().as_u16() {
            200 => Ok(text),
            status => Err(Failure::new(format!("{} answered with status {status}", self.base)).detail(text)),
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn read(&self, answered: Result<Response<Body>, ureq::Error>) -> Result<Answer, Failure> {
        let mut response = answered.map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_string()
            .map_err(|error| self.unreachable(&error))?;
        match serde_json::from_str(&text) {
            Ok(body) => Ok(Answer { status, body }),
            Err(_) => Err(Failure::new(format!("{} is no meunier server: its answer is no JSON", self.base))
                .detail(format!("status {status}: {}", text.chars().take(200).collect::<String>()))
                .next("check --server, or the variable MEUNIER_SERVER")),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::new(format!("cannot reach the server at {}", self.base))
            .detail(error.to_string())
            .next("start one with `meunier serve`, or name another with --server URL")
    }
}

impl Answer {
    /// Returns the body of a success; otherwise a failure with the server's words.
    pub(super) fn success(self) -> Result<Value, Failure> {
        if (200..300).contains(&self.status) { Ok(self.body) } else { Err(self.failure()) }
    }

    /// Returns the server's words about what went wrong, one problem a line.
    pub(super) fn failure(&self) -> Failure {
        let error = self.body.get("error").and_then(Value::as_str).unwrap_or("the server gave no reason");
        let problems =
            self.body.get("problems").and_then(Value::as_array).filter(|problems| problems.len() > 1);
        let Some(problems) = problems else { return Failure::new(error) };
        let summary = error.split(": ").next().unwrap_or(error);
        problems.iter().fold(Failure::new(summary), |failure, problem| {
            let text = |key| problem.get(key).and_then(Value::as_str).unwrap_or_default();
            match text("path") {
                "" => failure.detail(text("message")),
                path => failure.detail(format!("{path}: {}", text("message"))),
            }
        })
    }
}

/// Returns a name as one step of a path.
pub(super) fn path_step(name: &str) -> String {
    name.bytes().fold(String::new(), |mut step, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => step.push(char::from(byte)),
            // Dots too: a name of dots alone would be taken for a relative step.
            _ => step.push_str(&format!("%{byte:02X}")),
        }
        step
    })
}

//! One connection that stays open, with as little work for a query as HTTP allows: the cores are shared with the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// An answer without this has exceptions in it, or is none of Pinot's.
const NO_EXCEPTIONS: &[u8] = b"\"exceptions\":[]";
/// Bytes of a failed answer that a report shows.
const SHOWN_BYTES: usize = 300;

pub(super) struct Connection {
    authority: String,
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: String,
    body: Vec<u8>,
}

/// How an answer says where it ends.
#[derive(Default)]
struct Head {
    status: u16,
    length: Option<usize>,
    is_chunked: bool,
}

impl Connection {
    /// Connects to `http://HOST:PORT`.
    pub(super) fn open(url: &str) -> Result<Connection> {
        let authority =
            url.trim_end_matches('/').strip_prefix("http://").context("a URL is http://HOST:PORT")?;
        let stream = connect(authority)?;
        Ok(Connection {
            authority: authority.to_owned(),
            stream,
            request: Vec::new(),
            line: String::new(),
            body: Vec::new(),
        })
    }

    /// Replaces the connection after an error, when the next answer could be the rest of the last.
    pub(super) fn reopen(&mut self) -> Result<()> {
        self.stream = connect(&self.authority)?;
        Ok(())
    }

    /// Sends one query and reads its answer to the end.
    ///
    /// # Errors
    /// When the server says no in HTTP or in Pinot's `exceptions`.
    pub(super) fn query(&mut self, request: &str) -> Result<()> {
        self.send(request)?;
        let head = self.read_head()?;
        self.read_body(&head)?;
        let is_answer = head.status == 200 && contains(&self.body, NO_EXCEPTIONS);
        if !is_answer {
            let shown = &self.body[..self.body.len().min(SHOWN_BYTES)];
            bail!("status {}: {}", head.status, String::from_utf8_lossy(shown));
        }
        Ok(())
    }

    fn send(&mut self, request: &str) -> Result<()> {
        self.request.clear();
        write!(
            self.request,
            "POST /query/sql HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{request}",
            self.authority,
            request.len(),
        )?;
        self.stream.get_mut().write_all(&self.request).context("send a query")
    }

    fn read_head(&mut self) -> Result<Head> {
        self.read_line()?;
        let status = self.line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut head = Head { status: status.context("an answer has a status")?, ..Head::default() };
        loop {
            self.read_line()?;
            let Some((name, value)) = self.line.split_once(':') else { return Ok(head) };
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.trim().parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
            }
        }
    }

    fn read_body(&mut self, head: &Head) -> Result<()> {
        self.body.clear();
        if !head.is_chunked {
            return self.read_bytes(head.length.context("an answer has a length")?);
        }
        loop {
            self.read_line()?;
            let length = usize::from_str_radix(self.line.trim(), 16).context("a chunk has a length")?;
            self.read_bytes(length)?;
            self.read_line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// Appends the next `count` bytes to the body.
    fn read_bytes(&mut self, count: usize) -> Result<()> {
        let begin = self.body.len();
        self.body.resize(begin + count, 0);
        self.stream.read_exact(&mut self.body[begin..]).context("read an answer")
    }

    fn read_line(&mut self) -> Result<()> {
        self.line.clear();
        ensure!(
            self.stream.read_line(&mut self.line).context("read an answer")? > 0,
            "the server closed the connection"
        );
        Ok(())
    }
}

fn connect(authority: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(authority).with_context(|| format!("connect to {authority}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    Ok(BufReader::with_capacity(1 << 16, stream))
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

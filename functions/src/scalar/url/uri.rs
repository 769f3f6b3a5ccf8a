//! The parts of a URI, by the rules of Java's `java.net.URI`.

use super::form::{push_escaped, unescaped};

/// A URI in its parts, each as it is written.
#[derive(Debug, Clone)]
pub(super) struct Uri<'a> {
    pub(super) scheme: Option<&'a str>,
    user: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<i32>,
    /// Nothing for one without a hierarchy, as `mailto:someone`.
    pub(super) path: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
    /// A query that was made, which counts before the one that was written.
    made_query: Option<Option<String>>,
}

/// Marks that stand for themselves anywhere.
const UNRESERVED: &str = "-_.!~*'()";
/// Marks that have a meaning, and are legal in most parts.
const RESERVED: &str = ";/?:@&=+$,[]";

impl<'a> Uri<'a> {
    /// Takes a text apart; nothing when it is no URI.
    pub(super) fn parse(text: &'a str) -> Option<Uri<'a>> {
        let (rest, fragment) = split(text, '#');
        let (scheme, rest) = match rest.find([':', '/', '?']) {
            Some(at) if rest[at..].starts_with(':') => {
                let scheme = &rest[..at];
                let legal = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
                let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic());
                (is_scheme && scheme.chars().all(legal)).then_some(())?;
                (Some(scheme), &rest[at + 1..])
            }
            _ => (None, rest),
        };
        fragment.is_none_or(is_legal).then_some(())?;
        let mut uri = Uri {
            scheme,
            user: None,
            host: None,
            port: None,
            path: None,
            query: None,
            fragment,
            made_query: None,
        };
        if scheme.is_some() && !rest.starts_with('/') {
            return (!rest.is_empty() && is_legal(rest)).then_some(uri);
        }
        let (rest, query) = split(rest, '?');
        uri.query = query;
        let mut path = rest;
        if let Some(after) = rest.strip_prefix("//") {
            let end = after.find('/').unwrap_or(after.len());
            let authority = &after[..end];
            path = &after[end..];
            if authority.is_empty() && path.is_empty() {
                return None;
            }
            uri.read_authority(authority)?;
        }
        uri.path = Some(path);
        (is_legal(path) && !path.contains(['[', ']']) && query.is_none_or(is_legal)).then_some(uri)
    }

    /// An authority that names no server, as `a_b`, is legal, but has no host.
    fn read_authority(&mut self, authority: &'a str) -> Option<()> {
        is_legal(authority).then_some(())?;
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, authority),
        };
        let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, rest)) => (&server[..inner.len() + 2], rest.strip_prefix(':')),
            None => server.split_once(':').map_or((server, None), |(host, port)| (host, Some(port))),
        };
        let number = match port {
            None | Some("") => Some(None),
            Some(digits) => digits.parse::<i32>().ok().filter(|port| *port >= 0).map(Some),
        };
        if let (true, Some(port)) = (is_host(host), number) {
            self.user = user;
            self.host = Some(host);
            self.port = port;
        }
        Some(())
    }

    /// Returns the URI when it has a scheme and a host.
    pub(super) fn absolute(self) -> Option<Uri<'a>> {
        (self.scheme.is_some() && self.host.is_some()).then_some(self)
    }

    /// Returns the user without escapes.
    pub(super) fn user(&self) -> Option<String> {
        self.user.map(plain)
    }

    /// Returns the path without escapes.
    pub(super) fn path(&self) -> Option<String> {
        self.path.map(plain)
    }

    /// Returns the query without escapes.
    pub(super) fn query(&self) -> Option<String> {
        self.query.map(plain)
    }

    /// Returns the fragment without escapes.
    pub(super) fn fragment(&self) -> Option<String> {
        self.fragment.map(plain)
    }

    /// Puts another query, without escapes, in place.
    pub(super) fn set_query(&mut self, query: Option<String>) {
        self.made_query = Some(query);
    }

    /// Returns the parts of the host and which of them says whose it is.
    pub(super) fn significant(&self) -> Option<(Vec<&'a str>, usize)> {
        let parts: Vec<_> = self.host?.split('.').collect();
        let plain = ["com", "net", "org", "co"];
        let from = match parts.as_slice() {
            [] | [_] | [_, _] => 0,
            [.., last] if plain.contains(last) => parts.len() - 2,
            _ => parts.len() - 3,
        };
        Some((parts, from))
    }

    /// Puts the parts together; nothing when they are no URI.
    pub(super) fn write(&self) -> Option<String> {
        let path = self.path.map(plain);
        let mut out = String::new();
        if let Some(scheme) = self.scheme {
            out.push_str(scheme);
            out.push(':');
        }
        if let Some(host) = self.host {
            out.push_str("//");
            if let Some(user) = self.user() {
                push_quoted(&user, ";:&=+$,", &mut out);
                out.push('@');
            }
            out.push_str(host);
            if let Some(port) = self.port {
                out.push_str(&format!(":{port}"));
            }
        }
        let path = path?;
        if self.scheme.is_some() && !path.is_empty() && !path.starts_with('/') {
            return None;
        }
        push_quoted(&path, "/;:@&=+$,", &mut out);
        let query = self.made_query.clone().unwrap_or_else(|| self.query());
        if let Some(query) = query {
            out.push('?');
            push_quoted(&query, RESERVED, &mut out);
        }
        if let Some(fragment) = self.fragment() {
            out.push('#');
            push_quoted(&fragment, RESERVED, &mut out);
        }
        Uri::parse(&out).is_some().then_some(out)
    }
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn plain(text: &str) -> String {
    unescaped(text).unwrap_or_else(|| text.to_owned())
}

/// Letters that Java calls other: beyond ASCII, and neither blanks nor control letters.
fn is_other(letter: char) -> bool {
    !letter.is_ascii() && !letter.is_control() && !letter.is_whitespace()
}

fn is_legal(text: &str) -> bool {
    let legal = |letter: char| {
        letter.is_ascii_alphanumeric()
            || UNRESERVED.contains(letter)
            || RESERVED.contains(letter)
            || letter == '%'
            || is_other(letter)
    };
    text.chars().all(legal) && unescaped(text).is_some()
}

fn is_host(host: &str) -> bool {
    if host.starts_with('[') {
        let inner = host.trim_start_matches('[').trim_end_matches(']');
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let labels: Vec<_> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_label = |label: &&str| {
        let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        !label.is_empty() && label.chars().all(legal) && !label.starts_with('-') && !label.ends_with('-')
    };
    // The last part of a name begins with a letter, so that a wrong address is no name.
    let named =
        labels.last().is_some_and(|last| last.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    named && labels.iter().all(is_label)
}

fn push_quoted(text: &str, allowed: &str, out: &mut String) {
    for letter in text.chars() {
        let plain = letter.is_ascii_alphanumeric()
            || UNRESERVED.contains(letter)
            || allowed.contains(letter)
            || is_other(letter);
        if plain {
            out.push(letter);
        } else {
            let mut bytes = [0; 4];
            letter.encode_utf8(&mut bytes).bytes().for_each(|byte| push_escaped(byte, out));
        }
    }
}

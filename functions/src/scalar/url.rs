//! Parts of URLs, as Java's `URI` tells them; null, or the text itself, for what is no URL.

mod form;
mod uri;

use super::function::Function;
use super::rows::{Nullable, Text, Texts, row1, row2};
use crate::description::FunctionGroup::Url;
use uri::Uri;

/// Returns the functions of URLs.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [parts(), significant(), parameters(), encoding(), cuts()];
    themes.into_iter().flatten().collect()
}

fn parts() -> Vec<Function> {
    vec![
        Function::new(
            Url,
            &["urlProtocol"],
            "urlProtocol(url)",
            "The scheme, as `https`.",
            [row1::<Text, _>(|url| Uri::parse(url)?.scheme.map(str::to_owned))],
        ),
        Function::new(
            Url,
            &["urlDomain"],
            "urlDomain(url)",
            "The host.",
            [row1::<Text, _>(|url| Uri::parse(url)?.host.map(str::to_owned))],
        ),
        Function::new(
            Url,
            &["urlDomainWithoutWWW"],
            "urlDomainWithoutWWW(url)",
            "The host without `www.` at its begin.",
            [row1::<Text, _>(|url| {
                Uri::parse(url)?.host.map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned())
            })],
        ),
        Function::new(
            Url,
            &["urlPort"],
            "urlPort(url)",
            "The port, -1 where there is none.",
            [row1::<Text, _>(|url| Uri::parse(url).and_then(|uri| uri.port).unwrap_or(-1))],
        ),
        Function::new(
            Url,
            &["urlPath"],
            "urlPath(url)",
            "The path.",
            [row1::<Text, _>(|url| Uri::parse(url)?.absolute()?.path())],
        ),
        Function::new(
            Url,
            &["urlPathWithQuery"],
            "urlPathWithQuery(url)",
            "The path as it is written.",
            [row1::<Text, _>(|url| Uri::parse(url)?.absolute()?.path.map(str::to_owned))],
        ),
        Function::new(
            Url,
            &["urlQueryString"],
            "urlQueryString(url)",
            "The query as it is written.",
            [row1::<Text, _>(|url| Uri::parse(url)?.query.map(str::to_owned))],
        ),
        Function::new(
            Url,
            &["urlFragment"],
            "urlFragment(url)",
            "The fragment.",
            [row1::<Text, _>(|url| Uri::parse(url)?.fragment())],
        ),
        Function::new(
            Url,
            &["urlQueryStringAndFragment"],
            "urlQueryStringAndFragment(url)",
            "The query and the fragment, `#` between them.",
            [row1::<Text, _>(|url| {
                let uri = Uri::parse(url)?;
                let parts: Vec<_> = [uri.query(), uri.fragment()].into_iter().flatten().collect();
                (!parts.is_empty()).then(|| parts.join("#"))
            })],
        ),
        Function::new(
            Url,
            &["urlNetloc"],
            "urlNetloc(url)",
            "The user, the host and the port.",
            [row1::<Text, _>(|url| {
                let uri = Uri::parse(url)?;
                let user = uri.user().filter(|user| !user.is_empty()).map(|user| format!("{user}@"));
                let port = uri.port.map(|port| format!(":{port}"));
                Some(
                    [
                        user.unwrap_or_default(),
                        uri.host.unwrap_or_default().to_owned(),
                        port.unwrap_or_default(),
                    ]
                    .concat(),
                )
            })],
        ),
        Function::new(
            Url,
            &["urlHierarchy"],
            "urlHierarchy(url)",
            "The URL of the host and of each step of the path.",
            [row1::<Text, _>(|url| hierarchy(url).unwrap_or_default())],
        ),
        Function::new(
            Url,
            &["urlPathHierarchy"],
            "urlPathHierarchy(url)",
            "The path of each step.",
            [row1::<Text, _>(|url| {
                let path = Uri::parse(url).and_then(|uri| uri.path());
                path.map(|path| steps(&path, "")).unwrap_or_default()
            })],
        ),
    ]
}

fn hierarchy(url: &str) -> Option<Vec<String>> {
    let uri = Uri::parse(url)?.absolute()?;
    let base = format!("{}://{}", uri.scheme?, uri.host?);
    let below = steps(&uri.path()?, &base);
    Some(std::iter::once(base).chain(below).collect())
}

/// Returns the path up to each of its steps, behind a base.
fn steps(path: &str, base: &str) -> Vec<String> {
    let path = path.trim_end_matches('/');
    let ends = path.char_indices().skip(1).filter(|(_, letter)| *letter == '/').map(|(at, _)| at);
    let ends = ends.chain((!path.is_empty()).then_some(path.len()));
    ends.map(|end| [base, &path[..end]].concat()).collect()
}

fn significant() -> Vec<Function> {
    vec![
        Function::new(
            Url,
            &["urlTopLevelDomain"],
            "urlTopLevelDomain(url)",
            "The last part of the host.",
            [row1::<Text, _>(|url| Uri::parse(url)?.host?.rsplit('.').next().map(str::to_owned))],
        ),
        Function::new(
            Url,
            &["urlFirstSignificantSubdomain"],
            "urlFirstSignificantSubdomain(url)",
            "The part of the host that says whose it is, as `example` of `www.example.com`.",
            [row1::<Text, _>(|url| {
                let (parts, from) = Uri::parse(url)?.significant()?;
                parts.get(from).map(|part| (*part).to_owned())
            })],
        ),
        Function::new(
            Url,
            &["cutToFirstSignificantSubdomain"],
            "cutToFirstSignificantSubdomain(url)",
            "The host from that part on.",
            [row1::<Text, _>(|url| {
                let (parts, from) = Uri::parse(url)?.significant()?;
                parts.get(from..).map(|parts| parts.join("."))
            })],
        ),
        Function::new(
            Url,
            &["cutToFirstSignificantSubdomainWithWWW"],
            "cutToFirstSignificantSubdomainWithWWW(url)",
            "The host from that part on, with `www.` if it stands before it.",
            [row1::<Text, _>(|url| {
                let (parts, from) = Uri::parse(url)?.significant()?;
                let from = if from == 1 && parts.first() == Some(&"www") { 0 } else { from };
                parts.get(from..).map(|parts| parts.join("."))
            })],
        ),
    ]
}

fn parameters() -> Vec<Function> {
    vec![
        Function::new(
            Url,
            &["extractURLParameter"],
            "extractURLParameter(url, name)",
            "The value of a parameter of the query, '' where there is none.",
            [row2::<Text, Text, _>(|url, name| {
                let parameters = query_parameters(url);
                let named = parameters.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                named
                    .into_iter()
                    .find(|(known, _)| *known == name)
                    .map_or(String::new(), |(_, value)| value.to_owned())
            })],
        ),
        Function::new(
            Url,
            &["extractURLParameters"],
            "extractURLParameters(url)",
            "The parameters of the query, as `name=value`.",
            [row1::<Text, _>(query_parameters)],
        ),
        Function::new(
            Url,
            &["extractURLParameterNames"],
            "extractURLParameterNames(url)",
            "The names of the query's parameters.",
            [row1::<Text, _>(|url| {
                let names = query_parameters(url).into_iter();
                names
                    .map(|pair| pair.split('=').next().unwrap_or_default().to_owned())
                    .collect::<Vec<String>>()
            })],
        ),
    ]
}

/// Java's split: nothing after the last that is not empty.
fn query_parameters(url: &str) -> Vec<String> {
    let Some(query) = Uri::parse(url).and_then(|uri| uri.query()) else { return Vec::new() };
    let query = query.trim_end_matches('&');
    query.split('&').map(str::to_owned).collect()
}

fn encoding() -> Vec<Function> {
    vec![
        Function::new(
            Url,
            &["urlEncode", "encodeUrl", "urlEncodeFormComponent"],
            "urlEncode(text)",
            "The text as a form sends it: `+` for a blank, `%` and hex for most other letters.",
            [row1::<Text, _>(form::encoded)],
        ),
        Function::new(
            Url,
            &["urlDecode", "decodeUrl"],
            "urlDecode(text)",
            "The text that a form sends so; null for what no form sends.",
            [row1::<Text, _>(form::decoded)],
        ),
        Function::new(
            Url,
            &["urlDecodeFormComponent"],
            "urlDecodeFormComponent(text)",
            "The same.",
            [row1::<Text, _>(form::decoded)],
        ),
    ]
}

fn cuts() -> Vec<Function> {
    vec![
        Function::new(
            Url,
            &["cutWWW"],
            "cutWWW(url)",
            "The URL without `www.` before the host.",
            [row1::<Text, _>(|url| {
                changed(url, |uri| uri.host = uri.host.map(|host| host.strip_prefix("www.").unwrap_or(host)))
            })],
        ),
        Function::new(
            Url,
            &["cutQueryString"],
            "cutQueryString(url)",
            "The URL without its query.",
            [row1::<Text, _>(|url| changed(url, |uri| uri.query = None))],
        ),
        Function::new(
            Url,
            &["cutFragment"],
            "cutFragment(url)",
            "The URL without its fragment.",
            [row1::<Text, _>(|url| changed(url, |uri| uri.fragment = None))],
        ),
        Function::new(
            Url,
            &["cutQueryStringAndFragment"],
            "cutQueryStringAndFragment(url)",
            "The URL without its query and its fragment.",
            [row1::<Text, _>(|url| {
                changed(url, |uri| {
                    uri.query = None;
                    uri.fragment = None;
                })
            })],
        ),
        Function::new(
            Url,
            &["cutURLParameter"],
            "cutURLParameter(url, name)",
            "The URL without a parameter.",
            [row2::<Text, Nullable<Text>, _>(|url, name| match name {
                Some(name) => without_parameter(url, name),
                None => url.to_owned(),
            })],
        ),
        Function::new(
            Url,
            &["cutURLParameters"],
            "cutURLParameters(url, names)",
            "The URL without some parameters.",
            [row2::<Text, Texts, _>(|url, names| {
                names.iter().fold(url.to_owned(), |url, name| without_parameter(&url, name))
            })],
        ),
    ]
}

/// Returns the URL with a part changed; a text that is no URL as it is.
fn changed(url: &str, change: impl Fn(&mut Uri<'_>)) -> String {
    let Some(mut uri) = Uri::parse(url) else { return url.to_owned() };
    change(&mut uri);
    uri.write().unwrap_or_else(|| url.to_owned())
}

fn without_parameter(url: &str, name: &str) -> String {
    let Some(mut uri) = Uri::parse(url) else { return url.to_owned() };
    let Some(query) = uri.query().filter(|query| !query.is_empty()) else { return url.to_owned() };
    let pairs = query.trim_end_matches('&').split('&');
    let mut kept = Vec::new();
    for pair in pairs {
        let Some(key) = form::decoded(pair.split('=').next().unwrap_or_default()) else {
            return url.to_owned();
        };
        if key != name {
            kept.push(pair);
        }
    }
    let kept = kept.join("&");
    uri.set_query((!kept.is_empty()).then_some(kept));
    uri.write().unwrap_or_else(|| url.to_owned())
}

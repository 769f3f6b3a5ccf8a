//! Why no broker of a list can be reached, in words of the network: librdkafka tells that all are down.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Brokers that are tried. Each may take the whole time.
const BROKERS_TRIED: usize = 3;
/// The port of an address that names none.
const KAFKA_PORT: u16 = 9092;

/// Returns why the first brokers of the list cannot be reached; none when one of them takes connections.
pub(super) fn why_unreachable(brokers: &str) -> Option<String> {
    let mut reasons = Vec::new();
    for address in brokers.split(',').map(str::trim).filter(|address| !address.is_empty()).take(BROKERS_TRIED)
    {
        let address = address.rsplit_once("://").map_or(address, |(_, address)| address);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (address, KAFKA_PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let reason = match (host, port).to_socket_addrs().map(Vec::from_iter) {
            Err(_) => format!("the name `{host}` cannot be resolved"),
            Ok(found) => {
                let connected = found.iter().map(|found| TcpStream::connect_timeout(found, CONNECT_TIMEOUT));
                match connected.reduce(Result::or) {
                    Some(Ok(_)) => return None,
                    Some(Err(error)) => format!("`{host}:{port}`: {}", plain(&error)),
                    None => format!("the name `{host}` has no address"),
                }
            }
        };
        reasons.push(reason);
    }
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let without_number = text.split_once(" (os error").map_or(text.as_str(), |(text, _)| text);
    without_number.to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn reasons_are_those_of_the_network() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(why_unreachable(&format!("PLAINTEXT://{address}")), None);
        assert_eq!(why_unreachable(&format!("no..host:1, {address}")), None);
        drop(listener);
        let refused = why_unreachable(&address.to_string());
        assert_eq!(refused, Some(format!("`{address}`: connection refused")));
        let unknown = why_unreachable("no..host");
        assert_eq!(unknown.as_deref(), Some("the name `no..host` cannot be resolved"));
    }
}

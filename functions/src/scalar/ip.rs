//! Functions of IP addresses and of networks, as `10.0.0.0/8`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::call::Fault;
use super::function::Function;
use super::kind::shortened;
use super::rows::{Bytes, Int, Long, Text, fault, row1, row2};
use crate::description::FunctionGroup::Ip;

/// Returns the functions of IP addresses.
pub(crate) fn functions() -> Vec<Function> {
    let mut functions = networks();
    functions.extend(addresses());
    functions
}

fn networks() -> Vec<Function> {
    vec![
        Function::new(
            Ip,
            &["isSubnetOf"],
            "isSubnetOf(network, address)",
            "Whether an address is in a network.",
            [row2::<Text, Text, _>(|network, address| {
                Ok::<_, Fault>(Network::parse(network)?.contains(parse_address(address)?))
            })],
        ),
        Function::new(
            Ip,
            &["ipPrefix"],
            "ipPrefix(address, length)",
            "The network of an address, by the length of its prefix.",
            [row2::<Text, Int, _>(|address, length| {
                let address = parse_address(address)?;
                let network = u32::try_from(length).ok().and_then(|length| Network::of(address, length));
                match network {
                    Some(network) => Ok(format!("{}/{}", text(network.first()), network.length)),
                    None => fault(format!("{length} is no length of a prefix of {}", text(address))),
                }
            })],
        ),
        Function::new(
            Ip,
            &["ipSubnetMin"],
            "ipSubnetMin(network)",
            "The first address of a network.",
            [row1::<Text, _>(|network| Ok::<_, Fault>(text(Network::parse(network)?.first())))],
        ),
        Function::new(
            Ip,
            &["ipSubnetMax"],
            "ipSubnetMax(network)",
            "The last address of a network.",
            [row1::<Text, _>(|network| Ok::<_, Fault>(text(Network::parse(network)?.last())))],
        ),
        Function::new(
            Ip,
            &["ipv4CIDRToRange"],
            "ipv4CIDRToRange(network)",
            "The first and the last address of a network of IPv4.",
            [row1::<Text, _>(|network| {
                let network = Network::parse(network)?;
                match network.first() {
                    first @ IpAddr::V4(_) => Ok(vec![text(first), text(network.last())]),
                    IpAddr::V6(_) => fault("the network is not of IPv4"),
                }
            })],
        ),
        Function::new(
            Ip,
            &["ipMaskLen"],
            "ipMaskLen(network)",
            "The length of the prefix.",
            [row1::<Text, _>(|network| Ok::<_, Fault>(Network::parse(network)?.length.cast_signed()))],
        ),
        Function::new(
            Ip,
            &["ipNetmask"],
            "ipNetmask(network)",
            "The mask of the prefix.",
            [row1::<Text, _>(|network| {
                let network = Network::parse(network)?;
                Ok::<_, Fault>(text(network.address_of(network.mask())))
            })],
        ),
        Function::new(
            Ip,
            &["ipHostmask"],
            "ipHostmask(network)",
            "The mask of what is not the prefix.",
            [row1::<Text, _>(|network| {
                let network = Network::parse(network)?;
                Ok::<_, Fault>(text(network.address_of(!network.mask())))
            })],
        ),
    ]
}

fn addresses() -> Vec<Function> {
    vec![
        Function::new(
            Ip,
            &["isIPv4String"],
            "isIPv4String(text)",
            "Whether the text is an address of IPv4.",
            [row1::<Text, _>(|text| text.parse::<Ipv4Addr>().is_ok())],
        ),
        Function::new(
            Ip,
            &["isIPv6String"],
            "isIPv6String(text)",
            "Whether the text is an address of IPv6.",
            [row1::<Text, _>(|text| text.parse::<Ipv6Addr>().is_ok())],
        ),
        Function::new(
            Ip,
            &["ipFamily"],
            "ipFamily(address)",
            "4 or 6, as the address is of IPv4 or IPv6.",
            [row1::<Text, _>(|text| {
                let address = text.split('/').next().unwrap_or_default();
                Ok::<_, Fault>(if parse_address(address)?.is_ipv4() { 4 } else { 6 })
            })],
        ),
        Function::new(
            Ip,
            &["ipv4ToLong"],
            "ipv4ToLong(address)",
            "The address of IPv4 as a number.",
            [row1::<Text, _>(|text| Ok::<_, Fault>(i64::from(u32::from(parse_v4(text)?))))],
        ),
        Function::new(
            Ip,
            &["longToIpv4"],
            "longToIpv4(number)",
            "The address of IPv4 of a number.",
            [row1::<Long, _>(|number| match u32::try_from(number) {
                Ok(bits) => Ok(Ipv4Addr::from(bits).to_string()),
                Err(_) => fault(format!("{number} is no address of IPv4")),
            })],
        ),
        Function::new(
            Ip,
            &["ipv6ToBytes"],
            "ipv6ToBytes(address)",
            "The 16 bytes of an address of IPv6.",
            [row1::<Text, _>(|text| match parse_address(text)? {
                IpAddr::V6(address) => Ok(address.octets().to_vec()),
                IpAddr::V4(_) => fault("the address is not of IPv6"),
            })],
        ),
        Function::new(
            Ip,
            &["bytesToIpv6"],
            "bytesToIpv6(bytes)",
            "The address of IPv6 of 16 bytes.",
            [row1::<Bytes, _>(|bytes| match <[u8; 16]>::try_from(bytes) {
                Ok(octets) => Ok(text(IpAddr::V6(octets.into()))),
                Err(_) => fault(format!("an address of IPv6 has 16 bytes, not {}", bytes.len())),
            })],
        ),
        Function::new(
            Ip,
            &["ipv4ToIpv6"],
            "ipv4ToIpv6(address)",
            "The address of IPv4 mapped into IPv6.",
            [row1::<Text, _>(|address| {
                Ok::<_, Fault>(text(IpAddr::V6(parse_v4(address)?.to_ipv6_mapped())))
            })],
        ),
        Function::new(
            Ip,
            &["isPrivateIp"],
            "isPrivateIp(address)",
            "Whether the address is of a private network, of the own link or of the own machine.",
            [row1::<Text, _>(|text| {
                Ok::<_, Fault>(match parse_address(text)? {
                    IpAddr::V4(address) => {
                        address.is_private() || address.is_loopback() || address.is_link_local()
                    }
                    IpAddr::V6(address) => {
                        address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local()
                    }
                })
            })],
        ),
    ]
}

fn parse_address(text: &str) -> Result<IpAddr, Fault> {
    text.trim().parse().map_err(|_| Fault::Arguments(format!("'{}' is no IP address", shortened(text))))
}

fn parse_v4(text: &str) -> Result<Ipv4Addr, Fault> {
    match parse_address(text)? {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => fault("the address is not of IPv4"),
    }
}

/// An address as it is written shortest, also where an address of IPv4 is in it.
fn text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => match (address.to_ipv4_mapped(), address.segments()) {
            (Some(_), [.., upper, lower]) => format!("::ffff:{upper:x}:{lower:x}"),
            (None, _) => address.to_string(),
        },
    }
}

/// A network: the addresses with one prefix.
struct Network {
    is_v4: bool,
    bits: u128,
    length: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Network, Fault> {
        let network = text.split_once('/').and_then(|(address, length)| {
            let length = length.bytes().all(|byte| byte.is_ascii_digit()).then_some(length)?;
            Network::of(address.trim().parse().ok()?, length.parse().ok()?)
        });
        network
            .ok_or_else(|| Fault::Arguments(format!("'{}' is no network as `10.0.0.0/8`", shortened(text))))
    }

    fn of(address: IpAddr, length: u32) -> Option<Network> {
        let (is_v4, bits, width) = match address {
            IpAddr::V4(address) => (true, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (false, u128::from(address), 128),
        };
        (length <= width).then_some(Network { is_v4, bits, length })
    }

    /// Returns the bits of the prefix.
    fn mask(&self) -> u128 {
        let width = if self.is_v4 { 32 } else { 128 };
        let all = if self.is_v4 { u128::from(u32::MAX) } else { u128::MAX };
        let host = width - self.length;
        all & u128::MAX.checked_shl(host).unwrap_or(0)
    }

    fn address_of(&self, bits: u128) -> IpAddr {
        match (self.is_v4, u32::try_from(bits & u128::from(u32::MAX))) {
            (true, Ok(bits)) => IpAddr::V4(bits.into()),
            _ => IpAddr::V6(bits.into()),
        }
    }

    fn first(&self) -> IpAddr {
        self.address_of(self.bits & self.mask())
    }

    fn last(&self) -> IpAddr {
        self.address_of(self.bits | !self.mask())
    }

    fn contains(&self, address: IpAddr) -> bool {
        let other = match address {
            IpAddr::V4(address) => (true, u128::from(u32::from(address))),
            IpAddr::V6(address) => (false, u128::from(address)),
        };
        self.is_v4 == other.0 && self.bits & self.mask() == other.1 & self.mask()
    }
}

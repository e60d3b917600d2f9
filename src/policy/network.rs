//! The condition `network`: local addresses against CIDR blocks.

use super::read::At;
use crate::error::Result;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses, like `10.20.0.0/16` or `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cidr {
    V4 { bits: u32, prefix: u32 },
    V6 { bits: u128, prefix: u32 },
}

fn mask4(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix).unwrap_or(0)
}

fn mask6(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl Cidr {
    fn parse(at: &At<'_>) -> Result<Cidr> {
        let text = at.str()?;
        let shape = || at.error("must be a network like 10.20.0.0/16 or 2001:db8::/32");
        let (address, digits) = text.split_once('/').ok_or_else(shape)?;
        let canonical = digits == "0" || !digits.starts_with('0');
        if !canonical || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(shape());
        }
        let prefix: u32 = digits.parse().map_err(|_| shape())?;
        let cidr = match address.parse::<IpAddr>().map_err(|_| shape())? {
            IpAddr::V4(a) if prefix <= 32 => Cidr::V4 { bits: a.to_bits(), prefix },
            IpAddr::V6(a) if a.to_ipv4_mapped().is_some() => {
                return Err(at.error("is an IPv4 network in IPv6 clothes; write it as IPv4"));
            }
            IpAddr::V6(a) if prefix <= 128 => Cidr::V6 { bits: a.to_bits(), prefix },
            _ => return Err(shape()),
        };
        let beyond = match cidr {
            Cidr::V4 { bits, prefix } => u128::from(bits & !mask4(prefix)),
            Cidr::V6 { bits, prefix } => bits & !mask6(prefix),
        };
        if beyond != 0 {
            return Err(at.error("has bits set beyond its prefix: is it one machine or a network?"));
        }
        Ok(cidr)
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Cidr::V4 { bits, prefix }, IpAddr::V4(a)) => a.to_bits() & mask4(prefix) == bits,
            (Cidr::V6 { bits, prefix }, IpAddr::V6(a)) => a.to_bits() & mask6(prefix) == bits,
            _ => false,
        }
    }

    /// Whether some address is in both.
    pub fn meets(self, other: Cidr) -> bool {
        self.contains(other.first()) || other.contains(self.first())
    }

    fn first(self) -> IpAddr {
        match self {
            Cidr::V4 { bits, .. } => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            Cidr::V6 { bits, .. } => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }

    /// Whether all of its addresses are such as are never counted.
    pub fn is_ignored(self) -> bool {
        let within = |block: Cidr| match (self, block) {
            (Cidr::V4 { prefix: own, .. }, Cidr::V4 { prefix, .. })
            | (Cidr::V6 { prefix: own, .. }, Cidr::V6 { prefix, .. }) => {
                own >= prefix && block.contains(self.first())
            }
            _ => false,
        };
        IGNORED.into_iter().any(within)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Cidr::V4 { prefix, .. } | Cidr::V6 { prefix, .. }) = self;
        write!(f, "{}/{prefix}", self.first())
    }
}

/// Loopback and link-local: every machine has them, so they say nothing about where it is.
const IGNORED: [Cidr; 4] = [
    Cidr::V4 { bits: 0x7f00_0000, prefix: 8 },
    Cidr::V4 { bits: 0xa9fe_0000, prefix: 16 },
    Cidr::V6 { bits: 1, prefix: 128 },
    Cidr::V6 { bits: 0xfe80 << 112, prefix: 10 },
];

/// The networks, and whether one address in them is enough.
#[derive(Clone, Debug)]
pub(super) struct Networks {
    pub blocks: Vec<Cidr>,
    /// False: every address must be inside, so that the machine has no second way out. True:
    /// one is enough, which is what a VPN over a home network looks like.
    pub any: bool,
}

impl Networks {
    pub fn parse(at: &At<'_>) -> Result<Networks> {
        let any = at.value.is_object();
        let list = if any { at.object(&["any"])?.need("any")? } else { at.clone() };
        Ok(Networks { blocks: list.distinct(256, Cidr::parse)?, any })
    }

    /// Whether these local addresses satisfy it. No address at all never does.
    pub fn hold(&self, addresses: &[IpAddr]) -> bool {
        let inside = |a: IpAddr| self.blocks.iter().any(|b| b.contains(a));
        let mut counted = addresses
            .iter()
            .map(IpAddr::to_canonical)
            .filter(|&a| !IGNORED.iter().any(|b| b.contains(a)))
            .peekable();
        if counted.peek().is_none() {
            return false;
        }
        if self.any { counted.any(inside) } else { counted.all(inside) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use serde_json::json;

    fn networks(v: serde_json::Value) -> Result<Networks> {
        Networks::parse(&At::root(&v, Code::BadPolicy))
    }

    fn hold(v: serde_json::Value, addresses: &[&str]) -> bool {
        let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        networks(v).unwrap().hold(&addresses)
    }

    #[test]
    fn every_address_or_any() {
        let (vpn, home) = ("10.20.3.4", "192.168.0.7");
        assert!(hold(json!(["10.20.0.0/16"]), &[vpn]));
        assert!(hold(
            json!(["10.20.0.0/16"]),
            &["127.0.0.1", "::1", "fe80::1", "169.254.1.1", vpn]
        ));
        assert!(!hold(json!(["10.20.0.0/16"]), &[vpn, home]));
        assert!(hold(json!({"any": ["10.20.0.0/16"]}), &[home, vpn]));
        assert!(!hold(json!({"any": ["10.20.0.0/16"]}), &[home]));
        assert!(!hold(json!(["0.0.0.0/0"]), &[]));
        assert!(!hold(json!(["127.0.0.0/8"]), &["127.0.0.1"]));
        assert!(hold(json!(["0.0.0.0/0"]), &["255.255.255.255"]));
        assert!(!hold(json!(["0.0.0.0/0"]), &["2001:db8::1"]));
        assert!(hold(json!(["::/0"]), &["2001:db8::1"]));
        for (one, next) in [("10.20.3.4", "10.20.3.5"), ("2001:db8::1", "2001:db8::2")] {
            let block = format!("{one}/{}", if one.contains(':') { 128 } else { 32 });
            assert!(hold(json!([block]), &[one]) && !hold(json!([block]), &[next]));
        }
        assert!(hold(json!(["10.20.0.0/16"]), &["::ffff:10.20.1.1"]));
    }

    #[test]
    fn strict_blocks() {
        for bad in [
            "10.20.0.0",
            "10.20.0.0/33",
            "10.20.0.1/16",
            "10.20.0.0/016",
            "010.20.0.0/16",
            "10.0.0.0/+8",
            "10.20.0.0/",
            "2001:db8::/129",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
            "fe80::%1/64",
            "example.com/8",
            "/8",
            "10.20.0.0/-1",
        ] {
            assert!(networks(json!([bad])).is_err(), "{bad}");
        }
        assert!(networks(json!([])).is_err());
        assert!(networks(json!(["10.0.0.0/8", "10.0.0.0/8"])).is_err());
        assert!(networks(json!({"all": ["10.0.0.0/8"]})).is_err());
    }
}

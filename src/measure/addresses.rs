//! The machine's network addresses.

use super::recent::Recent;
use std::net::IpAddr;
use std::time::Duration;

/// The last list, kept for a second.
pub(super) struct Addresses(Recent<(), Option<Vec<IpAddr>>>);

impl Default for Addresses {
    fn default() -> Self {
        Addresses(Recent::new(Duration::from_secs(1)))
    }
}

impl Addresses {
    pub(super) fn all(&self, now: Duration) -> Option<Vec<IpAddr>> {
        self.0.get_or((), now, list)
    }
}

/// Every address of every interface that is up, without zone ids. An address on an interface that
/// is down leads nowhere: it would make a policy's `any` hold that should not.
fn list() -> Option<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    Some(interfaces.iter().filter(|i| i.is_oper_up()).map(|i| i.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_for_less_than_a_second() {
        let addresses = Addresses::default();
        let at = Duration::from_secs(5);
        let made_up: IpAddr = "198.51.100.7".parse().unwrap();
        addresses.0.put((), Some(vec![made_up]), at);
        assert_eq!(addresses.all(at + Duration::from_millis(999)), Some(vec![made_up]));
        assert_eq!(addresses.all(at + Duration::from_secs(1)), list());
    }

    /// The kernel's own list of local IPv4 addresses, in another form.
    #[cfg(target_os = "linux")]
    #[test]
    fn no_ipv4_address_is_missing() {
        let Ok(trie) = std::fs::read_to_string("/proc/net/fib_trie") else { return };
        let found = list().unwrap();
        let mut down = if_addrs::get_if_addrs().unwrap();
        down.retain(|i| !i.is_oper_up());
        let mut last = "";
        for line in trie.lines() {
            if line.contains("|-- ") {
                last = line.trim_start_matches([' ', '|', '-']);
            } else if line.contains("/32 host LOCAL") {
                let address: IpAddr = last.parse().unwrap();
                let up = !down.iter().any(|i| i.ip() == address);
                assert!(!up || found.contains(&address), "{address} is missing in {found:?}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_ipv6_address_is_missing() {
        use std::fs::read_to_string;
        let Ok(table) = read_to_string("/proc/net/if_inet6") else { return };
        let found = list().unwrap();
        for line in table.lines() {
            let fields: Vec<_> = line.split_whitespace().collect();
            let address = IpAddr::V6(u128::from_str_radix(fields[0], 16).unwrap().into());
            let interface = format!("/sys/class/net/{}", fields[5]);
            let state = read_to_string(interface + "/operstate").unwrap_or_default();
            if state == "up\n" {
                assert!(found.contains(&address), "{address} is missing in {found:?}");
            }
        }
    }
}

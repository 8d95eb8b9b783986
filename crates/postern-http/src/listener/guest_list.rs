//! Who is connected: caps on open connections, in all and by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;

use crate::bounds::DownstreamBounds;
use crate::source;

/// Open connections of all cores.
#[derive(Debug)]
pub(crate) struct GuestList {
    total_max: usize,
    per_address_max: usize,
    proxies: Arc<[IpNet]>,
    open: Mutex<Open>,
}

/// How many connections a listener has, for whoever watches.
#[derive(Debug, Clone)]
pub struct Connections(pub(super) Arc<GuestList>);

impl Connections {
    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.open.lock().total
    }

    /// Connections that were dropped as they came, because too many were open, in all or of their
    /// address.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.open.lock().dropped
    }
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    dropped: u64,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one open connection; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    list: Arc<GuestList>,
    /// `None` for a listed proxy, behind which many clients stand.
    address: Option<IpAddr>,
}

impl GuestList {
    pub(super) fn new(bounds: &DownstreamBounds, proxies: Arc<[IpNet]>) -> Self {
        Self {
            total_max: bounds.connections_max,
            per_address_max: bounds.connections_per_address_max,
            proxies,
            open: Mutex::default(),
        }
    }

    /// Takes a place; `None` when a cap is reached.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let proxy = source::is_listed(address, &self.proxies);
        let address = (!proxy).then(|| household(address));
        let open = &mut *self.open.lock();
        if open.total >= self.total_max {
            open.dropped += 1;
            return None;
        }
        if let Some(address) = address {
            let count = open.by_address.entry(address).or_default();
            if *count >= self.per_address_max {
                open.dropped += 1;
                return None;
            }
            *count += 1;
        }
        open.total += 1;
        Some(Place {
            list: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.list.open.lock();
        open.total -= 1;
        let Some(address) = self.address else {
            return;
        };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// What counts as one address: an IPv6 client has a whole /64 to come from.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(total: usize, each: usize) -> Arc<GuestList> {
        let bounds = DownstreamBounds {
            connections_max: total,
            connections_per_address_max: each,
            ..DownstreamBounds::default()
        };
        let proxies = Arc::from(["10.0.0.0/8".parse::<IpNet>().unwrap()]);
        Arc::new(GuestList::new(&bounds, proxies))
    }

    #[test]
    fn caps_hold_and_places_come_back() {
        // Goal: neither cap is passed and a closed connection frees its place. Method: fill both.
        let list = list(4, 2);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let first = list.enter(one).unwrap();
        let _second = list.enter("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(
            list.enter(one).is_none(),
            "the mapped form is the same address"
        );
        drop(first);
        let _again = list.enter(one).unwrap();
        let _other = list.enter("2001:db8::1".parse().unwrap()).unwrap();
        let _neighbour = list.enter("2001:db8::2".parse().unwrap()).unwrap();
        assert!(
            list.enter("192.0.2.9".parse().unwrap()).is_none(),
            "four are open"
        );
        let connections = Connections(list);
        assert_eq!((connections.open(), connections.dropped()), (4, 2));
    }

    #[test]
    fn addresses_leave_no_trace_and_proxies_are_not_counted() {
        let list = list(100, 2);
        let proxy: IpAddr = "10.1.2.3".parse().unwrap();
        let places: Vec<_> = (0..50).map(|_| list.enter(proxy).unwrap()).collect();
        drop(places);
        let place = list.enter("2001:db8:0:1::7".parse().unwrap());
        drop(place);
        let open = list.open.lock();
        assert_eq!((open.total, open.by_address.len()), (0, 0));
    }
}

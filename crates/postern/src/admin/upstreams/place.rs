//! Where an upstream may be: what is not sent in clear text, and what is kept from administrators
//! of one environment.

use std::net::IpAddr;

use postern_http::is_own_machine;
use postern_types::RefusalCode;

use super::super::desk::Desk;
use super::super::problem::Refused;

/// Refuses to send credentials and prompts over a network in clear text.
pub(super) fn check_url(desk: &Desk, url: &str) -> Result<(), Refused> {
    let uri = read(url)?;
    if uri.scheme_str() != Some("http") || desk.state().plain_http_upstreams {
        return Ok(());
    }
    let host = host(&uri);
    let loopback = |host: &str| host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if host == "localhost" || loopback(host) {
        return Ok(());
    }
    Err(Refused::bad(format!(
        "{host} is not on loopback, and http:// would send the credential in clear text: use \
         https://, or set trust.plain_http_upstreams where the network encrypts by itself"
    )))
}

fn read(url: &str) -> Result<http::Uri, Refused> {
    url.parse()
        .map_err(|_| Refused::bad("the address is not a URL"))
}

fn host(uri: &http::Uri) -> &str {
    let host = uri.host().unwrap_or("");
    host.trim_start_matches('[').trim_end_matches(']')
}

/// What `own_machine` is to be for what this caller makes or changes; `None` leaves it as it is.
///
/// SECURITY: this, and not the spelling of an address, keeps a scoped administrator from the
/// services of the gateway's own machine: the data plane looks at it each time it connects, when it
/// is known what a name means.
pub(super) fn own_machine(desk: &Desk, asked: Option<bool>) -> Result<Option<bool>, Refused> {
    match (desk.scope(), asked) {
        (None, asked) => Ok(asked),
        (Some(_), None | Some(false)) => Ok(Some(false)),
        (Some(_), Some(true)) => Err(Refused::new(
            RefusalCode::Denied,
            "own_machine is set to true by administrators of the whole installation: leave it out, \
             or say false",
        )),
    }
}

/// Keeps a scoped administrator from the services of the gateway's own machine: its admin API,
/// backends of other environments that rely on being reachable from there alone, and the metadata
/// service of a cloud, which gives its credentials to whoever asks from the machine.
///
/// A name is not resolved here, because it may mean something else later: the data plane judges
/// what it means then, as [`own_machine`] has it. What is plain already is told at once.
pub(super) fn check_place(desk: &Desk, url: &str) -> Result<(), Refused> {
    if desk.scope().is_none() {
        return Ok(());
    }
    if is_of_the_machine(host(&read(url)?)) {
        return Err(Refused::new(
            RefusalCode::Denied,
            "addresses of the gateway's own machine and link (loopback, link-local), and of the \
             metadata services of clouds, are for administrators of the whole installation",
        ));
    }
    Ok(())
}

/// The names that resolvers of clouds give the service that tells a machine about itself.
const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Whether a host is, by its spelling, on the gateway's own machine or link, or tells a machine
/// about itself.
fn is_of_the_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.split('%').next().unwrap_or_default();
    if let Ok(address) = address.parse::<IpAddr>() {
        return is_own_machine(address);
    }
    // Resolvers read `127.1`, `2130706433` and `0x7f.1` as addresses too: nobody means well by
    // them.
    let last = name.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let named = METADATA_NAMES.contains(&name.as_str());
    number || named || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_are_told_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "fe80::1%eth0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "fd00:ec2::254",
            "fd00:0ec2:0::0254",
            "fd20:ce::254",
            "metadata",
            "Metadata.Google.Internal.",
            "metadata.goog",
            "instance-data.ec2.internal",
            "",
        ] {
            assert!(is_of_the_machine(host), "{host:?}");
        }
        for host in [
            "api.openai.com",
            "10.0.0.1",
            "192.168.1.1",
            "2001:db8::1",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "fd00::1",
            "100.100.100.201",
            "192.0.0.193",
            "fd00:ec3::254",
            "metadata.example.com",
        ] {
            assert!(!is_of_the_machine(host), "{host:?}");
        }
    }
}

//! Documents with many things of a kind: the work grows with their number, not with its square. With the square, each of them
//! would take minutes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use virt_model::{Document, NetworkDef};

const MANY: usize = 20_000;

fn many(thing: impl Fn(usize) -> String) -> String {
    (0..MANY).map(thing).collect()
}

/// The last two numbers of an address.
fn low(at: usize) -> String {
    format!("{}.{}", at >> 8 & 255, at & 255)
}

#[test]
fn many_things_take_linear_time() {
    let networks = [
        (
            "port groups",
            many(|at| format!("<portgroup name='p{at}'/>")),
        ),
        (
            "devices",
            format!(
                "<forward mode='bridge'>{}</forward>",
                many(|at| format!("<interface dev='vmnic{at}'/>"))
            ),
        ),
        (
            "hosts",
            format!(
                "<ip address='192.168.0.1' netmask='255.255.0.0'><dhcp>{}</dhcp></ip>",
                many(|at| format!("<host name='h{at}' ip='192.168.{}'/>", low(at)))
            ),
        ),
        (
            "routes",
            many(|at| format!("<ip address='10.{}.1' prefix='24'/>", low(at)))
                + &many(|at| {
                    format!(
                        "<route address='11.0.0.0' prefix='24' gateway='10.{}.2'/>",
                        low(MANY - 1 - at)
                    )
                }),
        ),
        (
            "names",
            format!(
                "<dns>{}</dns>",
                many(|at| format!(
                    "<host ip='192.168.{}'><hostname>a{at}</hostname></host>",
                    low(at)
                ))
            ),
        ),
    ];
    for (what, text) in networks {
        let begun = Instant::now();
        let read = NetworkDef::read_xml(&format!("<network><name>n</name>{text}</network>"));
        let took = begun.elapsed();
        assert!(
            took < Duration::from_secs(60),
            "{MANY} {what} took {took:?}"
        );
        assert!(read.is_ok(), "{what}: {:?}", read.err());
    }
}

#[test]
fn routes_lead_to_one_of_the_networks() {
    for (ips, gateway, expected) in [
        ("<ip address='10.1.0.1' prefix='16'/>", "10.1.200.1", true),
        ("<ip address='10.1.0.1' prefix='16'/>", "10.2.0.1", false),
        (
            "<ip address='192.168.1.1' netmask='255.255.255.0'/>",
            "192.168.1.9",
            true,
        ),
        (
            "<ip address='192.168.1.1'/><ip address='10.0.0.1'/>",
            "10.200.0.9",
            true,
        ),
        (
            "<ip address='2001:db8::1' family='ipv6' prefix='64'/>",
            "10.0.0.1",
            false,
        ),
        (
            "<ip address='2001:db8::1' family='ipv6' prefix='64'/><ip address='10.0.0.1' prefix='30'/>",
            "10.0.0.2",
            true,
        ),
        ("", "10.0.0.1", false),
    ] {
        let text = format!(
            "<network><name>n</name>{ips}<route address='172.16.0.0' prefix='16' gateway='{gateway}'/></network>"
        );
        assert_eq!(
            NetworkDef::from_xml(&text).is_ok(),
            expected,
            "{ips} {gateway}"
        );
    }
}

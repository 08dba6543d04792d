//! Network cards in a domain's document, as virsh finds and changes them.

use xmltree::{Element, XMLNode};

use crate::failure::Failure;
use crate::markup::{self, attribute_of};

/// The only card of that type, or the one with that MAC address among them.
///
/// # Errors
/// virsh's text if there is none, or more than one.
pub(super) fn find(document: Element, kind: &str, mac: Option<&str>) -> Result<Element, Failure> {
    let cards = markup::devices(document, "interface").into_iter();
    let of_kind = |card: &Element| {
        card.attributes
            .get("type")
            .is_some_and(|found| found == kind)
    };
    let mut cards: Vec<_> = cards.filter(of_kind).collect();
    if cards.is_empty() {
        return Err(Failure::new(format!(
            "No interface found whose type is {kind}"
        )));
    }
    let Some(mac) = mac else {
        return match cards.len() {
            1 => Ok(cards.remove(0)),
            count => Err(Failure::new(format!(
                "Domain has {count} interfaces. Please specify which one to detach using --mac"
            ))),
        };
    };
    cards.retain(|card| {
        attribute_of(card, "mac", "address").is_some_and(|found| is_same(found, mac))
    });
    match cards.len() {
        0 => Err(Failure::new(format!(
            "No interface with MAC address {mac} was found"
        ))),
        1 => Ok(cards.remove(0)),
        _ => Err(Failure::new(format!(
            "Domain has multiple interfaces matching MAC address {mac}. You must use detach-device and \
             specify the device pci address to remove it."
        ))),
    }
}

/// The first card with that MAC address or that name on the host.
///
/// # Errors
/// virsh's text if there is none.
pub(super) fn find_named(document: Element, name: &str) -> Result<Element, Failure> {
    let mut cards = markup::devices(document, "interface").into_iter();
    let found = cards.find(|card| {
        let names = [
            attribute_of(card, "mac", "address"),
            attribute_of(card, "target", "dev"),
        ];
        let mut names = names.into_iter().flatten();
        names.any(|found| found.eq_ignore_ascii_case(name))
    });
    found.ok_or_else(|| Failure::new(format!("interface '{name}' not found")))
}

/// Sets the state of a card's cable.
pub(super) fn set_link(card: &mut Element, state: &str) {
    let state = state.to_owned();
    match card.get_mut_child("link") {
        Some(link) => {
            link.attributes.insert("state".to_owned(), state);
        }
        None => {
            let mut link = Element::new("link");
            link.attributes.insert("state".to_owned(), state);
            card.children.push(XMLNode::Element(link));
        }
    }
}

/// Whether two texts are the same MAC address: zeros in front of a digit count for nothing (`virMacAddrCompare`).
fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let chars: Vec<char> = text.to_ascii_lowercase().chars().collect();
        let is_digit = |c: Option<&char>| c.is_some_and(char::is_ascii_hexdigit);
        let counts =
            |(at, c): (usize, &char)| (*c != '0' || !is_digit(chars.get(at + 1))).then_some(*c);
        chars
            .iter()
            .enumerate()
            .filter_map(counts)
            .collect::<String>()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::{find, find_named, is_same, set_link};
    use crate::markup::{self, attribute_of, read};

    const DOMAIN: &str = "<domain>\n  <devices>
    <interface type='network'>
      <mac address='52:54:00:00:00:01'/>
      <link state='up'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:02'/>
      <target dev='tap0'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:03'/>
      <target dev='tap1'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:03'/>
      <target dev='tap0'/>
    </interface>
  </devices>\n</domain>\n";

    /// Compares the card's MAC address, or virsh's text.
    #[track_caller]
    fn check(kind: &str, mac: Option<&str>, expected: &str) {
        let found = find(read(DOMAIN).unwrap(), kind, mac);
        let found = match &found {
            Ok(card) => attribute_of(card, "mac", "address").unwrap().to_owned(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_only_card_or_the_one_with_the_address_is_found() {
        check("network", None, "52:54:00:00:00:01");
        check("network", Some("52:54:0:0:0:1"), "52:54:00:00:00:01");
        check(
            "user",
            None,
            "error: No interface found whose type is user\n",
        );
        check(
            "bridge",
            None,
            "error: Domain has 3 interfaces. Please specify which one to detach using --mac\n",
        );
        check("bridge", Some("52:54:00:00:00:02"), "52:54:00:00:00:02");
        check(
            "bridge",
            Some("52:54:00:00:00:01"),
            "error: No interface with MAC address 52:54:00:00:00:01 was found\n",
        );
        check(
            "bridge",
            Some("52:54:00:00:00:03"),
            "error: Domain has multiple interfaces matching MAC address 52:54:00:00:00:03. You must use \
             detach-device and specify the device pci address to remove it.\n",
        );
    }

    #[test]
    fn a_link_is_changed_or_added() {
        let card = |name| find_named(read(DOMAIN).unwrap(), name);
        let changed = |name| {
            let mut card = card(name).unwrap();
            set_link(&mut card, "down");
            markup::text(&card)
        };
        assert_eq!(
            changed("52:54:00:00:00:01"),
            "<interface type=\"network\">\n      <mac address=\"52:54:00:00:00:01\"/>\n      \
             <link state=\"down\"/>\n    </interface>"
        );
        assert_eq!(
            changed("TAP0"),
            "<interface type=\"bridge\">\n      <mac address=\"52:54:00:00:00:02\"/>\n      \
             <target dev=\"tap0\"/>\n    <link state=\"down\"/></interface>"
        );
        assert_eq!(
            card("52:54:0:0:0:1").unwrap_err().to_string(),
            "error: interface '52:54:0:0:0:1' not found\n"
        );
    }

    #[test]
    fn addresses_are_compared_as_numbers() {
        assert!(is_same("AA:0b:00:10", "aa:B:0:10"));
        assert!(!is_same("aa:0b", "aa:b0"));
        assert!(!is_same("52:54:00", "525400"));
    }
}

//! Which device a document means: what it says must be true of the one device that is changed.
//!
//! Here a device is the parts that a document can name, each as text, and a document is some of them. What they are for a
//! device of the host is worked out from `config.hardware.device` alone.

use std::collections::{BTreeMap, BTreeSet};

use esx_driver::{DefineFlags, DeviceModifyFlags, Domain, Error, virt_model::DomainXmlFlags};
use esx_sim::Simulator;
use proptest::prelude::*;
use proptest::sample::Index;
use vi_types::Poly;
use vi_types::objects::{
    VirtualCdrom, VirtualController, VirtualDevice, VirtualDeviceDeviceBackingInfo,
    VirtualDeviceFileBackingInfo, VirtualDevicePciBusSlotInfo, VirtualDisk, VirtualEthernetCard,
    VirtualIdeController, VirtualSataController, VirtualScsiController, VirtualSerialPort,
};
use vi_types::properties::VirtualMachine;

use crate::host;

const NONE: DeviceModifyFlags = DeviceModifyFlags::NONE;
const NETWORKS: [&str; 2] = ["VM Network", "DMZ"];
const MODELS: [&str; 3] = ["vmxnet3", "e1000", "e1000e"];

/// The parts of a device or document by their names.
type Parts = BTreeMap<&'static str, String>;
type Devices = BTreeMap<i32, Poly<VirtualDevice>>;

/// A disk, or a drive with or without a medium.
#[derive(Debug, Clone)]
struct NewDisk {
    bus: &'static str,
    controller: u32,
    unit: u32,
    is_drive: bool,
    is_empty: bool,
}

/// What a domain has.
#[derive(Debug, Clone)]
struct Machine {
    disks: Vec<NewDisk>,
    /// The networks and models of its cards.
    cards: Vec<(usize, usize)>,
    /// Whether its last card has the address of its first.
    has_twins: bool,
    /// Whether its cards have addresses.
    has_addresses: bool,
    /// The files of its serial ports.
    ports: Vec<usize>,
}

/// A change of a document.
#[derive(Debug, Clone)]
enum Alteration {
    Omit(Index),
    /// The part is that of another device.
    Borrow(Index, Index),
    /// The part is that of no device.
    Invent(Index),
}

#[derive(Debug, Clone)]
enum Request {
    /// Detaches by the document of the host.
    DetachAsIs(Index),
    Detach(Index, Vec<Alteration>),
    Update(Index, Vec<Alteration>),
}

fn new_disk() -> impl Strategy<Value = NewDisk> {
    let place = prop_oneof![
        (0..2_u32, 1..6_u32).prop_map(|(controller, unit)| ("scsi", controller, unit)),
        (0..2_u32, 8..10_u32).prop_map(|(controller, unit)| ("scsi", controller, unit)),
        (0..2_u32, 1..9_u32).prop_map(|(controller, unit)| ("sata", controller, unit)),
        (0..2_u32, 0..2_u32).prop_map(|(controller, unit)| ("ide", controller, unit)),
    ];
    (place, any::<bool>(), any::<bool>()).prop_map(|((bus, controller, unit), drive, is_empty)| {
        let is_drive = drive && bus != "scsi";
        NewDisk {
            bus,
            controller,
            unit,
            is_drive,
            is_empty: is_drive && is_empty,
        }
    })
}

fn machine() -> impl Strategy<Value = Machine> {
    (
        proptest::collection::vec(new_disk(), 1..7),
        proptest::collection::vec((0..NETWORKS.len(), 0..MODELS.len()), 0..4),
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(0..2_usize, 0..4),
    )
        .prop_map(|(mut disks, cards, twins, has_addresses, ports)| {
            let mut places = BTreeSet::new();
            disks.retain(|disk| places.insert((disk.bus, disk.controller, disk.unit)));
            Machine {
                disks,
                has_twins: twins && has_addresses && cards.len() > 1,
                has_addresses,
                cards,
                ports,
            }
        })
}

fn request() -> impl Strategy<Value = Request> {
    let alteration = prop_oneof![
        3 => any::<Index>().prop_map(Alteration::Omit),
        3 => any::<(Index, Index)>().prop_map(|(part, from)| Alteration::Borrow(part, from)),
        1 => any::<Index>().prop_map(Alteration::Invent),
    ];
    let alterations = || proptest::collection::vec(alteration.clone(), 0..4);
    prop_oneof![
        any::<Index>().prop_map(Request::DetachAsIs),
        (any::<Index>(), alterations()).prop_map(|(at, changes)| Request::Detach(at, changes)),
        (any::<Index>(), alterations()).prop_map(|(at, changes)| Request::Update(at, changes)),
    ]
}

fn name_of_disk(prefix: &str, mut index: u32) -> String {
    let mut letters = String::new();
    loop {
        let letter = u8::try_from(index % 26).unwrap();
        letters.insert(0, char::from(b'a' + letter));
        match index / 26 {
            0 => return format!("{prefix}{letters}"),
            more => index = more - 1,
        }
    }
}

/// The parts that tell where a disk is.
fn place(bus: &str, controller: u32, unit: u32) -> [(&'static str, String); 4] {
    let alias = format!("{bus}{controller}:{unit}");
    let (dev, number, channel, unit) = match bus {
        "ide" => {
            let index = controller * 2 + unit;
            (name_of_disk("hd", index), 0, controller, unit)
        }
        "sata" => {
            // libvirt's SATA controllers have 6 disks, VMware's have 30.
            let index = controller * 30 + unit;
            (name_of_disk("sd", index), index / 6, 0, index % 6)
        }
        _ => {
            // The controller itself is the unit 7.
            let index = controller * 64 + unit - u32::from(unit > 7);
            (name_of_disk("sd", index), controller, 0, unit)
        }
    };
    [
        ("dev", dev),
        ("bus", bus.to_owned()),
        (
            "address",
            format!(
                "<address type='drive' controller='{number}' bus='{channel}' target='0' unit='{unit}'/>"
            ),
        ),
        ("alias", alias),
    ]
}

/// The XML of a document.
fn xml(parts: &Parts) -> String {
    let part = |name: &str, before: &str, after: &str| match parts.get(name) {
        Some(value) => format!("{before}{value}{after}"),
        None => String::new(),
    };
    let info = part("address", "", "") + &part("alias", "<alias name='", "'/>");
    match parts["element"].as_str() {
        "disk" => format!(
            "<disk type='file'{}>{}<target{}{}/>{info}</disk>",
            part("device", " device='", "'"),
            part("source", "<source file='", "'/>"),
            part("dev", " dev='", "'"),
            part("bus", " bus='", "'"),
        ),
        "interface" => format!(
            "<interface{}>{}{}{}{info}</interface>",
            // A bridge must have a name.
            match parts.contains_key("source") {
                true => " type='bridge'",
                false => "",
            },
            part("mac", "<mac address='", "'/>"),
            part("source", "<source bridge='", "'/>"),
            part("model", "<model type='", "'/>"),
        ),
        _ => format!(
            "<serial type='file'>{}{}{info}</serial>",
            part("source", "<source path='", "'/>"),
            part("port", "<target port='", "'/>"),
        ),
    }
}

/// The parts of a device; `None` for one that the test does not ask for.
fn parts(device: &Poly<VirtualDevice>, all: &Devices) -> Option<Parts> {
    let mut parts = Parts::new();
    let backing = device.backing.as_ref();
    let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
    let number = |number: i32| u32::try_from(number).unwrap();
    if let Some(file) = file.filter(|file| file.file_name != "[]") {
        parts.insert("source", file.file_name.clone());
    }
    if device.is::<VirtualDisk>() || device.is::<VirtualCdrom>() {
        parts.insert("element", "disk".to_owned());
        let kind = if device.is::<VirtualDisk>() {
            "disk"
        } else {
            "cdrom"
        };
        parts.insert("device", kind.to_owned());
        let controller = &all[&device.controller_key?];
        let bus = if controller.is::<VirtualScsiController>() {
            "scsi"
        } else if controller.is::<VirtualSataController>() {
            "sata"
        } else if controller.is::<VirtualIdeController>() {
            "ide"
        } else {
            return None;
        };
        let index = controller.cast::<VirtualController>()?.bus_number;
        parts.extend(place(bus, number(index), number(device.unit_number?)));
    } else if let Some(card) = device.cast::<VirtualEthernetCard>() {
        parts.insert("element", "interface".to_owned());
        parts.insert("mac", card.mac_address.clone()?);
        parts.insert("alias", format!("ethernet{}", device.key - 4000));
        let model = device.type_name().trim_start_matches("Virtual");
        parts.insert("model", model.to_lowercase());
        let network = backing?.cast::<VirtualDeviceDeviceBackingInfo>()?;
        parts.insert("source", network.device_name.clone());
        let slot = device.slot_info.as_ref();
        if let Some(slot) = slot.and_then(|slot| slot.cast::<VirtualDevicePciBusSlotInfo>()) {
            // The test only uses slots 32 to 63, which are those of bus 1.
            let slot = slot.pci_slot_number - 32;
            let address =
                format!("<address type='pci' domain='0' bus='1' slot='{slot}' function='0'/>");
            parts.insert("address", address);
        }
    } else if device.is::<VirtualSerialPort>() {
        parts.insert("element", "serial".to_owned());
        let port = device.key - 9000;
        parts.insert("port", port.to_string());
        parts.insert("alias", format!("serial{port}"));
    } else {
        return None;
    }
    Some(parts)
}

/// What libvirt takes a document to say besides: a disk is a disk, and its name tells its bus.
fn completed(document: &Parts) -> Parts {
    let mut document = document.clone();
    if document["element"] == "disk" {
        document.entry("device").or_insert("disk".to_owned());
        let is_ide = document.get("dev").is_some_and(|dev| dev.starts_with("hd"));
        let bus = if is_ide { "ide" } else { "scsi" };
        document.entry("bus").or_insert(bus.to_owned());
    }
    document
}

fn agrees(device: &Parts, document: &Parts, without: &[&str]) -> bool {
    let mut named = document.iter().filter(|(name, _)| !without.contains(name));
    named.all(|(name, value)| device.get(name) == Some(value))
}

/// The keys of the devices that agree with each part of the document but those.
fn meant(all: &Devices, document: &Parts, without: &[&str]) -> Vec<i32> {
    let document = completed(document);
    let devices = all.iter().filter(|(_, device)| {
        parts(device, all).is_some_and(|parts| agrees(&parts, &document, without))
    });
    devices.map(|(key, _)| *key).collect()
}

fn altered(document: &Parts, alterations: &[Alteration], others: &[Parts]) -> Parts {
    let mut document = document.clone();
    for alteration in alterations {
        let named: Vec<&str> = document.keys().copied().collect();
        let named: Vec<&&str> = named.iter().filter(|name| **name != "element").collect();
        let (Alteration::Omit(at) | Alteration::Borrow(at, _) | Alteration::Invent(at)) =
            alteration;
        if named.is_empty() {
            continue;
        }
        let name = **at.get(&named);
        match alteration {
            Alteration::Omit(_) => drop(document.remove(name)),
            Alteration::Borrow(_, from) => {
                let values: Vec<&String> = others.iter().filter_map(|one| one.get(name)).collect();
                document.insert(name, (*from.get(&values)).clone());
            }
            Alteration::Invent(_) => {
                let value = match name {
                    "dev" => "sdz",
                    "bus" => "sata",
                    "address" => {
                        "<address type='drive' controller='0' bus='0' target='0' unit='12'/>"
                    }
                    "mac" => "00:50:56:11:11:11",
                    "port" => "3",
                    "model" => "vmxnet2",
                    "device" => "cdrom",
                    "alias" => "serial9",
                    _ if document["element"] == "interface" => "Internal",
                    _ => "[ssd] spare/invented",
                };
                document.insert(name, value.to_owned());
            }
        }
    }
    document
}

fn devices(simulator: &Simulator) -> Devices {
    let vm = simulator.vm("build%2fci").unwrap();
    let vm = simulator.properties::<VirtualMachine>(&vm).unwrap();
    let devices = vm.config.unwrap().hardware.device.into_iter();
    devices
        .map(|mut device| {
            // The description follows from the device, and what hangs on a controller from all devices.
            device.device_info = None;
            if let Some(controller) = device.cast_mut::<VirtualController>() {
                controller.device.clear();
            }
            (device.key, device)
        })
        .collect()
}

async fn prepared(machine: &Machine) -> (Simulator, Domain) {
    let (simulator, connect) = host().await;
    let mut elements = String::new();
    for (at, disk) in machine.disks.iter().enumerate() {
        let mut document = Parts::from([("element", "disk".to_owned())]);
        document.extend(place(disk.bus, disk.controller, disk.unit));
        document.remove("alias");
        let source = match disk.is_drive {
            true => format!("[ssd] iso/{}.iso", at % 2),
            false => format!("[ssd] spare/{at}.vmdk"),
        };
        match disk.is_drive {
            true => assert!(simulator.write_file(&source, "an image")),
            false => assert!(simulator.make_disk(&source, 1 << 20, "lsiLogic")),
        }
        if disk.is_drive {
            document.insert("device", "cdrom".to_owned());
        }
        if !disk.is_empty {
            document.insert("source", source);
        }
        elements += &xml(&document);
    }
    for (at, (network, model)) in machine.cards.iter().enumerate() {
        elements += &xml(&Parts::from([
            ("element", "interface".to_owned()),
            ("mac", format!("00:50:56:00:00:0{at}")),
            ("source", NETWORKS[*network].to_owned()),
            ("model", MODELS[*model].to_owned()),
        ]));
    }
    for (at, file) in machine.ports.iter().enumerate() {
        elements += &xml(&Parts::from([
            ("element", "serial".to_owned()),
            ("source", format!("[ssd] spare/{file}.log")),
            ("port", at.to_string()),
        ]));
    }
    let domain = connect.lookup_by_name("build/ci").await.unwrap();
    let document = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
    let document = document.replace("<devices>", &format!("<devices>{elements}"));
    let defining = connect.define_xml(&document, DefineFlags::NONE);
    let defined = defining.await;
    assert!(defined.is_ok(), "{document}: {:?}", defined.err());
    let vm = simulator.vm("build%2fci").unwrap();
    simulator.change(&vm, |vm: &mut VirtualMachine| {
        let devices = &mut vm.config.as_mut().unwrap().hardware.device;
        let cards = devices
            .iter_mut()
            .filter(|device| device.is::<VirtualEthernetCard>());
        let mut cards: Vec<_> = cards.collect();
        for (slot, card) in (32..).zip(&mut cards) {
            let slot = VirtualDevicePciBusSlotInfo {
                pci_slot_number: slot,
                ..VirtualDevicePciBusSlotInfo::default()
            };
            card.slot_info = machine.has_addresses.then(|| slot.into());
        }
        if let [first, .., last] = cards.as_mut_slice()
            && machine.has_twins
        {
            let mac = first.cast::<VirtualEthernetCard>().unwrap();
            let mac = mac.mac_address.clone();
            last.cast_mut::<VirtualEthernetCard>().unwrap().mac_address = mac;
        }
    });
    (simulator, domain)
}

/// The host's document of a device, which has no alias.
async fn as_is(domain: &Domain, device: &Parts) -> Option<String> {
    let document = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
    let element = &device["element"];
    let sign = match element.as_str() {
        "disk" => format!("<target dev='{}' bus='{}'/>", device["dev"], device["bus"]),
        "interface" => format!("<mac address='{}'", device["mac"]),
        _ => format!("<target port='{}'/>", device["port"]),
    };
    let end = format!("</{element}>");
    let mut elements = document.split_inclusive(&end).filter_map(|text| {
        let start = text.rfind(&format!("<{element} "))?;
        Some(text[start..].to_owned())
    });
    elements.find(|text| text.contains(&sign))
}

/// The devices that only one has, or that differ.
fn differences<'a>(
    one: &'a Devices,
    other: &'a Devices,
) -> Vec<[Option<&'a Poly<VirtualDevice>>; 2]> {
    let keys: BTreeSet<&i32> = one.keys().chain(other.keys()).collect();
    let pairs = keys.into_iter().map(|key| [one.get(key), other.get(key)]);
    pairs.filter(|[one, other]| one != other).collect()
}

fn check_detached(
    result: &Result<(), Error>,
    before: &Devices,
    mut after: Devices,
    meant: &[i32],
    document: &str,
) -> Result<(), TestCaseError> {
    if result.is_ok() {
        prop_assert_eq!(meant.len(), 1, "{} was detached", document);
        let key = meant[0];
        prop_assert!(!after.contains_key(&key), "{} stayed", document);
        after.insert(key, before[&key].clone());
    }
    let found = differences(before, &after);
    prop_assert!(found.is_empty(), "{}: {:?}: {:?}", document, result, found);
    Ok(())
}

fn check_updated(
    result: &Result<(), Error>,
    before: &Devices,
    after: &Devices,
    document: &Parts,
) -> Result<(), TestCaseError> {
    let text = xml(document);
    if result.is_err() {
        let found = differences(before, after);
        prop_assert!(found.is_empty(), "{}: {:?}: {:?}", text, result, found);
        return Ok(());
    }
    // The network, the end of a port and the medium of a drive are what is changed; a disk is one file, and a port without
    // a number is known by its end.
    let is_fixed = match document["element"].as_str() {
        "disk" => completed(document)["device"] == "disk",
        "serial" => !document.contains_key("port"),
        _ => false,
    };
    let without: &[&str] = if is_fixed { &[] } else { &["source"] };
    let meant = meant(before, document, without);
    prop_assert_eq!(meant.len(), 1, "{} was updated", text);
    let key = meant[0];
    let is_done = parts(&after[&key], after).is_some_and(|parts| agrees(&parts, document, &[]));
    prop_assert!(is_done, "{} was not updated", text);
    let mut undone = after.clone();
    let device = undone.get_mut(&key).unwrap();
    device.backing = before[&key].backing.clone();
    if device.is::<VirtualCdrom>() {
        device.connectable = before[&key].connectable.clone();
    }
    let found = differences(before, &undone);
    prop_assert!(found.is_empty(), "{}: {:?}", text, found);
    Ok(())
}

async fn check(machine: &Machine, requests: &[Request]) -> Result<(), TestCaseError> {
    let (simulator, domain) = prepared(machine).await;
    for request in requests {
        let before = devices(&simulator);
        let known = before.values().filter_map(|device| parts(device, &before));
        let known: Vec<Parts> = known.collect();
        if known.is_empty() {
            break;
        }
        match request {
            Request::DetachAsIs(at) => {
                let device = at.get(&known);
                // The client's drive is in no document.
                let Some(document) = as_is(&domain, device).await else {
                    continue;
                };
                let is_twin = device.get("mac").is_some_and(|mac| {
                    let has_it = |one: &&Parts| one.get("mac") == Some(mac);
                    known.iter().filter(has_it).count() > 1
                });
                let result = domain.detach_device(&document, NONE).await;
                if !is_twin {
                    prop_assert!(result.is_ok(), "{}: {:?}", document, result);
                }
                let meant = meant(&before, device, &[]);
                check_detached(&result, &before, devices(&simulator), &meant, &document)?;
            }
            Request::Detach(at, alterations) => {
                let document = altered(at.get(&known), alterations, &known);
                let text = xml(&document);
                let result = domain.detach_device(&text, NONE).await;
                let is_whole = document == *at.get(&known);
                prop_assert!(!is_whole || result.is_ok(), "{}: {:?}", text, result);
                let meant = meant(&before, &document, &[]);
                let after = devices(&simulator);
                check_detached(&result, &before, after, &meant, &text)?;
            }
            Request::Update(at, alterations) => {
                let document = altered(at.get(&known), alterations, &known);
                let text = xml(&document);
                let result = domain.update_device(&text, NONE).await;
                let is_whole = document == *at.get(&known);
                prop_assert!(!is_whole || result.is_ok(), "{}: {:?}", text, result);
                check_updated(&result, &before, &devices(&simulator), &document)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn only_the_device_that_agrees_with_every_part_of_a_document_is_changed(
        machine in machine(),
        requests in proptest::collection::vec(request(), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(&machine, &requests))?;
    }
}

//! What a machine's firmware says of the machine: libvirt's `<sysinfo>` document.

use xmltree::Element;

use crate::{
    Document,
    flags::NoFlags,
    xml::{Build, Node, Tree, XmlError},
};

/// Declares a structure of the firmware: its fields with libvirt's names of them, in libvirt's order.
macro_rules! entries {
    ($(
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$field_doc:meta])* $field:ident = $entry:literal,)+
        }
    )*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<String>,)+
            #[doc(hidden)]
            pub _more: (),
        }

        impl $name {
            fn read(mut node: Node<'_>) -> $name {
                let mut found = $name::default();
                for mut entry in node.children("entry") {
                    let text = Some(entry.text().to_owned()).filter(|text| !text.is_empty());
                    match entry.attr("name").as_deref() {
                        $(Some($entry) => found.$field = text,)+
                        _ => entry.unmodelled(),
                    }
                }
                found
            }

            /// None if nothing is known.
            fn to_element(&self, name: &str) -> Option<Element> {
                let entries = [$(($entry, &self.$field)),+];
                let entries = entries.into_iter().filter_map(|(name, text)| {
                    Some(Element::new("entry").attr("name", name).text(text.as_ref()?))
                });
                let element = Element::new(name).children(entries);
                (!element.children.is_empty()).then_some(element)
            }
        }
    )* };
}

entries! {
    /// The firmware: `<bios>`.
    pub struct SysinfoBios {
        /// Who made it.
        vendor = "vendor",
        /// The version.
        version = "version",
        /// When it was released, as `05/07/2014`.
        date = "date",
        /// The number of the release.
        release = "release",
    }

    /// The machine: `<system>`.
    pub struct SysinfoSystem {
        /// Who made it.
        manufacturer = "manufacturer",
        /// The name of the product.
        product = "product",
        /// The version.
        version = "version",
        /// The serial number.
        serial = "serial",
        /// The UUID.
        uuid = "uuid",
        /// The number that the maker sells it by.
        sku = "sku",
        /// The family of products.
        family = "family",
    }

    /// A board: `<baseBoard>`.
    pub struct SysinfoBoard {
        /// Who made it.
        manufacturer = "manufacturer",
        /// The name of the product.
        product = "product",
        /// The version.
        version = "version",
        /// The serial number.
        serial = "serial",
        /// The asset tag.
        asset = "asset",
        /// The place in the chassis.
        location = "location",
    }

    /// The case: `<chassis>`.
    pub struct SysinfoChassis {
        /// Who made it.
        manufacturer = "manufacturer",
        /// The version.
        version = "version",
        /// The serial number.
        serial = "serial",
        /// The asset tag.
        asset = "asset",
        /// The number that the maker sells it by.
        sku = "sku",
    }

    /// A processor: `<processor>`.
    pub struct SysinfoProcessor {
        /// The name of the socket.
        socket_destination = "socket_destination",
        /// The type.
        kind = "type",
        /// The family.
        family = "family",
        /// Who made it.
        manufacturer = "manufacturer",
        /// The signature.
        signature = "signature",
        /// The version, which names the model.
        version = "version",
        /// The clock of the bus.
        external_clock = "external_clock",
        /// The highest clock.
        max_speed = "max_speed",
        /// Whether it is used.
        status = "status",
        /// The serial number.
        serial_number = "serial_number",
        /// The part number.
        part_number = "part_number",
    }

    /// A module of memory: `<memory_device>`.
    pub struct SysinfoMemory {
        /// The size, as `16 GB`.
        size = "size",
        /// The form.
        form_factor = "form_factor",
        /// The name of the slot.
        locator = "locator",
        /// The name of the bank.
        bank_locator = "bank_locator",
        /// The type.
        kind = "type",
        /// More about the type.
        type_detail = "type_detail",
        /// The speed.
        speed = "speed",
        /// Who made it.
        manufacturer = "manufacturer",
        /// The serial number.
        serial_number = "serial_number",
        /// The part number.
        part_number = "part_number",
    }
}

/// What a machine's firmware says of the machine (libvirt's `virSysinfoDef`, type `smbios`).
///
/// ```
/// use virt_model::{Document, SysinfoDef, sysinfo::SysinfoBios};
///
/// let sysinfo = SysinfoDef {
///     bios: SysinfoBios {
///         vendor: Some("LENOVO".to_owned()),
///         ..SysinfoBios::default()
///     },
///     ..SysinfoDef::default()
/// };
/// assert_eq!(
///     sysinfo.to_xml(Default::default()),
///     "\
/// <sysinfo type='smbios'>
///   <bios>
///     <entry name='vendor'>LENOVO</entry>
///   </bios>
/// </sysinfo>
/// "
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SysinfoDef {
    /// The firmware.
    pub bios: SysinfoBios,
    /// The machine.
    pub system: SysinfoSystem,
    /// The boards.
    pub boards: Vec<SysinfoBoard>,
    /// The case.
    pub chassis: SysinfoChassis,
    /// The processors.
    pub processors: Vec<SysinfoProcessor>,
    /// The modules of memory.
    pub memory: Vec<SysinfoMemory>,
    /// What the maker has added.
    pub oem_strings: Vec<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl Document for SysinfoDef {
    const ROOT: &'static str = "sysinfo";
    type Flags = NoFlags;

    fn read(node: &mut Node<'_>) -> Result<SysinfoDef, XmlError> {
        match node.attr("type").as_deref() {
            Some("smbios") => {}
            None => {
                return Err(node.error("Missing required attribute 'type' in element 'sysinfo'"));
            }
            Some(other) => return Err(node.invalid("type", other)),
        }
        let mut def = SysinfoDef::default();
        if let Some(bios) = node.child("bios") {
            def.bios = SysinfoBios::read(bios);
        }
        if let Some(system) = node.child("system") {
            def.system = SysinfoSystem::read(system);
        }
        if let Some(chassis) = node.child("chassis") {
            def.chassis = SysinfoChassis::read(chassis);
        }
        let boards = node.children("baseBoard").into_iter();
        def.boards = boards.map(SysinfoBoard::read).collect();
        let processors = node.children("processor").into_iter();
        def.processors = processors.map(SysinfoProcessor::read).collect();
        let memory = node.children("memory_device").into_iter();
        def.memory = memory.map(SysinfoMemory::read).collect();
        if let Some(mut strings) = node.child("oemStrings") {
            let entries = strings.children("entry").into_iter();
            def.oem_strings = entries.map(|entry| entry.text().to_owned()).collect();
        }
        Ok(def)
    }

    /// The order is that of libvirt 9.0's `virSysinfoFormat`.
    fn tree(&self, _: NoFlags) -> Tree {
        let strings = self.oem_strings.iter();
        let strings = strings.map(|text| Element::new("entry").text(text));
        let strings =
            (!self.oem_strings.is_empty()).then(|| Element::new("oemStrings").children(strings));
        let boards = self.boards.iter();
        let processors = self.processors.iter();
        let memory = self.memory.iter();
        Tree(
            Element::new("sysinfo")
                .attr("type", "smbios")
                .children(self.bios.to_element("bios"))
                .children(self.system.to_element("system"))
                .children(boards.filter_map(|board| board.to_element("baseBoard")))
                .children(self.chassis.to_element("chassis"))
                .children(processors.filter_map(|one| one.to_element("processor")))
                .children(memory.filter_map(|one| one.to_element("memory_device")))
                .children(strings),
        )
    }
}

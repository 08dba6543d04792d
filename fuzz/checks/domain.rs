//! Domain documents: no text panics, what is read of one is written and read back as the same, and a definition that
//! libvirt's rules have completed stays as it is.

use virt_model::domain::Defaults;
use virt_model::{DomainDef, XmlFlags};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let Ok(read) = DomainDef::read_xml(text) else {
        return;
    };
    let mut def = read.domain;
    let written = def.to_xml(XmlFlags::SECURE);
    let again = DomainDef::read_xml(&written).expect("what was written can be read");
    assert_eq!(again.unmodelled, Vec::<String>::new());
    assert_eq!(again.domain.to_xml(XmlFlags::SECURE), written);

    if def.post_parse(&Defaults::vmware()).is_ok() {
        let complete = def.clone();
        def.post_parse(&Defaults::vmware())
            .expect("it was complete before");
        assert_eq!(def, complete);
    }
}

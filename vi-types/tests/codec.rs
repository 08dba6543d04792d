//! Messages in and out of types written by hand.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod handwritten;

use handwritten::*;
use vi_types::wire::{
    self, Limits, ResponseError, decode_request, decode_response, encode_fault, encode_request,
    encode_response,
};
use vi_types::{
    Any, DecodeErrorKind, Enum as _, ManagedObjectReference, Method, Object as _, Poly, Value, path,
};

fn answer(method: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <{method}Response xmlns=\"urn:vim25\">{content}</{method}Response>\
         </soapenv:Body></soapenv:Envelope>"
    )
}

fn decode<M: Method>(content: &str) -> Result<wire::Decoded<M::Output>, ResponseError> {
    decode_response::<M>(answer(M::name(), content).as_bytes(), Limits::default())
}

#[track_caller]
fn contents(content: &str) -> Vec<Content> {
    decode::<Retrieve>(content).unwrap().returnval
}

/// The value of the only property of the only object in an answer.
#[track_caller]
fn value(val: &str) -> Any {
    let mut contents = contents(&format!(
        "<returnval><obj type=\"VirtualMachine\">1</obj><propSet><name>p</name>{val}</propSet></returnval>"
    ));
    contents[0].prop_set.remove(0).val
}

#[track_caller]
fn everything(properties: &str) -> Everything {
    value(&format!(
        "<val xsi:type=\"Everything\">{properties}<requiredState>poweredOn</requiredState></val>"
    ))
    .cast()
    .unwrap()
}

/// Encodes a value inside `anyType`, decodes it and gives both.
fn round_trip(any: &Any) -> (String, Any) {
    let content = Content {
        obj: ManagedObjectReference::new("VirtualMachine", "1"),
        prop_set: vec![DynamicProperty {
            name: "p".to_owned(),
            val: any.clone(),
        }],
    };
    let xml = encode_response::<Retrieve>(&vec![content]);
    let mut decoded = decode_response::<Retrieve>(xml.as_bytes(), Limits::default())
        .unwrap()
        .returnval;
    (xml, decoded[0].prop_set.remove(0).val)
}

#[test]
fn primitives_of_every_kind() {
    let found = everything(
        "<boolean>1</boolean><byte>-128</byte><short> 7 </short><int>-5</int><long>9223372036854775807</long>\
         <float>1.5</float><double>-INF</double><string>a &amp; b</string><time>2010-04-08T12:45:11Z</time>\
         <binary>AAEC\n/w==</binary><state>poweredOff</state>",
    );
    assert_eq!(found.boolean, Some(true));
    assert_eq!(found.byte, Some(-128));
    assert_eq!(found.short, Some(7));
    assert_eq!(found.int, Some(-5));
    assert_eq!(found.long, Some(i64::MAX));
    assert_eq!(found.float, Some(1.5));
    assert_eq!(found.double, Some(f64::NEG_INFINITY));
    assert_eq!(found.string.as_deref(), Some("a & b"));
    assert_eq!(
        found.time.as_ref().unwrap().epoch_seconds(),
        Ok(1_270_730_711)
    );
    assert_eq!(found.binary.as_ref().unwrap().0, [0, 1, 2, 255]);
    assert_eq!(found.state, Some(PowerState::PoweredOff));
    let (_, again) = round_trip(&Any::object(found.clone()));
    assert_eq!(again.cast::<Everything>().unwrap(), found);
}

#[test]
fn properties_may_come_in_any_order_and_with_any_prefix() {
    let found = everything(
        "<v:string xmlns:v=\"urn:vim25\">x</v:string><boolean>false</boolean><byte >3</byte>",
    );
    assert_eq!(
        (found.string.as_deref(), found.boolean, found.byte),
        (Some("x"), Some(false), Some(3))
    );
}

#[test]
fn an_unknown_enum_value_is_kept() {
    let found = everything("<state>standBy</state>");
    assert_eq!(
        found.state,
        Some(PowerState::Unrecognized("standBy".to_owned()))
    );
    let (xml, _) = round_trip(&Any::object(found));
    assert!(xml.contains("<state>standBy</state>"), "{xml}");
}

#[test]
fn an_empty_enum_is_unset() {
    assert_eq!(everything("<state></state>").state, None);
    assert_eq!(everything("<state/>").state, None);
    let required = value("<val xsi:type=\"Everything\"><requiredState/></val>")
        .cast::<Everything>()
        .unwrap();
    assert!(required.required_state.is_unset());
}

#[test]
fn a_descendant_is_found_by_its_type() {
    let found = everything(
        "<device xsi:type=\"Disk\"><key>2000</key><deviceInfo><label>Hard disk 1</label><summary/></deviceInfo>\
         <backing xsi:type=\"FileBacking\"><fileName>[ds] a.vmdk</fileName>\
         <parent><fileName>[ds] b.vmdk</fileName></parent></backing>\
         <capacityInKB>1024</capacityInKB><iofilter>x</iofilter><iofilter>y</iofilter></device>\
         <device><key>7</key></device>",
    );
    let disk = found.device[0].cast::<Disk>().unwrap();
    assert_eq!(
        (disk.key, disk.capacity_in_kb, disk.iofilter.len()),
        (2000, 1024, 2)
    );
    let backing = disk
        .backing
        .as_ref()
        .unwrap()
        .cast::<FileBacking>()
        .unwrap();
    assert_eq!(backing.parent.as_ref().unwrap().file_name, "[ds] b.vmdk");
    assert_eq!(found.device[1].type_name(), "Device");
    assert!(!found.device[1].is::<Disk>());
    let (_, again) = round_trip(&Any::object(found.clone()));
    assert_eq!(again.cast::<Everything>().unwrap(), found);
}

#[test]
fn an_unknown_descendant_reads_as_the_declared_type_and_is_written_as_it_came() {
    let content = "<key>9</key><deviceInfo><label>l</label><summary>s</summary></deviceInfo>\
                   <frequency xsi:type=\"xsd:int\">7 &lt; 8</frequency><host type=\"HostSystem\">h</host>";
    let found = everything(&format!("<device xsi:type=\"Theremin\">{content}</device>"));
    let device = &found.device[0];
    assert_eq!((device.key, device.type_name()), (9, "Theremin"));
    assert!(
        device
            .as_object()
            .unknown()
            .unwrap()
            .element
            .content
            .contains("7 &lt; 8")
    );
    let (xml, again) = round_trip(&Any::object(found.clone()));
    assert!(
        xml.contains(&format!("<device xsi:type=\"Theremin\">{content}</device>")),
        "{xml}"
    );
    assert_eq!(again.cast::<Everything>().unwrap(), found);
}

#[test]
fn foreign_prefixes_become_the_customary_ones_in_what_is_kept() {
    let found = everything(
        "<device xmlns:q=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:z=\"http://www.w3.org/2001/XMLSchema\" q:type=\"Theremin\"><key>9</key>\
         <n q:type='z:int' note='\"'>7</n></device>",
    );
    let (xml, _) = round_trip(&Any::object(found));
    assert!(
        xml.contains("<n xsi:type=\"xsd:int\" note=\"&quot;\">7</n>"),
        "{xml}"
    );
}

#[test]
fn a_known_type_of_another_family_is_kept_like_an_unknown_one() {
    let found =
        everything("<device xsi:type=\"Description\"><key>9</key><label>x</label></device>");
    assert_eq!(found.device[0].key, 9);
    assert_eq!(found.device[0].type_name(), "Description");
}

#[test]
fn unknown_elements_are_skipped_and_noted() {
    let decoded = decode::<Retrieve>(
        "<returnval><obj type=\"Folder\">f</obj><colour><deep>1</deep></colour><colour/>\
         <propSet><name>p</name><val xsi:type=\"Novel\">x</val></propSet></returnval>",
    )
    .unwrap();
    assert_eq!(decoded.unknown, ["Content.colour", "Novel"]);
}

#[test]
fn any_holds_what_its_type_says() {
    assert_eq!(
        value("<val xsi:type=\"xsd:string\"> x </val>"),
        Any::from(" x ")
    );
    assert_eq!(
        value("<val xsi:type=\"xsd:short\">5</val>")
            .cast::<i32>()
            .unwrap(),
        5
    );
    assert_eq!(
        value("<val xsi:type=\"PowerState\">poweredOn</val>")
            .cast::<PowerState>()
            .unwrap(),
        PowerState::PoweredOn
    );
    assert_eq!(
        value("<val type=\"Task\" xsi:type=\"ManagedObjectReference\">t</val>")
            .cast::<ManagedObjectReference>()
            .unwrap(),
        ManagedObjectReference::new("Task", "t")
    );
    let names = value(
        "<val xsi:type=\"ArrayOfString\"><string>a</string><string xsi:type=\"xsd:string\">b</string></val>",
    );
    assert_eq!(names.type_name(), "ArrayOfString");
    assert_eq!(names.cast::<Vec<String>>().unwrap(), ["a", "b"]);
    let devices = value(
        "<val xsi:type=\"ArrayOfDevice\"><Device xsi:type=\"Disk\"><key>1</key><capacityInKB>2</capacityInKB></Device>\
         <Device><key>3</key></Device></val>",
    );
    let devices: Vec<Poly<Device>> = devices.cast().unwrap();
    assert_eq!((devices[0].type_name(), devices[1].key), ("Disk", 3));
    assert_eq!(value("<val>plain</val>"), Any::from("plain"));
}

#[test]
fn the_prefix_does_not_matter_but_its_namespace_does() {
    let val = "<val xmlns:_XMLSchema-instance=\"http://www.w3.org/2001/XMLSchema-instance\" \
               xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" _XMLSchema-instance:type=\"xs:int\">5</val>";
    assert_eq!(value(val), Any::Int(5));
    let shadowed = "<val xmlns:xsi=\"urn:other\" xsi:type=\"xsd:int\">5</val>";
    assert_eq!(value(shadowed), Any::from("5"));
    let declaration = "<val xmlns:type=\"urn:other\">5</val>";
    assert_eq!(value(declaration), Any::from("5"));
}

#[test]
fn a_prefix_means_what_is_declared_where_it_stands() {
    const XSI: &str = "xmlns:p=\"http://www.w3.org/2001/XMLSchema-instance\"";
    let items = [
        ("xsi:type=\"xsd:int\"".to_owned(), Any::Int(1)),
        (
            "xmlns:xsi=\"urn:o\" xsi:type=\"xsd:int\"".to_owned(),
            Any::from("1"),
        ),
        ("xsi:type=\"xsd:int\"".to_owned(), Any::Int(1)),
        (
            "xsi:type=\"xsd:int\" xmlns:xsi=\"urn:o\"".to_owned(),
            Any::from("1"),
        ),
        ("xsi:type=\"xsd:int\"".to_owned(), Any::Int(1)),
        ("p:type=\"xsd:int\"".to_owned(), Any::from("1")),
        (format!("{XSI} p:type=\"xsd:int\""), Any::Int(1)),
        ("p:type=\"xsd:int\"".to_owned(), Any::from("1")),
        (format!("p:type=\"xsd:int\" {XSI}"), Any::Int(1)),
        ("p:type=\"xsd:int\"".to_owned(), Any::from("1")),
        (
            "xmlns:xsd=\"urn:o\" xsi:type='xsd:string'".to_owned(),
            Any::from("1"),
        ),
    ];
    let texts: String = items
        .iter()
        .map(|(attributes, _)| format!("<anyType {attributes}>1</anyType>"))
        .collect();
    let val = format!("<val xsi:type=\"ArrayOfAnyType\">{texts}</val>");
    let Any::Array(found) = value(&val) else {
        panic!("no array: {val}")
    };
    for ((attributes, expected), found) in items.iter().zip(&found.items) {
        match found {
            // A type in another namespace.
            Any::Unknown(element) => assert_eq!(element.content, "1", "{attributes}"),
            found => assert_eq!(found, expected, "{attributes}"),
        }
    }
    assert_eq!(found.items.len(), items.len());
}

#[test]
fn arrays_inside_any_give_every_item_a_type() {
    let (xml, again) = round_trip(
        &vec![ManagedObjectReference::new("Task", "t")]
            .view()
            .to_any("ManagedObjectReference"),
    );
    assert!(
        xml.contains(
            "<val xsi:type=\"ArrayOfManagedObjectReference\">\
             <ManagedObjectReference xsi:type=\"ManagedObjectReference\" type=\"Task\">t</ManagedObjectReference></val>"
        ),
        "{xml}"
    );
    assert_eq!(
        again.cast::<Vec<ManagedObjectReference>>().unwrap().len(),
        1
    );
    let (xml, _) = round_trip(&vec![1_i32, 2].view().to_any("int"));
    assert!(
        xml.contains("<val xsi:type=\"ArrayOfInt\"><int xsi:type=\"xsd:int\">1</int>"),
        "{xml}"
    );
}

#[test]
fn an_array_holds_unknown_descendants_of_its_type() {
    let devices: Vec<Poly<Device>> = value(
        "<val xsi:type=\"ArrayOfDevice\"><Device xsi:type=\"Theremin\"><key>4000</key><pitch>1</pitch></Device></val>",
    )
    .cast()
    .unwrap();
    assert_eq!((devices[0].type_name(), devices[0].key), ("Theremin", 4000));
}

#[test]
fn an_item_that_cannot_be_decoded_leaves_the_others() {
    let Any::Array(devices) = value(
        "<val xsi:type=\"ArrayOfDevice\"><Device><key>x</key></Device><Device><key>1</key></Device></val>",
    ) else {
        panic!("no array");
    };
    assert!(matches!(devices.items[0], Any::Undecodable(_)));
    assert!(matches!(devices.items[1], Any::Object(_)));
}

#[test]
fn a_value_that_cannot_be_decoded_costs_only_itself() {
    let bad = "<obj type=\"VirtualMachine\">1</obj><propSet><name>bad</name>\
               <val xsi:type=\"Disk\"><key>many</key><x/><capacityInKB>1</capacityInKB></val></propSet>\
               <propSet><name>good</name><val xsi:type=\"xsd:int\">5</val></propSet>";
    let found = contents(&format!(
        "<returnval>{bad}</returnval><returnval><obj type=\"Folder\">f</obj></returnval>"
    ));
    assert_eq!(found.len(), 2);
    let Any::Undecodable(undecodable) = &found[0].prop_set[0].val else {
        panic!("{found:?}");
    };
    assert_eq!(
        undecodable.error.to_string(),
        "key: expected an integer of 32 bits, found 'many'"
    );
    assert_eq!(undecodable.element.type_name.as_deref(), Some("Disk"));
    assert_eq!(found[0].prop_set[1].val, Any::Int(5));
    let xml = encode_response::<Retrieve>(&found);
    assert!(
        xml.contains(
            "<val xsi:type=\"Disk\"><key>many</key><x></x><capacityInKB>1</capacityInKB></val>"
        ),
        "{xml}"
    );
}

#[test]
fn errors_say_where() {
    let error = decode::<Retrieve>(
        "<returnval><obj type=\"Folder\">f</obj></returnval>\
         <returnval><obj type=\"Folder\">f</obj><propSet><name>a</name><val/></propSet><propSet><val/></propSet></returnval>",
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "returnval[1]/propSet[1]: DynamicProperty object is missing the required 'name' property"
    );
    // Items are counted over what stands between them.
    let error = decode::<Retrieve>(
        "<returnval><propSet><name>a</name><val/></propSet><obj type=\"Folder\">f</obj><propSet><val/></propSet></returnval>",
    )
    .unwrap_err();
    assert!(
        error.to_string().starts_with("returnval[0]/propSet[1]: "),
        "{error}"
    );
    let error = decode::<Retrieve>("<returnval><obj>f</obj></returnval>").unwrap_err();
    assert_eq!(
        error.to_string(),
        "returnval[0]/obj: expected a reference with a 'type' attribute, found 'f'"
    );
}

#[test]
fn a_fault_keeps_its_type_and_properties() {
    let xml = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault>\
               <faultcode>ServerFaultCode</faultcode><faultstring>The session is not authenticated.</faultstring>\
               <detail><NotAuthenticatedFault xmlns=\"urn:vim25\"><privilegeId>System.View</privilegeId>\
               </NotAuthenticatedFault></detail></e:Fault></e:Body></e:Envelope>";
    let Err(ResponseError::Fault(fault)) =
        decode_response::<Login>(xml.as_bytes(), Limits::default())
    else {
        panic!("no fault");
    };
    assert_eq!(
        fault.cast::<NotAuthenticated>().unwrap().privilege_id,
        "System.View"
    );
    assert_eq!(
        fault.to_string(),
        "NotAuthenticated - The session is not authenticated."
    );
    let again = encode_fault(&fault);
    let Err(ResponseError::Fault(again)) =
        decode_response::<Login>(again.as_bytes(), Limits::default())
    else {
        panic!("no fault");
    };
    assert_eq!(again, fault);
}

#[test]
fn a_fault_may_be_unknown_or_bare() {
    let fault = |detail: &str| {
        let xml = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault>\
             <faultcode>c</faultcode><faultstring>s</faultstring>{detail}</e:Fault></e:Body></e:Envelope>"
        );
        match decode_response::<Login>(xml.as_bytes(), Limits::default()) {
            Err(ResponseError::Fault(fault)) => fault,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(fault("").detail, None);
    assert_eq!(fault("<detail/>").to_string(), "c - s");
    assert_eq!(
        fault("<detail><NovelFault><a>1</a></NovelFault></detail>")
            .type_name()
            .unwrap(),
        "Novel"
    );
}

#[test]
fn requests_reach_the_server_whole() {
    let request = Login {
        user_name: "a<b".to_owned(),
        password: "&\"'\u{1}".to_owned(),
    };
    let this = ManagedObjectReference::new("SessionManager", "ha-sessionmgr");
    let xml = encode_request(&request, &this);
    assert!(xml.contains(
        "<Login xmlns=\"urn:vim25\"><_this type=\"SessionManager\">ha-sessionmgr</_this><userName>a&lt;b</userName>"
    ));
    let decoded = decode_request(xml.as_bytes(), &INTERFACE, Limits::default()).unwrap();
    assert_eq!((decoded.name.as_str(), &decoded.this), ("Login", &this));
    let login = decoded.method.unwrap();
    let login = login.downcast_ref::<Login>().unwrap();
    assert_eq!(
        (login.user_name.as_str(), login.password.as_str()),
        ("a<b", "&\"'\u{fffd}")
    );

    let request = Retrieve {
        this: this.clone(),
        spec: Vec::new(),
    };
    let xml = encode_request(&request, request.this().unwrap());
    assert_eq!(xml.matches("<_this").count(), 1);
    let decoded = decode_request(xml.as_bytes(), &INTERFACE, Limits::default()).unwrap();
    assert_eq!(
        decoded.method.unwrap().downcast_ref::<Retrieve>(),
        Some(&request)
    );

    let unknown = xml.replace("Retrieve", "Levitate");
    assert!(
        decode_request(unknown.as_bytes(), &INTERFACE, Limits::default())
            .unwrap()
            .method
            .is_none()
    );
}

#[test]
fn secrets_do_not_show() {
    let login = Login {
        user_name: "root".to_owned(),
        password: "hunter2".to_owned(),
    };
    assert_eq!(
        format!("{login:?}"),
        "Login { userName: \"root\", password: (secret) }"
    );
}

#[test]
fn what_is_not_soap_is_said() {
    let error = |body: &[u8]| {
        decode_response::<Login>(body, Limits::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error(b""), "not a SOAP message: it is empty");
    assert_eq!(
        error(b"{\"a\": 1}"),
        "not a SOAP message: it looks like JSON"
    );
    assert_eq!(
        error(b"<html><body>Hello</body></html>"),
        "not a SOAP message: its root element is <html>"
    );
    assert_eq!(error(b"hello"), "not a SOAP message: it is no XML");
    assert_eq!(error(b"\xff"), "not a SOAP message: it is no XML");
    assert_eq!(
        error(answer("Logout", "").as_bytes()),
        "not a SOAP message: it answers with <LogoutResponse>, not to Login"
    );
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    let whole = answer(
        "Retrieve",
        "<returnval><obj type=\"Folder\">f</obj><propSet><name>p</name>\
         <val xsi:type=\"xsd:string\">a &amp; <![CDATA[b]]><!-- c --></val></propSet></returnval>",
    );
    decode_response::<Retrieve>(whole.as_bytes(), Limits::default()).unwrap();
    for length in 0..whole.len() {
        let cut = &whole.as_bytes()[..length];
        assert!(
            decode_response::<Retrieve>(cut, Limits::default()).is_err(),
            "{length}"
        );
    }
}

#[test]
fn a_name_that_is_a_prefix_alone_is_refused_wherever_it_is_kept() {
    for content in ["<a:/>", "<a:>b</a:>", "<b><a:/></b>", "<a:b:c/>"] {
        for ty in ["Novel", "xsd:anyURI", "ArrayOfNovel"] {
            let message = answer(
                "Retrieve",
                &format!(
                    "<returnval><obj type=\"F\">f</obj><propSet><name>p</name><val xsi:type=\"{ty}\">{content}</val>\
                     </propSet></returnval>"
                ),
            );
            let refused = decode_response::<Retrieve>(message.as_bytes(), Limits::default());
            let error = refused.unwrap_err().to_string();
            assert!(
                error.contains("a tag has no name of the form prefix:name"),
                "{ty}, {content}: {error}"
            );
        }
    }
}

#[test]
fn a_document_type_is_refused() {
    let bombs = [
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><a>&lol2;</a>",
        "<?xml version=\"1.0\"?>\n<!doctype html><html/>",
    ];
    for bomb in bombs {
        let Err(ResponseError::Decode(error)) =
            decode_response::<Login>(bomb.as_bytes(), Limits::default())
        else {
            panic!("accepted");
        };
        assert_eq!(error.kind(), &DecodeErrorKind::Dtd);
    }
}

#[test]
fn nesting_has_a_limit_whether_read_skipped_or_kept() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    for content in [
        format!("<returnval>{}</returnval>", deep("<a>", "</a>")),
        format!(
            "<returnval><obj type=\"F\">f</obj><propSet><name>p</name><val xsi:type=\"Novel\">{}</val></propSet></returnval>",
            deep("<a>", "</a>")
        ),
        format!(
            "<returnval><obj type=\"F\">f</obj><propSet><name>p</name><val xsi:type=\"FileBacking\">{}</val></propSet></returnval>",
            deep("<fileName>f</fileName><parent>", "</parent>")
        ),
    ] {
        let Err(ResponseError::Decode(error)) = decode::<Retrieve>(&content) else {
            panic!("accepted");
        };
        assert_eq!(error.kind(), &DecodeErrorKind::TooDeep { limit: 128 });
    }
}

#[test]
fn paths_lead_through_objects_and_keyed_lists() {
    let found = everything(
        "<device xsi:type=\"Disk\"><key>2000</key><backing xsi:type=\"FileBacking\"><fileName>f</fileName></backing>\
         <capacityInKB>1024</capacityInKB></device><device><key>7</key></device>",
    );
    assert_eq!(
        path::get(&found, "device[2000].backing.fileName").unwrap(),
        View::Text("f")
    );
    assert_eq!(path::get(&found, "device[7].backing").unwrap(), View::Unset);
    assert_eq!(path::get(&found, "device[8]").unwrap(), View::Unset);
    assert!(matches!(path::get(&found, "device").unwrap(), View::List(list) if list.len() == 2));
    let error = path::get(&found, "device[2000].colour").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Disk has no property 'colour' (path 'device[2000].colour')"
    );
    assert!(path::get(&found, "device.key").is_err());
    assert!(path::get(&found, "int[1]").is_err());
}

#[test]
fn keys_in_quotes_may_have_dots_and_brackets() {
    for (text, steps) in [
        ("config.name", &["config", "name"][..]),
        (
            "config.extraConfig[\"svga.present\"].value",
            &["config", "extraConfig[\"svga.present\"]", "value"],
        ),
        ("a[\"b].c\"].d", &["a[\"b].c\"]", "d"]),
        ("device[2000].backing", &["device[2000]", "backing"]),
        ("a[b.c].d", &["a[b.c]", "d"]),
        ("a[\"unfinished.b", &["a[\"unfinished.b"]),
        ("", &[""]),
    ] {
        assert_eq!(path::steps(text).collect::<Vec<_>>(), steps, "{text}");
    }
}

#[test]
fn a_poly_holds_only_its_family() {
    let disk: Poly<Device> = Disk {
        base: Device {
            key: 5,
            ..Device::default()
        },
        ..Disk::default()
    }
    .into();
    assert_eq!((disk.key, disk.type_name()), (5, "Disk"));
    assert!(Poly::<Device>::from_object(Box::new(Description::default())).is_err());
    let error = Any::object(Description::default())
        .cast::<Device>()
        .unwrap_err();
    assert_eq!(error.to_string(), "expected Device but found Description");
    let base: Device = Any::object(Disk {
        base: Device {
            key: 5,
            ..Device::default()
        },
        ..Disk::default()
    })
    .cast()
    .unwrap();
    assert_eq!(base.key, 5);
    assert_eq!(
        Disk::type_info()
            .ancestry()
            .map(|info| info.name)
            .collect::<Vec<_>>(),
        ["Disk", "Device"]
    );
}

use vi_types::View;

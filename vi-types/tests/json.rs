//! JSON in and out.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::methods::{Login, PowerOnVmTask};
use vi_types::objects::{
    Description, VirtualDevice, VirtualDeviceBackingInfo, VirtualDisk,
    VirtualDiskFlatVer2BackingInfo, VirtualHardware, VirtualMachineRuntimeInfo,
};
use vi_types::wire::{Limits, decode_response, encode_response};
use vi_types::{Any, Binary, DateTime, Enum as _, ManagedObjectReference, Poly};

#[track_caller]
fn read<T: DeserializeOwned>(json: Json) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

#[track_caller]
fn error<T: DeserializeOwned>(json: Json) -> String {
    match serde_json::from_value::<T>(json) {
        Ok(_) => panic!("it was read"),
        Err(error) => error.to_string(),
    }
}

fn disk() -> Json {
    json!({
        "_typeName": "VirtualDisk",
        "key": 2000,
        "deviceInfo": {"_typeName": "Description", "label": "Hard disk 1", "summary": "1 GB"},
        "backing": {
            "_typeName": "VirtualDiskFlatVer2BackingInfo",
            "fileName": "[ds] a/a.vmdk",
            "diskMode": "persistent",
            "datastore": {"_typeName": "ManagedObjectReference", "type": "Datastore", "value": "ds-1"},
            "thinProvisioned": true,
        },
        "capacityInKB": 9_007_199_254_740_993_i64,
    })
}

#[test]
fn a_disk_of_vi_json_is_read() {
    let disk: VirtualDisk = read(disk());
    assert_eq!(
        (disk.key, disk.capacity_in_kb),
        (2000, 9_007_199_254_740_993)
    );
    let info: &Poly<Description> = disk.device_info.as_ref().unwrap();
    assert_eq!(info.label, "Hard disk 1");
    let backing: &Poly<VirtualDeviceBackingInfo> = disk.backing.as_ref().unwrap();
    let backing: &VirtualDiskFlatVer2BackingInfo = backing.downcast_ref().unwrap();
    assert_eq!(backing.file_name, "[ds] a/a.vmdk");
    let datastore = ManagedObjectReference::new("Datastore", "ds-1");
    assert_eq!(backing.datastore, Some(datastore));
    assert_eq!(backing.thin_provisioned, Some(true));
    assert_eq!(serde_json::to_value(&disk).unwrap(), self::disk());
}

#[test]
fn the_type_may_come_last() {
    let text = r#"{"numCPU": 1, "memoryMB": 2, "device":
        [{"key": 1, "capacityInKB": 3, "_typeName": "VirtualDisk"}], "_typeName": "VirtualHardware"}"#;
    let hardware: VirtualHardware = serde_json::from_str(text).unwrap();
    assert_eq!(
        hardware.device[0]
            .cast::<VirtualDisk>()
            .unwrap()
            .capacity_in_kb,
        3
    );
}

#[test]
fn the_type_may_be_missing_where_it_says_nothing_new() {
    let hardware: VirtualHardware = read(json!({"numCPU": 1, "memoryMB": 2}));
    assert_eq!((hardware.num_cpu, hardware.memory_mb), (1, 2));
    assert_eq!(
        error::<VirtualHardware>(json!({"numCPU": 1, "memoryMB": 2, "device": [{"key": 1}]})),
        "device[0]: expected a _typeName, since VirtualDevice has descendants"
    );
}

#[test]
fn null_is_no_value() {
    let disk: VirtualDisk =
        read(json!({"key": 1, "capacityInKB": 1, "backing": null, "iofilter": null}));
    assert_eq!(disk.backing, None);
    assert_eq!(
        error::<VirtualDisk>(json!({"key": null, "capacityInKB": 1})),
        "VirtualDisk object is missing the required 'key' property"
    );
}

#[test]
fn errors_say_where_they_are() {
    let hardware = |change: fn(&mut Json)| {
        let (first, mut second) = (disk(), disk());
        change(&mut second);
        let hardware = json!({"numCPU": 1, "memoryMB": 1, "device": [first, second]});
        // A text has positions, and a tree has none.
        let text = serde_json::from_str::<VirtualHardware>(&hardware.to_string());
        let text = text.err().map(|error| error.to_string()).unwrap();
        assert!(text.contains(" at line 1 column "), "{text}");
        let tree = error::<VirtualHardware>(hardware);
        assert!(text.starts_with(&tree), "{text} / {tree}");
        tree
    };
    assert_eq!(
        hardware(|disk| disk["backing"]["fileName"] = json!(5)),
        "device[1].backing.fileName: invalid type: integer `5`, expected a string"
    );
    assert_eq!(
        hardware(|disk| disk["key"] = json!(1_u64 << 31)),
        "device[1].key: invalid value: integer `2147483648`, expected an integer of 32 bits"
    );
    assert_eq!(
        hardware(|disk| disk["key"] = json!(1.5)),
        "device[1].key: invalid type: floating point `1.5`, expected an integer of 32 bits"
    );
    assert_eq!(
        hardware(|disk| disk["backing"]["_typeName"] = json!("Description")),
        "device[1].backing: expected VirtualDeviceBackingInfo or a descendant, found Description"
    );
    assert_eq!(
        hardware(|disk| disk["backing"] = json!({"_typeName": "int", "_value": 1})),
        "device[1].backing: expected VirtualDeviceBackingInfo or a descendant, found int"
    );
    assert_eq!(
        hardware(|disk| disk["backing"] = json!([])),
        "device[1].backing: invalid type: sequence, expected an object of type VirtualDeviceBackingInfo"
    );
    assert_eq!(
        hardware(|disk| disk["backing"]["diskMode"] = Json::Null),
        "device[1].backing: VirtualDiskFlatVer2BackingInfo object is missing the required 'diskMode' property"
    );
    assert_eq!(
        hardware(|disk| disk["backing"]["datastore"] = json!({"value": "x"})),
        "device[1].backing.datastore: a reference needs a string 'type'"
    );
    assert_eq!(
        error::<VirtualDisk>(json!({"_typeName": "VirtualHardware"})),
        "expected VirtualDisk or a descendant, found VirtualHardware"
    );
}

#[test]
fn unknown_properties_and_enum_values_are_no_errors() {
    let mut json = serde_json::to_value(VirtualMachineRuntimeInfo::default()).unwrap();
    json["powerState"] = json!("standBy");
    json["somethingNew"] = json!({"_typeName": "New", "list": [1, {}]});
    let runtime: VirtualMachineRuntimeInfo = read(json);
    assert_eq!(runtime.power_state.as_str(), "standBy");
}

#[test]
fn an_object_of_an_unknown_type_is_kept_whole() {
    let text = r#"{"numCPU": 1, "memoryMB": 1, "device": [{
        "_typeName": "VirtualTimeMachine",
        "key": 5,
        "deviceInfo": {"_typeName": "Description", "label": "<l>", "summary": ""},
        "speed": 88.5,
        "fuel": ["plutonium", "waste"],
        "dates": {"_typeName": "ArrayOfLong", "_value": [1955, 1985]},
        "driver": {"_typeName": "ManagedObjectReference", "type": "Person", "value": "marty"},
        "any": {"_typeName": "string", "_value": "a & b"}
    }]}"#;
    let hardware: VirtualHardware = serde_json::from_str(text).unwrap();
    let device = &hardware.device[0];
    assert_eq!((device.type_name(), device.key), ("VirtualTimeMachine", 5));
    assert_eq!(device.device_info.as_ref().unwrap().label, "<l>");
    let unknown = device.as_object().unknown().unwrap();
    assert_eq!(
        unknown.element.type_name.as_deref(),
        Some("VirtualTimeMachine")
    );
    assert_eq!(
        unknown.element.content,
        "<key>5</key><deviceInfo xsi:type=\"Description\"><label>&lt;l&gt;</label><summary></summary></deviceInfo>\
         <speed>88.5</speed><fuel>plutonium</fuel><fuel>waste</fuel>\
         <dates xsi:type=\"ArrayOfLong\"><long>1955</long><long>1985</long></dates>\
         <driver xsi:type=\"ManagedObjectReference\" type=\"Person\">marty</driver>\
         <any xsi:type=\"xsd:string\">a &amp; b</any>"
    );
    let again: VirtualHardware = read(serde_json::to_value(&hardware).unwrap());
    assert_eq!(again, hardware);
}

#[test]
fn an_object_that_was_unknown_to_the_writer_is_read_by_who_knows_it() {
    let json = json!({
        "_typeName": "VirtualDisk",
        "_xml": "<key>5</key><capacityInKB>7</capacityInKB>",
        "key": 5,
    });
    let device: Poly<VirtualDevice> = read(json.clone());
    assert_eq!(device.cast::<VirtualDisk>().unwrap().capacity_in_kb, 7);
    let any: Any = read(json);
    assert_eq!(any.cast::<VirtualDisk>().unwrap().capacity_in_kb, 7);
}

#[test]
fn xml_in_json_cannot_break_out() {
    for xml in ["</value><value>", "<a>", "</value>", "<a></b>", "<a/"] {
        let json = json!({"_typeName": "New", "_xml": xml});
        assert!(serde_json::from_value::<Any>(json).is_err(), "{xml}");
    }
    // An ampersand that begins no reference stands for itself, as in an answer.
    for (xml, content) in [
        ("&nothing;", "&amp;nothing;"),
        ("R&D", "R&amp;D"),
        ("&#0;", "\u{fffd}"),
    ] {
        let any: Any = read(json!({"_typeName": "New", "_xml": xml}));
        let kept = serde_json::to_value(&any).unwrap();
        assert_eq!(kept["_xml"], content);
    }
    for name in ["a b", "a><b/", "a\"", "", "1"] {
        let json = json!({"_typeName": name, "x": 1});
        assert!(serde_json::from_value::<Any>(json).is_err(), "{name}");
        let json = json!({"_typeName": "New", (name): 1});
        assert!(serde_json::from_value::<Any>(json).is_err(), "{name}");
    }
    let json = json!({"_typeName": "New", "_xml": "", "_attributes": " b=\"1\"><c/"});
    let Any::Unknown(element) = read(json) else {
        panic!("it is of an unknown type");
    };
    assert_eq!(
        (element.attributes.as_str(), element.content.as_str()),
        (" b=\"1\"", "<c></c>")
    );
}

#[test]
fn any_says_its_type() {
    let any = |json: Json| {
        let any: Any = read(json.clone());
        assert_eq!(serde_json::to_value(&any).unwrap(), json);
        any
    };
    assert_eq!(any(Json::Null), Any::None);
    assert_eq!(
        any(json!({"_typeName": "short", "_value": 5})),
        Any::Short(5)
    );
    assert_eq!(
        any(json!({"_value": "x", "_typeName": "anyURI"})),
        Any::Uri("x".to_owned())
    );
    let strings = any(json!({"_typeName": "ArrayOfString", "_value": ["a", "b"]}));
    assert_eq!(strings.cast::<Vec<String>>().unwrap(), ["a", "b"]);
    let moref = any(json!({"_typeName": "ManagedObjectReference", "type": "Task", "value": "1"}));
    assert_eq!(moref, ManagedObjectReference::new("Task", "1").into());
    assert_eq!(
        any(json!({"_typeName": "VirtualMachinePowerState", "_value": "suspended"})),
        Any::enumeration(&VirtualMachinePowerState::Suspended)
    );
    let array = any(json!({"_typeName": "ArrayOfVirtualDevice", "_value": [disk(), disk()]}));
    let devices: Vec<Poly<VirtualDevice>> = array.cast().unwrap();
    assert!(devices.iter().all(Poly::is::<VirtualDisk>));
    for bare in [
        json!(5),
        json!("x"),
        json!(true),
        json!([1]),
        json!({}),
        json!({"_value": 5}),
    ] {
        assert!(error::<Any>(bare).ends_with("expected a value with its _typeName"));
    }
    assert_eq!(
        error::<Any>(json!({"_typeName": "int"})),
        "int has no _value"
    );
}

#[test]
fn numbers_that_are_none_are_strings() {
    for value in [f64::INFINITY, f64::NEG_INFINITY, 1e300, -0.5] {
        for any in [Any::Double(value), Any::Float(value as f32)] {
            let json = serde_json::to_value(&any).unwrap();
            assert_eq!(read::<Any>(json), any);
        }
    }
    let json = serde_json::to_value(Any::Double(f64::NAN)).unwrap();
    assert_eq!(json, json!({"_typeName": "double", "_value": "NaN"}));
    assert!(read::<Any>(json).cast::<f64>().unwrap().is_nan());
}

#[test]
fn values_alone() {
    let time: DateTime = "2010-04-08T12:45:11.12+02:00".parse().unwrap();
    assert_eq!(
        read::<DateTime>(json!("2010-04-08T12:45:11.12+02:00")),
        time
    );
    assert_eq!(
        serde_json::to_value(time).unwrap(),
        json!("2010-04-08T12:45:11.12+02:00")
    );
    assert_eq!(read::<Binary>(json!("AAH/")), Binary(vec![0, 1, 255]));
    assert_eq!(
        serde_json::to_value(Binary(vec![0, 1, 255])).unwrap(),
        json!("AAH/")
    );
    let moref = ManagedObjectReference::new("VirtualMachine", "16");
    assert_eq!(
        read::<ManagedObjectReference>(serde_json::to_value(&moref).unwrap()),
        moref
    );
}

#[test]
fn requests_have_their_parameters() {
    let request = PowerOnVmTask {
        this: ManagedObjectReference::new("VirtualMachine", "16"),
        host: None,
        ..Default::default()
    };
    let json = serde_json::to_value(&request).unwrap();
    let this =
        json!({"_typeName": "ManagedObjectReference", "type": "VirtualMachine", "value": "16"});
    assert_eq!(json, json!({"_typeName": "PowerOnVM_Task", "_this": this}));
    let again: PowerOnVmTask = read(json);
    assert_eq!(again.this, request.this);
    let login: Login = read(json!({"userName": "root", "password": "p"}));
    assert_eq!(
        (login.user_name.as_str(), login.password.as_str()),
        ("root", "p")
    );
}

#[test]
fn what_could_not_be_decoded_is_still_there() {
    let answer = encode_response::<vi_types::methods::RetrieveProperties>(&Vec::new()).replace(
        "</RetrievePropertiesResponse>",
        "<returnval><obj type=\"A\">1</obj>\
         <propSet><name>a</name><val xsi:type=\"xsd:int\">many</val></propSet>\
         <propSet><name>b</name><val xsi:type=\"VirtualDisk\" id=\"&lt;7\"><key>1</key></val></propSet>\
         <propSet><name>c</name><val xsi:type=\"ArrayOfInt\"><int>1</int><int>two</int>\
         <int xsi:type=\"xsd:string\">3</int></val></propSet>\
         <propSet><name>d</name><val xsi:type=\"New\" id=\"7\">a<b/></val></propSet>\
         <propSet><name>e</name><val><b xsi:type=\"xsd:long\"/></val></propSet>\
         <propSet><name>f</name><val xsi:type=\"ArrayOfVirtualDevice\"><VirtualDevice xsi:type=\"New\">\
         <key>1</key><x/></VirtualDevice></val></propSet>\
         </returnval></RetrievePropertiesResponse>",
    );
    let decoded = decode_response::<vi_types::methods::RetrieveProperties>(
        answer.as_bytes(),
        Limits::default(),
    );
    let contents = decoded.unwrap().returnval;
    assert_eq!(contents[0].prop_set.len(), 6);
    let json = serde_json::to_string(&contents).unwrap();
    let again: Vec<vi_types::objects::ObjectContent> = serde_json::from_str(&json).unwrap();
    assert_eq!(again, contents, "{json}");
}

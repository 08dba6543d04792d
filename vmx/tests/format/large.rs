//! Documents with many things of a kind: the work grows with their number, not with its square. With the square, each of them
//! would take minutes.

use std::time::{Duration, Instant};

use virt_model::{Document as _, DomainDef};
use vmx::{FormatOptions, Mode, names::Folder};

const MANY: usize = 5_000;

/// The names of disks in libvirt's order: `sda`, `sdb`, …, `sdaa`.
fn disk_name(index: usize) -> String {
    let mut name = String::new();
    let mut left = index + 1;
    while left > 0 {
        left -= 1;
        name.insert(0, char::from(b'a' + (left % 26) as u8));
        left /= 26;
    }
    format!("sd{name}")
}

fn document(head: &str, devices: &str) -> String {
    format!(
        "<domain type='vmware'><name>n</name><memory>4096</memory><os><type>hvm</type></os>{head}\
         <devices>{devices}</devices></domain>"
    )
}

fn many(count: usize, device: impl Fn(usize) -> String) -> String {
    (0..count).map(device).collect()
}

#[test]
fn many_things_take_linear_time() {
    let disk = |at: usize, name: &str, more: &str| {
        format!(
            "<disk type='file' device='disk'>{more}<source file='d{at}.vmdk'/><target dev='{name}' bus='scsi'/></disk>"
        )
    };
    let driver = "<driver name='lsilogic'/>";
    let documents = [
        ("disks", document("", &many(MANY, |at| disk(at, &disk_name(at), "")))),
        (
            "disks in the wrong order",
            document("", &many(MANY, |at| disk(at, &disk_name(MANY - at), ""))),
        ),
        ("disks of one name", document("", &many(MANY, |at| disk(at, "sda", "")))),
        (
            "disks that name their controller's model behind many controllers",
            document(
                "",
                &(many(MANY, |at| format!("<controller type='scsi' index='{}'/>", MANY - at))
                    + &many(MANY, |at| disk(at, "sda", driver))),
            ),
        ),
        (
            "cards",
            document("", &"<interface type='bridge'><source bridge='b'/></interface>".repeat(MANY)),
        ),
        (
            "shared folders",
            document(
                "",
                &many(MANY, |at| {
                    format!("<filesystem type='mount'><source dir='/a{at}'/><target dir='t{at}'/></filesystem>")
                }),
            ),
        ),
        (
            "devices of the host",
            document(
                "",
                &"<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='2' function='3'/>\
                  </source></hostdev>"
                    .repeat(MANY),
            ),
        ),
        ("serial ports", document("", &"<serial type='null'/>".repeat(MANY))),
        ("sounds", document("", &"<sound model='es1370'/>".repeat(MANY))),
        ("unknown devices", document("", &many(MANY, |at| format!("<x{at} a='1'/>")))),
        (
            "features of the processor",
            document(
                &format!(
                    "<cpu mode='custom'><model>m</model>{}</cpu>",
                    many(MANY, |at| format!("<feature name='f{at}' policy='require'/>"))
                ),
                "",
            ),
        ),
        (
            "all processors in each cell",
            document(
                &format!(
                    "<vcpu>16384</vcpu><cpu><numa>{}</numa></cpu>",
                    many(MANY, |at| format!("<cell id='{at}' cpus='0-16383' memory='1'/>"))
                ),
                "",
            ),
        ),
        (
            "boot devices",
            document("", "").replace("</type>", &format!("</type>{}", "<boot dev='hd'/>".repeat(MANY))),
        ),
        (
            "elements below many namespaces",
            document(
                &format!(
                    "<metadata><x:a xmlns:x='u' {}>{}</x:a></metadata>",
                    many(900, |at| format!("xmlns:n{at}='u' ")),
                    "<b/>".repeat(MANY)
                ),
                "",
            ),
        ),
        (
            "namespaces of their own",
            document(
                &format!("<metadata>{}</metadata>", many(MANY, |at| format!("<x:b xmlns:x='u{at}'/>"))),
                "",
            ),
        ),
        ("attributes", format!("<domain {}/>", many(MANY, |at| format!("a{at}='1' ")))),
        ("levels", document("", &("<a>".repeat(MANY) + &"</a>".repeat(MANY)))),
        (
            "character references",
            document(&format!("<title>{}</title>", "&#65;".repeat(MANY)), ""),
        ),
    ];
    for (what, text) in documents {
        let begun = Instant::now();
        // Whether it is refused or not: in time.
        if let Ok(def) = DomainDef::from_xml(&text) {
            for mode in [Mode::Lenient, Mode::Strict] {
                let options = FormatOptions::new(13).mode(mode);
                let _ = vmx::to_file(&def, &Folder::default(), &options);
            }
        }
        let took = begun.elapsed();
        assert!(
            took < Duration::from_secs(60),
            "{MANY} {what} took {took:?}"
        );
    }
}

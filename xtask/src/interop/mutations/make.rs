//! Makes the mutated files.

use std::fs;
use std::path::Path;

/// The names of encodings that vmx knows.
const TABLE: &str = include_str!("../../../../vmx/src/file/charset/table.txt");

/// ICU's names of the encodings of a kind, in lower case and without punctuation.
pub(super) fn names_of_icu(kind: &str) -> impl Iterator<Item = &'static str> {
    let lines = TABLE
        .lines()
        .filter(move |line| line.split('\t').next() == Some(kind));
    lines.flat_map(|line| line.rsplit('\t').next().unwrap_or_default().split(' '))
}

/// Random numbers that are the same everywhere for the same seed (SplitMix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 if there is none.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % (limit.max(1) as u64)) as usize
    }

    fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// The files that are mutated, and what is put into them.
pub(super) struct Maker {
    seeds: Vec<Vec<u8>>,
    lines: Vec<Vec<u8>>,
    encodings: Vec<&'static str>,
}

impl Maker {
    /// The VMX files of these folders, and a small one of our own.
    pub(super) fn new(folders: &[&Path]) -> Result<Self, String> {
        let mut seeds = vec![OWN.as_bytes().to_vec()];
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            let failed = |error| format!("{}: {error}", folder.display());
            let entries = fs::read_dir(folder).map_err(failed)?;
            let mut paths: Vec<_> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|suffix| suffix == "vmx"))
                .collect();
            paths.sort();
            for path in paths {
                seeds.push(fs::read(path).map_err(failed)?);
            }
        }
        let lines = seeds.iter().flat_map(|seed| lines_of(seed));
        let known = TABLE.lines().flat_map(|line| line.split('\t').skip(1));
        let known = known.flat_map(|names| names.split(' '));
        Ok(Self {
            lines: lines.filter(|line| line.contains(&b'=')).collect(),
            seeds,
            encodings: known
                .filter(|name| !name.is_empty())
                .chain(ENCODINGS.iter().copied())
                .collect(),
        })
    }

    /// A file with one to four changes.
    pub(super) fn file(&self, random: &mut Random) -> Vec<u8> {
        let mut text = random.of(&self.seeds).clone();
        for _ in 0..=random.below(4) {
            text = self.change(text, random);
        }
        text
    }

    fn change(&self, mut text: Vec<u8>, random: &mut Random) -> Vec<u8> {
        let mut lines = lines_of(&text);
        if lines.is_empty() {
            lines.push(Vec::new());
        }
        let at = random.below(lines.len());
        let line = lines[at].clone();
        match random.below(20) {
            0 => drop(lines.remove(at)),
            1 => {
                let to = random.below(lines.len());
                lines.insert(to, line);
            }
            2 | 3 => lines.insert(at, random.of(&self.lines).clone()),
            4 | 5 => lines[at] = with_value(&line, random.of::<&[u8]>(VALUES)),
            6 => {
                let other = value_of(random.of::<Vec<u8>>(&self.lines)).to_vec();
                lines[at] = with_value(&line, &other);
            }
            7 | 8 => {
                lines.retain(|line| !line.trim_ascii_start().starts_with(b".encoding"));
                let name = match random.below(3) {
                    0 => *random.of(USUAL),
                    _ => *random.of(&self.encodings),
                };
                lines.insert(0, format!(".encoding = \"{name}\"").into_bytes());
            }
            9 | 10 => {
                let mut value = value_of(&line).to_vec();
                let place = random.below(value.len() + 1);
                value.splice(place..place, self.foreign(random));
                lines[at] = with_value(&line, &value);
            }
            11 => lines.insert(at, [b"# ", &self.foreign(random)[..]].concat()),
            12 => {
                let place = random.below(text.len());
                let byte = random.byte();
                if let Some(found) = text.get_mut(place) {
                    *found = byte;
                }
                return text;
            }
            13 => {
                let place = random.below(text.len() + 1);
                let end = (place + random.below(3)).min(text.len());
                let inserted: Vec<u8> = (0..random.below(3)).map(|_| random.byte()).collect();
                text.splice(place..end, inserted);
                return text;
            }
            14 => {
                text.truncate(random.below(text.len() + 1));
                return text;
            }
            15 => {
                let place = random.below(line.len());
                if let Some(byte) = lines[at].get_mut(place) {
                    *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
                }
            }
            16 => lines[at] = quoted(&line, random),
            17 => {
                return lines.join(*random.of(ENDS));
            }
            18 => {
                let mut digits = line.iter().enumerate().filter(|(_, b)| b.is_ascii_digit());
                if let Some((place, _)) = digits.nth(random.below(3)) {
                    let number = random.of(&["0", "1", "2", "3", "4", "7", "15", "16", "64", "-1"]);
                    lines[at].splice(place..=place, number.bytes());
                }
            }
            _ => {
                lines[at].extend_from_slice(random.of::<&[u8]>(BEHIND));
            }
        }
        let mut text = lines.join(&b'\n');
        text.push(b'\n');
        text
    }

    /// Text of another language in some encoding, or any bytes beyond ASCII.
    fn foreign(&self, random: &mut Random) -> Vec<u8> {
        match random.below(3) {
            0 => (0..=random.below(3))
                .map(|_| random.byte() | 0x80)
                .collect(),
            _ => random.of(FOREIGN).to_vec(),
        }
    }
}

fn lines_of(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// What is between the first and the last quote of a line.
fn value_of(line: &[u8]) -> &[u8] {
    let quote = |byte: &u8| *byte == b'"';
    match (line.iter().position(quote), line.iter().rposition(quote)) {
        (Some(first), Some(last)) if first < last => &line[first + 1..last],
        _ => b"",
    }
}

fn key_of(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b'=').next().unwrap_or_default()
}

fn with_value(line: &[u8], value: &[u8]) -> Vec<u8> {
    [key_of(line), b"= \"", value, b"\""].concat()
}

/// The line with other quotes, or none.
fn quoted(line: &[u8], random: &mut Random) -> Vec<u8> {
    const QUOTES: &[&[u8]] = &[b"", b"'", b"\"\"\"", b"\"\"", b"\"'", b"|22"];
    let quotes = random.of(QUOTES);
    [key_of(line), b"= ", *quotes, value_of(line), *quotes].concat()
}

/// What may be between two assignments.
const ENDS: &[&[u8]] = &[b"\r\n", b"\r", b";", b" ; "];

/// What may be behind an assignment.
const BEHIND: &[&[u8]] = &[b" # x", b"  ", b"\t", b" x", b"#", b";", b"\0"];

/// Names that VMware writes.
const USUAL: &[&str] = &[
    "UTF-8",
    "windows-1252",
    "windows-1251",
    "windows-1250",
    "ISO-8859-1",
    "ISO-8859-15",
    "Shift_JIS",
    "windows-932",
    "GBK",
    "GB18030",
    "windows-936",
    "Big5",
    "EUC-KR",
    "windows-949-2000",
    "EUC-JP",
    "windows-1255",
    "windows-1258",
    "US-ASCII",
];

/// Names that vmx does not know, and odd ones.
const ENCODINGS: &[&str] = &[
    "",
    " ",
    "-",
    "klingon",
    "utf-8",
    "UTF8",
    "utf-16",
    "UTF-16LE",
    "UCS-4",
    "UTF-7",
    "TCVN",
    "UTF-32",
    "EBCDIC-US",
    "IBM037",
    "ISCII,version=0",
    "JOHAB",
    "EUC-TW",
    "ISO-2022-KR",
    "ISO-2022-CN",
    "HZ-GB-2312",
    "SCSU",
    "BOCU-1",
    "CESU-8",
    "cp65001",
    "gr\u{fc}n",
    "UTF-8//IGNORE",
    "latin1//TRANSLIT",
];

/// Texts in the encodings of VMware's languages, some of them cut off.
const FOREIGN: &[&[u8]] = &[
    b"gr\xfcn",
    b"caf\xe9",
    "grün".as_bytes(),
    "標準".as_bytes(),
    "\u{1f600}".as_bytes(),
    b"\xcf\xf0\xe8",
    b"\x95\x57\x8f\x80\x83\x5c",
    b"\xd0\xe9\xc4\xe2",
    b"\xb5\xea\xc0\xc0",
    b"\xb0\xa1\xb3\xaa",
    b"\xc9\xb8",
    b"\x80",
    b"\x81",
    b"\x81\x30\x81\x30",
    b"\xa1\xc1",
    b"\x81\x60\x5c\x7e",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xe6\xa8",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x1b$BI8\x1b(B",
    b"\x8f\xb0\xa1",
    b"Vi\xea\xf2t \xf5\xec",
    b"\xf9\xcc\xd1\xe1\xcf",
];

/// Values that files of people have in the wrong place.
const VALUES: &[&[u8]] = &[
    b"",
    b" ",
    b"0",
    b"1",
    b"-1",
    b"2",
    b"3",
    b"8",
    b" 8",
    b"8 ",
    b"+4",
    b"0x10",
    b"010",
    b"1.5",
    b"1e3",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"99999999999999999999999",
    b"unlimited",
    b"UNLIMITED",
    b"true",
    b"TRUE",
    b"FALSE",
    b"yes",
    b"auto detect",
    b"emptyBackingString",
    b"a.vmdk",
    b"A.VMDK",
    b".vmdk",
    b"a.iso",
    b"/vmfs/volumes/nowhere/a/a.vmdk",
    b"/vmfs/volumes/nowhere",
    b"/vmfs/devices/cdrom/vmhba32:0:0",
    b"C:\\vm\\a.vmdk",
    b"/dev/sda",
    b"scsi-hardDisk",
    b"ata-hardDisk",
    b"disk",
    b"cdrom-image",
    b"cdrom-raw",
    b"atapi-cdrom",
    b"scsi-passthru",
    b"lsilogic",
    b"pvscsi",
    b"vmxnet3",
    b"e1000e",
    b"bridged",
    b"nat",
    b"hostonly",
    b"custom",
    b"static",
    b"vpx",
    b"generated",
    b"00:50:56:11:22:33",
    b"00:00:00:00:00:00",
    b"01:00:5e:00:00:01",
    b"0:1:2:3:4:5",
    b"56 4d 1f e1 f3 a6 1b 2c-5a 3a 92 3e 4f 4a 2b 1c",
    b"00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00",
    b"564d1fe1f3a61b2c5a3a923e4f4a2b1c",
    b"0,1,3",
    b"0,,1",
    b"0-3",
    b"all",
    b"low",
    b"normal",
    b"high",
    b"telnet://localhost:2001",
    b"tcp://:9",
    b"tls://[::1]:77/x",
    b"telnet://h:1?a=b&c",
    b"pipe",
    b"network",
    b"file",
    b"device",
    b"efi",
    b"bios",
    b"windows9-64",
    b"name|22x|0a",
    b"|ff",
    b"|2",
    b"%25%zz",
    b"<&>",
    b"'",
];

/// The file that is always there.
const OWN: &str = r#"#!/usr/bin/vmware
.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "13"
displayName = "own"
annotation = "two|0Alines"
guestOS = "ubuntu-64"
uuid.bios = "56 4d 1f e1 f3 a6 1b 2c-5a 3a 92 3e 4f 4a 2b 1c"
memsize = "2048"
sched.mem.max = "1024"
sched.mem.minsize = "512"
numvcpus = "4"
cpuid.coresPerSocket = "2"
sched.cpu.affinity = "0,1,2,3"
sched.cpu.shares = "high"
scsi0.present = "true"
scsi0.virtualDev = "pvscsi"
scsi0:0.present = "true"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "own.vmdk"
scsi0:1.present = "true"
scsi0:1.deviceType = "cdrom-image"
scsi0:1.fileName = "/vmfs/volumes/nowhere/iso/a.iso"
sata0.present = "true"
sata0:0.present = "true"
sata0:0.deviceType = "atapi-cdrom"
sata0:0.fileName = "auto detect"
ide0:0.present = "true"
ide0:0.deviceType = "ata-hardDisk"
ide0:0.fileName = "second.vmdk"
ide0:0.writeThrough = "true"
floppy0.present = "true"
floppy0.fileType = "file"
floppy0.fileName = "own.flp"
ethernet0.present = "true"
ethernet0.virtualDev = "vmxnet3"
ethernet0.connectionType = "bridged"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "vpx"
ethernet0.generatedAddress = "00:50:56:11:22:33"
ethernet1.present = "true"
ethernet1.connectionType = "nat"
ethernet1.addressType = "static"
ethernet1.address = "00:50:56:44:55:66"
serial0.present = "true"
serial0.fileType = "network"
serial0.fileName = "telnet://localhost:2001"
serial0.network.endPoint = "client"
serial1.present = "true"
serial1.fileType = "pipe"
serial1.fileName = "/tmp/pipe"
serial1.pipe.endPoint = "server"
serial1.tryNoRxLoss = "false"
parallel0.present = "true"
parallel0.fileType = "file"
parallel0.fileName = "out.txt"
svga.vramSize = "8388608"
RemoteDisplay.vnc.enabled = "true"
RemoteDisplay.vnc.port = "5903"
RemoteDisplay.vnc.ip = "192.0.2.1"
firmware = "efi"
uefi.secureBoot.enabled = "true"
smbios.reflecthost = "true"
"#;

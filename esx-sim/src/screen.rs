//! Pictures of screens: `/screen?id=MOREF`, and the files of `CreateScreenshot_Task`.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::{ManagedObjectReference, properties};

use crate::folder;
use crate::payload::{Answer, Payload};
use crate::simulator::{Settings, State};
use crate::world::World;
use crate::world::inventory::parts::mix;

/// Answers a request for the picture of a machine's screen, which only a running machine has.
pub(crate) fn answer(state: &mut State, settings: &Settings, head: &Parts) -> Answer {
    if folder::admit(state, settings, None, head).is_none() {
        return folder::not_logged_in();
    }
    if !matches!(head.method, Method::GET | Method::HEAD) {
        let mut refusal = folder::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        let allowed = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allowed);
        return refusal;
    }
    let pairs = head.uri.query().unwrap_or_default().split('&');
    let id = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == "id");
    let id = id.map(|(_, id)| percent_decode_str(id).decode_utf8_lossy());
    let world = &state.world;
    let mut vms = world.all("VirtualMachine");
    let Some(vm) = vms.find(|vm| id.as_deref() == Some(&*vm.value)) else {
        return folder::text(StatusCode::NOT_FOUND, "there is no such virtual machine");
    };
    let Some(picture) = picture(world, vm) else {
        let why = "the virtual machine is not powered on, or its host has no pictures of screens";
        return folder::text(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    let length = picture.len() as u64;
    let mut answer = Response::new(match head.method {
        Method::HEAD => Payload::announcing(Bytes::new(), length),
        _ => Payload::from(picture),
    });
    let kind = HeaderValue::from_static("image/png");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// What a running machine's screen shows, as a PNG of the size in `guest.screen`. It depends on the machine only.
pub(crate) fn picture(world: &World, vm: &ManagedObjectReference) -> Option<Bytes> {
    let machine = world.read::<properties::VirtualMachine>(vm)?;
    let runtime = machine.runtime.as_deref()?;
    if runtime.power_state != VirtualMachinePowerState::PoweredOn {
        return None;
    }
    let host = world.read::<properties::HostSystem>(runtime.host.as_ref()?)?;
    if !host.capability.as_deref()?.screenshot_supported {
        return None;
    }
    let guest = machine.guest.as_deref();
    let screen = guest.and_then(|guest| guest.screen.as_deref());
    let side = |length: Option<i32>, default: u32| {
        let length = length.and_then(|length| u32::try_from(length).ok());
        length.filter(|length| *length > 0).unwrap_or(default)
    };
    let width = side(screen.map(|screen| screen.width), 720);
    let height = side(screen.map(|screen| screen.height), 400);
    let seed = vm.value.bytes().fold(0u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    Some(draw(width, height, seed))
}

/// Height of a line of text, and width of a letter, in pixels.
const LETTER: (u32, u32) = (9, 16);

/// A black screen with lines of grey letters, which are blocks, and a bar at the top whose colour depends on the seed.
fn draw(width: u32, height: u32, seed: u64) -> Bytes {
    let [red, green, blue, ..] = mix(seed).to_be_bytes();
    let palette = [
        [0, 0, 0],
        [170, 170, 170],
        [red, green, blue],
        [255, 255, 255],
    ];
    let pixel = |x: u32, y: u32| -> u8 {
        let (row, column) = (y / LETTER.1, x / LETTER.0);
        if row == 0 {
            return 2;
        }
        let line = mix(seed ^ u64::from(row));
        let is_letter = u64::from(column) < line % 72
            && !mix(line ^ u64::from(column)).is_multiple_of(5)
            && (2..14).contains(&(y % LETTER.1))
            && (1..8).contains(&(x % LETTER.0));
        u8::from(is_letter)
    };
    let mut rows = Vec::new();
    for y in 0..height {
        // The row's filter: none.
        rows.push(0);
        for first in (0..width).step_by(4) {
            let four = (first..first + 4).map(|x| if x < width { pixel(x, y) } else { 0 });
            rows.push(four.fold(0, |byte, pixel| byte << 2 | pixel));
        }
    }
    png(width, height, &palette.concat(), &rows)
}

/// A PNG file with two bits a pixel, which are indices of a palette (PNG specification, sections 5, 11.2).
fn png(width: u32, height: u32, palette: &[u8], rows: &[u8]) -> Bytes {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    // Bits of a pixel, colours by a palette, the only methods of compression and filtering, not interlaced.
    header.extend([2, 3, 0, 0, 0]);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to a vector does not fail.
    let data = zlib.write_all(rows).and_then(|()| zlib.finish());
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"PLTE", palette);
    chunk(&mut file, b"IDAT", &data.unwrap_or_default());
    chunk(&mut file, b"IEND", &[]);
    file.into()
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    file.extend(length.to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}

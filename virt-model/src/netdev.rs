//! Parts that documents of network cards and of networks share (`src/conf/netdev_*_conf.c` of
//! libvirt).

mod bandwidth;
mod virtual_port;
mod vlan;

pub use bandwidth::{Bandwidth, BandwidthRate};
pub use virtual_port::VirtualPort;
pub use vlan::{NativeVlanMode, Vlan, VlanTag};

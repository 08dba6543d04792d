//! `virt-esx`: virsh commands for VMware ESX(i) and vCenter.

fn main() {}

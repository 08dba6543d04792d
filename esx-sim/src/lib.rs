//! A simulated VMware ESX host or vCenter.

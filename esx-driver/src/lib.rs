//! libvirt's ESX driver: domains of VMware ESX(i) hosts and vCenters.

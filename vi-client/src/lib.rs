//! A client for VMware ESX(i) hosts and vCenter over the VI SOAP API.

pub mod transport;

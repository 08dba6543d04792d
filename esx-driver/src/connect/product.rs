//! The server's product: an ESX(i) host, a VMware Server or a vCenter, and its version.

use std::fmt;

use vi_types::objects::AboutInfo;
use virt_model::{ErrorNumber, LibVersion};

use crate::{Error, ErrorKind, Result, Scheme};

/// A server's product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) line: ProductLine,
    /// The product's version.
    pub(crate) version: LibVersion,
}

/// The families of products with this API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProductLine {
    Gsx,
    Esx,
    Vpx,
}

impl Product {
    /// Reads the product from the server's description, and checks that it is supported.
    pub(crate) fn of(about: &AboutInfo) -> Result<Product> {
        if !matches!(about.api_type.as_str(), "HostAgent" | "VirtualCenter") {
            return Err(unsupported(format!(
                "Expecting VI API type 'HostAgent' or 'VirtualCenter' but found '{}'",
                about.api_type
            )));
        }
        let api_version = version(&about.api_version, "VI API")?;
        at_least(
            "VI API",
            LibVersion::new(2, 5, 0),
            &about.api_version,
            api_version,
        )?;
        let version = version(&about.version, "product")?;
        let (line, least) = match about.product_line_id.as_str() {
            "gsx" => (ProductLine::Gsx, LibVersion::new(2, 0, 0)),
            "esx" | "embeddedEsx" => (ProductLine::Esx, LibVersion::new(3, 5, 0)),
            "vpx" => (ProductLine::Vpx, LibVersion::new(2, 5, 0)),
            other => {
                return Err(unsupported(format!(
                    "Expecting product 'gsx' or 'esx' or 'embeddedEsx' or 'vpx' but found '{other}'"
                )));
            }
        };
        at_least(&line.to_string(), least, &about.version, version)?;
        Ok(Product { line, version })
    }

    /// Fails unless it is the product that a URI of that scheme means.
    pub(crate) fn expect(self, scheme: Scheme, server: &str) -> Result<()> {
        let wanted = match scheme {
            Scheme::Vpx => ProductLine::Vpx,
            Scheme::Esx => ProductLine::Esx,
            Scheme::Gsx => ProductLine::Gsx,
        };
        if self.line == wanted {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::Product,
            ErrorNumber::InternalError,
            format!(
                "Expecting '{server}' to be a {wanted} host but found a {} host",
                self.line
            ),
        );
        Err(error.advise(match self.line {
            ProductLine::Vpx => format!("use vpx://{server}/DATACENTER/HOST"),
            ProductLine::Esx => format!("use esx://{server}/"),
            ProductLine::Gsx => format!("use gsx://{server}/"),
        }))
    }
}

impl fmt::Display for ProductLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProductLine::Gsx => "Server/GSX",
            ProductLine::Esx => "ESX(i)",
            ProductLine::Vpx => "vCenter/VPX",
        })
    }
}

fn version(text: &str, of: &str) -> Result<LibVersion> {
    text.parse().map_err(|error| {
        unsupported(format!("Could not parse {of} version '{text}'")).because(error)
    })
}

fn at_least(what: &str, least: LibVersion, text: &str, found: LibVersion) -> Result<()> {
    if found >= least {
        return Ok(());
    }
    Err(unsupported(format!(
        "Minimum supported {what} version is {}.{} but found version '{text}'",
        least.major(),
        least.minor()
    )))
}

fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Product, ErrorNumber::InternalError, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(api_type: &str, api: &str, line: &str, version: &str) -> AboutInfo {
        AboutInfo {
            api_type: api_type.to_owned(),
            api_version: api.to_owned(),
            product_line_id: line.to_owned(),
            version: version.to_owned(),
            ..AboutInfo::default()
        }
    }

    #[test]
    fn products() {
        for (line, expected) in [
            ("esx", ProductLine::Esx),
            ("embeddedEsx", ProductLine::Esx),
            ("gsx", ProductLine::Gsx),
            ("vpx", ProductLine::Vpx),
        ] {
            let product = Product::of(&about("HostAgent", "6.7.3", line, "6.7.0")).unwrap();
            assert_eq!(product.line, expected);
            assert_eq!(product.version.number(), 6_007_000);
        }
    }

    #[track_caller]
    fn refused(about: AboutInfo, message: &str) {
        let error = Product::of(&about).unwrap_err();
        assert_eq!(error.to_string(), format!("internal error: {message}"));
    }

    #[test]
    fn not_supported() {
        refused(
            about("Other", "6.7", "esx", "6.7.0"),
            "Expecting VI API type 'HostAgent' or 'VirtualCenter' but found 'Other'",
        );
        refused(
            about("HostAgent", "x", "esx", "6.7.0"),
            "Could not parse VI API version 'x'",
        );
        refused(
            about("HostAgent", "6.7", "esx", ""),
            "Could not parse product version ''",
        );
        refused(
            about("HostAgent", "2.0.1", "esx", "6.7.0"),
            "Minimum supported VI API version is 2.5 but found version '2.0.1'",
        );
        refused(
            about("HostAgent", "2.5", "esx", "3.0.2"),
            "Minimum supported ESX(i) version is 3.5 but found version '3.0.2'",
        );
        refused(
            about("HostAgent", "2.5", "gsx", "1.0"),
            "Minimum supported Server/GSX version is 2.0 but found version '1.0'",
        );
        refused(
            about("VirtualCenter", "2.5", "vpx", "2.0"),
            "Minimum supported vCenter/VPX version is 2.5 but found version '2.0'",
        );
        refused(
            about("HostAgent", "6.7", "ws", "15.0"),
            "Expecting product 'gsx' or 'esx' or 'embeddedEsx' or 'vpx' but found 'ws'",
        );
    }

    #[test]
    fn another_kind_of_server_than_the_uri_says() {
        let vcenter = Product::of(&about("VirtualCenter", "8.0", "vpx", "8.0.0")).unwrap();
        assert!(vcenter.expect(Scheme::Vpx, "vc").is_ok());
        let error = vcenter.expect(Scheme::Esx, "vc").unwrap_err();
        assert_eq!(
            error.to_string(),
            "internal error: Expecting 'vc' to be a ESX(i) host but found a vCenter/VPX host"
        );
        assert_eq!(error.advice(), Some("use vpx://vc/DATACENTER/HOST"));
        let host = Product::of(&about("HostAgent", "8.0", "embeddedEsx", "8.0.0")).unwrap();
        let error = host.expect(Scheme::Vpx, "h").unwrap_err();
        assert_eq!(
            error.to_string(),
            "internal error: Expecting 'h' to be a vCenter/VPX host but found a ESX(i) host"
        );
        assert!(host.expect(Scheme::Gsx, "h").is_err());
    }
}

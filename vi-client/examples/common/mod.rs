//! What the examples have in common: a connection, from the command line.

use std::error::Error;

use vi_client::transport::{Endpoint, HttpsTransport, Verify};
use vi_client::{Client, Options};

/// Logs in to the server that the first four arguments name, with the password in `VI_PASSWORD`; the other
/// arguments are returned. `http` in place of the thumbprint means a server without TLS.
pub(crate) async fn connect(usage: &str) -> Result<(Client, Vec<String>), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.len() < 4 {
        return Err(format!(
            "usage: USER HOST PORT SHA256-THUMBPRINT {usage}, with the password in VI_PASSWORD"
        )
        .into());
    }
    let rest = arguments.split_off(4);
    let (host, port) = (&arguments[1], arguments[2].parse()?);
    let transport = match arguments[3].as_str() {
        "http" => HttpsTransport::new(Endpoint::http(host, port)),
        thumbprint => HttpsTransport::new(Endpoint::https(host, port))
            .verify(Verify::Pin(thumbprint.parse()?)),
    };
    let client = Client::connect(transport, Options::default()).await?;
    client
        .login(&arguments[0], std::env::var("VI_PASSWORD")?)
        .await?;
    Ok((client, rest))
}

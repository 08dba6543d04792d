use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::peers::{Simulator, Tools, workspace};
use super::process::{self, Run, Server};
use super::report::Report;

/// Certificates and versions of TLS as old hosts have them: a program in Python shows them before esx-sim, and virsh, curl and
/// virt-esx connect. What curl takes as a CA file virt-esx has to take, and what virsh reaches without verification too, but
/// for versions and ciphers that rustls does not have.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let hosts = Hosts {
        tools,
        simulator: tools.start_esx_sim(&["--esx", "--plain"])?,
        auth: auth_file(tools)?,
    };
    unverified(&hosts, report)?;
    pinned(&hosts, report)?;
    files(&hosts, report)?;
    old(&hosts, report)
}

/// With `no_verify=1`.
fn unverified(hosts: &Hosts<'_>, report: &mut Report) -> Result<(), String> {
    let section = "TLS without verification";
    for (name, virsh_reaches) in [
        ("v1", true),
        ("v1-md5", true),
        ("v1-rsa1024", true),
        ("v1-p256", true),
        ("v1-p521", true),
        ("v1-ed25519", true),
        ("v1-empty-subject", true),
        ("cn-name", true),
        ("expired", true),
        ("not-yet-valid", true),
        ("negative-serial", true),
        ("long-serial", true),
        ("unknown-critical", true),
        ("client-only", true),
        // GnuTLS, virsh's, looks at these even then.
        ("signs-only", false),
        ("times-of-a-zone", false),
        ("no-times", false),
    ] {
        for versions in [["TLSv1_2", "TLSv1_2"], ["TLSv1_2", "TLSv1_3"]] {
            let server = hosts.show(name, versions, "DEFAULT")?;
            let what = format!("{name} {}", versions[1]);
            let theirs = hosts.virsh("127.0.0.1", &server, "no_verify=1")?;
            report.check(
                section,
                &format!("virsh, {what}"),
                theirs.succeeded() == virsh_reaches,
                &theirs.to_string(),
            );
            let ours = hosts.virt_esx("127.0.0.1", &server, "no_verify=1")?;
            // In TLS 1.2 a server shows a key on a curve only to who can exchange keys on it; rustls has none on this one.
            let held = match (name, versions[1]) {
                ("v1-p521", "TLSv1_2") => ours.stderr.contains("no cipher suite in common"),
                _ if virsh_reaches => ours.succeeded() && ours.stdout == theirs.stdout,
                _ => ours.succeeded(),
            };
            report.check(
                section,
                &format!("virt-esx, {what}"),
                held,
                &ours.to_string(),
            );
        }
    }
    Ok(())
}

/// With the thumbprint that openssl prints.
fn pinned(hosts: &Hosts<'_>, report: &mut Report) -> Result<(), String> {
    let section = "TLS with a thumbprint";
    for name in [
        "v1",
        "v1-md5",
        "v1-rsa1024",
        "rsa1024",
        "v1-p256",
        "v1-p384",
        "v1-ed25519",
        "v1-other-name",
        "expired",
        "negative-serial",
        "signs-only",
        "unknown-critical",
        "no-times",
    ] {
        for versions in [["TLSv1_2", "TLSv1_2"], ["TLSv1_2", "TLSv1_3"]] {
            let server = hosts.show(name, versions, "DEFAULT")?;
            for digest in ["sha256", "sha1"] {
                let query = format!("thumbprint={digest}:{}", fingerprint(name, digest)?);
                let ours = hosts.virt_esx("127.0.0.1", &server, &query)?;
                let what = format!("{name} {} {digest}", versions[1]);
                report.check(section, &what, ours.succeeded(), &ours.to_string());
            }
        }
    }
    let server = hosts.show("v1", ["TLSv1_2", "TLSv1_3"], "DEFAULT")?;
    let query = format!("thumbprint={}", fingerprint("sha1", "sha256")?);
    let ours = hosts.virt_esx("127.0.0.1", &server, &query)?;
    let told = !ours.succeeded() && ours.stderr.contains("not the expected");
    report.check(section, "another one", told, &ours.to_string());
    Ok(())
}

/// What virt-esx says of a file of certificates.
enum Says {
    /// It connects, as curl does.
    Yes,
    /// It connects; curl does not.
    OnlyWe,
    /// Neither does.
    No(&'static str),
}

/// With `cacert`, as curl has it with `--cacert`. Debian's virsh does not know the parameter.
fn files(hosts: &Hosts<'_>, report: &mut Report) -> Result<(), String> {
    let section = "TLS with a file of certificates";
    let mismatch = "does not match the certificates in";
    for (host, name, file, says) in [
        ("127.0.0.1", "v1", "v1", Says::Yes),
        ("127.0.0.1", "v1-md5", "v1-md5", Says::Yes),
        ("127.0.0.1", "sha1", "sha1", Says::Yes),
        ("127.0.0.1", "cn-address", "cn-address", Says::Yes),
        ("127.0.0.1", "negative-serial", "negative-serial", Says::Yes),
        ("127.0.0.1", "no-end", "no-end", Says::Yes),
        ("localhost", "cn-name", "cn-name", Says::Yes),
        ("localhost", "cn-utf16", "cn-utf16", Says::Yes),
        ("localhost", "of-authority", "authority", Says::Yes),
        ("127.0.0.1", "v1-rsa1024", "v1-rsa1024", Says::OnlyWe),
        ("127.0.0.1", "signs-only", "signs-only", Says::OnlyWe),
        ("127.0.0.1", "client-only", "client-only", Says::OnlyWe),
        (
            "127.0.0.1",
            "unknown-critical",
            "unknown-critical",
            Says::OnlyWe,
        ),
        (
            "127.0.0.1",
            "address-as-name",
            "address-as-name",
            Says::OnlyWe,
        ),
        (
            "127.0.0.1",
            "expired",
            "expired",
            Says::No("expired on 2011-02-03"),
        ),
        (
            "127.0.0.1",
            "not-yet-valid",
            "not-yet-valid",
            Says::No("before 2100-01-01"),
        ),
        (
            "127.0.0.1",
            "cn-name",
            "cn-name",
            Says::No("but for localhost"),
        ),
        (
            "localhost",
            "cn-beside-names",
            "cn-beside-names",
            Says::No("but for esx7.example"),
        ),
        ("127.0.0.1", "v1", "cn-address", Says::No(mismatch)),
        ("127.0.0.1", "v1-p256", "v1", Says::No(mismatch)),
        (
            "localhost",
            "of-authority",
            "narrow-authority",
            Says::No(mismatch),
        ),
    ] {
        let server = hosts.show(name, ["TLSv1_2", "TLSv1_3"], "DEFAULT")?;
        let file_name = certificate(file);
        let what = format!("{name} at {host} with {file}");
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--output",
            "/dev/null",
            "--cacert",
        ]);
        curl.arg(&file_name);
        curl.arg(format!("https://{host}:{}/", server.greeting));
        let theirs = process::run(&mut curl, "")?;
        let expected = matches!(says, Says::Yes);
        report.check(
            section,
            &format!("curl, {what}"),
            theirs.succeeded() == expected,
            &theirs.to_string(),
        );
        let query = format!("cacert={}", file_name.display());
        let ours = hosts.virt_esx(host, &server, &query)?;
        let held = match says {
            Says::Yes | Says::OnlyWe => ours.succeeded(),
            Says::No(text) => {
                let advises = ours.stderr.contains("pin the thumbprint (thumbprint)");
                let file_again = ours.stderr.contains("(cacert)");
                !ours.succeeded() && ours.stderr.contains(text) && advises && !file_again
            }
        };
        report.check(
            section,
            &format!("virt-esx, {what}"),
            held,
            &ours.to_string(),
        );
    }
    Ok(())
}

/// What virsh reaches and we do not: versions and ciphers that rustls does not have. They are told in words.
fn old(hosts: &Hosts<'_>, report: &mut Report) -> Result<(), String> {
    let section = "old TLS";
    let (version, cipher) = ("neither TLS 1.2 nor TLS 1.3", "no cipher suite in common");
    for (versions, ciphers, virsh_reaches, told) in [
        (["TLSv1", "TLSv1"], "ALL", true, Some(version)),
        (["TLSv1_1", "TLSv1_1"], "ALL", true, Some(version)),
        (["TLSv1_2", "TLSv1_2"], "AES128-SHA", true, Some(cipher)),
        (
            ["TLSv1_2", "TLSv1_2"],
            "AES128-GCM-SHA256",
            true,
            Some(cipher),
        ),
        (
            ["TLSv1_2", "TLSv1_2"],
            "ECDHE-RSA-AES128-SHA",
            true,
            Some(cipher),
        ),
        (
            ["TLSv1_2", "TLSv1_2"],
            "DHE-RSA-AES128-GCM-SHA256",
            false,
            Some(cipher),
        ),
        (
            ["TLSv1_2", "TLSv1_2"],
            "ECDHE-RSA-AES128-GCM-SHA256",
            true,
            None,
        ),
    ] {
        let server = hosts.show("v1", versions, ciphers)?;
        let what = format!("{} {ciphers}", versions[1]);
        let theirs = hosts.virsh("127.0.0.1", &server, "no_verify=1")?;
        let name = format!("virsh, {what}");
        report.check(
            section,
            &name,
            theirs.succeeded() == virsh_reaches,
            &theirs.to_string(),
        );
        let ours = hosts.virt_esx("127.0.0.1", &server, "no_verify=1")?;
        let held = match told {
            None => ours.succeeded(),
            Some(text) => {
                let what_to_do = ours.stderr.contains("stunnel");
                !ours.succeeded() && ours.stderr.contains(text) && what_to_do
            }
        };
        report.check(
            section,
            &format!("virt-esx, {what}"),
            held,
            &ours.to_string(),
        );
    }
    Ok(())
}

/// esx-sim, before which certificates are shown.
struct Hosts<'a> {
    tools: &'a Tools,
    simulator: Simulator,
    auth: PathBuf,
}

impl Hosts<'_> {
    /// Starts a server with a certificate; its greeting is its port.
    fn show(&self, name: &str, versions: [&str; 2], ciphers: &str) -> Result<Server, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/terminator.py");
        let (script, certificate, key) = (script, certificate(name), key(name));
        let paths = [&script, &certificate, &key].map(|path| path.to_string_lossy());
        let [script, certificate, key] = &paths;
        let [oldest, newest] = versions;
        let port = self.simulator.port();
        // Python warns of old versions of TLS.
        let args = [
            "-W",
            "ignore",
            script,
            port,
            certificate,
            key,
            oldest,
            newest,
            ciphers,
        ];
        Server::start("python3", &args)
    }

    fn virsh(&self, host: &str, server: &Server, query: &str) -> Result<Run, String> {
        self.client("virsh".as_ref(), host, server, query)
    }

    fn virt_esx(&self, host: &str, server: &Server, query: &str) -> Result<Run, String> {
        self.client(&self.tools.virt_esx, host, server, query)
    }

    fn client(
        &self,
        program: &Path,
        host: &str,
        server: &Server,
        query: &str,
    ) -> Result<Run, String> {
        let uri = format!("esx://root@{host}:{}/?{query}", server.greeting);
        let mut command = self.tools.client(program, &self.auth);
        process::run(command.args(["-c", &uri, "hostname"]), "")
    }
}

fn auth_file(tools: &Tools) -> Result<PathBuf, String> {
    let path = tools.auth_file("tls.conf", "root", "password")?;
    let failed = |error| format!("cannot write {}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(failed)?;
    let also = "\n[auth-esx-localhost]\ncredentials=peer\n";
    fs::write(&path, text + also).map_err(failed)?;
    Ok(path)
}

/// The certificates of vi-client's tests, whose README says which key is whose.
fn folder() -> PathBuf {
    workspace().join("vi-client/tests/certificates")
}

fn certificate(name: &str) -> PathBuf {
    folder().join(format!("{name}.pem"))
}

fn key(certificate: &str) -> PathBuf {
    let keys = ["rsa1024", "p256", "p384", "p521", "ed25519"];
    let key = keys.into_iter().find(|key| certificate.ends_with(key));
    folder().join(format!("{}.key", key.unwrap_or("rsa2048")))
}

/// What `openssl x509` prints.
fn fingerprint(name: &str, digest: &str) -> Result<String, String> {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "x509",
        "-noout",
        "-fingerprint",
        &format!("-{digest}"),
        "-in",
    ]);
    let run = process::run(openssl.arg(certificate(name)), "")?;
    let digits = run
        .stdout
        .trim()
        .split_once('=')
        .map(|(_, digits)| digits.to_owned());
    digits.ok_or_else(|| run.to_string())
}

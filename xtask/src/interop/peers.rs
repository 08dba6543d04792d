use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{self, Server, step};

/// A program that a section runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// virt-esx and esx-sim.
    Ours,
    /// esx-sim and the example `transfer` of esx-driver.
    Transfer,
    /// This workspace's program with all types of the API.
    Witness,
    /// govmomi's simulator.
    Vcsim,
    /// libvirt's virsh.
    Virsh,
    /// Python with pyvmomi.
    Pyvmomi,
    /// Ansible with its collection community.vmware.
    Ansible,
    /// A terminal in a program.
    Tmux,
    /// Shells with completion, and man.
    Shells,
    /// promtool, Python with a parser of OpenMetrics, and vmware_exporter.
    Exporters,
    /// curl.
    Curl,
    /// openssl, and Python with it.
    OpenSsl,
}

impl Peer {
    /// The Debian packages of the peer.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Ours | Self::Transfer | Self::Witness => &[],
            Self::Vcsim => &["golang-go", "golang-github-vmware-govmomi-dev"],
            Self::Virsh => &["libvirt-clients"],
            Self::Pyvmomi | Self::Ansible => &["python3-venv"],
            Self::Tmux => &["tmux"],
            Self::Shells => &["zsh", "fish", "man-db"],
            Self::Curl => &["curl"],
            Self::OpenSsl => &["openssl", "python3"],
            Self::Exporters => &["python3-venv", "prometheus", "openssl"],
        }
    }
}

/// The paths of the programs and folders.
#[derive(Debug)]
pub(crate) struct Tools {
    /// This workspace's programs.
    pub(crate) virt_esx: PathBuf,
    pub(crate) esx_sim: PathBuf,
    /// The examples of esx-driver.
    pub(crate) monitor: PathBuf,
    pub(crate) transfer: PathBuf,
    pub(crate) witness: PathBuf,
    /// The peers.
    pub(crate) vcsim: PathBuf,
    pub(crate) python: PathBuf,
    /// Python with vmware_exporter.
    pub(crate) vmware_exporter: PathBuf,
    /// The virtual environment with Ansible.
    pub(crate) ansible: PathBuf,
    /// A folder for files of a run.
    pub(crate) scratch: PathBuf,
    /// A folder with captured answers, which may be missing.
    pub(crate) captures: PathBuf,
    /// A folder with libvirt's test data, which may be missing.
    pub(crate) conformance: PathBuf,
}

impl Tools {
    /// Installs and builds the missing programs.
    pub(crate) fn prepare(
        needs: impl Fn(Peer) -> bool,
        captures: Option<PathBuf>,
    ) -> Result<Self, String> {
        let target = target_directory()?;
        let scratch = target.join("interop");
        fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
        let peers = [
            Peer::Vcsim,
            Peer::Virsh,
            Peer::Pyvmomi,
            Peer::Ansible,
            Peer::Tmux,
            Peer::Shells,
            Peer::Exporters,
            Peer::Curl,
            Peer::OpenSsl,
        ]
        .into_iter()
        .filter(|peer| needs(*peer));
        install_packages(&peers.flat_map(Peer::packages).copied().collect::<Vec<_>>())?;
        let vcsim = scratch.join("vcsim");
        if needs(Peer::Vcsim) {
            build_vcsim(&vcsim)?;
        }
        let environment = scratch.join("python");
        if needs(Peer::Pyvmomi) {
            make_python(&environment, "pyVmomi", &["pyvmomi==9.1.1.0"])?;
        }
        let ansible = scratch.join("ansible");
        if needs(Peer::Ansible) {
            let packages = ["ansible==12.3.0", "pyvmomi==9.1.1.0", "requests"];
            let module = "ansible, pyVmomi, ansible_collections.community.vmware";
            make_python(&ansible, module, &packages)?;
        }
        let vmware_exporter = scratch.join("vmware-exporter");
        if needs(Peer::Exporters) {
            let parser = "prometheus_client.openmetrics.parser";
            make_python(&environment, parser, &["prometheus_client==0.26.0"])?;
            // It wants an old prometheus_client, does not work with newer releases of Twisted, and does not name all that it
            // needs.
            let packages = [
                "vmware_exporter==0.18.4",
                "Twisted==22.10.0",
                "requests",
                "setuptools",
            ];
            make_python(
                &vmware_exporter,
                "vmware_exporter.vmware_exporter",
                &packages,
            )?;
        }
        if needs(Peer::Ours) {
            build(&["-p", "virt-esx", "-p", "esx-sim", "--bins"])?;
            build(&["-p", "esx-driver", "--example", "monitor"])?;
        }
        if needs(Peer::Transfer) {
            build(&["-p", "esx-sim", "--bins"])?;
            build(&["-p", "esx-driver", "--example", "transfer"])?;
        }
        if needs(Peer::Witness) {
            build(&["-p", "xtask", "--features", "witness", "--bin", "witness"])?;
        }
        let program = |name| target.join("debug").join(name);
        Ok(Self {
            virt_esx: program("virt-esx"),
            esx_sim: program("esx-sim"),
            monitor: program("examples/monitor"),
            transfer: program("examples/transfer"),
            witness: program("witness"),
            vcsim,
            python: environment.join("bin/python"),
            vmware_exporter: vmware_exporter.join("bin/python"),
            ansible,
            scratch,
            captures: captures.unwrap_or_else(|| workspace().join("../shared/captures")),
            conformance: workspace().join("../shared/conformance"),
        })
    }

    /// Starts esx-sim over TLS on a free port.
    pub(crate) fn start_esx_sim(&self, args: &[&str]) -> Result<Simulator, String> {
        self.start_esx_sim_at(args, "127.0.0.1:0")
    }

    /// Starts esx-sim over TLS on this address.
    pub(crate) fn start_esx_sim_at(
        &self,
        args: &[&str],
        address: &str,
    ) -> Result<Simulator, String> {
        let args = [args, &["--listen", address]].concat();
        Simulator::new(Server::start(&self.esx_sim, &args)?)
    }

    /// Starts another build of esx-sim over TLS on a free port.
    pub(crate) fn start_program(&self, esx_sim: &Path, args: &[&str]) -> Result<Simulator, String> {
        Simulator::new(Server::start(esx_sim, args)?)
    }

    /// `program` with the environment of every client here: credentials from `auth`, messages in
    /// English, names in UTF-8, no configuration of the caller's.
    pub(crate) fn client(&self, program: impl AsRef<std::ffi::OsStr>, auth: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("LIBVIRT_AUTH_FILE", auth)
            .env("HOME", &self.scratch)
            .env("LC_ALL", "C.UTF-8")
            // Only errors: what else libvirt logs carries times and process ids.
            .env("LIBVIRT_DEBUG", "error")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("VIRSH_DEFAULT_CONNECT_URI")
            .env_remove("LIBVIRT_DEFAULT_URI");
        command
    }

    /// Writes an auth.conf that logs in to 127.0.0.1.
    pub(crate) fn auth_file(
        &self,
        name: &str,
        user: &str,
        password: &str,
    ) -> Result<PathBuf, String> {
        let path = self.scratch.join(name);
        let text = format!(
            "[credentials-peer]\nusername={user}\npassword={password}\n\n\
             [auth-esx-127.0.0.1]\ncredentials=peer\n"
        );
        fs::write(&path, text)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(path)
    }
}

/// A running esx-sim.
#[derive(Debug)]
pub(crate) struct Simulator {
    /// The libvirt URI it says to use.
    pub(crate) uri: String,
    _server: Server,
}

impl Simulator {
    fn new(server: Server) -> Result<Self, String> {
        let mut words = server.greeting.split([' ', '\'']);
        let uri = words.find(|word| word.contains("://"));
        let uri = uri
            .ok_or_else(|| format!("no URI in {:?}", server.greeting))?
            .to_owned();
        Ok(Self {
            uri,
            _server: server,
        })
    }

    /// The port in the URI.
    pub(crate) fn port(&self) -> &str {
        let after = self.uri.split("127.0.0.1:").nth(1).unwrap_or_default();
        after.split('/').next().unwrap_or_default()
    }
}

pub(super) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

pub(super) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// The target folder this program was built in.
fn target_directory() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = program.parent().and_then(Path::parent);
    folder
        .map(Path::to_owned)
        .ok_or_else(|| "cargo's target folder is not known".to_owned())
}

/// Builds programs of this workspace.
fn build(args: &[&str]) -> Result<(), String> {
    step(Command::new(cargo()).args(["build", "--quiet"]).args(args))
}

fn install_packages(packages: &[&str]) -> Result<(), String> {
    let installed = |package: &&str| step(Command::new("dpkg").args(["-s", package])).is_ok();
    if packages.iter().all(installed) {
        return Ok(());
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    step(apt().arg("update"))?;
    step(
        apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages),
    )
}

/// Builds our small program on govmomi's simulator, as Debian packages it.
fn build_vcsim(program: &Path) -> Result<(), String> {
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(program).arg(".");
    build
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode");
    step(build.current_dir(workspace().join("xtask/interop/vcsim")))
}

/// Makes a virtual environment with a module, of these packages.
fn make_python(environment: &Path, module: &str, packages: &[&str]) -> Result<(), String> {
    let python = environment.join("bin/python");
    let has_module = || {
        process::run(
            Command::new(&python).args(["-c", &format!("import {module}")]),
            "",
        )
        .is_ok_and(|run| run.succeeded())
    };
    if !has_module() {
        step(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(environment),
        )?;
        step(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .args(packages),
        )?;
    }
    Ok(())
}

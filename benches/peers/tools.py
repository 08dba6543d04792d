"""The programs of a run: which are missing, how ours are built, and how each is called."""

import json
import os
import pathlib
import re
import subprocess

from jobs import GOVMOMI, OURS, PYVMOMI, VIRSH, Command
from servers import Failure

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GOCODE = pathlib.Path("/usr/share/gocode")

# What has to be there, and the Debian package that has it.
NEEDED = {
    "/usr/bin/virsh": "libvirt-clients",
    "/usr/bin/go": "golang-go",
    "/usr/bin/curl": "curl",
    "/usr/bin/time": "time",
    str(GOCODE / "src/github.com/vmware/govmomi/simulator"): "golang-github-vmware-govmomi-dev",
}


class Tools:
    """The programs. `programs` is a folder of release builds; without it they are built."""

    def __init__(self, programs=None):
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
        self.scratch = target / "peers"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.build_ours = programs is None
        programs = pathlib.Path(programs or target / "release").resolve()
        self.virt_esx = programs / "virt-esx"
        self.esx_sim = programs / "esx-sim"
        self.inventory = programs / "examples/inventory"
        self.codec = programs / "codec"
        self.vcsim = self.scratch / "vcsim"
        self.govmomi = self.scratch / "govmomi"
        self.python = self.scratch / "python/bin/python"

    def missing(self):
        """What is missing, as lines that say how to get it."""
        packages = [package for path, package in NEEDED.items() if not os.path.exists(path)]
        lines = ["apt-get install " + " ".join(packages)] if packages else []
        if not self.python.exists():
            lines.append(f"python3 -m venv {self.scratch / 'python'}")
            lines.append(f"{self.python} -m pip install -r {HERE / 'requirements.txt'}")
        return lines

    def build(self):
        """Builds the programs of this workspace, and those on govmomi."""
        environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(GOCODE)}
        for folder, program in [(ROOT / "xtask/interop/vcsim", self.vcsim), (HERE / "govmomi", self.govmomi)]:
            step(["/usr/bin/go", "build", "-o", program, "."], folder, environment)
        if self.build_ours:
            build = ["cargo", "build", "--quiet", "--release"]
            step([*build, "-p", "virt-esx", "-p", "esx-sim", "--bins"], ROOT)
            step([*build, "-p", "vi-client", "--example", "inventory"], ROOT)
            bench = ["cargo", "bench", "--quiet", "-p", "esx-sim", "--bench", "codec", "--no-run", "--message-format", "json"]
            messages = map(json.loads, step(bench, ROOT).splitlines())
            self.codec = next(message["executable"] for message in messages if message.get("target", {}).get("name") == "codec")

    def command(self, program, address, words):
        """How a program is called, with the credentials of the server in its environment."""
        auth = self.scratch / f"{address.user}.conf"
        if not auth.exists():
            auth.write_text(
                f"[credentials-peer]\nusername={address.user}\npassword={address.password}\n\n"
                "[auth-esx-127.0.0.1]\ncredentials=peer\n"
            )
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.scratch),
            "LC_ALL": "C.UTF-8",
            "LIBVIRT_AUTH_FILE": str(auth),
            "LIBVIRT_DEBUG": "error",
            "PASSWORD": address.password,
            "VI_PASSWORD": address.password,
        }
        if program == VIRSH:
            call = ["/usr/bin/virsh", "-c", address.uri, *words]
        elif program == GOVMOMI:
            call = [self.govmomi, f"{address.protocol}://{address.user}@{address.host}:{address.port}/sdk", *words]
        elif program == PYVMOMI:
            jobs = HERE / "pyvmomi_jobs.py"
            call = [self.python, jobs, address.protocol, address.host, str(address.port), address.user, *words]
        elif program == OURS and words:
            call = [self.virt_esx, "-c", address.uri, *words]
        elif program == OURS:
            # The only job without a command of virt-esx.
            call = [self.inventory, address.user, address.host, str(address.port), address.thumbprint()]
        else:
            raise ValueError(program)
        return Command(call, env)

    def replay(self, address, request, compressed):
        """curl sends a request again, in a session of its own."""
        body = self.scratch / "request.xml"
        body.write_bytes(request.body)
        path = request.line.split()[1]
        call = ["/usr/bin/curl", "--silent", "--fail", "--insecure", "--output", "/dev/null"]
        call += ["--compressed"] if compressed else []
        call += ["--header", f"Content-Type: {request.headers['content-type']}"]
        call += ["--header", f"SOAPAction: {request.headers.get('soapaction', '')}"]
        call += ["--cookie", address.log_in(), "--data-binary", f"@{body}", address.web + path]
        return Command(call, {"PATH": "/usr/bin:/bin"})

    def versions(self):
        """The programs with their versions, in the order of the columns."""
        go = said(["dpkg-query", "-W", "-f", "${Version}", "golang-github-vmware-govmomi-dev"])
        pip = said([self.python, "-m", "pip", "show", "pyvmomi"])
        python = said([self.python, "--version"]).removeprefix("Python ")
        return {
            VIRSH: said(["/usr/bin/virsh", "--version"]),
            GOVMOMI: f"{go} ({said(['/usr/bin/go', 'version']).split()[2]})",
            PYVMOMI: re.search(r"^Version: (.*)$", pip, re.MULTILINE)[1] + f" (Python {python})",
            OURS: said([self.virt_esx, "--version"]).split()[-1],
        }


def step(words, folder, environment=None):
    """Runs a program whose errors only matter when it fails; gives what it prints."""
    run = subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode:
        raise Failure(f"{' '.join(map(str, words))} fails\n{run.stdout}{run.stderr}")
    return run.stdout


def said(words):
    return step(words, ROOT).strip()


def processor():
    """The processor of this machine."""
    with open("/proc/cpuinfo") as file:
        model = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    return f"{model}, {os.cpu_count()} cores"

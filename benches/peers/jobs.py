"""What is measured: the jobs, and how each program does them."""

import dataclasses
import os
import statistics
import subprocess
import tempfile
import threading
import time

from servers import Failure

# A program that takes longer is ended.
LONGEST = 300

VIRSH, GOVMOMI, PYVMOMI, OURS, CURL = "virsh", "govmomi", "pyvmomi", "virt-esx", "curl"


@dataclasses.dataclass(frozen=True)
class Job:
    """A job. `small` means the server with fewer machines."""

    key: str
    title: str
    programs: tuple
    small: bool = False


def jobs(machines, small, some):
    """All jobs, in the order of the table."""
    everybody = (VIRSH, GOVMOMI, PYVMOMI, OURS)
    libvirts = (VIRSH, OURS)
    return [
        Job("connect", "connect, log out", everybody),
        Job("list", f"list all of {machines:,}", everybody + (CURL,)),
        Job("all", "config, runtime, guest of all", (GOVMOMI, PYVMOMI, OURS)),
        Job("one", "one by name (dumpxml)", everybody),
        Job("uuid", "one by UUID (dumpxml)", libvirts),
        Job("cycle", "power cycle of one by name", everybody),
        Job("cycle-small", f"power cycle, {small:,} machines", everybody, small=True),
        Job("some", f"dumpxml of {some} of {small:,}, by UUID", libvirts, small=True),
        Job("many", f"dumpxml of {small:,}, by UUID", libvirts, small=True),
    ]


@dataclasses.dataclass(frozen=True)
class Machines:
    """The machines that the jobs are about."""

    names: list
    one: str
    # By program, as virsh 9 means the BIOS's: that of the one, and, if they are needed, all.
    uuid: dict
    uuids: dict

    @classmethod
    def of(cls, tools, address, with_uuids):
        """Asks for them."""

        def ask(*words, program=OURS):
            return observed(tools.command(program, address, words))[0].split()

        running = ask("list", "--name")
        one = running[len(running) // 2]
        uuid = {program: ask("domuuid", one, program=program)[0] for program in (VIRSH, OURS)}
        uuids = {program: ask("list", "--all", "--uuid", program=program) for program in (VIRSH, OURS)} if with_uuids else {}
        return cls(ask("list", "--all", "--name"), one, uuid, uuids)


def words(job, program, machines, some):
    """The arguments of a program for a job."""
    one = machines.one
    if program in (GOVMOMI, PYVMOMI):
        key = job.key.removesuffix("-small")
        return [key, one] if key in ("one", "cycle") else [key]
    uuids = machines.uuids.get(program, [])
    match job.key:
        case "connect":
            return ["uri"]
        case "list":
            return ["list", "--all"]
        case "all":
            return []
        case "one":
            return ["dumpxml", one]
        case "uuid":
            return ["dumpxml", machines.uuid[program]]
        case "cycle" | "cycle-small":
            return [f"destroy {one}; start {one}"]
        case "some":
            return ["; ".join(f"dumpxml {uuid}" for uuid in uuids[:: len(uuids) // some][:some])]
        case "many":
            return ["; ".join(f"dumpxml {uuid}" for uuid in uuids)]
    raise ValueError(job.key)


def shows(job, program, machines, output):
    """Whether a program printed what the job is about. Not all print something."""
    match job.key:
        case "list":
            return all(name in output for name in machines.names)
        case "all":
            return str(len(machines.names)) in output
        case "one" | "uuid":
            return machines.one in output
        case "many":
            return output.count("</domain>") == len(machines.names)
    return True


@dataclasses.dataclass(frozen=True)
class Command:
    """A program with its arguments and its whole environment."""

    words: list
    env: dict


@dataclasses.dataclass
class Figures:
    """What one program needed for one job."""

    walls: list = dataclasses.field(default_factory=list)
    cpus: list = dataclasses.field(default_factory=list)
    peak: float = None
    requests: int = None
    received: int = None

    @property
    def wall(self):
        return statistics.median(self.walls)

    @property
    def cpu(self):
        return statistics.median(self.cpus)


def timed(command):
    """Runs a program; the seconds it took, and its seconds of CPU."""
    with tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        process = subprocess.Popen(command.words, env=command.env, stdout=subprocess.DEVNULL, stderr=errors)
        watchdog = threading.Timer(LONGEST, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise Failure(f"{described(command)} fails: {errors.read().decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime


def observed(command):
    """Runs a program; what it prints, and its peak of memory in MiB.

    The peak that wait4 tells a large program is at least that program's own. `time` is small.
    """
    with tempfile.NamedTemporaryFile("r") as peak:
        words = ["/usr/bin/time", "-f", "%M", "-o", peak.name, *command.words]
        try:
            run = subprocess.run(words, env=command.env, capture_output=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{described(command)} takes more than {LONGEST} s") from error
        if run.returncode:
            raise Failure(f"{described(command)} fails: {run.stderr.decode(errors='replace')}")
        return run.stdout.decode(errors="replace"), int(peak.read()) / 1024


def described(command):
    text = " ".join(map(str, command.words))
    return text if len(text) < 200 else text[:200] + "…"

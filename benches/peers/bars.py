"""What the figures have to show."""

import dataclasses

from jobs import CURL, GOVMOMI, OURS, PYVMOMI, VIRSH


@dataclasses.dataclass(frozen=True)
class Bar:
    """A limit."""

    what: str
    value: float
    limit: float
    sign: str = "≤"

    @property
    def holds(self):
        return self.value >= self.limit if self.sign == "≥" else self.value <= self.limit


def bars(run):
    """All limits of a run."""
    figures = run.figures["vcsim"]

    def of(job, program=OURS):
        return figures[job, program]

    listing, one, cycle, many = of("list"), of("one"), of("cycle"), of("many")
    sizes = sorted([cycle.wall, of("cycle-small").wall])
    answers = [kinds for (_, compressed), kinds in run.serving.items() if not compressed]

    def served(field):
        return max(getattr(kinds["esx-sim"], field) / getattr(kinds["vcsim"], field) for kinds in answers)

    found = [
        Bar("connect: requests", of("connect").requests, 3),
        Bar("list: bytes of a machine", listing.received / run.machines, 440),
        Bar("list: wall, of curl's for the same answer", listing.wall / of("list", CURL).wall, 1.1),
        Bar("list: CPU, of govmomi's", listing.cpu / of("list", GOVMOMI).cpu, 1 / 6),
        Bar("one by name: requests", one.requests, 6),
        Bar("one by name: kB", one.received / 1000, 15),
        Bar("one by name: wall, of that by UUID", one.wall / of("uuid").wall, 1.3),
        Bar("one by name: wall, of pyvmomi's", one.wall / of("one", PYVMOMI).wall, 1 / 5),
        Bar("power cycle: requests", cycle.requests, 9),
        Bar("power cycle: kB", cycle.received / 1000, 12),
        Bar("power cycle: wall, of pyvmomi's", cycle.wall / of("cycle", PYVMOMI).wall, 1 / 5),
        Bar(f"power cycle: wall with {run.machines:,} and {run.small:,} machines, the longer of the shorter", sizes[1] / sizes[0], 1.2),
        Bar(f"dumpxml of {run.small:,} in one process: CPU, of virsh's", many.cpu / of("many", VIRSH).cpu, 1 / 10),
        Bar(f"dumpxml of {run.small:,} in one process: wall, of virsh's", many.wall / of("many", VIRSH).wall, 1 / 4),
        Bar("decoding: of a scan's speed", run.decode[OURS], 1.7, "≥"),
        Bar("esx-sim as a server: CPU, of vcsim's", served("cpu"), 1),
        Bar("esx-sim as a server: wall, of vcsim's", served("wall"), 1),
        Bar("esx-sim as a server: peak memory, of vcsim's", served("peak"), 1),
    ]
    for kind, lines in run.behind.items():
        found.append(Bar(f"cells of the table on {kind} where another is ahead", len(lines), 0))
    return found


def behind(jobs, figures):
    """The cells of a table where another program needs less, in words."""
    units = {"wall": " s", "cpu": " s of CPU", "peak": " MiB", "requests": " requests", "received": " bytes"}
    lines = []
    for job in jobs:
        ours = figures[job.key, OURS]
        others = {program: of for (key, program), of in figures.items() if key == job.key and program not in (OURS, CURL)}
        for field, unit in units.items():
            program = min(others, key=lambda name: getattr(others[name], field))
            best = getattr(others[program], field)
            if best < getattr(ours, field):
                lines.append(f"{job.title}: {program} {best:.4g}{unit}, virt-esx {getattr(ours, field):.4g}")
    return lines

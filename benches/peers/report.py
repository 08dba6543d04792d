"""The page, README's table and the chart."""

import math

from jobs import CURL, GOVMOMI, OURS, PYVMOMI, VIRSH

COLUMNS = (VIRSH, GOVMOMI, PYVMOMI, OURS)


def seconds(value):
    """Three digits that count."""
    return f"{value:.3g}" if value >= 1 else f"{value:.3f}".lstrip("0")


def kilobytes(count):
    return f"{count / 1000:,.0f}" if count >= 99_500 else f"{count / 1000:.3g}"


def number(value):
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.3g}"


def table(head, rows):
    """A table of Markdown, the first column to the left."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def full_table(jobs, figures):
    """Every figure of every job."""
    rows = []
    for job in jobs:
        row = [job.title]
        for program in COLUMNS:
            of = figures.get((job.key, program))
            row.append(
                f"{seconds(of.wall)} / {seconds(of.cpu)} / {of.peak:.0f} / {of.requests:,} / {kilobytes(of.received)}" if of else ""
            )
        rows.append([*row, ratio(job, figures, "wall"), ratio(job, figures, "cpu")])
    return table(["job", *COLUMNS, "wall", "CPU"], rows)


def ratio(job, figures, field):
    """How many times the best of the others needs what we need."""
    others = [getattr(of, field) for (key, program), of in figures.items() if key == job.key and program not in (OURS, CURL)]
    return f"{min(others) / getattr(figures[job.key, OURS], field):.1f}×"


def short_table(jobs, figures):
    """README's: the seconds, and the requests with what they bring."""
    rows = []
    for job in jobs:
        row = [job.title]
        for program in COLUMNS:
            of = figures.get((job.key, program))
            row.append(f"{seconds(of.wall)} s, {of.requests:,} for {kilobytes(of.received)} kB" if of else "")
        rows.append(row)
    return table(["", *COLUMNS], rows)


def serving_table(serving):
    """The simulators as servers."""
    rows = []
    for (request, compressed), kinds in serving.items():
        for kind, of in kinds.items():
            answer = f"{request}, gzip" if compressed else request
            rows.append([answer, kind, seconds(of.wall), seconds(of.cpu), f"{of.peak:,.0f}", kilobytes(of.received)])
    return table(["answer", "server", "wall s", "server's CPU s", "server's peak MiB", "kB"], rows)


def bars_table(bars):
    rows = [[bar.what, number(bar.value), f"{bar.sign} {number(bar.limit)}", "yes" if bar.holds else "**no**"] for bar in bars]
    return table(["what", "measured", "limit", "holds"], rows)


def page(run):
    """docs/peers.md."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    text = f"""\
# Beside other clients

`benches/peers/run` measures `virt-esx` beside libvirt's virsh, a Go program on govmomi and a Python program on pyvmomi, and writes
this page. Each job is a whole process, from its start to its end. The programs take turns, and the figures are medians of
{run.rounds} to {run.most_rounds} turns (a program that takes long has fewer). The servers are simulators on the same machine, over TLS. Requests,
kilobytes and memory are those of another run, without TLS and through a proxy that counts.

{run.processor}; {versions}; {run.date}.

A cell is: seconds / seconds of CPU / peak MiB / requests / kB received. The last two columns are what the best of the others
needs, in terms of what virt-esx needs.

"""
    for kind, figures in run.figures.items():
        text += f"## On {kind}\n\n{full_table(run.jobs, figures)}\n"
        if lines := run.behind[kind]:
            text += "Another needs less:\n\n" + "".join(f"- {line}\n" for line in lines) + "\n"
    text += f"""\
## Decoding

An answer with {run.small:,} virtual machines ({run.answer / 1e6:.1f} MB), from memory: govmomi {run.decode[GOVMOMI]:.1f} MB/s, pyvmomi
{run.decode[PYVMOMI]:.1f} MB/s. vi-types decodes it {run.decode[OURS]:.2f} times as fast as quick-xml only reads it.

## Simulators as servers

esx-sim and govmomi's vcsim with {run.served:,} machines, asked by curl in turn: what `virt-esx list` asks for, and config, runtime and
guest of all. Debian's vcsim does not compress.

{serving_table(run.serving)}
## Limits

On vcsim, if nothing else is said.

{bars_table(run.bars)}"""
    return text


def readme(run):
    """What README has between its markers."""
    figures = run.figures["vcsim"]
    return f"""\
## Beside other clients

![Seconds of whole processes, by job and program](docs/peers.svg)

{short_table(run.jobs, figures)}
Whole processes on govmomi's simulator with {run.machines:,} machines, in turn, on one machine ({run.processor}); requests and kB
received beside. Decoding an answer with {run.small:,} machines ({run.answer / 1e6:.1f} MB) is {run.decode[OURS]:.2f} times as fast as a
mere scan with quick-xml; govmomi decodes {run.decode[GOVMOMI]:.1f} MB/s, pyvmomi {run.decode[PYVMOMI]:.1f} MB/s.
[docs/peers.md](docs/peers.md) has CPU and memory, esx-sim as the server, and how it is measured.
"""


BAR, GAP, LEFT, WIDTH = 14, 16, 250, 860
COLOURS = {VIRSH: "c1", GOVMOMI: "c2", PYVMOMI: "c3", OURS: "c4"}
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .small { font-size: 11px; fill: #57606a }
  line { stroke: #d0d7de }
  .c1 { fill: #8c959f } .c2 { fill: #54aeff } .c3 { fill: #d4a72c } .c4 { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    line { stroke: #3d444d }
    .c1 { fill: #6e7681 } .c2 { fill: #388bfd } .c3 { fill: #bb8009 } .c4 { fill: #3fb950 }
  }
"""


def chart(run):
    """Bars of the seconds, on a logarithmic scale, as SVG. It has no background, so that it suits light and dark pages."""
    figures = run.figures["vcsim"]
    walls = [of.wall for (_, program), of in figures.items() if program in COLUMNS]
    low, high = math.floor(math.log10(min(walls))), math.ceil(math.log10(max(walls)))

    def x(value):
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - 60)

    parts, y = [], 30
    for at, program in enumerate(COLUMNS):
        parts.append(f'<rect class="{COLOURS[program]}" x="{LEFT + at * 110}" y="4" width="12" height="12"/>')
        parts.append(f'<text x="{LEFT + at * 110 + 17}" y="15">{program}</text>')
    for job in run.jobs:
        programs = [program for program in COLUMNS if (job.key, program) in figures]
        middle = y + len(programs) * BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 10}" y="{middle:.0f}" text-anchor="end">{job.title}</text>')
        for program in programs:
            wall = figures[job.key, program].wall
            width = max(x(wall) - LEFT, 1)
            parts.append(f'<rect class="{COLOURS[program]}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}"/>')
            parts.append(f'<text class="small" x="{LEFT + width + 5:.1f}" y="{y + 10}">{seconds(wall)} s</text>')
            y += BAR
        y += GAP
    lines = [
        f'<line x1="{x(10**power):.1f}" y1="26" x2="{x(10**power):.1f}" y2="{y - GAP + 4}"/>'
        f'<text class="small" x="{x(10**power):.1f}" y="{y + 4}" text-anchor="middle">{10**power:g} s</text>'
        for power in range(low, high + 1)
    ]
    parts.append(f'<text class="small" x="{LEFT - 10}" y="{y + 4}" text-anchor="end">logarithmic</text>')
    body = "\n".join(lines + parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 12}" width="{WIDTH}" height="{y + 12}" role="img">\n'
        f"<title>Seconds of whole processes, on a logarithmic scale</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n"
    )

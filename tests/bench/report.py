"""report.py - the Markdown report of a benchmark.

Medians of the rounds; in brackets the smallest and the largest.  A ratio is
clusterbus's median divided by the peer's.
"""

import os
import statistics

from cases import LIMITS
from goals import judge

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {
    "clusterbus": "clusterbus", "nats": "NATS (WebSocket)",
    "nats-tcp": "NATS (plain TCP)", "nchan": "nginx + nchan",
    "crossws": "crossws", "socketio": "socket.io",
    "uws": "uWebSockets (1 process)", "hub": "clusterbus's hub",
    "door": "its Redis door", "redis": "Redis",
}


def human(value):
    """A number that can be read."""
    if value is None:
        return "–"
    if abs(value) >= 1e6:
        return f"{value / 1e6:.2f} M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.0f} k"
    if abs(value) >= 1e3:
        return f"{value / 1e3:.1f} k"
    return f"{value:.0f}"


def show(value, path):
    """A value as its column wants it."""
    if path.startswith("latency_us") or path.endswith("_us"):
        return f"{value:,.0f}"
    return human(value)


def get(run, path):
    """A value of a run; "latency_us.p50" goes down."""
    for part in path.split("."):
        run = run.get(part, {})
    return run if isinstance(run, (int, float)) else None


class Results:
    """All runs of all cases: runs[case][peer] is a list."""

    def __init__(self, runs, limits):
        self.runs = runs
        self.limits = limits

    def values(self, case, peer, path):
        """One value of each run that has it."""
        got = [get(run, path)
               for run in self.runs.get(case, {}).get(peer, [])]
        return [one for one in got if one is not None]

    def median(self, case, peer, path):
        """The median, or None."""
        values = self.values(case, peer, path)
        return statistics.median(values) if values else None

    def limit_at(self, coalescing):
        """Messages per CPU second that send() allows at this coalescing."""
        points = sorted((int(k), v) for k, v in self.limits.items())
        if not points or coalescing is None:
            return None
        if coalescing <= points[0][0]:
            return points[0][1]
        for (left, low), (right, high) in zip(points, points[1:]):
            if coalescing <= right:
                part = (coalescing - left) / (right - left)
                return low + part * (high - low)
        return points[-1][1]


def spread(results, case, peer, path):
    """Median with smallest and largest."""
    values = results.values(case, peer, path)
    if not values:
        return "–"
    text = f"**{show(statistics.median(values), path)}**"
    if len(values) > 1:
        text += f" ({show(min(values), path)}–{show(max(values), path)})"
    return text


def ratio(results, case, peer, path, smaller_wins):
    """Ours against this peer."""
    ours = results.median(case.name, case.peers[0], path)
    theirs = results.median(case.name, peer, path)
    if peer == case.peers[0] or not ours or not theirs:
        return ""
    value = theirs / ours if smaller_wins else ours / theirs
    return f"{value:.2f}"


COLUMNS = {
    "load": (
        ("deliveries per server CPU second", "deliveries_per_cpu_second"),
        ("deliveries/s", "deliveries_per_second"),
        ("per TCP segment", "deliveries_per_segment"),
        ("p50 µs", "latency_us.p50"), ("p99 µs", "latency_us.p99"),
    ),
    "latency": (
        ("p50 µs", "latency_us.p50"), ("p90 µs", "latency_us.p90"),
        ("p99 µs", "latency_us.p99"), ("p99.9 µs", "latency_us.p999"),
        ("max µs", "latency_us.max"),
        ("generator late, max µs", "publish_lag_max_us"),
        ("deliveries per server CPU second", "deliveries_per_cpu_second"),
    ),
    "publishes": (
        ("publishes per server CPU second", "publishes_per_cpu_second"),
        ("publishes/s", "publishes_per_second"),
        ("deliveries per server CPU second", "deliveries_per_cpu_second"),
        ("p50 µs", "latency_us.p50"), ("p99 µs", "latency_us.p99"),
    ),
    "bytes": (
        ("bytes/s delivered", "bytes_per_second"),
        ("deliveries per server CPU second", "deliveries_per_cpu_second"),
        ("p50 µs", "latency_us.p50"), ("p99 µs", "latency_us.p99"),
    ),
    "idle": (
        ("handshakes per server CPU second", "handshakes_per_cpu_second"),
        ("handshakes/s", "handshakes_per_second"),
        ("bytes for each connection", "bytes_per_connection"),
    ),
}

KIND_OF_FIGURE = {
    "deliveries_per_cpu_second": "load", "latency": "latency",
    "publishes_per_cpu_second": "publishes", "bytes_per_second": "bytes",
    "idle": "idle",
}


def trouble_of(runs):
    """What went wrong, or "none"."""
    names = ("lost", "doubled", "reordered", "altered", "errors", "closed")
    sums = {name: sum(run.get(name, 0) for run in runs) for name in names}
    told = [f"{count} {name}" for name, count in sums.items() if count]
    failed = sum("failed" in run for run in runs)
    if failed:
        told.append(f"{failed} of {len(runs)} runs failed")
    return ", ".join(told) or "none"


def case_table(results, case):
    """One case as a table."""
    kind = KIND_OF_FIGURE[case.figure]
    columns = COLUMNS[kind]
    smaller = kind == "latency"
    lines = [f"### {case.name}: {case.title}", ""]
    head = ["", *(title for title, _ in columns), "ours is × better",
            "trouble"]
    lines.append("| " + " | ".join(head) + " |")
    lines.append("|" + "---|" * len(head))
    for peer in case.peers:
        runs = results.runs.get(case.name, {}).get(peer)
        if not runs:
            continue  # not there, or not asked for
        cells = [NAMES[peer], *(spread(results, case.name, peer, path)
                                for _, path in columns),
                 ratio(results, case, peer, columns[0][1], smaller),
                 trouble_of(runs)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def limit_table(results):
    """What send() allows."""
    lines = ["### limit: prebuilt bytes, plain send() to 1000 sockets", "",
             "| messages in a send | " +
             " | ".join(str(k) for k in LIMITS) + " |",
             "|" + "---|" * (len(LIMITS) + 1),
             "| messages per CPU second of the sender | " +
             " | ".join(human(results.limits.get(str(k))) for k in LIMITS) +
             " |", ""]
    return lines


def cost_table(costs):
    """What single things cost inside of a worker (costs.py)."""
    lines = ["### What single things cost", "",
             "CPU time of the worker, user and system, for one of many "
             "(costs.py).", "", "| what | µs | smallest to largest |",
             "|---|---|---|"]
    lines += [f"| {name} | **{middle:.2f}** | {low:.2f} to {high:.2f} |"
              for name, middle, low, high in costs]
    return lines + [""]


DRIVERS = {"redis": "clusterbus, redis", "pgsql": "clusterbus, pgsql",
           "crossws": "crossws, redis() and ioredis"}


def driver_table(drivers):
    """What a message to another host costs (drivers.py)."""
    lines = ["### drivers: from one host to another", "",
             "Two hosts on this machine and a real server, Unix sockets, 128 "
             "bytes (drivers.py). Added:", "to a client on the other host, "
             "minus to one on another worker of the same host (crossws:",
             "of the same process), one message at a time, median / p99. CPU: "
             "batches of 256 messages, from", "one client to one; a host is "
             "the primary and its two workers, or the process of Node.", "",
             "| | same host µs | other host µs | added µs | CPU µs a message: "
             "primary that sends | primary that receives | server | both hosts "
             "| messages per CPU second of both hosts | redis is × better |",
             "|" + "---|" * 10]
    middle = {name: {figure: values[0] for figure, values in found.items()}
              for name, found in drivers}
    for name, found in drivers:
        cells = [DRIVERS[name]]
        cells += [f"{found[one + '_p50'][0]:,.0f} / "
                  f"{found[one + '_p99'][0]:,.0f}"
                  for one in ("near", "far", "added")]
        cells += [f"{found['cpu_' + one][0]:.1f}"
                  for one in ("sends", "receives", "server", "hosts")]
        rate, low, high = found["per_cpu_second"]
        cells.append(f"**{human(rate)}** ({human(low)}–{human(high)})")
        cells.append(f"{middle['redis']['per_cpu_second'] / rate:.1f}"
                     if name == "crossws" and "redis" in middle else "")
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def render(kept, machine, cases, note):
    """The whole report."""
    runs, limits = kept["runs"], kept["limits"]
    results = Results(runs, limits)
    lines = ["# Benchmark report", "",
             "Made by `make bench`; the same generator (`busctl bench`) puts "
             "the same work on every", "server, side by side in one run, in "
             "turns. What is counted:", "",
             "- A publish is complete when every subscriber has it; only "
             "then its place in the window is free.",
             "- Payloads are 128 bytes where nothing else is said.",
             "- Server CPU is user and system time of the whole process "
             "tree.",
             "- \"Per TCP segment\" is how many deliveries the server put "
             "into one send.",
             "- A number in bold is the median of the rounds, with the "
             "smallest and the largest behind it.",
             "- Every delivery is checked: lost, doubled, reordered and "
             "altered ones are under trouble.", ""]
    lines += [note, ""] if note else []
    lines += ["## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in machine]
    lines += ["", "## Goals", "", "| goal | measured | |", "|---|---|---|"]
    lines += [f"| {goal} | {measured} | {verdict} |"
              for goal, measured, verdict in judge(results)]
    with open(os.path.join(HERE, "notes.md"), encoding="utf-8") as notes:
        lines += ["", notes.read().rstrip()]
    lines += ["", "## Cases", ""]
    for case in cases:
        if case.name in runs:
            lines += case_table(results, case)
    if limits:
        lines += limit_table(results)
    if kept.get("costs"):
        lines += cost_table(kept["costs"])
    if kept.get("drivers"):
        lines += driver_table(kept["drivers"])
    return "\n".join(lines).rstrip() + "\n"

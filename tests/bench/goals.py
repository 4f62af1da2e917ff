"""goals.py - what was promised, and whether the measured numbers keep it."""


def verdict(reached):
    """One word for a table."""
    if reached is None:
        return "not measured"
    return "reached" if reached else "**not reached**"


def times(goal, ours, theirs, factor, what):
    """Ours must be at least factor times theirs."""
    if not ours or not theirs:
        return goal, f"{what}: –", verdict(None)
    value = ours / theirs
    return goal, f"{what}: {value:.2f} ×", verdict(value >= factor)


def at_least(goal, value, wanted, unit):
    """A value must be at least what is wanted."""
    if value is None:
        return goal, "–", verdict(None)
    return goal, f"{value:,.0f} {unit}", verdict(value >= wanted)


def at_most(goal, value, wanted, unit):
    """A value must be at most what is wanted."""
    if value is None:
        return goal, "–", verdict(None)
    return goal, f"{value:,.0f} {unit}", verdict(value <= wanted)


def fan_out(results):
    """Goal 1."""
    path = "deliveries_per_cpu_second"
    ours = results.median("w64", "clusterbus", path)
    yield times("1. Fan-out, one core: ≥ 2 × NATS", ours,
                results.median("w64", "nats", path), 2, "w64")
    yield times("1. the same, bursts: ≥ 2 × NATS",
                results.median("burst", "clusterbus", path),
                results.median("burst", "nats", path), 2, "burst")
    yield times("1. Fan-out, one core: ≥ 5 × uWebSockets", ours,
                results.median("w64", "uws", path), 5, "w64")
    coalescing = results.median("w64", "clusterbus", "deliveries_per_segment")
    limit = results.limit_at(coalescing)
    goal = "1. at least a third of the limit at the coalescing reached"
    if ours and limit:
        yield (goal, f"{100 * ours / limit:.0f} % of the limit at "
               f"{coalescing:.0f} in a send", verdict(ours * 3 >= limit))
    else:
        yield goal, "–", verdict(None)


def workers(results):
    """Goals 2 and 3."""
    path = "deliveries_per_cpu_second"
    four = results.median("four", "clusterbus", path)
    yield times("2. Four workers: ≥ 80 % of one worker per CPU second", four,
                results.median("four-as-one", "clusterbus", path), 0.8,
                "four / one")
    yield times("2. ≥ 10 × crossws cluster", four,
                results.median("four", "crossws", path), 10, "four workers")
    yield times("2. ≥ 10 × socket.io cluster", four,
                results.median("four", "socketio", path), 10, "four workers")
    yield at_least("3. Relay-dominated: ≥ 1 M per CPU second",
                   results.median("relay", "clusterbus", path), 1e6,
                   "per CPU second")
    yield times("3. The hub relays more per CPU second than Redis",
                results.median("hub", "hub", path),
                results.median("hub", "redis", path), 1, "hub / Redis")
    for case in ("hub", "hub-burst"):
        yield times("3. So does its Redis door, with the same clients",
                    results.median(case, "door", path),
                    results.median(case, "redis", path), 1,
                    case + ": door / Redis")


def light(results):
    """Goal 4."""
    for path in ("p50", "p99"):
        ours = results.median("light", "clusterbus", "latency_us." + path)
        for peer, name in (("uws", "uWebSockets"), ("nats", "NATS")):
            theirs = results.median("light", peer, "latency_us." + path)
            goal = f"4. Light load: {path} not above {name}'s"
            if ours is None or theirs is None:
                yield goal, "–", verdict(None)
            else:
                yield (goal, f"{ours:.0f} µs against {theirs:.0f} µs",
                       verdict(ours <= theirs))


def connections(results):
    """Goal 5."""
    yield at_most("5. ≤ 2.5 kB for an idle connection",
                  results.median("idle", "clusterbus",
                                 "bytes_per_connection"), 2560, "bytes")
    yield at_least("5. ≥ 25 k handshakes per CPU second",
                   results.median("idle", "clusterbus",
                                  "handshakes_per_cpu_second"), 25000,
                   "per CPU second")


def growth(results):
    """Goal 6: the cost of a publish stays what it is."""
    path = "publishes_per_cpu_second"
    yield times("6. 100 000 topics: publishes cost what they cost with 1000 "
                "(≥ 80 %)",
                results.median("topics-100k", "clusterbus", path),
                results.median("topics-one", "clusterbus", path), 0.8,
                "publishes per CPU second")
    yield times("6. 63 uninterested workers: publishes cost what they cost "
                "with none (≥ 50 %; one hop more)",
                results.median("uninterested-64", "clusterbus", path),
                results.median("uninterested-1", "clusterbus", path), 0.5,
                "publishes per CPU second")


def judge(results):
    """Rows (goal, measured, verdict)."""
    rows = []
    for part in (fan_out, workers, light, connections, growth):
        rows += list(part(results))
    return rows

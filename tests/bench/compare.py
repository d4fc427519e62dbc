"""The committed result beside a new one: what has become slower, by name."""

TOLERANCE = 0.03


def regressions(baseline: list[dict], rows: list[dict]) -> list[str]:
    """A sentence for each row of ours that costs more above the baseline than
    is tolerated, and for each that is there no more. Linux's own side does not
    matter: it changes with Debian's kernel. A row that `varies` from run to
    run, as it depends on when the host answers, is shown and not judged."""
    now = {row["row"]: row["rayos"] for row in rows}
    found = []
    for row in baseline:
        name, before = row["row"], row["rayos"]
        if name not in now:
            found.append(f"{name}: is in the baseline and was not measured")
        elif row.get("varies"):
            continue
        elif now[name] > before * (1 + TOLERANCE):
            found.append(f"{name}: {before} before, {now[name]} now "
                         f"(+{100 * (now[name] / before - 1):.1f}%)")
    return found

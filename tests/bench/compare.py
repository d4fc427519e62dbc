"""The committed result beside a new one: what has become slower, by name."""

TOLERANCE = 0.03
# Rows *_max are one sample, the worst of a run: two runs have been seen to
# differ by a fifth where all means agreed within 0.4%.
WORST_TOLERANCE = 0.5


def tolerance(row: str) -> float:
    return WORST_TOLERANCE if row.endswith("_max") else TOLERANCE


def regressions(baseline: list[dict], rows: list[dict]) -> list[str]:
    """A sentence for each row of ours that costs more above the baseline than
    is tolerated, and for each that is there no more. Linux's own side does not
    matter: it changes with Debian's kernel."""
    now = {row["row"]: row["rayos"] for row in rows}
    found = []
    for row in baseline:
        name, before = row["row"], row["rayos"]
        if name not in now:
            found.append(f"{name}: is in the baseline and was not measured")
        elif now[name] > before * (1 + tolerance(name)):
            found.append(f"{name}: {before} before, {now[name]} now "
                         f"(+{100 * (now[name] / before - 1):.1f}%)")
    return found

"""A benchmark that has become slower than the baseline is named."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import bench  # noqa: E402
import compare  # noqa: E402

BASELINE = [{"row": "lua.fib", "rayos": 1000}, {"row": "a.b", "rayos": 50.5}]


def rows(fib: float, other: float = 50.5) -> list[dict]:
    return [{"row": "lua.fib", "rayos": fib}, {"row": "a.b", "rayos": other}]


def test_what_stays_within_three_percent_is_no_regression():
    assert compare.regressions(BASELINE, rows(1030)) == []
    assert compare.regressions(BASELINE, rows(500, 10)) == []


def test_what_costs_more_than_three_percent_more_is_named():
    found = compare.regressions(BASELINE, rows(1031))
    assert len(found) == 1
    assert found[0].startswith("lua.fib: 1000 before, 1031 now (+3.1%)")


def test_a_row_that_varies_is_not_judged_but_missed_when_it_is_gone():
    baseline = [BASELINE[0] | {"varies": True}]
    assert compare.regressions(baseline, rows(5000)) == []
    assert len(compare.regressions(baseline, rows(5000)[1:])) == 1


def test_a_row_that_is_gone_is_named():
    found = compare.regressions(BASELINE, rows(1000)[:1])
    assert len(found) == 1 and found[0].startswith("a.b: ")


def test_a_regression_makes_the_exit_status_1(tmp_path, monkeypatch, capsys):
    baseline = tmp_path / "baseline.json"
    baseline.write_text('[{"row": "lua.fib", "rayos": 1000}]')
    monkeypatch.setattr(bench, "BASELINE", baseline)
    assert bench.judge(rows(1000)) == 0
    assert bench.judge(rows(1100)) == 1
    assert "regression: lua.fib" in capsys.readouterr().out

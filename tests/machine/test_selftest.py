"""The kernel's own self-tests, on one, two and four CPUs, and under UBSan."""

import pytest


@pytest.mark.parametrize("cpus,image", [
    (1, "rayos.img"), (2, "rayos.img"), (4, "rayos.img"),
    (2, "ubsan/rayos.img"),
])
def test_kernel_selftests_pass(fleet, cpus, image):
    m = fleet.boot(cmdline="testhooks", cpus=cpus, image=image)
    names, = m.eval("return sys.test.selftests()")
    assert len(names) >= 15
    failed = {}
    for name in names:
        ok, why = (m.eval(f'return sys.test.selftest("{name}")', 120)
                   + [None])[:2]
        if not ok:
            failed[name] = why
    assert not failed

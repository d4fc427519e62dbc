"""Debian's kernels on Intel's VMX, in Bochs, whose clock is the machine's own:
no busy host disturbs it."""

import pytest

from conftest import Fleet, _workdir
from machine import lane_works
from test_linux import CLOCK, HELPERS, run, run_down, start


@pytest.fixture(scope="module", params=[("bochs", 2)] * lane_works("bochs"),
                ids=["bochs"])
def machine(request):
    fleet = Fleet(_workdir("test_linux_vmx"), "bochs")
    m = fleet.boot(cmdline="testhooks", cpus=2, memory=1024, guests=True)
    request.module.shared_fleet = fleet
    m.wait_files("/guests")
    m.eval(HELPERS)
    m.eval(CLOCK)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("cpus", [1, 2])
def test_linux_reaches_userland_and_its_time_is_ours(machine, cpus):
    assert machine.eval("return require 'vm'.host().vendor") == ["vmx"]
    ready = start(machine, "cloud/vmlinux", f"{{cpus={cpus}}}")
    assert ready.endswith(f"cpus={cpus}"), ready
    assert run(machine, "echo $((6 * 7))").strip() == "42"
    took, = machine.eval("return ten_seconds()", timeout=200)
    assert 9.9 < took < 10.1
    run_down(machine)
    machine.eval("G:destroy() G = nil")

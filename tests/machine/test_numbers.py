"""Numbers come out as under the hosted interpreter, to the last bit.

glibc, and so RayOS, has two variants of the mathematical functions: CPUs with
fused multiply-add round some results otherwise. Each is compared: the emulated
CPU with the host's interpreter told to use the same features.
"""

import os
import pathlib
import re
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parents[1] / "scenario/numbers.lua"
IN_MACHINE = "/boot/scenario/numbers.lua"
WITHOUT_FUSED = "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"


def hosted(code: str, *, fused: bool) -> list[str]:
    """Lines of a function of the script, from the host's interpreter."""
    env = os.environ | ({} if fused else {"GLIBC_TUNABLES": WITHOUT_FUSED})
    program = (f'for _, line in ipairs(dofile("{SCRIPT}").{code}) do '
               'print((line:gsub("\\n", " "))) end')
    return subprocess.run(["lua5.4", "-e", program], env=env, check=True,
                          text=True, capture_output=True).stdout.splitlines()


def in_machine(m, code: str) -> list[str]:
    lines, = m.eval(f'return dofile("{IN_MACHINE}").{code}', timeout=240)
    return [line.replace("\n", " ") for line in lines]


def host_fuses() -> bool:
    flags = re.search(r"^flags\s*:(.*)", pathlib.Path("/proc/cpuinfo")
                      .read_text(), re.MULTILINE)
    return bool(flags) and {"fma", "avx2"} <= set(flags[1].split())


def compare(m, fused: bool) -> None:
    expected = hosted("digests()", fused=fused)
    assert len(expected) > 30
    wrong = []
    for ours, theirs in zip(in_machine(m, "digests()"), expected, strict=True):
        if ours == theirs:
            continue
        name = theirs.rsplit(" ", 2)[0]
        pairs = [(a, b) for a, b in zip(
            in_machine(m, f'results("{name}")'),
            hosted(f'results("{name}")', fused=fused)) if a != b]
        wrong.append(f"{name}: {len(pairs)} of {theirs.rsplit(' ', 2)[1]}")
        wrong += [f"  RayOS {a}\n  Linux {b}" for a, b in pairs[:5]]
    assert not wrong, "\n".join(wrong)


# A host without fused multiply-add cannot tell what a CPU with it should give.
CPUS = {"plain": "EPYC,-fma,-avx2"} | ({"fused": "EPYC"} if host_fuses() else {})


def test_the_host_has_two_sets_of_results_if_it_can_fuse():
    # Else the comparisons below would compare the same twice.
    differ = hosted("digests()", fused=True) != hosted("digests()", fused=False)
    assert differ == host_fuses()


@pytest.mark.parametrize("kind", CPUS)
def test_numbers_equal_the_hosted_ones_on_this_cpu(fleet, kind):
    compare(fleet.boot(cpu=CPUS[kind]), fused=kind == "fused")

"""The benchmarks work: a short run in real time, whose figures mean nothing."""

import json
import subprocess
import sys

import pytest

from machine import ROOT

ROWS = {
    "boot.prompt_of_firmware", "boot.prompt_busy_of_firmware",
    "boot.prompt_of_linux_init", "lua.fib", "domain.message_round_trip",
    "domain.create", "domain.kernel_call", "sched.context_switch",
    "sched.mutex_lock_unlock", "sched.timer_to_thread_mean",
    "disk.read_4k", "disk.write_4k", "disk.read_1m", "disk.write_1m",
    "sched.timer_to_thread_max", "memory.at_prompt", "reflex.latency_mean",
    "reflex.latency_max", "reflex.latency_loaded_max",
    "reflex.latency_flooded_mean", "reflex.latency_flooded_max",
    "reflex.latency_hostile_mean", "reflex.latency_hostile_max",
    "reflex.latency_of_lua", "reflex.rules_10",
    "reflex.rules_100", "reflex.rules_1000",
    "display.full_redraw_1080p", "display.damage_200x200",
    "vm.cpuid_exit", "vm.port_exit", "vm.boot_to_init",
    "vm.timer_to_thread_mean", "vm.timer_to_thread_max", "vm.disk_read_4k",
    "vm.disk_write_4k", "vm.disk_read_1m", "vm.disk_write_1m",
    "vm.memory_overhead", "desktop.flush_1000_pixels",
    "desktop.transfer_1000_pixels", "desktop.key_to_guest",
    "desktop.show_to_first_pixel", "desktop.hidden_a_second",
}


@pytest.mark.timeout(600)  # five boots, one of them of KVM in an emulator
def test_a_quick_benchmark_measures_every_row_on_both_sides(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "tests/bench/bench.py", "--quick", "--out",
         tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    table = json.loads((tmp_path / "results.json").read_text())
    assert {row["row"] for row in table} == ROWS
    for row in table:
        assert row["rayos"] > 0 and row["peer"] > 0 and row["goal"] > 0, row
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")

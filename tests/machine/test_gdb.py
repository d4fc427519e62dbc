"""gdb on the running machine: symbols, backtraces across traps, and Lua."""

import socket
import subprocess

from machine import BUILD, ROOT


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def debug(port: int, *commands: str) -> str:
    script = [a for c in commands for a in ("-ex", c)]
    done = subprocess.run(
        ["gdb", "-batch", "-nx", "-q", str(BUILD / "kernel.elf"),
         "-x", str(ROOT / "kernel/boot/gdb_lua.py"),
         "-ex", f"target remote 127.0.0.1:{port}", *script],
        text=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def test_gdb_shows_where_a_script_is(fleet):
    port = free_port()
    m = fleet(cpus=1, extra=["-gdb", f"tcp:127.0.0.1:{port}"])
    m.wait_prompt()
    m.eval("""
      fs.write("/tmp/busy.lua", "local function inner()\\n"
        .. "  while true do end\\nend\\n"
        .. "local co = coroutine.wrap(function()\\n  inner()\\nend)\\nco()\\n")
      busy = assert(domain.spawn { name = "busy", file = "/tmp/busy.lua" })""")
    text = debug(port, "domains", "lua-bt busy", "hbreak timer_interrupt",
                 "continue", "backtrace")
    assert "shell:ttyS0" in text
    assert "/tmp/busy.lua:5" in text, text  # who called the loop
    assert "/tmp/busy.lua:7" in text, text  # who resumed the coroutine
    stack = text[text.index("Breakpoint 1"):]
    assert "irq_dispatch" in stack
    # Across the trap, down to where the thread began.
    assert "sched_thread_begin" in stack or "idle_loop" in stack, stack

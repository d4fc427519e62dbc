"""Ctrl-C gives the prompt back at once, by the machine's own clock.

In Bochs that clock counts instructions, 50 million a second, so that the figure
does not depend on how busy the host is. A session's first error loads what
writes errors: that is not part of the figure.
"""

import time

import pytest

CTRL_C = "\x03"
CHUNKS = (
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "sys.sleep(1000)",
    "coroutine.wrap(function() while true do end end)()",
    "(('a'):rep(60)):find(('.-'):rep(60) .. 'b')",
    "local t = {} for i = 1, 1e5 do t[i] = i % 977 end "
    "while true do table.sort(t, function(a, b) return a > b end) end",
)
PROMPT_WITHIN = 0.050  # seconds of the machine's time


@pytest.mark.lanes("bochs")
def test_the_prompt_is_back_within_50_ms_of_ctrl_c(fleet):
    m = fleet.boot(cmdline="testhooks")
    assert "first" in m.type("error 'the first'")
    took = {}
    for chunk in CHUNKS:
        mark = m.serial.mark()
        m.serial.send(chunk + "\r")
        time.sleep(1.5)
        m.serial.send(CTRL_C)
        m.serial.expect(r"interrupted", mark, 60)
        m.wait_prompt(since=mark)
        took[chunk], = m.eval("return sys.test.answer_time('ttyS0')")
    print(took)
    assert {c: t for c, t in took.items() if not t or t > PROMPT_WITHIN} == {}

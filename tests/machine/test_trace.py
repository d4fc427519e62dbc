"""The tracer: what a viewer gets is what happened."""

import json


def saved(m, path="/tmp/trace.json"):
    size, = m.eval(f"return fs.stat('{path}').size")
    text = ""
    for start in range(1, size + 1, 20000):
        piece, = m.eval(f"return fs.read('{path}'):sub({start}, {start + 19999})")
        text += piece
    return json.loads(text)["traceEvents"]


def test_a_sleep_between_two_marks_is_in_the_trace(shared):
    shared.eval("""
      trace.on() trace.mark("one") sys.sleep(0.1) trace.mark("two")
      trace.save("/tmp/trace.json")""")
    events = saved(shared)
    at = {e["name"]: e["ts"] for e in events if e["ph"] == "i"}
    assert at["two"] - at["one"] >= 100_000  # microseconds
    runs = [e for e in events if e["ph"] == "X"]
    assert any(e["name"] == "shell:ttyS0" for e in runs)
    asleep = [e for e in runs if e["name"] == "shell:ttyS0"
              and at["one"] + 1000 < e["ts"] < at["one"] + 100_000]
    assert not asleep, "the sleeper ran"
    assert [e for e in events if e["ph"] == "B"], "no interrupt woke it"
    names = {e["args"]["name"] for e in events if e["ph"] == "M"}
    assert {"threads", "interrupts", "CPU 0", "CPU 1"} <= names


def test_a_class_that_is_off_is_not_recorded(shared):
    shared.eval("""
      trace.on("mark") trace.mark("only") sys.sleep(0.05)
      trace.save("/tmp/trace.json")""")
    phases = [e["ph"] for e in saved(shared) if e["ph"] != "M"]
    assert phases == ["i"]


def test_other_classes_have_a_track_and_arguments_of_their_own(shared):
    shared.eval("""
      event.define("traced_thing", "for this test", { once = 7 })
      local heard <close> = event.subscribe("traced_thing")
      trace.on("event")
      event.raise("traced_thing", { code = 7 })
      trace.save("/tmp/trace.json")""")
    events = saved(shared)
    thing, = [e for e in events if e["name"] == "traced_thing"]
    assert thing["ph"] == "i" and thing["args"] == {"code": 7}
    process, = [e["args"]["name"] for e in events
                if e["name"] == "process_name" and e["pid"] == thing["pid"]]
    assert process == "event"


def test_the_oldest_records_are_overwritten(shared):
    """The writer may change its CPU at any time: each ring is judged alone."""
    lost, *firsts = shared.eval("""
      local ring = require "trace_ring"
      trace.on("mark")
      for i = 1, 40000 do trace.mark("m" .. i) end
      trace.off()
      local all, firsts = 0, {}
      for cpu = 0, #sys.cpus() - 1 do
        local lost = ring.lost(cpu)
        local _, _, text = ring.get(cpu, 0)
        all = all + lost
        if lost > 0 then
          firsts[#firsts + 1] = lost
          firsts[#firsts + 1] = tonumber(text:match("^m(%d+)$"))
        end
      end
      return all, table.unpack(firsts) """)
    assert lost >= 40000 - 2 * 16384
    for gone, first in zip(firsts[::2], firsts[1::2]):
        assert first > gone


def test_bad_arguments_are_told(shared):
    assert "expected" in shared.type('trace.on("nonsense")')
    ok, message = (shared.eval("return trace.save('/boot/no.json')") + [None])[:2]
    assert not ok and "/boot/no.json" in message

"""The way from an event to an action takes no lock: the tracer would say so."""

from test_trace import saved

ACTS = {
    1: "counter.a += 1; my.b += 1",
    2: "consume",
    3: "notify('hello')",
    4: "escalate",
    5: "raise('path_answer', 1, value)",
    6: "stop_domain(999999999)",  # on the reflex thread, and fails
    7: "log('hello')",
    8: "mask_irq(99999)",
    # Timers are the CPU's own, with a lock: what shows that the trace works.
    9: "set_timer(9, 10ms)",
}
MEMORY = """
assert(reflex.rule { name = "window", on = "path", when = "code == 1",
  count = 2, within = "10s", cooldown = "1ms", unless = "value == 7",
  act = "counter.c += 1" })
assert(reflex.rule { name = "steps", sequence = {
  { on = "path", when = "code == 1" },
  { on = "path", when = "code == 2", within = "5s" } },
  act = "counter.d += 1" })"""


def test_no_lock_between_an_event_and_its_actions(fleet):
    m = fleet.boot(cpus=2, cmdline="testhooks")
    m.eval("""
        event, reflex = require "event", require "reflex"
        event.define "path" event.define "path_answer"
        told = event.subscribe { { type = "path" }, { type = "notice" },
          { type = "reflex" }, { type = "path_answer" } }
        return true""")
    m.eval(MEMORY)
    locks = {}
    for code, act in ACTS.items():
        rule = (f'{{ name = "act", on = "path", when = "code == {code}", '
                f'act = "{act}" }}')
        hits, = m.eval(f"""
            assert(reflex.rule {rule})
            trace.on("lock", "event")
            for i = 1, 5 do event.raise("path", {{ code = {code} }}) end
            sys.sleep(0.05)
            trace.save("/tmp/trace.json")
            for _, r in ipairs(reflex.rules()) do
              if r.name == "act" then return r.hits end
            end""")
        assert hits == 5
        events = saved(m)
        assert any(e["name"] == "path" for e in events), "nothing was traced"
        locks[act] = sum(e["name"] == "rule_lock" for e in events)
    print("\n" + "\n".join(f"{n:3} {act}" for act, n in locks.items()))
    assert locks.pop(ACTS[9]) > 0, "the trace does not see locks"
    assert not any(locks.values()), locks

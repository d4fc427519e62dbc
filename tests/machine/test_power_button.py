"""The power button ends the session in order, unless a rule takes it."""

import pytest


@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_the_power_button_stops_the_units_and_switches_off(fleet, machine):
    m = fleet.boot(cmdline="log=debugcon", machine=machine)
    m.qmp.command("system_powerdown")
    assert m.wait_exit() == 0
    log = (m.workdir / "debugcon.log").read_text(errors="replace")
    # The shells' domains end before the drivers under them.
    order = [log.index(text) for text in (
        "shell:ttyS0 (2) was killed", "unit: lua stopped",
        "isa:serial0: driver uart16550 let go", "unit: devices stopped")]
    assert order == sorted(order)


def test_a_rule_may_keep_the_button_for_itself(fleet):
    m = fleet.boot(cmdline="testhooks")
    # The rules that are there from the start come in beside the prompt.
    m.eval("""
      local function rules_there()
        for _, rule in ipairs(reflex.rules()) do
          if rule.name == 'power button' then return true end
        end
      end
      while not rules_there() do sys.sleep(0.1) end
      presses = event.subscribe { type = 'power_button' }
      assert(reflex.rule { name = 'power button', on = 'power_button',
        priority = 250, act = 'consume' })""")
    for i in range(2):
        m.qmp.command("system_powerdown")
        assert m.eval("local e = presses:read(20) return e and e.type") == [
            "power_button"]
    assert m.eval("return dev('isa:power_button'):properties().presses") == [2]
    assert m.eval("return 6 * 7") == [42]
    # Unbound, nobody hears it.
    m.eval("dev('isa:power_button'):unbind()")
    m.qmp.command("system_powerdown")
    assert m.eval("return presses:read(1)")[0] is None
    m.eval("dev('isa:power_button'):bind() reflex.remove('power button')")
    m.qmp.command("system_powerdown")
    assert m.wait_exit() == 0

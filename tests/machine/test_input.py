"""Keyboards and pointers, from the emulator's hand to the prompt on the
screen: PS/2 and virtio, key maps, focus, rules, repeats, and drivers that come
and go while keys are held.
"""

import time

import pytest

from conftest import Fleet, _workdir

KEYBOARD, TABLET = "virtio:input0", "virtio:input1"
REBINDS = 100


@pytest.fixture(scope="module")
def machine(request):
    """With a virtio keyboard and tablet beside the PS/2 ones. QEMU gives keys
    to virtio as long as its driver is bound."""
    fleet = Fleet(_workdir("test_input"))
    m = fleet.boot(cmdline="testhooks", extra=[
        "-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci"])
    request.module.shared_fleet = fleet
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


def unbind(m, *names):
    for name in names:
        assert m.eval(f'return dev("{name}"):unbind()')[0], name


def bind(m, *names):
    for name in names:
        assert m.eval(f'return dev("{name}"):bind()')[0], name


def device(m, name):
    """The input device of that name."""
    found, = m.eval(f"""for _, d in ipairs(input.devices()) do
      if d.name:find("{name}", 1, true) then return d end end""")
    return found


def listen(m, kind):
    """Keep events of a type from now on, under the name `heard`."""
    m.type("if heard then heard:close() end "
           f'heard = event.subscribe("{kind}")')


def heard(m, count):
    """The next events, as (code, value, source)."""
    return m.eval(f"""local list = {{}}
      for i = 1, {count} do
        local e = assert(heard:read(10), "no event " .. i)
        list[i] = {{ e.code, e.value, e.source }}
      end
      return list""")[0]


def rest_of(m):
    """How many more there are."""
    return m.eval("""local n = 0
      while heard:read(0.2) do n = n + 1 end
      return n""")[0]


def typed_file(m, path):
    """What a line typed on the screen has written."""
    return m.eval(f"""
      for _ = 1, 100 do
        if fs.exists("{path}") then
          local text = fs.read("{path}")
          fs.remove("{path}")
          return text
        end
        sys.sleep(0.1)
      end""")[0]


def check_typing(m, text="Key#1"):
    m.type_keys(f"fs.write('/tmp/typed', '{text}')\n")
    assert typed_file(m, "/tmp/typed") == text


def send(m, *events):
    m.qmp.command("input-send-event", events=[
        {"type": kind, "data": data} for kind, data in events])


def button(name, down):
    return "btn", {"button": name, "down": down}


def key(name, down):
    return "key", {"down": down, "key": {"type": "qcode", "data": name}}


# --- keyboards ---

def test_a_virtio_keyboard_types_at_the_prompt(machine):
    before = device(machine, "Keyboard")["events"]
    check_typing(machine)
    assert device(machine, "Keyboard")["events"] > before
    assert device(machine, "PS/2 keyboard")["events"] == 0


def test_a_ps2_keyboard_types_when_the_other_is_gone(machine):
    unbind(machine, KEYBOARD)
    check_typing(machine, "PS/2")
    assert device(machine, "PS/2 keyboard")["events"] > 0
    bind(machine, KEYBOARD)
    check_typing(machine, "virtio")


def test_each_key_is_an_event_with_its_device(machine):
    source = device(machine, "Keyboard")["id"]
    listen(machine, "input_key")
    machine.keys("f9")
    assert heard(machine, 2) == [[67, 1, source], [67, 0, source]]


def test_keyboards_show_the_terminals_locks(machine):
    ps2 = "return dev('ps2:keyboard'):properties().bytes"
    before = machine.eval(ps2)[0]
    machine.keys("caps_lock")
    assert machine.eval("""for _ = 1, 50 do
      if input.leds().caps then return true end sys.sleep(0.1) end""") == [True]
    # The command and its data, each acknowledged by the PS/2 keyboard.
    deadline = time.monotonic() + 10
    while machine.eval(ps2)[0] < before + 2:
        assert time.monotonic() < deadline, "the PS/2 keyboard was not told"
    machine.type_keys("fs.write('/tmp/caps', 'x')\n".swapcase())
    assert typed_file(machine, "/tmp/caps") == "x"
    machine.keys("caps_lock")
    assert machine.eval("""for _ = 1, 50 do
      if not input.leds().caps then return true end sys.sleep(0.1)
      end""") == [True]
    assert machine.eval(
        f"return dev('{KEYBOARD}'):properties().broken") == [None]


def test_a_held_key_repeats_until_it_is_up(machine):
    listen(machine, "input_key")
    send(machine, key("f8", True))
    events = heard(machine, 5)
    assert [e[1] for e in events] == [1, 2, 2, 2, 2]
    assert {e[0] for e in events} == {66}
    send(machine, key("f8", False))
    while heard(machine, 1)[0][1] == 2:
        pass
    assert rest_of(machine) == 0
    assert machine.eval("return (input.repeat_rate())") == [0.25]


def test_a_rule_that_consumes_a_key_keeps_it_from_the_prompt(machine):
    machine.type("""reflex.rule { name = "eat", on = "input_key",
      when = "code == x", act = "consume; counter.eaten += 1" }""".replace(
        "\n", " "))
    machine.type_keys("fs.write('/tmp/eaten', 'axbxc')\n")
    assert typed_file(machine, "/tmp/eaten") == "abc"
    machine.type('reflex.remove "eat"')
    check_typing(machine, "axbxc")


# --- key maps ---

def on_map(m, name, keys):
    """The text that these keys give on that map, inside a line of Lua."""
    try:
        m.type_keys("fs.write('/tmp/map', [[")
        assert m.eval(f'return input.keymap("{name}")') == [True]
        for names in keys:
            m.keys(*names)
        # The keys are in the emulator's queue; the map must not change before.
        time.sleep(0.3)
    finally:
        m.eval('return input.keymap("us")')
    m.type_keys("]])\n")
    return typed_file(m, "/tmp/map")


@pytest.mark.parametrize("name, keys, text", [
    ("us", [["shift", "2"], ["grave_accent"]], "@`"),
    ("uk", [["shift", "3"], ["shift", "2"], ["alt_r", "4"]], '£"€'),
    ("de", [["semicolon"], ["apostrophe"], ["leftbrace"], ["minus"], ["y"],
            ["alt_r", "q"], ["grave_accent"], ["e"], ["grave_accent"], ["spc"],
            ["alt_r", "e"]], "öäüßz@ê^€"),
    ("fr", [["q"], ["w"], ["shift", "1"], ["2"], ["alt_r", "0"],
            ["leftbrace"], ["o"], ["shift", "leftbrace"], ["i"]], "az1é@ôï"),
])
def test_a_key_map_gives_its_characters(machine, name, keys, text):
    names = {"leftbrace": "bracket_left"}
    assert on_map(machine, name, [[names.get(k, k) for k in chord]
                                  for chord in keys]) == text


def test_a_bad_key_map_is_refused_with_its_entry(machine):
    why = machine.eval("""return input.keymap {
      name = "x", keys = { q = { "q", "QQ" } } }""")
    assert why[0] is None and 'key "q", shift' in why[1] and why[2] == "EINVAL"
    assert machine.eval('return input.keymap("none")')[2] == "ENOENT"
    assert machine.eval("return input.keymap()") == ["us"]
    check_typing(machine)


# --- pointers ---

def test_a_tablet_says_where_the_pointer_is(machine):
    tablet = device(machine, "Tablet")
    assert tablet["absolute"]
    listen(machine, "input_motion")
    send(machine, ("abs", {"axis": "x", "value": 5000}),
         ("abs", {"axis": "y", "value": 30000}))
    assert heard(machine, 2) == [[0, 5000, tablet["id"]],
                                 [1, 30000, tablet["id"]]]
    listen(machine, "input_button")
    send(machine, button("left", True))
    send(machine, button("left", False))
    assert heard(machine, 2) == [[0x110, 1, tablet["id"]],
                                 [0x110, 0, tablet["id"]]]


def test_a_ps2_mouse_moves_clicks_and_turns_its_wheel(machine):
    unbind(machine, TABLET)
    source = device(machine, "PS/2 mouse")["id"]
    listen(machine, "input_motion")
    send(machine, ("rel", {"axis": "x", "value": 5}),
         ("rel", {"axis": "y", "value": -3}))
    assert heard(machine, 2) == [[0, 5, source], [1, -3, source]]
    send(machine, ("rel", {"axis": "x", "value": -300}))
    total = 0
    while total > -300:
        (code, value, _), = heard(machine, 1)
        assert code == 0 and value < 0
        total += value
    assert total == -300
    send(machine, button("wheel-up", True))
    send(machine, button("wheel-up", False))
    assert heard(machine, 1) == [[8, 1, source]]
    listen(machine, "input_button")
    # A pair at a time: the emulated mouse holds four packets, and what changes
    # while they wait becomes one.
    for code, name in enumerate(("left", "right", "middle"), 0x110):
        send(machine, button(name, True))
        send(machine, button(name, False))
        assert [e[:2] for e in heard(machine, 2)] == [[code, 1], [code, 0]]
    bind(machine, TABLET)


# --- devices that come and go ---

@pytest.mark.parametrize("driver", [KEYBOARD, "ps2:keyboard", "isa:i8042"])
def test_a_keyboard_that_goes_releases_what_it_holds(machine, driver):
    if driver != KEYBOARD:
        unbind(machine, KEYBOARD)
    listen(machine, "input_key")
    send(machine, key("shift", True), key("f7", True))
    assert [e[:2] for e in heard(machine, 2)] == [[42, 1], [65, 1]]
    unbind(machine, driver)
    while True:  # repeats may stand between
        (code, value, _), = heard(machine, 1)
        if value == 0:
            assert code == 42
            break
    assert heard(machine, 1)[0][:2] == [65, 0]
    assert machine.eval("return input.streams()[1].held") == [0]
    assert rest_of(machine) == 0, "it goes on repeating"
    send(machine, key("shift", False), key("f7", False))
    bind(machine, driver)
    if driver != KEYBOARD:
        bind(machine, KEYBOARD)
    check_typing(machine)


def test_drivers_come_and_go_a_hundred_times_under_load(machine):
    machine.expect_no_leak("""
      local function round()
        for _, name in ipairs { "%s", "%s", "ps2:mouse", "isa:i8042" } do
          input.press("f7")
          assert(dev(name):unbind())
          assert(dev(name):bind())
          input.release("f7")
        end
      end
      for _ = 1, %d do round() end""" % (KEYBOARD, TABLET, REBINDS),
                           lost=REBINDS * 4096)
    devices, = machine.eval("return input.devices()")
    assert len(devices) == 5
    assert all(d["held"] in ([], {}) for d in devices)
    check_typing(machine, "virtio")
    unbind(machine, KEYBOARD)
    check_typing(machine, "PS/2")
    bind(machine, KEYBOARD)


def test_typing_on_while_drivers_come_and_go_leaves_no_key_down(machine):
    machine.type("domain.spawn { name = 'plug', source = [[ "
                 "local dev, sys = require 'dev', require 'sys' "
                 f"for _ = 1, 40 do dev('{KEYBOARD}'):unbind() sys.sleep(0.02) "
                 f"dev('{KEYBOARD}'):bind() sys.sleep(0.03) end "
                 "require 'fs'.write('/tmp/plugged', 'x') ]] }")
    for _ in range(40):
        machine.keys("shift", "f6")
    assert typed_file(machine, "/tmp/plugged") == "x"
    # QEMU may have pressed a key on one keyboard and released it on the other.
    machine.keys("shift", "f6")
    unbind(machine, KEYBOARD)
    machine.keys("shift", "f6")
    bind(machine, KEYBOARD)
    assert machine.eval("return input.streams()[1].held") == [0]
    check_typing(machine)


# --- Bochs has PS/2 only, and pointing by its own window ---

@pytest.mark.lanes("bochs")
def test_ps2_keyboard_and_mouse_work_in_bochs(fleet):
    m = fleet.boot(cmdline="testhooks")
    check_typing(m)
    names = [d["name"] for d in m.eval("return input.devices()")[0]]
    assert "PS/2 keyboard" in names and "PS/2 mouse" in names
    listen(m, "input_motion")
    m.pointer_rel(10, 4)
    x = y = 0
    while (x, y) != (10, 4):
        code, value, _ = heard(m, 1)[0]
        x, y = (x + value, y) if code == 0 else (x, y + value)
    listen(m, "input_button")
    m.click()
    assert [e[:2] for e in heard(m, 2)] == [[0x110, 1], [0x110, 0]]
    for _ in range(3):
        assert m.eval('return dev("isa:i8042"):unbind()')[0]
        assert m.eval('return dev("isa:i8042"):bind()')[0]
    check_typing(m, "again")

"""The desktop that `ninja desktop` makes: Weston on Debian, on our screen, by
its pixels, under keyboard and mouse, with a disk that keeps what was done."""

import contextlib
import time

import pytest
from conftest import Fleet, _workdir
from machine import BUILD

MIB = 1 << 20
PANEL = 32  # rows of Weston's, at least
MAP_SECTOR = 8 * 512  # of the overlay's map, on the state disk


def until(test, what, limit=300.0):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = test()
        if value:
            return value
        time.sleep(0.3)
    raise AssertionError(f"not within {limit} s: {what}")


def disk(name, path, more=""):
    return ["-drive", f"id={name},if=none,format=raw,file={path}{more}",
            "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def place(m):
    """Where it is on the screen: x, y, width, height; None: hidden."""
    info, = m.eval('local s = require "display".get "linux" '
                   "return s and s:info()")
    return info and info["shown"] and (info["x"], info["y"],
                                       info["view_width"], info["view_height"])


def status(m):
    return m.eval('return require "vm".get "linux":display()')[0]


def picture(m):
    """The guest's part of the screen."""
    x, y, w, h = place(m)
    return m.screenshot("guest").crop((x, y, x + w, y + h))


def terminal(image):
    """The box of the largest black rectangle: a terminal. None: there is none."""
    mask = image.convert("L").point(lambda p: 255 * (p == 0))

    def full(box):
        return mask.crop(box).histogram()[255]
    w, h = image.size
    rows = [y for y in range(PANEL, h) if full((0, y, w, y + 1)) > 300]
    if len(rows) < 100:
        return None
    columns = [x for x in range(w)
               if full((x, rows[0], x + 1, rows[-1])) > len(rows) * 0.7]
    if not columns or columns[0] == 0:  # all of it: Weston is not up
        return None
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def bright(image, box):
    """How much of a part is lighter than any background."""
    return sum(image.crop(box).convert("L").histogram()[130:])


def run(m, command):
    """What a program in the guest says, by its agent."""
    said = m.eval('local a = assert(require "vm".get "linux":agent()) '
                  'local r = assert(a:exec({"/usr/lib/desktop/user", '
                  f"[[{command}]]}})) return r.exit, r.output")
    assert said[0] == 0, said
    return said[1]


def surfaces(m):
    return [s["name"] for s in m.eval('return require "display".surfaces()')[0]]


def started(m):
    """Shown, and its terminal is there."""
    said = m.type("show linux desktop", 60)
    assert "linux is shown" in said
    if "started" in said:
        until(lambda: "linux starts" in surfaces(m), "how it starts is shown")
    until(lambda: status(m)["active"], "a picture of the guest's")
    until(lambda: "linux starts" not in surfaces(m), "its picture instead")
    return until(lambda: terminal(picture(m)), "a terminal window")


@pytest.fixture(scope="module")
def fleet_of_one(request):
    f = Fleet(_workdir("test_desktop_weston"))
    request.module.shared_fleet = f
    state = f.workdir / "state.img"
    with open(state, "wb") as out:
        out.truncate((BUILD / "desktop.img").stat().st_size + 16 * MIB)
    m = f.boot(cmdline="testhooks", guests=True, memory=1536, extra=[
        *disk("desktop", BUILD / "desktop.img", ",readonly=on"),
        *disk("desktop-state", state), "-device", "virtio-tablet-pci"])
    m.wait_files("/guests")
    until(lambda: m.eval('return require "display".area().y > 0') == [True],
          "the status bar")
    m.pointer_move(900, 1000)
    time.sleep(1)
    m.prompt = m.screenshot("prompt")
    yield m
    f.close(keep=request.session.testsfailed > 0)


@pytest.fixture(scope="module")
def desk(fleet_of_one):
    m = fleet_of_one
    m.first_box = started(m)
    return m


def prompt_is_as_before(m):
    """All but the bar, whose clock goes on, and the caret, which blinks."""
    _, _, w, h = m.full
    area = (0, m.full[1], w, m.full[1] + h)

    def same():
        return (m.screenshot("now").crop(area).tobytes()
                == m.prompt.crop(area).tobytes())
    until(same, "the prompt as it was", 20)


def test_panel_window_and_text_are_there(desk):
    desk.full = place(desk)
    image, (x0, y0, x1, y1) = picture(desk), desk.first_box
    assert image.size[0] == status(desk)["width"]
    w = image.size[0]
    assert bright(image, (w - 220, 0, w, PANEL)) > 200  # the clock
    assert bright(image, (0, 0, 120, PANEL)) > 200  # launchers
    assert x1 - x0 > 500 and y1 - y0 > 300
    until(lambda: bright(picture(desk), (x0, y0, x1, y0 + 40)) > 100,
          "the shell's prompt")


def test_what_is_typed_is_in_the_terminal_and_nowhere_else(desk):
    x0, y0, x1, y1 = desk.first_box
    before = bright(picture(desk), desk.first_box)
    desk.type_keys("tty > t; echo $((6*7)) > n\n")
    until(lambda: run(desk, "cat n 2> /dev/null || true") == "42\n", "its effect")
    assert bright(picture(desk), desk.first_box) > before + 300
    desk.type('type "echo by words > n\\n" into linux')
    until(lambda: run(desk, "cat n") == "by words\n", "what words type")


def test_hidden_it_goes_on_and_the_prompt_is_as_it_was(desk):
    desk.keys("f12")
    until(lambda: not place(desk), "F12 hides it")
    prompt_is_as_before(desk)
    frames = status(desk)["frames"]
    until(lambda: status(desk)["frames"] > frames + 1, "its clock goes on")
    image = desk.eval('return require "display".get "linux":info()')
    desk.type("show linux desktop")
    assert terminal(picture(desk)) == desk.first_box, image


def test_a_key_that_is_held_while_it_is_hidden_is_released(desk):
    def key(name, down):
        desk.qmp.command("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": {
                "type": "qcode", "data": name}}}])
    key("z", True)
    time.sleep(0.2)
    desk.keys("f12")
    until(lambda: not place(desk), "F12 hides it")
    key("z", False)
    prompt_is_as_before(desk)
    desk.type("show linux desktop")
    time.sleep(1)  # a stuck key repeats after 0.4 s
    image = picture(desk).crop(desk.first_box)
    time.sleep(1)
    assert picture(desk).crop(desk.first_box).tobytes() == image.tobytes()
    desk.keys("ctrl", "u")


def test_a_click_opens_a_terminal_and_another_moves_the_focus(desk):
    first = run(desk, "cat t")
    x, y, _, _ = place(desk)
    desk.pointer_move(x + 22, y + 16)  # the first launcher
    time.sleep(1)
    desk.click()
    until(lambda: run(desk, "pgrep -c weston-terminal || true").strip() == "2",
          "a second terminal")

    def typed():
        desk.type_keys("\ntty > t\n")
        time.sleep(1)
        return run(desk, "cat t")
    until(lambda: typed() != first, "the new one has the keyboard")
    # A place of the first one that the new one does not cover: its title bar's
    # end, or its lower corner.
    x0, y0, x1, y1 = desk.first_box
    for px, py in ((x0 + 8, y1 - 8), (x1 - 8, y1 - 8), (x0 + 8, y0 + 60)):
        desk.pointer_move(x + px, y + py)
        time.sleep(1)
        desk.click()
        if typed() == first:
            break
    else:
        raise AssertionError("no click gave the first one the keyboard")


@pytest.mark.parametrize("layout", ["split", "window"])
def test_the_guest_follows_the_layout(desk, layout):
    desk.type(f"show linux desktop {layout}")
    follows(desk)
    assert terminal(picture(desk)) is not None or layout == "split"


def follows(m):
    def fits():
        s = status(m)
        return s["active"] and (s["width"], s["height"]) == place(m)[2:]
    until(fits, "the guest has the size of its view", 40)


def drag(m, start, end):
    m.pointer_move(*start)
    m.button("left", True)
    m.pointer_move(*end)
    m.button("left", False)


def test_its_window_is_dragged_and_resized(desk):
    x, y, w, h = place(desk)
    drag(desk, (x + 200, y - 15), (x + 150, y + 25))
    until(lambda: place(desk) == (x - 50, y + 40, w, h), "it was dragged")
    x, y = x - 50, y + 40
    drag(desk, (x + w + 1, y + h + 1), (x + w - 159, y + h - 79))
    until(lambda: place(desk)[2:] == (w - 160, h - 80), "it was resized")
    follows(desk)
    assert bright(picture(desk), (w - 160 - 220, 0, w - 160, PANEL)) > 200
    desk.type("show linux desktop full")
    follows(desk)


def test_shown_and_hidden_many_times_it_leaks_nothing(desk):
    desk.expect_no_leak(
        'local d = require "display" for _ = 1, 60 do d.hide("linux") '
        'd.flush() sys.sleep(0.05) d.layout { full = "linux" } d.flush() '
        'sys.sleep(0.05) end', lost=60 * 4096)
    follows(desk)
    assert terminal(picture(desk))


def test_what_was_saved_survives_a_crash_and_a_loss_of_power(desk):
    run(desk, "echo kept > kept; sync")
    boots, = desk.eval('return require "vm".get "linux":stats().boots')
    with contextlib.suppress(AssertionError):  # nobody is left to answer
        desk.eval('local a = require "vm".get "linux":agent() '
                  'return a:spawn("echo c > /proc/sysrq-trigger")')
    until(lambda: desk.eval('return require "vm".get "linux":stats().boots')
          == [boots + 1], "it starts again")
    until(lambda: desk.eval('return require "desktop".run("cat kept")')
          == ["kept\n"], "what was saved, after a crash")
    run(desk, "echo again > kept; sync")
    desk.restart()
    desk.wait_prompt()
    desk.wait_files("/guests")
    started(desk)
    assert run(desk, "cat kept") == "again\n"


def test_it_is_shut_down_in_order_and_its_disk_is_reset(desk):
    assert "linux: shut down" in desk.type("shutdown linux", 60)
    assert "Power down" in desk.eval(
        'return require "vm".get "linux":console():history()')[0]
    no, why, code = desk.eval('return require "desktop".reset_disk()')
    assert no is None and "would be lost" in why and code == "ECANCELED"
    used = 'return require "block".overlay_info("linux-disk").used'
    assert desk.eval(used)[0] > 0
    assert desk.eval('return require "desktop".reset_disk("linux", true)')[
        0] == "linux"
    assert desk.eval(used) == [0]


def needs_recovery(m):
    """Was the guest's file system left as it was, by the flag in it? ext4 has
    it in its incompatible features, at 0x60 of the super block at 1024."""
    flags, = m.eval('require "block".overlay { name = "linux-disk", base = '
                    '"serial:desktop", state = "serial:desktop-state" } '
                    'local d <close> = require "block".open("linux-disk") '
                    'return string.unpack("<I4", d:read(1024, 512), 0x61)')[:1]
    return bool(flags & 4)


def test_switching_off_shuts_it_down_first(desk):
    started(desk)
    assert needs_recovery(desk)
    desk.serial.send("sys.poweroff()\r")
    assert desk.wait_exit() == 0
    desk.restart()
    desk.wait_prompt()
    desk.wait_files("/guests")
    assert not needs_recovery(desk)


def test_a_damaged_state_disk_is_refused_and_can_be_begun_anew(desk):
    desk.kill()
    with open(desk.workdir.parent / "state.img", "r+b") as f:
        f.seek(MAP_SECTOR + 17)
        byte = f.read(1)[0]
        f.seek(-1, 1)
        f.write(bytes([byte ^ 4]))
    desk.start()
    desk.wait_prompt()
    desk.wait_files("/guests")
    said = desk.type("show linux desktop")
    assert "its map is damaged" in said and "reset_disk" in said
    assert desk.eval('return require "desktop".reset_disk("linux", true)')[
        0] == "linux"
    assert desk.eval('return require "block".overlay_info("linux-disk").used'
                     ) == [0]

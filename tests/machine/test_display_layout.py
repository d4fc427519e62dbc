"""What Lua arranges on the screen: layouts, the bar, notices, the test surface.
The screen that QEMU shows is compared with what the pattern must look like; the
pictures are left in build/display-*.png for people to judge."""

import time

import pytest

from conftest import Fleet, _workdir
from machine import BUILD

FIELD, BITS = 8, 16
BARS = [0xb9c2cd, 0xdcb35f, 0x5cbfc4, 0x8cc379,
        0xbf8ae0, 0xe0676e, 0x66a9e8, 0x1b222c]
WIDTH, HEIGHT = 320, 200


@pytest.fixture(scope="module")
def screen(request):
    fleet = Fleet(_workdir("test_display_layout"))
    m = fleet.boot(cmdline="testhooks", extra=["-device",
                                               "virtio-tablet-pci"])
    request.module.shared_fleet = fleet
    m.eval('D = require"display" C = require"display_core"')
    until(m, 'return C.find("statusbar") ~= nil')
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


@pytest.fixture
def drawn(screen):
    """A test surface that stands still after five frames, numbers 0 to 4."""
    screen.eval('T = assert(D.test_surface{fps=1000, frames=5}) '
                'return true')
    until(screen, 'local rgb = C.find("test"):read() '
          'return rgb:byte(3 * 8 * 13 + 1) == 255')
    yield screen
    screen.eval('T:kill() T:wait(5) return D.layout"full"')


def until(m, code, limit=20.0):
    deadline = time.monotonic() + limit
    while m.eval(code) != [True]:
        assert time.monotonic() < deadline, f"never: {code}"
        time.sleep(0.05)


def rgb(colour):
    return colour >> 16, colour >> 8 & 255, colour & 255


def pattern(frame, x, y):
    """The test surface's pixel, computed here once more."""
    if y < FIELD and x < FIELD * BITS:
        return rgb(0xffffff if frame >> BITS - 1 - x // FIELD & 1 else 0)
    sx = frame * FIELD % (WIDTH - 32)
    sy = FIELD + frame * 3 % (HEIGHT - 32 - FIELD)
    if sx <= x < sx + 32 and sy <= y < sy + 32:
        return rgb(0xf4f7fa)
    return rgb(next(c for i, c in enumerate(BARS)
                    if x < WIDTH * (i + 1) // 8))


def shot(m, name=None):
    assert m.eval("return D.flush()") == [True]
    picture = m.screenshot("now").convert("RGB")
    if name:
        picture.save(BUILD / f"display-{name}.png", optimize=True)
    return picture


def view(m, name):
    return m.eval(f'local i = C.find("{name}"):info() '
                  'return i.x, i.y, i.view_width, i.view_height, i.shown')


def check_pattern(picture, left, top, scale, frame=4):
    for y in range(0, HEIGHT, 3):
        for x in range(0, WIDTH, 3):
            seen = picture.getpixel((left + x * scale, top + y * scale))
            assert seen == pattern(frame, x, y), (x, y)


def bar_with(m, name, colour):
    """The bar's picture, as soon as it has that colour."""
    deadline = time.monotonic() + 20
    while True:
        picture = shot(m, name)
        bar = picture.crop((0, 0, picture.width, 26))
        if colour in {c for _, c in bar.getcolors(1 << 16)}:
            return bar
        assert time.monotonic() < deadline, f"no {colour} in the bar"


def test_the_bar_leaves_its_room_to_the_terminal(screen):
    width, height = screen.eval("return D.size()")
    x, y, w, h, shown = view(screen, "terminal")
    _, _, bar_width, bar_height, bar_shown = view(screen, "statusbar")
    assert shown and bar_shown and bar_width == width
    assert (x, y, w, h) == (0, bar_height, width, height - bar_height)
    # It says RayOS in the accent's colour.
    bar_with(screen, "terminal", (0xf2, 0xc0, 0x62))


def test_a_split_shows_the_surface_in_whole_pixels(drawn):
    drawn.eval('return D.layout{left="terminal", right="test", '
               'scaling="integer"}')
    x, y, w, h, _ = view(drawn, "test")
    tx, _, tw, _, _ = view(drawn, "terminal")
    assert tx + tw + 2 == x and x + w == drawn.eval("return D.size()")[0]
    scale = min(w // WIDTH, h // HEIGHT)
    picture = shot(drawn, "split")
    check_pattern(picture, x + (w - WIDTH * scale) // 2,
                  y + (h - HEIGHT * scale) // 2, scale)


def test_one_above_the_other(drawn):
    assert drawn.eval('return D.layout{top="test", bottom="terminal", '
                      'ratio=0.3, scaling="none"}') == [True]
    x, y, w, h, _ = view(drawn, "test")
    _, ty, _, th, _ = view(drawn, "terminal")
    assert ty == y + h + 2 and ty + th == drawn.eval("return D.size()")[1]
    picture = shot(drawn)
    check_pattern(picture, x, y, 1)


def test_a_window_floats_and_the_mouse_moves_and_resizes_it(drawn):
    assert drawn.eval('return D.layout{window="test", title="Test", x=300, '
                      'y=300, width=320, height=200, scaling="none"}') == [True]
    picture = shot(drawn, "window")
    check_pattern(picture, 300, 300, 1)
    drawn.pointer_move(400, 290)  # the title bar
    drawn.button("left", True)
    drawn.pointer_move(500, 340)
    drawn.button("left", False)
    until(drawn, 'local i = C.find("test"):info() return i.x == 400 '
          'and i.y == 350')
    drawn.pointer_move(5, 900)  # out of the picture
    until(drawn, "local x, y = C.pointer() return x < 10 and y > 890")
    check_pattern(shot(drawn), 400, 350, 1)
    drawn.pointer_move(400 + 321, 350 + 201)  # the lower right corner
    drawn.button("left", True)
    drawn.pointer_move(400 + 421, 350 + 251)
    drawn.button("left", False)
    until(drawn, 'local i = C.find("test"):info() '
          'return i.view_width == 420 and i.view_height == 250')


def test_the_backtick_key_hides_and_shows_it_and_f12_takes_back(drawn):
    drawn.eval('return D.layout{full="test"}')
    before = shot(drawn).tobytes()
    shown = 'return C.find("test"):info().shown'
    drawn.keys("grave_accent")
    until(drawn, shown + " == false")
    drawn.keys("grave_accent")
    until(drawn, shown)
    # All but the bar, whose clock goes on.
    _, top, _, _, _ = view(drawn, "test")
    row = len(before) // drawn.eval("return D.size()")[1]
    assert shot(drawn).tobytes()[row * top:] == before[row * top:]
    drawn.keys("f12")
    until(drawn, shown + " == false")
    assert drawn.eval('return require"input".focus()') == ["terminal"]


def test_it_hides_itself_after_its_time(screen):
    assert screen.eval('T = D.test_surface{name="brief", hide_after=0.5} '
                       'return D.show("brief")') == [True]
    until(screen, 'return C.find("brief"):info().shown == false')
    screen.eval("T:kill() T:wait(5) return true")
    assert screen.eval('return C.find("brief")') == []


def test_a_surface_ends_with_its_domain(screen):
    screen.eval('T = assert(D.test_surface{name="mortal"}) '
                'D.show("mortal") T:kill() T:wait(5) return true')
    assert screen.eval('return C.find("mortal") == nil') == [True]


def test_a_notice_comes_and_goes(screen):
    before = screen.eval("return #C.surfaces()")
    assert screen.eval(
        'return D.notify{title="Disk vdb", level="warning", seconds=2, '
        'text="answered with an error three times; it was reset and goes '
        'on."}') == [True]
    until(screen, f"return #C.surfaces() == {before[0] + 1}")
    shot(screen, "notice")
    until(screen, f"return #C.surfaces() == {before[0]}")


def test_bad_requests_say_what_is_wrong(screen):
    for code, say in (
            ('D.layout{full="nobody"}', "there is no surface 'nobody'"),
            ('D.layout{}', "say one of full"),
            ('D.layout{left="terminal", right="terminal"}', "both halves"),
            ('D.layout{full="terminal", ratio=7}', None),
            ('D.layout{left="terminal", right="statusbar", ratio=7}',
             "between 0 and 1"),
            ('D.create("", 10, 10)', "1 to 31 bytes"),
            ('D.create("x", 0, 10)', "out of range"),
            ('D.create("x", 10, 99999)', "out of range"),
            ('D.create("terminal", 10, 10)', "terminal"),
            ('D.notify(7)', "expected a text"),
            ('D.pixel(-1, 0)', "not inside the screen")):
        if say is None:
            continue
        said = screen.eval(f"local ok, a, b = pcall(function() return {code} "
                           "end) return tostring(a) .. tostring(b)")[0]
        assert say in said, (code, said)


def test_a_long_warning_leaves_the_clock_alone(screen):
    warning = (0xe0, 0x67, 0x6e)
    screen.eval('log.warn(("much too long "):rep(30))')
    bar = bar_with(screen, "long-warning", warning)
    middle = range(bar.width // 2 - 200, bar.width // 2 + 200)
    said = [x for x in range(bar.width) for y in range(bar.height)
            if bar.getpixel((x, y)) == warning]
    clock = [x for x in middle for y in range(bar.height)
             if min(bar.getpixel((x, y))) > 0xd0]
    assert clock and max(said) < min(clock) - 10


def test_a_broken_bar_policy_is_said_and_harms_nobody(fleet):
    m = fleet.boot(cmdline="testhooks status.policy=/tmp/broken.lua")
    m.eval('D = require"display" C = require"display_core"')
    until(m, 'return C.find("statusbar") ~= nil')
    bar_with(m, "broken-bar", (0xe0, 0x67, 0x6e))
    assert m.eval("return 6 * 7") == [42]

"""The compositor's picture, pixel by pixel: what QEMU's screen shows is
compared with a model that is written here once more."""

import random
import time

import pytest

GROUND = 0x203040


def without_bar(m):
    """The status bar, which comes by a policy of its own, is not looked at."""
    deadline = time.monotonic() + 10
    while not m.eval('local bar = require"display_core".find("statusbar") '
                     'if bar then bar:hide() end return bar ~= nil')[0]:
        assert time.monotonic() < deadline, "there is no status bar"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def screen(shared):
    """One machine; `D` is the C module, `make` draws a known pattern."""
    without_bar(shared)
    shared.eval('''D = require"display_core"
      function make(name, w, h, salt, alpha)
        local s = assert(D.create(name, w, h))
        local rows = {}
        for y = 0, h - 1 do
          local row = {}
          for x = 0, w - 1 do
            row[#row + 1] = string.char((x * 7 + y * 3 + salt) & 255,
              (x * 5 ~ y * 11 ~ salt) & 255, (x + y * y + salt) & 255,
              alpha and (x * 9 + y * 13) & 255 or 255)
          end
          rows[#rows + 1] = table.concat(row)
        end
        s:image(0, 0, w, h, table.concat(rows))
        s:present()
        return s
      end''')
    shared.eval(f"D.background({GROUND}) "
                'D.find("terminal"):hide() D.find("statusbar"):hide() '
                'return D.flush()')
    yield shared
    shared.eval('D.find("terminal"):show() D.find("statusbar"):show() '
                'return D.flush()')


@pytest.fixture
def clean(screen):
    """Surfaces named a, b and c end with the test."""
    yield screen
    screen.eval(" ".join(f"if {n} then {n}:close() {n} = nil end"
                         for n in "abc") + " return D.flush()")


def pattern(w, h, salt):
    """As `make` draws it: (red, green, blue, alpha) by [y][x]."""
    return [[((x + y * y + salt) & 255, (x * 5 ^ y * 11 ^ salt) & 255,
              (x * 7 + y * 3 + salt) & 255, (x * 9 + y * 13) & 255)
             for x in range(w)] for y in range(h)]


def ground():
    return GROUND >> 16, GROUND >> 8 & 255, GROUND & 255


def shot(m):
    m.eval("return D.flush()")
    return m.screenshot("now")


def expect(picture, place, model):
    """The rectangle `place` is model(x, y) everywhere; x, y from its corner."""
    left, top, width, height = place
    part = picture.crop((left, top, left + width, top + height)).load()
    wrong = [(x, y, part[x, y], tuple(model(x, y))) for y in range(height)
             for x in range(width) if part[x, y] != tuple(model(x, y))]
    assert not wrong, f"{len(wrong)} pixels, first: {wrong[0]}"


# --- scaling and clipping -------------------------------------------------

def test_without_scaling_pixels_are_copied_and_cut_at_the_view(clean):
    p = pattern(60, 50, 1)
    clean.eval('a = make("a", 60, 50, 1) '
               'a:set{shown=true, x=100, y=80, width=40, height=70}')
    expect(shot(clean), (90, 70, 60, 90), lambda x, y:
           ground() if not (10 <= x < 50 and 10 <= y < 80)
           else p[y - 10][x - 10][:3] if y < 60 else (0, 0, 0))


def test_a_view_that_reaches_out_of_the_screen_is_cut(clean):
    p = pattern(60, 50, 2)
    clean.eval('a = make("a", 60, 50, 2) W, H = D.screen() '
               'a:set{shown=true, x=-20, y=-30, width=60, height=50}')
    width, height = clean.eval("a:present() return W, H")
    expect(shot(clean), (0, 0, 60, 40), lambda x, y:
           p[y + 30][x + 20][:3] if x < 40 and y < 20 else ground())
    clean.eval("a:set{x=W - 10, y=H - 5} a:present()")
    expect(shot(clean), (width - 30, height - 30, 30, 30), lambda x, y:
           p[y - 25][x - 20][:3] if x >= 20 and y >= 25 else ground())


def test_whole_factors_make_squares_in_the_middle(clean):
    p = pattern(20, 10, 3)
    clean.eval('a = make("a", 20, 10, 3) a:set{shown=true, x=200, y=100, '
               'width=70, height=50, scaling="integer"}')
    # 3 times: 60x30, 5 pixels to the left, 10 above.
    expect(shot(clean), (200, 100, 70, 50), lambda x, y:
           p[(y - 10) // 3][(x - 5) // 3][:3]
           if 5 <= x < 65 and 10 <= y < 40 else (0, 0, 0))


def position(i, side, drawn):
    """Source place of pixel i, in 16.16."""
    step = side * 65536 // drawn
    return min(max(step * i + step // 2 - 32768, 0), (side - 1) * 65536)


def bilinear(p, x, y, width, height):
    u = position(x, len(p[0]), width)
    v = position(y, len(p), height)
    i, j, fx, fy = u >> 16, v >> 16, u >> 8 & 255, v >> 8 & 255
    i1, j1 = min(i + 1, len(p[0]) - 1), min(j + 1, len(p) - 1)

    def mix(a, b, f):
        return (a * (256 - f) + b * f + 128) // 256

    return tuple(mix(mix(p[j][i][c], p[j1][i][c], fy),
                     mix(p[j][i1][c], p[j1][i1][c], fy), fx)
                 for c in range(3))


@pytest.mark.parametrize("width,height", [(150, 90), (33, 17), (61, 20)])
def test_filling_mixes_neighbours_exactly(clean, width, height):
    p = pattern(60, 20, 4)
    clean.eval('a = make("a", 60, 20, 4) a:set{shown=true, x=300, y=200, '
               f'width={width}, height={height}, scaling="fill"}}')
    expect(shot(clean), (300, 200, width, height),
           lambda x, y: bilinear(p, x, y, width, height))


def test_fitting_keeps_the_aspect_between_black_bars(clean):
    p = pattern(60, 20, 5)
    clean.eval('a = make("a", 60, 20, 5) a:set{shown=true, x=300, y=200, '
               'width=150, height=90, scaling="fit"}')
    expect(shot(clean), (300, 200, 150, 90), lambda x, y:
           bilinear(p, x, y - 20, 150, 50) if 20 <= y < 70 else (0, 0, 0))


# --- order and alpha ------------------------------------------------------

def three(m, za, zb, zc):
    m.eval('a, b, c = make("a", 50, 50, 6), make("b", 50, 50, 7), '
           'make("c", 50, 50, 8) '
           f'a:set{{shown=true, x=10, y=10, z={za}}} '
           f'b:set{{shown=true, x=30, y=20, z={zb}}} '
           f'c:set{{shown=true, x=20, y=30, z={zc}}}')


def expect_three(m, nearest_first):
    layers = {"a": (10, 10, pattern(50, 50, 6)),
              "b": (30, 20, pattern(50, 50, 7)),
              "c": (20, 30, pattern(50, 50, 8))}

    def model(x, y):
        for name in nearest_first:
            left, top, p = layers[name]
            if left <= x < left + 50 and top <= y < top + 50:
                return p[y - top][x - left][:3]
        return ground()

    expect(shot(m), (0, 0, 100, 100), model)


def test_higher_z_is_nearer(clean):
    three(clean, 3, 1, 2)
    expect_three(clean, "acb")
    clean.eval("b:set{z=9}")
    expect_three(clean, "bac")


def test_of_equal_z_the_one_shown_last_is_nearest(clean):
    three(clean, 0, 0, 0)
    expect_three(clean, "cba")
    clean.eval("a:hide() a:show()")
    expect_three(clean, "acb")
    clean.eval("b:raise()")
    expect_three(clean, "bac")
    clean.eval("b:hide()")
    expect_three(clean, "ac")


def blended(below, pixel, alpha):
    return tuple((2 * (s * alpha + d * (255 - alpha)) + 255) // 510
                 for s, d in zip(pixel, below))


@pytest.mark.parametrize("opacity", [255, 254, 128, 1])
def test_alpha_times_opacity_is_exact(clean, opacity):
    p = pattern(64, 64, 9)
    clean.eval('a = make("a", 64, 64, 9, true) a:set{shown=true, x=40, y=40, '
               f'blend=true, opacity={opacity}}}')
    expect(shot(clean), (40, 40, 64, 64), lambda x, y: blended(
        ground(), p[y][x][:3], (2 * p[y][x][3] * opacity + 255) // 510))


def test_a_translucent_view_lies_over_what_is_below(clean):
    p, q = pattern(64, 64, 10), pattern(64, 64, 11)
    clean.eval('a, b = make("a", 64, 64, 10), make("b", 64, 64, 11) '
               "a:set{shown=true, x=0, y=0} "
               "b:set{shown=true, x=32, y=16, z=1, opacity=100}")
    expect(shot(clean), (0, 0, 96, 80), lambda x, y: (
        lambda below: blended(below, q[y - 16][x - 32][:3], 100)
        if x >= 32 and y >= 16 else below)(
            p[y][x][:3] if x < 64 and y < 64 else ground()))


# --- damage ---------------------------------------------------------------

def same_as_composed_anew(m):
    """The screen, built up by damage, is what all of it composed gives."""
    picture = shot(m)
    total = m.eval('local p = D.pixels() local n = 0 '
                   'for i = 1, #p do n = (n * 31 + p:byte(i)) % 1000003 end '
                   'return n')[0] if picture.width * picture.height < 10000 \
        else None
    if total is None:
        composed = m.eval(
            'local w, h = D.screen() local out = {} '
            'for y = 0, h - 8, 8 do local p = D.pixels(0, y, w, 8) '
            'local n = 0 for i = 1, #p, 7 do '
            'n = (n * 31 + p:byte(i)) % 1000003 end out[#out + 1] = n end '
            'return out', timeout=120)[0]
        raw, row = picture.tobytes(), picture.width * 3
        for k, have in enumerate(composed):
            n = 0
            for v in raw[k * 8 * row:(k + 1) * 8 * row:7]:
                n = (n * 31 + v) % 1000003
            assert n == have, f"lines {k * 8} to {k * 8 + 7} differ"


def test_a_hundred_changes_leave_no_trace(clean):
    rng = random.Random(7)
    clean.eval('a, b, c = make("a", 90, 70, 12), make("b", 80, 60, 13, true), '
               'make("c", 70, 50, 14) b:set{blend=true}')
    for _ in range(100):
        name = rng.choice("abc")
        if rng.random() < 0.25:
            clean.eval(f"{name}:{rng.choice(['show', 'hide', 'raise'])}()")
        elif rng.random() < 0.3:
            clean.eval(f"{name}:fill({rng.randrange(60)}, {rng.randrange(40)}, "
                       f"20, 9, {rng.randrange(1 << 32)}) {name}:present()")
        else:
            scaling = rng.choice(["none", "integer", "fit", "fill"])
            clean.eval(
                f'{name}:set{{shown=true, x={rng.randrange(-40, 400)}, '
                f'y={rng.randrange(-40, 300)}, z={rng.randrange(3)}, '
                f'width={rng.randrange(1, 300)}, '
                f'height={rng.randrange(1, 200)}, scaling="{scaling}"}}')
    same_as_composed_anew(clean)


def test_nothing_is_composed_while_nothing_changes(clean):
    open_window(clean)
    clean.eval("sys.sleep(0.2) return D.flush()")
    before = clean.eval("return D.stats()")[0]
    clean.eval("sys.sleep(1)")
    after = clean.eval("return D.stats()")[0]
    assert after["frames"] == before["frames"]


def test_what_is_covered_costs_nothing(clean):
    clean.eval('a, b = make("a", 64, 64, 15), make("b", 64, 64, 16) '
               "a:set{shown=true, x=0, y=0} b:set{shown=true, x=0, y=0, z=1} "
               "return D.flush()")
    before = clean.eval("return D.stats()")[0]
    clean.eval("for i = 1, 5 do a:present() D.flush() end")
    after = clean.eval("return D.stats()")[0]
    assert after["pixels"] == before["pixels"]
    clean.eval("b:hide() D.flush()")
    expect(shot(clean), (0, 0, 64, 64),
           lambda x, y, p=pattern(64, 64, 15): p[y][x][:3])


# --- the pointer and windows ----------------------------------------------

def mouse(m, x, y):
    """Bring the pointer there. Devices add up motions that nobody has fetched,
    and the sum is accelerated: so go half of the way, and look."""
    deadline = time.monotonic() + 30
    while pointer(m)[:2] != (x, y):
        assert time.monotonic() < deadline, f"{pointer(m)}, not {(x, y)}"
        at = pointer(m)
        way = {"x": x - at[0], "y": y - at[1]}
        steps = max(1, max(map(abs, way.values())) // 16)
        for _ in range(steps):
            m.qmp.command("input-send-event", events=[
                {"type": "rel", "data": {"axis": a, "value": v}}
                for a, d in way.items()
                if (v := max(-8, min(8, d // steps if steps > 1 else d)))])
            time.sleep(0.01)
        time.sleep(0.05)


def button(m, down):
    m.qmp.command("input-send-event", events=[
        {"type": "btn", "data": {"button": "left", "down": down}}])


def pointer(m):
    return tuple(m.eval("return D.pointer()"))


def point_at(m, x, y):
    m.eval(f"D.move_pointer({x}, {y})")


def drag(m, start, by):
    point_at(m, *start)
    button(m, True)
    mouse(m, start[0] + by[0], start[1] + by[1])
    button(m, False)
    time.sleep(0.1)


def test_the_pointer_is_seen_when_it_has_moved_and_leaves_no_trace(fleet):
    m = fleet.boot(cmdline="testhooks video=800x600")
    without_bar(m)
    m.eval('D = require"display_core" D.find("terminal"):hide() '
           f"D.background({GROUND})")
    picture = shot(m)
    assert not pointer(m)[2]
    expect(picture, (0, 0, *picture.size), lambda x, y: ground())
    mouse(m, 300, 340)
    picture = shot(m)
    assert picture.getpixel((300, 340)) == (0x10, 0x15, 0x1c)
    assert picture.getpixel((301, 342)) == (0xf4, 0xf7, 0xfa)
    mouse(m, 300, 599)
    lit = [p for p in shot(m).getdata() if p != ground()]
    assert lit == [(0x10, 0x15, 0x1c)]  # only its tip is on the screen
    before = m.eval("return D.stats()")[0]
    mouse(m, 300, 399)
    after = m.eval("return D.flush() and D.stats()")[0]
    # Its old and its new place in every frame; some see several motions.
    frames = after["frames"] - before["frames"]
    assert after["pixels"] - before["pixels"] <= frames * 12 * (19 + 64)


def open_window(m, extra=""):
    m.eval('a = make("a", 300, 200, 20) a:set{scaling="fill"} '
           'assert(a:window{title="pattern", x=200, y=150, width=300, '
           f'height=200, z=5{extra}}}) return D.flush()')


def window_place(m):
    w = m.eval("return a:window()")[0]
    return w["x"], w["y"], w["width"], w["height"]


def test_a_window_is_dragged_by_its_title(clean):
    p = pattern(300, 200, 20)
    point_at(clean, 0, 0)
    empty = shot(clean).crop((100, 60, 700, 560)).tobytes()
    open_window(clean)
    drag(clean, (300, 130), (85, 60))
    assert window_place(clean) == (285, 210, 300, 200)
    point_at(clean, 0, 0)
    expect(shot(clean), (285, 210, 300, 200), lambda x, y: p[y][x][:3])
    same_as_composed_anew(clean)
    clean.eval("a:unwindow()")
    assert shot(clean).crop((100, 60, 700, 560)).tobytes() == empty


def test_a_window_is_resized_by_its_corner(clean):
    p = pattern(300, 200, 20)
    open_window(clean)
    drag(clean, (503, 353), (50, -30))
    assert window_place(clean) == (200, 150, 350, 170)
    point_at(clean, 0, 0)
    expect(shot(clean), (200, 150, 350, 170),
           lambda x, y: bilinear(p, x, y, 350, 170))
    same_as_composed_anew(clean)
    drag(clean, (196, 250), (400, 0))
    assert window_place(clean) == (350, 150, 200, 170)  # the least width


def test_a_fixed_window_keeps_its_size(clean):
    open_window(clean, ", fixed=true")
    drag(clean, (503, 353), (50, -30))
    assert window_place(clean) == (200, 150, 300, 200)


def test_a_press_brings_a_window_to_the_front(clean):
    open_window(clean)
    clean.eval('b = make("b", 200, 200, 21) assert(b:window{title="other", '
               "x=350, y=200, width=200, height=200, z=5}) return D.flush()")
    q = pattern(200, 200, 21)
    point_at(clean, 0, 0)
    expect(shot(clean), (360, 210, 100, 100),
           lambda x, y: q[y + 10][x + 10][:3])
    point_at(clean, 250, 200)
    button(clean, True)
    button(clean, False)
    time.sleep(0.2)
    point_at(clean, 0, 0)
    p = pattern(300, 200, 20)
    expect(shot(clean), (360, 210, 100, 100),
           lambda x, y: p[y + 60][x + 160][:3])
    clean.eval("b:unwindow()")


def test_hiding_a_window_hides_its_frame(clean):
    point_at(clean, 0, 0)
    empty = shot(clean).crop((100, 60, 700, 560)).tobytes()
    open_window(clean)
    whole = shot(clean).crop((100, 60, 700, 560)).tobytes()
    clean.eval("a:hide()")
    assert shot(clean).crop((100, 60, 700, 560)).tobytes() == empty
    clean.eval("a:show()")
    assert shot(clean).crop((100, 60, 700, 560)).tobytes() == whole
    clean.eval("a:close() a = nil")
    assert shot(clean).crop((100, 60, 700, 560)).tobytes() == empty


# --- the terminal ---------------------------------------------------------

def test_the_terminal_flows_anew_when_its_view_changes(fleet):
    m = fleet.boot(cmdline="testhooks video=800x600")
    without_bar(m)
    m.eval('D = require"display_core" T = D.find("terminal") '
           "T:set{x=0, y=0, width=800, height=600} D.flush() "
           'wide = {} for r, t in ipairs(sys.test.screen()) do '
           "wide[r] = t end return #wide")
    first = m.eval("return wide[1], #wide")
    m.eval("T:set{x=400, y=100, width=400, height=300} D.flush()")
    rows = m.eval("return sys.test.screen()")[0]
    assert len(rows) < first[1]
    assert all(len(r) <= 50 for r in rows)
    picture = shot(m)
    assert len({picture.getpixel((x, 50)) for x in range(800)}) == 1
    m.type_keys("x = 6 * 7\nx\n")
    deadline = time.monotonic() + 15
    while "42" not in m.eval("return sys.test.screen()")[0]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    m.eval("T:set{x=0, y=0, width=800, height=600} D.flush()")
    rows = m.eval("return sys.test.screen()")[0]
    assert len(rows) == first[1] and "42" in rows and first[0] in rows


# --- no screen ------------------------------------------------------------

def test_without_a_screen_everything_says_so_and_surfaces_work(fleet):
    m = fleet.make(cmdline="testhooks")
    whole = m.command

    def command():
        parts = whole()
        at = next(i for i, p in enumerate(parts) if p.startswith("VGA"))
        return parts[:at - 1] + parts[at + 1:]

    m.command = command
    m.start()
    m.wait_prompt()
    m.eval('D = require"display_core" a = D.create("a", 8, 8)')
    for call in ("D.screen()", "D.flush()", "D.pixels(0, 0, 1, 1)",
                 "sys.test.screen()", 'a:window{title="a"}'):
        assert m.eval(f"return select(3, {call})") == ["ENODEV"], call
    assert m.eval("a:fill(0, 0, 8, 8, 0xff123456) a:present() a:show() "
                  "D.move_pointer(3, 3) return (a:read()):byte(1, 3)") == [
                      0x12, 0x34, 0x56]
    m.eval("a:close()")

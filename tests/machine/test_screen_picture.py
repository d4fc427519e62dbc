"""The picture of the screen in README.md: a short session typed on the PS/2
keyboard. It is left in build/screen.png; docs/screen.png is a copy."""

import time

from machine import BUILD

SESSION = [
    "sys.units()\n",
    'd = domain.spawn { name = "adder", budget = 0.5, args = { 20, 22 },\n'
    'source = "local a, b = ... error(\\"no luck with \\" .. a + b)" }\n',
    "d:wait(5).message\n",
    "ps\n",
    "function deep(n)\n"
    "if n == 0 then return nil + 1 end\n"
    "return 1 + deep(n - 1)\n"
    "end\n",
    "deep(2)\n",
    "help(sys.sleep)\n",
]


def lit_rows(picture) -> int:
    """How many pixel rows have something on them."""
    width, height = picture.size
    ground = picture.getpixel((2, height - 3))  # the bar at the top is lit
    rows = picture.resize((width // 2, height))
    return sum(any(p != ground for p in rows.crop(
        (0, y, width // 2, y + 1)).getdata()) for y in range(height))


def settled(m, limit: float = 15.0):
    """The screen when it has been the same for half a second."""
    last, since = m.screenshot("now").tobytes(), time.monotonic()
    deadline = since + limit
    while time.monotonic() < deadline:
        time.sleep(0.25)
        now = m.screenshot("now")
        if now.tobytes() != last:
            last, since = now.tobytes(), time.monotonic()
        elif time.monotonic() - since > 0.5:
            return now
    raise AssertionError("the screen does not come to rest")


def test_a_session_on_the_screen_looks_like_the_picture(fleet):
    m = fleet.boot(cmdline="video=1280x1024")
    before = lit_rows(settled(m))
    for entry in SESSION:
        m.type_keys(entry)
        time.sleep(0.4)
    picture = settled(m)
    # One row of text is about 20 pixel rows with something on them.
    assert lit_rows(picture) > before + 400
    # Serial and screen are apart: the session there did not see any of it.
    assert m.eval("return deep == nil") == [True]
    picture.save(BUILD / "screen.png", optimize=True)

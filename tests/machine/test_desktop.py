"""A desktop: Debian's kernel with our virtio-gpu, keyboard and tablet, driven
by words at the prompt, and its pixels on our screen."""

import time

import pytest

# The guest paints the top of its screen in the colour that it is told on its
# keyboard. Pixels are blue, green, red and nothing, in memory.
GUEST = r"""p() { printf $1 > /p; for i in $(seq 19); do cat /p /p > /q; mv /q /p;
 done; cat /p > /dev/fb0; }; p '\000\000\377\000' 2> /dev/null;
 while read x; do case $x in red) p '\000\000\377\000';;
 green) p '\000\377\000\000';; end) poweroff -f;; crash) reboot -f;; esac; done
 < /dev/tty1 2> /dev/null""".replace("\n", "")
RED, GREEN = (255, 0, 0), (0, 255, 0)
DEFINE = f"""
local vm = require "vm"
G = assert(vm.define {{
  name = "linux", memory = 256,
  kernel = "/guests/generic/vmlinux", initrd = "/guests/generic/initrd",
  display = {{ width = 800, height = 600 }},
  cmdline = [[quiet reboot=t cryptomgr.notests rayos.display rayos.run="{GUEST}"]],
}})
"""


def until(test, what, limit=60.0):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = test()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"not within {limit} s: {what}")


def guest_pixel(m, x=5, y=5):
    """Of the guest's own picture, shown or hidden."""
    return tuple(m.eval(
        'local s = require "display".get "linux" local rgb, w = s:read() '
        f'if not rgb then return 0, 0, 0 end local at = ({y} * w + {x}) * 3 '
        "return rgb:byte(at + 1, at + 3)"))


def screen_pixel(m, x, y):
    return m.screenshot("pixel").getpixel((x, y))


def place(m):
    info, = m.eval('return require "display".get "linux":info()')
    return info


@pytest.fixture(scope="module")
def shown(host):
    assert "no desktop image" in host.type("show linux desktop")
    assert "there is no desktop 'xyz'" in host.type("show xyz desktop")
    assert "does not run" in host.type("type hello into linux")
    host.eval(DEFINE + "return true")
    assert "linux is shown (started)" in host.type("show linux desktop", 90)
    until(lambda: guest_pixel(host) == RED, "the guest paints")
    yield host
    host.eval('if G then G:destroy() G = nil end return true')


def test_what_the_guest_draws_is_on_the_screen(shown):
    info = place(shown)
    assert info["shown"]
    until(lambda: screen_pixel(shown, info["x"] + 5, info["y"] + 5) == RED,
          "red on the screen")
    stats, = shown.eval("return G:display()")
    assert stats["active"] and stats["errors"] == 0 and stats["frames"] > 0


def test_hidden_it_goes_on_and_hears_what_is_typed_into_it(shown):
    assert "hidden" in shown.type("hide linux desktop")
    info = place(shown)
    assert not info["shown"]
    assert screen_pixel(shown, info["x"] + 5, info["y"] + 5) != RED
    shown.type(r'type "green\n" into linux')
    until(lambda: guest_pixel(shown) == GREEN, "green while hidden")
    assert "understood from 'linu'" in shown.type("show linu dekstop")
    until(lambda: screen_pixel(shown, info["x"] + 5, info["y"] + 5) == GREEN,
          "green on the screen")


def test_keys_of_the_keyboard_reach_it_while_it_is_shown(shown):
    shown.type("show linux desktop")
    shown.type_keys("red")
    shown.keys("ret")
    until(lambda: guest_pixel(shown) == RED, "red by keys")
    shown.keys("f12")
    until(lambda: not place(shown)["shown"], "F12 takes the screen back")
    assert shown.eval('return require "input".focus()') == ["terminal"]
    shown.type_keys("green")
    shown.keys("ret")
    time.sleep(1)
    assert guest_pixel(shown) == RED


def test_a_key_that_is_held_when_the_screen_changes_is_released(shown):
    shown.type("show linux desktop")
    shown.eval('require "input".press("leftshift") return true')
    shown.eval('require "display".hide("linux") return true')
    shown.eval('require "input".release("leftshift") return true')
    shown.type(r'type "green\n" into linux')  # with Shift it would be GREEN
    until(lambda: guest_pixel(shown) == GREEN, "green without Shift")


@pytest.mark.parametrize("layout", ["split", "window", "full"])
def test_it_follows_the_size_of_its_view(shown, layout):
    shown.type(f"show linux desktop {layout}")
    info = place(shown)

    def fits():
        stats, = shown.eval("return G:display()")
        return (stats["width"], stats["height"]) == (info["view_width"],
                                                     info["view_height"])
    until(fits, "the guest has the size of its view")


def test_its_picture_is_saved(shown):
    assert "/tmp/linux.png" in shown.type("screenshot linux")
    head, = shown.eval('return io.open("/tmp/linux.png", "rb"):read(8)'
                       ':gsub("[^%w]", ".")')[:1]
    assert head == ".PNG...."


def test_a_click_is_taken(shown):
    before, = shown.eval("return G:display()")
    shown.type("click 40 30 in linux")
    shown.type("press leftctrl in linux")
    after, = shown.eval("return G:display()")
    # Place, press, release; press, release: each batch with its end.
    assert after["events"] - before["events"] == 3 + 2 + 2 + 2 + 2
    assert after["waiting"] == 0


def test_a_guest_that_ends_keeps_its_place(shown):
    shown.type(r'type "end\n" into linux')
    assert shown.eval('return G:wait("stopped", 30)') == [True]
    stats, = shown.eval("return G:display()")
    assert not stats["active"] and stats["memory"] == 0
    assert guest_pixel(shown) == (0, 0, 0)
    assert "linux is shown (started)" in shown.type("show linux desktop", 90)
    until(lambda: guest_pixel(shown) == RED, "the guest paints again")
    assert "linux: " in shown.type("shutdown linux")
    assert shown.eval("return (G:state())") == ["stopped"]


def test_a_crash_is_told_and_the_guest_starts_again(shown):
    """The policy looks after a VM of a name that it knows."""
    shown.type("show linux desktop", 90)
    until(lambda: guest_pixel(shown) == RED, "the guest paints")
    boots, = shown.eval("return G:stats().boots")
    shown.type(r'type "crash\n" into linux')  # resets by a triple fault
    until(lambda: shown.eval("return G:stats().boots") == [boots + 1],
          "it starts again")
    until(lambda: guest_pixel(shown) == RED, "it paints again")
    assert place(shown)["shown"]

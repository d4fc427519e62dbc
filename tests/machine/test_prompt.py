"""The prompt on the serial line, used as a person uses it."""

import time

UP, DOWN, LEFT, TAB, CTRL_C = "\x1b[A", "\x1b[B", "\x1b[D", "\t", "\x03"


def test_first_screen_says_what_this_is_and_nothing_else(fleet):
    m = fleet.boot()
    screen = "\n".join(m.serial.screen())
    assert "RayOS" in screen
    assert "help()" in screen
    assert "EPYC" in screen  # what machine this is
    assert len([line for line in m.serial.screen() if line]) <= 10


def test_an_expression_prints_its_value(shared):
    assert "\n42\n" in shared.type("6 * 7")
    assert '"héllo"' in shared.type('"héllo"') or \
        "héllo" in shared.type('"héllo"').split("\n", 1)[1]


def test_tables_print_readable_and_bounded(shared):
    text = shared.type("(function() local t = {} for i = 1, 1e5 do t[i] = i end "
                       "return t end)()")
    assert "more" in text
    assert len(text) < 5000


def test_history_comes_back_with_the_up_key(shared):
    shared.type("x_history = 11")
    shared.type("x_history = x_history * 3")
    shared.serial.send(UP + "\r")
    shared.wait_prompt()
    time.sleep(0.3)
    assert shared.eval("return x_history") == [99]


def test_reverse_search_finds_an_earlier_line(shared):
    shared.type("needle_value = 5")
    shared.type("other = 1")
    mark = shared.serial.mark()
    shared.serial.send("\x12needle")
    shared.serial.expect_screen(r"needle_value = 5")
    shared.serial.send("\r")
    shared.wait_prompt(since=mark)


def test_tab_completes_names_and_files(shared):
    mark = shared.serial.mark()
    shared.serial.send("math.flo" + TAB)
    shared.serial.expect_screen(r"ray> math\.floor")
    shared.serial.send("(2.5)\r")
    shared.serial.expect(r"^2$", mark)
    shared.wait_prompt(since=mark)
    mark = shared.serial.mark()
    shared.serial.send('fs.stat("/boot/shell/ma' + TAB)
    shared.serial.expect_screen(r'/boot/shell/main\.lua')
    shared.serial.send(CTRL_C)
    shared.wait_prompt(since=mark)


def test_multi_line_input_continues_until_it_is_complete(shared):
    mark = shared.serial.mark()
    shared.serial.send("for i = 1, 3 do\r")
    shared.serial.expect_screen(r"^\.\.\.>")
    shared.serial.send("print(i * 100)\r")
    shared.serial.send("end\r")
    shared.serial.expect(r"^100\n200\n300$", mark)
    shared.wait_prompt(since=mark)


def test_an_error_shows_message_and_traceback(shared):
    text = shared.type("error('bang ' .. 7)")
    assert "bang 7" in text
    text = shared.type("local function f() local x = nil; return x.y end "
                       "return f()")
    assert "attempt to index a nil value" in text
    assert "stack" in text.lower() or "in function" in text or "in local" in text


def test_ctrl_c_interrupts_a_running_chunk(shared):
    for chunk in ("while true do end",
                  "while true do pcall(function() while true do end end) end",
                  "sys.sleep(1000)",
                  "io.read()",
                  "coroutine.wrap(function() while true do end end)()",
                  "(('a'):rep(60)):find(('.-'):rep(60) .. 'b')"):
        mark = shared.serial.mark()
        shared.serial.send("print('g' .. 'o'); " + chunk + "\r")
        shared.serial.expect(r"\ngo\r?\n", mark, 20)
        time.sleep(0.3)
        shared.serial.send(CTRL_C)
        shared.serial.expect(r"interrupted", mark, 20)
        shared.wait_prompt(since=mark)
    assert shared.eval("return 1") == [1]


def test_ctrl_c_abandons_a_line(shared):
    mark = shared.serial.mark()
    shared.serial.send("this is not wanted" + CTRL_C)
    shared.wait_prompt(since=mark)
    assert "error" not in shared.serial.text(mark)


def test_help_explains_every_bound_function(shared):
    assert "help(" in shared.type("help()")
    text = shared.type("help(sys.sleep)")
    assert "seconds" in text
    missing, = shared.eval("""
      local help, missing = require "help", {}
      for _, name in ipairs { "sys", "domain", "log", "console", "fs" } do
        for key, value in pairs(require(name)) do
          if type(value) == "function" and not help.find(value) then
            missing[#missing + 1] = name .. "." .. key
          end
        end
      end
      return missing""")
    assert not missing


def test_both_prompts_are_alive_at_once_and_apart(fleet):
    m = fleet.boot()
    m.type("mine = 'serial'")
    m.type_keys("mine = 'screen' fs.write('/tmp/from-screen', mine)\n")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if m.eval("return fs.exists('/tmp/from-screen')")[0]:
            break
        time.sleep(0.2)
    assert m.eval("return fs.read('/tmp/from-screen')") == ["screen"]
    assert m.eval("return mine") == ["serial"]


def test_the_screen_shows_what_is_typed(fleet):
    m = fleet.boot()
    time.sleep(1)
    before = m.screenshot("before")
    m.type_keys("6 * 7\n")
    time.sleep(1.5)
    after = m.screenshot("after")
    changed = sum(a != b for a, b in zip(before.getdata(), after.getdata()))
    assert before.size == (1920, 1080)
    assert changed > 200
    ground = before.getpixel((2, 2))
    lit = sum(p != ground for p in after.getdata())
    assert lit > 3000, "there is no text on the screen"

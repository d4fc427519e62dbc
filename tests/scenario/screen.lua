-- A person at the screen and keyboard, played by the machine itself.

local t = require "scenario"

t.plan(5)

-- Where nothing else runs on the screen: a shell of our own.
t.spawn {
  name = "shell", file = "/boot/shell/main.lua", console = "tty0", caps = { "*" },
}

local function shows(pattern)
  return function()
    return t.screen():match(pattern)
  end
end

t.test("the prompt comes", function()
  t.ok(t.wait(shows("ray> *$"), 20, "the prompt"))
end)

t.test("what is typed is computed", function()
  t.type('("%d-%s"):format(6 * 7, "Ok"):rep(2, "|")\n')
  t.ok(t.wait(shows("42%-Ok|42%-Ok"), 10, "the answer"))
end)

t.test("Ctrl-C ends what runs", function()
  t.wait(shows("ray> *$"))
  -- Ctrl-C before it runs would only clear the line.
  t.type("print('run' .. 'ning') while true do end\n")
  t.wait(shows("\nrunning"), 10, "the loop")
  t.press("ctrl+c")
  t.ok(t.wait(shows("interrupted"), 10, "the word 'interrupted'"))
end)

t.test("keys that edit", function()
  t.wait(shows("ray> *$"))
  t.type('("<%d>"):format(3)')
  t.press("left")
  t.type("7")
  t.press("end", "enter")
  t.ok(t.wait(shows("<37>"), 10, "the edited number"))
end)

t.test("pixels: the same until something is drawn", function()
  t.wait(shows("ray> *$"))
  local before, width, height = t.screen_region()
  t.is(#before, width * height * 3, "three bytes a pixel")
  t.screenshot("/tmp/out/before.png")
  t.looks_like("/tmp/out/before.png", "nothing was drawn")
  t.type("x")
  t.wait(shows("ray> x"))
  t.ok(t.screen_region() ~= before, "a letter was drawn")
  t.screenshot("/tmp/out/corner.png", 0, 0, 64, 32)
end)

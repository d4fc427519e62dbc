-- Values: readable, bounded, harmless.

local tap = require "tap"
local pretty = require "pretty"
local test, is, has, lacks = tap.test, tap.is, tap.has, tap.lacks

local function show(value, columns)
  return pretty.format(value, { plain = true, columns = columns })
end

local function lines(text)
  return select(2, text:gsub("\n", "")) + 1
end

test("numbers are written as Lua writes them", function()
  is(show(3), "3")
  is(show(3.0), "3.0")
  is(show(0.1), "0.1")
  is(show(1e100), "1e+100")
  is(show(math.mininteger), tostring(math.mininteger))
  is(show(1 / 0), "inf")
  is(show(-1 / 0), "-inf")
  is(show(0 / 0), "nan")
  is(show(-(0 / 0)), "nan")
end)

test("a string by itself stands as it is, inside a table it is quoted", function()
  is(show "a\nb", "a\nb")
  is(show { 'say "x"\n\0', "é" }, '{ "say \\"x\\"\\n\\0", "é" }')
end)

test("nothing in a string drives the terminal", function()
  is(show "\27[31m\7", "\\27[31m\\a")
  is(show { "\0275" }, '{ "\\0275" }')
  is(show "\xff\xfe", "\\xff\\xfe")
  is(show "\xc2\x9b31m", "\\xc2\\x9b31m")
  is(show "\u{202e}x", "\\xe2\\x80\\xaex")
  local text = show { ["\27[2J"] = "\27]0;x\7" }
  is(text:find("[\0-\9\11-\31]"), nil)
end)

test("a long string is cut", function()
  local text = show(("x"):rep(1 << 20))
  is(#text < 20000, true)
  has(text, "more bytes")
  has(show { ("x"):rep(1000) }, "... 700 more bytes")
end)

test("small tables stand on one line, keys sorted", function()
  is(show {}, "{}")
  is(show { 1, 2, 3 }, "{ 1, 2, 3 }")
  is(show { b = 1, a = 2, [10] = 3, [1.5] = 4, ["x y"] = 5, ["end"] = 6 },
    '{ [1.5] = 4, [10] = 3, a = 2, b = 1, ["end"] = 6, ["x y"] = 5 }')
  is(show { [true] = 1, [{}] = 2 }, "{ [true] = 1, [table] = 2 }")
end)

test("what does not fit is indented", function()
  is(show({ name = "something", list = { 1, 2 }, nested = { deep = { er = 1 } } },
    40), '{\n  list = { 1, 2 },\n  name = "something",\n'
    .. "  nested = { deep = { er = 1 } },\n}")
end)

test("long arrays flow in lines and end with what is left out", function()
  local t = {}
  for i = 1, 193 do
    t[i] = i
  end
  local text = show(t)
  has(text, "{\n  1, 2, 3,")
  has(text, "\n  ... 93 more\n}")
  is(lines(text) < 10, true)
end)

test("many keys are cut too", function()
  local t = {}
  for i = 1, 90 do
    t[("key%02d"):format(i)] = i
  end
  local text = show(t)
  has(text, "key01 = 1,")
  has(text, "... 50 more")
end)

test("a cycle is marked, a shared table is not one", function()
  local t = { name = "t" }
  t.self = t
  is(show(t), '{ name = "t", self = <cycle> }')
  local shared = { 1 }
  is(show { shared, shared }, "{ { 1 }, { 1 } }")
end)

test("depth has an end", function()
  local t = {}
  local inner = t
  for _ = 1, 50 do
    inner.next = {}
    inner = inner.next
  end
  local text = show(t)
  has(text, "{ ... }")
  is(#text < 500, true)
end)

test("tables that branch without end are cut", function()
  local t = { "leaf" }
  for _ = 1, 30 do
    t = { t, t, t, name = ("x"):rep(60) }
  end
  is(lines(show(t)) <= 202, true)
end)

test("an enormous table is not walked to its end", function()
  local t = {}
  for i = 1, 300000 do
    t["k" .. i] = i
  end
  local before = os.clock()
  local text = show(t)
  is(os.clock() - before < 1, true, "time")
  has(text, "... at least ")
  is(lines(text) < 50, true)
end)

test("metamethods do not run", function()
  local bomb = function() error("ran") end
  local t = setmetatable({ 1, a = 2 }, {
    __index = bomb, __pairs = bomb, __len = bomb, __eq = bomb, __lt = bomb,
    __metatable = "locked",
  })
  is(show(t), "{ 1, a = 2 }")
end)

test("__tostring shows an object; when it fails, that is shown", function()
  is(show(setmetatable({}, { __tostring = function() return "<me>" end })), "<me>")
  has(show(setmetatable({}, { __tostring = function() error("bad\27") end })),
    "<error in __tostring: ")
  lacks(show(setmetatable({}, { __tostring = function() error("\27[2J", 0) end })),
    "\27")
  has(show(setmetatable({}, { __tostring = function() return {} end })),
    "must return a string")
  is(#show(setmetatable({}, {
    __tostring = function() return ("y"):rep(1e6) end })) < 300, true)
end)

test("an object by itself may have several lines", function()
  local log = setmetatable({}, { __tostring = function() return "one\n\27[2Jtwo" end })
  is(show(log), "one\n\\27[2Jtwo")
  is(show { log }, "{ one\\n\\27[2Jtwo }")
end)

test("a class name stands before the braces", function()
  is(show(setmetatable({ 1 }, { __name = "point" })), "point { 1 }")
end)

test("functions say where they are from", function()
  local function named() end
  has(show(named), "function: (")
  has(show(named), "test_pretty.lua:")
  is(pretty.format(print, { plain = true, name = function() return "print" end }),
    "function: print (C)")
  is(show { print = print }, "{ print = function: print (C) }")
  has(show { [true] = print, [1] = print, [{}] = print }, "function: (C)")
end)

test("threads say how they are", function()
  has(show(coroutine.create(print)), "(suspended)")
end)

test("records that are alike are a table with a header", function()
  is(show { { id = 1, name = "init", memory = 1024 },
      { id = 12, name = "shell", memory = 5 } },
    "id  name   memory\n 1  init     1024\n12  shell       5")
end)

test("a missing field is empty, a different list is no grid", function()
  is(show { { id = 1, a = "x" }, { id = 2, a = "y", b = true } },
    "id  a  b\n 1  x\n 2  y  true")
  is(show { { id = 1, a = "x" }, 5 }, '{ { a = "x", id = 1 }, 5 }')
  is(show { { 1, 2 }, { 3, 4 } }, "{ { 1, 2 }, { 3, 4 } }")
end)

test("a grid is cut to the terminal, and harmless", function()
  local t = {}
  for i = 1, 80 do
    t[i] = { id = i, text = ("long \27[31m"):rep(30), last = "z" }
  end
  local text = show(t, 40)
  for line in text:gmatch("[^\n]+") do
    is(#line <= 40, true, line)
  end
  has(text, "... 30 more")
  lacks(text, "\27")
end)

test("nil in the middle and holes are no trouble", function()
  is(show { 1, nil, 3 }, "{ 1, [3] = 3 }")
  is(show { [3] = 1 }, "{ [3] = 1 }")
  is(show { [math.maxinteger] = 1 }, "{ [9223372036854775807] = 1 }")
  is(show { [1 << 40] = 1, [-1] = 2, [0] = 3 },
    "{ [-1] = 2, [0] = 3, [1099511627776] = 1 }")
end)

test("several values stand on one line when they fit", function()
  local all = function(...)
    return pretty.format_all(table.pack(...), { plain = true, columns = 30 })
  end
  is(all(1, "a", nil, { 2 }), '1, "a", nil, { 2 }')
  is(all(("a"):rep(30), 2), ("a"):rep(30) .. "\n2")
end)

test("colours come in pairs on every line", function()
  for line in pretty.format({ { a = "x\ny" }, ("long "):rep(30), 5 })
      :gmatch("[^\n]+") do
    local on = select(2, line:gsub("\27%[%d", ""))
    is(select(2, line:gsub("\27%[m", "")), on, line)
  end
end)

tap.done()

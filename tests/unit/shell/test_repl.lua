-- Entries, results, errors and commands, on a terminal.

local tap = require "tap"
local test, is, has, lacks = tap.test, tap.is, tap.has, tap.lacks

local repls = require "repl"
local output = require "output"

-- What chunks print goes to the fake terminal: the real functions of this host
-- are watched once, with a standard output that the test provides.
local sink
local file = setmetatable({}, { __index = {
  write = function(self, ...)
    for _, piece in ipairs { ... } do
      sink((tostring(piece):gsub("\n", "\r\n")))
    end
    return self
  end,
} })
local world = {
  io = { stdout = file, output = function() return file end,
    write = function(...) return file:write(...) end },
  print = function(...)
    local out = table.pack(...)
    for i = 1, out.n do
      out[i] = tostring(out[i])
    end
    sink(table.concat(out, "\t") .. "\r\n")
  end,
}
output.watch(world)
setmetatable(world, { __index = _G })

local function start(options)
  local con = tap.console(options)
  local repl = repls.new(con, "ray> ", "...> ")
  repl.env = require "modules".environment(world, repl.words)
  con.repl = repl
  output.at_start = true
  sink = con.write
  return con:start(function()
    repl:run()
    return "left"
  end)
end

-- Type entries, each followed by Enter; the screen without the last prompt.
local function session(...)
  local con = start { rows = 60 }
  for _, entry in ipairs { ... } do
    con:type((entry:gsub("\n", "\r")) .. "\r")
  end
  return (con:text():gsub("\nray>$", "")), con
end

test("an expression prints its value", function()
  is(session "1 + 2", "ray> 1 + 2\n3")
  is(session '"a" .. "b"', 'ray> "a" .. "b"\nab')
  is(session "nil", "ray> nil\nnil")
  is(session "x", "ray> x\nnil")
  is(session "return 7", "ray> return 7\n7")
end)

test("a statement prints nothing and its globals stay", function()
  is(session("x = 4", "x * 2"), "ray> x = 4\nray> x * 2\n8")
  is(session("function f(a) return a + 1 end", "f(1)"),
    "ray> function f(a) return a + 1 end\nray> f(1)\n2")
  is(rawget(_G, "x"), nil, "the session's own table")
end)

test("several values stand on one line, and are kept", function()
  is(session('1, "two", nil', "_1, _2, _3, _"),
    'ray> 1, "two", nil\n1, "two", nil\nray> _1, _2, _3, _\n1, "two", nil, 1')
end)

test("_ is the last result", function()
  is(session("6 * 7", "x = 1", "_ + 1"),
    "ray> 6 * 7\n42\nray> x = 1\nray> _ + 1\n43")
end)

test("an empty line or a comment does nothing", function()
  is(session("", "  ", "-- note"), "ray>\nray>\nray> -- note")
end)

test("an incomplete entry goes on", function()
  is(session "for i = 1, 2 do\nprint(i)\nend",
    "ray> for i = 1, 2 do\n...> print(i)\n...> end\n1\n2")
  is(session "1 +\n2", "ray> 1 +\n...> 2\n3")
  is(session "s = [[a\nb]]\ns", "ray> s = [[a\n...> b]]\nray> s\na\nb")
end)

test("continuation lines are indented as one types", function()
  local con = start():slowly("function f(n)"):type("\r")
    :slowly("if n then"):type("\r"):slowly("return 1"):type("\r")
    :slowly("end"):type("\r"):slowly("end"):type("\r")
  is(con:text(), "ray> function f(n)\n...>   if n then\n...>     return 1\n"
    .. "...>   end\n...> end\nray>")
end)

test("output without a newline does not disturb the prompt", function()
  local text, con = session 'do io.write("abc") end'
  is(text, 'ray> do io.write("abc") end\nabc')
  is(con:cursor(), "3,6")
  is(session 'do io.write("a\\n") end', 'ray> do io.write("a\\n") end\na')
  is(session 'io.stdout:write("x", 1) and 5',
    'ray> io.stdout:write("x", 1) and 5\nx1\n5')
end)

test("an error is one line, and red", function()
  local text, con = session "nothing.at.all"
  is(text, "ray> nothing.at.all\n"
    .. "error: attempt to index a nil value (global 'nothing')")
  is(con.terminal.screen[2][1].sgr, "91")
end)

test("a traceback shows the user's frames only", function()
  local text = session("function f() error('deep') end",
    "function g() f() end", "g()")
  has(text, "error: entry 1:1: deep\n"
    .. "  entry 1:1: in global 'f'\n  entry 2:1: in function <entry 2:1>")
  lacks(text, "repl.lua")
  lacks(text, "xpcall")
end)

test("a failing function is named though the entry is one line", function()
  has(session "local function f() local x = nil; return x.y end return f()",
    "in function <entry 1:1>")
  lacks(session "local x = nil; x.y = 1", "main chunk")
end)

test("a long traceback is cut in the middle", function()
  local text = session("function r(n) if n == 0 then error('x') end r(n - 1) end",
    "r(100)")
  has(text, "more\n")
  is(select(2, text:gsub("\n", "")) < 20, true)
end)

test("an error object is shown as a value", function()
  has(session "error({ code = 5 })", "error: (table) { code = 5 }")
  has(session "error()", "error: nil")
  has(session "error(setmetatable({}, {__tostring = function() error('no') end}))",
    "error: (table) <error in __tostring:")
end)

test("a mistake in the grammar shows the line and the place", function()
  is(session "x = = 1", "ray> x = = 1\nerror: unexpected symbol near '='\n"
    .. "  x = = 1\n      ^")
  has(session "f(1))", "\n  f(1))\n      ^")
  has(session "foo bar", "error: syntax error near 'bar'\n  foo bar\n      ^")
  local con = start { rows = 60 }:type("\27[200~if a then\n  b = )\nend\27[201~\r")
  has(con:text(), "error: line 2: unexpected symbol near ')'\n    b = )\n        ^")
end)

test("Ctrl-C stops a chunk and says where", function()
  local con = start()
  con.patience = 10000
  con:type("function spin() while true do end end\r", "spin()\r")
  has(con:text(), "interrupted at entry 1:1, in function")
  con:type("while true do end\r")
  has(con:text(), "interrupted at entry 3:1\nray>")
  con:type("1\r")
  has(con:text(), "ray> 1\n1\nray>")
end)

test("showing a value that never ends can be interrupted", function()
  local con = start()
  con.patience = 10000
  con:type("setmetatable({}, {__tostring = function() while true do end end})\r")
  lacks(con:text(), "error in the shell")
  has(con:text(), "\nray>")
end)

test("a lone local is explained once", function()
  local text = session("local x = 1", "x", "local y = 2")
  has(text, "(a local lives for one entry; without `local`, x stays)")
  lacks(text, "y stays")
  lacks(session "local x = 1 print(x)", "lives")
end)

test("a command word is a command, unless the line is Lua", function()
  has(session "history", "ray> history\nhistory")
  has(session "help", "help(")
  has(session "log 5", "error: there is no module 'log'")
  is(session "history = 5", "ray> history = 5")
  has(session("history = 5", "history"), "ray> history\n5")
  has(session "wave flags", "error: syntax error near 'flags'")
end)

test("another module can register a verb", function()
  require "commands".register {
    name = "show", args = "what", summary = "for the test",
    handler = function(shell, args)
      shell:say("showing " .. args.text .. ", " .. #args .. " words")
      return nil, args[3] and "too many" or nil
    end,
  }
  has(session "show linux desktop", "\nshowing linux desktop, 2 words")
  has(session "show linux desktop now", "error: too many")
  has(session 'show = 5', "ray> show = 5")
end)

test("exit and Ctrl-D end the session", function()
  is(select(2, session "exit").result, "left")
  is(start():type("\4").result, "left")
  is(start():type("quit\r").result, "left")
end)

test("a session survives what a chunk does to the libraries", function()
  local con = start()
  local saved = { string.format, table.concat, table.insert }
  con:type("string.format, table.concat, table.insert = nil\r", "1 + 1\r")
  string.format, table.concat, table.insert = -- luacheck: ignore 122
    table.unpack(saved)
  has(con:text(), "\n2\nray>")
end)

test("values of hostile tables do not end the session", function()
  local text = session("setmetatable({}, {__index = error, __pairs = error, "
    .. "__len = error, __name = 5, __metatable = 1})", "2")
  has(text, "{}\nray> 2\n2")
end)

test("the longest line of a test harness is echoed once", function()
  local code = "x = '" .. ("0123456789"):rep(20) .. "'"
  local con = start()
  local bytes = con:bytes_of(function() con:type(code .. "\r") end)
  local plain = bytes:gsub("\27%[[0-?]*[ -/]*[@-~]", ""):gsub("\r", "")
  is(plain, code .. "\nray> ")
end)

tap.done()

-- The first screen, completion and help, with modules as the OS has them.

local tap = require "tap"
local test, is, has, lacks = tap.test, tap.is, tap.has, tap.lacks

local slept
local sys = {
  version = function() return "RayOS 0.1" end,
  machine = function()
    return { brand = "AMD EPYC  Processor\0", cpus = 2, memory = 512 << 20,
      hypervisor = "TCG\27[31m" }
  end,
  sleep = function(s) slept = s return true end,
  boot_done = function() end,
  last_panic = function() return nil end,
  safe_mode = function() return false end,
}
local handle = setmetatable({}, {
  __name = "domain.handle", __index = { send = print, name = print },
})
package.preload["doc.sys"] = function()
  return {
    module = "sys", summary = "The machine as a whole.",
    functions = {
      { name = "sleep", args = { { "seconds", "number", "how long" } },
        returns = { { "boolean", "true when the time is over" } },
        text = "Waits without using the CPU. Other domains go on.",
        example = "sys.sleep(0.5)" },
      { name = "version", text = "Name and version.", returns = { { "string" } } },
    },
  }
end
package.preload["doc.domain"] = function()
  return {
    module = "domain", summary = "Lua domains.", functions = {},
    classes = { { name = "domain.handle", text = "A running domain.",
      methods = { { name = "send", args = { { "message", "any?", "what" } },
        text = "Send a message." } } } },
  }
end
package.preload["doc.log"] = function() return "not a table" end
package.preload["doc.vm"] = function() error("broken") end
package.preload.sys = function() return sys end
package.preload.domain = function()
  return { list = function()
    return { { id = 1, name = "init" }, { id = 2, name = "shell" } }
  end, handle = handle }
end
package.preload.log = function()
  return { tail = function(n)
    return { { time = 0.5, level = "info", text = "n is " .. n },
      { time = 1.5, level = "warn", text = "second" } }
  end }
end
package.preload.fs = function()
  return { list = function(path)
    if path == "/boot/" then
      return { { name = "lua", type = "directory" }, { name = "lumen.lua" }, "etc/" }
    elseif path == "/boot/lua/" then
      return { { name = "mind.lua", type = "file" }, { name = "mine.lua" } }
    end
    return nil, "no such file"
  end }
end
package.path = package.path .. ";/boot/lua/?.lua"

-- A session without the lines above its first prompt.
local function start(options)
  options = options or {}
  local con = tap.console { unknown = options.unknown, rows = options.rows or 60,
    columns = options.columns }
  for key, value in pairs(options.sys or {}) do
    sys[key] = value
  end
  return con:start(function() require "session".run(con, sys) end)
end

local function tail(con)
  return con:text():match("\n\n(.*)$")
end

local real_print, real_write = print, io.write
local methods = getmetatable(io.stdout).__index
local real_file_write = methods.write
-- The session watches this host's own functions: put them back.
local function check(name, f)
  test(name, function()
    local ok, err = xpcall(f, debug.traceback)
    print, io.write, methods.write = real_print, real_write, real_file_write -- luacheck: ignore
    if not ok then
      error(err, 0)
    end
  end)
end

check("the first screen tells the version, the machine and where help is", function()
  local con = start()
  is(con:text(), "RayOS 0.1\nAMD EPYC Processor, 2 CPUs, 512 MiB of memory, "
    .. "under TCG[31m\nLua 5.4 in the kernel. Type help() for help; "
    .. "Tab completes, Ctrl-C interrupts.\n\nray>")
end)

check("boot_done is called just before the first prompt", function()
  local before
  local con
  con = tap.console()
  local with = setmetatable({ boot_done = function()
    before = con:text()
  end }, { __index = sys })
  con:start(function() require "session".run(con, with) end)
  has(before, "help()")
  lacks(before, "ray>")
  has(con:text(), "ray>")
end)

check("a panic of the boot before and safe mode are told", function()
  local con = start { sys = {
    last_panic = function() return { text = "x" } end,
    safe_mode = function() return true, "two boots failed" end } }
  has(con:text(), "The previous boot ended in a panic: sys.last_panic() shows it")
  has(con:text(), "SAFE MODE")
  has(con:text(), "(two boots failed)")
  sys.last_panic, sys.safe_mode = nil, nil
end)

check("module sys may be missing or broken", function()
  local con = tap.console()
  con:start(function() require "session".run(con, nil) end)
  has(con:text(), "RayOS\nLua 5.4")
  con = tap.console()
  con:start(function()
    require "session".run(con, { version = error, machine = function()
      return 5 end, safe_mode = 7 })
  end)
  has(con:text(), "RayOS\nLua 5.4")
end)

check("the terminal is asked for its size; no answer is no trouble", function()
  local con = start { unknown = true }
  is(con.terminal.replies, "\27[60;80R")
  con:type("1\r")
  has(tail(con), "ray> 1\n1\nray>")
  con = start { unknown = true, columns = 100 }
  con:type(con.terminal.replies, '("x"):rep(5)\r')
  has(tail(con), "xxxxx")
  con:type("'" .. ("y"):rep(93) .. "'")
  has(con:text(), ("y"):rep(93))
end)

check("what is typed while the shell loads is not lost", function()
  local con = tap.console()
  con.input = { "1 + 1\r2" }
  con:start(function() require "session".run(con, sys) end)
  has(con:text(), "ray> 1 + 1\n2\nray> 2")
end)

check("Tab completes globals, fields, methods and modules", function()
  local con = start():slowly("tab"):type("\t")
  has(tail(con), "ray> table")
  con:slowly(".con"):type("\t")
  has(tail(con), "ray> table.concat")
  con:type("\21"):slowly("('x'):re"):type("\t")
  is(tail(con), "ray> ('x'):re")
  con:type("\21", "word = 'x'\r"):slowly("word:re"):type("\t", "\t")
  has(tail(con), "rep      reverse")
  con:type("\21"):slowly("sys.sl"):type("\t")
  has(con:text(), "ray> sys.sleep")
  con:type("\21"):slowly("domain.handle:se"):type("\t")
  has(con:text(), "ray> domain.handle:send")
end)

check("Tab completes keywords, commands and the session's variables", function()
  local con = start():slowly("func"):type("\t")
  has(tail(con), "ray> function")
  con:type("\21"):slowly("rebo"):type("\t")
  has(tail(con), "ray> reboot")
  con:type("\21"):slowly("x = rebo"):type("\t")
  is(tail(con), "ray> x = rebo")
  con:type("\21", "my_own_name = { inner = 1 }\r"):slowly("my_o"):type("\t")
  has(tail(con), "\nray> my_own_name")
  con:slowly(".in"):type("\t")
  has(tail(con), "\nray> my_own_name.inner")
end)

check("completion runs no functions and survives odd metatables", function()
  local con = start():type("t = setmetatable({}, {__index = function() ran = true end})\r")
  con:slowly("t.x"):type("\t", "\21")
  con:type("u = setmetatable({}, {}) getmetatable(u).__index = u\r")
  con:slowly("u.x"):type("\t", "\21", "ran\r")
  has(tail(con), "ray> ran\nnil")
end)

check("Tab completes module names and paths inside strings", function()
  local con = start():slowly('require "doma'):type("\t")
  is(tail(con), 'ray> require "domain')
  con:type("\21"):slowly('require("mi'):type("\t", "\t")
  is(tail(con), 'ray> require("min\nmind  mine')
  con:type("\21"):slowly('io.open("/boot/lu'):type("\t")
  has(tail(con), "lua/       lumen.lua")
  con:type("a/", "\t", "\t")
  is(tail(con), 'ray> io.open("/boot/lua/min\nmind.lua  mine.lua')
end)

check("Tab behind a bracket shows the arguments", function()
  local con = start():slowly("sys.sleep("):type("\t")
  is(tail(con), "ray> sys.sleep(\nsys.sleep(seconds) -> boolean")
  con:slowly("1"):type("\21"):slowly("string.rep('x', "):type("\t")
  has(tail(con), "string.rep(s, n [, sep])")
  con:type("\21", "function mine(a, b, ...) end\r"):slowly("mine("):type("\t")
  has(tail(con), "mine(a, b, ...)")
end)

check("help() is an overview", function()
  local con = start():type("help()\r")
  local text = con:text()
  has(text, "Try first")
  has(text, "sys      The machine as a whole.")
  has(text, "log [count]")
  local con24 = start { rows = 24 }:type("help()\r")
  has(con24:text(), "Try first")
  con:type("\12", "help\r")
  has(con:text(), "Try first")
end)

check("help tells about functions, modules, classes, objects, words", function()
  local con = start()
  local function ask(entry)
    con:type("\12", entry .. "\r")
    return con:text()
  end
  is(ask "help(sys.sleep)", "ray> help(sys.sleep)\nsys.sleep(seconds) -> boolean\n"
    .. "  Waits without using the CPU. Other domains go on.\n\n"
    .. "  seconds  number: how long\n  returns  boolean: true when the time is over\n\n"
    .. "Example\n  sys.sleep(0.5)\nray>")
  has(ask "help sys.sleep", "Waits without")
  has(ask "help(sys)", "module sys\n  The machine as a whole.\n\n"
    .. "  sys.sleep(seconds)  Waits without using the CPU.")
  has(ask "help(domain.handle)", "class domain.handle\n  A running domain.\n\n"
    .. "    :send([message])  Send a message.")
  has(ask "help('domain.handle:send')", "domain.handle:send([message])\n")
  has(ask "help(string.rep)", "string.rep(s, n [, sep])")
  has(ask "help(print)", "print(...)")
  has(ask "help log", "the last lines")
  has(ask "help(help)", "what there is")
  has(ask "help(string)", "string.format(format, ...)")
  has(ask "help(5)", "A value of type number.")
  con:type("function add(a, b) end\r")
  has(ask "help(add)", "function(a, b)")
  has(ask "help add", "add(a, b)\n  defined in entry")
end)

check("help.find knows a function by identity", function()
  require "sys"
  local find = require "help".find
  is(find(sys.sleep).name, "sys.sleep")
  is(find(string.rep).signature, "string.rep(s, n [, sep])")
  is(find(function() end), nil)
end)

check("help(\"word\") searches", function()
  local con = start():type('help("CPU")\r')
  has(tail(con), "sys.sleep(seconds) -> boolean")
  has(tail(con), "os.clock()")
  con:type('help("qqqq")\r')
  has(tail(con), 'Nothing is known about "qqqq"')
end)

check("commands use the system's modules", function()
  local con = start():type("ps\r")
  has(tail(con), "id  name\n 1  init\n 2  shell")
  con:type("log 7\r")
  has(tail(con), "n is 7")
  con:type("reboot\r")
  has(tail(con), "error: module 'sys' has no function reboot")
  con:type("sys.sleep(2)\r")
  is(slept, 2)
  con:type("sys\r")
  has(tail(con), "sleep = function: ")
end)

tap.done()

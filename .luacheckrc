-- luacheck: all our Lua is 5.4 and makes no globals.
std = "lua54"
max_line_length = 100
-- Method tables and callbacks have arguments that not everybody uses.
unused_args = false
self = false

-- In the OS a prompt finds the modules as globals; files use require.
files["tests/scenario"] = { read_globals = { "sys", "domain", "log" } }
files["tests/fuzz"] = { allow_defined_top = true }
-- The meta files that describe our modules to editors define what they show.
files["docs"] = { ignore = { "111", "112", "113", "131", "212" } }

-- What a script might use to break the kernel through its own Lua state.

local domain = require "domain"
local tap = require "tap"
local same, contains = tap.same, tap.contains

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, f }
end

local function refused(text, f, ...)
  local ok, message = pcall(f, ...)
  same(ok, false, text)
  contains(message, "not allowed")
end

test("bytecode is neither made nor loaded", function()
  refused("string.dump", string.dump, function() end)
  local f, message = load("\27Lua")
  same(f, nil)
  contains(message, "attempt to load a binary chunk")
  same(load("\27Lua", "x", "b"), nil)
  same(load("return 1", "x", "b"), nil)
  same(load("return 1", "x", "bt")(), 1)
  local path = os.tmpname()
  local file <close> = io.open(path, "w")
  file:write("\27Lua"):flush()
  same(loadfile(path), nil)
  same(loadfile(path, "b"), nil)
  same(pcall(dofile, path), false)
end)

test("the registry is out of reach", function()
  refused("getregistry", debug.getregistry)
end)

test("a userdata keeps its class", function()
  refused("setmetatable", debug.setmetatable, io.stdout, {})
  refused("setmetatable", debug.setmetatable, domain.self(), nil)
  refused("setuservalue", debug.setuservalue, io.stdout, 1)
  same(debug.setmetatable(10, nil), 10)
end)

test("C functions keep their upvalues and temporaries", function()
  refused("setupvalue", debug.setupvalue, io.lines("/boot/lua/init.lua"), 1, 0)
  refused("setupvalue", debug.setupvalue, string.gmatch("a", "b"), 3, 0);
  ("x"):gsub("x", function()
    refused("setlocal", debug.setlocal, 4, 1, nil)
  end)
  for _ = 1, 1 do
    refused("setlocal of loop state", debug.setlocal, 3, 1, {})
  end
  local mine = 1
  same(debug.setlocal(1, 1, 2) ~= nil, true)
  same(mine, 2)
end)

test("methods refuse what is not theirs", function()
  local d = domain.self()
  same(pcall(d.name, io.stdout), false)
  same(pcall(d.name, {}), false)
  same(pcall(io.stdout.write, d, "x"), false)
  same(getmetatable(d), "domain")
  local close = debug.getmetatable(d).__gc
  local other = domain.find "init"
  close(other)
  contains(select(2, pcall(other.name, other)), "closed")
  close(other)
end)

test("stock functions cannot be fetched from behind a guard", function()
  for _, f in ipairs { io.open, io.lines, debug.setupvalue, debug.setmetatable } do
    same(debug.getupvalue(f, 1), nil)
  end
end)

test("LPeg refuses patterns that would overrun the stack", function()
  local lpeg = require "lpeg"
  local deep = lpeg.P "a"
  contains(select(2, pcall(function()
    for _ = 1, 10000 do deep = -deep end
    return deep:match "a"
  end)), "too deep")
  contains(select(2, pcall(function()
    return (lpeg.P "a" ^ -100000):match "a"
  end)), "too deep")
  local nested = lpeg.P { lpeg.Ct("(" * lpeg.V(1) * ")" + "") }
  lpeg.setmaxstack(1 << 20)
  same(pcall(nested.match, nested, ("("):rep(100000) .. (")"):rep(100000)), false)
  lpeg.setmaxstack(400)
  same(lpeg.P(("long"):rep(10000)):match(("long"):rep(10000)), 40001)
end)

test("cjson does not overrun the stack", function()
  local cjson = require "cjson".new()
  cjson.encode_max_depth(1 << 30)
  cjson.decode_max_depth(1 << 30)
  local deep = {}
  for _ = 1, 100000 do deep = { deep } end
  same(pcall(cjson.encode, deep), false)
  same(pcall(cjson.decode, ("["):rep(100000)), false)
  same(cjson.decode(cjson.encode { 1, { a = "x" } })[2].a, "x")
end)

test("coroutines that close each other do not overrun the stack", function()
  local list = {}
  local function closer(i)
    return coroutine.create(function()
      local _ <close> = setmetatable({}, { __close = function()
        if list[i + 1] then coroutine.close(list[i + 1]) end
      end })
      coroutine.yield()
    end)
  end
  for i = 1, 5000 do
    list[i] = closer(i)
    coroutine.resume(list[i])
  end
  coroutine.close(list[1])
end)

test("match-time captures that match again do not overrun the stack", function()
  local lpeg = require "lpeg"
  local pattern
  pattern = lpeg.Cmt(lpeg.P(true), function()
    return pattern:match "a"
  end)
  same(pcall(pattern.match, pattern, "a"), false)
end)

os.exit(tap.run(tests))

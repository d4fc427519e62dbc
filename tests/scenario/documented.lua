-- Every function that we bind is documented, and every documented one is there;
-- every example runs.

local tap = require "tap"

local MODULES = { "sys", "domain", "log", "console", "fs", "supervisor", "scenario",
  "trace", "input", "block", "event", "reflex", "dev",
  "display", "vm", "agent", "desktop" }

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, f }
end

-- Names of the functions in a table, those in tables inside it included.
local function function_names(t, prefix, names)
  for key, value in pairs(t) do
    if type(value) == "function" then
      names[prefix .. key] = true
    elseif type(value) == "table" and type(key) == "string" then
      function_names(value, prefix .. key .. ".", names)
    end
  end
  return names
end

local function documented_names(functions)
  local names = {}
  for _, item in ipairs(functions) do
    assert(type(item.text) == "string" and #item.text > 5, item.name .. ": no text")
    names[item.name] = true
  end
  return names
end

local function compare(real, documented, what)
  for name in pairs(real) do
    assert(documented[name], what .. name .. " is not documented")
  end
  for name in pairs(documented) do
    assert(real[name], what .. name .. " is documented and does not exist")
  end
end

for _, name in ipairs(MODULES) do
  local doc = require("doc." .. name)
  test(name .. " and its documentation agree", function()
    compare(function_names(require(name), "", {}),
      documented_names(doc.functions), name .. ".")
  end)
  for _, item in ipairs(doc.functions) do
    if item.example then
      test(name .. "." .. item.name .. ": the example runs", function()
        local chunk = load("return " .. item.example) or assert(load(item.example))
        debug.setupvalue(chunk, 1, setmetatable({}, { __index = function(_, key)
          return _G[key] or require(key)
        end }))
        chunk()
      end)
    end
  end
end

local function methods_of(object)
  local names = {}
  for key in pairs(debug.getmetatable(object).__index) do
    if key:sub(1, 2) ~= "__" and key ~= "__index" then
      names[key] = true
    end
  end
  return names
end

local function class(module, name)
  for _, item in ipairs(require("doc." .. module).classes) do
    if item.name == name then
      return documented_names(item.methods)
    end
  end
  error(module .. " documents no class " .. name)
end

test("methods and their documentation agree", function()
  local domain = require "domain"
  domain.self():send(1)
  local _, envelope = domain.receive(1)
  compare(methods_of(domain.self()), class("domain", "handle"), "handle:")
  compare(methods_of(envelope), class("domain", "envelope"), "envelope:")
  compare(methods_of(require "block".open("vda")), class("block", "disk"),
    "disk:")
  local dev = require "dev"
  local device = dev(dev.list()[1].name)
  for name in pairs(class("dev", "device")) do
    assert(type(device[name]) == "function", "device:" .. name)
  end
  compare(methods_of(require "supervisor".new { children = {} }),
    class("supervisor", "supervisor"), "supervisor:")
end)

os.exit(tap.run(tests))

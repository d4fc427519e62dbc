-- Module reflex: rules that the kernel runs in the moment an event happens.
-- Over `reflex_core`; the compiler is lua/reflex_compile.lua.

local compile = require "reflex_compile"
local core = require "reflex_core"
local event = require "event"
local event_core = require "event_core"
local explain = require "reflex_explain"

local reflex = {}

-- --- compiling --------------------------------------------------------------

local function by_name(list)
  local names = {}
  for _, item in ipairs(list) do
    names[item.name] = item
  end
  return names
end

-- What rules can speak of now.
local function world()
  -- The field by which rules are found is the event's code: its place in the
  -- record, as rayos/event.h has it.
  return { types = by_name(event_core.types()),
    actions = by_name(core.actions()),
    code_offset = 12 }
end

local function serialize_key(key)
  return type(key) == "string" and key:match "^[%a_][%w_]*$"
    or ("[%s]"):format(type(key) == "string" and ("%q"):format(key)
      or tostring(key))
end

-- A rule's table as Lua text, fields in order; texts, numbers and tables only.
local function serialize(value, depth)
  if type(value) == "string" then
    return (("%q"):format(value):gsub("\n", "n"))
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif depth > 8 then
    error("reflex: the rule's table is nested too deeply", 0)
  end
  local parts, keys = {}, {}
  for i, item in ipairs(value) do
    parts[i] = serialize(item, depth + 1)
  end
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > #parts then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = ("%s = %s"):format(serialize_key(key),
      serialize(value[key], depth + 1))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- The message of a problem, with the expression and a mark under the column.
local function problem_text(rule, problem)
  local name = type(rule) == "table" and type(rule.name) == "string"
    and rule.name or "?"
  local text = ("rule '%s': "):format(name)
  local at = problem.at
  if at then
    text = text .. at.key .. ": "
  end
  if problem.column then
    text = text .. ("column %d: "):format(problem.column)
  end
  text = text .. problem.text
  if problem.column and at and at.source then
    -- One line: what is before the column keeps its width.
    text = ("%s\n  %s\n  %s^"):format(text, (at.source:gsub("%s", " ")),
      (" "):rep(problem.column - 1))
  end
  return text
end

local function compile_rule(rule, in_world)
  local source = type(rule) == "table" and serialize(rule, 0) or ""
  local image, problem = compile.rule(rule, in_world or world(), source)
  if not image then
    return nil, problem_text(rule, problem), "EINVAL"
  end
  return image
end

local function compile_all(rules)
  local in_world, images = world(), {}
  for i, rule in ipairs(rules) do
    local image, why, code = compile_rule(rule, in_world)
    if not image then
      return nil, why, code
    end
    images[i] = image
  end
  return images
end

-- Give the images to the kernel.
local function change(images, rules, leave)
  local done, why, code, bad = core.change(images, leave)
  if done then
    return true
  end
  local name = bad and rules[bad] and rules[bad].name
  return nil, name and ("rule '%s': %s"):format(name, why) or why, code
end

-- --- rules as people see them -----------------------------------------------

local function duration(ns)
  if ns < 10000 then
    return ("%d ns"):format(ns)
  elseif ns < 10000000 then
    return ("%.1f us"):format(ns / 1000)
  end
  return ("%.1f ms"):format(ns / 1000000)
end

local ROW = "%-24s %4s %6s %9s %9s %9s %10s %10s %s"

local rule_meta = {
  __name = "rule",
  __tostring = function(r)
    return ROW:format(r.name, r.priority, r.bound, r.runs, r.hits, r.suppressed,
      r.actions > 0 and duration(r.mean) or "-",
      r.actions > 0 and duration(r.max) or "-",
      r.disabled and "off" or r.expired and "expired" or "")
  end,
}

local rules_meta = {
  __name = "rules",
  __tostring = function(list)
    local lines = { ROW:format("rule", "prio", "steps", "runs", "hits",
      "held back",
      "mean", "max", "") }
    for _, rule in ipairs(list) do
      lines[#lines + 1] = tostring(rule)
    end
    return table.concat(lines, "\n")
  end,
}

---All rules in the order in which they run, with what they did.
---@return table
function reflex.rules()
  local list = core.list()
  for _, rule in ipairs(list) do
    setmetatable(rule, rule_meta)
  end
  return setmetatable(list, rules_meta)
end

---What rules can be over: event types; or the one of that name, which prints
---its fields and constants.
---@param name string?
---@return table?
function reflex.events(name)
  return event.types(name)
end

---What rules can do: names, arguments, and where they run.
---@return table
function reflex.actions()
  return setmetatable(core.actions(), {
    __name = "actions",
    __tostring = function(list)
      local lines = {}
      for i, action in ipairs(list) do
        lines[i] = ("%-14s %-6s %-9s %s"):format(action.name, action.args,
          action.any_context and "at once" or "thread", action.doc)
      end
      return table.concat(lines, "\n")
    end,
  })
end

-- --- installing -------------------------------------------------------------

---Install a rule, or put it in the place of the one of its name.
---@param rule table
---@return boolean? done, string? message, string? code
function reflex.rule(rule)
  local image, why, code = compile_rule(rule)
  if not image then
    return nil, why, code
  end
  return change({ image }, { rule })
end

local function check_list(rules, level)
  if type(rules) ~= "table" or (next(rules) ~= nil and #rules == 0) then
    error("expected a list of rules", level + 1)
  end
end

---Have these rules and no others, all or none of them.
---@param rules table[]
---@return boolean? done, string? message, string? code
function reflex.replace(rules)
  check_list(rules, 2)
  local images, why, code = compile_all(rules)
  if not images then
    return nil, why, code
  end
  return change(images, rules, "*")
end

---Take a rule away.
---@param name string
---@return boolean? done, string? message, string? code
function reflex.remove(name)
  return change({}, {}, name)
end

---Let a rule rest, or run again.
---@param name string
---@param on boolean
---@return boolean? done, string? message, string? code
function reflex.enable(name, on)
  return core.enable(name, on)
end

---The program of a rule and the steps that it takes at most.
---@param rule table|string a rule, or the name of one that is installed
---@return string? text, string? message, string? code
function reflex.explain(rule)
  local image, why, code
  if type(rule) == "string" then
    image, why, code = core.image(rule)
  else
    image, why, code = compile_rule(rule)
  end
  if not image then
    return nil, why, code
  end
  local bound, refusal, refused = core.check(image)
  if not bound then
    return nil, refusal, refused
  end
  return explain.text(image, bound, core.operations(),
    by_name(event_core.types()))
end

-- --- counters ---------------------------------------------------------------

---Shared counters by name.
---@return table<string, integer>
function reflex.counters()
  return core.counters()
end

---Set a shared counter; it is made when it is not there.
---@param name string
---@param value integer
function reflex.set_counter(name, value)
  return core.set_counter(name, value)
end

---Events that rules did not see for their depth, and actions that were lost.
---@return table
function reflex.totals()
  return core.totals()
end

-- --- files ------------------------------------------------------------------

-- The rules' own tables, from the sources that their images keep.
local function sources()
  local list = {}
  for _, rule in ipairs(core.list()) do
    local image = core.image(rule.name)
    local source = image and explain.decode(image).source
    -- What was not made by the compiler has none.
    if source and source ~= "" then
      list[#list + 1] = source
    end
  end
  return list
end

local function load_rules(text, name)
  -- Data: a chunk that sees nothing.
  local chunk, why = load(text, name, "t", {})
  if not chunk then
    return nil, why, "EINVAL"
  end
  local ok, rules = pcall(chunk)
  if not ok or type(rules) ~= "table" then
    return nil, ok and name .. ": does not return a list of rules" or rules,
      "EINVAL"
  end
  return rules
end

---All rules as they were written: as tables, or into a file.
---@param path string?
---@return table|boolean? rules, string? message, string? code
function reflex.export(path)
  local text = "return {\n  " .. table.concat(sources(), ",\n  ") .. "\n}\n"
  if not path then
    return load_rules(text, "=export")
  end
  local file, why = io.open(path, "w")
  if not file then
    return nil, why, "EIO"
  end
  local done, write_why = file:write(text)
  local closed, close_why = file:close()
  if not done or not closed then
    return nil, write_why or close_why, "EIO"
  end
  return true
end

---Add rules, from a list or a file that returns one; all or none of them.
---@param from table[]|string
---@return boolean? done, string? message, string? code
function reflex.import(from)
  local rules = from
  if type(from) == "string" then
    local file, open_why = io.open(from)
    if not file then
      return nil, open_why, "ENOENT"
    end
    local text = file:read "a"
    file:close()
    local loaded, load_why, load_code = load_rules(text, "@" .. from)
    if not loaded then
      return nil, load_why, load_code
    end
    rules = loaded
  end
  check_list(rules, 2)
  local images, why, code = compile_all(rules)
  if not images then
    return nil, why, code
  end
  return change(images, rules)
end

return reflex

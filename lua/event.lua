-- Module event: what happens in the machine, as tables. Over `event_core`.

local core = require "event_core"

local event = {}

-- What event.on was given: records { filters, fn, subscription }.
local handlers = {}
-- They are announced in the mailbox.
local announced = false

local function summary(type)
  local names = {}
  for i, field in ipairs(type.fields) do
    names[i] = field.name
  end
  return ("%-16s %-40s %s"):format(type.name, table.concat(names, " "),
    type.doc)
end

-- Names in the order of their values; of many only the first.
local function constants_text(constants)
  local names = {}
  for name in pairs(constants) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return constants[a] < constants[b] or constants[a] == constants[b] and a < b
  end)
  local more = #names > 8 and (" and %d more"):format(#names - 8) or ""
  return #names > 0 and ": " .. table.concat(names, " ", 1, math.min(#names, 8))
    .. more or ""
end

local type_meta = {
  __name = "event type",
  __tostring = function(type)
    local lines = { ("%s: %s"):format(type.name, type.doc) }
    for _, field in ipairs(type.fields) do
      lines[#lines + 1] = ("  %-10s %-4s %s%s"):format(field.name, field.kind,
        field.doc, constants_text(field.constants))
    end
    return table.concat(lines, "\n")
  end,
}

local types_meta = {
  __name = "event types",
  __tostring = function(list)
    local lines = {}
    for i, type in ipairs(list) do
      lines[i] = summary(type)
    end
    return table.concat(lines, "\n")
  end,
}

---All types of events, in the order of names; or the one of that name, which
---prints its fields and constants.
---@param name string?
---@return table?
function event.types(name)
  local types = core.types()
  for _, type in ipairs(types) do
    setmetatable(type, type_meta)
    if type.name == name then
      return type
    end
  end
  return name == nil and setmetatable(types, types_meta) or nil
end

local function find_type(name, level)
  for _, type in ipairs(core.types()) do
    if type.name == name then
      return type
    end
  end
  error(("there is no event type '%s'; see event.types()"):format(name),
    level + 1)
end

local function field_value(type, key, value, level)
  for _, field in ipairs(type.fields) do
    if field.name == key then
      local number = field.constants[value] or math.tointeger(value)
      if field.kind == "text" then
        error(("'%s' is a text: compare it in your function"):format(key),
          level + 1)
      elseif not number then
        error(("'%s' of events '%s' is a number or one of its constants, not %s")
          :format(key, type.name, tostring(value)), level + 1)
      end
      return number
    end
  end
  error(("events of type '%s' have no field '%s'"):format(type.name, key),
    level + 1)
end

-- One filter: a name, or { type = name, field = value }.
local function one_filter(filter, level)
  if type(filter) == "string" then
    return { find_type(filter, level + 1).name }
  end
  if type(filter) ~= "table" or type(filter.type) ~= "string" then
    error("a filter is a type's name, or a table with 'type' and at most one field",
      level + 1)
  end
  local of = find_type(filter.type, level + 1)
  local field
  for key in pairs(filter) do
    if key ~= "type" then
      if field then
        error("a filter compares at most one field", level + 1)
      end
      field = key
    end
  end
  return field and { of.name, field, field_value(of, field, filter[field],
    level + 1) }
    or { of.name, false }
end

-- A filter, or a list of them, for the core.
local function filters_of(filter, level)
  if type(filter) == "table" and filter.type == nil and #filter > 0 then
    local list = {}
    for i, one in ipairs(filter) do
      list[i] = one_filter(one, level + 1)
    end
    return list
  end
  return { one_filter(filter, level + 1) }
end

---A queue of its own for what passes the filter, from now on.
---@param filter string|table
---@param length integer? places; when they are full the oldest event goes
---@return table? subscription, string? message, string? code
function event.subscribe(filter, length)
  return core.subscribe(filters_of(filter, 2), length)
end

---The next event that passes the filter, from the call on.
---@param filter string|table
---@param timeout number?
---@return table? event, string? message, string? code
function event.wait(filter, timeout)
  local subscription <close>, message, code = core.subscribe(filters_of(filter,
    2), 16)
  if not subscription then
    return nil, message, code
  end
  return subscription:read(timeout)
end

---Have fn(event) called by event.loop for what passes the filter, from now on.
---@param filter string|table
---@param fn function
---@return table? handler, string? message, string? code
function event.on(filter, fn)
  if type(fn) ~= "function" then
    error("event.on: the second argument is a function", 2)
  end
  local subscription, message, code = core.subscribe(filters_of(filter, 2))
  if not subscription then
    return nil, message, code
  end
  local handler = { fn = fn, subscription = subscription }
  handlers[#handlers + 1] = handler
  if announced then
    subscription:announce()
  end
  return setmetatable(handler, {
    __name = "event handler",
    __index = {
      ---No more calls.
      off = function(self)
        event.off(self)
      end,
    },
  })
end

---From now on a message { kind = "event" } comes to this domain's mailbox when
---events wait for its handlers; then call event.dispatch.
function event.announce()
  announced = true
  for _, handler in ipairs(handlers) do
    handler.subscription:announce()
  end
end

---Call the handlers for what waits, without waiting.
---@return integer # calls
function event.dispatch()
  local calls = 0
  while true do
    local list, current = {}, table.move(handlers, 1, #handlers, 1, {})
    for i, handler in ipairs(current) do
      list[i] = handler.subscription
    end
    local index, what = core.select(list, 0)
    if not index then
      return calls
    end
    current[index].fn(what)
    calls = calls + 1
  end
end

---Forget a handler that event.on gave.
function event.off(handler)
  for i, other in ipairs(handlers) do
    if other == handler then
      table.remove(handlers, i)
      handler.subscription:close()
      return true
    end
  end
  return false
end

---Call the handlers of this domain for what happens, one event at a time, until
---one returns a value other than nil, or until the time is over.
---@param timeout number? seconds for all
---@return any # what the handler returned; or nil, why, code
function event.loop(timeout)
  local sys = require "sys"
  local till = timeout and sys.uptime() + timeout
  while #handlers > 0 do
    local list = {}
    for i, handler in ipairs(handlers) do
      list[i] = handler.subscription
    end
    local current = table.move(handlers, 1, #handlers, 1, {})
    local index, what, code = core.select(list,
      till and math.max(till - sys.uptime(), 0))
    if not index then
      return nil, what, code
    end
    local result = current[index].fn(what)
    if result ~= nil then
      return result
    end
  end
  return nil, "no handler is set: use event.on", "ENOENT"
end

---Declare a type of one's own. The same again is allowed.
---@param name string
---@param doc string?
---@param codes table<string, integer>? named constants of the field `code`
---@return boolean? done, string? message, string? code
function event.define(name, doc, codes)
  return core.define(name, doc, codes)
end

---Raise an event of a type that event.define made.
---@param name string
---@param fields table? code (number or name), value, text
---@return boolean # a rule consumed it
function event.raise(name, fields)
  return core.raise(name, fields)
end

---Who raised how much while somebody listened, and how much was held back.
function event.sources()
  return core.sources()
end

---Events a second of one source and type that reach subscribers; rules see all.
---@param per_second integer? new limit, 0: none
---@return integer
function event.source_limit(per_second)
  return core.source_limit(per_second)
end

return event

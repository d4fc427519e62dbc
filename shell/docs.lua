-- The documentation tables of the system's modules (require "doc.sys" and so
-- on), brought into one index by name. A table that is missing or malformed
-- leaves its module without help and harms nothing else.

local format = string.format
local ipairs, next, pairs, pcall, require, type = ipairs, next, pairs, pcall, require, type
local concat, insert, sort = table.concat, table.insert, table.sort
local modules = require "modules"

local docs = {}

---@class shell.doc
---@field kind "module"|"function"|"class"|"method"|"stdlib"
---@field name string full, such as sys.sleep or domain.handle:send
---@field signature? string
---@field summary string one line
---@field doc table what the module's author wrote

local index, order

local function text_of(value)
  return type(value) == "string" and value or ""
end

local function list_of(value)
  return type(value) == "table" and value or {}
end

---The first sentence of a text.
---@param text string
---@return string
function docs.first_sentence(text)
  local line = text_of(text):gsub("%s+", " ")
  return line:match("^(.-[.!?])%f[%s\0]") or line
end

-- Optional arguments have a type that ends with "?".
local function argument_list(args)
  local parts = {}
  for _, arg in ipairs(list_of(args)) do
    local name, kind = text_of(arg[1] or arg.name), text_of(arg[2] or arg.type)
    local optional = kind:find("%?$") or name:find("%?$")
    name = name:gsub("%?$", "")
    parts[#parts + 1] = optional and "[" .. name .. "]" or name
  end
  return concat(parts, ", ")
end

local function result_list(returns)
  local parts = {}
  for _, result in ipairs(list_of(returns)) do
    parts[#parts + 1] = text_of(type(result) == "table"
      and (result[1] or result.type) or result)
  end
  return #parts > 0 and " -> " .. concat(parts, ", ") or ""
end

local function add(kind, name, summary, doc, signature)
  local entry = {
    kind = kind, name = name, signature = signature, doc = doc,
    summary = docs.first_sentence(summary),
  }
  index[name] = entry
  insert(order, entry)
end

local function add_function(kind, prefix, doc)
  if type(doc) == "table" and type(doc.name) == "string" then
    local name = prefix .. doc.name
    local signature = format("%s(%s)%s", name, argument_list(doc.args),
      result_list(doc.returns))
    add(kind, name, doc.text, doc, signature)
  end
end

local function add_class(module, class)
  if type(class) ~= "table" or type(class.name) ~= "string" then
    return
  end
  -- Its name may or may not be written with the module's.
  local name = class.name:find(".", 1, true) and class.name
    or module .. "." .. class.name
  add("class", name, class.text, class)
  for _, method in ipairs(list_of(class.methods)) do
    add_function("method", name .. ":", method)
  end
end

local function add_module(name)
  local ok, doc = pcall(require, "doc." .. name)
  if not ok or type(doc) ~= "table" then
    return
  end
  add("module", name, doc.summary or doc.text, doc)
  for _, f in ipairs(list_of(doc.functions)) do
    add_function("function", name .. ".", f)
  end
  for _, class in ipairs(list_of(doc.classes)) do
    add_class(name, class)
  end
end

-- The tables that lie in the archive beyond those that we know.
local function other_names()
  local names, known = {}, {}
  for _, name in ipairs(modules.names) do
    known[name] = true
  end
  for _, entry in ipairs(require "files".list("/boot/lua/doc")) do
    local name = entry.name:match("^([%w_]+)%.lua$")
    if name and not known[name] then
      names[#names + 1] = name
    end
  end
  sort(names)
  return names
end

local function load_all()
  index, order = {}, {}
  for _, list in ipairs { modules.names, other_names() } do
    for _, name in ipairs(list) do
      add_module(name)
    end
  end
  local stdlib = require "stdlib_doc"
  local names = {}
  for name in pairs(stdlib) do
    names[#names + 1] = name
  end
  sort(names)
  for _, name in ipairs(names) do
    add("stdlib", name, stdlib[name].text, stdlib[name], stdlib[name].signature)
  end
end

---@param name string
---@return shell.doc?
function docs.find(name)
  if not index then
    load_all()
  end
  return index[name] or index[name:gsub("[.:]([%w_]+)$", ":%1")]
end

---The class that a metatable's __name means: what its documentation says in
---`object`, else the class of that name.
---@param name string
---@return shell.doc?
function docs.class_of(name)
  for _, entry in ipairs(docs.all()) do
    if entry.kind == "class"
        and (entry.doc.object or entry.doc.name) == name then
      return entry
    end
  end
  return nil
end

---All entries, modules first with what they have, then the standard library.
---@return shell.doc[]
function docs.all()
  if not index then
    load_all()
  end
  return order
end

-- Values -------------------------------------------------------------------

local function name_in(prefix, t, value)
  for key, item in next, t do
    if item == value and type(key) == "string" then
      return prefix .. key
    end
  end
  return nil
end

---What a function is called: a global, or a field of a loaded module.
---@param value function
---@return string?
function docs.name_of(value)
  local name = name_in("", _G, value)
  local best
  if name then
    return name
  end
  for module, t in next, package.loaded do
    if type(t) == "table" and type(module) == "string" and module ~= "_G" then
      local found = name_in(module .. ".", t, value)
      -- The same function may be in two tables: always the same answer.
      if found and (not best or found < best) then
        best = found
      end
    end
  end
  return best
end

---The name under which a table is a loaded module.
---@param value table
---@return string?
function docs.module_of(value)
  for module, t in next, package.loaded do
    if rawequal(t, value) and module ~= "_G" then
      return module
    end
  end
  return nil
end

return docs

-- Completion on what is there now: fields and methods of live values, globals,
-- keywords, commands, module names and files. Values are looked up raw and
-- through __index tables; no function of the user's is called.

local find, match, sub = string.find, string.match, string.sub
local gmatch, gsub = string.gmatch, string.gsub
local next, rawget, type, ipairs, pairs = next, rawget, type, ipairs, pairs
local sort = table.sort
local getmetatable = debug and debug.getmetatable or getmetatable
local lexer = require "lexer"
local modules = require "modules"

local complete = {}

local MAX_ITEMS = 2000
local MAX_CHAIN = 10 -- __index tables behind each other

-- Looking up ---------------------------------------------------------------

local function index_of(value)
  local meta = getmetatable(value)
  if type(meta) ~= "table" then
    return nil
  end
  return rawget(meta, "__index")
end

---A field, raw or through __index tables.
---@param value any
---@param key string
---@return any
local function field(value, key)
  for _ = 1, MAX_CHAIN do
    local found = type(value) == "table" and rawget(value, key)
    if found ~= nil and found ~= false then
      return found
    end
    value = index_of(value)
    if type(value) ~= "table" then
      return nil
    end
  end
  return nil
end

-- A name as the session sees it; the system's modules are there as well.
local function global(env, name)
  local found = field(env, name)
  if found == nil then
    found = rawget(_G, name)
  end
  if found == nil and modules.is_known(name) then
    found = modules.load(name)
  end
  return found
end

---What a.b.c or a.b:c stands for.
---@param env table
---@param chain string
---@return any
function complete.resolve(env, chain)
  local value, first = nil, true
  for name in gmatch(chain, "[%w_]+") do
    if first then
      value, first = global(env, name), false
    else
      value = field(value, name)
    end
    if value == nil then
      return nil
    end
  end
  return value
end

-- Collecting ---------------------------------------------------------------

local STYLE = { ["function"] = "func", table = "key" }

local function collector(typed)
  local seen, items = {}, {}
  return items, function(name, style, text)
    if type(name) == "string" and sub(name, 1, #typed) == typed
        and not seen[name] and #items < MAX_ITEMS then
      seen[name] = true
      items[#items + 1] = { text = text or name, label = name,
        style = style or "plain" }
    end
  end
end

local function is_name(text)
  return find(text, "^[%a_][%w_]*$") and not lexer.keywords[text]
end

-- Names that begin with "_" are shown only when one has been typed.
local function add_fields(value, typed, add, methods)
  local shown = 0
  for _ = 1, MAX_CHAIN do
    if type(value) == "table" then
      for key, item in next, value do
        local wanted = type(key) == "string" and is_name(key)
          and (sub(key, 1, 1) ~= "_" or sub(typed, 1, 1) == "_")
          and (not methods or type(item) == "function"
            or type(item) == "table" and getmetatable(item))
        if wanted then
          add(key, STYLE[type(item)])
        end
        shown = shown + 1
        if shown > MAX_ITEMS then
          return
        end
      end
    end
    value = index_of(value)
    if type(value) ~= "table" then
      return
    end
  end
end

local function by_label(a, b)
  return a.label < b.label
end

-- Names --------------------------------------------------------------------

local function member(shell, text, start, chain, separator, typed)
  local items, add = collector(typed)
  local value = complete.resolve(shell.env, chain)
  if value ~= nil then
    add_fields(value, typed, add, separator == ":")
  end
  sort(items, by_label)
  return { start = start + #text - #typed, items = items }
end

local function plain_name(shell, typed, start, at_beginning)
  local items, add = collector(typed)
  add_fields(shell.env, typed, add)
  add_fields(shell.words, typed, add)
  add_fields(_G, typed, add)
  for _, name in ipairs(modules.names) do
    if package.loaded[name] ~= nil or modules.load(name) ~= nil then
      add(name, "key")
    end
  end
  for word, kind in pairs(lexer.keywords) do
    add(word, kind == "keyword" and "keyword" or "constant")
  end
  if at_beginning then
    for name in pairs(require "commands".registry) do
      add(name, "heading")
    end
  end
  sort(items, by_label)
  return { start = start, items = items }
end

-- Inside of strings --------------------------------------------------------

local function add_modules_in(directory, prefix, add)
  for _, entry in ipairs(require "files".list(directory)) do
    local name = match(entry.name, "^([%w_-]+)%.lua$")
    if name then
      add(prefix .. name)
    elseif entry.directory then
      add(prefix .. entry.name .. ".")
    end
  end
end

local function module_names(typed, start)
  local items, add = collector(typed)
  for _, list in ipairs { package.loaded, package.preload } do
    for name in next, list do
      add(name)
    end
  end
  for _, name in ipairs(modules.names) do
    add(name)
  end
  local inside = match(typed, "^(.*%.)[^.]*$") or ""
  for template in gmatch(package.path, "[^;]+") do
    local directory = match(template, "^(.*)/%?%.lua$")
    if directory then
      add_modules_in(directory .. "/" .. gsub(inside, "%.", "/"), inside, add)
    end
  end
  sort(items, by_label)
  return { start = start, items = items }
end

local function file_names(typed, start)
  local directory, base = match(typed, "^(.*/)([^/]*)$")
  if not directory then
    return nil
  end
  local items = {}
  for _, entry in ipairs(require "files".list(directory)) do
    local name = entry.name .. (entry.directory and "/" or "")
    if sub(name, 1, #base) == base and not find(name, '[%c"\\]')
        and #items < MAX_ITEMS then
      items[#items + 1] = { text = name, label = name,
        style = entry.directory and "key" or "plain" }
    end
  end
  sort(items, by_label)
  return { start = start + #directory, items = items }
end

local function in_string(before, tokens)
  local start = tokens.start[tokens.n]
  local typed = match(sub(before, start), "^[\"'](.*)$")
    or match(sub(before, start), "^%[=*%[(.*)$")
  if not typed then
    return nil
  end
  local code = sub(before, 1, start - 1)
  local typed_at = #before - #typed + 1
  if find(code, "%f[%w_]require%s*%(?%s*$") then
    return module_names(typed, typed_at)
  end
  return file_names(typed, typed_at)
end

-- Arguments ----------------------------------------------------------------

-- The function whose brackets the cursor is in.
local function call_around(before, tokens)
  local depth = 0
  for i = tokens.n, 1, -1 do
    local word = sub(before, tokens.start[i], tokens.stop[i])
    if word == ")" or word == "}" or word == "]" then
      depth = depth + 1
    elseif word == "(" or word == "{" or word == "[" then
      depth = depth - 1
      if depth < 0 then
        return word == "("
          and match(sub(before, 1, tokens.start[i] - 1), "([%a_][%w_.:]*)%s*$")
      end
    end
  end
  return nil
end

local function hint_for(shell, before, tokens)
  local name = call_around(before, tokens)
  if not name or lexer.keywords[name] then
    return nil
  end
  return require "help".signature(shell.env, name)
end

---@param shell shell.repl
---@param text string
---@param at integer the cursor's byte
---@return shell.completions?
function complete.find(shell, text, at)
  local before = sub(text, 1, at - 1)
  local tokens = lexer.scan(before)
  if tokens.open then
    return in_string(before, tokens)
  elseif tokens.kind[tokens.n] == "comment"
      and not find(before, "\n%s*[%w_]*$") then
    return nil
  end
  local start, chain, separator, typed =
    match(before, "()([%a_][%w_]*[%w_.:]*)([.:])([%w_]*)$")
  local found
  if chain and not find(chain, "[.:]$") then
    found = member(shell, chain .. separator .. typed, start, chain, separator,
      typed)
  else
    local word_at, word = match(before, "()([%a_][%w_]*)$")
    if word and not find(sub(before, word_at - 1, word_at - 1), "[%w.:]") then
      found = plain_name(shell, word, word_at,
        find(before, "^%s*[%w_]*$") ~= nil)
    elseif find(before, "^%s*$") and text == before then
      found = plain_name(shell, "", at, true)
    end
  end
  if not found or #found.items == 0 or find(before, "[(,]%s*$") then
    found = found or { start = at, items = {} }
    found.hint = hint_for(shell, before, tokens)
  end
  return found
end

return complete

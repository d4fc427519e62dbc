-- help(): an overview; help(x): what is known of a function, a module, an
-- object, a command word or a name; help("word"): a search. Everything comes
-- from documentation tables (docs.lua); this file only lays it out.

local find, format, gmatch, lower, rep = string.find, string.format,
  string.gmatch, string.lower, string.rep
local concat, type, ipairs, select = table.concat, type, ipairs, select
local getmetatable = debug and debug.getmetatable or getmetatable
local commands = require "commands"
local docs = require "docs"
local paint = require "palette".paint
local pretty = require "pretty"
local width = require "width"

local help = {}

local MAX_FOUND = 20

help.name_of = docs.name_of

-- Layout -------------------------------------------------------------------

-- Break a text at blanks; lines that begin with blanks stay as they are.
local function wrap(out, text, indent, columns)
  local blanks = rep(" ", indent)
  for paragraph in gmatch(text .. "\n", "([^\n]*)\n") do
    local line = ""
    if find(paragraph, "^%s") then
      out[#out + 1] = blanks .. paragraph
      paragraph = ""
    end
    for word in gmatch(paragraph, "%S+") do
      local longer = line == "" and word or line .. " " .. word
      if width.text(longer) + indent > columns and line ~= "" then
        out[#out + 1] = blanks .. line
        longer = word
      end
      line = longer
    end
    if line ~= "" then
      out[#out + 1] = blanks .. line
    end
  end
end

-- Rows of a name and a text; the text hangs beside the widest name.
local function two_columns(out, rows, columns, style)
  local left = 0
  for _, row in ipairs(rows) do
    local w = width.text(row[1])
    left = w > left and w <= 30 and w or left
  end
  for _, row in ipairs(rows) do
    local lines = {}
    wrap(lines, row[2], 0, math.max(columns - left - 4, 20))
    local pad = rep(" ", math.max(left - width.text(row[1]), 0))
    out[#out + 1] = "  " .. paint(style, row[1]) .. pad .. "  " .. (lines[1] or "")
    for i = 2, #lines do
      out[#out + 1] = rep(" ", left + 4) .. lines[i]
    end
  end
end

local function heading(out, text)
  out[#out + 1] = ""
  out[#out + 1] = paint("heading", text)
end

-- The overview, which should fit 24 rows ------------------------------------

local TRY = {
  { "1 + 2", "any expression prints its value; _ is the last one" },
  { "sys.machine()", "what this computer is" },
  { "ps", "what runs on it; domain.list() has the handles" },
  { "log.tail(20)", "what the system said while it started" },
  { "for i = 1, 3 do", "an unfinished entry goes on in the next line" },
}

local KEYS = {
  { "Tab", "complete names, methods, file names; after ( the arguments" },
  { "Up, Ctrl-R", "history, of what begins like the line; search in it" },
  { "Ctrl-C", "interrupt what runs, abandon what is typed" },
  { "Alt-Enter", "a new line in the entry; Ctrl-L clears, Ctrl-D leaves" },
}

local function command_words()
  local words = {}
  for _, name in ipairs(commands.names()) do
    local command = commands.registry[name]
    local args = command.args
    if not command.topic then
      words[#words + 1] = name .. (args and " " .. args or "")
    end
  end
  return concat(words, ", ")
end

local function module_rows()
  local rows = {}
  for _, entry in ipairs(docs.all()) do
    if entry.kind == "module" then
      rows[#rows + 1] = { entry.name, entry.summary }
    end
  end
  rows[#rows + 1] = {
    "Lua 5.4", "string table math utf8 coroutine io os debug, as usual",
  }
  return rows
end

-- Of the terminal; nil when it does not say.
local function rows_of(shell)
  local _, rows = shell.console.size()
  return rows
end

-- Each with its summary where the screen has the room, else their names.
local function modules_part(out, columns, rows)
  local list = module_rows()
  if #out + #list + 6 <= (rows or math.huge) then
    heading(out, "Modules")
    two_columns(out, list, columns, "key")
    return
  end
  local names = {}
  for i, row in ipairs(list) do
    names[i] = row[1]
  end
  wrap(out, "Modules: " .. concat(names, ", "), 2, columns)
end

local function overview(columns, rows)
  local out = { paint("heading", "Try first") }
  two_columns(out, TRY, columns, "key")
  heading(out, "Keys")
  two_columns(out, KEYS, columns, "key")
  wrap(out, "Commands: " .. command_words(), 2, columns)
  modules_part(out, columns, rows)
  wrap(out, "help(x) tells about a function, module or object, help(\"word\") "
    .. "searches. A local lives for one entry; without `local` it stays.", 0,
    columns)
  return concat(out, "\n")
end

-- One entry ----------------------------------------------------------------

local function argument_rows(doc)
  local rows = {}
  for _, arg in ipairs(type(doc.args) == "table" and doc.args or {}) do
    local kind, text = arg[2] or arg.type or "", arg[3] or arg.text or ""
    rows[#rows + 1] = { tostring(arg[1] or arg.name),
      tostring(kind) .. (text ~= "" and ": " .. tostring(text) or "") }
  end
  for _, result in ipairs(type(doc.returns) == "table" and doc.returns or {}) do
    local kind = type(result) == "table" and (result[1] or result.type) or result
    local text = type(result) == "table" and (result[2] or result.text) or ""
    rows[#rows + 1] = { "returns",
      tostring(kind) .. (text ~= "" and ": " .. tostring(text) or "") }
  end
  return rows
end

local function function_text(entry, columns)
  local out = { paint("heading", entry.signature) }
  if type(entry.doc.text) == "string" then
    wrap(out, entry.doc.text, 2, columns)
  end
  local rows = argument_rows(entry.doc)
  if #rows > 0 then
    out[#out + 1] = ""
    two_columns(out, rows, columns, "key")
  end
  if type(entry.doc.example) == "string" then
    heading(out, "Example")
    for line in gmatch(entry.doc.example, "[^\n]+") do
      out[#out + 1] = "  " .. paint("string", line)
    end
  end
  return concat(out, "\n")
end

-- Short, to fit the left column: no results, and methods without their class.
local function member_name(entry)
  if entry.kind == "class" then
    return "class " .. entry.name
  end
  local name = string.gsub(entry.signature, " %-> .*$", "")
  if entry.kind == "method" then
    return "  " .. (string.gsub(name, "^[%w_.]+:", ":"))
  end
  return name
end

-- Entries whose name begins with this one.
local function members(name, kind)
  local rows = {}
  for _, entry in ipairs(docs.all()) do
    local separator = kind == "class" and ":" or "."
    if find(entry.name, name .. separator, 1, true) == 1
        and (entry.kind == "class" or entry.signature) then
      rows[#rows + 1] = { member_name(entry), entry.summary }
    end
  end
  return rows
end

local function group_text(entry, columns)
  local out = { paint("heading", entry.kind .. " " .. entry.name) }
  local text = entry.doc.text or entry.doc.summary
  if type(text) == "string" then
    wrap(out, text, 2, columns)
  end
  local rows = members(entry.name, entry.kind)
  if #rows > 0 then
    out[#out + 1] = ""
    two_columns(out, rows, columns, "key")
  end
  return concat(out, "\n")
end

local function entry_text(entry, columns)
  if entry.kind == "module" or entry.kind == "class" then
    return group_text(entry, columns)
  end
  return function_text(entry, columns)
end

local function command_text(command)
  return concat {
    paint("heading", command.name .. (command.args and " " .. command.args or "")),
    "\n  ", command.summary, "\n  ",
    paint("dim", "a command: typed as it stands, without brackets"),
  }
end

-- The functions of a library of which there is only its table.
local function library_text(name, library, columns)
  local rows = members(name, "module")
  if #rows == 0 then
    for key, value in next, library do
      if type(key) == "string" and #rows < 100 then
        rows[#rows + 1] = { name .. "." .. key, type(value) }
      end
    end
    table.sort(rows, function(a, b) return a[1] < b[1] end)
  end
  local out = { paint("heading", "module " .. name) }
  two_columns(out, rows, columns, "key")
  return concat(out, "\n")
end

-- Search -------------------------------------------------------------------

local function mentions(entry, word)
  return find(lower(entry.name), word, 1, true)
    or find(lower(entry.summary), word, 1, true)
    or type(entry.doc.text) == "string"
      and find(lower(entry.doc.text), word, 1, true)
end

local function search_text(word, columns)
  local rows, more = {}, 0
  local wanted = lower(word)
  for _, name in ipairs(commands.names()) do
    local summary = commands.registry[name].summary
    if find(name, wanted, 1, true) or find(lower(summary), wanted, 1, true) then
      rows[#rows + 1] = { name, summary }
    end
  end
  for _, entry in ipairs(docs.all()) do
    if mentions(entry, wanted) then
      if #rows < MAX_FOUND then
        rows[#rows + 1] = { entry.signature or entry.name, entry.summary }
      else
        more = more + 1
      end
    end
  end
  if #rows == 0 then
    return format("Nothing is known about \"%s\"; help() gives an overview.",
      pretty.safe(word))
  end
  local out = {}
  two_columns(out, rows, columns, "key")
  if more > 0 then
    out[#out + 1] = paint("dim", format("  ... %d more", more))
  end
  return concat(out, "\n")
end

-- Values -------------------------------------------------------------------

---@param f function
---@return string # f(a, b, ...) as far as debug information tells
local function lua_signature(f, name)
  local info, parts = debug.getinfo(f, "Su"), {}
  for i = 1, info.nparams do
    parts[i] = debug.getlocal(f, i) or "?"
  end
  if info.isvararg then
    parts[#parts + 1] = "..."
  end
  return format("%s(%s)", name or "function", concat(parts, ", ")),
    info.what == "C" and "a C function without documentation"
      or format("defined in %s, line %d", info.short_src, info.linedefined)
end

-- `called` is how the person named it, if he did.
local function about_function(f, columns, called)
  local name = docs.name_of(f) or called
  local entry = name and docs.find(name)
  if entry then
    return entry_text(entry, columns)
  end
  local signature, place = lua_signature(f, name)
  return paint("heading", signature) .. "\n  " .. pretty.safe(place)
end

local function about_object(value, columns)
  local meta = getmetatable(value)
  local class = type(meta) == "table" and rawget(meta, "__name")
  local entry = type(class) == "string"
    and (docs.class_of(class) or docs.find(class))
  if entry then
    return entry_text(entry, columns)
  end
  local module = type(value) == "table" and docs.module_of(value)
  if module then
    entry = docs.find(module)
    return entry and entry_text(entry, columns)
      or library_text(module, value, columns)
  end
  return format("A %s%s.", type(value), type(class) == "string"
    and " of class " .. pretty.safe(class) or "")
end

-- What a name stands for at the prompt: a.b.c, looked up without metamethods
-- but for tables behind __index.
local function named_value(env, name)
  return require "complete".resolve(env, name)
end

local function about_name(shell, name)
  local columns = shell.editor.columns
  local entry = docs.find(name)
  if entry then
    return entry_text(entry, columns)
  elseif commands.registry[name] then
    return command_text(commands.registry[name])
  end
  local value = find(name, "^[%a_][%w_.:]*$") and named_value(shell.env, name)
  if type(value) == "function" then
    return about_function(value, columns, name)
  elseif type(value) == "table" and docs.module_of(value) then
    return about_object(value, columns)
  end
  return search_text(name, columns)
end

---What is documented of a function, by identity.
---@param value function
---@return shell.doc?
function help.find(value)
  local name = docs.name_of(value)
  return name and docs.find(name)
end

---The text of help(...).
---@param shell shell.repl
---@return string
function help.about(shell, ...)
  local columns = shell.editor.columns
  local value = ...
  if select("#", ...) == 0 then
    return overview(columns, rows_of(shell))
  elseif type(value) == "string" and value ~= "" then
    return about_name(shell, value)
  elseif type(value) == "function" then
    return about_function(value, columns)
  elseif type(value) == "table" and rawequal(value, shell.words.help) then
    return command_text(commands.registry.help)
  elseif type(value) == "table" or type(value) == "userdata" then
    return about_object(value, columns)
  end
  return format("A value of type %s. help() gives an overview.", type(value))
end

---The text of the command `help words`.
---@param shell shell.repl
---@param text string
---@return string
function help.about_text(shell, text)
  if text == "" then
    return overview(shell.editor.columns, rows_of(shell))
  end
  return about_name(shell, (text:gsub("%s*%(%s*%)$", "")))
end

---The signature of what a name stands for, for completion inside brackets.
---@param env table
---@param name string
---@return string?
function help.signature(env, name)
  local entry = docs.find(name)
  if entry and entry.signature then
    return entry.signature
  end
  local value = named_value(env, name)
  if type(value) ~= "function" then
    return nil
  end
  local known = docs.name_of(value)
  entry = known and docs.find(known)
  return entry and entry.signature or (lua_signature(value, name))
end

return help

-- Command words: what a person types that is not Lua, such as `log 20`. The
-- registry is open; another module adds a verb with commands.register. A
-- handler gets the session and the words behind the verb.

local find, gmatch, match = string.find, string.gmatch, string.match
local ipairs, pairs, pcall = ipairs, pairs, pcall
local require, type = require, type
local rawget, tonumber = rawget, tonumber

local commands = {}

---@class shell.arguments
---@field text string all that stands behind the verb
---@field [integer] string its words

---@class shell.command
---@field name string one word of letters, digits, - and _
---@field args? string how the arguments are written, for help
---@field summary string one line
---@field topic? string the module whose help tells about it: it is not listed
---in the overview
---@field handler fun(shell: shell.repl, args: shell.arguments): any ...
---results are shown like those of an expression; nil, message is an error

---@type table<string, shell.command>
local registry = {}
commands.registry = registry

---@param command shell.command
function commands.register(command)
  registry[command.name] = command
end

local PLAIN_WORD = "^[%a_]"
-- Words that join two expressions: `help and 1` is Lua if it parses.
local OPERATOR = { ["and"] = true, ["or"] = true }

---The command that a line is, if it is one. Lua wins when the line parses,
---but for a verb alone (unless the session has a variable of that name) and a
---verb before a plain word.
---@param line string
---@param env table the session's variables
---@param is_lua fun(): boolean
---@return shell.command?
---@return shell.arguments?
function commands.find(line, env, is_lua)
  local verb, rest = match(line, "^%s*([%a][%w_-]*)%s*(.-)%s*$")
  local command = registry[verb]
  if not command or find(rest, "\n", 1, true)
      or not find(line, "^%s*[%w_-]+%s") and rest ~= "" then
    return nil
  end
  local first = match(rest, "^[%w_]*")
  if rest == "" then
    if rawget(env, verb) ~= nil then
      return nil
    end
  elseif (not find(rest, PLAIN_WORD) or OPERATOR[first]) and is_lua() then
    return nil
  end
  local args = { text = rest }
  for word in gmatch(rest, "%S+") do
    args[#args + 1] = word
  end
  return command, args
end

-- Calls the first of these functions that the module has.
local function call(module, names, ...)
  local ok, library = pcall(require, module)
  if not ok or type(library) ~= "table" then
    return nil, "there is no module '" .. module .. "' in this domain"
  end
  for name in gmatch(names, "%S+") do
    if type(library[name]) == "function" then
      return library[name](...)
    end
  end
  return nil, "module '" .. module .. "' has no function " .. names
end

commands.register {
  name = "help", args = "[name]", summary = "what there is, or about one name",
  handler = function(shell, args)
    shell:say(require "help".about_text(shell, args.text))
  end,
}

commands.register {
  name = "clear", summary = "clear the screen (Ctrl-L)",
  handler = function(shell)
    shell.console.write(require "terminal".clear)
  end,
}

local function exit(shell)
  shell.leaving = true
end

commands.register {
  name = "exit", summary = "end this session (Ctrl-D)", handler = exit,
}
commands.register { name = "quit", summary = "the same", handler = exit }

commands.register {
  name = "reboot", summary = "restart the machine",
  handler = function() return call("sys", "reboot") end,
}

commands.register {
  name = "poweroff", summary = "switch the machine off",
  handler = function() return call("sys", "poweroff") end,
}

-- A row of the table that `ps` shows, from a handle.
local function process_row(handle)
  if type(handle) ~= "userdata" then
    return handle
  end
  local stats = handle:stats()
  return {
    id = handle:id(), name = handle:name(), state = (handle:status()),
    cpu = stats.cpu, KiB = stats.memory >> 10,
    limit = stats.limit >> 10, messages = stats.messages,
  }
end

commands.register {
  name = "ps", summary = "the domains: what runs, and what it uses",
  handler = function()
    local list, err = call("domain", "list")
    if type(list) ~= "table" then
      return nil, err
    end
    local rows = {}
    for i, handle in ipairs(list) do
      rows[i] = process_row(handle)
    end
    return rows
  end,
}

-- A list of lines is shown as lines.
local function as_lines(value)
  if type(value) ~= "table" or type(value[1]) ~= "string" then
    return value
  end
  return table.concat(value, "\n")
end

commands.register {
  name = "log", args = "[count]", summary = "the last lines of the system's log",
  handler = function(_, args)
    local value, err = call("log", "tail", tonumber(args[1]) or 20)
    if value == nil then
      return nil, err
    end
    return as_lines(value)
  end,
}

commands.register {
  name = "dev", args = "[name]",
  summary = "the devices as a tree, or all about one",
  handler = function(_, args)
    if not args[1] then
      return call("dev", "tree")
    end
    local facts, err = (require "dev")(args[1])
    if facts then
      facts, err = facts:properties()
    end
    return facts, err
  end,
}

commands.register {
  name = "history", summary = "what was typed in this session",
  handler = function(shell)
    return table.concat(shell.editor.history.entries, "\n")
  end,
}

---Verbs in alphabetical order.
---@return string[]
function commands.names()
  local names = {}
  for name in pairs(registry) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

return commands

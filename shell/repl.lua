-- Read, evaluate, print: an entry is Lua (an expression, else statements) or a
-- command. Whatever it does, the prompt comes back: all of the user's code runs
-- under console.run, which catches errors and lets Ctrl-C interrupt.

local find, format, gsub = string.find, string.format, string.gsub
local pack, pcall, setmetatable, type = table.pack, pcall, setmetatable, type
local tostring, stdout = tostring, io.stdout
local editors = require "editor"
local modules = require "modules"
local output = require "output"
local paint = require "palette".paint
local source = require "source"
require "desktop_words" -- commands

local MAX_KEPT = 9 -- results kept in _1, _2, ...

---@class shell.repl
---@field console shell.console
---@field editor shell.editor
---@field env table the session's variables
---@field words table the shell's own words in it
---@field leaving boolean the session ends after this entry
local repl = {}
repl.__index = repl

-- A table, not a function: typing its name is a question too.
local function help_word(self)
  return setmetatable({}, {
    __call = function(_, ...)
      self:say(require "help".about(self, ...))
    end,
    __tostring = function()
      return "help() gives an overview, help(x) is about x"
    end,
  })
end

---@param console shell.console
---@param prompt string
---@param continuation string
---@return shell.repl
function repl.new(console, prompt, continuation)
  local self = setmetatable({
    console = console, entries = 0, leaving = false, words = {},
  }, repl)
  self.words.help = help_word(self)
  self.env = modules.environment(_G, self.words)
  self.editor = editors.new {
    console = console, prompt = prompt, continuation = continuation,
    is_complete = source.is_complete,
    complete = function(text, at)
      return require "complete".find(self, text, at)
    end,
  }
  return self
end

-- Output -------------------------------------------------------------------

---Go to the left edge of a new line, unless the cursor is at one.
function repl:fresh_line()
  pcall(stdout.flush, stdout)
  if not output.at_start then
    self.console.write("\r\n")
    output.at_start = true
  end
end

---Write text on lines of its own.
---@param text string
function repl:say(text)
  self:fresh_line()
  self.console.write((gsub(text, "\r?\n", "\r\n")) .. "\r\n")
end

local function name_of(f)
  return require "help".name_of(f)
end

-- Showing a value can run the user's code, and take long.
function repl:show(values)
  local ok, text = self.console.run(require "pretty".format_all, values,
    { columns = self.editor.columns, name = name_of })
  if ok then
    self:say(text)
  else
    self:say(paint("dim", "(while showing the result)"))
    self:fail(text, "", 1)
  end
end

function repl:fail(failure, entry, lines)
  if type(failure) ~= "table" or failure.traceback == nil then
    failure = require "report".split(failure)
  end
  self:say(require "report".failure(failure, entry, lines))
end

-- Evaluation ---------------------------------------------------------------

function repl:keep(values)
  local env = self.env
  env._ = values[1]
  if values.n > 1 then
    for i = 1, MAX_KEPT do
      env["_" .. i] = values[i]
    end
  end
end

-- People lose a local once and wonder; say why, once.
function repl:hint_at_locals(text)
  if self.hinted or not find(text, "^%s*local%s+[%a_]")
      or find(text, "\n", 1, true) or find(text, "[;%s]return%f[%W]") then
    return
  end
  local name = text:match("^%s*local%s+function%s+([%w_]+)")
    or text:match("^%s*local%s+([%w_]+)")
  -- Used in the same entry, it served its purpose.
  local rest = text:gsub("^%s*local%s+function%s+[%w_]+", "", 1)
    :gsub("^%s*local%s+[%w_]+", "", 1)
  if find(rest, "%f[%w_]" .. name .. "%f[^%w_]") then
    return
  end
  self.hinted = true
  self:say(paint("dim", format("(a local lives for one entry; without `local`, "
    .. "%s stays)", name)))
end

local function line_count(text)
  return select(2, gsub(text, "\n", "")) + 1
end

function repl:run_chunk(text, chunk, name)
  local results = pack(self.console.run(chunk))
  if not results[1] then
    return self:fail(results[2], name, line_count(text))
  end
  local values = pack(table.unpack(results, 2, results.n))
  if values.n > 0 then
    self:keep(values)
    self:show(values)
  else
    self:hint_at_locals(text)
  end
end

-- nil, message means that the command failed, as everywhere.
function repl:run_command(command, args)
  local ok, value, message = self.console.run(command.handler, self, args)
  if not ok then
    self:fail(value, command.name, 1)
  elseif value == nil and message ~= nil then
    self:say(paint("error", "error: " .. tostring(message)))
  elseif value ~= nil then
    self:show(pack(value))
  end
end

---Evaluate one entry and show what comes of it.
---@param text string
function repl:evaluate(text)
  self.entries = self.entries + 1
  local name = format("entry %d", self.entries)
  local chunk, _, mistake = source.compile(text, name, self.env)
  if find(text, "^%s*%a[%w_-]*%s*[^%s=(]") or find(text, "^%s*%a[%w_-]*%s*$") then
    local command, args = require "commands".find(text, self.env,
      function() return chunk ~= nil end)
    if command then
      return self:run_command(command, args)
    end
  end
  if chunk then
    return self:run_chunk(text, chunk, name)
  end
  mistake = mistake or { message = "the entry is not finished", line = 1,
    text = text:match("^[^\n]*") }
  self:say(require "report".syntax(mistake, line_count(text)))
end

---Read and evaluate until the session ends.
---@param shown? boolean the first prompt stands on the terminal already
function repl:run(shown)
  while not self.leaving do
    local text, why = self.editor:read(shown)
    shown = false
    if not text and why ~= "interrupt" then
      return
    end
    if text and find(text, "%S") then
      self.editor.history:add(text)
      -- A mistake of the shell's own must not end the session.
      local ok, err = pcall(self.evaluate, self, text)
      if not ok then
        self:say("error in the shell: "
          .. require "pretty".safe(tostring(err), "\n"))
      end
    end
    self:fresh_line()
  end
end

return repl

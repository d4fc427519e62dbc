-- The line editor: takes keys, changes the buffer, shows the result. An entry
-- may have many lines and is edited as one. All terminal work goes through the
-- console object, so that this runs on a host under test as it does in the OS.

local find, match, sub = string.find, string.match, string.sub
local max, min, setmetatable = math.max, math.min, setmetatable

local buffers = require "buffer"
local histories = require "history"
local keys = require "keys"
local layout = require "layout"
local painters = require "painter"
local terminal = require "terminal"

local MAX_MENU_ROWS = 15

---@class shell.console
---@field read fun(timeout?: number): string?, string? bytes from the terminal
---@field write fun(bytes: string)
---@field size fun(): integer?, integer? columns and rows; nil: not known
---@field run fun(f: function, ...): boolean, ...

---@class shell.editor.options
---@field console shell.console
---@field prompt string
---@field continuation string as wide as the prompt
---@field is_complete? fun(text: string): boolean whether Enter ends the entry
---@field complete? fun(text: string, at: integer): shell.completions?

---@class shell.completions
---@field start integer the first byte of the word at the cursor
---@field items shell.completion[]
---@field hint? string shown when there is nothing to complete

---@class shell.editor
local editor = {}
editor.__index = editor

---@param options shell.editor.options
---@return shell.editor
function editor.new(options)
  local console = options.console
  local self = setmetatable({
    console = console,
    prompt = options.prompt,
    continuation = options.continuation,
    is_complete = options.is_complete or function() return true end,
    complete = options.complete,
    history = histories.new(),
    buffer = buffers.new(),
    keys = keys.new(console.read),
    painter = painters.new(console.write, 80),
    columns = 80, rows = 24, top = 1,
  }, editor)
  self:measure()
  return self
end

function editor:measure()
  local columns, rows = self.console.size()
  if columns and rows then
    self:resize(columns, rows)
  end
end

-- A terminal's answer is not trusted to be sensible.
function editor:resize(columns, rows)
  if columns < 20 or columns > 1000 or rows < 4 or rows > 1000 then
    return
  end
  self.rows = rows
  if columns ~= self.columns then
    self.columns = columns
    self.painter:resize(columns)
  end
end

-- Showing ------------------------------------------------------------------

function editor:colours()
  local text = self.buffer.text
  if self.coloured ~= text then
    self.spans, self.tokens = require "highlight".spans(text)
    self.coloured = text
  end
  return self.spans, self.tokens
end

function editor:view()
  local buffer = self.buffer
  local view = {
    text = buffer.text, at = buffer.at, columns = self.columns,
    prompt = self.prompt, continuation = self.continuation,
  }
  if buffer.text ~= "" then
    view.spans = self:colours()
  end
  return view
end

function editor:add_marks(view)
  if self.search then
    view.marks = self.search:marks()
  elseif find(view.text, "[%[%](){}]") then
    local _, tokens = self:colours()
    view.marks = require "highlight".brackets(view.text, tokens, view.at)
  end
end

-- What stands below the line for the moment.
function editor:add_extra_rows(frame)
  if self.search then
    local row = self.search:row(self.columns)
    frame.rows[#frame.rows + 1] = row
    frame.row, frame.column = #frame.rows, row.n + 1
  elseif self.menu then
    local room = min(self.rows - #frame.rows - 1, MAX_MENU_ROWS)
    local rows = require "menu".rows(self.menu, self.columns, max(room, 1))
    for i = 1, #rows do
      frame.rows[#frame.rows + 1] = rows[i]
    end
  end
end

function editor:refresh()
  local view = self:view()
  self:add_marks(view)
  local frame = layout.build(view)
  self:add_extra_rows(frame)
  self.top = layout.crop(frame, self.rows, self.top)
  self.painter:paint(frame)
end

-- The line stays on the screen as it is; the cursor goes below it.
function editor:leave(note)
  self.menu, self.search = nil, nil
  self.buffer.at = #self.buffer.text + 1
  local frame = layout.build(self:view(), true)
  if note then
    layout.write(frame.rows[#frame.rows], note, "dim", self.columns)
  end
  self.top = layout.crop(frame, self.rows, self.top)
  self.painter:finish(frame)
  self.console.write(terminal.paste_off)
end

-- History ------------------------------------------------------------------

-- Going up stops at the end of an entry's first line, going down at the end of
-- its last, so that the next key goes on through the history.
function editor:older()
  local buffer = self.buffer
  if buffer:line_up() then
    return
  end
  local entry = self.history:older(buffer.text)
  if entry then
    buffer:set(entry)
    buffer.at = buffer:line_end(1)
  end
end

function editor:newer()
  local buffer = self.buffer
  if buffer:line_down() then
    return
  end
  local entry = self.history:newer(buffer.text)
  if entry then
    buffer:set(entry)
  end
end

function editor:begin_search()
  local buffer = self.buffer
  self.search = require "search".new(self.history, buffer.text, buffer.at)
end

-- Take what was found, or (`abort`) what stood there before.
function editor:end_search(abort)
  local search = self.search
  self.search = nil
  self.last_query = search.query ~= "" and search.query or self.last_query
  if abort then
    self.buffer.text, self.buffer.at = search.saved_text, search.saved_at
  else
    local text, at = search:shown()
    self.buffer.text, self.buffer.at = search.saved_text, search.saved_at
    if text ~= search.saved_text then
      self.buffer:set(text, at)
    end
  end
end

function editor:search_step(step)
  if self.search.query == "" and self.last_query then
    self.search:type(self.last_query)
  else
    self.search:step(step)
  end
end

local SEARCH_KEYS = {
  ["ctrl-r"] = function(self) self:search_step(-1) end,
  ["ctrl-s"] = function(self) self:search_step(1) end,
  ["up"] = function(self) self:search_step(-1) end,
  ["down"] = function(self) self:search_step(1) end,
  ["backspace"] = function(self) self.search:backspace() end,
  ["text"] = function(self, text) self.search:type(text) end,
  ["paste"] = function(self, text)
    self.search:type(match(text, "^[^\n]*"))
  end,
}

-- Whether the search used the key; if not, it has ended and the key counts.
function editor:search_key(name, data)
  local action = SEARCH_KEYS[name]
  if action then
    action(self, data)
    -- The buffer shows the entry, but no change is recorded before it is taken.
    self.buffer.text, self.buffer.at = self.search:shown()
    return true
  end
  local abort = name == "ctrl-g" or name == "ctrl-c"
  self:end_search(abort)
  return abort or name == "escape"
end

-- Completion ---------------------------------------------------------------

function editor:choose(step)
  local menu = self.menu
  local index = menu.index and menu.index + step
    or (step > 0 and 1 or #menu.items)
  menu.index = (index - 1) % #menu.items + 1
  self.buffer:replace(menu.start, self.buffer.at,
    menu.items[menu.index].text, "complete")
end

-- Nothing but blanks before the cursor: Tab indents.
function editor:tab_indents()
  local buffer = self.buffer
  return find(sub(buffer.text, buffer:line_start(), buffer.at - 1), "^%s*$")
    and buffer.text ~= ""
end

function editor:tab()
  local buffer = self.buffer
  if self.menu and self.menu.items then
    return self:choose(1)
  elseif self:tab_indents() then
    return buffer:insert("  ")
  end
  local found = self.complete and self.complete(buffer.text, buffer.at)
  if not found or #found.items == 0 then
    self.menu = found and found.hint and { hint = found.hint } or nil
    return
  end
  local prefix = require "menu".common_prefix(found.items)
  local typed = sub(buffer.text, found.start, buffer.at - 1)
  local one = #found.items == 1
  if prefix ~= typed and (one or #prefix > #typed) then
    buffer:replace(found.start, buffer.at, prefix, "completed")
  elseif not one then
    self.menu = {
      items = found.items, start = found.start, typed = typed,
    }
  elseif found.hint then
    self.menu = { hint = found.hint }
  end
end

-- Keys that mean something else while the list is shown.
function editor:menu_key(name)
  local menu = self.menu
  if name == "tab" and menu.items then
    return false
  elseif name == "shift-tab" and menu.items then
    self:choose(-1)
    return true
  end
  self.menu = nil
  if name == "escape" and menu.index then
    self.buffer:replace(menu.start, self.buffer.at, menu.typed, "complete")
  end
  return name == "escape" or name == "enter" and menu.index ~= nil
end

-- Lines --------------------------------------------------------------------

function editor:straighten_line()
  local buffer = self.buffer
  local start = buffer:line_start()
  local indent = require "indent"
  if start > 1 and indent.closes(sub(buffer.text, start, buffer.at - 1)) then
    local columns = indent.of_closer(buffer.text, start)
    if columns then
      buffer:indent(columns)
    end
  end
end

-- What comes in a burst is a paste with its own indentation.
function editor:newline()
  local buffer = self.buffer
  if self.keys:pending() then
    return buffer:insert("\n")
  end
  self:straighten_line()
  local from = buffer:line_start()
  buffer:newline(require "indent".after(buffer.text, from, buffer.at))
end

function editor:enter()
  if self.is_complete(self.buffer.text) then
    if not self.keys:pending() then
      self:straighten_line()
    end
    return "done"
  end
  self:newline()
end

function editor:ctrl_d()
  if self.buffer.text == "" then
    return "eof"
  end
  self.buffer:delete()
end

function editor:clear()
  self.painter:clear()
  if self.console.size() == nil then
    self.painter:emit(terminal.ask_size)
  end
end

local function edit(method)
  return function(self)
    local buffer = self.buffer
    buffer[method](buffer)
  end
end

---@type table<string, fun(self: shell.editor, data?: string): string?>
local KEYS = {
  ["text"] = function(self, text) self.buffer:insert(text) end,
  ["paste"] = function(self, text) self.buffer:insert(text) end,
  ["enter"] = editor.enter,
  ["alt-enter"] = editor.newline,
  ["tab"] = editor.tab,
  ["up"] = editor.older, ["ctrl-p"] = editor.older,
  ["down"] = editor.newer, ["ctrl-n"] = editor.newer,
  ["left"] = edit "left", ["ctrl-b"] = edit "left",
  ["right"] = edit "right", ["ctrl-f"] = edit "right",
  ["home"] = edit "home", ["ctrl-a"] = edit "home",
  ["end"] = edit "to_end", ["ctrl-e"] = edit "to_end",
  ["ctrl-left"] = edit "word_left", ["alt-left"] = edit "word_left",
  ["alt-b"] = edit "word_left",
  ["ctrl-right"] = edit "word_right", ["alt-right"] = edit "word_right",
  ["alt-f"] = edit "word_right",
  ["backspace"] = edit "backspace", ["delete"] = edit "delete",
  ["ctrl-t"] = edit "transpose",
  ["ctrl-k"] = edit "kill_to_end", ["ctrl-u"] = edit "kill_to_start",
  ["ctrl-w"] = edit "kill_blank_word_back",
  ["alt-backspace"] = edit "kill_word_back",
  ["ctrl-backspace"] = edit "kill_word_back",
  ["alt-d"] = edit "kill_word", ["ctrl-delete"] = edit "kill_word",
  ["ctrl-y"] = edit "yank", ["alt-y"] = edit "yank_pop",
  ["ctrl-_"] = edit "undo",
  ["ctrl-r"] = editor.begin_search,
  ["ctrl-l"] = editor.clear,
  ["ctrl-c"] = function() return "interrupt" end,
  ["ctrl-d"] = editor.ctrl_d,
}

-- nil: go on; else why the entry ends.
function editor:handle(name, data, columns)
  if name == "report" then
    self:resize(columns, data)
    return nil
  elseif self.search and self:search_key(name, data) then
    return nil
  elseif self.menu and self:menu_key(name) then
    return nil
  end
  local action = KEYS[name]
  local before = self.buffer.text
  local why = action and action(self, data)
  -- A changed line is a new beginning for Up; walking does not change it.
  if self.buffer.text ~= before and action ~= editor.older
      and action ~= editor.newer then
    self.history:stop()
  end
  return why
end

---Read one entry.
---@param shown? boolean the prompt stands on the terminal already
---@return string? text
---@return string? why "interrupt", "eof", or what the console said
function editor:read(shown)
  local row
  self:measure()
  self.buffer:reset()
  self.top = 1
  if shown then
    row = layout.row()
    layout.write(row, self.prompt, "prompt", self.columns)
  end
  self.painter:begin(row)
  if not shown then
    self.console.write(terminal.paste_on)
    self:refresh()
  end
  while true do
    local name, data, columns = self.keys:next()
    if not name then
      return nil, data
    end
    local why = self:handle(name, data, columns)
    if why then
      self.history:stop()
      self:leave(why == "interrupt" and "^C" or nil)
      return why == "done" and self.buffer.text or nil, why
    elseif not self.keys:pending() then
      self:refresh()
    end
  end
end

return editor

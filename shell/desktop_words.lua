-- Words for desktops: `show linux desktop`, `type "text" into linux` and the
-- like. Each is one call of module desktop; the intent engine will take this
-- place over.

local commands = require "commands"
local nearest = require "nearest"

local words = {}

local function desktop()
  local ok, module = pcall(require, "desktop")
  if not ok then
    return nil, "there is no module 'desktop' in this domain"
  end
  return module
end

local FILLERS = { the = true, a = true, my = true, desktop = true }
local LAYOUT_WORDS = { full = "full", split = "split", window = "window",
  beside = "split", floating = "window" }
local PREPOSITIONS = { ["in"] = true, into = true, on = true, as = true,
  to = true }

-- What is meant by a word of ours that is not quite right; how it was read.
local function read(word, vocabulary)
  if vocabulary[word] then
    return word
  end
  local list = {}
  for known in pairs(vocabulary) do
    if #known > 3 then
      list[#list + 1] = known
    end
  end
  table.sort(list)
  return #word > 3 and nearest.find(word, list) or nil
end

---`linux desktop split` and the like: a name (nil: the default) and a layout.
---@param args string[]
---@return string? name, string? layout, string? problem
function words.target(args)
  local name, layout
  for _, word in ipairs(args) do
    word = word:lower()
    local filler = read(word, FILLERS)
    local form = not filler and read(word, LAYOUT_WORDS)
    if form then
      layout = LAYOUT_WORDS[form]
    elseif not filler and not PREPOSITIONS[word] then
      if name then
        return nil, nil, ("one desktop at a time: '%s' or '%s'?"):format(name,
          word)
      end
      name = word
    end
  end
  return name, layout
end

-- The last `into NAME`, and what stands before it.
---@param text string
---@return string what, string? name
function words.split(text)
  local what, preposition, name = text:match "^(.-)%s+(%a+)%s+([%w_-]+)%s*$"
  if what and PREPOSITIONS[preposition] then
    return what, name
  end
  return text, nil
end

-- Quotes around a text, and the escapes in it.
---@param text string
---@return string
function words.unquote(text)
  local inner = text:match '^"(.*)"$' or text:match "^'(.*)'$"
  if not inner then
    return text
  end
  return (inner:gsub("\\(.)", { n = "\n", t = "\t", ["\\"] = "\\",
    ['"'] = '"', ["'"] = "'" }))
end

-- A name that was understood though it was written otherwise is said.
local function said(name, found)
  if name and found ~= name then
    return ("%s (understood from '%s')"):format(found, name)
  end
  return found
end

local function register(name, args, summary, act)
  commands.register {
    name = name, args = args, summary = summary, topic = "desktop",
    handler = function(shell, arguments)
      local module, missing = desktop()
      if not module then
        return nil, missing
      end
      return act(module, arguments, shell)
    end,
  }
end

register("show", "[linux] desktop [full|split|window]",
  "have a desktop on the screen, started if it is not up",
  function(module, args, shell)
    local name, layout, problem = words.target(args)
    if problem then
      return nil, problem
    end
    local found, done, code = module.show { name = name, layout = layout }
    if not found then
      return nil, done, code
    end
    shell:say(("%s is shown (%s); F12 comes back here"):format(
      said(name, found), done))
  end)

-- For those that take a name and answer it.
local function plain(verb, done)
  return function(module, args, shell)
    local name, _, problem = words.target(args)
    if problem then
      return nil, problem
    end
    local found, how, code = module[verb](name)
    if not found then
      return nil, how, code
    end
    shell:say(("%s: %s"):format(said(name, found), how or done))
  end
end

register("hide", "[linux] desktop", "take a desktop off the screen; it runs on",
  plain("hide", "hidden, it runs on"))
register("shutdown", "[linux]", "end a desktop in order",
  plain("shutdown", "shut down"))
register("reset", "[linux]", "reset a desktop, as its button does",
  plain("reset", "reset"))

register("screenshot", "[linux]", "save a desktop's picture",
  function(module, args, shell)
    local name, _, problem = words.target(args)
    if problem then
      return nil, problem
    end
    local path, message, code = module.screenshot(name)
    if not path then
      return nil, message, code
    end
    shell:say("saved as " .. path)
  end)

register("type", "\"text\" into linux", "type a text into a desktop",
  function(module, args)
    local text, name = words.split(args.text)
    local found, message, code = module.type(words.unquote(text), name)
    if not found then
      return nil, message, code
    end
  end)

register("press", "ctrl+alt+t in linux", "press keys in a desktop",
  function(module, args)
    local keys, name = words.split(args.text)
    local ok, found, message, code = pcall(module.press, keys, name)
    if not ok then
      return nil, (tostring(found):gsub("^.-: ", "", 1))
    elseif not found then
      return nil, message, code
    end
  end)

register("click", "400 300 in linux", "click at a pixel of a desktop",
  function(module, args)
    local place, name = words.split(args.text)
    local x, y = place:match "^(%d+)[%s,]+(%d+)$"
    if not x then
      return nil, "say where: click 400 300 in linux"
    end
    local found, message, code = module.click(math.tointeger(x),
      math.tointeger(y), name)
    if not found then
      return nil, message, code
    end
  end)

register("run", "weston-terminal in linux", "run a program in a desktop",
  function(module, args)
    local command, name = words.split(args.text)
    return module.run(words.unquote(command), name)
  end)

return words

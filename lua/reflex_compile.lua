-- The compiler of reflexes: from a rule, as a person writes it, to the image
-- that the kernel verifies (rayos/reflex.h tells its format). Expressions are
-- parsed by lua/reflex_parse.lua and compiled by lua/reflex_scope.lua. Nothing
-- here is trusted by the kernel.

local images = require "reflex_image"
local parse = require "reflex_parse"
local scopes = require "reflex_scope"

local fail, sorted_keys, counter_op = scopes.fail, scopes.sorted_keys,
  scopes.counter_op

local compile = {}

local ARG = { constant = 0, string = 1, register = 2 }

-- --- actions ----------------------------------------------------------------

local Actions = {}

local function signature(action)
  local kinds, required = {}, nil
  for kind in action.args:gmatch "." do
    if kind == "?" then
      required = #kinds
    else
      kinds[#kinds + 1] = kind
    end
  end
  return kinds, required or #kinds
end

local function pack_call(name, args)
  local bytes = string.pack("<c32I1xxx", name, #args)
  for i = 1, 4 do
    local arg = args[i] or { kind = 0, index = 0 }
    bytes = bytes .. string.pack("<I1xI2", arg.kind, arg.index)
  end
  return bytes .. string.pack("<I4", 0)
end

local function argument(scope, node, kind, register)
  if kind == "t" or kind == "i" and node.kind == "string" then
    if node.kind ~= "string" then
      fail(node, "this argument is a text in quotes")
    end
    return { kind = ARG.string, index = scope:text(node) }, register
  end
  local known = scope:fold(node)
  if known then
    return { kind = ARG.constant, index = scope.image:constant(known) },
      register
  end
  scope:expression(node, register)
  return { kind = ARG.register, index = register }, register + 1
end

function Actions.call(scope, node)
  if node.name == "consume" then
    if #node.args > 0 then
      fail(node, "consume takes no argument")
    end
    return scope.image:emit("consume")
  end
  local action = scope.image.world.actions[node.name]
  if not action then
    fail(node, "there is no action '%s'; there are: consume, %s", node.name,
      sorted_keys(scope.image.world.actions))
  end
  local kinds, required = signature(action)
  if #node.args < required or #node.args > #kinds then
    fail(node, "%s takes %s arguments, not %d", node.name,
      required == #kinds and required or required .. " to " .. #kinds,
        #node.args)
  end
  local args, register = {}, 0
  for i, arg in ipairs(node.args) do
    args[i], register = argument(scope, arg, kinds[i], register)
  end
  scope.image:emit("act", 0, 0, 0,
    scope.image:pool("calls", pack_call(node.name, args), 16))
end

function Actions.set(scope, node)
  scope:expression(node.value, 0)
  local index = scope:counter_index(node.target)
  scope.image:emit(counter_op(node.target, node.add and "add" or "set"), 0, 0,
    0, index)
end

local function perform(scope, rule)
  scope.image:emit("hit")
  for _, node in ipairs(rule.act) do
    Actions[node.kind](scope, node)
  end
end

-- --- rules ------------------------------------------------------------------

-- What comes between a condition that is met and the actions.
local function fire(scope, rule, register)
  local image, out = scope.image, {}
  if rule.window then
    image:emit("count", register, 0, 0, rule.window)
    out[#out + 1] = image:jump("jz", register)
  end
  if rule.cooldown then
    image:emit("cool", register, 0, 0,
      image:cell "\0cooldown" | image:constant(rule.cooldown) << 16)
    local pass = image:jump("jnz", register)
    image:emit "miss"
    out[#out + 1] = image:jump "jmp"
    image:land { pass }
  end
  perform(scope, rule)
  image:land(out)
  image:emit "end"
end

local function simple_section(scope, rule)
  local image, out = scope.image, {}
  if rule.when then
    scope:expression(rule.when, 0)
    out[#out + 1] = image:jump("jz", 0)
  end
  for _, node in ipairs(rule.unless) do
    scope:expression(node, 0)
    out[#out + 1] = image:jump("jnz", 0)
  end
  if #out == 0 then
    return fire(scope, rule, 0)
  end
  local past = image:jump("jmp")
  image:land(out)
  image:emit "end"
  image:land { past }
  fire(scope, rule, 0)
end

-- One step's attempt: jumps to `done` are collected; falls through when it does
-- not fit.
local function sequence_step(scope, rule, cell, k, done, won)
  local image, step, out = scope.image, rule.sequence[k], {}
  image:emit("step", 0, 0, 0, cell)
  scope:load_number(k - 1, 1)
  image:emit("eq", 0, 0, 1)
  out[1] = image:jump("jz", 0)
  if step.when then
    scope:expression(step.when, 0)
    out[2] = image:jump("jz", 0)
  end
  local last = k == #rule.sequence
  local next_step = rule.sequence[k + 1]
  local time = last and -1 or next_step.within or -1
  image:emit("go", 0, k - 1, last and 0 or k, cell | image:constant(time) << 16)
  if last then
    won[#won + 1] = image:jump("jnz", 0)
  end
  done[#done + 1] = image:jump "jmp"
  image:land(out)
end

-- Bring the sequence from wherever it is to `to`.
local function sequence_move(scope, rule, cell, to)
  local image = scope.image
  local time = to == 1 and rule.sequence[2].within or -1
  for from = 1, #rule.sequence - 1 do
    image:emit("go", 0, from, to, cell | image:constant(time) << 16)
  end
end

local function sequence_section(scope, rule, name)
  local image, cell, done, won = scope.image, scope.image:cell "\0sequence", {},
    {}
  for k, step in ipairs(rule.sequence) do
    if step.on == name then
      sequence_step(scope, rule, cell, k, done, won)
    end
  end
  -- What does not fit may be a new beginning.
  if rule.sequence[1].on == name then
    local out = {}
    image:emit("step", 0, 0, 0, cell)
    done[#done + 1] = image:jump("jz", 0)
    if rule.sequence[1].when then
      scope:expression(rule.sequence[1].when, 0)
      out[1] = image:jump("jz", 0)
    end
    sequence_move(scope, rule, cell, 1)
    done[#done + 1] = image:jump "jmp"
    image:land(out)
  end
  for _, except in ipairs(rule.except) do
    if except.on == name then
      local out = {}
      if except.when then
        scope:expression(except.when, 0)
        out[1] = image:jump("jz", 0)
      end
      sequence_move(scope, rule, cell, 0)
      image:land(out)
    end
  end
  image:land(done)
  image:emit "end"
  if #won > 0 then
    image:land(won)
    fire(scope, rule, 0)
  end
end
local function add_entries(image, name, start, codes)
  for _, code in ipairs(codes or { false }) do
    image.entries[#image.entries + 1] = { type = name, code = code or nil,
      start = start }
  end
end

local function scope_for(image, name, node)
  local type = image.world.types[name]
  if not type then
    fail(node, "there is no event type '%s'; there are: %s", name,
      sorted_keys(image.world.types))
  end
  local scope = scopes.new(image, type)
  scope.world_code = image.world.code_offset
  return scope
end

local function types_of_sequence(rule)
  local names, seen = {}, {}
  for _, list in ipairs { rule.sequence, rule.except } do
    for _, step in ipairs(list) do
      if not seen[step.on] then
        seen[step.on] = true
        names[#names + 1] = step.on
      end
    end
  end
  return names
end
-- --- the whole --------------------------------------------------------------

local function build(rule, world, source)
  local image = images.new(rule, world)
  if rule.count then
    image.windows[1] = { count = rule.count, within = rule.within }
    rule.window = 0
  end
  if rule.sequence then
    for _, name in ipairs(types_of_sequence(rule)) do
      add_entries(image, name, #image.code + 1)
      sequence_section(scope_for(image, name), rule, name)
    end
  else
    for _, name in ipairs(rule.on) do
      local scope = scope_for(image, name)
      add_entries(image, name, #image.code + 1,
        scopes.unique_codes(scope, rule.when))
      simple_section(scope, rule)
    end
  end
  image:prune()
  return image:encode(source), image
end

---Compile a rule.
---@param rule table as reflex.rule takes it
---@param world table types and actions by name, code_offset of an event
---@param source string kept in the image
---@return string? image, string|table problem or the parts, for explanation
function compile.rule(rule, world, source)
  local ok, image, parts = pcall(function()
    return build(parse.rule(rule), world, source)
  end)
  if ok then
    return image, parts
  elseif type(image) == "table" then
    return nil, image
  end
  error(image, 0)
end

compile.OPS = images.OPS

return compile

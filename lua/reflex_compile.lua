-- The compiler of reflexes: from a rule, as a person writes it, to the image
-- that the kernel verifies (rayos/reflex.h tells its format). Expressions are
-- parsed by lua/reflex_parse.lua. Nothing here is trusted by the kernel.

local parse = require "reflex_parse"

local compile = {}

local OPS = {}
for number, name in ipairs {
  "imm", "const", "field", "mov", "neg", "inv", "not", "add", "sub", "mul",
    "div",
  "mod", "and", "or", "xor", "shl", "shr", "eq", "ne", "lt", "le", "text_eq",
    "jmp",
  "jz", "jnz", "cell_get", "cell_set", "cell_add", "shared_get", "shared_set",
  "shared_add", "count", "cool", "step", "go", "hit", "miss", "act", "consume",
} do
  OPS[name] = number
end
OPS["end"] = 0

local TEXT = 32
local REGISTERS = 16
local KEYED_MAX = 16
  -- codes that a rule is found by; with more it sees all events
local ARG = { constant = 0, string = 1, register = 2 }
local NAME = "c32" -- NUL padded

-- --- the image as it grows --------------------------------------------------

local Image = {}
Image.__index = Image

local function new_image(rule, world)
  return setmetatable({
    rule = rule, world = world,
    code = {}, entries = {}, constants = {}, strings = {}, calls = {},
      windows = {},
    counters = {}, cells = {}, cell_count = 0, pools = {},
  }, Image)
end

function Image:emit(op, a, b, c, imm)
  self.code[#self.code + 1] = { op = OPS[op], name = op, a = a or 0, b = b or 0,
    c = c or 0, imm = imm or 0 }
  return #self.code
end

-- Index of a value in one of the lists, from 0; added when it is new.
function Image:pool(list, value, most)
  self.pools[list] = self.pools[list] or {}
  local pool, values = self.pools[list], self[list]
  if not pool[value] then
    if #values >= most then
      error { text = ("the rule needs more than %d %s"):format(most, list) }
    end
    values[#values + 1] = value
    pool[value] = #values - 1
  end
  return pool[value]
end

function Image:constant(value)
  return self:pool("constants", value, 128)
end

function Image:new_cell()
  self.cell_count = self.cell_count + 1
  if self.cell_count > 16 then
    error { text =
      "the rule needs more than 16 cells (sequence, cooldown, my.*)" }
  end
  return self.cell_count - 1
end

function Image:cell(name)
  self.cells[name] = self.cells[name] or self:new_cell()
  return self.cells[name]
end

-- A jump to be aimed later.
function Image:jump(op, register)
  return self:emit(op, register)
end

-- Aim jumps at the next instruction.
function Image:land(jumps)
  for _, at in ipairs(jumps) do
    self.code[at].imm = #self.code + 1 - at
  end
end

-- --- expressions ------------------------------------------------------------

local Scope = {}
Scope.__index = Scope

local function fail(node, text, ...)
  error { text = text:format(...), column = node and node.column, at = node
    and node.at }
end

local function sorted_keys(...)
  local names = {}
  for _, t in ipairs { ... } do
    for name in pairs(t) do
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- What names mean over events of one type.
local function new_scope(image, type)
  local fields, constants = {}, {}
  for index, field in ipairs(type.fields) do
    fields[field.name] = { index = index - 1, kind = field.kind }
    for name, value in pairs(field.constants) do
      constants[name] = value
    end
  end
  return setmetatable({ image = image, type = type, fields = fields,
    constants = constants }, Scope)
end

-- A number that is known now; nil when it is not.
function Scope:fold(node)
  if node.kind == "number" then
    return node.value
  elseif node.kind == "name" and not self.fields[node.name] then
    return self.constants[node.name]
  elseif node.kind == "unary" then
    local x = self:fold(node.x)
    if x then
      return node.op == "neg" and -x or node.op == "inv" and ~x
        or node.op == "not" and (x == 0 and 1 or 0) or nil
    end
  elseif node.kind == "binary" then
    return self:fold_binary(node)
  end
end

local FOLD = {
  add = function(a, b) return a + b end,
  sub = function(a, b) return a - b end,
  mul = function(a, b) return a * b end,
  ["and"] = function(a, b) return a & b end,
  ["or"] = function(a, b) return a | b end,
  xor = function(a, b) return a ~ b end,
  shl = function(a, b) return b >= 0 and a << b or 0 end,
  shr = function(a, b) return b >= 0 and a >> b or 0 end,
}

function Scope:fold_binary(node)
  local f, a, b = FOLD[node.op], self:fold(node.a), self:fold(node.b)
  return f and a and b and f(a, b)
end

function Scope:is_text(node)
  return node.kind == "string" or node.kind == "name"
    and self.fields[node.name] and self.fields[node.name].kind == "text"
end

function Scope:load_number(value, register)
  if value >= -0x80000000 and value <= 0x7fffffff then
    self.image:emit("imm", register, 0, 0, value)
  else
    self.image:emit("const", register, 0, 0, self.image:constant(value))
  end
end

function Scope:name(node, register)
  local field = self.fields[node.name]
  if field and field.kind == "text" then
    fail(node, "'%s' is a text: compare it with == or 'in'", node.name)
  elseif field then
    self.image:emit("field", register, 0, 0, field.index)
  elseif self.constants[node.name] then
    self:load_number(self.constants[node.name], register)
  else
    fail(node, "unknown name '%s'; events of type '%s' have: %s", node.name,
      self.type.name, sorted_keys(self.fields, self.constants))
  end
end

function Scope:text(node)
  if #node.value > TEXT then
    fail(node, "a text has at most %d bytes", TEXT)
  end
  return self.image:pool("strings", node.value, 32)
end

function Scope:compare_text(field, text, register)
  local index = self.fields[field.name].index
  self.image:emit("text_eq", register, 0, 0, index | self:text(text) << 16)
end

-- == and ~= where one side is a text.
function Scope:texts(node, register)
  local a, b = node.a, node.b
  if a.kind == "string" then
    a, b = b, a
  end
  if a.kind ~= "name" or not self:is_text(a) or b.kind ~= "string" then
    fail(node, "a text can only be compared with a text field")
  elseif node.op ~= "eq" and node.op ~= "ne" then
    fail(node, "texts can only be compared with == and ~=")
  end
  self:compare_text(a, b, register)
  if node.op == "ne" then
    self.image:emit("not", register, register)
  end
end

function Scope:binary(node, register)
  if self:is_text(node.a) or self:is_text(node.b) then
    return self:texts(node, register)
  end
  local op, a, b = node.op, node.a, node.b
  if op == "gt" or op == "ge" then
    op, a, b = op == "gt" and "lt" or "le", b, a
  end
  self:expression(a, register)
  self:expression(b, register + 1)
  self.image:emit(op, register, register, register + 1)
end

-- and, or: the second side only when it decides; the result is 0 or 1.
function Scope:logic(node, register)
  self:expression(node.a, register)
  local skip = self.image:jump(node.op == "both" and "jz" or "jnz", register)
  self:expression(node.b, register)
  self.image:land { skip }
end

function Scope:in_range(node, register)
  local low, high = node.low, node.high
  self:expression(node.x, register)
  self:expression(low, register + 1)
  self.image:emit("le", register + 1, register + 1, register)
  self:expression(high, register + 2)
  self.image:emit("le", register, register, register + 2)
  self.image:emit("and", register, register, register + 1)
end

function Scope:in_list(node, register)
  local found = {}
  local text = self:is_text(node.x)
  if not text then
    self:expression(node.x, register + 1)
  end
  for i, item in ipairs(node.list) do
    if text then
      if item.kind ~= "string" then
        fail(item, "a text field is in a list of texts only")
      end
      self:compare_text(node.x, item, register)
    else
      self:expression(item, register + 2)
      self.image:emit("eq", register, register + 1, register + 2)
    end
    if i < #node.list then
      found[#found + 1] = self.image:jump("jnz", register)
    end
  end
  self.image:land(found)
end

local function counter_op(node, what)
  return (node.scope == "my" and "cell_" or "shared_") .. what
end

function Scope:counter_index(node)
  if node.scope == "my" then
    return self.image:cell(node.name)
  end
  if #node.name > 31 then
    fail(node, "the name of a counter has at most 31 bytes")
  end
  return self.image:pool("counters", node.name, 64)
end

local GENERATE = {
  name = Scope.name,
  binary = Scope.binary,
  logic = Scope.logic,
  range = Scope.in_range,
  list = Scope.in_list,
  number = function(self, node, register)
    self:load_number(node.value, register)
  end,
  string = function(_, node)
    fail(node, "a text is compared with a field, it has no value of its own")
  end,
  unary = function(self, node, register)
    self:expression(node.x, register)
    self.image:emit(node.op, register, register)
  end,
  counter = function(self, node, register)
    self.image:emit(counter_op(node, "get"), register, 0, 0,
      self:counter_index(node))
  end,
}

-- Code that leaves the value in a register; those above it are free.
function Scope:expression(node, register)
  if register + 2 >= REGISTERS then
    fail(node, "the expression is nested too deeply")
  end
  local known = self:fold(node)
  if known then
    self:load_number(known, register)
  else
    GENERATE[node.kind](self, node, register)
  end
end

-- --- which codes a condition asks for ---------------------------------------

local function codes_of_list(scope, node)
  local codes = {}
  for i, item in ipairs(node.list) do
    codes[i] = scope:fold(item)
    if not codes[i] then
      return nil
    end
  end
  return codes
end

local function codes_of_range(scope, node)
  local low, high = scope:fold(node.low), scope:fold(node.high)
  local codes = {}
  if not low or not high or high - low >= KEYED_MAX then
    return nil
  end
  for code = low, high do
    codes[#codes + 1] = code
  end
  return codes
end

local function is_code(scope, node)
  local field = node.kind == "name" and scope.fields[node.name]
  return field and scope.type.fields[field.index + 1].offset == scope.world_code
end

-- The codes of which the event must have one, or nil: it may have any.
local function codes_of(scope, node)
  if node.kind == "logic" and node.op == "both" then
    return codes_of(scope, node.a) or codes_of(scope, node.b)
  elseif node.kind == "logic" then
    local a, b = codes_of(scope, node.a), codes_of(scope, node.b)
    return a and b and table.move(b, 1, #b, #a + 1, a)
  elseif node.kind == "binary" and node.op == "eq" then
    local code = is_code(scope, node.a) and scope:fold(node.b)
      or is_code(scope, node.b) and scope:fold(node.a)
    return code and { code }
  elseif node.kind == "list" and is_code(scope, node.x) then
    return codes_of_list(scope, node)
  elseif node.kind == "range" and is_code(scope, node.x) then
    return codes_of_range(scope, node)
  end
end

local function unique_codes(scope, node)
  local codes, seen, list = node and codes_of(scope, node), {}, {}
  if not codes or #codes > KEYED_MAX then
    return nil
  end
  for _, code in ipairs(codes) do
    -- The field is 32 bits wide: no event has another code.
    if code >= 0 and code <= 0xffffffff and not seen[code] then
      seen[code] = true
      list[#list + 1] = code
    end
  end
  return #list > 0 and list or nil
end

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
  local bytes = string.pack("<" .. NAME .. "I1xxx", name, #args)
  for i = 1, 4 do
    local arg = args[i] or { kind = 0, index = 0 }
    bytes = bytes .. string.pack("<I1xI2", arg.kind, arg.index)
  end
  return bytes .. string.pack("<I4", 0)
end

local function argument(scope, node, kind, register)
  if kind == "t" then
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

-- Every instruction must be reached: drop those that no way leads to, which are
-- left where a condition is always so.
local function reachable(code, starts)
  local seen, stack = {}, { table.unpack(starts) }
  while #stack > 0 do
    local at = table.remove(stack)
    if code[at] and not seen[at] then
      seen[at] = true
      local insn = code[at]
      if insn.name == "jmp" or insn.name == "jz" or insn.name == "jnz" then
        stack[#stack + 1] = at + insn.imm
      end
      if insn.name ~= "end" and insn.name ~= "jmp" then
        stack[#stack + 1] = at + 1
      end
    end
  end
  return seen
end

local function prune(image)
  local starts = {}
  for i, entry in ipairs(image.entries) do
    starts[i] = entry.start
  end
  local seen, place, kept = reachable(image.code, starts), {}, {}
  for at, insn in ipairs(image.code) do
    if seen[at] then
      kept[#kept + 1] = insn
      place[at] = #kept
    end
  end
  for at, insn in ipairs(image.code) do
    if seen[at] and (insn.name == "jmp" or insn.name == "jz"
      or insn.name == "jnz") then
      insn.imm = place[at + insn.imm] - place[at]
    end
  end
  for _, entry in ipairs(image.entries) do
    entry.start = place[entry.start]
  end
  image.code = kept
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
  local scope = new_scope(image, type)
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

-- --- writing ----------------------------------------------------------------

local function encode_source(text)
  return text .. ("\0"):rep(-#text % 8)
end

function Image:encode(source)
  local out = {}
  for _, e in ipairs(self.entries) do
    out[#out + 1] = string.pack("<" .. NAME .. "I4I1I1I2", e.type, e.code or 0,
      e.code and 1 or 0, 0, e.start - 1)
  end
  for _, i in ipairs(self.code) do
    out[#out + 1] = string.pack("<I1I1I1I1i4", i.op, i.a, i.b, i.c,
      i.imm >= 0x80000000 and i.imm - 0x100000000 or i.imm)
  end
  for _, value in ipairs(self.constants) do
    out[#out + 1] = string.pack("<i8", value)
  end
  for _, text in ipairs(self.strings) do
    out[#out + 1] = string.pack("<" .. NAME, text)
  end
  out[#out + 1] = table.concat(self.calls)
  for _, window in ipairs(self.windows) do
    out[#out + 1] = string.pack("<I8I4I4", window.within, window.count, 0)
  end
  for _, name in ipairs(self.counters) do
    out[#out + 1] = string.pack("<" .. NAME, name)
  end
  source = encode_source(source)
  out[#out + 1] = source
  local body = table.concat(out)
  local rule = self.rule
  return string.pack("<c4I4" .. NAME .. "I8I8I2I2I2I2I2I2I2I1I1I4I4", "RFX1",
    80 + #body,
    rule.name, rule.budget or 0, rule.ttl or 0, #self.entries, #self.code,
    #self.constants, #self.strings, #self.calls, #self.windows, #self.counters,
    self.cell_count, rule.priority, #source, 0) .. body
end

-- --- the whole --------------------------------------------------------------

local function build(rule, world, source)
  local image = new_image(rule, world)
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
      add_entries(image, name, #image.code + 1, unique_codes(scope, rule.when))
      simple_section(scope, rule)
    end
  end
  prune(image)
  return image:encode(source), image
end

---Compile a rule.
---@param rule table as reflex.rule takes it
---@param world table { types = by name, actions = by name, code_offset =
---integer }
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

compile.OPS = OPS

return compile

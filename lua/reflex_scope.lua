-- Expressions of a rule, over events of one type: what names mean, code that
-- computes them, and which codes an event must have.

local scopes = {}

local TEXT = 32
local REGISTERS = 16
local KEYED_MAX = 16 -- codes that a rule is found by; with more it sees all

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
scopes.new = new_scope
scopes.fail = fail
scopes.sorted_keys = sorted_keys
scopes.counter_op = counter_op
scopes.unique_codes = unique_codes

return scopes

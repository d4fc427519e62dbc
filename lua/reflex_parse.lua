-- Reads rules: the table's fields, and with LPeg the expressions in them. Gives
-- a tree whose nodes know where they stand; raises { text, column, at } when
-- something is wrong.

local lpeg = require "lpeg"

local C, Carg, Cc, Cf, Cg, Cmt, Cp, Ct = lpeg.C, lpeg.Carg, lpeg.Cc, lpeg.Cf,
  lpeg.Cg,
  lpeg.Cmt, lpeg.Cp, lpeg.Ct
local P, R, S, V = lpeg.P, lpeg.R, lpeg.S, lpeg.V

local parse = {}

local UNITS = { ns = 1, us = 1000, ms = 1000000, s = 1000000000,
  min = 60000000000,
  h = 3600000000000 }
local NAME_MAX = 31
local SEQUENCE_MAX = 16
local COUNT_MAX = 1000000

local function fail(at, column, text, ...)
  error { at = at, column = column, text = text:format(...) }
end

-- --- expressions ------------------------------------------------------------

-- How far the parser came: there is what it did not understand.
local space = S " \t\n" ^ 0 * Cmt(Carg(1), function(_, i, at)
  at.far = math.max(at.far or 1, i)
  return true
end)

local word = R("az", "AZ", "__") * R("az", "AZ", "09", "__") ^ 0
local word_end = -R("az", "AZ", "09", "__")

local KEYWORDS = { ["and"] = true, ["or"] = true, ["not"] = true, ["in"] = true,
  ["true"] = true, ["false"] = true }

local function token(pattern)
  return pattern * space
end

local function symbol(text, except)
  return token(except and P(text) * -S(except) or P(text))
end

local function keyword(text)
  return token(P(text) * word_end)
end

-- A node that knows its place: pattern gives the arguments of make.
local function node(pattern, make)
  return Cp() * Carg(1) * pattern / function(column, at, ...)
    local n, problem = make(...)
    if not n then
      fail(at, column, "%s", problem)
    end
    n.column, n.at = column, at
    return n
  end
end

local function to_number(digits, unit)
  local value = math.tointeger(tonumber(digits))
  if unit == "" then
    return value and { kind = "number", value = value },
      "numbers are whole, unless they have a unit of time"
  end
  local scaled = UNITS[unit]
    and math.tointeger(tonumber(digits) * UNITS[unit] // 1)
  return scaled and { kind = "number", value = scaled },
    ("there is no unit '%s'; there are ns, us, ms, s, min, h"):format(unit)
end

local number = node(token(C(P "0" * S "xX" * R("09", "af", "AF") ^ 1
    + R "09" ^ 1 * (P "." * -P "." * R "09" ^ 1) ^ -1) * C(word ^ -1)),
      to_number)

local function text_in(quote)
  return P(quote) * C((P(1) - quote) ^ 0) * quote
end

local text = node(token(text_in '"' + text_in "'"), function(value)
  return { kind = "string", value = value }
end)

local plain_name = Cmt(C(word), function(_, i, name)
  return not KEYWORDS[name] and i, name
end)

local name = node(token(plain_name), function(value)
  return { kind = "name", name = value }
end)

local counter = node(token(C(P "counter" + P "my") * "." * C(word)),
  function(scope, value)
    return { kind = "counter", scope = scope, name = value }
  end)

local boolean = node(keyword "true" * Cc(1) + keyword "false" * Cc(0),
  function(value)
  return { kind = "number", value = value }
end)

local function op(pattern, operation)
  return pattern * Cc(operation)
end

-- Left-associative operators of one level.
local function chain(level, operators)
  return Cf(V(level) * Cg(operators * V(level)) ^ 0, function(a, operation, b)
    return { kind = "binary", op = operation, a = a, b = b, column = a.column,
      at = a.at }
  end)
end

local function logic(level, operators)
  return Cf(V(level) * Cg(operators * V(level)) ^ 0, function(a, operation, b)
    return { kind = "logic", op = operation, a = a, b = b, column = a.column,
      at = a.at }
  end)
end

local function compare(a, how, b, c)
  if not how then
    return a
  elseif how == "range" then
    return { kind = "range", x = a, low = b, high = c, column = a.column,
      at = a.at }
  elseif how == "list" then
    return { kind = "list", x = a, list = b, column = a.column, at = a.at }
  end
  return { kind = "binary", op = how, a = a, b = b, column = a.column,
    at = a.at }
end

local comma = symbol ","

local grammar = {
  "all",
  all = V "either",
  either = logic("both", op(keyword "or", "either")),
  both = logic("negation", op(keyword "and", "both")),
  negation = node(keyword "not" * V "negation", function(x)
    return { kind = "unary", op = "not", x = x }
  end) + V "comparison",
  comparison = V "bits_or" * (
    (op(symbol "==", "eq") + op(symbol "~=" + symbol "!=", "ne")
      + op(symbol "<=", "le") + op(symbol ">=", "ge") + op(symbol("<", "<"),
        "lt")
      + op(symbol(">", ">"), "gt")) * V "bits_or"
    + keyword "in" * (
      symbol "{" * Cc "list" * Ct(V "bits_or" * (comma * V "bits_or") ^ 0) *
        symbol "}"
      + Cc "range" * V "bits_or" * symbol ".." * V "bits_or")
  ) ^ -1 / compare,
  bits_or = chain("bits_xor", op(symbol "|", "or")),
  bits_xor = chain("bits_and", op(symbol("~", "="), "xor")),
  bits_and = chain("shift", op(symbol "&", "and")),
  shift = chain("sum", op(symbol "<<", "shl") + op(symbol ">>", "shr")),
  sum = chain("product", op(symbol "+", "add") + op(symbol "-", "sub")),
  product = chain("prefix",
    op(symbol "*", "mul") + op(symbol "//" + symbol "/", "div") + op(symbol "%",
      "mod")),
  prefix = node((op(symbol "-", "neg") + op(symbol("~", "="),
    "inv")) * V "prefix",
    function(operation, x)
      return { kind = "unary", op = operation, x = x }
    end) + V "primary",
  primary = number + text + boolean + counter + name
    + symbol "(" * V "all" * symbol ")",
  -- actions
  call = node(token(plain_name) * (symbol "("
      * Ct((V "all" * (comma * V "all") ^ 0) ^ -1) * symbol ")" + Ct "") *
        -symbol "=",
    function(called, args)
      return { kind = "call", name = called, args = args }
    end),
  setting = node(counter * (symbol "+=" * Cc(true) + symbol "=" * Cc(false)) * V
    "all",
    function(target, add, value)
      return { kind = "set", target = target, add = add, value = value }
    end),
  actions = Ct((V "setting" + V "call") * (symbol ";" * (V "setting" + V
    "call")) ^ 0)
    * symbol ";" ^ -1,
}

local function pattern_from(start)
  grammar[1] = start
  return space * P(grammar) * -1
end

local EXPRESSION, ACTIONS = pattern_from "all", pattern_from "actions"

local function read(pattern, source, key)
  local at = { key = key, source = source }
  local ok, tree = pcall(pattern.match, pattern, source, 1, at)
  if ok and tree then
    return tree
  elseif type(tree) == "table" then
    error(tree)
  elseif not ok then
    -- LPeg's own limit.
    fail(at, nil, "the expression is nested too deeply")
  end
  local far = at.far or 1
  local found = source:sub(far):match "^[%w_]+" or source:sub(far, far)
  fail(at, far, found == "" and "it ends too early"
    or "'%s' is not expected here", found)
end

-- --- fields of the table ----------------------------------------------------

local FIELDS = { name = true, on = true, when = true, count = true,
  within = true,
  sequence = true, unless = true, cooldown = true, priority = true,
    budget = true,
  act = true, ttl = true, doc = true }

local function wrong(key, why, ...)
  fail({ key = key }, nil, why, ...)
end

-- "200ms", or a number of seconds: nanoseconds.
local function duration(key, value)
  if value == nil then
    return nil
  end
  local digits, unit = tostring(value):match "^%s*(%d+%.?%d*)%s*(%a*)%s*$"
  local scale = digits and UNITS[unit == "" and "s" or unit]
  local ns = scale and math.tointeger(tonumber(digits) * scale // 1)
  if not ns or ns <= 0 then
    wrong(key,
      "expected a time such as \"200ms\" or a number of seconds, got %s",
      tostring(value))
  end
  return ns
end

local function integer(key, value, low, high)
  if value == nil then
    return nil
  end
  local n = math.tointeger(value)
  if not n or n < low or n > high then
    wrong(key, "expected a whole number from %d to %d, got %s", low, high,
      tostring(value))
  end
  return n
end

local function string_field(key, value)
  if type(value) ~= "string" then
    wrong(key, "expected a text, got %s", type(value))
  end
  return value
end

local function expression(key, value)
  return value ~= nil and read(EXPRESSION, string_field(key, value), key) or nil
end

local function list_of(value)
  return type(value) == "table" and value or { value }
end

local function type_names(key, value)
  local names = {}
  for i, one in ipairs(list_of(value)) do
    names[i] = string_field(key, one)
  end
  if #names == 0 then
    wrong(key, "expected the name of an event type")
  end
  return names
end

local STEP_FIELDS = { on = true, when = true, within = true }

local function step(key, value)
  if type(value) ~= "table" then
    wrong(key, "expected { on = ..., when = ... }, got %s", type(value))
  end
  for field in pairs(value) do
    if not STEP_FIELDS[field] then
      wrong(key, "does not know the field '%s'", tostring(field))
    end
  end
  return {
    on = string_field(key .. ".on", value.on),
    when = expression(key .. ".when", value.when),
    within = duration(key .. ".within", value.within),
  }
end

local function sequence(rule, out)
  if type(rule.sequence) ~= "table" or #rule.sequence < 2
    or #rule.sequence > SEQUENCE_MAX then
    wrong("sequence", "expected a list of 2 to %d steps", SEQUENCE_MAX)
  end
  if rule.on or rule.when then
    wrong("sequence",
      "each step has its own 'on' and 'when'; the rule has none")
  end
  out.sequence = {}
  for i, one in ipairs(rule.sequence) do
    out.sequence[i] = step(("sequence[%d]"):format(i), one)
  end
  if out.sequence[1].within then
    wrong("sequence[1].within", "the first step waits for nothing")
  end
  local unless = rule.unless
  if unless ~= nil then
    for i, one in ipairs(unless.on and { unless } or list_of(unless)) do
      out.except[i] = step(("unless[%d]"):format(i), one)
    end
  end
end

local function simple(rule, out)
  out.on = type_names("on", rule.on)
  out.when = expression("when", rule.when)
  for i, one in ipairs(list_of(rule.unless)) do
    out.unless[i] = expression("unless", one)
  end
end

local function actions(value)
  local list = {}
  for _, one in ipairs(list_of(value)) do
    local tree = read(ACTIONS, string_field("act", one), "act")
    table.move(tree, 1, #tree, #list + 1, list)
  end
  if #list == 0 then
    wrong("act", "a rule does something: expected one action or more")
  end
  return list
end

local function rule_name(value)
  local rule = string_field("name", value)
  if #rule == 0 or #rule > NAME_MAX or rule:find "[^ -~]" then
    wrong("name", "expected 1 to %d printable characters", NAME_MAX)
  end
  return rule
end

---A rule's fields, checked, and its expressions as trees.
---@param rule table
---@return table
function parse.rule(rule)
  if type(rule) ~= "table" then
    error { text = "expected a table, got " .. type(rule) }
  end
  for key in pairs(rule) do
    if not FIELDS[key] then
      wrong(tostring(key), "a rule has no such field")
    end
  end
  local out = {
    name = rule_name(rule.name),
    count = integer("count", rule.count, 1, COUNT_MAX),
    within = duration("within", rule.within),
    cooldown = duration("cooldown", rule.cooldown),
    budget = duration("budget", rule.budget),
    ttl = duration("ttl", rule.ttl),
    priority = integer("priority", rule.priority, 0, 255) or 100,
    unless = {}, except = {},
  }
  if (out.count ~= nil) ~= (out.within ~= nil) then
    wrong(out.count and "count" or "within", "count and within go together")
  end
  if rule.sequence ~= nil then
    sequence(rule, out)
  else
    simple(rule, out)
  end
  out.act = actions(rule.act)
  return out
end

---One expression, for tests and tools.
---@param source string
---@return table
function parse.expression(source)
  return read(EXPRESSION, source, "expression")
end

return parse

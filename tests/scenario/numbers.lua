-- What numbers come to: many deterministic calculations in groups, whose
-- results tests/machine/test_numbers.py compares between RayOS and the hosted
-- interpreter, bit for bit. Runs in both.
--
--   local numbers = dofile("numbers.lua")
--   numbers.digests()      --> { "sin 700 1f2e...", ... }
--   numbers.results("sin") --> { "0x1p+0 => 0x1.aed548f090ceep-1 3fea...", ... }

-- xorshift64*: the interpreter's own generator is among what is compared.
local state

local function random_bits()
  state = state ~ (state >> 12)
  state = state ~ (state << 25)
  state = state ~ (state >> 27)
  return state * 0x2545F4914F6CDD1D
end

local function random_below(n)
  return (random_bits() >> 1) % n
end

local function random_unit()
  return (random_bits() >> 11) * 0x1p-53
end

local function from_bits(bits)
  return (string.unpack("<d", string.pack("<i8", bits)))
end

local SPECIAL = {
  0.0, -0.0, 1 / 0, -1 / 0, from_bits(0x7ff8 << 48), from_bits(0xfff8 << 48),
  1.0, -1.0, 2.0, 0.5, -0.5, 10.0, 100.0, 1000.0, 3.0, 1e22, 1e23, 2.0^53,
  2.0^63, -2.0^63, 0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp+1023,
  709.782712893384, 709.8, -745.1, -745.2, 0x1.0000000000001p+0,
  0x1.fffffffffffffp-1, math.pi, math.pi / 2, 999999.5, 0.1, 1 / 3,
}

-- Kinds of arguments, each with its own way to hit rare branches.
local KINDS = {
  function() return from_bits(random_bits()) end,
  function() return random_below(2001) - 1000.0 end,
  function() return math.pi * (random_below(1441) - 720) / 180 end,
  function() return random_unit() * 2 - 1 end,
  function() return random_unit() * 80 - 40 end,
  function() return random_unit() * 1600 - 800 end,
  function() return random_unit() * 2.0^random_below(1000) end,
  function() return from_bits(random_bits() & 0x800fffffffffffff | 0) end,
  function() return random_below(20000) / 100 end,
  function() return (1 + random_unit()) * 2.0^(random_below(40) - 30) end,
}

local function arguments(count)
  local list = table.move(SPECIAL, 1, #SPECIAL, 1, {})
  while #list < #SPECIAL + count do
    list[#list + 1] = KINDS[#list % #KINDS + 1]()
  end
  return list
end

local groups, order = {}, {}

-- Add a group: make() calls add(input, result...) for each calculation.
local function group(name, make)
  order[#order + 1] = name
  groups[name] = make
end

local function unary(name, f)
  group(name, function(add)
    for _, x in ipairs(arguments(650)) do
      add(x, f(x))
    end
  end)
end

local function binary(name, f)
  group(name, function(add)
    local list = arguments(0)
    for _, x in ipairs(list) do
      for _, y in ipairs(list) do
        -- Which of two NaNs comes out is the compiler's choice.
        if x == x or y == y then
          add({ x, y }, f(x, y))
        end
      end
    end
    local xs, ys = arguments(600), arguments(601)
    for i = #SPECIAL + 1, #xs do
      -- Not i and i: then both are of one kind only.
      local y = i % 3 == 0 and ys[i + 1] or ys[i]
      add({ xs[i], y }, f(xs[i], y))
    end
  end)
end

for _, name in ipairs { "sin", "cos", "tan", "asin", "acos", "atan", "exp",
    "log", "sqrt", "floor", "ceil", "tointeger", "abs", "modf",
    -- What Debian's build has besides, for compatibility.
    "sinh", "cosh", "tanh", "log10", "frexp" } do
  unary(name, math[name] or error("no math." .. name))
end
unary("log2", function(x) return math.log(x, 2) end)
unary("log base 10", function(x) return math.log(x, 10) end)
unary("log base 3", function(x) return math.log(x, 3) end)
unary("square", function(x) return x ^ 2, x ^ 0.5, 2 ^ x, 10 ^ x end)
binary("atan2", math.atan)
binary("fmod", math.fmod)
binary("^", function(x, y) return x ^ y end)
binary("//", function(x, y) return x // y end)
binary("%", function(x, y) return x % y end)
binary("arithmetic", function(x, y) return x + y, x - y, x * y, x / y end)
binary("comparison", function(x, y)
  return tostring(x < y), tostring(x <= y), tostring(x == y),
      tostring(math.max(x, y)), tostring(math.min(x, y))
end)
local ldexp = math["ld" .. "exp"] -- luacheck knows 5.4 without it
unary("ldexp", function(x)
  return ldexp(x, 3), ldexp(x, -1060), ldexp(x, 2000), ldexp(x, -52)
end)

group("integer and float", function(add)
  local limits = { 0, 1, -1, math.maxinteger, math.mininteger, 1 << 53,
    (1 << 53) + 1, -(1 << 53) - 1, math.maxinteger - 511 }
  for i = 1, 300 do
    limits[#limits + 1] = random_bits() >> random_below(64)
  end
  for i, n in ipairs(limits) do
    local x = limits[#limits - i + 1] + 0.5
    add(n, n + 0.0, n / 3, n * 0.1, n ^ 2, tostring(n + 0.0),
      tostring(n < x), tostring(n == n + 0.0), math.ult(n, i) and 1 or 0,
      string.format("%d %i %x %o", n, n, n, n & 0xffff),
      n // (i * 7), n % -(i * 7), n // (i * 0.7), n % (i * 0.7),
      math.tointeger(n + 0.0) or "none", n .. "", -n .. "")
  end
end)

group("random", function(add)
  math.randomseed(42, 7)
  for i = 1, 200 do
    add(i, math.random(), math.random(i), math.random(0), math.random(-i, i))
  end
end)

-- %#g is left out: glibc drops zeros there when rounding adds a digit.
local FORMATS = {
  "%.14g", "%.17g", "%.16g", "%.1g", "%.0g", "%g", "%G", "%+.3g", "%.99g",
  "%20.10g|", "%-20g|", "%020g", "% g",
  "%f", "%.0f", "%.1f", "%.3f", "%.20f", "%.99f", "%+.2f", "%10.3f", "%-10.3f|",
  "%010.3f", "%#.0f", "% f",
  "%e", "%.0e", "%.20e", "%.99e", "%E", "%+020.5e", "%#.0e",
  "%a", "%A", "%.0a", "%.1a", "%.3a", "%.13a", "%.20a", "%+a", "%30a|",
  "%-30.2a|", "%030a", "%# a", "%#.0a", "%q",
}

group("format", function(add)
  local list = arguments(250)
  for i = 0, 200 do
    list[#list + 1] = i / 8 -- halves: which way do they go?
    list[#list + 1] = random_below(1000000) / 16
  end
  for i, x in ipairs(list) do
    add(x, tostring(x))
    for k = 1, #FORMATS, 4 do
      local f = FORMATS[(k + i) % #FORMATS + 1]
      -- %f of a large number is longer than Lua's limit for one item allows.
      add({ f, x }, (select(2, pcall(string.format, f, x))))
    end
  end
end)

local function digits(count, set)
  local list = {}
  for i = 1, count do
    local k = random_below(#set) + 1
    list[i] = set:sub(k, k)
  end
  return table.concat(list)
end

local NUMERALS = {
  "", "0x", "0x.", "0x.p1", "0x1p", "0x1p+", "1e", "1e+", ".", "-.", "+.5",
  "0x.8", "0x8.", "0x8.p1", "  0x10  ", "\t1\n", "- 1", "inf", "nan", "0x1p-1",
  "1e400", "-1e400", "1e-400", "-1e-400", "0x1p-1075", "0x1.8p-1075",
  "0x1p-1074", "0x1p1024", "0x1.fffffffffffff8p1023", "0x1p99999999999999999",
  "0x1.fffffffffffff7ffffffffp1023", "0x1p-99999999999999999", "1e5.5",
  "1e99999999999999999999", "1e-99999999999999999999", "0e999999999", "1f",
  "2.4703282292062327e-324", "2.4703282292062328e-324", "5e-324", "1..2",
  "1.7976931348623158e308", "1.7976931348623159e308", "9007199254740993",
  "9007199254740993.0", "9223372036854775807", "9223372036854775808",
  "-9223372036854775808", "-9223372036854775809", "0xffffffffffffffffff",
  "2.2250738585072011e-308", "2.2250738585072014e-308", "1e23", "8.5e22",
  "0.1e-6", "123456789012345678901234567890", "4.35", "0.000001", "1_0",
}

local function numerals()
  local list = table.move(NUMERALS, 1, #NUMERALS, 1, {})
  local function put(...) list[#list + 1] = string.format(...) end
  for i, x in ipairs(arguments(200)) do
    put("%." .. i % 20 .. "g", x)
    put("%.25e", x)
    put("%a", x)
  end
  for i = 1, 150 do
    put("%s.%se%d", digits(1 + i % 20, "0123456789"),
      digits(i % 23, "0123456789"), random_below(640) - 330)
    put("0x%s.%sp%d", digits(1 + i % 15, "0123456789abcDEF"),
      digits(i % 17, "0123456789abcdef"), random_below(1900) - 900)
    -- No more digits than fit: glibc rounds a few of the others wrongly.
    put("0x.%sp-1022", digits(1 + i % 13, "0123456789abcdef"))
  end
  for i = 1, 40 do
    put("%s.%se%d", digits(i * 20, "0123456789"), digits(100, "0123456789"),
      random_below(1900) - 1100)
  end
  return list
end

-- Ends of a numeral that is exactly between two doubles, or nearly.
local function halfway()
  local list = {}
  for i = 1, 60 do
    local n = (1 << 53) + random_below(1 << 53) * 2 + 1 -- 54 bits, odd
    local e = i * 5
    for _, tail in ipairs { "", ".0", ".00000000000000000000000001" } do
      list[#list + 1] = n .. tail
    end
    -- n * 2^e, exactly, as few digits show: by doubling the decimal text.
    local text = tostring(n)
    for _ = 1, e do
      local carry, out = 0, {}
      for k = #text, 1, -1 do
        local d = (text:byte(k) - 48) * 2 + carry
        out[#out + 1], carry = d % 10, d // 10
      end
      text = (carry > 0 and carry or "") .. table.concat(out):reverse()
    end
    list[#list + 1] = text .. ".0"
    list[#list + 1] = text .. ".0000000000001"
    list[#list + 1] = text:sub(1, -2) .. ((text:sub(-1) + 9) % 10) .. ".9"
  end
  return list
end

group("tonumber", function(add)
  for _, text in ipairs(numerals()) do
    add(text, tonumber(text) or "none")
  end
end)
group("halfway", function(add)
  for _, text in ipairs(halfway()) do
    add(text, tonumber(text) or "none")
  end
end)

-- Every bit of a value, and what a person can read.
local function describe(value)
  if math.type(value) == "float" then
    local bits = string.unpack("<i8", string.pack("<d", value))
    return string.format("%a %016x", value, bits), bits
  elseif math.type(value) == "integer" then
    return string.format("%d", value), value
  end
  value = tostring(value)
  local hash = #value
  for i = 1, #value do
    hash = (hash ~ value:byte(i)) * 0x100000001b3
  end
  return value, hash
end

-- Call each(input, result...) for every calculation of a group.
local function run(name, each)
  state = 0x9E3779B97F4A7C15 -- a group does not hang on those before it
  groups[name](each)
end

local numbers = {}

-- A line for each group: name, count of calculations, digest of all bits.
function numbers.digests()
  local lines = {}
  for i, name in ipairs(order) do
    local hash, count = 0, 0
    run(name, function(_, ...)
      for k = 1, select("#", ...) do
        local _, bits = describe((select(k, ...)))
        hash = ((hash ~ bits) * 0x9E3779B97F4A7C15) ~ (hash >> 29)
      end
      count = count + 1
    end)
    lines[i] = string.format("%s %d %016x", name, count, hash)
  end
  return lines
end

-- All of one group, readable.
function numbers.results(name)
  local lines = {}
  run(name, function(input, ...)
    local words = {}
    for _, x in ipairs(type(input) == "table" and input or { input }) do
      words[#words + 1] = describe(x)
    end
    words[#words + 1] = "=>"
    for k = 1, select("#", ...) do
      words[#words + 1] = describe((select(k, ...)))
    end
    lines[#lines + 1] = table.concat(words, " ")
  end)
  return lines
end

return numbers

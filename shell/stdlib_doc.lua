-- One line for each function of the standard library: its signature, two
-- blanks, what it does.

local gmatch, match = string.gmatch, string.match

local LINES = [==[
assert(v [, message])  v if it is true, else an error
collectgarbage([option [, ...]])  "collect", "count", "step", "incremental", ...
dofile(name)  run a file
error(message [, level])  raise an error; it can be any value
getmetatable(object)  the metatable, or its __metatable field
ipairs(t)  for i, v in ipairs(t): elements 1, 2, ... up to the first nil
load(chunk [, name [, mode [, env]]])  compile text; a function, or nil and why
loadfile(name [, mode [, env]])  compile a file
next(t [, key])  the key after this one and its value
pairs(t)  for k, v in pairs(t): all keys
pcall(f, ...)  call f; true and its results, or false and the error
print(...)  write values, tabs between, and a newline
rawequal(a, b)  whether they are the same, without metamethods
rawget(t, key)  the field itself, without metamethods
rawlen(v)  the length itself, without metamethods
rawset(t, key, value)  set the field itself, without metamethods
require(name)  load a module once; later calls give the same value
select(n, ...)  the values from the n-th on; select("#", ...) counts them
setmetatable(t, meta)  give a table its metatable; returns the table
tonumber(v [, base])  a number, or nil if v is not one
tostring(v)  a text for any value
type(v)  "nil", "number", "string", "boolean", "table", "function", ...
warn(message, ...)  give a warning
xpcall(f, handler, ...)  as pcall, with a function that sees the error first
string.byte(s [, i [, j]])  codes of the bytes i to j
string.char(...)  a string of these bytes
string.dump(f [, strip])  a function as bytecode (which is not loaded here)
string.find(s, pattern [, init [, plain]])  where it is: first, last, captures
string.format(format, ...)  as printf: %d %5.2f %s %q %x ...
string.gmatch(s, pattern [, init])  for a, b in ...: all matches
string.gsub(s, pattern, repl [, n])  replace by a string, table or function
string.len(s)  number of bytes; as #s
string.lower(s)  with small letters
string.match(s, pattern [, init])  the captures of the first match
string.pack(format, ...)  values as binary data
string.packsize(format)  the length of what string.pack gives
string.rep(s, n [, sep])  n copies of s, sep between
string.reverse(s)  the bytes backwards
string.sub(s, i [, j])  bytes i to j; negative counts from the end
string.unpack(format, s [, pos])  values out of binary data, and what is next
string.upper(s)  with capital letters
table.concat(t [, sep [, i [, j]]])  the elements as one string
table.insert(t, [pos,] v)  put v at pos, by default at the end
table.move(t, first, last, to [, into])  copy elements
table.pack(...)  a table of the arguments, with their number in n
table.remove(t [, pos])  take out the element at pos, by default the last
table.sort(t [, less])  sort in place
table.unpack(t [, i [, j]])  the elements as values
math.abs(x)  x without sign
math.acos(x)  arc cosine, radians
math.asin(x)  arc sine, radians
math.atan(y [, x])  arc tangent of y/x, radians
math.ceil(x)  the smallest integer that is not less
math.cos(x)  cosine of radians
math.deg(x)  radians to degrees
math.exp(x)  e to the power of x
math.floor(x)  the largest integer that is not greater
math.fmod(x, y)  the remainder, with the sign of x
math.log(x [, base])  logarithm, natural by default
math.max(x, ...)  the greatest
math.min(x, ...)  the least
math.modf(x)  integral and fractional part
math.rad(x)  degrees to radians
math.random([m [, n]])  in [0, 1); or an integer from 1 to m, or m to n
math.randomseed([x [, y]])  start the generator
math.sin(x)  sine of radians
math.sqrt(x)  square root
math.tan(x)  tangent of radians
math.tointeger(x)  as integer, or nil
math.type(x)  "integer", "float", or nil
math.ult(m, n)  whether m < n as unsigned integers
utf8.char(...)  a string of these code points
utf8.codepoint(s [, i [, j [, lax]]])  the code points that begin from i to j
utf8.codes(s [, lax])  for position, code in ...: all characters
utf8.len(s [, i [, j [, lax]]])  number of characters, or nil and where it fails
utf8.offset(s, n [, i])  where the n-th character begins
coroutine.close(co)  end it, with its pending to-be-closed variables
coroutine.create(f)  a coroutine, not yet started
coroutine.isyieldable([co])  whether it may yield
coroutine.resume(co, ...)  run it until it yields; true and values, or an error
coroutine.running()  the running one, and whether it is the main one
coroutine.status(co)  "suspended", "running", "normal", "dead"
coroutine.wrap(f)  a function that resumes a new coroutine
coroutine.yield(...)  give values to who resumed; returns what comes next
io.close([file])  close a file
io.input([file])  the default input, or set it
io.lines([name, ...])  for line in ...: the lines of a file
io.open(name [, mode])  a file, or nil and why; "r", "w", "a", "r+", "b"
io.output([file])  the default output, or set it
io.read(...)  from the default input: "l", "L", "n", "a", or a count
io.tmpfile()  a file that vanishes when it is closed
io.type(v)  "file", "closed file", or nil
io.write(...)  to the default output
os.clock()  seconds of CPU time
os.date([format [, time]])  a date as text, or "*t" as table
os.difftime(a, b)  seconds from b to a
os.exit([code])  end this domain
os.getenv(name)  a variable of the environment, or nil
os.remove(name)  delete a file
os.rename(old, new)  give a file another name
os.time([table])  seconds since 1970
os.tmpname()  a name for a temporary file
debug.getinfo([thread,] f [, what])  what is known of a function or level
debug.getlocal([thread,] f, i)  name and value of a local variable
debug.getmetatable(v)  the metatable, whatever it says
debug.getupvalue(f, i)  name and value of an upvalue
debug.sethook([thread,] hook, mask [, count])  be called as code runs
debug.traceback([thread,] [message [, level]])  the calls that led here
]==]

---@type table<string, { signature: string, text: string }>
local doc = {}

for line in gmatch(LINES, "[^\n]+") do
  local signature, text = match(line, "^(.-%))  (.*)$")
  doc[match(signature, "^[%w_.]+")] = { signature = signature, text = text }
end

return doc

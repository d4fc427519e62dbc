-- The guest agent's protocol against agents that we make up: good ones, slow
-- ones, and those that answer what nobody can use.

local agent = require "agent"
local base64 = require "base64"
local cjson = require "cjson"
local sys = require "sys"
local tap = require "tap"
local same, contains = tap.same, tap.contains

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, f }
end

-- A port whose other end answers each line of ours by what `answers` gives for
-- its command: a table (the result), a text (sent as it is), or a function of
-- the question. No answer: silence.
local function fake(answers)
  local port = { out = "", asked = {} }

  local function say(text)
    port.out = port.out .. text
  end
  local function answer(question)
    local name = question.execute
    local a = answers[name]
    port.asked[#port.asked + 1] = question
    if type(a) == "function" then
      a = a(question)
    end
    if name == "guest-sync-delimited" and a == nil then
      say("\255" .. cjson.encode { ["return"] = question.arguments.id } .. "\n")
    elseif type(a) == "table" then
      say(cjson.encode { ["return"] = a, id = question.id } .. "\n")
    elseif type(a) == "string" then
      say(a)
    end
  end

  function port.write(_, text)
    for line in text:gsub("\255", ""):gmatch("[^\n]+") do
      answer(cjson.decode(line))
    end
    return true
  end

  -- A byte at a time: an answer need not come in one piece.
  function port.read(_, seconds)
    if port.out == "" then
      sys.sleep(math.min(seconds, 0.05))
      return nil, "timed out", "ETIMEDOUT"
    end
    local size = port.piece or 1
    local text = port.out:sub(1, size)
    port.out = port.out:sub(size + 1)
    return text
  end

  return agent.new(port), port
end

local function refused(code, text, result, message, got)
  same(result, nil)
  same(got, code)
  contains(message, text)
end

test("base64 goes both ways, and what is none is refused", function()
  for _, text in ipairs { "", "f", "fo", "foo", "foob", "\0\255\254" } do
    same(base64.decode(base64.encode(text)), text)
  end
  same(base64.encode("foob"), "Zm9vYg==")
  for _, text in ipairs { "A", "A===", "AB=C", "AAAA=", "A B=", "AA\n=", "=" } do
    same(base64.decode(text), nil, text)
  end
end)

test("old answers before the first question are passed over", function()
  local a, port = fake { ["guest-ping"] = {} }
  port.out = 'half of an answer"}\n\255{"return": 12}\n\255not json\n\255\n'
  assert(a:ping(5))
  same(#port.asked, 2)
  assert(a:ping(5))
  same(#port.asked, 3)
end)

test("what is said to another does not disturb", function()
  local a, port = fake { ["guest-ping"] = {} }
  assert(a:ping(5))
  port.out = '{"error": {"desc": "not for us"}}\n\255{"return": 5}\n'
  assert(a:ping(5))
  same(#port.asked, 4)
end)

test("a silent agent is given up, and asked anew", function()
  local silent = true
  local a, port = fake { ["guest-ping"] = function()
    return not silent and {} or nil
  end }
  refused("ETIMEDOUT", "does not answer", a:ping(0.3))
  silent = false
  assert(a:ping(5))
  same(port.asked[3].execute, "guest-sync-delimited")
  local mute = fake { ["guest-sync-delimited"] = "" }
  refused("ETIMEDOUT", "does not answer", mute:ping(0.3))
end)

test("who is gone is not waited for", function()
  local _, port = fake { ["guest-sync-delimited"] = "" }
  local looks = 0
  local a = agent.new(port, function()
    looks = looks + 1
    return looks < 2, "it is off"
  end)
  local before = sys.uptime()
  refused("ENOTCONN", "it is off", a:ping(60))
  refused("ENOTCONN", "it is off", a:ping(60))
  same(looks, 3)
  assert(sys.uptime() - before < 20)
end)

test("an error of the agent's is told, and the talk goes on", function()
  local a, port = fake {
    ["guest-file-open"] = '{"error": {"class": "GenericError", "desc": "no /x"}}\n',
    ["guest-ping"] = {} }
  refused("EREMOTE", "guest-file-open: no /x", a:read("/x"))
  assert(a:ping())
  same(#port.asked, 3)
  a = fake { ["guest-ping"] = '{"error": 7}\n' }
  refused("EREMOTE", "refuses", a:ping())
end)

test("answers that nobody can use are refused", function()
  local function ping(answer)
    local a = fake { ["guest-ping"] = answer }
    return a:ping(5)
  end
  refused("EPROTO", "JSON", ping("nonsense\n"))
  refused("EPROTO", "JSON", ping("7\n"))
  refused("EPROTO", "JSON", ping("\n"))
  refused("EPROTO", "JSON", ping(("["):rep(2000) .. "\n"))
  refused("EPROTO", "another question", ping('{"return": {}, "id": 1e9}\n'))
  refused("EPROTO", "another question", ping('{"return": {}, "id": {}}\n'))
  refused("EPROTO", "no result", ping("{}\n"))
  refused("EPROTO", "a number, not a table", ping('{"return": 7}\n'))
  refused("EPROTO", "not a table", ping('{"return": null}\n'))
end)

test("an answer without end is given up", function()
  local a, port = fake { ["guest-ping"] = ("x"):rep((1 << 20) + 1) }
  port.piece = 4096
  refused("EMSGSIZE", "more than", a:ping(30))
end)

test("a program runs, with its input and its output", function()
  local left = 2
  local a, port = fake { ["guest-exec"] = { pid = 77 },
    ["guest-exec-status"] = function()
      left = left - 1
      return left >= 0 and { exited = false } or { exited = true, exitcode = 3,
        ["out-data"] = base64.encode("hello\n"), ["err-truncated"] = true }
    end }
  local r = assert(a:exec("cat", { input = "given", env = { "A=b" } }))
  same(r.exit, 3)
  same(r.output, "hello\n")
  same(r.errors, "")
  same(r.truncated, true)
  local asked = port.asked[2].arguments
  same(asked.path, "/bin/sh")
  same(asked.arg[2], "cat")
  same(base64.decode(asked["input-data"]), "given")
  same(asked.env[1], "A=b")
  same(#port.asked, 5)
  a:spawn({ "/bin/true" })
  same(port.asked[6].arguments.arg, nil)
end)

test("a program that does not end, or never began", function()
  local a = fake { ["guest-exec"] = { pid = 77 },
    ["guest-exec-status"] = { exited = false } }
  refused("ETIMEDOUT", "process 77", a:exec("sleep 9", { seconds = 0.3 }))
  a = fake { ["guest-exec"] = { pid = "x" } }
  refused("EPROTO", "process number", a:exec("x"))
  a = fake { ["guest-exec"] = { pid = 1 },
    ["guest-exec-status"] = { exited = true, ["out-data"] = "?" } }
  refused("EPROTO", "base64", a:exec("x"))
end)

test("files go both ways, in parts", function()
  local files, closed = { ["/in"] = ("0123456789abcdef"):rep(5000) }, 0
  local at, path = 1, nil
  local a, port = fake {
    ["guest-file-open"] = function(q)
      path, at = q.arguments.path, 1
      if q.arguments.mode == "w" then files[path] = "" end
      return ('{"return": 1000, "id": %d}\n'):format(q.id)
    end,
    ["guest-file-read"] = function(q)
      local data = files[path]:sub(at, at + q.arguments.count - 1)
      at = at + #data
      return { count = #data, eof = at > #files[path],
        ["buf-b64"] = base64.encode(data) }
    end,
    ["guest-file-write"] = function(q)
      local data = base64.decode(q.arguments["buf-b64"])
      data = data:sub(1, 5000) -- it need not take all
      files[path] = files[path] .. data
      return { count = #data, eof = false }
    end,
    ["guest-file-close"] = function() closed = closed + 1 return {} end }
  port.piece = 1000
  same(assert(a:read("/in")), files["/in"])
  assert(a:write("/out", files["/in"]))
  same(files["/out"], files["/in"])
  same(closed, 2)
  refused("EFBIG", "more than 100 bytes", a:read("/in", 100))
  same(closed, 3)
  assert(a:write("/empty", ""))
  same(assert(a:read("/empty")), "")
end)

test("a file's data that is not what was asked for", function()
  local function read(answer)
    local a, port = fake { ["guest-file-open"] = '{"return": 5}\n',
      ["guest-file-close"] = {}, ["guest-file-read"] = answer }
    port.piece = 10000
    return a:read("/x")
  end
  refused("EPROTO", "as asked for", read { ["buf-b64"] = "!" })
  refused("EPROTO", "as asked for", read { ["buf-b64"] = cjson.null })
  refused("EPROTO", "as asked for", read {
    ["buf-b64"] = base64.encode(("x"):rep(20000)) })
  local a = fake { ["guest-file-open"] = '{"return": 5}\n',
    ["guest-file-close"] = {}, ["guest-file-write"] = { count = 0 } }
  refused("EIO", "nothing was written", a:write("/x", "data"))
end)

test("no answer to a shutdown is a good one", function()
  local a, port = fake { ["guest-ping"] = {} }
  assert(a:shutdown())
  same(port.asked[3].arguments.mode, "powerdown")
  a = fake { ["guest-ping"] = {},
    ["guest-shutdown"] = '{"error": {"desc": "no init"}}\n' }
  refused("EREMOTE", "no init", a:shutdown("reboot"))
end)

test("interfaces, with whatever is wrong left out", function()
  local a = fake { ["guest-network-get-interfaces"] = { 7, { name = 8 },
    { name = "lo" }, { name = "eth0", ["hardware-address"] = "52:54:00:00:00:01",
      ["ip-addresses"] = { { ["ip-address"] = "192.0.2.7", prefix = 24 }, 9 } } } }
  local list = assert(a:interfaces())
  same(#list, 2)
  same(list[1].name, "lo")
  same(list[2].mac, "52:54:00:00:00:01")
  same(table.concat(list[2].addresses, " "), "192.0.2.7/24")
end)

os.exit(tap.run(tests))

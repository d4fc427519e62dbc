-- The line editor as a person sees it.

local tap = require "tap"
local editors = require "editor"
local test, is, has, lacks = tap.test, tap.is, tap.has, tap.lacks

local LEFT, RIGHT, UP, DOWN = "\27[D", "\27[C", "\27[A", "\27[B"

-- An editor that reads entries for ever; `entries` are those it got.
local function start(options)
  options = options or {}
  local con = tap.console(options)
  con.entries = {}
  local editor = editors.new {
    console = con, prompt = "ray> ", continuation = "...> ",
    is_complete = options.is_complete, complete = options.complete,
  }
  con.editor = editor
  return con:start(function()
    while true do
      local text, why = editor:read()
      if not text and why ~= "interrupt" then
        return why
      end
      con.entries[#con.entries + 1] = text or why
      if text then
        editor.history:add(text)
      end
    end
  end)
end

local function line(con)
  return con.editor.buffer.text
end

test("typed text stands behind the prompt, the cursor behind it", function()
  local con = start():slowly("1 + 2")
  is(con:text(), "ray> 1 + 2")
  is(con:cursor(), "1,11")
end)

test("Enter ends the entry and the next prompt is on a fresh line", function()
  local con = start():slowly("abc"):type("\r")
  is(con.entries[1], "abc")
  is(con:text(), "ray> abc\nray>")
  is(con:cursor(), "2,6")
end)

test("a character at the end costs one byte", function()
  local con = start():slowly("pri")
  is(con:bytes_of(function() con:type("n") end), "n")
  is(con:bytes_of(function() con:type(" ") end), " ")
  con:type('"')
  is(con:bytes_of(function() con:type("x") end), "x")
end)

test("a character in the middle moves what is behind it", function()
  local con = start():slowly("helo"):type(LEFT, "l")
  is(con:text(), "ray> hello")
  is(con:cursor(), "1,10")
end)

test("Ctrl-A, Ctrl-E, Ctrl-B and Ctrl-F move", function()
  local con = start():slowly("abcd"):type("\1")
  is(con:cursor(), "1,6")
  con:type("\6")
  is(con:cursor(), "1,7")
  con:type("\5")
  is(con:cursor(), "1,10")
  con:type("\2")
  is(con:cursor(), "1,9")
end)

test("Home, End and Delete work in each of their encodings", function()
  local con = start():slowly("abc")
  for _, pair in ipairs { { "\27[H", "\27[F" }, { "\27OH", "\27OF" },
      { "\27[1~", "\27[4~" }, { "\27[7~", "\27[8~" } } do
    con:type(pair[1])
    is(con:cursor(), "1,6")
    con:type(pair[2])
    is(con:cursor(), "1,9")
  end
  con:type("\1", "\27[3~")
  is(con:text(), "ray> bc")
end)

test("word motions and word kills", function()
  local con = start():slowly("one two.three"):type("\27b")
  is(con:cursor(), "1,14")
  con:type("\27[1;5D")
  is(con:cursor(), "1,10")
  con:type("\27d")
  is(con:text(), "ray> one .three")
  con:type("\5", "\27\127")
  is(con:text(), "ray> one .")
  con:type("\23")
  is(con:text(), "ray> one")
  con:type("\1", "\27f")
  is(con:cursor(), "1,9")
end)

test("killed text comes back with Ctrl-Y, and older kills with Alt-Y", function()
  local con = start():slowly("first second"):type("\23", "\21")
  is(line(con), "")
  con:type("\25")
  is(line(con), "first second", "kills in a row are one")
  con:type("\1", "\11", "x", "\25")
  is(line(con), "xfirst second")
  con:type("\1", "\27[C", "\21", "\25")
  is(line(con), "xfirst second")
  con:type("\27y")
  is(line(con), "first secondfirst second")
end)

test("Ctrl-T swaps, Ctrl-_ undoes", function()
  local con = start():slowly("ab"):type("\20")
  is(line(con), "ba")
  con:type("\31")
  is(line(con), "ab")
  con:type("\31")
  is(line(con), "")
end)

test("Ctrl-C abandons the line, Ctrl-D on an empty line ends", function()
  local con = start():slowly("abc"):type("\3")
  is(con.entries[1], "interrupt")
  is(con:text(), "ray> abc^C\nray>")
  con:slowly("x"):type("\2", "\4")
  is(con:text(), "ray> abc^C\nray>")
  con:type("\4")
  is(con.result, "eof")
end)

test("Ctrl-L clears the screen and keeps the line", function()
  local con = start():type("a\r", "b\r"):slowly("abc"):type("\12")
  is(con:text(), "ray> abc")
  is(con:cursor(), "1,9")
end)

test("a line longer than the terminal wraps and stays editable", function()
  local con = start { columns = 20 }:slowly(("0123456789"):rep(3))
  is(con:text(), "ray> 012345678901234\n567890123456789")
  is(con:cursor(), "2,16")
  con:type("\1", "x")
  is(con:text(), "ray> x01234567890123\n4567890123456789")
  is(con:cursor(), "1,7")
  con:type("\5", "\r")
  is(con:cursor(), "3,6")
end)

test("a line that fills the row exactly puts the cursor on the next", function()
  local con = start { columns = 20 }:slowly(("x"):rep(15))
  is(con:cursor(), "2,1")
  con:type("\127")
  is(con:cursor(), "1,20")
  con:type("xy")
  is(con:text(), "ray> xxxxxxxxxxxxxxx\ny")
  con:type("\127", "\r")
  is(con:text(), "ray> xxxxxxxxxxxxxxx\nray>")
end)

test("wrapping at the bottom of the screen scrolls", function()
  local con = start { columns = 20, rows = 4 }
  con:type("a\r", "b\r", "c\r"):slowly(("z"):rep(36))
  is(con:text(), "ray> c\nray> zzzzzzzzzzzzzzz\nzzzzzzzzzzzzzzzzzzzz\nz")
  con:type("\1", "y")
  is(con:text(), "ray> c\nray> yzzzzzzzzzzzzzz\nzzzzzzzzzzzzzzzzzzzz\nzz")
end)

test("an entry taller than the screen shows the part at the cursor", function()
  local con = start { columns = 20, rows = 4 }
  con:type("\27[200~1\n2\n3\n4\n5\n6\27[201~")
  is(con:text(), "...> 3\n...> 4\n...> 5\n...> 6")
  con:type(UP, UP, UP, UP)
  is(con:text(), "...> 2\n...> 3\n...> 4\n...> 5")
  is(con:cursor(), "1,7")
  con:type("x")
  is(line(con), "1\n2x\n3\n4\n5\n6")
end)

test("wide and combining characters are measured", function()
  local con = start():slowly("日本e\u{301}x")
  is(con:text(), "ray> 日本e\u{301}x")
  is(con:cursor(), "1,12")
  con:type(LEFT)
  is(con:cursor(), "1,11")
  con:type("\127")
  is(line(con), "日本x")
  con:type("\127")
  is(con:text(), "ray> 日x")
  is(con:cursor(), "1,8")
  con:type("\1", "\4")
  is(con:text(), "ray> x")
end)

test("a wide character that does not fit goes to the next row", function()
  local con = start { columns = 20 }:slowly(("a"):rep(14) .. "日b")
  is(con:text(), "ray> aaaaaaaaaaaaaa\n日b")
  con:type(LEFT, LEFT)
  is(con:cursor(), "2,1")
  con:type("\127")
  is(con:text(), "ray> aaaaaaaaaaaaa日\nb")
end)

test("bytes that are not UTF-8 never reach the terminal", function()
  local con = start():type("a\xffb", "\xc3", "\xc2\x9b31m")
  is(line(con), "a\u{fffd}b\u{fffd}\u{fffd}31m")
end)

test("a character that comes in two pieces is one", function()
  local con = start()
  con.input = { "\xe6\x97", "\xa5" }
  con:resume()
  is(line(con), "日")
end)

test("up and down walk through the history and back to the draft", function()
  local con = start():type("one\r", "two\r"):slowly("dr")
  con.editor.buffer:reset()
  con:type(UP)
  is(line(con), "two")
  con:type(UP, UP)
  is(line(con), "one")
  con:type(DOWN, DOWN)
  is(line(con), "")
end)

test("up searches by what is typed", function()
  local con = start():type("print(1)\r", "x = 2\r", "print(3)\r"):slowly("pr")
  con:type(UP, UP)
  is(line(con), "print(1)")
  con:type(UP)
  is(line(con), "print(1)")
  con:type(DOWN, DOWN)
  is(line(con), "pr")
end)

test("Ctrl-R finds while one types, and Enter runs it", function()
  local con = start():type("alpha = 1\r", "beta = 2\r", "alphabet()\r", "\18")
  con:slowly("alp")
  is(con:text(), "ray> alpha = 1\nray> beta = 2\nray> alphabet()\n"
    .. "ray> alphabet()\nsearch: alp")
  is(con:cursor(), "5,12")
  con:type("\18")
  has(con:text(), "ray> alpha = 1\nsearch: alp")
  con:type("\r")
  is(con.entries[4], "alpha = 1")
  lacks(con:text(), "search")
end)

test("Ctrl-R says when nothing is found; Ctrl-G gives the line back", function()
  local con = start():type("alpha\r"):slowly("mine"):type("\18"):slowly("zz")
  has(con:text(), "search (nothing found): zz")
  con:type("\7")
  is(con:text(), "ray> alpha\nray> mine")
  con:type("\18"):slowly("LPH"):type("\127", "\127", "\127"):slowly("lph")
  has(con:text(), "ray> alpha\nsearch: lph")
  con:type(RIGHT)
  is(line(con), "alpha")
  con:type("\31")
  is(line(con), "mine")
end)

-- Complete when it ends with a semicolon.
local function ends(text)
  return text:find(";$") ~= nil
end

test("an incomplete entry goes on in the next line, indented", function()
  local con = start { is_complete = ends }
  con:slowly("if x then"):type("\r"):slowly("y()"):type("\r")
    :slowly("end"):type("\r"):slowly("z"):type(";")
  is(con:text(), "ray> if x then\n...>   y()\n...> end\n...> z;")
  con:type("\r")
  is(con.entries[1], "if x then\n  y()\nend\nz;")
end)

test("up and down move inside an entry of several lines", function()
  local con = start { is_complete = ends }
  con:slowly("abcdef"):type("\r", "x", "\r"):slowly("ghijkl")
  is(con:cursor(), "3,12")
  con:type(UP)
  is(con:cursor(), "2,7")
  con:type(UP)
  is(con:cursor(), "1,12")
  con:type("!", DOWN, DOWN)
  is(con:cursor(), "3,12")
  is(line(con), "abcdef!\nx\nghijkl")
end)

test("the history gives a block back as one entry", function()
  local con = start { is_complete = ends }:type("old;\r", "\27[200~a\nb;\27[201~")
  con:type("\r", UP)
  is(line(con), "a\nb;")
  is(con:text(), "ray> old;\nray> a\n...> b;\nray> a\n...> b;")
  is(con:cursor(), "4,7")
  con:type(UP)
  is(con:text(), "ray> old;\nray> a\n...> b;\nray> old;")
  con:type(DOWN)
  is(line(con), "a\nb;")
  is(con:cursor(), "5,8")
  con:type(UP)
  is(con:cursor(), "4,7")
  con:type("\r")
  is(con.entries[3], "a\nb;")
end)

test("Ctrl-K at the end of a line joins the next", function()
  local con = start():type("\27[200~ab\ncd\27[201~", UP, "\5", "\11")
  is(con:text(), "ray> abcd")
end)

test("Alt-Enter breaks the line where one wants", function()
  local con = start():slowly("ab"):type(LEFT, "\27\r")
  is(con:text(), "ray> a\n...> b")
end)

test("a bracketed paste is text, whatever it holds", function()
  local con = start()
  con.input = { "\27[200~a\r\nb\tc\27[31m\3\27[2", "01~" }
  con:resume()
  is(line(con), "a\nb\tc[31m")
  is(#con.entries, 0)
  is(con:text(), "ray> a\n...> b  c[31m")
end)

test("a burst of lines runs line by line", function()
  local con = start():type("a\rb\r\nc\n")
  is(table.concat(con.entries, " "), "a b c")
  is(con:text(), "ray> a\nray> b\nray> c\nray>")
end)

test("late answers of the terminal are swallowed and used", function()
  local con = start { unknown = true }:slowly("ab"):type("\27[30;100R")
  is(line(con), "ab")
  is(con.editor.columns, 100)
  con:type("\27[8;50;132t", "\27[?64;1;2c", "\27]11;rgb:00/00/00\27\\",
    "\27P1$r0m\27\\", "\27[I", "c")
  is(line(con), "abc")
  is(con.editor.columns, 132)
  con:type("\27[2;3R", "\27[9999;9999R")
  is(con.editor.columns, 132, "a size that cannot be")
end)

test("unknown and broken sequences leave nothing", function()
  local con = start():type("\27[99~", "\27[1;2;3;4x", "\27[[A", "\27O", "\27[",
    "\27", "\0", "\27[24~", "\27[5~", "a")
  is(line(con), "a")
end)

local function completer(words)
  return function(text, at)
    local start_at, typed = text:sub(1, at - 1):match("()(%w*)$")
    local items = {}
    for _, word in ipairs(words) do
      if word:sub(1, #typed) == typed then
        items[#items + 1] = { text = word, label = word, style = "plain" }
      end
    end
    return { start = start_at, items = items }
  end
end

test("Tab completes the common part first, then lists", function()
  local con = start { complete = completer { "string", "strip", "table" } }
  con:slowly("s"):type("\t")
  is(con:text(), "ray> stri")
  con:type("\t")
  is(con:text(), "ray> stri\nstring  strip")
  is(con:cursor(), "1,10")
  con:type("n")
  is(con:text(), "ray> strin", "the list goes with the next key")
  con:type("\t")
  is(con:text(), "ray> string")
end)

test("more Tabs go through the list; Escape gives the word back", function()
  local con = start { complete = completer { "aa", "ab", "ac" } }
  con:slowly("a"):type("\t", "\t")
  is(con:text(), "ray> aa\naa  ab  ac")
  con:type("\t")
  is(line(con), "ab")
  con:type("\27[Z", "\27[Z")
  is(line(con), "ac")
  con:type("\27")
  is(con:text(), "ray> a")
end)

test("a long list shows a page and says how many more", function()
  local words = {}
  for i = 1, 500 do
    words[i] = ("w%03d"):format(i)
  end
  local con = start { columns = 40, rows = 10, complete = completer(words) }
  con:slowly("w"):type("\t")
  local text = con:text()
  has(text, "ray> w\nw001  w008")
  has(text, "... 451 more")
  is(con:cursor(), "1,7")
  con:type("\27[Z")
  has(con:text(), "w500")
  con:type("\r", "\r")
  is(con.entries[1], "w500")
end)

test("Tab at the beginning of a continuation line indents", function()
  local con = start { is_complete = ends, complete = completer { "x" } }
  con:slowly("a"):type("\r", "\t", "b")
  is(line(con), "a\n  b")
end)

test("keywords, strings and numbers are coloured", function()
  local con = start():slowly('return "s" .. 1')
  local screen = con.terminal.screen[1]
  is(screen[6].sgr, "35")
  is(screen[13].sgr, "32")
  is(screen[20].sgr, "33")
end)

test("the bracket that belongs to the cursor's is marked", function()
  local con = start():slowly("f(a)")
  has(con.terminal.screen[1][7].sgr, "1;4")
  con:type("x")
  is(con.terminal.screen[1][7].sgr, "")
end)

-- Type at random and compare with a painting from scratch.
test("after any keys the screen is what a fresh painting shows", function()
  local pool = { "a", "(", ")", '"', "日", "e\u{301}", " ", "\r", "\127", LEFT,
    RIGHT, UP, DOWN, "\1", "\5", "\11", "\21", "\25", "\31", "\23", "\20",
    "local x = 1", "\27\r", "\18", "\7", "\t", "\27[Z", "-- ", "\27b", "\27f",
    "0123456789abcdef", "\27[3~" }
  math.randomseed(7)
  for round = 1, 40 do
    local options = {
      columns = 20 + round % 7, rows = 6,
      is_complete = function(t) return #t > 60 or #t % 3 == 0 end,
      complete = completer { "abc", "abd", "x", "xyz" },
    }
    local con = start(options)
    local typed = {}
    for _ = 1, 150 do
      local key = pool[math.random(#pool)]
      typed[#typed + 1] = key
      con:type(key)
      local before, cursor = con:text(), con.terminal.column
      -- Paint the same frame on an empty screen, from scratch.
      local fresh = require "vt".new(options.columns, options.rows)
      local editor = con.editor
      local painter, top = editor.painter, editor.top
      editor.painter = require "painter".new(function(s) fresh:write(s) end,
        options.columns)
      editor:refresh()
      editor.painter, editor.top = painter, top
      local wanted = fresh:text()
      if before:sub(-#wanted) ~= wanted or cursor ~= fresh.column then
        error(("round %d after %q:\n%s\n--- wanted ---\n%s\ncursor %d, %d"):format(
          round, table.concat(typed):sub(-80), before, wanted, cursor,
          fresh.column))
      end
    end
  end
end)

tap.done()

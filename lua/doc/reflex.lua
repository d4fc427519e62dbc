-- What module reflex offers: help(), docs and the annotation files read this.
return {
  module = "reflex",
  summary = "Rules that the kernel runs in the moment an event happens.",
  text =
    "A rule is a table: over which events, under which condition, what to do. It is "
    .. "compiled, proven to be harmless and bounded, and then runs in C, in the context "
    .. "of the event. Changing rules needs the capability \"reflex\".",
  intro = [==[
## Three wrong pass-words in ten seconds stop the domain that asked

A script that checks pass-words raises an event for each; who raises is the
event's `source`. The rule counts, and acts without any script:

```lua
local event, reflex, domain = require "event", require "reflex", require "domain"

event.define("login", "somebody gave a pass-word", { right = 1, wrong = 2 })
local ok = reflex.rule {
  name = "guessing",
  on = "login",
  when = "code == wrong",
  count = 3, within = "10s",
  act = "stop_domain(source); notify('somebody guesses pass-words')",
}
ok --> true

local guesser = domain.spawn { name = "guesser", caps = { "event" }, source = [[
  local event, sys = require "event", require "sys"
  for i = 1, 3 do event.raise("login", { code = "wrong" }) end
  sys.sleep(5)]] }
guesser:wait(4).message --> stopped by rule 'guessing'
reflex.rules()[1].name ~= nil --> true
reflex.remove "guessing" --> true
```

`print(reflex.rules())` shows what each rule did, and how long it took from
event to action.

## The fields of a rule

| field | what |
|---|---|
| `name` | 1 to 31 characters; a rule of the same name is replaced |
| `on` | the type of events, or a list; `reflex.events()` lists types, fields and constants |
| `when` | a condition over the event's fields; all events, if there is none |
| `unless` | a condition, or a list, under which the rule does not act |
| `count`, `within` | act at the count-th event within that time; then count anew |
| `sequence` | in place of `on` and `when`: a list of `{ on=, when=, within= }`, see below |
| `cooldown` | do not act again for that long |
| `act` | what to do: a text, or a list of them |
| `priority` | 0 to 255, higher runs first; 100 |
| `budget` | a run takes no longer; after three overruns in a row the rule is switched off |
| `ttl` | the rule ends after that time |
| `doc` | a text for people |

Times are numbers of seconds, or texts such as `"200ms"`, `"10s"`, `"5 min"`.
Counts above 64 are exact to two per cent.

## Conditions

Whole numbers of 64 bits; fields and constants by their names; `counter.NAME` is
a counter that all rules share (`reflex.counters()`), `my.NAME` one of the
rule's own. Lua's operators and precedence: `or`, `and`, `not`, `== ~= < <= >
>=`, `|`, `~`, `&`, `<< >>`, `+ -`, `* // %`, unary `- ~`; besides, `x in 1..5`
and `x in {1, 2, 3}`. A division by 0 gives 0. Texts are compared with `==`,
`~=` and `in`. Numbers may have a unit of time, in nanoseconds: `value > 10ms`.

```lua
local reflex = require "reflex"

local ok, why = reflex.rule { name = "typo", on = "domain_end", when = "cod == error",
  act = "log('x')" }
ok --> nil
why:match("column 1: unknown name 'cod'") --> column 1: unknown name 'cod'
```

A rule that asks for certain values of `code` is found by them: a thousand rules
over other codes cost nothing.

## Sequences

Steps follow each other, each within its time after the one before; `unless`
spoils what has begun. F12 pressed, then released within 200 ms, no other key
between:

```lua
local reflex = require "reflex"

local ok = reflex.rule {
  name = "tap",
  sequence = {
    { on = "input_key", when = "code == f12 and value == pressed" },
    { on = "input_key", when = "code == f12 and value == released", within = "200ms" },
  },
  unless = { on = "input_key", when = "code ~= f12" },
  act = "log('tapped')",
}
ok --> true
reflex.remove "tap" --> true
```

## Actions

`act` is a text of actions separated by `;`. `print(reflex.actions())` lists
them with their arguments; arguments are expressions, or texts in quotes of up
to 32 bytes. Besides there are `consume` (nobody else acts on the event: a
consumed key goes nowhere), `counter.NAME += x`, `counter.NAME = x`, and the
same with `my.NAME`; counters stay between 0 and 2^63-1.

A rule does only what its maker may do: `poweroff` needs the capability "power",
`stop_domain` "domain", `mask_irq` "dev", keys and the screen "input".

Actions that are safe in an interrupt run at once, others on the reflex thread,
which has the highest priority. One that fails raises an event of type `reflex`
with the code `failure`; `escalate` raises one with the code `escalate`, for
whoever decides. Events that rules raise may meet rules, four deep;
`set_timer(number, time, value)` raises an event of type `timer` later.

## What is proven

`reflex.explain(rule)` shows the program and the steps that it takes at most:

```lua
local reflex = require "reflex"

local text = reflex.explain { name = "e", on = "domain_end", when = "code == error",
  act = "counter.errors += 1" }
text:match("at most %d+ steps") --> at most 12 steps
```

The kernel believes none of this: its verifier looks at every instruction before
a rule may run. It jumps forward only; it reads registers that were set, fields
that events of its type have, its own memory, and nothing else; it takes at most
1,024 steps, and all rules that one event can meet 65,536.

## Sets and files

`reflex.replace(list)` puts a list in place of all rules, `reflex.import(list or
path)` adds one; both do all or nothing, and what is in force is exchanged
between two events. A rule that is in the old set and in the new one keeps its
counts. `reflex.export(path)` writes the rules as they were written. The rules
that are there from the start are in `policies/reflexes.lua`.
]==],
  functions = {
    {
      name = "rule",
      args = { { "rule", "table", "see its fields" } },
      returns = { { "boolean?", "true" }, { "string?",
        "why not, with the column" },
        { "string?", "code" } },
      text = "Install a rule, or put it in the place of the one of its name.",
      example =
        "reflex.rule { name = \"example\", on = \"domain_end\", ttl = \"1s\", "
        .. "act = \"counter.ends += 1\" }",
    },
    {
      name = "remove",
      args = { { "name", "string" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" }, { "string?",
        "code" } },
      text = "Take a rule away.",
      example = "reflex.remove(\"example\")",
    },
    {
      name = "replace",
      args = { { "rules", "table", "a list of rules" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" }, { "string?",
        "code" } },
      text = "Have these rules and no others: all of them, or nothing changes.",
      example = "reflex.replace(reflex.export())",
    },
    {
      name = "import",
      args = { { "from", "table|string",
        "a list, or a file that returns one" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" }, { "string?",
        "code" } },
      text =
        "Add rules to those that are there: all of them, or nothing changes.",
      example = "reflex.import {}",
    },
    {
      name = "export",
      args = { { "path", "string?", "file to write" } },
      returns = { { "table|boolean?", "the list, or true" }, { "string?",
        "why not" },
        { "string?", "code" } },
      text = "All rules as they were written: as a list, or into a file.",
      example = "reflex.export(\"/tmp/rules.lua\")",
    },
    {
      name = "enable",
      args = { { "name", "string" }, { "on", "boolean" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" }, { "string?",
        "code" } },
      text = "Let a rule rest, or run again.",
      example = "reflex.enable(\"example\", true)",
    },
    {
      name = "rules",
      args = {},
      returns = { { "table",
        "name, priority, bound, runs, hits, suppressed, failures, "
        .. "overruns, min, mean, max (ns), ticks_*, histogram of each" } },
      text = "All rules in the order in which they run, with what they did. "
        .. "histogram[i] counts actions that took less than 2^(i-1) ns.",
      example = "print(reflex.rules())",
    },
    {
      name = "explain",
      args = { { "rule", "table|string",
        "a rule, or the name of an installed one" } },
      returns = { { "string?", "the program" }, { "string?", "why not" },
        { "string?", "code" } },
      text = "The program of a rule, and the steps that it takes at most.",
      example =
        "print(reflex.explain { name = \"e\", on = \"domain_end\", act = \"log('x')\" })",
    },
    {
      name = "events",
      args = { { "name", "string?", "one type" } },
      returns = { { "table?", "as event.types" } },
      text = "What rules can be over: types; of one its fields and constants.",
      example = "print(reflex.events(\"domain_end\"))",
    },
    {
      name = "actions",
      args = {},
      returns = { { "table", "name, args, doc, any_context of each" } },
      text =
        "What rules can do. Arguments: n a number, t a text, i an id or a name; "
        .. "those after ? may be left out.",
      example = "print(reflex.actions())",
    },
    {
      name = "counters",
      args = {},
      returns = { { "table", "value by name" } },
      text = "The counters that rules share.",
      example = "reflex.counters()",
    },
    {
      name = "set_counter",
      args = { { "name", "string" }, { "value", "integer", "not negative" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" }, { "string?",
        "code" } },
      text =
        "Set a shared counter; it is made when it is not there (64 at most).",
      example = "reflex.set_counter(\"errors\", 0)",
    },
    {
      name = "totals",
      args = {},
      returns = { { "table", "too_deep, lost" } },
      text =
        "Events that rules did not see because other rules raised them too deep, "
        .. "and actions for which the reflex thread had no room.",
      example = "reflex.totals()",
    },
  },
}

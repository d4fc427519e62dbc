-- What module log offers: help(), docs and the annotation files read this.
local function writer(level, when)
  return { name = level, args = { { "text", "any", "one line" } }, returns = {},
    text = when .. " The domain's name goes with it." }
end

return {
  module = "log",
  summary = "The system's log: a ring of records, newest last.",
  text = "A record has seq, time (seconds since the start), cpu, level, module and "
    .. "text, and prints as a line.",
  functions = {
    { name = "tail", args = { { "n", "integer?", "how many, else 20" } },
      returns = { { "table", "records, oldest first" } },
      text = "The last records. Needs \"log\".",
      example = "log.tail(3)" },
    { name = "read", args = { { "seq", "integer", "number of a record" } },
      returns = { { "table?", "nil when there is none so new yet" } },
      text = "That record, or the oldest after it that is still there. Needs \"log\".",
      example = "log.read(1).text" },
    { name = "write", args = { { "level", "string", "debug, info, warn or error" },
        { "text", "any" } }, returns = {},
      text = "Add a record.",
      example = "log.write(\"info\", \"hello\")" },
    writer("debug", "Add a record that only developers want."),
    writer("info", "Add a record of something that is as it should be."),
    writer("warn", "Add a record of something that somebody should look at."),
    writer("error", "Add a record of something that did not work."),
  },
}

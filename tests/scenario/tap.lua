-- Test reports in TAP. A scenario is a list of named tests; each is a function
-- that raises an error when something is not as it should be.

local tap = {}

---Run the tests in order and print what came of them; true when all passed.
---@param tests { [1]: string, [2]: function }[]
---@return boolean
function tap.run(tests)
  local failed = 0
  for i, test in ipairs(tests) do
    local ok, message = xpcall(test[2], debug.traceback)
    if not ok then
      failed = failed + 1
    end
    print(("%sok %d %s"):format(ok and "" or "not ", i, test[1]))
    if not ok then
      print((tostring(message):gsub("[^\n]+", "# %0")))
    end
  end
  print(("1..%d"):format(#tests))
  return failed == 0
end

---Fail unless the two values are the same.
---@param got any
---@param expected any
---@param what? string
function tap.same(got, expected, what)
  if got ~= expected then
    error(("%s is %s, expected %s"):format(what or "the value", tostring(got),
      tostring(expected)), 2)
  end
end

---Fail unless the text contains the part.
---@param text any
---@param part string
function tap.contains(text, part)
  if not tostring(text):find(part, 1, true) then
    error(("%q does not contain %q"):format(tostring(text), part), 2)
  end
end

return tap

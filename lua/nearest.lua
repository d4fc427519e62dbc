-- Which word is meant by one that is not quite right. Pure.

local nearest = {}

---How many letters are wrong, missing, too many or have changed places.
---@param a string
---@param b string
---@return integer
function nearest.distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local last = row
    row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1)
          and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before = last
  end
  return row[#b]
end

---The one word of a list that is meant: itself, or the only one with so few
---wrong letters that it can be told.
---@param word string
---@param list string[]
---@return string?
function nearest.find(word, list)
  local best, least, twice = nil, #word // 3 + 1, false
  for _, candidate in ipairs(list) do
    local distance = nearest.distance(word:lower(), candidate:lower())
    if distance < least then
      best, least, twice = candidate, distance, false
    elseif distance == least and best then
      twice = true
    end
  end
  return not twice and best or nil
end

return nearest

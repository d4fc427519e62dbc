-- Base64 (RFC 4648, 4).

local base64 = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local CHAR, VALUE = {}, {}
for i = 1, #ALPHABET do
  CHAR[i - 1] = ALPHABET:sub(i, i)
  VALUE[ALPHABET:byte(i)] = i - 1
end

---@param data string
---@return string # one line
function base64.encode(data)
  local text = {}
  for i = 1, #data - 2, 3 do
    local a, b, c = data:byte(i, i + 2)
    text[#text + 1] = CHAR[a >> 2] .. CHAR[(a & 3) << 4 | b >> 4]
      .. CHAR[(b & 15) << 2 | c >> 6] .. CHAR[c & 63]
  end
  local a, b = data:byte(#data - #data % 3 + 1, #data)
  if b then
    text[#text + 1] = CHAR[a >> 2] .. CHAR[(a & 3) << 4 | b >> 4]
      .. CHAR[(b & 15) << 2] .. "="
  elseif a then
    text[#text + 1] = CHAR[a >> 2] .. CHAR[(a & 3) << 4] .. "=="
  end
  return table.concat(text)
end

---@param text string
---@return string? data, string? message # nil: it is not base64
function base64.decode(text)
  local body, pad = text:match("^([%w+/]*)(=?=?)$")
  if not body or #text % 4 ~= 0 then
    return nil, "this is not base64"
  end
  local data, whole = {}, #body - #body % 4
  for i = 1, whole, 4 do
    local a, b, c, d = body:byte(i, i + 3)
    local bits = VALUE[a] << 18 | VALUE[b] << 12 | VALUE[c] << 6 | VALUE[d]
    data[#data + 1] = string.char(bits >> 16, bits >> 8 & 255, bits & 255)
  end
  local a, b, c = body:byte(whole + 1, #body)
  if b then
    local bits = VALUE[a] << 10 | VALUE[b] << 4 | (c and VALUE[c] >> 2 or 0)
    data[#data + 1] = string.char(bits >> 8)
      .. (c and string.char(bits & 255) or "")
  elseif a or #pad > 0 then
    return nil, "this is not base64"
  end
  return table.concat(data)
end

return base64

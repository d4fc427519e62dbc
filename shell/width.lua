-- How many columns a character takes on a terminal, and where one ends when
-- combining marks follow. Text is UTF-8; a byte that is not UTF-8 counts as a
-- character of its own. The tables are parsed when the first character beyond
-- the Latin ones is met, which for most sessions is never.

local byte, find, sub = string.byte, string.find, string.sub
local gmatch, match = string.gmatch, string.match
local codepoint = utf8.codepoint
local tonumber, pcall = tonumber, pcall

-- Code points in hexadecimal, from the Unicode Character Database 14.0.
-- ZERO: general categories Mn and Me, most of Cf, conjoining Hangul vowels
-- and finals. WIDE: East Asian Width W and F. Ranges run over unassigned gaps.
local ZERO = [[
300-36F 483-489 591-5BD 5BF 5C1-5C2 5C4-5C5 5C7 610-61A 61C 64B-65F 670
6D6-6DC 6DF-6E4 6E7-6E8 6EA-6ED 711 730-74A 7A6-7B0 7EB-7F3 7FD 816-819
81B-823 825-827 829-82D 859-85B 898-89F 8CA-8E1 8E3-902 93A 93C 941-948 94D
951-957 962-963 981 9BC 9C1-9C4 9CD 9E2-9E3 9FE-A02 A3C A41-A51 A70-A71 A75
A81-A82 ABC AC1-AC8 ACD AE2-AE3 AFA-B01 B3C B3F B41-B44 B4D-B56 B62-B63 B82
BC0 BCD C00 C04 C3C C3E-C40 C46-C56 C62-C63 C81 CBC CBF CC6 CCC-CCD CE2-CE3
D00-D01 D3B-D3C D41-D44 D4D D62-D63 D81 DCA DD2-DD6 E31 E34-E3A E47-E4E EB1
EB4-EBC EC8-ECD F18-F19 F35 F37 F39 F71-F7E F80-F84 F86-F87 F8D-FBC FC6
102D-1030 1032-1037 1039-103A 103D-103E 1058-1059 105E-1060 1071-1074 1082
1085-1086 108D 109D 1160-11FF 135D-135F 1712-1714 1732-1733 1752-1753
1772-1773 17B4-17B5 17B7-17BD 17C6 17C9-17D3 17DD 180B-180F 1885-1886 18A9
1920-1922 1927-1928 1932 1939-193B 1A17-1A18 1A1B 1A56 1A58-1A60 1A62
1A65-1A6C 1A73-1A7F 1AB0-1B03 1B34 1B36-1B3A 1B3C 1B42 1B6B-1B73 1B80-1B81
1BA2-1BA5 1BA8-1BA9 1BAB-1BAD 1BE6 1BE8-1BE9 1BED 1BEF-1BF1 1C2C-1C33
1C36-1C37 1CD0-1CD2 1CD4-1CE0 1CE2-1CE8 1CED 1CF4 1CF8-1CF9 1DC0-1DFF
200B-200F 202A-202E 2060-206F 20D0-20F0 2CEF-2CF1 2D7F 2DE0-2DFF 302A-302D
3099-309A A66F-A672 A674-A67D A69E-A69F A6F0-A6F1 A802 A806 A80B A825-A826
A82C A8C4-A8C5 A8E0-A8F1 A8FF A926-A92D A947-A951 A980-A982 A9B3 A9B6-A9B9
A9BC-A9BD A9E5 AA29-AA2E AA31-AA32 AA35-AA36 AA43 AA4C AA7C AAB0 AAB2-AAB4
AAB7-AAB8 AABE-AABF AAC1 AAEC-AAED AAF6 ABE5 ABE8 ABED D7B0-D7FB FB1E
FE00-FE0F FE20-FE2F FEFF FFF9-FFFB E0001-E01EF
]]
local WIDE = [[
1100-115F 231A-231B 2329-232A 23E9-23EC 23F0 23F3 25FD-25FE 2614-2615
2648-2653 267F 2693 26A1 26AA-26AB 26BD-26BE 26C4-26C5 26CE 26D4 26EA
26F2-26F3 26F5 26FA 26FD 2705 270A-270B 2728 274C 274E 2753-2755 2757
2795-2797 27B0 27BF 2B1B-2B1C 2B50 2B55 2E80-3029 302E-303E 3041-3096
309B-3247 3250-4DBF 4E00-A4C6 A960-A97C AC00-D7A3 F900-FAD9 FE10-FE19
FE30-FE6B FF01-FF60 FFE0-FFE6 16FE0-16FE3 16FF0-1B2FB 1F004 1F0CF 1F18E
1F191-1F19A 1F200-1F320 1F32D-1F335 1F337-1F37C 1F37E-1F393 1F3A0-1F3CA
1F3CF-1F3D3 1F3E0-1F3F0 1F3F4 1F3F8-1F43E 1F440 1F442-1F4FC 1F4FF-1F53D
1F54B-1F54E 1F550-1F567 1F57A 1F595-1F596 1F5A4 1F5FB-1F64F 1F680-1F6C5
1F6CC 1F6D0-1F6D2 1F6D5-1F6DF 1F6EB-1F6EC 1F6F4-1F6FC 1F7E0-1F7F0
1F90C-1F93A 1F93C-1F945 1F947-1F9FF 1FA70-1FAF6 20000-3134A
]]

local width = {}

local zero_ranges, wide_ranges

---@return integer[] # first, last, first, last, ... ascending
local function parse(text)
  local list = {}
  for word in gmatch(text, "%S+") do
    local first, last = match(word, "^(%x+)%-?(%x*)$")
    list[#list + 1] = tonumber(first, 16)
    list[#list + 1] = last ~= "" and tonumber(last, 16) or list[#list]
  end
  return list
end

local function in_ranges(list, code)
  local low, high = 1, #list // 2
  while low <= high do
    local middle = (low + high) // 2
    if code > list[2 * middle] then
      low = middle + 1
    elseif code < list[2 * middle - 1] then
      high = middle - 1
    else
      return true
    end
  end
  return false
end

---@param code integer a code point that is not a control character
---@return integer # 0, 1 or 2 columns
function width.of_code(code)
  if code < 0x300 then
    return 1
  end
  if not zero_ranges then
    zero_ranges, wide_ranges = parse(ZERO), parse(WIDE)
  end
  if in_ranges(zero_ranges, code) then
    return 0
  end
  return in_ranges(wide_ranges, code) and 2 or 1
end

-- Bytes of a well-formed sequence by its first byte; the rest is checked by
-- utf8.codepoint, which also refuses surrogates and overlong forms.
local function sequence_length(first)
  if first < 0xc2 or first > 0xf4 then
    return 1
  end
  return first < 0xe0 and 2 or first < 0xf0 and 3 or 4
end

---The code point at byte `i` and the index of its last byte; nil and `i` when
---the byte there does not begin well-formed UTF-8.
---@return integer? code, integer last
function width.decode(text, i)
  local first = byte(text, i)
  if first < 0x80 then
    return first, i
  end
  local length = sequence_length(first)
  if length == 1 or i + length - 1 > #text then
    return nil, i
  end
  local ok, code = pcall(codepoint, text, i)
  if not ok then
    return nil, i
  end
  return code, i + length - 1
end

---The last byte of the character at byte `i`, with the marks that combine
---with it, and its width in columns. Control characters are not special here.
---@return integer last, integer columns
function width.char(text, i)
  local code, last = width.decode(text, i)
  local columns = code and width.of_code(code) or 1
  while last < #text and byte(text, last + 1) >= 0x80 do
    local mark, mark_last = width.decode(text, last + 1)
    if not mark or width.of_code(mark) ~= 0 then
      break
    end
    last = mark_last
  end
  return last, columns
end

---The first byte of the character that ends before byte `i`.
---@return integer
function width.previous(text, i)
  repeat
    i = i - 1
    while i > 1 and byte(text, i) & 0xc0 == 0x80 do
      i = i - 1
    end
    local code = i >= 1 and byte(text, i) >= 0x80 and width.decode(text, i)
  until i <= 1 or not code or width.of_code(code) ~= 0
  return i < 1 and 1 or i
end

---Columns of a text without control characters.
---@return integer
function width.text(text)
  if not find(text, "[\x80-\xff]") then
    return #text
  end
  local total, i = 0, 1
  while i <= #text do
    local last, columns = width.char(text, i)
    total, i = total + columns, last + 1
  end
  return total
end

---The longest beginning of `text` that fits in `columns`, and its width.
---@return string, integer
function width.clip(text, columns)
  if #text <= columns then
    return text, width.text(text)
  end
  local total, i = 0, 1
  while i <= #text do
    local last, w = width.char(text, i)
    if total + w > columns then
      break
    end
    total, i = total + w, last + 1
  end
  return sub(text, 1, i - 1), total
end

return width

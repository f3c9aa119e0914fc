-- Lists of a project that has things in one pod, which leases.lua routes, put into the users' words
-- while they stream.
--
-- A list may be larger than Envoy holds of an answer, and has hundreds of items: it is neither kept
-- whole nor walked. What is to be changed is found by name, outside of the objects whose keys users
-- choose. A name is a quote, letters, a quote and a colon, and no text can hold that, since quotes in
-- texts are escaped; a quote before a letter always begins a text.

-- What of a list's answer has the link to its next page.
local LONGEST_LINK = 4096

local function is_letter(code)
  return code and (code >= 97 and code <= 122 or code >= 65 and code <= 90)
end

-- Finds what stands before a place, but for spaces.
local function preceding(text, at)
  at = at - 1
  if byte(text, at) == SPACE then at = at - 1 end
  if (byte(text, at) or NOWHERE) <= SPACE then at = over_spaces(text, at, -1) end
  return byte(text, at), at
end

-- Where a piece can be cut: before the first or last comma between two members of an object, or of a
-- list, the former of which is no text. So it is cut in no object of texts.
local function cut_of(text, from, to, step)
  for quote = from, to, step do
    if byte(text, quote) == QUOTE and is_letter(byte(text, quote + 1)) then
      local kind, at = preceding(text, quote)
      if kind == OPEN_OBJECT then kind, at = preceding(text, at) end
      if kind == COMMA and at > 1 and preceding(text, at) ~= QUOTE then return at - 1 end
    end
  end
  return 0
end

-- A text that is made anew is compared with the one that is there already.
local function part_of(text, from, to)
  return from == 1 and to == #text and text or sub(text, from, to)
end

local function joined(parts)
  return #parts == 1 and parts[1] or concat(parts)
end

-- Where the object ends that a name at `quote` has, or where a value begins that is none, which it
-- says too; nil where that is still to come.
local function free_end(text, quote, seek)
  local at, first = value_of(text, quote, seek)
  if first == OPEN_OBJECT then return value_end(text, at), true end
  return first and at, false
end

-- Looks whether a name at `quote` stands in an object of texts. Gives where that ends, or false, and
-- where it begins. Nothing before `reached` is in question, and `places` has what was found before.
local function text_object(text, quote, seeks, places, reached)
  -- Behind a value that is no text there is no object of texts.
  local kind, at = preceding(text, quote)
  if kind ~= OPEN_OBJECT and (kind ~= COMMA or preceding(text, at) ~= QUOTE) then return nil end
  for index = 1, #seeks do
    local seek = seeks[index]
    local place = places[index] or 0
    if place < reached then place = sought(text, seek, reached) end
    while place < quote do
      local stop = free_end(text, place, seek)
      if not stop or stop > quote then return stop or false, place end
      place = sought(text, seek, stop)
    end
    places[index] = place
  end
end

-- Puts the fields of items into the users' words, from a place in a text to another, and appends
-- that to `out`. What begins and does not end there is given back as it is, to be put before what
-- follows. Each part of a text is a text of its own, which costs: so there are few.
local function with_fields(out, text, from, to, resource, cluster)
  local seeks, texts = resource.seeks, resource.texts
  local places, objects, count = {}, {}, #seeks
  for index = 1, count do places[index] = sought(text, seeks[index], from) end
  local size, reached = #out, from
  while true do
    local quote, which = NOWHERE, 0
    for index = 1, count do
      if places[index] < quote then quote, which = places[index], index end
    end
    if quote > to then break end
    local seek = seeks[which]
    local stop, held, is_object = nil, quote, true
    if seek.kind then
      stop, held = text_object(text, quote, texts, objects, reached)
      if stop == nil then
        local at, first = value_of(text, quote, seek)
        stop, held = first and at, quote
        if first == QUOTE then
          stop = find(text, '"', at + 1, true)
          if stop and byte(text, stop - 1) == BACKSLASH then stop = text_end(text, at) end
          local value = stop and stop <= to and sub(text, at, stop)
          local new = value and rewrites[seek.kind](value, cluster)
          if new ~= value then
            out[size + 1] = sub(text, from, at - 1)
            out[size + 2] = new
            size, from = size + 2, stop + 1
          end
        end
      end
    else
      stop, is_object = free_end(text, quote, seek)
    end
    if not stop or stop > to then
      out[size + 1] = sub(text, from, held - 1)
      return sub(text, held, to)
    end
    -- A user's own key may have the name of an object.
    if is_object then reached = stop end
    for index = 1, count do
      if places[index] < stop then places[index] = sought(text, seeks[index], stop) end
    end
  end
  out[size + 1] = sub(text, from, to)
  return ""
end

-- The same for one field, as far as no object with values of any kind is there; nil where something
-- needs more thought, such as a value without an end. What LuaJIT makes of a loop that follows one
-- name, and makes no texts of what lies between, takes a third of the time. Gives where to go on.
local function with_field(text, from, to, seek, texts, cluster)
  local needle, rewrite, reached = seek.needle, rewrites[seek.kind], from
  local objects, copied = nil, from
  local at = find(text, needle, from, true)
  while at and at <= to do
    local quote, next = at - seek.back, at + 1
    if is_name(text, seek, at, from) then
      local stop
      if
        byte(text, quote - 1) ~= SPACE
        or byte(text, quote - 2) ~= COMMA
        or byte(text, quote - 3) == QUOTE
      then
        objects = objects or {}
        stop = text_object(text, quote, texts, objects, reached)
        if stop == false then return nil end
      end
      if not stop then
        local value, first = value_of(text, quote, seek)
        stop = value
        if first == QUOTE then
          stop = find(text, '"', value + 1, true)
          if not stop or byte(text, stop - 1) == BACKSLASH then return nil end
          local old = sub(text, value, stop)
          local new = rewrite(old, cluster)
          if new ~= old then
            written:put(sub(text, copied, value - 1), new)
            copied = stop + 1
          end
        elseif not first then
          return nil
        end
      end
      if stop > to then return nil end
      reached, next = stop, stop
    end
    at = find(text, needle, next, true)
  end
  return as_written(text, from, to, copied)
end

-- Does what `with_fields` does, field after field where that can be.
local function with_each_field(out, text, from, to, resource, cluster)
  for index = 1, #resource.free do
    local at = find(text, resource.free[index].needle, from, true)
    if at and at <= to then return with_fields(out, text, from, to, resource, cluster) end
  end
  local new, first, last = text, from, to
  for index = 1, #resource.named do
    written:reset()
    new, first, last =
      with_field(new, first, last, resource.named[index], resource.texts, cluster)
    if not new then return with_fields(out, text, from, to, resource, cluster) end
  end
  out[#out + 1] = part_of(new, first, last)
  return ""
end

-- Says how the link to a list's next page is written around its marker; nil where none is expected.
local function next_of(handle, row, service, below, name)
  local mark = find(below, "?", 1, true)
  local query = mark and sub(below, mark + 1)
  if not query or not find("&" .. query, "&limit=", 1, true) then return nil end
  local before, after = around_marker(query)
  if not before then return nil end
  local ours = handle:streamInfo():dynamicMetadata():get(OURS)
  local base = ours and ours.bare and "" or service.prefix
  return {
    key = '"' .. row.links .. '"',
    before = name .. base .. sub(below, 1, mark) .. before,
    after = after,
  }
end

-- Finds the link to the next page at the end of a list: where it begins, and what ends the list with
-- it as the gateway writes it. Only the list's own member ends with what ends the whole.
local function next_link(text, following)
  local from = #text > LONGEST_LINK and #text - LONGEST_LINK or 1
  local key = following.key
  local at = find(text, key, from, true)
  while at do
    local inner = match(text, "^:%s*%[%s*{([^{}]*)}%s*%]%s*}%s*$", at + #key)
    local marker = inner and match(inner, '[?&]marker=([%w-]+)["&]')
    if marker then
      local href = following.before .. marker .. following.after
      return at, key .. ': [{"rel":"next","href":"' .. href .. '"}]}'
    end
    at = find(text, key, at + 1, true)
  end
end

-- Makes what takes a list piece by piece and gives what of it can be said. What is carried over from
-- a piece is put before the beginning of the next, not before all of it.
local function list_rewriter(resource, cluster, links, following)
  local carry, held = "", ""
  local function add(out, text, from, to)
    local link = links.any and find(text, "//", from, true)
    if link and link <= to then text, from, to = with_led_links(text, from, to, links, link) end
    if not resource then
      out[#out + 1] = part_of(text, from, to)
      return
    end
    if held ~= "" then
      text = held .. sub(text, from, to)
      from, to = 1, #text
    end
    held = with_each_field(out, text, from, to, resource, cluster)
  end
  return function(piece, last)
    local out = {}
    if last then
      local text = carry .. piece
      local at, link
      if following then at, link = next_link(text, following) end
      add(out, text, 1, at and at - 1 or #text)
      if held ~= "" then out[#out + 1] = held end
      if at then out[#out + 1] = link end
      carry, held = "", ""
      return joined(out)
    end
    local stop = cut_of(piece, #piece - 1, 3, -1)
    local start = stop > 0 and cut_of(piece, 3, #piece - 1, 1) or 0
    if stop == 0 then
      -- The cut may be where both meet.
      carry = carry .. piece
      stop = cut_of(carry, #carry - 1, 3, -1)
      if stop > 0 then add(out, carry, 1, stop) end
      carry = sub(carry, stop + 1)
      return joined(out)
    end
    local head = carry .. sub(piece, 1, start)
    add(out, head, 1, #head)
    if stop > start then add(out, piece, start + 1, stop) end
    carry = sub(piece, stop + 1)
    return joined(out)
  end
end

-- The microversion of an answer, as the pod says it or as it was asked for; nil where that is unknown.
local function minor_of(handle, headers)
  local said = match(headers:get("openstack-api-version") or "", "^%a+ %d+%.(%d+)$")
  if said then return tonumber(said) end
  local ours = handle:streamInfo():dynamicMetadata():get(OURS)
  return ours and ours.minor and tonumber(ours.minor)
end

-- What is to be sought in answers of one microversion; all if it is unknown.
local function shown_in(resource, minor)
  if not resource then return nil end
  local known = resource.shown or { minor = false }
  resource.shown = known
  if known.minor == minor then return known end
  known = { minor = minor, seeks = {}, named = {}, free = {}, texts = resource.texts }
  for index = 1, #resource.seeks do
    local seek = resource.seeks[index]
    if not minor or not seek.since or seek.since <= minor then
      local part = seek.kind and known.named or known.free
      known.seeks[#known.seeks + 1], part[#part + 1] = seek, seek
    end
  end
  resource.shown = known
  return known
end

-- Rewrites the answer to a list as it passes.
function rewrite_list(handle, headers, cluster, row, service, below, scheme, authority)
  local minor = minor_of(handle, headers)
  local expected = number_in(headers, "content-length")
  headers:remove("content-length")
  local links = links_of(cluster, scheme, authority)
  local following = row.links and next_of(handle, row, service, below, links.name)
  local rewrite_piece = list_rewriter(shown_in(row.resource, minor), cluster, links, following)
  local received, chunk, text = 0, nil, ""
  for piece in handle:bodyChunks() do
    local length = piece:length()
    received = received + length
    text = rewrite_piece(piece:getBytes(0, length), received == expected)
    piece:setBytes(text)
    chunk = piece
  end
  -- Where no length was said, the last piece is known by nothing but that none follows.
  local rest = rewrite_piece("", true)
  if rest ~= "" and chunk then chunk:setBytes(text .. rest) end
end

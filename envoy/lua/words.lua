-- An answer that Envoy holds whole, a show or a fault, put into the users' words.

-- Where a text that begins with a quote at `at` ends; nil where that is still to come.
local function text_end(body, at)
  local stop = find(body, '"', at + 1, true)
  while stop do
    local slashes = 0
    while byte(body, stop - 1 - slashes) == 92 do slashes = slashes + 1 end
    if slashes % 2 == 0 then return stop end
    stop = find(body, '"', stop + 1, true)
  end
end

-- Where a value that begins at `at` ends; nil where that is still to come.
local function value_end(body, at)
  local first = byte(body, at)
  if first == QUOTE then return text_end(body, at) end
  if first ~= OPEN_OBJECT and first ~= OPEN_LIST then
    local behind = find(body, "[,%]}%s]", at)
    return behind and behind - 1
  end
  local depth = 0
  while true do
    local next = find(body, '["{}%[%]]', at)
    if not next then return nil end
    local kind = byte(body, next)
    if kind == QUOTE then
      next = text_end(body, next)
      if not next then return nil end
    elseif kind == OPEN_OBJECT or kind == OPEN_LIST then
      depth = depth + 1
    else
      depth = depth - 1
      if depth == 0 then return next end
    end
    at = next + 1
  end
end

-- The same, where there must be an end: an error leaves the answer as it is.
local function ended(stop)
  return stop or error("a value without an end")
end

local function hidden(text, cluster)
  local found = cluster.hidden[text]
  if found then return found end
  if #text ~= 58 or find(text, "[^%x\"]") then return text end
  local words = {}
  for index = 1, 7 do
    local word = tonumber(sub(text, index * 8 - 6, index * 8 + 1), 16)
    words[index] = tohex(bxor(word, cluster.mask[index]))
  end
  found = '"' .. concat(words) .. '"'
  -- A project has few hosts, and asks for what they run again and again.
  cluster.hashes = cluster.hashes + 1
  if cluster.hashes > 4096 then cluster.hidden, cluster.hashes = {}, 1 end
  cluster.hidden[text] = found
  return found
end

-- What becomes of a text, quotes included; see control_plane/handlers/translate.py.
local rewrites = {
  zone = function(text, cluster)
    if text == '""' or text == '"internal"' then return text end
    return cluster.zone
  end,
  own_zone = function(text, cluster)
    return text == cluster.inner and cluster.zone or text
  end,
  host = function(text, cluster)
    if text == '""' then return text end
    return '"' .. cluster.pod .. "~" .. sub(text, 2)
  end,
  obscured = hidden,
}

-- Writes a value anew: a text, or a list of texts of which a zone's becomes one.
local function rewritten(value, kind, cluster)
  local first = byte(value)
  if first == QUOTE then return rewrites[kind](value, cluster) end
  if first ~= OPEN_LIST then return value end
  local items, at = {}, find(value, '"', 1, true)
  while at do
    local stop = ended(text_end(value, at))
    items[#items + 1] = rewrites[kind](sub(value, at, stop), cluster)
    at = find(value, '"', stop + 1, true)
  end
  if #items == 0 then return value end
  if kind == "zone" then return "[" .. cluster.zone .. "]" end
  return "[" .. concat(items, ", ") .. "]"
end

-- Walks an object from its brace on and collects what is to be changed: `fields` is a tree of names,
-- a leaf of which is a kind of change.
local function walk_object(body, at, fields, cluster, changes)
  while true do
    at = find(body, '["}]', at + 1)
    if byte(body, at) ~= QUOTE then return at end
    local stop = ended(text_end(body, at))
    local field = fields[sub(body, at + 1, stop - 1)]
    at = find(body, "[^%s:]", stop + 1)
    local last
    local first = byte(body, at)
    if type(field) == "table" and first == OPEN_OBJECT then
      last = walk_object(body, at, field, cluster, changes)
    elseif type(field) == "table" and first == OPEN_LIST then
      last = at
      while true do
        last = find(body, "[{%]]", last + 1)
        if byte(body, last) ~= OPEN_OBJECT then break end
        last = walk_object(body, last, field, cluster, changes)
      end
    else
      last = ended(value_end(body, at))
      if type(field) == "string" then
        local value = sub(body, at, last)
        local new = rewritten(value, field, cluster)
        if new ~= value then changes[#changes + 1] = { at, last, new } end
      end
    end
    at = last
  end
end

-- Walks the whole document: an item under its key, or a list of them.
local function walk_document(body, resource, cluster)
  local changes = {}
  local at = find(body, "{", 1, true)
  if not at then return changes end
  local fields = { [resource.key] = resource.fields, [resource.plural] = resource.fields }
  walk_object(body, at, fields, cluster, changes)
  return changes
end

-- Where the object ends in which a user's own keys are; nil where there is none.
local function own_keys(body)
  local from = find(body, 'metadata": {', 1, true)
  if not from then return nil end
  from = from + 11
  local stop, slash = find(body, "}", from, true), find(body, "\\", from, true)
  -- A brace in a text is no end.
  local within = not stop or (slash and slash < stop)
  local quote = not within and find(body, '"', from, true)
  while quote and quote < stop do
    within = not within
    quote = find(body, '"', quote + 1, true)
  end
  if within then stop = ended(value_end(body, from)) end
  return from, stop
end

-- Collects the changes without a walk where each name occurs once and outside of what users name;
-- nil when that cannot be said.
local function find_changes(body, resource, cluster)
  local changes, ordered = {}, true
  local from, stop
  for index = 1, #resource.marks do
    local mark = resource.marks[index]
    local quote = sought(body, mark, 1)
    if quote ~= NOWHERE then
      if sought(body, mark, quote + 1) ~= NOWHERE then return nil end
      if stop == nil then
        from, stop = own_keys(body)
        stop = stop or false
      end
      if stop and quote > from and quote < stop then return nil end
      local at = value_of(body, quote, mark)
      local last = ended(value_end(body, at))
      local value = sub(body, at, last)
      if value ~= "null" then
        if mark.deep or byte(value) == OPEN_OBJECT then return nil end
        local new = rewritten(value, mark.kind, cluster)
        if new ~= value then
          ordered = ordered and (#changes == 0 or changes[#changes][1] < at)
          changes[#changes + 1] = { at, last, new }
        end
      end
    end
  end
  if not ordered then table.sort(changes, function(one, other) return one[1] < other[1] end) end
  return changes
end

local function with_changes(body, changes)
  local from = 1
  written:reset()
  for index = 1, #changes do
    local change = changes[index]
    written:put(sub(body, from, change[1] - 1), change[3])
    from = change[2] + 1
  end
  return (as_written(body, 1, #body, from))
end

-- Replaces a word that is no part of a longer name or of a path.
local function reworded(text, word, new)
  local at, last = find(text, word, 1, true)
  local pieces, from = {}, 1
  while at do
    local before, after = sub(text, at - 1, at - 1), sub(text, last + 1, last + 1)
    if at == 1 then before = " " end
    if not find(before, "[%w_./~-]") and not find(after, "[%w_/~-]") then
      pieces[#pieces + 1] = sub(text, from, at - 1)
      pieces[#pieces + 1] = new
      from = last + 1
    end
    at, last = find(text, word, last + 1, true)
  end
  pieces[#pieces + 1] = sub(text, from)
  return concat(pieces)
end

local function fault(body, cluster)
  local zone, inner = sub(cluster.zone, 2, -2), sub(cluster.inner, 2, -2)
  body = reworded(body, cluster.pod, zone)
  if inner ~= "" and inner ~= zone and find(body:lower(), "zone", 1, true) then
    body = reworded(body, inner, zone)
  end
  return body
end

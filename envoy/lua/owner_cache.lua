-- Which pod owns an id: answered inside Envoy, learnt from the processor's answers.
--
-- Above this text the control plane puts what it knows of the services (control_plane/xds/
-- owner_cache.py): CAPACITY, LEASE, BY_PREFIX, BY_VERSION, BY_NAME; below it lists.lua. Another text
-- is another VM and an empty cache; each worker of Envoy has a VM, and so a cache, of its own.
--
--   request   a known id        -> x-trio2o-known: its cluster, the answer passes as it is
--                                  x-trio2o-seen: its cluster, the answer is rewritten below
--             a list of who has things in one pod (lists.lua) -> x-trio2o-seen
--             anything else     -> x-trio2o-lane: how the processor is asked
--   answer    proxy-connection  -> what the processor said of an id, or that the answer is to be
--                                  rewritten; and whose it is
--
-- An error here is counted by Envoy (http.ingress.lua.errors), logged, and the request or answer goes
-- on as it was: to the processor, or in the pod's words.
--
-- The listener takes x-trio2o-* from clients, the routes from pods. What a route gives an answer has
-- a name that Envoy takes off every answer on its way out (control_plane/model/headers.py).

local find, sub, byte, match, char = string.find, string.sub, string.byte, string.match, string.char
local concat, bxor, tohex = table.concat, bit.bxor, bit.tohex

local QUOTE, SLASH, EQUAL, OPEN_OBJECT, OPEN_LIST = 34, 47, 61, 123, 91

-- Two generations: when the young one is full it becomes the old one, and what nobody asked for
-- since then is forgotten. An id that its pod did not know is `false`: the processor must see the
-- next answer, to tell an end from somebody else's id.
local young, old, size, renewed = {}, {}, 0, false
-- name -> {clusters by service; an owner with, and one without, `alone`}
local pods = {}
-- Whether any pod has packed an answer that was to be rewritten here, which nobody had asked it to:
-- the processor, which can unpack, sees such answers from then on.
local any_packs = false

local function keep(id, owner)
  if young[id] == nil then
    size = size + 1
    if size > CAPACITY then
      old, young, size, renewed = young, {}, 1, true
    end
  end
  young[id] = owner
end

local function owner_of(id)
  local owner = young[id]
  if owner == nil then
    owner = old[id]
    if owner ~= nil then keep(id, owner) end
  end
  return owner
end

---------------------------------------------------------------------------------------- requests

-- Finds the service of a path, where its version ends, and where the part begins that a pod's own
-- path replaces.
local function located(path)
  local first = match(path, "^/[^/?]*")
  local service, base = BY_PREFIX[first], 0
  if service then base = #first else service = BY_VERSION[first] end
  if not service or not service.version then return service, base, base end
  local last = base + #service.version
  if sub(path, base + 1, last) == service.version and byte(path, last + 1) == SLASH then
    return service, last, base
  end
end

-- Steps over what may stand before a collection: a project, a plugin's name.
local function collection(service, path, at, stop)
  local slash = find(path, "/", at + 2, true)
  if not slash or slash >= stop then return at end
  local segment = sub(path, at + 2, slash - 1)
  if service.projects then
    if not service.tree.literals[segment] and find(segment, "^[%x-]+$") then return slash - 1 end
  elseif service.optional[segment] then
    return slash - 1
  end
  return at
end

-- Finds the row of a path and the first id in it. A path whose form needs thought has none.
local function row_of(service, path, at, method)
  local stop = find(path, "?", at + 1, true) or #path + 1
  local node, id = service.tree, nil
  at = collection(service, path, at, stop)
  while at + 1 < stop do
    local slash = find(path, "/", at + 2, true)
    if not slash or slash > stop then slash = stop end
    local segment = sub(path, at + 2, slash - 1)
    at = slash - 1
    if segment == "" or segment == "." or segment == ".." then return nil end
    local following = node.literals[segment]
    if not following then
      following = node.parameter
      if not following then return nil end
      id = id or segment
    end
    node = following
  end
  return node.rows[method], id
end

-- Whether the version asked for is one of those that all pods have, written so that it can go on.
local function version_of(rules, headers)
  local text, major, minor = headers:get("openstack-api-version"), nil, nil
  if text then
    major, minor = match(text, rules.standard)
  else
    text = rules.legacy and headers:get(rules.legacy)
    if not text then return true, 0 end
    major, minor = match(text, "^([1-9]%d*)%.(%d+)$")
  end
  if not major or tonumber(major) ~= rules.major then return false end
  minor = tonumber(minor)
  return minor >= rules.lowest and minor <= rules.highest, minor
end

-- Reads a header; what is not there is not even nil to a function.
local function number_in(headers, name)
  local text = headers:get(name)
  return tonumber(text)
end

-- Whether a body asks for an action that concerns nobody but the pod; only the plainest form of a
-- body is understood.
local function is_plain_action(handle, headers, actions)
  local length = number_in(headers, "content-length")
  if not length or length < 1 or length > 16384 then return false end
  local body = handle:body()
  if not body then return false end
  local text = body:getBytes(0, body:length())
  local name = match(text, '^%s*{%s*"([%w_-]+)"%s*:%s*null%s*}%s*$')
    or match(text, '^%s*{%s*"([%w_-]+)"%s*:%s*{[^{}]*}%s*}%s*$')
  return name ~= nil and actions[name] == true
end

-- Whether the version asked for is older than the one from which the answer needs the processor.
local function before(rules, headers, below)
  local good, minor = version_of(rules, headers)
  return good and minor < below
end

local function may_pass(handle, headers, service, row, owner)
  if service.versions then
    local good, minor = version_of(service.versions, headers)
    if not good or (row.below and minor >= row.below) then return false end
  end
  if row.alone and not owner.alone then return false end
  return not row.actions or is_plain_action(handle, headers, row.actions)
end

-- A call of Envoy's costs more than a line of Lua. A changed header clears the route by itself.
function envoy_on_request(handle)
  local headers = handle:headers()
  local path = headers:get(":path")
  -- CONNECT has none.
  if not path then return end
  local service, at, base = located(path)
  if not service then return end
  local row, id = row_of(service, path, at, headers:get(":method"))
  if not row then return end
  if row.home and not any_packs then
    if route_list(handle, headers, service, row, path, base) then return end
  end
  if row.passes and id then
    local owner = owner_of(id)
    local cluster = owner and owner.clusters[service.name]
    if cluster and not cluster.packs and may_pass(handle, headers, service, row, owner) then
      -- What was had before a body was waited for must not be used any more.
      if row.actions then headers = handle:headers() end
      headers:replace(":path", cluster.path .. sub(path, base + 1))
      headers:replace(row.passes, cluster.name)
      return
    end
    if owner == false or row.actions then return end
    if row.below and not before(service.versions, headers, row.below) then return end
  end
  if any_packs and row.lane ~= "headers" then return end
  headers:replace("x-trio2o-cache", renewed and size + CAPACITY or size)
  headers:replace("x-trio2o-lane", row.lane)
end

----------------------------------------------------------------------------------------- learning

local function unquoted(text)
  return (text:gsub("%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end))
end

-- What two texts begin with alike.
local function shared(one, other)
  local length = 0
  while length < #one and byte(one, length + 1) == byte(other, length + 1) do
    length = length + 1
  end
  return sub(one, 1, length)
end

-- Reads what control_plane/processor/learn.py writes.
local function read_cluster(text)
  local parts = {}
  for part in (text .. "|"):gmatch("([^|]*)|") do parts[#parts + 1] = unquoted(part) end
  local mask, links, paths, common = {}, {}, {}, nil
  for digits in parts[5]:gmatch(("%x"):rep(8)) do mask[#mask + 1] = tonumber(digits, 16) end
  for index = 6, #parts - 2, 3 do
    local url, path = parts[index], parts[index + 1]
    links[#links + 1] = { url = url, path = path, ours = parts[index + 2] }
    if path ~= "" then paths[#paths + 1] = path .. "/" end
    common = common and shared(common, url) or url
  end
  return {
    text = text, name = parts[1], path = parts[2], zone = parts[3], inner = parts[4],
    mask = mask, links = links, pod = match(parts[1], "^[^/]*"),
    -- Without these no link needs to be changed.
    common = common or "", paths = paths,
    hidden = {}, hashes = 0,
  }
end

local function learn_cluster(text)
  local pod, service = match(text, "^([^/|]*)/([^|]*)")
  local known = pods[pod]
  if not known then
    local shared = {}
    known = {
      clusters = shared,
      [true] = { clusters = shared, alone = true },
      [false] = { clusters = shared, alone = false },
    }
    pods[pod] = known
  end
  local cluster = known.clusters[service]
  if not cluster or cluster.text ~= text then
    cluster = read_cluster(text)
    known.clusters[service] = cluster
  end
  return known
end

-- `id|flags|cluster…`: flags `a`: no group of the thing has parts in other pods; `s`: the answer is
-- to be rewritten here; `h`: see lists.lua. Gives the flags and the cluster.
local function learn(value)
  local id, flags, text = match(value, "^([^|]*)|(%a*)|(.*)$")
  if not id then return "" end
  local pod = learn_cluster(text)
  if id ~= "" then keep(id, pod[find(flags, "a", 1, true) ~= nil]) end
  return flags, pod.clusters[match(text, "^[^/|]*/([^|]*)")]
end

------------------------------------------------------------------------------------------ answers

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
    local text = mark.text
    local at, last = find(body, text, 1, true)
    while at and byte(body, at - 1) ~= QUOTE do at, last = find(body, text, last, true) end
    if at then
      if find(body, text, last, true) then return nil end
      if stop == nil then
        from, stop = own_keys(body)
        stop = stop or false
      end
      if stop and at > from and at < stop then return nil end
      at = last + 1
      while byte(body, at) <= 32 do at = at + 1 end
      last = ended(value_end(body, at))
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
  local pieces, from = {}, 1
  for index = 1, #changes do
    local change = changes[index]
    pieces[#pieces + 1] = sub(body, from, change[1] - 1)
    pieces[#pieces + 1] = change[3]
    from = change[2] + 1
  end
  pieces[#pieces + 1] = sub(body, from)
  return concat(pieces)
end

local function replaced(body, theirs, ours)
  local at, last = find(body, theirs, 1, true)
  if not at then return body end
  local pieces, from = {}, 1
  while at do
    pieces[#pieces + 1] = sub(body, from, at - 1)
    pieces[#pieces + 1] = ours
    from = last + 1
    at, last = find(body, theirs, from, true)
  end
  pieces[#pieces + 1] = sub(body, from)
  return concat(pieces)
end

local function has_links(body, cluster, authority)
  if find(body, cluster.common, 1, true) then return true end
  for index = 1, #cluster.paths do
    if find(body, authority .. cluster.paths[index], 1, true) then return true end
  end
  return false
end

-- Lets the pod's URLs, and those it made of the client's Host and a path of its own, lead here.
local function with_links(body, cluster, scheme, authority)
  if not has_links(body, cluster, authority) then return body end
  for index = 1, #cluster.links do
    local link = cluster.links[index]
    local ours = scheme .. "://" .. authority .. link.ours .. "/"
    body = replaced(body, link.url .. "/", ours)
    if link.path ~= "" then
      body = replaced(body, "http://" .. authority .. link.path .. "/", ours)
      body = replaced(body, "https://" .. authority .. link.path .. "/", ours)
    end
  end
  return body
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

-- Whose answer it is, of which row, and how its links begin.
local function read_asked(text)
  local method, scheme, authority, pod, service, path =
    match(text, "^%S* (%S+) (%S+) (%S+) ([^/]*)/(%S+) (%S+)$")
  local cluster = pods[pod] and pods[pod].clusters[service]
  if not cluster then return nil end
  local rules = BY_NAME[service]
  local below = sub(path, #cluster.path + 1)
  local row, id = row_of(rules, below, rules.version and #rules.version or 0, method)
  return cluster, row, id, scheme, authority, rules, below
end

-- Answers in place of a pod that has packed its answer.
local function refuse(handle, cluster, service)
  cluster.packs, any_packs = true, true
  local content = handle:body()
  if not content or content:length() == 0 then return end
  local headers = handle:headers()
  headers:replace(":status", "502")
  headers:replace("content-type", service.unread.kind)
  headers:remove("content-encoding")
  headers:replace("content-length", content:setBytes(service.unread.body))
end

local function rewrite(handle, headers, text)
  local cluster, row, id, scheme, authority, service, below = read_asked(text)
  if not cluster then return end
  local status = tonumber(headers:get(":status"))
  local location = headers:get("location")
  if location then headers:replace("location", with_links(location, cluster, scheme, authority)) end
  if (status == 404 or status == 410) and row and row.whole and id then keep(id, false) end
  local packed = headers:get("content-encoding")
  if packed and packed ~= "identity" then return refuse(handle, cluster, service) end
  if row and row.list and status < 400 then
    rewrite_list(handle, headers, cluster, row, service, below, scheme, authority)
    return
  end
  local content = handle:body()
  local length = content and content:length() or 0
  if length == 0 then return end
  local body = content:getBytes(0, length)
  local new = with_links(body, cluster, scheme, authority)
  if status >= 400 then
    new = fault(new, cluster)
  elseif row and row.resource then
    local changes = find_changes(new, row.resource, cluster)
      or walk_document(new, row.resource, cluster)
    if #changes > 0 then new = with_changes(new, changes) end
  end
  if new ~= body then handle:headers():replace("content-length", content:setBytes(new)) end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local said = headers:get("proxy-connection")
  if not said then return end
  if byte(said) == EQUAL then
    rewrite(handle, headers, said)
    return
  end
  local learnt = match(said, "^(%S+) ")
  if not learnt then return end
  local flags, cluster = learn(learnt)
  if find(flags, "h", 1, true) then keep_lease(handle, headers, cluster) end
  if find(flags, "s", 1, true) then rewrite(handle, headers, said) end
end

-- Which pod owns an id: answered inside Envoy, learnt from the processor's answers.
--
-- Above this text the control plane puts what it knows of the services (control_plane/xds/
-- owner_cache.py): SCRIPT, CAPACITY, LEASE, LONGEST_PAGE_PATH, BY_PREFIX, BY_VERSION, BY_NAME. Below it stand
-- parts.lua, words.lua, leases.lua, lists.lua and answers.lua, in one text, so that each uses what is
-- local above. Another text is another VM and an empty cache; each worker of Envoy has a VM, and so
-- a cache, of its own.
--
--   request   a known id        -> x-trio2o-known: its cluster, the answer passes as it is
--                                  x-trio2o-seen: its cluster, the answer is rewritten below
--             a list of who has things in one pod (leases.lua) -> x-trio2o-seen
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
-- name of a cluster -> what is known of it
local clusters = {}
-- Whether any pod has packed an answer that was to be rewritten here, which nobody had asked it to:
-- the processor, which can unpack, sees such answers from then on.
local any_packs = false

-- The module of known ids (envoy/module/known_ids.c), where this Envoy has it: what is decided here
-- once, it decides from then on, before this script or a route is looked for.
-- Listeners that drain have Luas of their own in the same thread, and what was replaced runs a little
-- longer: `script` is the module's number of this text, by which it tells them apart.
local known_ids, ffi, script
do
  local there, found = pcall(require, "ffi")
  if there then
    ffi = found
    ffi.cdef([[
      uint32_t trio2o_known_begin_1(const char *name, size_t, size_t capacity);
      void trio2o_known_clear(uint32_t script);
      void trio2o_known_forget(const char *id, size_t length);
      bool trio2o_known_describe(uint32_t script, const char *name, size_t, const char *text, size_t);
      const char *trio2o_known_words(const char *name, size_t, size_t *length);
      bool trio2o_known_keep(uint32_t script, const char *method, size_t, const char *path, size_t,
        const char *version, size_t, uint8_t said_in, const char *id, size_t, size_t cut,
        const char *prefix, size_t, const char *cluster, size_t, bool seen);
    ]])
    local module = ffi.C
    -- A module of another day, which means other things by these names, has another number there.
    if pcall(function() return module.trio2o_known_begin_1 end) then
      known_ids = module
      script = known_ids.trio2o_known_begin_1(SCRIPT, #SCRIPT, CAPACITY)
    end
  end
end

-- What is live is looked through once it has grown to so many per cent: while little is, that would
-- be every few hundred answers. Garbage may grow to 16 MiB instead.
local function spare_collector()
  local garbage = 1600 * 1024 / collectgarbage("count")
  collectgarbage("setpause", 100 + math.floor(math.max(100, math.min(300, garbage))))
end

local function keep(id, owner)
  if young[id] == nil then
    size = size + 1
    if size % 4096 == 0 then spare_collector() end
    if size > CAPACITY then
      old, young, size, renewed = young, {}, 1, true
    end
  end
  young[id] = owner
end

-- Keeps what is new of an id.
local function settle(id, owner)
  if known_ids then known_ids.trio2o_known_forget(id, #id) end
  keep(id, owner)
end

local function owner_of(id)
  local owner = young[id]
  if owner == nil then
    owner = old[id]
    if owner ~= nil then keep(id, owner) end
  end
  return owner
end

---------------------------------------------------------------------------------------- clusters

local function unquoted(text)
  return (text:gsub("%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end))
end

-- Reads what control_plane/processor/learn.py writes.
local function read_cluster(text)
  local parts = {}
  for part in (text .. "|"):gmatch("([^|]*)|") do parts[#parts + 1] = unquoted(part) end
  local mask, links = {}, {}
  for digits in parts[5]:gmatch(("%x"):rep(8)) do mask[#mask + 1] = tonumber(digits, 16) end
  for index = 6, #parts - 2, 3 do
    links[#links + 1] = { url = parts[index], path = parts[index + 1], ours = parts[index + 2] }
  end
  return {
    text = text, name = parts[1], path = parts[2], zone = parts[3], inner = parts[4],
    mask = mask, links = links, pod = match(parts[1], "^[^/]*"),
    leading = {}, names = 0, hidden = {}, hashes = 0,
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
    if cluster and known_ids then known_ids.trio2o_known_clear(script) end
    cluster = read_cluster(text)
    known.clusters[service] = cluster
    clusters[cluster.name] = cluster
  end
  return known
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

-- Whether the pod's answer of the version asked for can be put into the users' words here; and the
-- version, where all pods have it.
local function passes(service, row, headers)
  if not service.versions then return true end
  local good, minor = version_of(service.versions, headers)
  if not good then return false end
  return not row.below or minor < row.below, minor
end

local function may_pass(handle, headers, service, row, owner)
  if not passes(service, row, headers) then return false end
  if row.alone and not owner.alone then return false end
  return not row.actions or is_plain_action(handle, headers, row.actions)
end

-- Lets the module decide the same from now on. What a decision depended on is its key: a path, a
-- method, the version and where that was said. Actions depend on their bodies, too.
local function remember(headers, path, base, id, cluster, row)
  local seen = row.passes == "x-trio2o-seen"
  if seen and not cluster.described then
    -- For the other Luas of this thread, which may see the answer of what was decided here.
    local text = cluster.text
    if not known_ids.trio2o_known_describe(script, cluster.name, #cluster.name, text, #text) then return end
    cluster.described = true
  end
  local mark = find(path, "?", 1, true)
  if mark then path = sub(path, 1, mark - 1) end
  local method = headers:get(":method")
  local version, legacy = headers:get("openstack-api-version"), headers:get("x-openstack-nova-api-version")
  if version and legacy then return end
  local said_in = version and 1 or legacy and 2 or 0
  version = version or legacy or ""
  known_ids.trio2o_known_keep(
    script, method, #method, path, #path, version, #version, said_in, id, #id, base,
    cluster.path, #cluster.path, cluster.name, #cluster.name, seen
  )
end

-- Learns of a cluster what another Lua of this thread knew of it.
local function hear_of(name)
  local length = ffi.new("size_t[1]")
  local text = known_ids.trio2o_known_words(name, #name, length)
  if text ~= nil then learn_cluster(ffi.string(text, length[0])) end
end

-- A call of Envoy's costs more than a line of Lua. A changed header clears the route by itself.
function envoy_on_request(handle)
  local headers = handle:headers()
  -- Only the answer is still to be seen; or the pod is lost, and the processor knows what to do.
  local early = known_ids and headers:get("x-trio2o-early-seen")
  if early then
    if not clusters[early] then hear_of(early) end
    return
  end
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
      if row.actions then
        headers = handle:headers()
      elseif known_ids then
        remember(headers, path, base, id, cluster, row)
      end
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

-- `id|flags|cluster…`: flags `a`: no group of the thing has parts in other pods; `s`: the answer is
-- to be rewritten here; `h`: see leases.lua. Gives the flags and the cluster.
local function learn(value)
  local id, flags, text = match(value, "^([^|]*)|(%a*)|(.*)$")
  if not id then return "" end
  local pod = learn_cluster(text)
  if id ~= "" then settle(id, pod[find(flags, "a", 1, true) ~= nil]) end
  return flags, pod.clusters[match(text, "^[^/|]*/([^|]*)")]
end

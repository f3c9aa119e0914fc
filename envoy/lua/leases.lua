-- Lists of a project that has things in one pod: routed there. lists.lua puts them into the users'
-- words.
--
-- What the processor decides of such a list holds for the same token for a moment, counted from when
-- the list it was asked of arrived, by the clock of this Envoy (control_plane/directory/presence.py).
-- The pod checks the token of every list. Tokens are in no header, log or metric for it: who the
-- answer is for stands in dynamic metadata, which nobody else reads.

-- Tokens with leases, in two generations as owners are; and where a request says whose it is.
local LEASES, LONGEST_TOKEN, OURS = 1000, 4096, "trio2o.lists"
local new_leases, old_leases, leases = {}, {}, 0

-- Whose list of what it is; nil for who must be told by the processor.
local function lease_key(headers, service, row)
  local token = headers:get("x-auth-token")
  if
    not token
    or token == ""
    or #token > LONGEST_TOKEN
    or headers:get("x-service-token")
    or headers:get("content-length")
    or headers:get("transfer-encoding")
  then
    return nil
  end
  return service.name .. " " .. row.list .. " " .. token
end

-- Writes the query of the next page around its marker, as the processor does: names in order, those
-- that are equal as they stood. nil for a query that would be written otherwise.
local function around_marker(query)
  local parts, names = {}, {}
  for part in (query .. "&"):gmatch("([^&]*)&") do
    local name = match(part, "^([%l_]+)=[%w_.~-]*$")
    if not name then return nil end
    if name ~= "marker" then
      local at = #parts + 1
      while at > 1 and names[at - 1] > name do at = at - 1 end
      table.insert(parts, at, part)
      table.insert(names, at, name)
    end
  end
  local behind = #parts + 1
  while behind > 1 and names[behind - 1] > "marker" do behind = behind - 1 end
  local before = concat(parts, "&", 1, behind - 1)
  local after = concat(parts, "&", behind)
  return (before ~= "" and before .. "&" or "") .. "marker=", after ~= "" and "&" .. after or ""
end

-- Whether a query leaves the list that of the caller's project, the first page at least. Services may
-- take a semicolon for a separator, too.
local function is_plain_query(path, names)
  local mark = find(path, "?", 1, true)
  if not mark then return true end
  local query = sub(path, mark + 1)
  if query == "" then return true end
  if find(query, ";", 1, true) then return false end
  local limited, ordered = false, false
  for part in (query .. "&"):gmatch("([^&]*)&") do
    local name = match(part, "^[^=]*")
    local means = names[name]
    if not means then return false end
    if means == "limit" then
      if limited or not match(part, "=[1-9]%d?%d?%d?$") then return false end
      limited = true
    end
    ordered = ordered or means == "order"
  end
  return not limited or (not ordered and #path <= LONGEST_PAGE_PATH and around_marker(query) ~= nil)
end

-- Sends a list to the pod that the caller's project is known to be in, and says whether it did.
function route_list(handle, headers, service, row, path, base)
  local ours = handle:streamInfo():dynamicMetadata()
  -- Links to next pages begin as the client's paths do.
  if base == 0 then ours:set(OURS, "bare", "1") end
  local passing, minor = passes(service, row, headers)
  if minor then ours:set(OURS, "minor", tostring(minor)) end
  local key = lease_key(headers, service, row)
  if not key then return false end
  local now = tonumber(handle:timestamp())
  local lease = new_leases[key] or old_leases[key]
  -- A clock that was set back must not make it longer.
  if lease and now >= lease.from and now < lease.from + LEASE then
    local cluster = lease.cluster
    if passing and is_plain_query(path, row.home) then
      headers:replace(":path", cluster.path .. sub(path, base + 1))
      headers:replace(row.passes, cluster.name)
      return true
    end
    return false
  end
  ours:set(OURS, "asked", now .. " " .. key)
  return false
end

-- Keeps what the processor said of the list that is answered now.
function keep_lease(handle, headers, cluster)
  if headers:get(":status") ~= "200" then return end
  local ours = handle:streamInfo():dynamicMetadata():get(OURS)
  local from, key = match(ours and ours.asked or "", "^(%d+) (.*)$")
  if not from then return end
  if new_leases[key] == nil then
    leases = leases + 1
    if leases > LEASES then
      old_leases, new_leases, leases = new_leases, {}, 1
    end
  end
  new_leases[key] = { from = tonumber(from), cluster = cluster }
end

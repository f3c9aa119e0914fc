-- A pod's compute service that says who it is. POD, LISTED, PADDING stand above this text.
--
-- It has every id that names it (tests/load/ids.py). `x-stand-in` on an answer: the pod, the id and
-- the number that the client put into the query, so that an answer which reached the wrong client
-- is told from its own. `/counts` gives what it was asked that no pod should be.

local counts = { asked = 0, probes = 0, strays = 0, leaks = 0 }
local leaked, strayed = "", ""
local made = 0x40000000 + os.time() % 4096 * 0x10000
local padding

local function id_of(number)
  return string.format("%08x-%04x-4000-8000-%012x", number, POD, number)
end

local function is_own(id)
  local first, pod, last = id:match("^(%x+)%-(%x+)%-4000%-8000%-(%x+)$")
  return first ~= nil and #id == 36 and tonumber(pod, 16) == POD
    and tonumber(first, 16) == tonumber(last, 16)
end

local function server(id, number)
  return string.format(
    '{"id": "%s", "name": "worker", "created": "2026-01-01T00:%02d:%02dZ",'
      .. ' "metadata": {"held by": "%d"}, "OS-EXT-AZ:availability_zone": "nova", "links": []}',
    id, number, POD, POD)
end

local function list(query)
  if query:find("marker=", 1, true) then return '{"servers": []}' end
  local items = {}
  for number = LISTED, 1, -1 do items[#items + 1] = server(id_of(number), number) end
  if PADDING > 0 then
    padding = padding or string.rep("x", PADDING)
    items[1] = items[1]:gsub('"worker"', '"' .. padding .. '"', 1)
  end
  return '{"servers": [' .. table.concat(items, ", ") .. "]}"
end

local function look(headers)
  for name, value in pairs(headers) do
    if name:find("^x%-trio2o") or value:find("poison", 1, true) then
      counts.leaks = counts.leaks + 1
      leaked = name .. " " .. headers:get(":path")
    end
  end
end

local function below_servers(method, id, rest, query)
  if id == "detail" or id == "" then
    if method ~= "POST" then return 200, list(query) end
    made = made + 1
    id = id_of(made)
    return 202, string.format('{"server": {"id": "%s", "links": []}}', id), id
  end
  if not is_own(id) then
    if method == "GET" and rest == "" then
      counts.probes = counts.probes + 1
    elseif is_own(id:gsub("%-%x%x%x%x%-4000", string.format("-%04x-4000", POD), 1)) then
      counts.strays = counts.strays + 1
      strayed = method .. " " .. id .. rest
    end
    return 404, '{"itemNotFound": {"message": "Instance could not be found.", "code": 404}}', id
  end
  if rest == "" then return 200, '{"server": ' .. server(id, 1) .. "}", id end
  if rest == "/ips" then return 200, '{"addresses": {}}', id end
  if rest == "/metadata" then return 200, '{"metadata": {"held by": "' .. POD .. '"}}', id end
  if rest == "/action" then return 202, "", id end
  return 404, "{}", id
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path, query = headers:get(":path"):match("^([^?]*)%??(.*)$")
  if path == "/counts" then
    handle:respond({ [":status"] = "200" }, string.format(
      '{"asked": %d, "probes": %d, "strays": %d, "leaks": %d, "leaked": "%s", "strayed": "%s"}',
      counts.asked, counts.probes, counts.strays, counts.leaks, leaked, strayed))
    return
  end
  counts.asked = counts.asked + 1
  look(headers)
  local status, body, id = 200, EMPTY, "-"
  local servers = path:match("^/v2.1/servers(.*)$")
  if servers then
    local named, rest = servers:match("^/?([^/]*)(.*)$")
    status, body, id = below_servers(headers:get(":method"), named, rest, query)
  elseif path == "/" then
    body = VERSIONS
  end
  handle:respond({
    [":status"] = tostring(status),
    ["content-type"] = "application/json",
    ["x-stand-in"] = string.format("%d %s %s", POD, id or "-", query:match("n=(%d+)") or "-"),
  }, body)
end

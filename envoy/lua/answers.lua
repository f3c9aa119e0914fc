-- Answers of pods: what they teach, and whether they are rewritten. The last part of the text.

-- Whose answer it is, of which row, and how its links begin. A client may name no host, and proxies
-- before this one several schemes.
local function read_asked(text)
  local method, scheme, authority, pod, service, path =
    match(text, "^%S* (%S+) (.-) (%S*) ([^/ ]*)/(%S+) (%S+)$")
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
  if known_ids then known_ids.trio2o_known_clear(script) end
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
  -- What is there already is nowhere else.
  local location = status ~= 200 and headers:get("location")
  if location then headers:replace("location", with_links(location, cluster, scheme, authority)) end
  if (status == 404 or status == 410) and row and row.whole and id then settle(id, false) end
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

-- What reading the script left behind is not live; what is said of the next time is heard when one
-- ends.
collectgarbage()
spare_collector()
collectgarbage()

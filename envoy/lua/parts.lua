-- Parts of texts: where names and values in them begin, and the links of pods, which lead here.
--
-- What is nearly always so is said without a loop: LuaJIT compiles no loop in a loop.

local NOWHERE = 2 ^ 52
local SPACE, COMMA, BACKSLASH = 32, 44, 92
-- What is being written; a text of each part would cost more.
local written = require("string.buffer").new()

-- Ends what is written with the rest of a text, copied up to a place; the text itself where that is
-- where it began.
local function as_written(text, from, to, copied)
  if copied == from then return text, from, to end
  written:put(sub(text, copied, to))
  text = written:tostring()
  return text, 1, #text
end

-- Steps over spaces, to the right or to the left.
local function over_spaces(text, at, step)
  while byte(text, at) and byte(text, at) <= SPACE do at = at + step end
  return at
end

-- Whether a name stands where its rarest letter was found.
local function is_name(text, seek, at, from)
  local quote = at - seek.back
  return quote >= from
    and byte(text, quote) == QUOTE
    and byte(text, quote - 1) ~= BACKSLASH
    and (seek.back == 1 or sub(text, quote + 1, at - 1) == seek.head)
end

local function sought_on(text, seek, at, from)
  repeat
    at = find(text, seek.needle, at + 1, true)
  until not at or is_name(text, seek, at, from)
  return at and at - seek.back or NOWHERE
end

-- Finds the quote before the next occurrence of a name, by the rarest letter in it.
local function sought(text, seek, from)
  local at = find(text, seek.needle, from, true)
  if not at then return NOWHERE end
  if is_name(text, seek, at, from) then return at - seek.back end
  return sought_on(text, seek, at, from)
end

-- Where the value of a name begins, and with what; nil where that is still to come.
local function value_of(text, quote, seek)
  local at = quote + seek.length
  if byte(text, at) == SPACE then at = at + 1 end
  if (byte(text, at) or NOWHERE) <= SPACE then at = over_spaces(text, at, 1) end
  return at, byte(text, at)
end

-- The links of a pod by the authority in them, for who calls the gateway so.
local function links_of(cluster, scheme, authority)
  local name = scheme .. "://" .. authority
  local known = cluster.leading[name]
  if known then return known end
  known = { name = name, any = #cluster.links > 0, by_authority = {}, longest = 0 }
  -- Clients choose what they call it.
  cluster.names = cluster.names + 1
  if cluster.names > 16 then cluster.leading, cluster.names = {}, 1 end
  cluster.leading[name] = known
  local function add(theirs, ours)
    local behind = find(theirs, "//", 1, true)
    local stop = find(theirs, "/", behind + 2, true)
    local host = sub(theirs, behind + 2, stop - 1)
    local links = known.by_authority[host] or { likely = nil }
    known.by_authority[host] = links
    if #host > known.longest then known.longest = #host end
    local link = { theirs = theirs, ours = ours, before = behind - 1, length = #theirs }
    -- One that a longer one before it begins with is not to be tried before that.
    for index = 1, #links do
      if sub(links[index].theirs, 1, #theirs) == theirs then link.short = true end
    end
    links[#links + 1] = link
  end
  for index = 1, #cluster.links do
    local link = cluster.links[index]
    local ours = name .. link.ours .. "/"
    add(link.url .. "/", ours)
    if link.path ~= "" then
      add("http://" .. authority .. link.path .. "/", ours)
      add("https://" .. authority .. link.path .. "/", ours)
    end
  end
  return known
end

-- Whether a link is that of a pod, by where the slashes before its authority are.
local function is_link(text, at, link, from)
  local start = at - link.before
  return start >= from and sub(text, start, start + link.length - 1) == link.theirs
end

local function link_at(text, at, links, from)
  for index = 1, #links do
    local link = links[index]
    if is_link(text, at, link, from) then
      if not link.short then links.likely = link end
      return link
    end
  end
end

-- Lets the links of a text lead here; none is cut off at its ends. `at`: where the first may be.
local function with_led_links(text, from, to, links, at)
  local by_authority, longest, copied = links.by_authority, links.longest, from
  written:reset()
  while at and at <= to do
    local next = at + 2
    local stop = find(text, "/", next, true)
    if not stop then break end
    if stop - next <= longest then
      local known = by_authority[sub(text, next, stop - 1)]
      if known then
        local link = known.likely
        if not link or not is_link(text, at, link, copied) then
          link = link_at(text, at, known, copied)
        end
        if link then
          local start = at - link.before
          written:put(sub(text, copied, start - 1), link.ours)
          copied = start + link.length
          next = copied
        end
      end
    end
    at = find(text, "//", next, true)
  end
  return as_written(text, from, to, copied)
end

-- Lets the pod's URLs in a text, and those it made of the client's Host and a path of its own, lead
-- here.
local function with_links(text, cluster, scheme, authority)
  local links = links_of(cluster, scheme, authority)
  local at = links.any and find(text, "//", 1, true)
  if not at then return text end
  return (with_led_links(text, 1, #text, links, at))
end

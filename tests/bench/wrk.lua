-- What wrk sends, and how it reports: one line of JSON.
--   mode: fixed | each    each: "{id}" in the path is an id nobody has asked for before
--   start: the number of the first id
-- With REQUESTS_A_SECOND in the environment requests are due at times that chance chooses, as those of
-- many clients are, and wait for no answer while a connection is free.
local method, path, body, start, headers, count, threads

function setup(thread)
  threads = (threads or 0) + 1
  thread:set("thread_number", threads - 1)
end

function init(args)
  method, path, start, body = args[1], args[2], tonumber(args[3]), args[4]
  headers = { ["x-auth-token"] = args[5], ["accept"] = "application/json" }
  if body == "" then body = nil else headers["content-type"] = "application/json" end
  count = 0
  fixed = nil
  if not path:find("{id}", 1, true) then
    fixed = wrk.format(method, path, headers, body)
  end
end

function request()
  if fixed then return fixed end
  -- Threads take turns of a million, so that none asks what another has asked.
  local number = start + thread_number * 1000000 + count
  count = count + 1
  local id = string.format("%08x-0000-4000-8000-%012x", number, number)
  return wrk.format(method, (path:gsub("{id}", id)), headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %f, "bytes": %d, "failed": %d, ' ..
    '"p50": %f, "p95": %f, "p99": %f, "max": %f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    latency:percentile(99) / 1000, latency.max / 1000))
end

local rate = tonumber(os.getenv("REQUESTS_A_SECOND"))
if rate then
  local ffi = require("ffi")
  ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int, moment *);")
  local moment, MONOTONIC = ffi.new("moment"), 1
  local due

  -- Milliseconds until the next request is due; wrk asks once for each.
  function delay()
    ffi.C.clock_gettime(MONOTONIC, moment)
    local now = tonumber(moment.s) * 1000 + tonumber(moment.ns) / 1e6
    due = (due or now) - math.log(1 - math.random()) * 1000 / rate
    return math.max(0, math.floor(due - now + 0.5))
  end
end

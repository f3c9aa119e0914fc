-- What wrk sends, and how it reports: one line of JSON.
--   mode: fixed | each    each: "{id}" in the path is an id nobody has asked for before
--   start: the number of the first id
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

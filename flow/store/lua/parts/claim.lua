-- claim: one job becomes this execution's, if it is still to be run.
-- Small payloads travel with it, up to `room` bytes; a large one is fetched apart.
-- Returns nil when the id is a leftover, else the claim as the codec reads it.
local INLINE = 65536

local function describe(queue, id, execution, room)
  local key = 'rq:job:' .. id
  local size = redis.call('HSTRLEN', key, 'data')
  local inline = size <= INLINE and size <= room
  local fields = redis.call('HMGET', key, 'timeout', 'result_ttl', 'failure_ttl', 'retries_left',
    'retry_intervals', 'flow_attempts', 'flow_on_crash', 'flow_unknown_since',
    inline and 'data' or 'flow_none', 'flow_timeout')
  return { queue, id, execution, inline and 1 or 0, fields }, inline and size or 0
end

local function claim(queue, id, execution, worker, now, iso)
  local key = 'rq:job:' .. id
  -- pcall: a key of another type under this name must not stop the queue.
  local fields = redis.pcall('HMGET', key, 'status', 'timeout', 'ttl')
  if fields.err or fields[1] ~= 'queued' then
    return false
  end
  if fields[3] then
    -- It must not expire while it runs, and must keep its ttl if it goes back.
    local left = redis.call('PTTL', key)
    if left > 0 then
      redis.call('HSET', key, 'flow_expires', string.format('%.0f', now * 1000 + left))
      redis.call('PERSIST', key)
    end
  end
  local limit = tonumber(fields[2] or 180) or 180
  -- Far beyond its end, so that RQ's own readers never take it for abandoned.
  local score = now + 86400 + (limit < 0 and 315360000 or limit)
  redis.call('ZADD', 'rq:wip:' .. queue, string.format('%.17g', score), id .. ':' .. execution)
  redis.call('HSET', key, 'status', 'started', 'started_at', iso,
    'last_heartbeat', iso, 'worker_name', worker)
  return true
end

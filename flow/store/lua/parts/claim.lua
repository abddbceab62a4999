-- claim: one job becomes this execution's, if it is still to be run.
-- Small payloads travel with it, up to `room` bytes; a large one is fetched apart.
-- Returns nil when the id is a leftover, else the claim as the codec reads it, and the
-- bytes of its payload.
local INLINE = 65536
local NOTHING = {}
for index = 1, 17 do
  NOTHING[index] = false
end

-- What the codec reads of a job, behind the four that only `claim` needs.
local function read(id, room)
  local key = 'rq:job:' .. id
  -- pcall: a key of another type under this name must not stop the queue.
  local size = redis.pcall('HSTRLEN', key, 'data')
  if type(size) ~= 'number' then
    return nil
  end
  local inline = size <= INLINE and size <= room
  return redis.call('HMGET', key, 'timeout', 'result_ttl', 'failure_ttl', 'retries_left',
    'retry_intervals', 'flow_attempts', 'flow_on_crash', 'flow_unknown_since',
    inline and 'data' or 'flow_none', 'flow_timeout', 'status', 'ttl',
    'success_callback_name', 'failure_callback_name', 'webhooks', 'repeats_left', 'ended_at'),
    inline, inline and size or 0
end

local function describe(queue, id, execution, room)
  local fields, inline, size = read(id, room)
  return { queue, id, execution, inline and 1 or 0, fields or NOTHING }, size or 0
end

-- holding: the wip members of what was claimed, as score, member, ...
local holding = {}

-- hold: what was claimed of a queue is in its started registry.
local function hold(queue)
  if #holding > 0 then
    redis.call('ZADD', 'rq:wip:' .. queue, unpack(holding))
    holding = {}
  end
end

-- `hold` completes it.
local function claim(queue, id, execution, worker, now, iso, room)
  local key = 'rq:job:' .. id
  local fields, inline, size = read(id, room)
  if not fields or fields[11] ~= 'queued' then
    return nil
  end
  if fields[12] then
    -- It must not expire while it runs, and must keep its ttl if it goes back.
    local left = redis.call('PTTL', key)
    if left > 0 then
      redis.call('HSET', key, 'flow_expires', string.format('%.0f', now * 1000 + left))
      redis.call('PERSIST', key)
    end
  elseif fields[17] then
    -- A job that RQ's tools queued again has the ttl of its failure still.
    redis.call('PERSIST', key)
  end
  local limit = tonumber(fields[1] or 180) or 180
  -- Far beyond its end, so that RQ's own readers never take it for abandoned.
  local score = now + 86400 + (limit < 0 and 315360000 or limit)
  holding[#holding + 1] = string.format('%.17g', score)
  holding[#holding + 1] = id .. ':' .. execution
  redis.call('HSET', key, 'status', 'started', 'started_at', iso,
    'last_heartbeat', iso, 'worker_name', worker)
  return { queue, id, execution, inline and 1 or 0, fields }, size
end

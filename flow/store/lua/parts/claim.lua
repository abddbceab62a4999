-- claim: one job becomes this execution's, if it is still to be run.
-- Small payloads travel with it, up to `room` bytes; a large one is fetched apart.
-- Adds it to `claims` as the codec reads it, and returns the bytes of its payload; nil when
-- the id is a leftover.
local INLINE = 65536
local SENT = 14 -- fields of a job that the codec reads; the three behind them `claim` needs
local NOTHING = {}
for index = 1, SENT do
  NOTHING[index] = false
end

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
    inline and 'data' or 'flow_none', 'flow_timeout', 'success_callback_name',
    'failure_callback_name', 'webhooks', 'repeats_left', 'status', 'ttl', 'ended_at'),
    inline, inline and size or 0
end

-- answer_with: a claim's values go to an answer, in a row: a table each costs the server more
-- than all else of the answer.
local function answer_with(claims, queue, id, execution, inline, fields)
  local at = #claims + 4
  claims[at - 3], claims[at - 2], claims[at - 1] = queue, id, execution
  claims[at] = inline and 1 or 0
  for index = 1, SENT do
    claims[at + index] = fields[index]
  end
end

-- repeat_claim: the same of a job that was claimed before; returns the bytes of its payload.
local function repeat_claim(claims, queue, id, execution, room)
  local fields, inline, size = read(id, room)
  answer_with(claims, queue, id, execution, inline, fields or NOTHING)
  return size or 0
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
local function claim(claims, queue, id, execution, worker, now, iso, room)
  local key = 'rq:job:' .. id
  local fields, inline, size = read(id, room)
  if not fields or fields[15] ~= 'queued' then
    return nil
  end
  if fields[16] then
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
  holding[#holding + 1] = whole(now + 86400 + (limit < 0 and 315360000 or limit))
  holding[#holding + 1] = id .. ':' .. execution
  redis.call('HSET', key, 'status', 'started', 'started_at', iso,
    'last_heartbeat', iso, 'worker_name', worker)
  answer_with(claims, queue, id, execution, inline, fields)
  return size
end

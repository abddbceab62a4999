-- adopt: entries of rq-scheduler that are due become jobs, each once, whoever asks.
-- rq-scheduler keeps one job for all ticks of an entry: while that waits or runs, a tick is
-- left out. Its lock is taken while there are entries; held by another, they are left alone.
-- KEYS  1 rq:scheduler:scheduled_jobs   2 rq:scheduler_lock
-- ARGV  1 now (ISO)   2 seconds to hold the lock
--       then for each entry: job, its score, the next score or '', the new meta or ''
-- Returns for each: fired, busy, gone, stale or early; or nothing when another has the lock.
-- use: clock line limit push
local OWNER = 'flow'
local BUSY = { queued = true, started = true, deferred = true }
local now, answers = seconds(), {}

local owner = redis.call('GET', KEYS[2])
if owner and owner ~= OWNER then
  return answers
end
redis.call('SET', KEYS[2], OWNER, 'EX', ARGV[2])

local function move(id, following)
  if following == '' then
    redis.call('ZREM', KEYS[1], id)
  else
    redis.call('ZADD', KEYS[1], following, id)
  end
end

local function turn(id, score, following, meta)
  local key = 'rq:job:' .. id
  local stands = redis.call('ZSCORE', KEYS[1], id)
  if not stands or tonumber(stands) ~= tonumber(score) then
    return 'stale'
  end
  if tonumber(score) > now then
    return 'early'
  end
  local fields = redis.pcall('HMGET', key, 'status', 'origin', 'enqueue_at_front')
  if fields.err or not fields[2] then
    redis.call('ZREM', KEYS[1], id)
    return 'gone'
  end
  move(id, following)
  if BUSY[fields[1]] then
    return 'busy'
  end
  if meta ~= '' then
    redis.call('HSET', key, 'meta', meta)
  end
  for _, registry in ipairs({ 'finished', 'failed', 'canceled' }) do
    redis.call('ZREM', 'rq:' .. registry .. ':' .. fields[2], id)
  end
  push(fields[2], id, fields[3] == '1', ARGV[1])
  -- Neither its ttl nor what is left of an earlier result's time may end the job while it
  -- waits: the entry would end with it.
  redis.call('PERSIST', key)
  return 'fired'
end

for at = 3, #ARGV, 4 do
  answers[#answers + 1] = turn(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
return answers

-- sweep: what others left behind: workers that were killed, RQ's workers that died between two
-- steps, waiting rooms with jobs that are gone, canceled jobs that RQ's client keeps for ever. A
-- handful of each in one call.
-- KEYS  1 rq:workers   2 the host's roles; or none
-- ARGV  1 now (ISO)   2 how many of each   3 seconds after which a silent role is gone
--       then the queues
-- Returns how many entries left, how many jobs went to their queues, and the jobs that have
-- waited for a minute for others that are gone.
-- use: clock line limit push orphan canceled
local iso, limit, silence = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local MINUTE, MANY = 60, 500
local now = seconds()
local left, queued, orphans = 0, 0, {}

-- pcall wherever a key is read: one that others spoilt must not keep the rest from being swept.
local function all(...)
  local found = redis.pcall(...)
  return type(found) == 'table' and not found.err and found or {}
end

-- A worker serves many queues, and is asked about once.
local is_missing = {}

local function missing(key)
  if is_missing[key] == nil then
    is_missing[key] = redis.call('EXISTS', key) == 0
  end
  return is_missing[key]
end

-- Its hash has expired, so nobody has beaten for it for a minute.
local function forget_workers(set)
  local dead = {}
  for _, key in ipairs(all('SMEMBERS', set)) do
    if #dead < MANY and missing(key) then
      dead[#dead + 1] = key
    end
  end
  if #dead > 0 then
    left = left + redis.call('SREM', set, unpack(dead))
  end
end

-- RQ 3 writes what its dependents become in two steps, and may die between them.
local function ready(queue)
  local key = 'rq:ready:' .. queue
  for _, id in ipairs(all('ZRANGEBYSCORE', key, 0, now - MINUTE, 'LIMIT', 0, limit)) do
    left = left + redis.call('ZREM', key, id)
    local fields = all('HMGET', 'rq:job:' .. id, 'status', 'enqueue_at_front')
    if fields[1] == 'ready_to_enqueue' then
      push(queue, id, fields[2] == '1', iso)
      queued = queued + 1
    end
  end
end

-- Whether it has been one for a minute; who makes its parents anew has that long.
local function is_long_orphan(id)
  local key = 'rq:job:' .. id
  local since = redis.call('HGET', key, 'flow_orphaned')
  if not is_orphan(id) then
    if since then
      redis.call('HDEL', key, 'flow_orphaned')
    end
    return false
  end
  if not since then
    redis.call('HSET', key, 'flow_orphaned', string.format('%.17g', now))
  end
  return since and tonumber(since) < now - MINUTE
end

-- Some at random: what is there to be found is found in a few turns.
local function waiting_room(queue)
  local key = 'rq:deferred:' .. queue
  for _, id in ipairs(all('ZRANDMEMBER', key, limit)) do
    if redis.call('EXISTS', 'rq:job:' .. id) == 0 then
      left = left + redis.call('ZREM', key, id)
      redis.call('DEL', 'rq:job::' .. id .. ':dependencies')
    else
      local fine, is_long = pcall(is_long_orphan, id)
      orphans[#orphans + 1] = fine and is_long and id or nil
    end
  end
end

local function canceled(queue)
  for _, id in ipairs(all('ZRANDMEMBER', 'rq:canceled:' .. queue, limit)) do
    let_expire(id)
  end
end

for at = 4, #ARGV do
  local queue = ARGV[at]
  forget_workers('rq:workers:' .. queue)
  ready(queue)
  waiting_room(queue)
  canceled(queue)
end

if KEYS[1] then
  forget_workers(KEYS[1])
  local roles = all('HGETALL', KEYS[2])
  for at = 1, #roles, 2 do
    if (tonumber(roles[at + 1]) or 0) < now - silence then
      left = left + redis.call('HDEL', KEYS[2], roles[at])
    end
  end
end
return { left, queued, orphans }

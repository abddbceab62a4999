-- enqueue: jobs are written and go to their queues, or wait for a time or for other jobs.
-- A repeated call (its reply was lost) changes nothing: a job that exists is left alone.
-- ARGV  1 token of this call   then for each job: id, queue, chosen (0/1), where (back, front,
--       at or in), due (unix seconds for at, seconds for in), ttl or 0, number of parents, the parents,
--       number of field values, the fields and values
-- Returns for each job: 1 enqueued, 0 there already, or the id of a parent that is missing.
-- use: clock push
local answers, at = {}, 2
local ACTIVE = { queued = true, started = true, scheduled = true, deferred = true, created = true }

local function take()
  at = at + 1
  return ARGV[at - 1]
end

local function take_many()
  local many = {}
  for _ = 1, tonumber(take()) do
    many[#many + 1] = take()
  end
  return many
end

-- A chosen id may be used again once its job has ended; the old result must not be taken
-- for the new one's.
local function cleared(id, key, chosen)
  local old = redis.call('HMGET', key, 'status', 'flow_token', 'origin')
  if not old[1] then
    return true
  end
  if not chosen or ACTIVE[old[1]] or old[2] == ARGV[1] then
    return false
  end
  for _, registry in ipairs({ 'finished', 'failed', 'canceled', 'deferred' }) do
    redis.call('ZREM', 'rq:' .. registry .. ':' .. (old[3] or ''), id)
  end
  redis.call('DEL', key, 'rq:results:' .. id)
  return true
end

local function unmet(parents)
  local waits = {}
  for _, parent in ipairs(parents) do
    local status = redis.call('HGET', 'rq:job:' .. parent, 'status')
    if not status then
      return nil, parent
    end
    if status ~= 'finished' then
      waits[#waits + 1] = parent
    end
  end
  return waits
end

local function place(id, queue, where, due, ttl, waits, fields)
  local key = 'rq:job:' .. id
  redis.call('HSET', key, unpack(fields))
  if ttl > 0 then
    redis.call('EXPIRE', key, ttl)
  end
  if #waits > 0 then
    redis.call('HSET', key, 'status', 'deferred')
    redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
    redis.call('ZADD', 'rq:deferred:' .. queue, redis.call('TIME')[1], id)
    for _, parent in ipairs(waits) do
      redis.call('SADD', 'rq:job:' .. parent .. ':dependents', id)
      redis.call('SADD', 'rq:job::' .. id .. ':dependencies', parent)
    end
  elseif where == 'at' or where == 'in' then
    schedule(queue, id, tonumber(due) + (where == 'in' and seconds() or 0))
  else
    redis.call('HSET', key, 'status', 'queued')
    redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
    redis.call(where == 'front' and 'LPUSH' or 'RPUSH', 'rq:queue:' .. queue, id)
  end
end

while at <= #ARGV do
  local id, queue, chosen = take(), take(), take() == '1'
  local where, due, ttl = take(), take(), tonumber(take())
  local parents, fields = take_many(), take_many()
  local waits, missing = unmet(parents)
  if missing then
    answers[#answers + 1] = missing
  elseif cleared(id, 'rq:job:' .. id, chosen) then
    if chosen then
      fields[#fields + 1] = 'flow_token'
      fields[#fields + 1] = ARGV[1]
    end
    place(id, queue, where, due, ttl, waits, fields)
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 0
  end
end
return answers

-- enqueue: jobs are written and go to their queues, or wait for a time or for other jobs.
-- A repeated call (its reply was lost) changes nothing: a job that exists is left alone.
-- ARGV  1 token of this call   then for each job: id, queue, chosen (0/1), where (back, front,
--       at or in), due (unix seconds for at, seconds for in), ttl or 0, number of parents, the parents,
--       number of field values, the fields and values
-- Returns for each job: 1 enqueued, 0 there already, or the id of a parent that is missing.
-- use: clock push
local answers, at, fleeting = {}, 2, false
local MEMORY = 'flow:enqueued:' .. ARGV[1]
local ACTIVE = { queued = true, started = true, scheduled = true, deferred = true, created = true }

-- A job whose result is not kept leaves nothing by which a repeated call could know it.
local remembered = redis.call('GET', MEMORY)
if remembered then
  return cmsgpack.unpack(remembered)
end

local function leaves_nothing(fields)
  for index = 1, #fields, 2 do
    if fields[index] == 'result_ttl' then
      return fields[index + 1] == '0'
    end
  end
  return false
end

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

-- A chosen id may be used again once its job has ended.
local function taken(key, chosen)
  local old = redis.call('HMGET', key, 'status', 'flow_token')
  return old[1] and (not chosen or ACTIVE[old[1]] or old[2] == ARGV[1])
end

-- The old result must not be taken for the new one's.
local function clear(id, key)
  local old = redis.call('HMGET', key, 'status', 'origin')
  if not old[1] then
    return
  end
  for _, registry in ipairs({ 'finished', 'failed', 'canceled', 'deferred' }) do
    redis.call('ZREM', 'rq:' .. registry .. ':' .. (old[2] or ''), id)
  end
  redis.call('DEL', key, 'rq:results:' .. id)
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
    -- It counts from when the job may run.
    local ahead = where == 'in' and tonumber(due) or where == 'at' and tonumber(due) - seconds() or 0
    redis.call('EXPIRE', key, string.format('%.0f', ttl + math.max(0, math.ceil(ahead))))
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
  -- First: in a repeated call, the parents may have come and gone meanwhile.
  if taken('rq:job:' .. id, chosen) then
    answers[#answers + 1] = 0
  elseif missing then
    answers[#answers + 1] = missing
  else
    clear(id, 'rq:job:' .. id)
    if chosen then
      fields[#fields + 1] = 'flow_token'
      fields[#fields + 1] = ARGV[1]
    end
    place(id, queue, where, due, ttl, waits, fields)
    fleeting = fleeting or leaves_nothing(fields)
    answers[#answers + 1] = 1
  end
end
if fleeting then
  redis.call('SET', MEMORY, cmsgpack.pack(answers), 'EX', 120)
end
return answers

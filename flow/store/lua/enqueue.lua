-- enqueue: jobs are written and go to their queues, or wait for a time or for other jobs.
-- A repeated call (its reply was lost) changes nothing: a job that exists is left alone.
-- ARGV  1 token of this call   2 whether a job may leave nothing when it ends (0/1)
--       then for each batch of jobs that are alike: queue, chosen (0/1), where (back, front, at
--       or in), due (unix seconds for at, seconds for in), ttl or 0, number of parents, the
--       parents, number of field values, the fields and values, number of jobs,
--       then for each job: id, data, description
-- Returns for each job: 1 enqueued, 0 there already, or the id of a parent that is missing.
-- use: clock line
local answers, at = {}, 3
local TOKEN, FLEETING = ARGV[1], ARGV[2] == '1'
local MEMORY = 'flow:enqueued:' .. TOKEN
local ACTIVE = {
  queued = true, started = true, scheduled = true, deferred = true, created = true,
  rate_limited = true, ready_to_enqueue = true,
}

-- A job whose result or failure is not kept leaves nothing by which a repeated call could know it.
local remembered = FLEETING and redis.call('GET', MEMORY)
if remembered then
  return cmsgpack.unpack(remembered)
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

local function take_batch()
  return {
    queue = take(), chosen = take() == '1',
    where = take(), due = tonumber(take()), ttl = tonumber(take()),
    parents = take_many(), fields = take_many(), count = tonumber(take()),
  }
end

-- Which parents have not finished, and which of them have ended otherwise; nil and its id when
-- one is not there.
local function unmet(parents)
  local waits = { ended = {} }
  for _, parent in ipairs(parents) do
    local status = redis.call('HGET', 'rq:job:' .. parent, 'status')
    if not status then
      return nil, parent
    end
    if status ~= 'finished' then
      waits[#waits + 1] = parent
      waits.ended[parent] = not ACTIVE[status]
    end
  end
  return waits
end

-- A chosen id may be used again once its job has ended.
local function taken(key, chosen)
  if not chosen then
    return redis.call('EXISTS', key) == 1
  end
  local old = redis.call('HMGET', key, 'status', 'flow_token')
  return old[1] and (ACTIVE[old[1]] or old[2] == TOKEN)
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
  redis.call('HDEL', 'flow:releasing', id)
  -- Those that still wait for it wait for the new one.
  redis.call('PERSIST', key .. ':dependents')
end

local function expire(key, batch)
  -- It counts from when the job may run; `push` begins it where that is not known yet.
  local ahead = batch.where == 'in' and batch.due or batch.where == 'at' and batch.due - seconds() or 0
  redis.call('EXPIRE', key, string.format('%.0f', batch.ttl + math.max(0, math.ceil(ahead))))
end

-- The child waits for a parent; if that has ended badly, this is forgotten with it.
local function wait_for(parent, id, has_ended)
  local key = 'rq:job:' .. parent
  redis.call('SADD', key .. ':dependents', id)
  local left = has_ended and redis.call('PTTL', key) or 0
  if left > 0 then
    redis.call('PEXPIRE', key .. ':dependents', left)
  end
end

local function defer(queue, id, waits)
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  redis.call('ZADD', 'rq:deferred:' .. queue, redis.call('TIME')[1], id)
  for from = 1, #waits, 400 do
    redis.call('SADD', 'rq:job::' .. id .. ':dependencies',
      unpack(waits, from, math.min(from + 399, #waits)))
  end
  for _, parent in ipairs(waits) do
    wait_for(parent, id, waits.ended[parent])
  end
end

local function push_many(batch, ids)
  local key = 'rq:queue:' .. batch.queue
  local length = redis.call(batch.where == 'front' and 'LPUSH' or 'RPUSH', key, unpack(ids))
  if length == #ids then
    redis.call('SADD', 'rq:queues', key) -- it was empty, so it may be new
  end
end

-- The fields that all have, with room for what each has of its own.
local function template(batch, waits)
  local fields = batch.fields
  local own = #fields
  fields[own + 1], fields[own + 3], fields[own + 5] = 'data', 'description', 'status'
  local later = batch.where == 'at' or batch.where == 'in'
  fields[own + 6] = #waits > 0 and 'deferred' or later and 'scheduled' or 'queued'
  if batch.chosen then
    fields[own + 7], fields[own + 8] = 'flow_token', TOKEN
  end
  return own, fields[own + 6]
end

local function write(batch, waits, missing)
  local own, status = template(batch, waits or {})
  local ready = {}
  for _ = 1, batch.count do
    local id, data, description = take(), take(), take()
    local key = 'rq:job:' .. id
    -- First: in a repeated call, the parents may have come and gone meanwhile.
    if taken(key, batch.chosen) then
      answers[#answers + 1] = 0
    elseif missing then
      answers[#answers + 1] = missing
    else
      if batch.chosen then
        clear(id, key)
      end
      batch.fields[own + 2], batch.fields[own + 4] = data, description
      redis.call('HSET', key, unpack(batch.fields))
      if batch.ttl > 0 and status ~= 'deferred' then
        expire(key, batch)
      end
      if status == 'queued' then
        ready[#ready + 1] = id
      elseif status == 'deferred' then
        defer(batch.queue, id, waits)
      else
        schedule(batch.queue, id, batch.due + (batch.where == 'in' and seconds() or 0))
      end
      answers[#answers + 1] = 1
    end
  end
  if #ready > 0 then
    push_many(batch, ready)
  end
end

while at <= #ARGV do
  local batch = take_batch()
  write(batch, unmet(batch.parents))
end
if FLEETING then
  redis.call('SET', MEMORY, cmsgpack.pack(answers), 'EX', 120)
end
return answers

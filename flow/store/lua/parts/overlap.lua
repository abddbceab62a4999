-- What a schedule's policy says to a tick while its job before, `last`, has not ended.
local WAITS = { queued = true, scheduled = true, deferred = true, created = true }
local overlap = {}

local function ended(id)
  local status = redis.call('HGET', 'rq:job:' .. id, 'status')
  return not (status and (status == 'started' or WAITS[status]))
end

function overlap.allow()
  return nil
end

function overlap.skip()
  return 'overlap'
end

-- One may wait for the end of the one that runs; a third is left out.
function overlap.queue_one(last)
  if redis.call('HGET', 'rq:job:' .. last, 'status') ~= 'started' then
    return 'overlap'
  end
  return nil, last
end

function overlap.cancel_previous(last, iso, now)
  local key = 'rq:job:' .. last
  local fields = redis.call('HMGET', key, 'status', 'origin', 'worker_name', 'failure_ttl')
  if fields[1] == 'queued' then
    redis.call('LREM', 'rq:queue:' .. fields[2], 1, last)
  elseif fields[1] == 'started' then
    -- Its outcome is refused from now on; a worker that listens stops it at once.
    redis.call('PUBLISH', 'rq:pubsub:' .. (fields[3] or ''),
      cjson.encode({ command = 'stop-job', job_id = last }))
  else
    redis.call('ZREM', 'rq:' .. fields[1] .. ':' .. fields[2], last)
  end
  redis.call('HSET', key, 'status', 'canceled', 'ended_at', iso)
  redis.call('ZADD', 'rq:canceled:' .. fields[2], string.format('%.0f', now / 1000), last)
  keep_canceled(last, fields[4])
  return nil
end

-- A job that waits for one that is gone (canceled, deleted) goes to its queue after all.
local function unstick(id, iso)
  local fields = redis.call('HMGET', 'rq:job:' .. id, 'status', 'dependency_id', 'origin')
  if fields[1] == 'deferred' and fields[2] and ended(fields[2]) then
    redis.call('ZREM', 'rq:deferred:' .. fields[3], id)
    redis.call('SREM', 'rq:job:' .. fields[2] .. ':dependents', id)
    redis.call('DEL', 'rq:job::' .. id .. ':dependencies')
    push(fields[3], id, false, iso)
  end
end

-- after: a job that was just written waits for `parent`, however that ends.
local function after(parent, id, queue, now)
  redis.call('HSET', 'rq:job:' .. id, 'dependency_id', parent,
    'dependency_ids', cjson.encode({ parent }), 'allow_dependency_failures', '1')
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  redis.call('ZADD', 'rq:deferred:' .. queue, string.format('%.0f', now / 1000), id)
  redis.call('SADD', 'rq:job:' .. parent .. ':dependents', id)
  redis.call('SADD', 'rq:job::' .. id .. ':dependencies', parent)
end

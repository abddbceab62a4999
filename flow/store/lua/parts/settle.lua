-- settle: one execution's outcome becomes the job's state.
-- o: queue, id, execution, ending, ISO end, started, ended, value, ttl, delay, error,
--    and had_parents, which the fence adds
-- Returns nil, or what the fence refused it for.
local settlers = {}

-- outcomes_from: those that ARGV lists from there on, in groups: queue, ending, ttl, delay, error
-- and how many, which all of a group share, then job, execution, ISO end, started, ended, value.
local function outcomes_from(at)
  local outcomes, count = {}, 0
  while at < #ARGV do
    local queue, ending, error = ARGV[at], ARGV[at + 1], ARGV[at + 4]
    local ttl, delay, many = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 5])
    for one = at + 6, at + 6 * many, 6 do
      count = count + 1
      outcomes[count] = {
        queue = queue, ending = ending, ttl = ttl, delay = delay, error = error,
        id = ARGV[one], execution = ARGV[one + 1], iso = ARGV[one + 2],
        started = ARGV[one + 3], ended = ARGV[one + 4], value = ARGV[one + 5],
      }
    end
    at = at + 6 + 6 * many
  end
  return outcomes
end

function settlers.finished(o, worker, now)
  local waited_for = release(o.id, 'finished', o.iso)
  if o.ttl == 0 then
    return forget(o.id)
  end
  redis.call('HSET', 'rq:job:' .. o.id, 'status', 'finished', 'ended_at', o.iso)
  record(o.id, 1, worker, o.execution, o.started, o.ended, 'return_value', o.value)
  keep('finished', o.queue, o.id, o.ttl, now, o.had_parents, waited_for)
end

-- It finished, and runs again as RQ's Repeat says.
function settlers.repeated(o, worker)
  local key = 'rq:job:' .. o.id
  local intervals = cjson.decode(redis.call('HGET', key, 'repeat_intervals') or '[]')
  local wait = tonumber(intervals[1]) or 0
  if #intervals > 1 then
    table.remove(intervals, 1)  -- the last one counts for all that follow
    redis.call('HSET', key, 'repeat_intervals', cjson.encode(intervals))
  end
  release(o.id, 'finished', o.iso)
  redis.call('HINCRBY', key, 'repeats_left', -1)
  redis.call('HSET', key, 'ended_at', o.iso)
  redis.call('HDEL', key, 'flow_attempts', 'flow_crashes')
  if o.ttl ~= 0 then
    record(o.id, 1, worker, o.execution, o.started, o.ended, 'return_value', o.value)
    expire('rq:results:' .. o.id, o.ttl)
  end
  if wait > 0 then
    return schedule(o.queue, o.id, seconds() + wait)
  end
  push(o.queue, o.id, false, o.iso)
end

local function fail(o, worker, now, kind, name)
  redis.call('HSET', 'rq:job:' .. o.id, 'status', 'failed', 'ended_at', o.iso)
  local waited_for = release(o.id, 'failed', o.iso)
  record(o.id, kind, worker, o.execution, o.started, o.ended, name, o.value)
  keep('failed', o.queue, o.id, o.ttl, now, o.had_parents, waited_for)
end

function settlers.failed(o, worker, now)
  fail(o, worker, now, 2, 'exc_string')
end

function settlers.exhausted(o, worker, now)
  fail(o, worker, now, 5, 'return_value')
end

-- Among the dead letters, as RQ has it; and as there, what waits for it goes on waiting, also
-- where a failure would be good enough.
function settlers.stopped(o, worker, now)
  redis.call('HSET', 'rq:job:' .. o.id, 'status', 'stopped', 'ended_at', o.iso)
  record(o.id, 2, worker, o.execution, o.started, o.ended, 'exc_string', o.value)
  local waited_for = redis.call('EXISTS', 'rq:job:' .. o.id .. ':dependents') == 1
  keep('failed', o.queue, o.id, o.ttl, now, o.had_parents, waited_for)
end

function settlers.retry(o, _, now)
  local key = 'rq:job:' .. o.id
  redis.call('HINCRBY', key, 'retries_left', -1)
  redis.call('HINCRBY', key, 'flow_attempts', 1)
  redis.call('HSET', key, 'ended_at', o.iso, 'flow_error', o.error)
  if o.delay > 0 then
    return schedule(o.queue, o.id, now + o.delay)
  end
  push(o.queue, o.id, redis.call('HGET', key, 'enqueue_at_front_on_retry') == '1', o.iso)
end

settlers.asked = settlers.retry

-- It returned RQ's Retry (record types: 4 retried, 5 no retry is left).
local function returned(o, worker, now, first)
  local key = 'rq:job:' .. o.id
  redis.call('HINCRBY', key, 'number_of_retries', 1)
  redis.call('HSET', key, 'ended_at', o.iso, 'flow_error', o.error)
  if first then
    redis.call('HSET', key, 'enqueue_at_front_on_retry', '1')
  end
  record(o.id, 4, worker, o.execution, o.started, o.ended, 'return_value', o.value)
  expire('rq:results:' .. o.id, o.ttl)
  if o.delay > 0 then
    return schedule(o.queue, o.id, now + o.delay)
  end
  push(o.queue, o.id, redis.call('HGET', key, 'enqueue_at_front_on_retry') == '1', o.iso)
end

function settlers.returned(o, worker, now)
  returned(o, worker, now, false)
end

function settlers.returned_first(o, worker, now)
  returned(o, worker, now, true)
end

-- The job gave itself up: as if it had been canceled, with its reason.
function settlers.discarded(o, _, now)
  local waited_for = release(o.id, 'canceled', o.iso)
  if o.ttl == 0 then
    return forget(o.id)
  end
  redis.call('HSET', 'rq:job:' .. o.id, 'status', 'canceled', 'ended_at', o.iso,
    'flow_discarded', o.error)
  keep('canceled', o.queue, o.id, o.ttl, now, o.had_parents, waited_for)
end

function settlers.postponed(o, _, now)
  redis.call('HSETNX', 'rq:job:' .. o.id, 'flow_unknown_since', string.format('%.17g', now))
  schedule(o.queue, o.id, now + o.delay)
end

function settlers.interrupted(o)
  push(o.queue, o.id, true, o.iso)
end

local function settle(o, worker, now)
  local ran = o.ended - o.started
  if ran > 1 or ran < 0 then
    -- `owned` shows nothing shorter. Below 0 the clock was set back, and nobody knows.
    hide(o.id, o.execution, worker)
  end
  local refused, had_parents, limit = may_write(o.id, o.held)
  if refused then
    if limit then
      pcall(free_slot, limit, o.id, o.iso)
    end
    return refused
  end
  o.had_parents = had_parents
  -- A key of another type in the way of one outcome must not hold up the others.
  local written, fault = pcall(settlers[o.ending], o, worker, now)
  if not written then
    fault = type(fault) == 'table' and fault.err or fault
    redis.call('HSET', 'rq:job:' .. o.id, 'status', 'failed', 'ended_at', o.iso)
    redis.pcall('ZADD', 'rq:failed:' .. o.queue, string.format('%.17g', now + 31536000), o.id)
    redis.call('EXPIRE', 'rq:job:' .. o.id, 31536000)
  end
  if limit then
    pcall(free_slot, limit, o.id, o.iso)
  end
  return not written and 'kept from it by ' .. tostring(fault) or nil
end

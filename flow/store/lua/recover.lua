-- recover: what a dead process held goes back to the head of its queue, or is a dead letter.
-- ARGV  1 now (ISO)   2 unix seconds   3 crashes allowed   4 seconds to keep a dead letter
--       5 worker name   6 the packed text of the failure
--       then queue, job, execution, how (claimed, loading, stopped, crashed) and the packed
--       call that tells of its end, of each, newest first
-- Returns the ids put back, and the ids that are dead letters now.
-- use: clock line limit push dependents keep canceled fence shown aftermath
local iso, allowed, ttl = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = seconds()
local back, dead = {}, {}

local function must_end(key, how, execution)
  if how == 'claimed' then
    return false
  end
  local crashes = how == 'stopped' and 0 or redis.call('HINCRBY', key, 'flow_crashes', 1)
  -- What was claimed and never started may run again, whatever it says.
  local fields = redis.call('HMGET', key, 'flow_on_crash', 'flow_started')
  return fields[1] == 'fail' and fields[2] == execution or crashes >= allowed
end

-- Whoever recovers it may not know the worker that it died with.
local function ran_by(id)
  local name = redis.pcall('HGET', 'rq:job:' .. id, 'worker_name')
  return type(name) == 'string' and name or ''
end

for at = 7, #ARGV, 5 do
  local queue, id, execution, how = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  hide(id, execution, ran_by(id))
  local refused, had_parents, limit = fence(queue, id, execution)
  if not refused then
    local key = 'rq:job:' .. id
    if must_end(key, how, execution) then
      local kept = tonumber(redis.call('HGET', key, 'failure_ttl') or ttl) or ttl
      redis.call('HSET', key, 'status', 'failed', 'ended_at', iso)
      local waited_for = release(id, 'failed', iso)
      record(id, 2, ARGV[5], execution, ARGV[2], ARGV[2], 'exc_string', ARGV[6])
      if wants_to_hear(id, 'crashed') then
        tell(queue, id, execution, ARGV[at + 4], iso)
      end
      keep('failed', queue, id, kept, now, had_parents, waited_for)
      dead[#dead + 1] = id
    else
      push(queue, id, true, iso)
      back[#back + 1] = id
    end
  end
  if limit then
    pcall(free_slot, limit, id, iso)
  end
end
file_all()
return { back, dead }

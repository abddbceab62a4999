-- met: has everything that `child` waits for ended well enough?
-- A parent that is gone counts as met, as in RQ: one that flow ran left the set when it ended.
local function met(child, despite_failures)
  local key, at = 'rq:job::' .. child .. ':dependencies', '0'
  repeat
    -- In slices: one that has not ended is nearly always among the first.
    local slice = redis.call('SSCAN', key, at, 'COUNT', 20)
    at = slice[1]
    for _, parent in ipairs(slice[2]) do
      local status = redis.call('HGET', 'rq:job:' .. parent, 'status')
      if status and status ~= 'finished' and not (status == 'failed' and despite_failures) then
        return false
      end
    end
  until at == '0'
  return true
end

-- nobody_waits: whether it is known of all jobs of this call that none waits for them.
local nobody_waits = false

-- see_who_waits: asks for many jobs at once, for that is the usual case.
local function see_who_waits(outcomes)
  nobody_waits = true
  for from = 1, #outcomes, 500 do
    local waiting = {}
    for index = from, math.min(from + 499, #outcomes) do
      waiting[#waiting + 1] = 'rq:job:' .. outcomes[index].id .. ':dependents'
    end
    nobody_waits = nobody_waits and redis.call('EXISTS', unpack(waiting)) == 0
  end
end

-- releasing: the jobs of this call for which so many wait that others have to go on with them.
local RELEASING = 'flow:releasing'
local releasing, room = {}, 100

-- release_from: some of the jobs that waited for `id` alone go to their queues; when it was
-- canceled, only a schedule's next one, which waits for it however it ends.
-- Returns whether any that it saw still wait for it, and where to go on ('0': that is all).
local function release_from(id, ending, iso, at)
  local waiting, left = 'rq:job:' .. id .. ':dependents', false
  repeat
    local slice = redis.call('SSCAN', waiting, at, 'COUNT', 100)
    at, room = slice[1], room - #slice[2]
    for _, child in ipairs(slice[2]) do
      -- pcall: a key of another type under this name must not hold up the others.
      local fields = redis.pcall('HMGET', 'rq:job:' .. child,
        'status', 'origin', 'allow_dependency_failures', 'enqueue_at_front', 'flow_schedule')
      local despite_failures = fields[3] == '1'
      if ending == 'finished' or despite_failures and (ending == 'failed' or fields[5]) then
        redis.call('SREM', 'rq:job::' .. child .. ':dependencies', id)
        redis.call('SREM', waiting, child)
        if fields[1] == 'deferred' and met(child, despite_failures) then
          redis.call('ZREM', 'rq:deferred:' .. fields[2], child)
          push(fields[2], child, fields[4] == '1', iso)
        end
      else
        left = true
      end
    end
  until at == '0' or room <= 0
  return left, at
end

-- release: the jobs that waited for `id` go to their queues; where they are many, the others
-- follow at once, by release_more.
-- Returns whether any still wait for it.
local function release(id, ending, iso)
  if nobody_waits then
    return false
  end
  local left, after = false, '0'
  if room > 0 then
    left, after = release_from(id, ending, iso, '0')
    if after == '0' then
      return left
    end
  elseif redis.call('EXISTS', 'rq:job:' .. id .. ':dependents') == 0 then
    return false
  end
  redis.call('HSET', RELEASING, id, ending .. ' ' .. after)
  releasing[id] = true
  return true
end

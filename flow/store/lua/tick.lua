-- tick: schedules that are due enqueue their jobs, each tick once, whoever asks.
-- The cursor (the schedule's entry in `next`) must be the one that the caller saw: a repeated
-- call, or one of a leader that was paused, finds it moved and does nothing.
-- KEYS  1 leader   2 next   3 what every schedule's key begins with   4 ledger
-- ARGV  1 token   2 lease in ms   3 now (ISO)   4 entries the ledger keeps
--       then for each tick: schedule, revision, cursor, tick and following tick in ms, skipped
-- Returns the server's time in ms, and for each tick: fired, fenced, early or stale.
-- use: clock push
local STRIDE = 6
local now = math.floor(seconds() * 1000)
local answers = {}

local function leads()
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return false
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return true
end

-- The job's fields stand in the schedule's hash, behind `job:`.
local function enqueue(schedule, tick)
  local id, key, job, queue = schedule .. '-' .. tick, KEYS[3] .. schedule, {}, nil
  if redis.call('EXISTS', 'rq:job:' .. id) == 1 then
    return id -- the server's data went back in time; the job of this tick is there
  end
  local flat = redis.call('HGETALL', key)
  for index = 1, #flat, 2 do
    local field = string.match(flat[index], '^job:(.*)$')
    if field then
      job[#job + 1] = field
      job[#job + 1] = flat[index + 1]
      queue = field == 'origin' and flat[index + 1] or queue
    end
  end
  redis.call('HSET', 'rq:job:' .. id, 'created_at', ARGV[3], 'flow_schedule', schedule, unpack(job))
  push(queue, id, false, ARGV[3])
  return id
end

local function turn(schedule, revision, cursor, tick, following, skipped)
  if tonumber(tick) > now then
    return 'early'
  end
  if redis.call('ZSCORE', KEYS[2], schedule) ~= cursor
    or redis.call('HGET', KEYS[3] .. schedule, 'revision') ~= revision then
    return 'stale'
  end
  local id = enqueue(schedule, tick)
  redis.call('ZADD', KEYS[2], following, schedule)
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'schedule', schedule, 'tick', tick,
    'job', id, 'late', now - tonumber(tick), 'skipped', skipped, 'by', ARGV[1])
  return 'fired'
end

local leading = leads()
for at = 5, #ARGV, STRIDE do
  answers[#answers + 1] = leading
    and turn(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
    or 'fenced'
end
return { now, answers }

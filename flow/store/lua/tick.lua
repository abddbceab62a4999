-- tick: schedules that are due enqueue their jobs, each tick once, whoever asks.
-- The cursor of the schedule must be the one that the caller saw: a repeated call, or one of a
-- leader that was paused, finds it moved and does nothing.
-- KEYS  1 leader   2 next   3 what every schedule's key begins with   4 the same of its job's
--       fields   5 ledger   6 state
-- ARGV  1 token   2 lease in ms   3 now (ISO)   4 entries the ledger keeps
--       5 ms of silence to come   6 ms since 1970 after which the steps are stale, or inf
--       then for each step: schedule, revision, cursor, what (fire, skip or aside), first and
--       last tick, how many, when it is due, the following tick and when that is due, the reason
-- Returns the server's time in ms, how many such calls there were, for each step fired, skipped,
-- aside, overlap, skip_next, fenced, early, stale, or fault and what is wrong; and the
-- microseconds of the processor that all took, -1 where the server does not tell.
-- use: clock line limit push ledger spawn canceled overlap number
-- TIME stands still in a script; the processor's own time does not. Redis tells it from 7.4 on.
local processor = rawget(_G, 'os')
local began = processor and processor.clock()
local STRIDE, PAUSE = 11, 5000
local now = math.floor(seconds() * 1000)
local iso, kept = ARGV[3], ARGV[4]
local steps, due = {}, {}
local latest, ENOUGH, fired_until = 0, 1500, 0

local function leads()
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return false
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  local serial = number(redis.call('HGET', KEYS[6], 'serial')) + 1
  redis.call('HSET', KEYS[6], 'tick_at', string.format('%.0f', now + ARGV[5]),
    'serial', string.format('%.0f', serial))
  return true
end

-- When each schedule is due next goes to the set at the end, all in one command.
local wakes, over = {}, {}

local function wake(step)
  wakes[#wakes + 1], wakes[#wakes + 2] = step.wake, step.schedule
end

local function move(step, ...)
  step.moved = true
  if step.following == '' then
    over[#over + 1] = step.schedule
  else
    wake(step)
  end
  redis.call('HSET', step.key, 'cursor', step.following, ...)
end

local function finish()
  deliver(due)
  if #wakes > 0 then
    redis.call('ZADD', KEYS[2], unpack(wakes))
  end
  -- Last: a schedule may take its last tick in the call that took one before.
  if #over > 0 then
    redis.call('ZREM', KEYS[2], unpack(over))
  end
end

local function leave_out(step, reason, answer)
  move(step)
  note(KEYS[5], kept, step.schedule, step.first, 'skipped', 'until', step.last,
    'count', step.count, 'reason', reason, 'by', ARGV[1])
  return answer or reason
end

-- Nobody here can read it: others are not to take the leader for dead meanwhile.
function steps.aside(step)
  wake(step)
  return 'aside'
end

function steps.skip(step)
  return leave_out(step, step.reason, 'skipped')
end

function steps.fire(step)
  if tonumber(step.due) > now then
    return 'early'
  end
  if number(step.leave_out) > 0 then
    redis.call('HINCRBY', step.key, 'skip', -1)
    return leave_out(step, 'skip_next')
  end
  local reason, parent
  if step.before and step.overlap ~= 'allow' then
    -- The job before may be one of this very call.
    deliver(due)
    due = {}
    unstick(step.before, iso)
    if not ended(step.before) then
      reason, parent = overlap[step.overlap](step.before, iso, now)
    end
  end
  if reason then
    return leave_out(step, reason)
  end
  local id, late = step.schedule .. '-' .. step.first, now - tonumber(step.due)
  local queue = spawn(due, KEYS[4] .. step.schedule, step.schedule, id, iso, parent)
  if queue and parent then
    after(parent, id, queue, now)
  end
  latest, fired_until = math.max(latest, late), math.max(fired_until, tonumber(step.last))
  move(step, 'last', id, 'last_tick', step.first, 'late', late)
  note(KEYS[5], kept, step.schedule, step.first, 'fired', 'job', id, 'late', late, 'by', ARGV[1])
  return 'fired'
end

-- A key of another type is in the way. The others go on, and this one is tried again.
local function fault(step, words)
  if not step.moved then
    step.wake = now + PAUSE
    wake(step)
  end
  return 'fault ' .. words
end

local function turn(at)
  local step = {
    schedule = ARGV[at], key = KEYS[3] .. ARGV[at], first = ARGV[at + 4], last = ARGV[at + 5],
    count = ARGV[at + 6], due = ARGV[at + 7], following = ARGV[at + 8], wake = ARGV[at + 9],
    reason = ARGV[at + 10],
  }
  local fields = redis.pcall('HMGET', step.key, 'revision', 'cursor', 'paused', 'removed',
    'overlap', 'last', 'skip')
  if fields.err then
    return fault(step, fields.err)
  elseif not fields[1] or fields[3] or fields[4] then
    over[#over + 1] = step.schedule -- nothing of it comes next
    return 'stale'
  elseif fields[1] ~= ARGV[at + 1] or fields[2] ~= ARGV[at + 2] then
    return 'stale'
  end
  step.overlap, step.before, step.leave_out = fields[5], fields[6], fields[7]
  local whole, answer = pcall(steps[ARGV[at + 3]], step)
  return whole and answer or fault(step, type(answer) == 'table' and answer.err or answer)
end

-- How late leaders are of late: who waits to depose one allows for that, and with ENOUGH of it
-- waits for the lease's end. It tells of the machine, so the next leader takes it over; but the
-- first call of a leader is late for another reason.
local function remember()
  local fields = redis.call('HMGET', KEYS[6], 'by', 'late')
  local late = number(fields[2]) * 0.95
  if fields[1] == ARGV[1] then
    late = math.max(late, math.min(latest, ENOUGH))
  end
  redis.call('HSET', KEYS[6], 'by', ARGV[1], 'late', math.floor(late))
end

local answers, leading = {}, leads()
local lapsed = now > (tonumber(ARGV[6]) or math.huge) and 'stale'
local refused = not leading and 'fenced' or lapsed
for at = 7, #ARGV, STRIDE do
  answers[#answers + 1] = refused or turn(at)
end
finish()
-- What a clock that stands by has to know, should this server's data go back in time.
if fired_until > number(redis.call('HGET', KEYS[6], 'until')) then
  redis.call('HSET', KEYS[6], 'until', string.format('%.0f', fired_until))
end
if leading and latest > 0 then
  remember()
end
local took = processor and math.floor((processor.clock() - began) * 1000000) or -1
return { now, number(redis.call('HGET', KEYS[6], 'serial')), answers, took }

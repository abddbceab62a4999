-- promote: jobs whose time has come go from scheduled to their queue.
-- RQ's own schedulers promote under a lock per queue. It is taken while something is due; where
-- another holds it, that queue is left to the other.
-- ARGV  1 now (ISO)   2 how many at most   3 the latest time that is believed, ms since 1970,
--       or ''; beyond it nothing is promoted   4 where to go on among all queues (0 at first)
-- Returns how many moved, the seconds until the next one is due, or '' for none, the server's
-- time in ms, the queues whose lock another holds, where to go on ('0': it is through), and
-- whether there is work for release_more.
-- use: clock line limit push slice
local LOCK, OWNER, HELD = 'rq:scheduler-lock:', 'flow', 61
local iso, room = ARGV[1], tonumber(ARGV[2])
local now = seconds()
if ARGV[3] ~= '' and now * 1000 > tonumber(ARGV[3]) then
  room = 0
end
local moved, next_due, foreign = 0, nil, {}

-- The entry of a job that has gone, whose id another job of another queue has now.
local function is_left_behind(queue, id, origin)
  if not origin or origin == queue then
    return false
  end
  return tonumber(redis.pcall('ZSCORE', 'rq:scheduled:' .. origin, id)) ~= nil
end

local function promote(queue, id)
  if redis.call('ZREM', 'rq:scheduled:' .. queue, id) == 0 then
    return
  end
  -- pcall: a key of another type under this name must not hold up the others.
  local fields = redis.pcall('HMGET', 'rq:job:' .. id, 'status', 'enqueue_at_front',
    'enqueue_at_front_on_retry', 'ended_at', 'origin')
  if not fields.err and fields[1] == 'scheduled' and not is_left_behind(queue, id, fields[5]) then
    -- As RQ has it: `on_retry` is for a job that has run before.
    local again = fields[3] == '1' and (fields[4] or '') ~= ''
    push(queue, id, fields[2] == '1' or again, iso)
    moved = moved + 1
  end
end

local function ours(queue)
  local owner = redis.pcall('GET', LOCK .. queue)
  if owner and owner ~= OWNER then
    foreign[#foreign + 1] = queue
    return false
  end
  redis.call('SET', LOCK .. queue, OWNER, 'EX', HELD)
  return true
end

local queues, after = slice(ARGV[4])
for _, queue in ipairs(queues) do
  local key = 'rq:scheduled:' .. queue
  -- pcall: what another program wrote in one queue's place holds up no other. It has no [2].
  local first = redis.pcall('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] and tonumber(first[2]) <= now and room > 0 and ours(queue) then
    local limit = string.format('%.17g', now)
    local due = redis.call('ZRANGEBYSCORE', key, '-inf', limit, 'LIMIT', 0, room)
    for _, id in ipairs(due) do
      promote(queue, id)
    end
    room = room - #due
    first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  end
  if first[2] and foreign[#foreign] ~= queue then
    local wait = tonumber(first[2]) - now
    next_due = (not next_due or wait < next_due) and wait or next_due
  end
end
return {
  moved, next_due and string.format('%.6f', next_due) or '', math.floor(now * 1000), foreign, after,
  redis.call('EXISTS', 'flow:releasing'),
}

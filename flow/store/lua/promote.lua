-- promote: jobs whose time has come go from scheduled to their queue.
-- ARGV  1 now (ISO)   2 how many at most   then the queues
-- Returns how many moved, and the seconds until the next one is due, or '' for none.
-- use: clock push
local iso, room = ARGV[1], tonumber(ARGV[2])
local now = seconds()
local moved, next_due = 0, nil

local function promote(queue, id)
  if redis.call('ZREM', 'rq:scheduled:' .. queue, id) == 0 then
    return
  end
  -- pcall: a key of another type under this name must not hold up the others.
  local fields = redis.pcall('HMGET', 'rq:job:' .. id, 'status', 'enqueue_at_front')
  if fields[1] == 'scheduled' then
    push(queue, id, fields[2] == '1', iso)
    moved = moved + 1
  end
end

for index = 3, #ARGV do
  local key = 'rq:scheduled:' .. ARGV[index]
  if room > 0 then
    local due = redis.call('ZRANGEBYSCORE', key, '-inf', string.format('%.17g', now), 'LIMIT', 0, room)
    for _, id in ipairs(due) do
      promote(ARGV[index], id)
    end
    room = room - #due
  end
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local wait = tonumber(first[2]) - now
    next_due = (not next_due or wait < next_due) and wait or next_due
  end
end
return { moved, next_due and string.format('%.6f', next_due) or '' }

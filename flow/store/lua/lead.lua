-- lead: a clock becomes the leader of its app's clocks, or stays it.
-- A standby may take over before the lease ends: when a tick is overdue and the leader has not
-- made a tick call for as long. That is safe, because tick.lua fences the old leader.
-- KEYS  1 leader   2 epoch   3 next   4 state
-- ARGV  1 clock   2 lease in ms   3 its token, '' when it does not lead
--       4 ms that a tick may be overdue while the leader is silent
--       5 ms in which schedules that are still to come are counted, for a standby
--       6 when it asked, in ms since 1970 by what it knows of the server's clock
-- Returns the token ('' when another leads), who leads, the ms until a standby should look
-- again, the server's time in ms, how many calls of tick there were, the last tick that fired,
-- and to a standby how many schedules come within those ms.
-- use: clock number
local now = math.floor(seconds() * 1000)
local holder = redis.call('GET', KEYS[1])
local state = redis.call('HMGET', KEYS[4], 'tick_at', 'serial', 'late', 'until')
local serial, fired_until = number(state[2]), number(state[4])
local lease = tonumber(ARGV[2])
-- One that is late by itself, on a machine that is too busy, has more time: see tick.lua.
local patience = tonumber(ARGV[4]) + 2 * number(state[3])

local function take()
  local epoch = string.format('%.0f', number(redis.call('GET', KEYS[2])) + 1)
  redis.call('SET', KEYS[2], epoch)
  local token = epoch .. ':' .. ARGV[1]
  redis.call('SET', KEYS[1], token, 'PX', lease)
  -- The new leader has its time too, before the next one may depose it.
  redis.call('HSET', KEYS[4], 'tick_at', string.format('%.0f', now))
  return { token, ARGV[1], lease, now, serial, fired_until, 0 }
end

local left = redis.call('PTTL', KEYS[1])
-- One that never ends was not written here.
if left < 0 then
  return take()
end
if holder == ARGV[3] then
  redis.call('PEXPIRE', KEYS[1], lease)
  return { holder, ARGV[1], lease, now, serial, fired_until, 0 }
end

local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if first[2] then
  local silent = math.max(tonumber(first[2]), number(state[1])) + patience
  local waited = now - ARGV[6]
  if silent <= now and waited <= tonumber(ARGV[4]) then
    return take()
  end
  -- Where a server that stood still let the caller wait, so it did the leader: it has its time.
  left = math.min(left, silent > now and silent - now or patience)
end
local crowd = redis.call('ZCOUNT', KEYS[3], '(' .. now, now + ARGV[5])
return { '', string.match(holder, '^%d+:(.*)$') or holder, left, now, serial, fired_until, crowd }

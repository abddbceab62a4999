-- due: which schedules come next, by the server's clock.
-- KEYS  1 next   2 what every schedule's key begins with
-- ARGV  1 how many at most
-- Returns the server's time in ms, the first tick that is not due yet (or ''), and of each
-- schedule that is due: id, cursor, revision, kind, spec, zone.
-- use: clock
local now = math.floor(seconds() * 1000)
local limit = string.format('%.0f', now)
local rows, flat = {}, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for at = 1, #flat, 2 do
  local fields = redis.call('HMGET', KEYS[2] .. flat[at], 'revision', 'kind', 'spec', 'tz')
  rows[#rows + 1] = { flat[at], flat[at + 1], fields[1], fields[2], fields[3], fields[4] }
end
local coming = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. limit, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { now, coming[2] or '', rows }

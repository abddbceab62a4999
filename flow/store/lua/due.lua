-- due: which schedules come next, by the server's clock.
-- KEYS  1 next   2 what every schedule's key begins with   3 state
-- ARGV  1 how many at most
-- Returns the server's time in ms, how many calls of tick there were, when the next schedule
-- comes that is not due yet (or ''), and of each that is due: id, cursor and what it is.
-- use: clock
local now = math.floor(seconds() * 1000)
local limit = string.format('%.0f', now)
local rows, flat = {}, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'LIMIT', 0, ARGV[1])
for at, id in ipairs(flat) do
  rows[at] = { id, unpack(redis.call('HMGET', KEYS[2] .. id,
    'cursor', 'revision', 'policy', 'kind', 'spec', 'tz', 'dst')) }
end
local coming = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. limit, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { now, tonumber(redis.call('HGET', KEYS[3], 'serial') or 0), coming[2] or '', rows }

-- due: which schedules come next, by the server's clock.
-- KEYS  1 next   2 what every schedule's key begins with   3 state
-- ARGV  1 how many at most
-- Returns the server's time in ms, how many calls of tick there were, when the next schedule
-- comes that is not due yet (or ''), and of each that is due: id, cursor and what it is; or its
-- id and what is wrong.
-- use: clock number
local now = math.floor(seconds() * 1000)
local limit = string.format('%.0f', now)
local rows, flat = {}, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'LIMIT', 0, ARGV[1])
for at, id in ipairs(flat) do
  -- pcall: a key of another type under this name must not hold up the others.
  local fields = redis.pcall('HMGET', KEYS[2] .. id,
    'cursor', 'revision', 'policy', 'kind', 'spec', 'tz', 'dst')
  rows[at] = fields.err and { id, fields.err } or { id, unpack(fields) }
end
local coming = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. limit, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { now, number(redis.call('HGET', KEYS[3], 'serial')), coming[2] or '', rows }

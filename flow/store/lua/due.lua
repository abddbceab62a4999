-- due: which schedules come next, by the server's clock.
-- KEYS  1 next   2 what every schedule's key begins with   3 state   4 ids
-- ARGV  1 how many at most   2 ms in which those that are still to come are counted
-- Returns the server's time in ms, how many calls of tick there were, when the next schedule
-- comes that is not due yet (or ''), how many come within those ms, how many ids there are more
-- than come at all (nil where the ids are spoilt), and those that are due.
-- use: clock number described
local now = math.floor(seconds() * 1000)
local limit, soon = string.format('%.0f', now), string.format('%.0f', now + ARGV[2])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
local coming = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. limit, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
-- pcall: a key of another type there must not hold up the ticks.
local ids = redis.pcall('HLEN', KEYS[4])
local gap = type(ids) == 'number' and ids - redis.call('ZCARD', KEYS[1])
return { now, number(redis.call('HGET', KEYS[3], 'serial')), coming[2] or '',
  redis.call('ZCOUNT', KEYS[1], '(' .. limit, soon),
  gap, described(KEYS[2], due) }

-- coming: schedules that are due later, for a leader that plans their ticks while it has time.
-- KEYS  1 next   2 what every schedule's key begins with
-- ARGV  1 from when and   2 until when they are due, in ms   3 how many of the first are passed
--       over   4 how many at most
-- Returns them in the order in which they are due.
-- use: described
return described(KEYS[2], redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2],
  'WITHSCORES', 'LIMIT', ARGV[3], ARGV[4]))

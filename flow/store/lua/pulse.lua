-- pulse: a role of a host lives, or has ended.
-- KEYS  1 the host's roles
-- ARGV  1 role:pid   2 unix seconds, '' when it has ended   3 seconds the key lives
-- use:
if ARGV[2] == '' then
  return redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('PERSIST', KEYS[1])  -- see beat.lua
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[3])

-- trim: entries of jobs that have expired leave the registries of a queue.
-- ARGV  1 queue   2 how many at most
-- Returns how many left.
-- use: clock
local now = seconds()
local gone = 0
-- How long after its score an entry is of no use: a canceled one has the time of the cancel.
for registry, after in pairs({ finished = 0, failed = 0, canceled = 31536000 }) do
  local key = 'rq:' .. registry .. ':' .. ARGV[1]
  -- From 0: RQ keeps -1 for what never expires.
  local until_then = string.format('%.17g', now - after)
  local expired = redis.call('ZRANGEBYSCORE', key, 0, until_then, 'LIMIT', 0, ARGV[2])
  if #expired > 0 then
    gone = gone + redis.call('ZREM', key, unpack(expired))
  end
end
return gone

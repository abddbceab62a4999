-- trim: entries of jobs that have expired leave the registries of a queue.
-- ARGV  1 queue   2 how many at most
-- Returns how many left.
-- use: clock
local now = string.format('%.17g', seconds())
local gone = 0
for _, registry in ipairs({ 'finished', 'failed' }) do
  local key = 'rq:' .. registry .. ':' .. ARGV[1]
  -- From 0: RQ keeps -1 for what never expires.
  local expired = redis.call('ZRANGEBYSCORE', key, 0, now, 'LIMIT', 0, ARGV[2])
  if #expired > 0 then
    gone = gone + redis.call('ZREM', key, unpack(expired))
  end
end
return gone

-- bury: a schedule goes, and leaves a tombstone that keeps where it stood, and which entry of the
-- ledger has what was due.
local function bury(next_, schedules, jobs, ids, id, iso, now, ttl, noted)
  local wake = redis.call('ZSCORE', next_, id)
  redis.call('HSET', schedules .. id, 'removed', iso, 'removed_at', string.format('%.0f', now))
  if noted then
    redis.call('HSET', schedules .. id, 'noted', noted)
  end
  if wake then
    redis.call('HSET', schedules .. id, 'wake', wake)
  end
  redis.call('EXPIRE', schedules .. id, ttl)
  redis.call('EXPIRE', jobs .. id, ttl)
  redis.call('ZREM', next_, id)
  redis.call('HDEL', ids, id)
end

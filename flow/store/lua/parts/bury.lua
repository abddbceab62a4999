-- bury: a schedule goes, and leaves a tombstone that keeps where it stood, and which entry of the
-- ledger has what was due.
local function bury(next_, schedules, jobs, ids, id, iso, now, ttl, noted)
  local wake = redis.call('ZSCORE', next_, id)
  local fields = { 'removed', iso, 'removed_at', string.format('%.0f', now) }
  if noted then
    fields[#fields + 1], fields[#fields + 2] = 'noted', noted
  end
  if wake then
    fields[#fields + 1], fields[#fields + 2] = 'wake', wake
  end
  -- pcall: a key of another type keeps nothing, and expires as a tombstone does.
  redis.pcall('HSET', schedules .. id, unpack(fields))
  redis.call('EXPIRE', schedules .. id, ttl)
  redis.call('EXPIRE', jobs .. id, ttl)
  redis.call('ZREM', next_, id)
  redis.call('HDEL', ids, id)
end

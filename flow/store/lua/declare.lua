-- declare: an app's declared schedules become those of this release.
-- A schedule that is as it was keeps its next tick; a changed one is planned anew; one that
-- is declared no longer goes, and leaves a tombstone that keeps where it stood.
-- KEYS  1 next   2 what every schedule's key begins with
-- ARGV  1 now (ISO)   2 seconds a tombstone stays
--       then for each schedule: id, revision, next tick in ms, number of values, fields and values
-- Returns the ids added, changed and removed.
local at, declared = 3, {}
local added, changed, removed = {}, {}, {}

local function write(id, key, first, count)
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(ARGV, first, first + count - 1))
  redis.call('HSET', key, 'declared', ARGV[1])
end

while at <= #ARGV do
  local id, revision, tick, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local key = KEYS[2] .. id
  local old = redis.call('HMGET', key, 'revision', 'removed')
  declared[id] = true
  if old[1] ~= revision or old[2] then
    local list = old[1] and not old[2] and changed or added
    list[#list + 1] = id
    write(id, key, at + 4, count)
    redis.call('ZADD', KEYS[1], tick, id)
  elseif not redis.call('ZSCORE', KEYS[1], id) then
    redis.call('ZADD', KEYS[1], tick, id)
  end
  at = at + 4 + count
end

for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not declared[id] then
    local key = KEYS[2] .. id
    redis.call('HSET', key, 'removed', ARGV[1], 'cursor', redis.call('ZSCORE', KEYS[1], id))
    redis.call('EXPIRE', key, ARGV[2])
    redis.call('ZREM', KEYS[1], id)
    removed[#removed + 1] = id
  end
end
return { added, changed, removed }

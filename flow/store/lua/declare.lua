-- declare: schedules become those that the caller brings; others stay as they are.
-- One that is as it was keeps its next tick; so does one that changed in what it enqueues only,
-- and one that comes back within an hour. Any other is planned anew.
-- KEYS  1 next   2 what every schedule's key begins with   3 the same of its job's fields
--       4 ids   5 state   6 bell   7 ledger
-- ARGV  1 now (ISO)   2 source: declared, or dynamic   3 release   4 entries the ledger keeps
--       then for each: id, revision, rule, next tick in ms and when it is due, the four words of
--       what was counted of its ticks, number of values, fields and values, number of values,
--       fields and values of its job
-- Returns the release that stands if it is newer (then nothing was done), else '', the ids added
-- and changed, and those that are behind, which are as they were.
-- use: clock ledger number stands behind ring
local iso, source, release, kept = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now, at = math.floor(seconds() * 1000), 5
local added, changed, left = {}, {}, {}
local HOUR = 3600000

local standing = redis.call('HGET', KEYS[5], 'release')
if source == 'declared' and number(standing) > release then
  return { standing, {}, {}, {} }
end

local function take()
  at = at + 1
  return ARGV[at - 1]
end

local function pass(count)
  at = at + count
  return { unpack(ARGV, at - count, at - 1) }
end

-- A place that it has, and from which it goes on. It may be the end: no tick comes.
local function goes_on(rule, old)
  local back = old.removed and now - number(old.removed_at) < HOUR
  local placed = old.cursor == '' or stands(old.cursor)
  return old.rule == rule and placed and (back or not old.removed)
end

-- Where it goes on: there, or at the next tick from now on.
local function place(id, key, rule, first, old)
  if goes_on(rule, old) then
    if old.noted then
      -- Its ticks are served after all. pcall: not every user may XDEL, nor every text be an entry.
      redis.pcall('XDEL', KEYS[7], old.noted)
    end
    if old.cursor == first.tick then
      -- When that is due is another instant, by another jitter.
      redis.call('HSET', key, 'wake', first.due)
      redis.call('ZREM', KEYS[1], id)
    end
    return
  end
  redis.call('HSET', key, 'cursor', first.tick, 'wake', first.due)
  if old.removed then
    redis.call('HDEL', key, 'paused', 'skip')
  end
  redis.call('ZREM', KEYS[1], id)
end

local function known(key)
  local fields = redis.pcall('HMGET', key, 'revision', 'rule', 'cursor', 'removed', 'removed_at',
    'noted')
  if fields.err then
    redis.call('DEL', key) -- it holds no schedule: this one is new
    fields = {}
  end
  return { revision = fields[1], rule = fields[2], cursor = fields[3], removed = fields[4],
    removed_at = fields[5], noted = fields[6] }
end

local function one()
  local id, revision, rule = take(), take(), take()
  local first = { tick = take(), due = take() }
  local counted, fields, call = pass(4), pass(tonumber(take())), pass(tonumber(take()))
  local key, job = KEYS[2] .. id, KEYS[3] .. id
  local old = known(key)
  -- What a tombstone had due was noted when it was made.
  if not old.removed and not goes_on(rule, old) then
    local stays = behind(KEYS[7], kept, key, id, now, counted, 'edited')
    if stays then
      left[#left + 1] = stays
      return
    end
  end
  local same = old.revision == revision and not old.removed
  place(id, key, rule, first, old)
  redis.call('DEL', job)
  redis.call('HSET', key, unpack(fields))
  redis.call('HSET', job, unpack(call))
  redis.call('HSET', key, 'revision', revision, 'rule', rule, 'source', source)
  redis.call('HDEL', key, 'removed', 'removed_at', 'noted')
  redis.call('PERSIST', key)
  redis.call('HSET', KEYS[4], id, source)
  local place_ = redis.call('HMGET', key, 'paused', 'wake', 'cursor')
  if not place_[1] and place_[3] ~= '' and not redis.call('ZSCORE', KEYS[1], id) then
    redis.call('ZADD', KEYS[1], place_[2], id)
  end
  if not same then
    local list = old.revision and not old.removed and changed or added
    list[#list + 1] = id
  end
end

while at <= #ARGV do
  one()
end
if #added + #changed > 0 then
  ring(KEYS[6])
end
return { '', added, changed, left }

-- remove: a schedule that was made by upsert goes.
-- KEYS  1 next   2 what every schedule's key begins with   3 the same of its job's fields
--       4 ids   5 bell   6 ledger
-- ARGV  1 schedule   2 now (ISO)   3 seconds its tombstone stays   4 entries the ledger keeps
--       5 to 8 what was counted of its ticks
-- Returns 1 when it went, 0 when there is none, -1 when it is declared in the app; and, where it
-- stays as it is behind, that.
-- A repeated call (its reply was lost) is known by its instant, and answered again.
-- use: clock ledger number stands behind bury ring
local id, key = ARGV[1], KEYS[2] .. ARGV[1]
local now = math.floor(seconds() * 1000)
local source = redis.call('HGET', KEYS[4], id)
if not source then
  return { redis.pcall('HGET', key, 'removed') == ARGV[2] and 1 or 0 }
end
if source == 'declared' then
  return { -1 }
end
local stays, noted = behind(KEYS[6], ARGV[4], key, id, now, { unpack(ARGV, 5, 8) }, 'removed')
if stays then
  return { 0, stays }
end
bury(KEYS[1], KEYS[2], KEYS[3], KEYS[4], id, ARGV[2], now, ARGV[3], noted)
ring(KEYS[5])
return { 1 }

-- remove: a schedule that was made by upsert goes.
-- KEYS  1 next   2 what every schedule's key begins with   3 the same of its job's fields
--       4 ids   5 bell
-- ARGV  1 schedule   2 now (ISO)   3 seconds its tombstone stays
-- Returns 1 when it went, 0 when there is none, -1 when it is declared in the app.
-- A repeated call (its reply was lost) is known by its instant, and answered again.
-- use: clock bury ring
local source = redis.call('HGET', KEYS[4], ARGV[1])
if not source then
  return redis.call('HGET', KEYS[2] .. ARGV[1], 'removed') == ARGV[2] and 1 or 0
end
if source == 'declared' then
  return -1
end
bury(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2], string.format('%.0f', seconds() * 1000), ARGV[3])
ring(KEYS[5])
return 1

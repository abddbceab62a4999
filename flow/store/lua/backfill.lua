-- backfill: a schedule's job is enqueued for ticks of the past, or for no tick at all.
-- A job that is there already, under the same id, is left alone.
-- KEYS  1 the schedule   2 its job's fields   3 ledger
-- ARGV  1 schedule   2 now (ISO)   3 entries the ledger keeps   4 outcome: backfilled, or run
--       then for each job: its id, and the tick in ms
-- Returns the ids enqueued now, or -1 when there is no such schedule.
-- use: ledger spawn
local fields = redis.call('HMGET', KEYS[1], 'revision', 'removed', 'cursor')
if not fields[1] or fields[2] then
  return -1
end
local made, due = {}, {}
for at = 5, #ARGV, 2 do
  local id, tick = ARGV[at], ARGV[at + 1]
  -- A tick at the cursor is the clock's own to enqueue.
  local free = ARGV[4] == 'run' or tonumber(tick) < (tonumber(fields[3]) or math.huge)
  if free and spawn(due, KEYS[2], ARGV[1], id, ARGV[2]) then
    note(KEYS[3], ARGV[3], ARGV[1], tick, ARGV[4], 'job', id)
    made[#made + 1] = id
  end
end
deliver(due)
return made

-- replan: schedules whose next tick is another by newer time zone data go on there.
-- Only one that still stands where the caller saw it: a tick that fired meanwhile has moved it,
-- and one that is paused is planned when it goes on.
-- KEYS  1 next   2 what every schedule's key begins with   3 bell
-- ARGV  for each: schedule, revision, cursor, the new cursor and when that is due
-- Returns the ids that go on elsewhere now.
-- use: ring
local moved = {}
for at = 1, #ARGV, 5 do
  local key = KEYS[2] .. ARGV[at]
  local fields = redis.call('HMGET', key, 'revision', 'cursor', 'removed', 'paused')
  if fields[1] == ARGV[at + 1] and fields[2] == ARGV[at + 2]
      and not fields[3] and not fields[4] then
    redis.call('HSET', key, 'cursor', ARGV[at + 3])
    redis.call('ZADD', KEYS[1], ARGV[at + 4], ARGV[at])
    moved[#moved + 1] = ARGV[at]
  end
end
if moved[1] then
  ring(KEYS[3])
end
return moved

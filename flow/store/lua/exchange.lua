-- exchange: the outcomes of a process go in, the jobs that it runs next come out.
-- A repeated turn (its reply was lost) is answered again and changes nothing.
-- KEYS  1 the process's last turn
-- ARGV  1 process   2 turn   3 next execution number   4 free slots   5 worker name
--       6 now (ISO)   7 number of queues   then the queues   then the outcomes, as
--       settle.lua has them
-- Returns the outcomes that were refused, as job, reason, ... and the claims, 18 values each.
-- use: clock line limit push dependents keep canceled fence shown settle claim
local ROOM = 1048576
local process, turn, worker, iso = ARGV[1], tonumber(ARGV[2]), ARGV[5], ARGV[6]
local queues = tonumber(ARGV[7])

local function answer(refused, held)
  local claims, room = {}, ROOM
  for at = 1, #held, 3 do
    room = room - repeat_claim(claims, held[at], held[at + 1], held[at + 2], room)
  end
  return { refused, claims }
end

local last = redis.call('GET', KEYS[1])
if last then
  local seen = cmsgpack.unpack(last)
  if seen[1] == turn then
    return answer(seen[2], seen[3])
  end
  if seen[1] > turn then
    -- It waited in a dead connection while its process went on.
    return redis.error_reply('STALE turn ' .. turn .. ' after ' .. seen[1])
  end
end

local now = seconds()
local refused, held, claims, room = {}, {}, {}, ROOM
local outcomes = outcomes_from(8 + queues)
let_go(outcomes)
see_who_waits(outcomes)
for _, o in ipairs(outcomes) do
  local reason = settle(o, worker, now)
  if reason then
    refused[#refused + 1] = o.id
    refused[#refused + 1] = reason
  end
end
file_all()

local free, number, tries, taken = tonumber(ARGV[4]), tonumber(ARGV[3]), 0, 0
local paused = {}
-- One question for both, which nearly always is all.
if free > 0 and redis.call('EXISTS', 'rq:suspended', 'flow:paused') > 0 then
  if redis.call('EXISTS', 'rq:suspended') == 1 then
    free = 0
  end
  -- pcall: a key of another type under this name must not stop the fleet.
  for _, queue in ipairs(redis.pcall('SMEMBERS', 'flow:paused')) do
    paused[queue] = true
  end
end
for index = 1, queues do
  local queue = ARGV[7 + index]
  -- A thousand leftovers at most: a script call stays short.
  while not paused[queue] and taken < free and tries < free + 1000 do
    local ids = redis.call('LPOP', 'rq:queue:' .. queue, math.min(free - taken, 400))
    if not ids then
      break
    end
    tries = tries + #ids
    for _, id in ipairs(ids) do
      local execution = process .. '-' .. string.format('%.0f', number + taken)
      local size = claim(claims, queue, id, execution, worker, now, iso, room)
      if size then
        held[taken * 3 + 1], held[taken * 3 + 2], held[taken * 3 + 3] = queue, id, execution
        taken, room = taken + 1, room - size
      end
    end
    hold(queue)
  end
end

-- Also when nothing happened: this turn may come a second time, late, out of a dead
-- connection, and would then claim for nobody.
redis.call('SET', KEYS[1], cmsgpack.pack({ turn, refused, held }), 'EX', 604800)
return { refused, claims }

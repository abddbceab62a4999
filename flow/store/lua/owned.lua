-- owned: which of these executions still own their job. RQ's readers see those that do, for a
-- while: as executions of the job and of its worker. They see the others no more.
-- ARGV  1 worker   2 seconds for which they are seen   then queue, job, execution of each
-- Returns 1 or 0 for each.
-- use: clock canceled fence shown
local name, lasts = ARGV[1], tonumber(ARGV[2])
local worker, now = 'rq:worker:' .. name, seconds()
local answers, oldest = {}, nil

-- When it was claimed: the score in wip is so far beyond that (claim.lua).
local function since(id, score)
  local limit = tonumber(redis.call('HGET', 'rq:job:' .. id, 'timeout') or 180) or 180
  return score - 86400 - (limit < 0 and 315360000 or limit)
end

local function show(id, execution, score)
  local began = since(id, score)
  local member, index = id .. ':' .. execution, 'rq:executions:' .. id
  local key = 'rq:execution:' .. member
  redis.call('HSET', key, 'id', execution, 'job_id', id, 'worker_name', name,
    'created_at', string.format('%.6f', began), 'last_heartbeat', string.format('%.6f', now))
  -- Longer than its entries: RQ's readers fail at one that has no hash.
  redis.call('EXPIRE', key, 2 * lasts)
  redis.call('ZADD', index, string.format('%.6f', now + lasts), execution)
  redis.call('EXPIRE', index, lasts)
  redis.call('SADD', worker .. ':executions', member)
  if not oldest or began < oldest.began then
    oldest = { id = id, began = began }
  end
end

for at = 3, #ARGV, 3 do
  local id, execution = ARGV[at + 1], ARGV[at + 2]
  local score = redis.call('ZSCORE', 'rq:wip:' .. ARGV[at], id .. ':' .. execution)
  if not may_write(id, score) then
    answers[#answers + 1] = 1
    -- pcall: a key of another type in the way of one must not hold up the others.
    pcall(show, id, execution, score)
  else
    answers[#answers + 1] = 0
    hide(id, execution, name)
  end
end

if oldest then
  redis.call('EXPIRE', worker .. ':executions', lasts)
  -- RQ 2 knows one job of a worker. Not into a hash that is gone: it would stay for ever.
  if redis.call('EXISTS', worker) == 1 then
    redis.call('HSET', worker, 'current_job', oldest.id,
      'current_job_working_time', string.format('%.6f', now - oldest.began))
  end
end
return answers

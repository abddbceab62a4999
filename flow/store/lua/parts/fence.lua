-- standing: may an execution whose wip member was there still write?
-- Returns nil when it may, else what became of the job: deleted, or its status; whether it waited
-- for others; and its rate limit, if it has one.
local function standing(id)
  -- pcall: another type under this name is no job, and must not hold up the others.
  local fields = redis.pcall('HMGET', 'rq:job:' .. id, 'status', 'dependency_id', 'rate_limit_key')
  if fields.err or not fields[1] then
    return 'deleted'
  end
  if fields[1] == 'canceled' then
    let_expire(id)
  end
  if fields[1] ~= 'started' then
    return fields[1], false, fields[3]
  end
  return nil, fields[2] and true or false, fields[3]
end

-- may_write: as `standing`, or lost, for an execution whose wip member was there (`held`) or not:
-- RQ's client itself takes it out when it cancels or deletes a job that `owned` has shown it.
local function may_write(id, held)
  local refused, had_parents, limit = standing(id)
  if held or refused == 'canceled' or refused == 'deleted' then
    return refused, had_parents, limit
  end
  return 'lost'
end

-- fence: may this execution still write? Removes its wip member in any case.
-- Returns as `may_write`.
local function fence(queue, id, execution)
  return may_write(id, redis.call('ZREM', 'rq:wip:' .. queue, id .. ':' .. execution) == 1)
end

-- let_go: the first half of many fences at once: removes their wip members, and notes in each
-- outcome whether its own was `held`.
local function let_go(outcomes)
  local by_queue = {}
  for _, o in ipairs(outcomes) do
    local group = by_queue[o.queue]
    if not group or #group.members == 400 then
      group = { key = 'rq:wip:' .. o.queue, members = {}, outcomes = {} }
      by_queue[o.queue] = group
      by_queue[#by_queue + 1] = group
    end
    group.members[#group.members + 1] = o.id .. ':' .. o.execution
    group.outcomes[#group.outcomes + 1] = o
  end
  for _, group in ipairs(by_queue) do
    local scores = redis.call('ZMSCORE', group.key, unpack(group.members))
    redis.call('ZREM', group.key, unpack(group.members))
    local seen = {}
    for index, member in ipairs(group.members) do
      group.outcomes[index].held = scores[index] and not seen[member]
      seen[member] = true
    end
  end
end

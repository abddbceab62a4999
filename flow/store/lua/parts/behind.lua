-- behind: the ticks that a schedule had due go to the ledger, before it is changed or goes.
-- Only the caller can count them, as only it can read the rule: `counted` is from which cursor it
-- did, how many there are, the last, and the tick after that. Where it has not counted yet, or one
-- more is due by now, nothing is noted, and it is told where the schedule stands.
-- Returns id, cursor, the server's time in ms and the rule then; else nil, and the entry's id.
local function behind(ledger, kept, key, id, now, counted, reason)
  local fields = redis.pcall('HMGET', key, 'cursor', 'paused', 'kind', 'spec', 'tz', 'dst')
  local cursor = stands(fields[1])
  if not cursor or cursor > now then
    return nil
  end
  local from, count, last, following = unpack(counted)
  if from ~= fields[1] or (tonumber(following) or math.huge) <= now then
    return { id, fields[1], now, unpack(fields, 3, 6) }
  end
  return nil, note(ledger, kept, id, from, 'skipped', 'until', last, 'count', count,
    'reason', fields[2] and 'paused' or reason)
end

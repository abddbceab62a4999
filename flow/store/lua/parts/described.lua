-- described: what ticks are planned by, of each of a range of the set `next` with its scores:
-- id, when it is due, cursor, revision, policy and rule; or its id, when it is due and what is
-- wrong.
local function described(prefix, flat)
  local rows = {}
  for at = 1, #flat, 2 do
    local id, due = flat[at], flat[at + 1]
    -- pcall: a key of another type under this name must not hold up the others.
    local fields = redis.pcall('HMGET', prefix .. id,
      'cursor', 'revision', 'policy', 'kind', 'spec', 'tz', 'dst')
    rows[#rows + 1] = fields.err and { id, due, fields.err } or { id, due, unpack(fields) }
  end
  return rows
end

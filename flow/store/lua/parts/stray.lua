-- owner: the job that a key belongs to; nil where it belongs to none, or is the job itself.
local function owner(key)
  return string.match(key, '^rq:results:(.+)$') or string.match(key, '^rq:job::(.+):dependencies$')
    or string.match(key, '^rq:job:(.+):dependents$')
end

-- is_stray: would this key stay for ever, though its job is gone?
local function is_stray(key)
  local id = owner(key)
  return id and redis.call('EXISTS', 'rq:job:' .. id) == 0 and redis.call('PTTL', key) == -1
end

-- expire: a key stays for `ttl` seconds more; -1 is for ever.
local function expire(key, ttl)
  if ttl < 0 then
    redis.call('PERSIST', key)
  else
    redis.call('EXPIRE', key, ttl)
  end
end

-- kept: what goes to each registry when all is written, as score, id, ...
local kept = {}

local function file(key)
  if kept[key] and #kept[key] > 0 then
    redis.call('ZADD', key, unpack(kept[key]))
    kept[key] = {}
  end
end

-- file_all: what was kept goes to its registries.
local function file_all()
  for key in pairs(kept) do
    file(key)
  end
end

-- enter: a job goes to a registry, with others of this call.
local function enter(key, score, id)
  if not kept[key] then
    local type = redis.call('TYPE', key).ok
    if type ~= 'zset' and type ~= 'none' then
      error(key .. ', which is a ' .. type)
    end
    kept[key] = {}
  end
  local many = kept[key]
  many[#many + 1], many[#many + 2] = score, id
  if #many >= 800 then
    file(key)
  end
end

-- keep: a job that ended stays for `ttl` seconds with its result; `file_all` completes it.
-- `had_parents`, `has_children`: whether it waited for others, and others still wait for it.
local function keep(registry, queue, id, ttl, now, had_parents, has_children)
  local forever = { finished = '+inf', failed = '-1' }
  local score = forever[registry]
  expire('rq:job:' .. id, ttl)
  expire('rq:results:' .. id, ttl)
  if has_children and not releasing[id] then
    expire('rq:job:' .. id .. ':dependents', ttl)
  end
  if had_parents then
    redis.call('DEL', 'rq:job::' .. id .. ':dependencies')
  end
  if registry == 'canceled' then
    score = whole(now) -- as RQ has it there
  elseif ttl >= 0 then
    score = whole(now + ttl)
  end
  enter('rq:' .. registry .. ':' .. queue, score, id)
end

-- forget: nothing of a job stays, but those who wait for it until they are released.
local function forget(id)
  local key = 'rq:job:' .. id
  local waiting = releasing[id] and key or key .. ':dependents'
  redis.call('DEL', key, 'rq:results:' .. id, waiting, 'rq:job::' .. id .. ':dependencies')
end

local function given(name, value)
  if value ~= '' then
    return name, value
  end
end

-- record: RQ's entry of how one execution ended (types: 1 ok, 2 failed).
local function record(id, kind, worker, execution, started, ended, name, value)
  redis.call('XADD', 'rq:results:' .. id, 'MAXLEN', 10, '*', 'type', kind,
    'worker_name', worker, 'execution_id', execution,
    'execution_started_at', started, 'execution_ended_at', ended, given(name, value))
end

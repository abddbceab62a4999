-- keep: a job that ended stays for `ttl` seconds with its result; -1 is for ever.
local function keep(registry, queue, id, ttl, now)
  local forever = { finished = '+inf', failed = '-1' }
  local score = forever[registry]
  for _, key in ipairs({ 'rq:job:' .. id, 'rq:results:' .. id, 'rq:job:' .. id .. ':dependents' }) do
    if ttl < 0 then
      redis.call('PERSIST', key)
    else
      redis.call('EXPIRE', key, ttl)
    end
  end
  redis.call('DEL', 'rq:job::' .. id .. ':dependencies')
  if ttl >= 0 then
    score = string.format('%.17g', now + ttl)
  end
  redis.call('ZADD', 'rq:' .. registry .. ':' .. queue, score, id)
end

-- forget: nothing of a job stays.
local function forget(id)
  redis.call('DEL', 'rq:job:' .. id, 'rq:results:' .. id,
    'rq:job:' .. id .. ':dependents', 'rq:job::' .. id .. ':dependencies')
end

-- record: RQ's entry of how one execution ended (types: 1 ok, 2 failed).
local function record(id, kind, worker, execution, started, ended, name, value)
  local entry = { 'XADD', 'rq:results:' .. id, 'MAXLEN', '~', 10, '*', 'type', kind,
    'worker_name', worker, 'execution_id', execution,
    'execution_started_at', started, 'execution_ended_at', ended }
  if value ~= '' then
    entry[#entry + 1] = name
    entry[#entry + 1] = value
  end
  redis.call(unpack(entry))
end

-- order: a worker that lives is told something, which it hears with its next beat.
-- KEYS  1 the worker's hash
-- ARGV  1 the order, a text that no order before had
-- Returns 1; 0 when there is no such worker.
-- use:
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0 -- a hash of this field alone would stay for ever
end
redis.call('HSET', KEYS[1], 'flow_order', ARGV[1])
return 1
